/* Zoom Team Chat: an incoming webhook's full format; the token stands bare in its header (N59). */
#include "notify/notify_internal.h"

#include "base/mem.h"
#include "net/url.h"

/* The query with a format; NULL when it has one. An empty one is none, and goes. Owned. */
static char *with_format(const char *query)
{
	Str rest = str_of(query), piece, key, value;
	autobuf Buf out = {0};
	while (str_next(&rest, '&', &piece)) {
		str_cut(piece, '=', &key, &value);
		bool is_format = str_eq(key, STR("format"));
		if (is_format && value.len)
			return NULL;
		if (piece.len && !is_format)
			buf_printf(&out, "%.*s&", (int)piece.len, piece.ptr);
	}
	buf_puts(&out, "format=full");
	return buf_steal(&out);
}

static char *full_address(const NotifyTarget *target, Error *err)
{
	autourl Url url = {0};
	if (!notify_need(target, target->address, "address", err) ||
	    !url_parse(target->address, &url, err))
		return NULL;
	char *query = with_format(url.query);
	if (!query)
		return mem_strdup(target->address);
	free(url.query);
	url.query = query;
	return url_text(&url, false);
}

bool notify_build_zoom(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
		       Error *err)
{
	if (!notify_need(target, target->token, "token", err))
		return false;
	char *url = full_address(target, err);
	if (!url)
		return false;
	autofree char *name = notify_object_name(event);
	json_t *items = json_array();
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		json_array_append_new(items, json_pack("{s:s,s:O}", "key", key, "value", value));
	}
	autojson json_t *body =
		json_pack("{s:{s:{s:s,s:{s:s}},s:[{s:s}]}}", "content", "head", "text", name,
			  "sub_head", "text", notify_severity(event), "body", "type", "message");
	json_t *parts = json_at(body, "content", "body", NULL);
	if (*notify_message(event))
		json_put_text(json_array_get(parts, 0), "text", notify_message(event));
	if (json_array_size(items))
		json_array_append_new(parts,
				      json_pack("{s:s,s:O}", "type", "fields", "items", items));
	json_decref(items);
	if (!notify_set_json_at(url, body, out, err))
		return false;
	notify_add_header(out, "Authorization", target->token);
	return true;
}
