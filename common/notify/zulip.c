/* Zulip: Markdown into a stream's topic, as a form (N58). */
#include "notify/notify_internal.h"

#include "base/mem.h"
#include "net/url.h"

static void add_field(Buf *out, const char *name, const char *value)
{
	autofree char *escaped = url_escape(value, false);
	buf_printf(out, "%s%s=%s", out->len ? "&" : "", name, escaped);
}

bool notify_build_zulip(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			Error *err)
{
	Str channel, topic;
	if (!notify_need(target, target->channel, "channel", err))
		return false;
	if (!str_cut(str_of(target->channel), '/', &channel, &topic) || !channel.len || !topic.len)
		return err_set(err, ERR_INVALID, "the channel must be <channel>/<topic>");
	autofree char *origin = notify_origin(target, err);
	if (!origin)
		return false;
	autofree char *to = str_dup(channel);
	autofree char *content = notify_markdown(event);
	add_field(&out->body, "type", "stream");
	add_field(&out->body, "to", to);
	add_field(&out->body, "topic", topic.ptr);
	add_field(&out->body, "content", content);
	out->url = mem_printf("%s/api/v1/messages", origin);
	notify_add_header(out, "Content-Type", "application/x-www-form-urlencoded");
	if (!cstr_empty(target->username) || !cstr_empty(target->secret_password))
		notify_add_basic(out, target->username ? target->username : "",
				 target->secret_password ? target->secret_password : "");
	return true;
}
