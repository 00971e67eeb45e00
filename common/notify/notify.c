#include "notify/notify_internal.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

static const struct {
	const char *type;
	NotifyBuildFn *build;
} senders[] = {
	{"slack", notify_build_slack},
	{"grafana", notify_build_grafana},
	{"generic", notify_build_generic},
	{"generic-hmac", notify_build_generic_hmac},
};

void notify_request_dispose(NotifyRequest *request)
{
	free(request->url);
	vec_dispose_strings(&request->headers);
	buf_dispose(&request->body);
	*request = (NotifyRequest){0};
}

bool notify_supports(const char *type)
{
	for (size_t i = 0; i < COUNT(senders); i++)
		if (cstr_eq(senders[i].type, type))
			return true;
	return false;
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

bool notify_set_json(const NotifyTarget *target, const json_t *body, NotifyRequest *out, Error *err)
{
	if (cstr_empty(target->address))
		return err_set(err, ERR_INVALID, "provider '%s' has no address", target->type);
	out->url = mem_strdup(target->address);
	autofree char *text = json_dump_go(body);
	buf_puts(&out->body, text);
	notify_add_header(out, "Content-Type", "application/json");
	return true;
}

bool notify_is_error(const json_t *event)
{
	return cstr_eq(json_text(event, "severity"), "error");
}

const char *notify_message(const json_t *event)
{
	return json_text_or(event, "message", "");
}

char *notify_object_name(const json_t *event)
{
	const json_t *object = json_map(event, "involvedObject");
	char *text =
		mem_printf("%s/%s.%s", json_text_or(object, "kind", ""),
			   json_text_or(object, "name", ""), json_text_or(object, "namespace", ""));
	for (char *c = text; *c && *c != '/'; c++)
		*c = (char)tolower((unsigned char)*c);
	return text;
}
