#include <strings.h>

#include "gotmpl/unicode.h"
#include "helm/head.h"

/*
 * A scanner of YAML as charts write it: block maps and lists, scalars and flow collections that end
 * on their line, block scalars. It knows no more than that, and says so of everything else, so that
 * what it accepts is YAML to any parser: each rule is narrower than YAML's. Nothing is allocated.
 */

enum { DEPTH_MAX = 48, FLOW_MAX = 12, KEY_MAX = 200 };

typedef enum { ROLE_OTHER, ROLE_ROOT, ROLE_METADATA, ROLE_ANNOTATIONS, ROLE_TEXT } Role;

typedef struct {
	size_t column;
	bool is_list;
	bool open;  /* "key:" or "-" stands there, and its value may follow */
	Role role;  /* of a map */
	Role child; /* of the value that may follow */
} Level;

typedef struct {
	Str text;
	size_t at; /* the next line */
	Level levels[DEPTH_MAX];
	size_t depth;
	HelmHead *head;
	bool seen_metadata, seen_annotations;
} Scan;

/* A scalar on one line. */
typedef struct {
	Str text;
	bool quoted;
	bool exact; /* the text is the value: a string without escapes, or a word that is none of
		     * YAML's own */
} Scalar;

/* ---- characters ---- */

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* 1 for bytes of words: letters, digits and _ . / - */
static const unsigned char word_bytes[256] = {
	['-'] = 1,	   ['.'] = 1,	      ['/'] = 1,	 ['_'] = 1,
	['0' ... '9'] = 1, ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1,
};

static bool is_word(char byte)
{
	return word_bytes[(unsigned char)byte];
}

/* Printable and no line break, in YAML 1.1's sense and well inside of it. */
static bool is_plain_rune(uint32_t rune)
{
	return (rune >= 0xa0 && rune < 0x2000) || (rune >= 0x2030 && rune < 0xd800) ||
	       (rune >= 0x10000 && rune < 0x110000);
}

/* Without a branch in the loop, so that the compiler takes many bytes at once. */
static bool is_printed_ascii(Str text)
{
	unsigned char bad = 0;
	for (size_t at = 0; at < text.len; at++) {
		unsigned char byte = (unsigned char)text.ptr[at];
		bad |= (unsigned char)(((byte < ' ') & (byte != '\n')) | (byte >= 0x7f));
	}
	return !bad;
}

static bool check_bytes(Str text)
{
	size_t width = 1;
	if (is_printed_ascii(text))
		return true;
	for (size_t at = 0; at < text.len; at += width) {
		unsigned char byte = (unsigned char)text.ptr[at];
		width = 1;
		if (byte < 0x7f && (byte >= ' ' || byte == '\n'))
			continue;
		if (byte < 0x80)
			return false;
		uint32_t rune = rune_decode(str_slice(text, at, text.len), &width);
		if (width == 1 || !is_plain_rune(rune))
			return false;
	}
	return true;
}

static char first(Str text)
{
	return text.len > 0 ? text.ptr[0] : '\0';
}

static Str skip(Str text, size_t count)
{
	return str_slice(text, count, text.len);
}

static Str skip_spaces(Str text)
{
	size_t count = 0;
	while (count < text.len && text.ptr[count] == ' ')
		count++;
	return skip(text, count);
}

/* Nothing more on the line but blanks, or a comment behind one. */
static bool ends(Str rest)
{
	Str trimmed = skip_spaces(rest);
	return trimmed.len == 0 || (first(trimmed) == '#' && trimmed.len < rest.len);
}

static bool is_one_of(Str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == text.len && strncasecmp(words[i], text.ptr, text.len) == 0)
			return true;
	return false;
}

static bool is_null(Str text)
{
	static const char *const words[] = {"", "~", "null"};
	return is_one_of(text, words, COUNT(words));
}

static bool is_text_word(Str text)
{
	static const char *const words[] = {"null", "y",   "yes",  "n",	   "no",
					    "on",   "off", "true", "false"};
	return is_letter(first(text)) && !is_one_of(text, words, COUNT(words));
}

/* ---- scalars on one line ---- */

/* A quoted scalar at the start of *rest, taken off it. */
static bool take_quoted(Str *rest, Scalar *out)
{
	char quote = first(*rest);
	size_t at = 1;
	while (at < rest->len && rest->ptr[at] != quote) {
		if (quote == '"' && rest->ptr[at] == '\\')
			return false;
		at++;
	}
	if (at == rest->len)
		return false;
	*out = (Scalar){str_slice(*rest, 1, at), true, true};
	*rest = skip(*rest, at + 1);
	return first(*rest) != quote; /* '' within single quotes */
}

