/* Google Chat: a card (N45). */
#include "notify/notify_internal.h"

#include "base/mem.h"

static json_t *metadata_section(const json_t *metadata)
{
	json_t *widgets = json_array();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(metadata), key, value)
	{
		json_array_append_new(widgets,
				      json_pack("{s:n,s:{s:s,s:O,s:b,s:n,s:n}}", "textParagraph",
						"keyValue", "topLabel", key, "content", value,
						"contentMultiline", 0, "bottomLabel", "icon"));
	}
	return json_pack("{s:s,s:o}", "header", "", "widgets", widgets);
}

static json_t *sections_of(const json_t *event)
{
	const char *format = notify_is_error(event) ? "<font color=\"#ff0000\">" : "";
	autofree char *text = mem_printf("%s%s%s", format, notify_message(event),
					 notify_is_error(event) ? "</font>" : "");
	json_t *sections = json_pack("[{s:s,s:[{s:{s:s},s:n}]}]", "header", "", "widgets",
				     "textParagraph", "text", text, "keyValue");
	const json_t *metadata = json_map(event, "metadata");
	if (json_object_size(metadata))
		json_array_append_new(sections, metadata_section(metadata));
	return sections;
}

bool notify_build_googlechat(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			     Error *err)
{
	autofree char *name = notify_object_name(event);
	autojson json_t *body = json_pack("{s:[{s:{s:s,s:s,s:n,s:n},s:o}]}", "cards", "header",
					  "title", name, "subtitle", notify_controller(event),
					  "imageUrl", "imageStyle", "sections", sections_of(event));
	return notify_set_json(target, body, out, err);
}
