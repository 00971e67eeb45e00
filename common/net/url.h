/* URLs (RFC 3986) in parts, and what must not be shown of them. */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>

#include "base/error.h"

typedef struct {
	char *scheme;	/* lower case */
	char *user;	/* decoded; NULL when absent */
	char *password; /* decoded; NULL when absent */
	char *host;	/* without brackets */
	int port;	/* 0 when absent */
	char *path;	/* as written, "" when absent */
	char *query;	/* as written without "?", NULL when absent */
} Url;

/* ERR_INVALID, with the text redacted. */
bool url_parse(const char *text, Url *out, Error *err) MUST_USE;
void url_dispose(Url *url);
#define autourl __attribute__((cleanup(url_dispose)))

/* The text again, without user and password when `redact`. Owned. */
char *url_text(const Url *url, bool redact);

/* The absolute URL that `location` means seen from `base`. ERR_INVALID. Owned. */
char *url_resolve(const char *base, const char *location, Error *err) MUST_USE;

/* True when scheme, host and port are the same. */
bool url_same_origin(const char *a, const char *b);
bool url_is_same_origin(const Url *a, const Url *b);

/* The port, or that of the scheme: 443 for https, else 80. */
int url_port(const Url *url);

/* For messages: the text without userinfo and without the query's values. Owned; never fails. */
char *url_redacted(const char *text);

/* Percent-encodes all but unreserved characters (and "/" when keep_slash). Owned. */
char *url_escape(const char *text, bool keep_slash);

/* Percent-decodes; "+" is a blank when `form`. NULL for a bad escape or a NUL. Owned. */
char *url_unescape(const char *text, bool form);

#endif
