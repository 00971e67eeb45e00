/* Matrix: a message into a room; the same event has the same transaction, so that a repeated
 * request is one message (N46, N48). */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"

bool notify_build_matrix(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			 Error *err)
{
	if (!notify_need(target, target->address, "address", err))
		return false;
	autofree char *name = notify_object_name(event);
	autobuf Buf text = {0};
	buf_printf(&text, "%s %s\n%s\n", notify_is_error(event) ? "🚨" : "💫", name,
		   notify_message(event));
	notify_metadata_lines(event, "- ", ": ", &text);
	autofree char *whole = json_dump_go(event);
	char transaction[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA1, whole, strlen(whole), transaction);
	char *url =
		mem_printf("%s/_matrix/client/r0/rooms/%s/send/m.room.message/%s", target->address,
			   target->channel ? target->channel : "", transaction);
	autojson json_t *body =
		json_pack("{s:s,s:s}", "body", buf_text(&text), "msgtype", "m.text");
	if (!notify_set_json_at(url, body, out, err))
		return false;
	out->method = "PUT";
	notify_add_auth(out, "Bearer", target->token ? target->token : "");
	return true;
}
