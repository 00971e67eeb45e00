/* The last lines of what an action did, for the events of its failure (H94). */
#include "action_internal.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/clock.h"
#include "base/mem.h"
#include "helm/release_build.h"

enum { LINE_MAX_BYTES = 4096 };

static LogLine *newest(LogRing *ring)
{
	return ring->count ? &ring->lines[(ring->count - 1) % LOG_LINES] : NULL;
}

void action_note(Action *action, const char *format, ...)
{
	LogRing *ring = &action->log;
	autobuf Buf text = {0};
	va_list args;
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	int64_t now = clock_wall_ns();
	LogLine *last = newest(ring);
	size_t len = text.len < LINE_MAX_BYTES ? text.len : LINE_MAX_BYTES;
	autofree char *line = mem_strndup(buf_text(&text), len);
	if (last && cstr_eq(last->text, line)) {
		last->repeats++;
		last->last_ns = now;
		return;
	}
	LogLine *slot = &ring->lines[ring->count++ % LOG_LINES];
	free(slot->text);
	*slot = (LogLine){.first_ns = now, .text = steal(&line)};
}

void log_ring_dispose(LogRing *ring)
{
	for (size_t i = 0; i < LOG_LINES; i++)
		free(ring->lines[i].text);
}

static void put_line(Buf *out, int64_t at_ns, const char *text)
{
	char stamp[CLOCK_TEXT_SIZE];
	helm_time_text(at_ns, stamp);
	buf_printf(out, "%s%s: %s", out->len ? "\n" : "", stamp, text);
}

char *action_log(const Action *action)
{
	const LogRing *ring = &action->log;
	autobuf Buf out = {0};
	size_t from = ring->count > LOG_LINES ? ring->count - LOG_LINES : 0;
	for (size_t i = from; i < ring->count; i++) {
		const LogLine *line = &ring->lines[i % LOG_LINES];
		put_line(&out, line->first_ns, line->text);
		if (line->repeats > 0)
			put_line(&out, line->last_ns, line->text);
		if (line->repeats > 1)
			buf_printf(&out, " (%" PRId64 " duplicate line%s omitted)",
				   line->repeats - 1, line->repeats > 2 ? "s" : "");
	}
	return buf_steal(&out);
}
