/* Lark: an interactive card (N46). */
#include "notify/notify_internal.h"

#include "base/mem.h"

bool notify_build_lark(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
		       Error *err)
{
	bool bad = notify_is_error(event);
	autofree char *name = notify_object_name(event);
	autofree char *title = mem_printf("%s %s", bad ? "🚨" : "💫", name);
	autobuf Buf text = {0};
	buf_printf(&text, "**%s**\n\n", notify_message(event));
	notify_metadata_lines(event, "", ": ", &text);
	autojson json_t *body = json_pack(
		"{s:s,s:{s:{s:b},s:{s:{s:s,s:s},s:s},s:[{s:s,s:{s:s,s:s}}]}}", "msg_type",
		"interactive", "card", "config", "wide_screen_mode", 1, "header", "title", "tag",
		"plain_text", "content", title, "template", bad ? "red" : "turquoise", "elements",
		"tag", "div", "text", "tag", "lark_md", "content", buf_text(&text));
	return notify_set_json(target, body, out, err);
}
