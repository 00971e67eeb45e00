/* authorized_keys (sshd(8)): "[options] type base64 [comment]". Options are of no use here. */
#include "sign/ssh_key.h"

#include "data/base64.h"

enum { MAX_FILE_BYTES = 4 << 20 };

/* The next field; blanks in double quotes are part of it. */
static Str take_field(Str *rest)
{
	*rest = str_trim(*rest);
	bool quoted = false;
	size_t end = 0;
	for (; end < rest->len; end++) {
		char c = rest->ptr[end];
		if (c == '"' && (end == 0 || rest->ptr[end - 1] != '\\'))
			quoted = !quoted;
		if (!quoted && (c == ' ' || c == '\t'))
			break;
	}
	Str field = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end, rest->len);
	return field;
}

/* Fills *blob when `type` names what the base64 text holds. */
static bool decode_blob(Str type, Str text, Buf *blob)
{
	autoerror Error ignored = {0};
	Str rest, name;
	if (!text.len || !base64_decode(text.ptr, text.len, blob, &ignored))
		return false;
	rest = buf_str(blob);
	return ssh_take_string(&rest, &name) && str_eq(name, type);
}

/* The key of a line: it may stand behind options. */
static bool parse_line(Str line, Buf *blob, Str *type)
{
	Str rest = line;
	*type = take_field(&rest);
	Str second = take_field(&rest);
	if (decode_blob(*type, second, blob))
		return true;
	buf_clear(blob);
	*type = second;
	return decode_blob(*type, take_field(&rest), blob);
}

bool ssh_authorized_keys_each(Str text, bool (*fn)(void *arg, Str key_blob), void *arg,
			      bool *out_found, Error *err)
{
	Str line;
	*out_found = false;
	if (text.len > MAX_FILE_BYTES)
		return err_set(err, ERR_LIMIT, "authorized keys of more than %d bytes",
			       MAX_FILE_BYTES);
	for (int number = 1; !*out_found && str_next(&text, '\n', &line); number++) {
		autobuf Buf blob = {0};
		Str type;
		line = str_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (!parse_line(line, &blob, &type))
			return err_set(err, ERR_INVALID, "line %d: no SSH public key", number);
		if (ssh_key_type_is_known(type))
			*out_found = fn(arg, buf_str(&blob));
	}
	return true;
}
