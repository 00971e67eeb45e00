/* Discord: takes Slack's message at a path of its own (N41). */
#include "notify/slack_internal.h"

#include "base/mem.h"
#include "net/url.h"

static char *slack_address(const NotifyTarget *target, Error *err)
{
	autourl Url url = {0};
	if (!notify_need(target, target->address, "address", err) ||
	    !url_parse(target->address, &url, err))
		return NULL;
	if (cstr_ends(target->address, "/slack"))
		return mem_strdup(target->address);
	const char *slash = cstr_ends(url.path, "/") ? "" : "/";
	char *path = mem_printf("%s%sslack", url.path, slash);
	free(url.path);
	url.path = path;
	return url_text(&url, false);
}

bool notify_build_discord(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			  Error *err)
{
	char *url = slack_address(target, err);
	if (!url)
		return false;
	autojson json_t *body =
		slack_message(event, &(SlackStyle){.username = slack_username(target, event),
						   .good = "good",
						   .bad = "danger"});
	return notify_set_json_at(url, body, out, err);
}
