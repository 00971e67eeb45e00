/* What senders share. */
#ifndef NOTIFY_INTERNAL_H
#define NOTIFY_INTERNAL_H

#include "notify/notify.h"

/* One sender: fills url, headers and body; leaves url NULL for an event that it passes over. */
typedef bool NotifyBuildFn(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			   Error *err);

NotifyBuildFn notify_build_alertmanager, notify_build_azuredevops, notify_build_azureeventhub,
	notify_build_bitbucket, notify_build_bitbucketserver, notify_build_datadog,
	notify_build_discord, notify_build_generic, notify_build_generic_hmac, notify_build_gitea,
	notify_build_giteapullrequestcomment, notify_build_github, notify_build_githubdispatch,
	notify_build_githubpullrequestcomment, notify_build_gitlab,
	notify_build_gitlabmergerequestcomment, notify_build_googlechat, notify_build_googlepubsub,
	notify_build_grafana, notify_build_incidentio, notify_build_lark, notify_build_matrix,
	notify_build_msteams, notify_build_nats, notify_build_opsgenie, notify_build_otel,
	notify_build_pagerduty, notify_build_rocket, notify_build_sentry, notify_build_slack,
	notify_build_telegram, notify_build_webex, notify_build_zoom, notify_build_zulip;

/* Adds "Name: value". Values with line breaks are cut there: no header is smuggled in. */
void notify_add_header(NotifyRequest *out, const char *name, const char *value);

/* Authorization: "SCHEME value", Basic of user and password. */
void notify_add_auth(NotifyRequest *out, const char *scheme, const char *value);
void notify_add_basic(NotifyRequest *out, const char *user, const char *password);

/* Sets url and a JSON body, with its Content-Type. Fails when there is no address, or body is NULL
 * (jansson refused a text that is not UTF-8). */
bool notify_set_json(const NotifyTarget *target, const json_t *body, NotifyRequest *out,
		     Error *err);

/* As notify_set_json, for an address that the sender made. */
bool notify_set_json_at(char *take_url, const json_t *body, NotifyRequest *out, Error *err);

/* ERR_INVALID when the text, a `what` of the provider, is empty. */
bool notify_need(const NotifyTarget *target, const char *text, const char *what, Error *err);

/* "scheme://host[:port]" of the address, without path and credentials; owned, NULL on error. */
char *notify_origin(const NotifyTarget *target, Error *err);

bool notify_is_error(const json_t *event);
const char *notify_message(const json_t *event);
const char *notify_reason(const json_t *event);
const char *notify_severity(const json_t *event);
const char *notify_controller(const json_t *event);

/* A member of involvedObject, "" when absent. */
const char *notify_object(const json_t *event, const char *key);

/* The event is one step of a longer work, which some types do not tell. */
bool notify_is_progressing(const json_t *event);

/* Seconds since 1970 of the event; now when it has no readable timestamp. */
int64_t notify_seconds(const json_t *event);

/* The reason's words in lower case: "HealthCheckFailed" is "health check failed". Owned. */
char *notify_reason_words(const json_t *event);

/* The event as Markdown, for zulip and comments (notification.md 6 "Markdown"). Owned. */
char *notify_markdown(const json_t *event);

/* Metadata keys, sorted when `sorted`: an array of strings. Owned. */
json_t *notify_metadata_keys(const json_t *event, bool sorted);

/* A copy of the metadata; an empty object when there is none. Owned. */
json_t *notify_metadata_copy(const json_t *event);

/* Appends a line for each pair: `before`, the key, `between`, the value. */
void notify_metadata_lines(const json_t *event, const char *before, const char *between, Buf *out);

/* "kind/name" in lower case; owned. */
char *notify_kind_name(const json_t *event);

/* The token, else the password; NULL when neither is there. */
const char *notify_token_or_password(const NotifyTarget *target);

#endif