/* "key:" at the start of *rest, with what separates it from its value. */
static bool take_key(Str *rest, Str *out)
{
	Scalar quoted;
	size_t len = 0;
	if (first(*rest) == '"' || first(*rest) == '\'') {
		if (!take_quoted(rest, &quoted) || quoted.text.len > KEY_MAX)
			return false;
		*out = quoted.text;
	} else {
		while (len < rest->len && is_word(rest->ptr[len]))
			len++;
		bool starts = is_word(first(*rest)) && first(*rest) != '-' && first(*rest) != '.';
		*out = str_slice(*rest, 0, len);
		*rest = skip(*rest, len);
		if (!starts || len > KEY_MAX || is_null(*out))
			return false;
	}
	if (first(*rest) != ':')
		return false;
	*rest = skip(*rest, 1);
	return rest->len == 0 || first(*rest) == ' ';
}

/* Infinities and what is no number are YAML, but no JSON. */
static bool is_odd_number(Str text)
{
	if (first(text) == '-' || first(text) == '+')
		text = skip(text, 1);
	return first(text) == '.' && text.len > 1 && is_letter(text.ptr[1]);
}

static bool starts_plain(Str text)
{
	char byte = first(text);
	if (byte == '\0' || strchr(",[]{}#&*!|>'\"%@`=<?:", byte))
		return false;
	return byte != '-' || (text.len > 1 && text.ptr[1] != ' ');
}

/* All of the line that is left, but for a comment. */
static bool read_plain(Str rest, Scalar *out)
{
	size_t len = 0;
	if (!starts_plain(rest) || is_odd_number(rest))
		return false;
	for (; len < rest.len; len++) {
		char byte = rest.ptr[len];
		char next = len + 1 < rest.len ? rest.ptr[len + 1] : ' ';
		if (byte == ':' && next == ' ')
			return false;
		if (byte == ' ' && next == '#')
			break;
	}
	*out = (Scalar){str_trim(str_slice(rest, 0, len)), false, false};
	out->exact = is_text_word(out->text);
	return true;
}

/* ---- flow collections on one line ---- */

static bool take_flow(Str *rest, int depth);

static bool take_flow_scalar(Str *rest)
{
	Scalar quoted;
	size_t len = 0;
	if (first(*rest) == '"' || first(*rest) == '\'')
		return take_quoted(rest, &quoted);
	if (!is_word(first(*rest)) || first(*rest) == '-' || first(*rest) == '.')
		return false;
	while (len < rest->len && is_word(rest->ptr[len]))
		len++;
	*rest = skip(*rest, len);
	return first(*rest) == ',' || first(*rest) == '}' || first(*rest) == ']' ||
	       first(*rest) == ' ';
}

static bool take_flow_key(Str *rest)
{
	bool quoted = first(*rest) == '"' || first(*rest) == '\'';
	Scalar scalar;
	Str key;
	if (!quoted)
		return take_key(rest, &key);
	if (!take_quoted(rest, &scalar) || scalar.text.len > KEY_MAX || first(*rest) != ':')
		return false;
	*rest = skip(*rest, 1);
	return true;
}

static bool take_flow_value(Str *rest, int depth)
{
	if (first(*rest) == '{' || first(*rest) == '[')
		return take_flow(rest, depth + 1);
	return take_flow_scalar(rest);
}

/* "{a: 1, b: [x]}", never with a comma at the end. */
static bool take_flow(Str *rest, int depth)
{
	bool is_map = first(*rest) == '{';
	char close = is_map ? '}' : ']';
	*rest = skip_spaces(skip(*rest, 1));
	if (depth > FLOW_MAX)
		return false;
	if (first(*rest) == close) {
		*rest = skip(*rest, 1);
		return true;
	}
	while (true) {
		if (is_map && !take_flow_key(rest))
			return false;
		*rest = skip_spaces(*rest);
		if (!take_flow_value(rest, depth))
			return false;
		*rest = skip_spaces(*rest);
		if (first(*rest) == close) {
			*rest = skip(*rest, 1);
			return true;
		}
		if (first(*rest) != ',')
			return false;
		*rest = skip_spaces(skip(*rest, 1));
	}
}

