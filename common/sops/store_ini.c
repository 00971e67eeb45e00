#include <string.h>

#include "base/mem.h"
#include "sops/stores.h"

/*
 * INI, written as go-ini does, which sops uses: sections of `key = value` with the signs aligned,
 * comments with ";". A comment in front of a key is that key's, and stands behind it in the tree.
 * Reading is in store_ini_read.c.
 */

static const char *const delimiters = "=:";

/* Bytes of the white space at the front of text, or 0. */
static size_t space_at(Str text)
{
	static const Str wide[] = {
		{"\xc2\x85", 2},     {"\xc2\xa0", 2},	  {"\xe1\x9a\x80", 3}, {"\xe2\x80\xa8", 3},
		{"\xe2\x80\xa9", 3}, {"\xe2\x80\xaf", 3}, {"\xe2\x81\x9f", 3}, {"\xe3\x80\x80", 3},
	};
	if (text.len && text.ptr[0] && strchr(" \t\n\v\f\r", text.ptr[0]))
		return 1;
	for (size_t i = 0; i < COUNT(wide); i++)
		if (str_starts(text, wide[i]))
			return wide[i].len;
	bool quad = text.len > 2 && str_starts(text, STR("\xe2\x80")) &&
		    (unsigned char)text.ptr[2] <= 0x8a; /* U+2000 to U+200A */
	return quad ? 3 : 0;
}

Str trim_space(Str text)
{
	size_t len;
	while ((len = space_at(text)))
		text = str_slice(text, len, text.len);
	for (len = 1; len <= 3 && len <= text.len;) {
		bool space = space_at(str_slice(text, text.len - len, text.len)) == len;
		if (space)
			text = str_slice(text, 0, text.len - len);
		len = space ? 1 : len + 1;
	}
	return text;
}

static bool contains_any(Str text, const char *bytes)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] && strchr(bytes, text.ptr[i]))
			return true;
	return false;
}

static bool write_comment(Str comment, Buf *out, Error *err)
{
	Str line;
	if (str_ends(comment, STR("\n")))
		return err_set(err, ERR_INVALID, "a comment has an empty line");
	while (str_next(&comment, '\n', &line)) {
		if (line.len == 0)
			return err_set(err, ERR_INVALID, "a comment has an empty line");
		bool marked = line.ptr[0] == '#' || line.ptr[0] == ';';
		Str rest = trim_space(str_slice(line, marked ? 1 : 0, line.len));
		buf_putc(out, marked ? line.ptr[0] : ';');
		buf_putc(out, ' ');
		buf_add(out, rest);
		buf_putc(out, '\n');
	}
	return true;
}

/* Bytes that a key's quotes add; *out_quote is them. */
static size_t key_quotes(const char *key, const char **out_quote)
{
	*out_quote = "";
	if (strchr(key, '"') || strpbrk(key, delimiters))
		*out_quote = "`";
	else if (strchr(key, '`'))
		*out_quote = "\"\"\"";
	return 2 * strlen(*out_quote);
}

static size_t key_width(const Node *section)
{
	size_t width = 0;
	const char *quote;
	for (size_t i = 0; i < section->items.len; i++) {
		const Node *item = section->items.items[i];
		if (!item->key)
			continue;
		size_t own = strlen(item->key) + key_quotes(item->key, &quote);
		width = own > width ? own : width;
	}
	return width;
}

static void write_value(Str value, Buf *out)
{
	const char *quote = "";
	if (contains_any(value, "\n`"))
		quote = "\"\"\"";
	else if (contains_any(value, "#;"))
		quote = "`";
	else if (trim_space(value).len != value.len)
		quote = "\"";
	buf_puts(out, quote);
	buf_add(out, value);
	buf_puts(out, quote);
}

static void write_key(const Node *item, size_t width, Buf *out)
{
	const char *quote;
	size_t own = strlen(item->key) + key_quotes(item->key, &quote);
	autosecretbuf Buf value = {0};
	leaf_text(item, &value);
	buf_printf(out, "%s%s%s", quote, item->key, quote);
	for (; own < width; own++)
		buf_putc(out, ' ');
	buf_puts(out, " = ");
	write_value(buf_str(&value), out);
	buf_putc(out, '\n');
}

/* The comment of the key at `index`: the last of those that follow it. */
static const Node *comment_of(const Node *section, size_t index)
{
	const Node *found = NULL;
	for (size_t i = index + 1; i < section->items.len; i++) {
		const Node *item = section->items.items[i];
		if (item->key)
			break;
		found = item;
	}
	return found;
}

static bool write_keys(const Node *section, Buf *out, Error *err)
{
	size_t width = key_width(section);
	for (size_t i = 0; i < section->items.len; i++) {
		const Node *item = section->items.items[i];
		if (!item->key)
			continue;
		if (item->type == NODE_MAP || item->type == NODE_LIST)
			return err_set(err, ERR_INVALID, "'%s' has parts, which INI has not",
				       item->key);
		const Node *comment = comment_of(section, i);
		if (comment && comment->text.len &&
		    !write_comment(buf_str(&comment->text), out, err))
			return false;
		write_key(item, width, out);
	}
	return true;
}

static bool write_section(const Node *section, bool first, bool last, Buf *out, Error *err)
{
	if (section->type != NODE_MAP)
		return err_set(err, ERR_INVALID, "'%s' is no section", section->key);
	const Node *head = section->items.len ? section->items.items[0] : NULL;
	if (head && !head->key && head->text.len && !write_comment(buf_str(&head->text), out, err))
		return false;
	if (!first || strcasecmp(section->key, "DEFAULT") != 0)
		buf_printf(out, "[%s]\n", section->key);
	else if (key_width(section) == 0)
		return true;
	if (!write_keys(section, out, err))
		return false;
	if (!last)
		buf_putc(out, '\n');
	return true;
}

bool ini_store_write(const Tree *tree, Buf *out, Error *err)
{
	autovec Vec sections = {0};
	for (size_t i = 0; i < tree->documents.len; i++) {
		const Node *document = tree->documents.items[i];
		for (size_t j = 0; j < document->items.len; j++)
			if (((const Node *)document->items.items[j])->key)
				vec_push(&sections, document->items.items[j]);
	}
	for (size_t i = 0; i < sections.len; i++)
		if (!write_section(sections.items[i], i == 0, i + 1 == sections.len, out, err))
			return false;
	return true;
}
