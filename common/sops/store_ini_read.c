#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "sops/stores.h"

/*
 * INI as go-ini reads it by default: "=" or ":", names and values in quotes or backticks, values
 * over several lines in backticks or triple quotes or behind "\", comments from "#" or ";" on.
 */

enum { MAX_LINES = 100000 };

typedef struct {
	Str rest;
	size_t line;
	Buf comment; /* of the next key or section */
	Node *section;
	Map *keys; /* of the section, to their nodes */
	Error *err;
} Reader;

static bool fail(const Reader *reader, const char *what)
{
	return err_set(reader->err, ERR_INVALID, "line %zu: %s", reader->line, what);
}

/* The next line with its newline; false at the end. */
static bool next_line(Reader *reader, Str *out)
{
	if (reader->rest.len == 0)
		return false;
	ptrdiff_t end = str_find_char(reader->rest, '\n');
	size_t len = end < 0 ? reader->rest.len : (size_t)end + 1;
	*out = str_slice(reader->rest, 0, len);
	reader->rest = str_slice(reader->rest, len, reader->rest.len);
	reader->line++;
	return true;
}

static Str trim_left(Str text)
{
	Str trimmed = trim_space(text);
	if (trimmed.len == 0)
		return trimmed;
	size_t skipped = (size_t)(trimmed.ptr - text.ptr);
	return str_slice(text, skipped, text.len);
}

static ptrdiff_t find_any(Str text, const char *bytes)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] && strchr(bytes, text.ptr[i]))
			return (ptrdiff_t)i;
	return -1;
}

static ptrdiff_t find_last(Str text, Str part)
{
	for (size_t at = text.len; part.len <= text.len && at + 1 > part.len; at--)
		if (memcmp(text.ptr + at - part.len, part.ptr, part.len) == 0)
			return (ptrdiff_t)(at - part.len);
	return -1;
}

static void note_comment(Reader *reader, Str text)
{
	ptrdiff_t at = find_any(text, "#;");
	if (at >= 0)
		buf_add(&reader->comment, str_slice(text, (size_t)at, text.len));
}

/* The comment gathered so far, as a node; NULL when there is none. Owned. */
static Node *take_comment(Reader *reader)
{
	Str text = trim_space(buf_str(&reader->comment));
	char mark = text.len ? text.ptr[0] : '\0';
	while (text.len && (mark == ';' || mark == '#') &&
	       (text.ptr[0] == mark || text.ptr[0] == ' '))
		text = str_slice(text, 1, text.len);
	Node *node = mark ? node_text(NODE_COMMENT, text) : NULL;
	buf_clear(&reader->comment);
	return node;
}

static void open_section(Reader *reader, Node *document, Str name)
{
	reader->section = sops_node_new(NODE_MAP);
	map_clear(reader->keys);
	node_put(document, name, reader->section);
}

static bool read_section(Reader *reader, Node *document, Str line)
{
	ptrdiff_t end = find_last(line, STR("]"));
	if (end < 0)
		return fail(reader, "a section is not closed");
	if (end == 1)
		return fail(reader, "a section has no name");
	open_section(reader, document, str_slice(line, 1, (size_t)end));
	note_comment(reader, str_slice(line, (size_t)end + 1, line.len));
	Node *comment = take_comment(reader);
	if (comment)
		sops_node_add(reader->section, comment);
	return true;
}

static Str key_quote(Str line)
{
	if (line.len > 6 && str_starts(line, STR("\"\"\"")))
		return STR("\"\"\"");
	if (line.ptr[0] == '"')
		return STR("\"");
	return line.ptr[0] == '`' ? STR("`") : STR("");
}

/* Splits a line at its delimiter. */
static bool read_key(Reader *reader, Str line, Str *key, Str *value)
{
	Str quote = key_quote(line);
	Str inner = str_slice(line, quote.len, line.len);
	ptrdiff_t close = quote.len ? str_find(inner, quote) : 0;
	if (close < 0)
		return fail(reader, "a key's quote is not closed");
	Str tail = quote.len ? str_slice(inner, (size_t)close + quote.len, inner.len) : line;
	ptrdiff_t at = find_any(tail, "=:");
	if (at < 0)
		return fail(reader, "there is no '='");
	*key = trim_space(quote.len ? str_slice(inner, 0, (size_t)close)
				    : str_slice(line, 0, (size_t)at));
	*value = str_slice(tail, (size_t)at + 1, tail.len);
	return key->len || fail(reader, "a key has no name");
}

