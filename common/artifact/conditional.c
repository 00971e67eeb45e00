/*
 * A file of the storage gets its name when it is whole, and another file takes its place: inode,
 * size and time tell them apart. In the order of RFC 9110 13.2.2.
 */
#include "artifact/conditional.h"

#include <curl/curl.h>
#include <time.h>

#include "base/mem.h"

/* Whether a list of entity tags names ours; "*" names any. W/ counts only in a weak comparison. */
static bool names_tag(const char *list, const char *tag, bool weak)
{
	Str rest = str_of(list), item;
	while (str_next(&rest, ',', &item)) {
		item = str_trim(item);
		if (weak && str_starts(item, STR("W/")))
			item = str_slice(item, 2, item.len);
		if (str_eq(item, STR("*")) || str_eq(item, str_of(tag)))
			return true;
	}
	return false;
}

/* True when the date is one, and the file has not changed since. */
static bool unchanged_since(const char *date, const struct stat *st)
{
	time_t then = date ? curl_getdate(date, NULL) : -1;
	return then >= 0 && st->st_mtim.tv_sec <= then;
}

static bool is_stale(const HttpdRequest *request, const char *tag, const struct stat *st)
{
	const char *match = httpd_header(request, "If-Match");
	const char *since = httpd_header(request, "If-Unmodified-Since");
	if (match)
		return !names_tag(match, tag, false);
	return since && curl_getdate(since, NULL) >= 0 && !unchanged_since(since, st);
}

static bool is_known(const HttpdRequest *request, const char *tag, const struct stat *st)
{
	const char *match = httpd_header(request, "If-None-Match");
	if (match)
		return names_tag(match, tag, true);
	return unchanged_since(httpd_header(request, "If-Modified-Since"), st);
}

bool conditional_answered(HttpdRequest *request, const struct stat *st)
{
	char date[40];
	struct tm tm;
	gmtime_r(&st->st_mtim.tv_sec, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	autofree char *tag =
		mem_printf("\"%llx-%llx-%llx%08lx\"", (unsigned long long)st->st_ino,
			   (unsigned long long)st->st_size, (unsigned long long)st->st_mtim.tv_sec,
			   st->st_mtim.tv_nsec);
	httpd_set_header(request, "ETag", tag);
	httpd_set_header(request, "Last-Modified", date);
	bool stale = is_stale(request, tag, st);
	if (!stale && !is_known(request, tag, st))
		return false;
	httpd_reply(request, stale ? 412 : 304, NULL, "", 0);
	return true;
}
