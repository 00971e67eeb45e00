/* Microsoft Teams: an Adaptive Card; for the hosts of old connectors a MessageCard (N43, N44). */
#include "notify/notify_internal.h"

#include "base/mem.h"
#include "net/url.h"

static json_t *message_card(const json_t *event, const char *name)
{
	json_t *facts = json_array();
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		json_array_append_new(facts, json_pack("{s:s,s:O}", "name", key, "value", value));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:[{s:s,s:s,s:o}]}", "@type", "MessageCard", "@context",
			 "http://schema.org/extensions", "themeColor",
			 notify_is_error(event) ? "FF0000" : "0076D7", "summary", name, "sections",
			 "activityTitle", notify_message(event), "activitySubtitle", name, "facts",
			 facts);
}

static void add_fact(json_t *facts, const json_t *event, const char *key)
{
	const char *value = json_text(json_map(event, "metadata"), key);
	if (value)
		json_array_append_new(facts, json_pack("{s:s,s:s}", "title", key, "value", value));
}

/* The summary first, the rest sorted. */
static json_t *fact_set(const json_t *event)
{
	json_t *facts = json_array();
	add_fact(facts, event, "summary");
	autojson json_t *keys = notify_metadata_keys(event, true);
	size_t i;
	json_t *key;
	json_array_foreach(keys, i, key)
	{
		if (!cstr_eq(json_string_value(key), "summary"))
			add_fact(facts, event, json_string_value(key));
	}
	json_t *set = json_pack("{s:s}", "type", "FactSet");
	if (json_array_size(facts))
		json_object_set(set, "facts", facts);
	json_decref(facts);
	return set;
}

static json_t *adaptive_card(const json_t *event, const char *name)
{
	json_t *title = json_pack("{s:s,s:s,s:s,s:s,s:b}", "type", "TextBlock", "text", name,
				  "size", "large", "weight", "bolder", "wrap", 1);
	json_t *text = json_pack("{s:s,s:b}", "type", "TextBlock", "wrap", 1);
	if (*notify_message(event))
		json_put_text(text, "text", notify_message(event));
	if (notify_is_error(event))
		json_put_text(text, "color", "attention");
	return json_pack("{s:s,s:[{s:s,s:{s:s,s:s,s:s,s:{s:s},s:[{s:s,s:[o,o,o]}]}}]}", "type",
			 "message", "attachments", "contentType",
			 "application/vnd.microsoft.card.adaptive", "content", "$schema",
			 "http://adaptivecards.io/schemas/adaptive-card.json", "type",
			 "AdaptiveCard", "version", "1.4", "msteams", "width", "Full", "body",
			 "type", "Container", "items", title, text, fact_set(event));
}

bool notify_build_msteams(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			  Error *err)
{
	autourl Url url = {0};
	if (!notify_need(target, target->address, "address", err) ||
	    !url_parse(target->address, &url, err))
		return false;
	autofree char *name = notify_object_name(event);
	autojson json_t *body = cstr_ends(url.host, ".webhook.office.com")
					? message_card(event, name)
					: adaptive_card(event, name);
	return notify_set_json(target, body, out, err);
}