static bool read_multiline(Reader *reader, Str first, Str quote, Buf *out)
{
	buf_add(out, first);
	Str line;
	while (next_line(reader, &line)) {
		ptrdiff_t at = find_last(line, quote);
		if (at < 0) {
			buf_add(out, line);
			continue;
		}
		Str tail = trim_space(str_slice(line, (size_t)at + quote.len, line.len));
		if (str_ends(tail, STR("\\"))) {
			buf_add(out, line);
			continue;
		}
		buf_add(out, str_slice(line, 0, (size_t)at));
		note_comment(reader, trim_space(tail));
		return true;
	}
	return fail(reader, "a value's quote is not closed");
}

/* What follows a "\" at a line's end. */
static void read_continued(Reader *reader, Str first, Buf *out)
{
	buf_add(out, first);
	Str line;
	while (next_line(reader, &line)) {
		line = trim_space(line);
		if (line.len == 0)
			return;
		bool more = line.ptr[line.len - 1] == '\\';
		buf_add(out, str_slice(line, 0, line.len - more));
		if (!more)
			return;
	}
}

static bool is_surrounded(Str text, char quote)
{
	return text.len >= 2 && text.ptr[0] == quote && text.ptr[text.len - 1] == quote &&
	       str_find_char(str_slice(text, 1, text.len), quote) == (ptrdiff_t)text.len - 2;
}

static bool read_value(Reader *reader, Str text, Buf *out)
{
	Str line = trim_left(text);
	if (line.len == 0)
		return true;
	Str quote = STR("");
	if (line.len > 3 && str_starts(line, STR("\"\"\"")))
		quote = STR("\"\"\"");
	else if (line.ptr[0] == '`')
		quote = STR("`");
	if (quote.len) {
		Str inner = str_slice(line, quote.len, line.len);
		ptrdiff_t end = find_last(inner, quote);
		if (end < 0)
			return read_multiline(reader, inner, quote, out);
		buf_add(out, str_slice(inner, 0, (size_t)end));
		return true;
	}
	line = trim_space(line);
	if (line.ptr[line.len - 1] == '\\') {
		read_continued(reader, str_slice(line, 0, line.len - 1), out);
		return true;
	}
	ptrdiff_t comment = find_any(line, "#;");
	if (comment >= 0) {
		buf_add(&reader->comment, str_slice(line, (size_t)comment, line.len));
		line = trim_space(str_slice(line, 0, (size_t)comment));
	}
	if (is_surrounded(line, '\'') || is_surrounded(line, '"'))
		line = str_slice(line, 1, line.len - 1);
	buf_add(out, line);
	return true;
}

/* A key given twice in a section keeps its place and takes the later value. */
static void put_key(Reader *reader, Str key, Node *take_value)
{
	autofree char *name = str_dup(key);
	Node *comment = take_comment(reader);
	Node *old = map_get(reader->keys, name);
	if (old) {
		Buf text = take_value->text;
		take_value->text = old->text;
		old->text = text;
		node_free(take_value);
	} else {
		map_put(reader->keys, name, take_value);
		node_put(reader->section, key, take_value);
	}
	if (comment)
		sops_node_add(reader->section, comment);
}

static bool read_line(Reader *reader, Node *document, Str line)
{
	if (line.len == 0)
		return true;
	if (line.ptr[0] == '#' || line.ptr[0] == ';') {
		buf_add(&reader->comment, line);
		return true;
	}
	if (line.ptr[0] == '[')
		return read_section(reader, document, line);
	Str key, value = {0};
	if (!read_key(reader, line, &key, &value))
		return false;
	autonode Node *node = sops_node_new(NODE_STR);
	if (!read_value(reader, value, &node->text))
		return false;
	put_key(reader, key, steal(&node));
	return true;
}

bool ini_store_read(Str text, Tree *out, Error *err)
{
	if (memchr(text.ptr, '\0', text.len))
		return err_set(err, ERR_INVALID, "a NUL in an INI file");
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_slice(text, 3, text.len);
	autonode Node *document = sops_node_new(NODE_MAP);
	automap Map *keys = map_new(NULL);
	Reader reader = {.rest = text, .keys = keys, .err = err};
	open_section(&reader, document, STR("DEFAULT"));
	Str line;
	bool ok = true;
	while (ok && next_line(&reader, &line)) {
		ok = read_line(&reader, document, trim_left(line));
		if (ok && reader.line > MAX_LINES)
			ok = err_set(err, ERR_LIMIT, "more than %d lines", MAX_LINES);
	}
	sops_buf_wipe(&reader.comment);
	if (ok)
		vec_push(&out->documents, steal(&document));
	return ok;
}
