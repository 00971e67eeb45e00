/* The table of types, and what senders share. */
#include "notify/notify_internal.h"

#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "net/url.h"

/* One row a type. */
static const struct {
	const char *type;
	NotifyBuildFn *build;
	unsigned traits;
} senders[] = {
	{"alertmanager", notify_build_alertmanager, 0},
	{"azuredevops", notify_build_azuredevops, NOTIFY_COMMIT_STATUS},
	{"azureeventhub", notify_build_azureeventhub, 0},
	{"bitbucket", notify_build_bitbucket, NOTIFY_COMMIT_STATUS},
	{"bitbucketserver", notify_build_bitbucketserver, NOTIFY_COMMIT_STATUS},
	{"datadog", notify_build_datadog, 0},
	{"discord", notify_build_discord, 0},
	{"generic", notify_build_generic, NOTIFY_GENERIC},
	{"generic-hmac", notify_build_generic_hmac, NOTIFY_GENERIC},
	{"gitea", notify_build_gitea, NOTIFY_COMMIT_STATUS},
	{"giteapullrequestcomment", notify_build_giteapullrequestcomment, NOTIFY_COMMENT},
	{"github", notify_build_github, NOTIFY_COMMIT_STATUS},
	{"githubdispatch", notify_build_githubdispatch, 0},
	{"githubpullrequestcomment", notify_build_githubpullrequestcomment, NOTIFY_COMMENT},
	{"gitlab", notify_build_gitlab, NOTIFY_COMMIT_STATUS},
	{"gitlabmergerequestcomment", notify_build_gitlabmergerequestcomment, NOTIFY_COMMENT},
	{"googlechat", notify_build_googlechat, 0},
	{"googlepubsub", notify_build_googlepubsub, 0},
	{"grafana", notify_build_grafana, 0},
	{"incident.io", notify_build_incidentio, 0},
	{"lark", notify_build_lark, 0},
	{"matrix", notify_build_matrix, 0},
	{"msteams", notify_build_msteams, 0},
	{"nats", notify_build_nats, 0},
	{"opsgenie", notify_build_opsgenie, 0},
	{"otel", notify_build_otel, 0},
	{"pagerduty", notify_build_pagerduty, 0},
	{"rocket", notify_build_rocket, 0},
	{"sentry", notify_build_sentry, 0},
	{"slack", notify_build_slack, 0},
	{"telegram", notify_build_telegram, 0},
	{"webex", notify_build_webex, 0},
	{"zoom", notify_build_zoom, 0},
	{"zulip", notify_build_zulip, 0},
};

void notify_request_dispose(NotifyRequest *request)
{
	free(request->url);
	/* Headers and, for some, the body hold credentials. */
	for (size_t i = 0; i < request->headers.len; i++)
		mem_wipe(request->headers.items[i], strlen(request->headers.items[i]));
	vec_dispose_strings(&request->headers);
	if (request->body.ptr)
		mem_wipe(request->body.ptr, request->body.len);
	buf_dispose(&request->body);
	if (request->state)
		request->free_state(request->state);
	*request = (NotifyRequest){0};
}

unsigned notify_traits(const char *type)
{
	for (size_t i = 0; i < COUNT(senders); i++)
		if (cstr_eq(senders[i].type, type))
			return senders[i].traits | NOTIFY_KNOWN;
	return 0;
}

bool notify_build(const NotifyTarget *target, const json_t *event, NotifyRequest *out, Error *err)
{
	for (size_t i = 0; i < COUNT(senders); i++)
		if (cstr_eq(senders[i].type, target->type))
			return senders[i].build(target, event, out, err);
	return err_set(err, ERR_UNSUPPORTED, "provider type '%s' is not supported by this version",
		       target->type);
}

void notify_add_header(NotifyRequest *out, const char *name, const char *value)
{
	vec_push(&out->headers, mem_printf("%s: %.*s", name, (int)strcspn(value, "\r\n"), value));
}

void notify_add_auth(NotifyRequest *out, const char *scheme, const char *value)
{
	autofree char *text = mem_printf("%s %s", scheme, value);
	notify_add_header(out, "Authorization", text);
	mem_wipe(text, strlen(text));
}

void notify_add_basic(NotifyRequest *out, const char *user, const char *password)
{
	autofree char *pair = mem_printf("%s:%s", user, password);
	autofree char *encoded = base64_encode(pair, strlen(pair));
	notify_add_auth(out, "Basic", encoded);
	mem_wipe(pair, strlen(pair));
}

bool notify_set_json_at(char *take_url, const json_t *body, NotifyRequest *out, Error *err)
{
	out->url = take_url;
	if (!body)
		return err_set(err, ERR_INVALID, "the event's text is not UTF-8");
	autofree char *text = json_dump_go(body);
	buf_puts(&out->body, text);
	notify_add_header(out, "Content-Type", "application/json");
	return true;
}

bool notify_set_json(const NotifyTarget *target, const json_t *body, NotifyRequest *out, Error *err)
{
	return notify_need(target, target->address, "address", err) &&
	       notify_set_json_at(mem_strdup(target->address), body, out, err);
}

