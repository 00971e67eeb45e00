#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

struct Log {
	int fd;
	LogLevel level;
	LogEncoding encoding;
	char *logger;
	Buf pairs; /* already encoded, each with what separates it from the one before */
};

static const char *const level_names[] = {"trace", "debug", "info", "error"};

bool log_level_parse(const char *text, LogLevel *out)
{
	for (size_t i = 0; i < COUNT(level_names); i++) {
		if (cstr_eq(text, level_names[i])) {
			*out = (LogLevel)i;
			return true;
		}
	}
	return false;
}

/* A JSON string (RFC 8259 section 7). Bytes that are not UTF-8 pass: a log reader copes, and a
 * lost line would be worse. */
static void put_string(Buf *out, const char *text)
{
	buf_putc(out, '"');
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			buf_printf(out, "\\%c", *c);
		else if (*c == '\n')
			buf_puts(out, "\\n");
		else if (*c < 0x20)
			buf_printf(out, "\\u%04x", *c);
		else
			buf_putc(out, (char)*c);
	}
	buf_putc(out, '"');
}

static void put_pair(Buf *out, LogEncoding encoding, const char *key, const char *value)
{
	if (encoding == LOG_JSON) {
		buf_putc(out, ',');
		put_string(out, key);
		buf_putc(out, ':');
		put_string(out, value);
	} else {
		buf_printf(out, " %s=", key);
		put_string(out, value);
	}
}

static void put_pairs(Buf *out, LogEncoding encoding, va_list args)
{
	for (const char *key; (key = va_arg(args, const char *));) {
		const char *value = va_arg(args, const char *);
		if (value)
			put_pair(out, encoding, key, value);
	}
}

Log *log_new(int fd, LogLevel level, LogEncoding encoding, const char *logger)
{
	Log *log = mem_zalloc(1, sizeof(*log));
	log->fd = fd;
	log->level = level;
	log->encoding = encoding;
	log->logger = mem_strdup(logger);
	return log;
}

Log *log_with(const Log *parent, ...)
{
	if (!parent)
		return NULL;
	Log *log = log_new(parent->fd, parent->level, parent->encoding, parent->logger);
	buf_add(&log->pairs, buf_str(&parent->pairs));
	va_list args;
	va_start(args, parent);
	put_pairs(&log->pairs, log->encoding, args);
	va_end(args);
	return log;
}

void log_free(Log *log)
{
	if (!log)
		return;
	free(log->logger);
	buf_dispose(&log->pairs);
	free(log);
}

bool log_enabled(const Log *log, LogLevel level)
{
	return log && level >= log->level;
}

static void put_head(Buf *line, const Log *log, LogLevel level, const char *msg)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format_ms(clock_wall_ms(), now);
	if (log->encoding == LOG_CONSOLE) {
		buf_printf(line, "%s\t%s\t%s", now, level_names[level], msg);
		return;
	}
	buf_printf(line, "{\"level\":\"%s\",\"ts\":\"%s\"", level_names[level], now);
	if (log->logger)
		put_pair(line, LOG_JSON, "logger", log->logger);
	put_pair(line, LOG_JSON, "msg", msg);
}

static void write_line(const Log *log, LogLevel level, const Error *cause, const char *msg,
		       va_list args)
{
	if (!log_enabled(log, level))
		return;
	autobuf Buf line = {0};
	put_head(&line, log, level, msg);
	buf_add(&line, buf_str(&log->pairs));
	put_pairs(&line, log->encoding, args);
	if (cause)
		put_pair(&line, log->encoding, "error", err_text(cause));
	buf_puts(&line, log->encoding == LOG_JSON ? "}\n" : "\n");
	ssize_t written = write(log->fd, line.ptr, line.len);
	(void)written; /* there is nobody left to tell */
}

void log_debug(const Log *log, const char *msg, ...)
{
	va_list args;
	va_start(args, msg);
	write_line(log, LOG_DEBUG, NULL, msg, args);
	va_end(args);
}

void log_info(const Log *log, const char *msg, ...)
{
	va_list args;
	va_start(args, msg);
	write_line(log, LOG_INFO, NULL, msg, args);
	va_end(args);
}

void log_error(const Log *log, const Error *cause, const char *msg, ...)
{
	va_list args;
	va_start(args, msg);
	write_line(log, LOG_ERROR, cause, msg, args);
	va_end(args);
}