/* ---- lines ---- */

static bool next_line(Scan *scan, Str *out)
{
	if (scan->at >= scan->text.len)
		return false;
	Str left = skip(scan->text, scan->at);
	ptrdiff_t end = str_find_char(left, '\n');
	*out = end < 0 ? left : str_slice(left, 0, (size_t)end);
	scan->at += out->len + (end >= 0);
	return true;
}

static size_t indent_of(Str line)
{
	return line.len - skip_spaces(line).len;
}

/* The lines of a block scalar, all deeper than `column`. Blank lines in front of the first must not
 * be longer than its indent; here they must be empty. */
static bool skip_block(Scan *scan, size_t column)
{
	size_t indent = 0, before;
	Str line;
	for (before = scan->at; next_line(scan, &line); before = scan->at) {
		bool blank = skip_spaces(line).len == 0;
		if (indent == 0 && blank && line.len > 0)
			return false;
		if (blank)
			continue;
		if (indent == 0 && indent_of(line) > column)
			indent = indent_of(line);
		if (indent == 0 || indent_of(line) < indent)
			break;
	}
	scan->at = before;
	return true;
}

static bool push(Scan *scan, size_t column, bool is_list, Role role)
{
	if (scan->depth == DEPTH_MAX)
		return false;
	scan->levels[scan->depth++] = (Level){.column = column, .is_list = is_list, .role = role};
	return true;
}

/* ---- the head ---- */

static bool note(HelmHead *head, HeadField field, const Scalar *scalar)
{
	HeadText *text = &head->fields[field];
	if (text->found || !scalar || !scalar->exact)
		return false;
	*text = (HeadText){true, scalar->text};
	return true;
}

/* What a key of the head stands for: the field, or the map below it. A key that is another only in
 * the case of its letters is left to the parser. */
static bool find_role(Role role, Str key, int *out_field, Role *out_child)
{
	static const struct {
		Role role;
		int field;
		Role child;
		const char *name;
	} rows[] = {
		{ROLE_ROOT, HEAD_API_VERSION, ROLE_OTHER, "apiVersion"},
		{ROLE_ROOT, HEAD_KIND, ROLE_OTHER, "kind"},
		{ROLE_ROOT, -1, ROLE_METADATA, "metadata"},
		{ROLE_METADATA, HEAD_NAME, ROLE_OTHER, "name"},
		{ROLE_METADATA, -1, ROLE_ANNOTATIONS, "annotations"},
	};
	*out_field = -1;
	*out_child = role == ROLE_ANNOTATIONS ? ROLE_TEXT : ROLE_OTHER;
	for (size_t i = 0; role != ROLE_OTHER && i < COUNT(rows); i++) {
		if (rows[i].role != role || strlen(rows[i].name) != key.len ||
		    strncasecmp(rows[i].name, key.ptr, key.len) != 0)
			continue;
		*out_field = rows[i].field;
		*out_child = rows[i].child;
		return memcmp(rows[i].name, key.ptr, key.len) == 0;
	}
	for (int i = HEAD_HOOK; role == ROLE_ANNOTATIONS && i < HEAD_COUNT; i++)
		if (str_eq(str_of(head_names[i]), key))
			*out_field = i;
	return true;
}

/* A second one of its name is left to the parser. */
static bool note_map(Scan *scan, Role child)
{
	bool *seen = child == ROLE_METADATA ? &scan->seen_metadata : &scan->seen_annotations;
	if (child != ROLE_METADATA && child != ROLE_ANNOTATIONS)
		return true;
	if (*seen)
		return false;
	*seen = true;
	return true;
}

/* ---- values ---- */

typedef enum { VALUE_SCALAR, VALUE_BLOCK, VALUE_FLOW, VALUE_OPEN } ValueType;

static bool read_block_header(Str rest)
{
	rest = skip(rest, 1);
	if (first(rest) == '-' || first(rest) == '+')
		rest = skip(rest, 1);
	return ends(rest);
}

