/* Telegram: the bot's sendMessage; the Provider's address does not count (N46, N47). */
#include "notify/notify_internal.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

/* What MarkdownV2 wants escaped. */
static void put_escaped(Buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\.-_[]()~>`#+=|{}!*", *text))
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
}

static char *message_of(const json_t *event)
{
	Buf out = {0};
	autofree char *kind = mem_strdup(notify_object(event, "kind"));
	for (char *c = kind; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	autofree char *heading =
		mem_printf("%s %s/%s/%s", notify_is_error(event) ? "🚨" : "💫", kind,
			   notify_object(event, "name"), notify_object(event, "namespace"));
	buf_putc(&out, '*');
	put_escaped(&out, heading);
	buf_puts(&out, "*\n");
	put_escaped(&out, notify_message(event));
	buf_putc(&out, '\n');
	const char *key;
	json_t *value;
	json_object_foreach(json_map(event, "metadata"), key, value)
	{
		buf_puts(&out, "\\- *");
		put_escaped(&out, key);
		buf_puts(&out, "*: ");
		put_escaped(&out, json_string_value(value) ? json_string_value(value) : "");
		buf_putc(&out, '\n');
	}
	return buf_steal(&out);
}

bool notify_build_telegram(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			   Error *err)
{
	if (!notify_need(target, target->channel, "channel", err) ||
	    !notify_need(target, target->token, "token", err))
		return false;
	Str chat, thread;
	bool has_thread = str_cut(str_of(target->channel), ':', &chat, &thread);
	autofree char *text = message_of(event);
	autofree char *chat_id = str_dup(chat);
	autojson json_t *body = json_pack("{s:s,s:s,s:s}", "chat_id", chat_id, "text", text,
					  "parse_mode", "MarkdownV2");
	if (body && has_thread && thread.len)
		json_put_text(body, "message_thread_id", thread.ptr);
	char *url = mem_printf("https://api.telegram.org/bot%s/sendMessage", target->token);
	return notify_set_json_at(url, body, out, err);
}
