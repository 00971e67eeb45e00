/* Storage's own signature ("Authorize with Shared Key", Blob service, versions from 2015-02-21). */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "cloud/azure.h"
#include "cloud/token.h"
#include "data/base64.h"
#include "data/digest.h"
#include "net/url.h"

/* The value of a header line of that name, any case; empty when there is none. */
static Str header_value(const char *const *headers, const char *wanted)
{
	Str name, value;
	for (; headers && *headers; headers++) {
		str_cut(str_of(*headers), ':', &name, &value);
		if (name.len == strlen(wanted) && strncasecmp(name.ptr, wanted, name.len) == 0)
			return str_trim(value);
	}
	return STR("");
}

static char *lower(Str text)
{
	char *copy = str_dup(text);
	for (char *at = copy; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

/* Sorts owned lines and appends them; each is behind `before` and in front of `after`. */
static void add_sorted(Vec *lines, const char *before, const char *after, Buf *out)
{
	vec_sort(lines, vec_compare_strings);
	for (size_t i = 0; i < lines->len; i++)
		buf_printf(out, "%s%s%s", before, (const char *)lines->items[i], after);
}

static void add_headers(const char *const *headers, Buf *out)
{
	autostrings Vec lines = {0};
	for (; headers && *headers; headers++) {
		Str name, value;
		str_cut(str_of(*headers), ':', &name, &value);
		autofree char *small = lower(str_trim(name));
		value = str_trim(value);
		if (cstr_starts(small, "x-ms-"))
			vec_push(&lines, mem_printf("%s:%.*s", small, (int)value.len, value.ptr));
	}
	add_sorted(&lines, "", "\n", out);
}

static char *decoded(Str text)
{
	autofree char *raw = str_dup(text);
	char *plain = url_unescape(raw, false);
	return plain ? plain : steal(&raw);
}

static void add_query(const char *query, Buf *out)
{
	autostrings Vec lines = {0};
	Str rest = str_of(query), pair, name, value;
	while (str_next(&rest, '&', &pair)) {
		str_cut(pair, '=', &name, &value);
		autofree char *plain_name = decoded(name), *plain_value = decoded(value);
		autofree char *small = lower(str_of(plain_name));
		vec_push(&lines, mem_printf("%s:%s", small, plain_value));
	}
	add_sorted(&lines, "\n", "", out);
}

static char *signed_text(const char *account, const char *method, const Url *url,
			 const char *const *headers)
{
	static const char *const names[] = {"Content-Encoding",
					    "Content-Language",
					    "Content-Length",
					    "Content-MD5",
					    "Content-Type",
					    "Date",
					    "If-Modified-Since",
					    "If-Match",
					    "If-None-Match",
					    "If-Unmodified-Since",
					    "Range"};
	Buf text = {0};
	buf_printf(&text, "%s\n", method);
	for (size_t i = 0; i < COUNT(names); i++) {
		buf_add(&text, header_value(headers, names[i]));
		buf_putc(&text, '\n');
	}
	add_headers(headers, &text);
	buf_printf(&text, "/%s%s", account, *url->path ? url->path : "/");
	add_query(url->query, &text);
	return buf_steal(&text);
}

char *azure_shared_key(const char *account, const char *key_base64, const char *method,
		       const char *url_text, const char *const *headers, Error *err)
{
	autourl Url url = {0};
	autobuf Buf key = {0};
	autoerror Error why = {0};
	if (!url_parse(url_text, &url, err))
		return NULL;
	if (!base64_decode(key_base64, strlen(key_base64), &key, &why))
		return err_null(err, ERR_INVALID, "the account key is not base64");
	autofree char *text = signed_text(account, method, &url, headers);
	unsigned char mac[DIGEST_MAX_BYTES];
	size_t len = digest_hmac(DIGEST_SHA256, buf_text(&key), key.len, text, strlen(text), mac);
	buf_wipe(&key);
	autofree char *signature = base64_encode(mac, len);
	return mem_printf("SharedKey %s:%s", account, signature);
}
