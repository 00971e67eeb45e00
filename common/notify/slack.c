/* Slack: incoming webhook, or a bot's token through chat.postMessage (N39, N40). Its message is
 * also what discord and rocket take. */
#include "notify/slack_internal.h"

#include <string.h>

#include "base/mem.h"

static const char post_message[] = "https://slack.com/api/chat.postMessage";

/* The API answers 200 to everything; its body says what came of it. */
static bool judge_api(int status, Str body, Error *err)
{
	enum { REPLY_MAX = 1 << 20 };
	(void)status;
	autoerror Error parse = {0};
	autojson json_t *reply = json_parse(body.ptr, body.len, REPLY_MAX, &parse);
	if (!reply)
		return err_set(err, ERR_INVALID, "slack's reply is no JSON: %s", err_text(&parse));
	if (json_flag(reply, "ok", false))
		return true;
	return err_set(err, ERR_INVALID, "slack error: %s",
		       json_text_or(reply, "error", "unknown"));
}

static json_t *fields_of(const json_t *event)
{
	json_t *fields = json_array();
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		json_array_append_new(fields, json_pack("{s:s,s:O,s:b}", "title", key, "value",
							value, "short", 0));
	}
	return fields;
}

json_t *slack_message(const json_t *event, const SlackStyle *style)
{
	autofree char *name = notify_object_name(event);
	return json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s,s:s,s:s,s:[s],s:o}]}", "channel",
			 style->channel ? style->channel : "", "username",
			 style->username ? style->username : "", "icon_url", "", "icon_emoji", "",
			 "attachments", "fallback", style->fallback ? style->fallback : "", "color",
			 notify_is_error(event) ? style->bad : style->good, "author_name", name,
			 "text", notify_message(event), "mrkdwn_in", "text", "fields",
			 fields_of(event));
}

const char *slack_username(const NotifyTarget *target, const json_t *event)
{
	return cstr_empty(target->username) ? notify_controller(event) : target->username;
}

bool notify_build_slack(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			Error *err)
{
	autofree char *name = notify_object_name(event);
	const char *message = notify_message(event);
	autofree char *fallback =
		mem_printf("%s: %.*s", name, (int)strcspn(message, "\n"), message);
	autojson json_t *body =
		slack_message(event, &(SlackStyle){.channel = target->channel,
						   .username = slack_username(target, event),
						   .fallback = fallback,
						   .good = "good",
						   .bad = "danger"});
	if (!notify_set_json(target, body, out, err))
		return false;
	if (!cstr_empty(target->token))
		notify_add_auth(out, "Bearer", target->token);
	if (cstr_eq(target->address, post_message))
		out->judge = judge_api;
	return true;
}