bool notify_need(const NotifyTarget *target, const char *text, const char *what, Error *err)
{
	if (!cstr_empty(text))
		return true;
	return err_set(err, ERR_INVALID, "provider '%s' needs %s %s", target->type,
		       strchr("aeiou", what[0]) ? "an" : "a", what);
}

char *notify_origin(const NotifyTarget *target, Error *err)
{
	autourl Url url = {0};
	if (!notify_need(target, target->address, "address", err) ||
	    !url_parse(target->address, &url, err))
		return NULL;
	bool bare6 = strchr(url.host, ':') != NULL;
	Buf out = {0};
	buf_printf(&out, bare6 ? "%s://[%s]" : "%s://%s", url.scheme, url.host);
	if (url.port)
		buf_printf(&out, ":%d", url.port);
	return buf_steal(&out);
}

bool notify_is_error(const json_t *event)
{
	return cstr_eq(json_text(event, "severity"), "error");
}

const char *notify_message(const json_t *event)
{
	return json_text_or(event, "message", "");
}

const char *notify_reason(const json_t *event)
{
	return json_text_or(event, "reason", "");
}

const char *notify_severity(const json_t *event)
{
	return json_text_or(event, "severity", "");
}

const char *notify_controller(const json_t *event)
{
	return json_text_or(event, "reportingController", "");
}

const char *notify_object(const json_t *event, const char *key)
{
	return json_text_or(json_map(event, "involvedObject"), key, "");
}

bool notify_is_progressing(const json_t *event)
{
	return cstr_eq(notify_reason(event), "Progressing");
}

int64_t notify_seconds(const json_t *event)
{
	int64_t ms;
	if (!clock_parse(json_text_or(event, "timestamp", ""), &ms))
		ms = clock_wall_ms();
	return ms / 1000;
}

char *notify_object_name(const json_t *event)
{
	char *text = mem_printf("%s/%s.%s", notify_object(event, "kind"),
				notify_object(event, "name"), notify_object(event, "namespace"));
	for (char *c = text; *c && *c != '/'; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

typedef enum { LOWER = 1, UPPER, DIGIT, OTHER } CharClass;

static CharClass class_of(char c)
{
	unsigned char byte = (unsigned char)c;
	if (islower(byte))
		return LOWER;
	if (isupper(byte))
		return UPPER;
	return isdigit(byte) ? DIGIT : OTHER;
}

/* A word starts where the class of character changes; of "HTTPError" the E belongs to the word
 * behind it. */
char *notify_reason_words(const json_t *event)
{
	const char *text = notify_reason(event);
	Buf out = {0};
	for (size_t i = 0; text[i]; i++) {
		CharClass here = class_of(text[i]);
		CharClass before = i ? class_of(text[i - 1]) : here;
		bool starts = i && here != before && !(before == UPPER && here == LOWER);
		bool last_upper = i && here == UPPER && before == UPPER &&
				  class_of(text[i + 1]) == LOWER && text[i + 1];
		if (starts || last_upper)
			buf_putc(&out, ' ');
		buf_putc(&out, (char)tolower((unsigned char)text[i]));
	}
	return buf_steal(&out);
}

json_t *notify_metadata_keys(const json_t *event, bool sorted)
{
	autovec Vec keys = {0};
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		(void)value;
		vec_push(&keys, (void *)(uintptr_t)key);
	}
	if (sorted)
		vec_sort(&keys, vec_compare_strings);
	json_t *out = json_array();
	for (size_t i = 0; i < keys.len; i++)
		json_array_append_new(out, json_string(keys.items[i]));
	return out;
}

char *notify_markdown(const json_t *event)
{
	Buf out = {0};
	buf_printf(&out, "## Flux Status\n\n%s %s/%s/%s\n\n%s\n\nMetadata:\n",
		   notify_is_error(event) ? "⚠️" : "ℹ️", notify_object(event, "kind"),
		   notify_object(event, "namespace"), notify_object(event, "name"),
		   notify_message(event));
	autojson json_t *keys = notify_metadata_keys(event, true);
	size_t i;
	json_t *item;
	json_array_foreach(keys, i, item)
	{
		const char *key = json_string_value(item);
		if (!cstr_eq(key, "change_request"))
			buf_printf(&out, "* `%s`: %s\n", key,
				   json_text_or(json_map(event, "metadata"), key, ""));
	}
	return buf_steal(&out);
}

json_t *notify_metadata_copy(const json_t *event)
{
	const json_t *metadata = json_map(event, "metadata");
	return metadata ? json_deep_copy(metadata) : json_object();
}

char *notify_kind_name(const json_t *event)
{
	char *text =
		mem_printf("%s/%s", notify_object(event, "kind"), notify_object(event, "name"));
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}

const char *notify_token_or_password(const NotifyTarget *target)
{
	return cstr_empty(target->token) ? target->secret_password : target->token;
}

void notify_metadata_lines(const json_t *event, const char *before, const char *between, Buf *out)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		buf_printf(out, "%s%s%s%s\n", before, key, between,
			   json_string_value(value) ? json_string_value(value) : "");
	}
}
