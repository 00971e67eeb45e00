/* Rocket.Chat: Slack's message with colors in hex, and without a name of its own (N42). */
#include "notify/slack_internal.h"

bool notify_build_rocket(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			 Error *err)
{
	autojson json_t *body = slack_message(event, &(SlackStyle){.channel = target->channel,
								   .username = target->username,
								   .good = "#0076D7",
								   .bad = "#FF0000"});
	return notify_set_json(target, body, out, err);
}
