#include "sign/armor.h"

#include "base/mem.h"
#include "data/base64.h"

enum { CHECKSUM = 5 /* "=" and four characters */ };

bool armor_is(Str text, const char *label)
{
	autofree char *begin = mem_printf("-----BEGIN %s-----", label);
	return str_starts(str_trim(text), str_of(begin));
}

/* Moves *text behind the line that is `want`; false when there is none. */
static bool skip_to(Str *text, const char *want)
{
	Str rest = *text, line;
	while (str_next(&rest, '\n', &line)) {
		if (!str_eq(str_trim(line), str_of(want)))
			continue;
		*text = rest;
		return true;
	}
	return false;
}

bool armor_decode(Str *text, const char *label, Buf *out, Error *err)
{
	autofree char *begin = mem_printf("-----BEGIN %s-----", label);
	autofree char *end = mem_printf("-----END %s-----", label);
	Str rest = *text, line;
	if (!skip_to(&rest, begin))
		return err_set(err, ERR_NOT_FOUND, "no armored %s", label);
	autobuf Buf encoded = {0}, decoded = {0};
	bool ended = false;
	while (!ended && str_next(&rest, '\n', &line)) {
		line = str_trim(line);
		ended = str_eq(line, str_of(end));
		bool is_header = str_find_char(line, ':') >= 0;
		bool is_checksum = line.len == CHECKSUM && line.ptr[0] == '=';
		if (!ended && !is_header && !is_checksum)
			buf_add(&encoded, line);
	}
	if (!ended)
		return err_set(err, ERR_INVALID, "armored %s without an end", label);
	if (!base64_decode(buf_text(&encoded), encoded.len, &decoded, err))
		return err_wrap(err, "armored %s", label);
	buf_add(out, buf_str(&decoded));
	*text = rest;
	return true;
}
