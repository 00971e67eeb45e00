/* Webex: Markdown into a room (N46). */
#include "notify/notify_internal.h"

#include "base/mem.h"

bool notify_build_webex(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			Error *err)
{
	autofree char *name = notify_object_name(event);
	autobuf Buf text = {0};
	buf_printf(&text, "%s **%s**\n%s\n", notify_is_error(event) ? "💣" : "✅", name,
		   notify_message(event));
	notify_metadata_lines(event, ">**", "**: ", &text);
	autojson json_t *body = json_pack("{s:s}", "markdown", buf_text(&text));
	if (body && !cstr_empty(target->channel))
		json_put_text(body, "roomId", target->channel);
	if (!notify_set_json(target, body, out, err))
		return false;
	notify_add_auth(out, "Bearer", target->token ? target->token : "");
	return true;
}