/* What stands behind "key:" or "-" at a level. */
static bool read_value(Scan *scan, const Level *level, Str rest, ValueType *type, Scalar *scalar)
{
	*type = VALUE_OPEN;
	if (ends(rest))
		return true;
	rest = skip_spaces(rest);
	char byte = first(rest);
	if (byte == '|' || byte == '>') {
		*type = VALUE_BLOCK;
		return read_block_header(rest) && skip_block(scan, level->column);
	}
	if (byte == '{' || byte == '[') {
		*type = VALUE_FLOW;
		return take_flow(&rest, 0) && ends(rest);
	}
	*type = VALUE_SCALAR;
	if (byte == '"' || byte == '\'')
		return take_quoted(&rest, scalar) && ends(rest);
	return read_plain(rest, scalar);
}

static bool read_entry(Scan *scan, Str rest, size_t column);

static bool read_member(Scan *scan, Str rest)
{
	Level *level = &scan->levels[scan->depth - 1];
	ValueType type;
	Scalar scalar;
	Str key;
	int field;
	Role child;
	if (!take_key(&rest, &key) || !find_role(level->role, key, &field, &child) ||
	    !note_map(scan, child) || !read_value(scan, level, rest, &type, &scalar))
		return false;
	level->open = type == VALUE_OPEN;
	level->child = child;
	if (field >= 0)
		return note(scan->head, (HeadField)field, type == VALUE_SCALAR ? &scalar : NULL);
	if (child == ROLE_TEXT)
		return type != VALUE_FLOW;
	return child == ROLE_OTHER || type == VALUE_OPEN;
}

/* Behind "-": another list, a map or a scalar. */
static bool read_item(Scan *scan, Str rest, size_t column)
{
	Level *level = &scan->levels[scan->depth - 1];
	size_t blanks = indent_of(rest);
	Str content = skip(rest, blanks), key, tail = content;
	ValueType type;
	Scalar scalar;
	level->open = false;
	level->child = ROLE_OTHER;
	bool is_list = first(content) == '-' && (content.len == 1 || content.ptr[1] == ' ');
	if (is_list || take_key(&tail, &key)) {
		column += 1 + blanks;
		return push(scan, column, is_list, ROLE_OTHER) && read_entry(scan, content, column);
	}
	if (!read_value(scan, level, rest, &type, &scalar))
		return false;
	level->open = type == VALUE_OPEN;
	return true;
}

static bool read_entry(Scan *scan, Str rest, size_t column)
{
	const Level *level = &scan->levels[scan->depth - 1];
	if (level->is_list)
		return read_item(scan, skip(rest, 1), column);
	return read_member(scan, rest);
}

/* Finds the level that a line belongs to, or opens one. */
static bool find_level(Scan *scan, size_t column, bool is_dash)
{
	while (scan->depth > 0 && scan->levels[scan->depth - 1].column > column)
		scan->depth--;
	if (scan->depth == 0)
		return false;
	Level *top = &scan->levels[scan->depth - 1];
	if (top->column == column && top->is_list && !is_dash) {
		/* a list that stands no deeper than its key ends */
		scan->depth--;
		top = scan->depth > 0 ? &scan->levels[scan->depth - 1] : NULL;
		return top && top->column == column && !top->is_list;
	}
	if (top->column == column && top->is_list == is_dash)
		return true;
	bool below = top->column < column || is_dash;
	bool fits = top->child == ROLE_OTHER || (!is_dash && top->child != ROLE_TEXT);
	if (!below || !top->open || !fits)
		return false;
	top->open = false;
	return push(scan, column, is_dash, top->child);
}

static bool read_line(Scan *scan, Str line)
{
	size_t column = indent_of(line);
	Str rest = skip(line, column);
	if (rest.len == 0 || first(rest) == '#')
		return true;
	if (column == 0 && (str_starts(rest, STR("---")) || str_starts(rest, STR("..."))))
		return false;
	bool is_dash = first(rest) == '-' && (rest.len == 1 || rest.ptr[1] == ' ');
	return find_level(scan, column, is_dash) && read_entry(scan, rest, column);
}

/* A document with nothing in it is null, which is for the parser to say. */
static bool has_content(Str text)
{
	Str line;
	while (str_next(&text, '\n', &line)) {
		Str rest = skip_spaces(line);
		if (rest.len > 0 && first(rest) != '#')
			return true;
	}
	return false;
}

bool helm_head_scan(Str text, HelmHead *out)
{
	Scan scan = {.text = text, .head = out};
	Str line;
	*out = (HelmHead){0};
	if (!check_bytes(text) || !has_content(text) || !push(&scan, 0, false, ROLE_ROOT))
		return false;
	while (next_line(&scan, &line))
		if (!read_line(&scan, line))
			return false;
	return true;
}
