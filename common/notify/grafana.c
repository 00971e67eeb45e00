/* Grafana annotations (N51). */
#include "notify/notify_internal.h"

#include "base/mem.h"

static void add_tag(json_t *tags, const char *key, const char *value)
{
	/* ":" separates key and value of a tag, so it may not stand in either. */
	autofree char *clean_key = mem_strdup(key), *clean = mem_strdup(value);
	for (char *c = clean_key; *c; c++)
		if (*c == ':')
			*c = '|';
	for (char *c = clean; *c; c++)
		if (*c == ':')
			*c = '|';
	autofree char *tag = mem_printf("%s: %s", clean_key, clean);
	json_array_append_new(tags, json_string(tag));
}

static json_t *tags_of(const json_t *event)
{
	static const char *const parts[] = {"kind", "name", "namespace"};
	const json_t *object = json_map(event, "involvedObject");
	json_t *tags = json_array();
	json_array_append_new(tags, json_string("flux"));
	json_array_append_new(tags, json_string(json_text_or(event, "reportingController", "")));
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		add_tag(tags, key, json_string_value(value) ? json_string_value(value) : "");
	}
	for (size_t i = 0; i < COUNT(parts); i++)
		add_tag(tags, parts[i], json_text_or(object, parts[i], ""));
	return tags;
}

static void add_credentials(const NotifyTarget *target, NotifyRequest *out)
{
	if (!cstr_empty(target->token))
		notify_add_auth(out, "Bearer", target->token);
	else if (target->secret_username && target->secret_password)
		notify_add_basic(out, target->secret_username, target->secret_password);
}

bool notify_build_grafana(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			  Error *err)
{
	autofree char *name = notify_object_name(event);
	autojson json_t *body =
		json_pack("{s:I,s:s,s:o}", "when", (json_int_t)notify_seconds(event), "text", name,
			  "tags", tags_of(event));
	if (!notify_set_json(target, body, out, err))
		return false;
	add_credentials(target, out);
	return true;
}
