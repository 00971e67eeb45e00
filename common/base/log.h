/*
 * Log lines: one JSON object a line with upstream's keys (`ts level logger msg error` and pairs of
 * the caller's). The message is constant text; what varies goes into pairs. Never put a secret in.
 *
 *	log_info(log, "artifact stored", "revision", revision, NULL);
 *
 * Thread-safe: a line is one write(2). A NULL log is silent.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/auto.h"
#include "base/error.h"

typedef enum { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_ERROR } LogLevel;
typedef enum { LOG_JSON, LOG_CONSOLE } LogEncoding;

typedef struct Log Log;

/* A log that writes to fd, owned by the caller. `logger` (copied) may be NULL. */
Log *log_new(int fd, LogLevel level, LogEncoding encoding, const char *logger);

/* A child with more pairs on each of its lines: key, value, ..., NULL, all copied. It borrows
 * nothing from the parent but its fd. Owned by the caller. */
Log *log_with(const Log *parent, ...) SENTINEL;
void log_free(Log *log);
AUTO_POINTER(Log, log_free, auto_log);
#define autolog __attribute__((cleanup(auto_log)))

bool log_level_parse(const char *text, LogLevel *out);
bool log_enabled(const Log *log, LogLevel level);

/* key, value, ..., NULL: C strings; a pair with a NULL value is left out. */
void log_debug(const Log *log, const char *msg, ...) SENTINEL;
void log_info(const Log *log, const char *msg, ...) SENTINEL;

/* cause may be NULL; its message goes under the key "error". */
void log_error(const Log *log, const Error *cause, const char *msg, ...) SENTINEL;

#endif
