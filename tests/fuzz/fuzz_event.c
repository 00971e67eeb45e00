/* An event from anybody in the namespace, through intake's checks and into every provider's
 * request: no crash, no header with a line break in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void build(const char *type, const json_t *event)
{
	NotifyTarget target = {.type = type,
			       .address = "https://pub@host.test/scm/o/r",
			       .channel = "a/b",
			       .username = "u",
			       .token = "user:token",
			       .secret_username = "u",
			       .secret_password = "p",
			       .status_id = "id",
			       .provider_uid = "uid"};
	autonotifyrequest NotifyRequest request = {0};
	autoerror Error err = {0};
	if (!notify_build(&target, event, &request, &err) && !err_is_set(&err))
		abort();
	for (size_t i = 0; i < request.headers.len; i++)
		if (strpbrk(request.headers.items[i], "\r\n"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const char *const types[] = {"alertmanager",
					    "bitbucket",
					    "bitbucketserver",
					    "datadog",
					    "discord",
					    "generic-hmac",
					    "gitea",
					    "giteapullrequestcomment",
					    "github",
					    "githubdispatch",
					    "gitlab",
					    "gitlabmergerequestcomment",
					    "googlechat",
					    "grafana",
					    "incident.io",
					    "lark",
					    "matrix",
					    "msteams",
					    "nats",
					    "opsgenie",
					    "otel",
					    "pagerduty",
					    "rocket",
					    "sentry",
					    "slack",
					    "telegram",
					    "webex",
					    "zoom",
					    "zulip"};
	autoerror Error err = {0};
	autojson json_t *event = json_parse((const char *)bytes, size, 1 << 16, &err);
	if (!event || !event_check(event, &err))
		return 0;
	unsigned char key[DIGEST_MAX_BYTES];
	event_clean_metadata(event);
	event_limit_key(event, key);
	event_drop_token(event);
	autojson json_t *alert =
		json_pack("{s:{s:s,s:{s:s}}}", "spec", "summary", "s", "eventMetadata", "a", "b");
	autojson json_t *conflicts = NULL;
	autojson json_t *merged = event_for_alert(event, alert, &conflicts);
	for (size_t i = 0; i < COUNT(types); i++)
		build(types[i], merged);
	return 0;
}
