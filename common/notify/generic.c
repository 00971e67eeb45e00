/* The event itself to any webhook, plain or signed (N37, N38). */
#include "notify/notify_internal.h"

#include "base/mem.h"
#include "data/digest.h"

bool notify_build_generic(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			  Error *err)
{
	if (!notify_set_json(target, event, out, err))
		return false;
	notify_add_header(out, "Gotk-Component", json_text_or(event, "reportingController", ""));
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)target->headers, name, value)
	{
		if (json_is_string(value))
			notify_add_header(out, name, json_string_value(value));
	}
	return true;
}

bool notify_build_generic_hmac(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			       Error *err)
{
	if (cstr_empty(target->token))
		return err_set(err, ERR_INVALID, "provider 'generic-hmac' needs a token");
	if (!notify_build_generic(target, event, out, err))
		return false;
	unsigned char raw[DIGEST_MAX_BYTES];
	char hex[2 * DIGEST_MAX_BYTES + 1];
	size_t len = digest_hmac(DIGEST_SHA256, target->token, strlen(target->token),
				 buf_text(&out->body), out->body.len, raw);
	hex_encode(raw, len, hex);
	autofree char *signature = mem_printf("sha256=%s", hex);
	notify_add_header(out, "X-Signature", signature);
	return true;
}
