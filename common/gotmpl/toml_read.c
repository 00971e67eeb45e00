#include <math.h>

#include "gotmpl/strconv.h"
#include "gotmpl/time.h"
#include "gotmpl/toml_read.h"

/* TOML 1.0 into maps and lists: integers are int64, lists []interface {}. Errors name the line. */

enum { TOML_READ_DEPTH = 100 };

typedef struct {
	GoCall *call;
	Str text;
	size_t at;
	int line, depth;
	Buf *why;
} Reader;

static bool read_value(Reader *r, GoValue *out);

static bool fail(Reader *r, const char *what)
{
	buf_printf(r->why, "toml: line %d: %s", r->line, what);
	return false;
}

static char now(const Reader *r)
{
	return r->at < r->text.len ? r->text.ptr[r->at] : '\0';
}

static bool starts(const Reader *r, const char *text)
{
	return str_starts(str_slice(r->text, r->at, r->text.len), str_of(text));
}

static void skip_blanks(Reader *r)
{
	while (now(r) == ' ' || now(r) == '\t')
		r->at++;
}

/* Blanks, comments and line ends. */
static void skip_lines(Reader *r)
{
	for (;;) {
		skip_blanks(r);
		if (now(r) == '#')
			while (r->at < r->text.len && now(r) != '\n')
				r->at++;
		if (now(r) != '\n' && now(r) != '\r')
			return;
		r->line += now(r) == '\n';
		r->at++;
	}
}

static bool end_line(Reader *r)
{
	skip_blanks(r);
	if (r->at >= r->text.len || now(r) == '\n' || now(r) == '\r' || now(r) == '#') {
		skip_lines(r);
		return true;
	}
	return fail(r, "expected a newline");
}

static bool read_escape(Reader *r, Buf *out)
{
	static const char letters[] = "btnfr\"\\e", bytes[] = "\b\t\n\f\r\"\\\x1b";
	char letter = now(r);
	const char *found = letter ? strchr(letters, letter) : NULL;
	size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
	uint64_t rune;
	bool range;
	r->at++;
	if (found) {
		buf_putc(out, bytes[found - letters]);
		return true;
	}
	Str code = str_slice(r->text, r->at, r->at + digits);
	if (digits == 0 || code.len < digits || !parse_uint(code, 16, &rune, &range))
		return fail(r, "invalid escape character");
	buf_put_rune(out, (uint32_t)rune);
	r->at += digits;
	return true;
}

/* A backslash at a line's end takes the blanks of the following lines away. */
static bool read_continuation(Reader *r)
{
	size_t from = r->at;
	skip_blanks(r);
	if (now(r) != '\n' && now(r) != '\r') {
		r->at = from;
		return false;
	}
	while (now(r) && strchr(" \t\r\n", now(r))) {
		r->line += now(r) == '\n';
		r->at++;
	}
	return true;
}

static bool read_text(Reader *r, Str *out)
{
	autobuf Buf text = {0};
	char quote = now(r);
	char triple[4] = {quote, quote, quote, '\0'};
	bool many = starts(r, triple);
	r->at += many ? 3 : 1;
	if (many && starts(r, "\r\n"))
		r->at++;
	if (many && now(r) == '\n') {
		r->at++;
		r->line++;
	}
	while (!(many ? starts(r, triple) : now(r) == quote && r->at < r->text.len)) {
		if (r->at >= r->text.len || (!many && now(r) == '\n'))
			return fail(r, "unterminated string");
		char byte = r->text.ptr[r->at++];
		r->line += byte == '\n';
		if (byte != '\\' || quote == '\'')
			buf_putc(&text, byte);
		else if (!(many && read_continuation(r)) && !read_escape(r, &text))
			return false;
	}
	r->at += many ? 3 : 1;
	for (int i = 0; many && i < 2 && now(r) == quote; i++, r->at++)
		buf_putc(&text, quote);
	*out = call_copy(r->call, buf_str(&text));
	return true;
}

static bool read_key(Reader *r, Str *out)
{
	size_t from = r->at;
	skip_blanks(r);
	from = r->at;
	if (now(r) == '"' || now(r) == '\'')
		return read_text(r, out);
	while (now(r) && (strchr("_-", now(r)) || (now(r) >= '0' && now(r) <= '9') ||
			  ((now(r) | 32) >= 'a' && (now(r) | 32) <= 'z')))
		r->at++;
	*out = str_slice(r->text, from, r->at);
	return out->len > 0 || fail(r, "expected a key");
}

/* The map below a key, made when it is absent; of a list of tables the last one. */
static bool descend(Reader *r, GoMap **map, Str key)
{
	Arena *arena = call_arena(r->call);
	GoValue value;
	if (!go_map_get(arena, *map, key, &value)) {
		value = go_map(go_map_new(arena, GO_MAP));
		go_map_put(arena, *map, key, value);
	}
	if (value.type == GO_LIST && go_len(value) > 0)
		value = go_item(arena, value, go_len(value) - 1);
	if (!go_is_map(value))
		return fail(r, "key is no table");
	*map = value.map;
	return true;
}

static bool read_member(Reader *r, GoMap *map)
{
	Str key;
	GoValue value, old;
	if (!read_key(r, &key))
		return false;
	for (skip_blanks(r); now(r) == '.'; skip_blanks(r)) {
		r->at++;
		if (!descend(r, &map, key) || !read_key(r, &key))
			return false;
	}
	if (now(r) != '=')
		return fail(r, "expected '=' after a key");
	r->at++;
	skip_blanks(r);
	if (go_map_get(call_arena(r->call), map, key, &old))
		return fail(r, "key has already been defined");
	if (!read_value(r, &value))
		return false;
	go_map_put(call_arena(r->call), map, key, value);
	return true;
}

static bool append(Reader *r, GoList *list, GoValue value)
{
	GoValue *items = arena_alloc(call_arena(r->call), (list->len + 1) * sizeof(GoValue));
	if (!room_for(r->call, list->len))
		return fail(r, "too large");
	if (list->len > 0)
		memcpy(items, list->items, list->len * sizeof(GoValue));
	items[list->len++] = value;
	list->items = items;
	return true;
}

static bool read_list(Reader *r, GoValue *out)
{
	GoList *list = go_list_new(call_arena(r->call), GO_LIST, 0);
	r->at++;
	for (;;) {
		GoValue value;
		skip_lines(r);
		if (now(r) == ']')
			break;
		if (!read_value(r, &value) || !append(r, list, value))
			return false;
		skip_lines(r);
		if (now(r) == ',')
			r->at++;
		else if (now(r) != ']')
			return fail(r, "expected a comma or array terminator ']'");
	}
	r->at++;
	*out = go_list(list);
	return true;
}

static bool read_inline_table(Reader *r, GoValue *out)
{
	GoMap *map = go_map_new(call_arena(r->call), GO_MAP);
	r->at++;
	skip_blanks(r);
	while (now(r) != '}') {
		if (!read_member(r, map))
			return false;
		skip_blanks(r);
		if (now(r) == ',')
			r->at++;
		else if (now(r) != '}')
			return fail(r, "expected a comma or an inline table terminator '}'");
		skip_blanks(r);
	}
	r->at++;
	*out = go_map(map);
	return true;
}

static bool read_date(Reader *r, Str word, GoValue *out)
{
	static const char *const layouts[] = {"2006-01-02T15:04:05.999999999Z07:00",
					      "2006-01-02 15:04:05.999999999Z07:00",
					      "2006-01-02T15:04:05.999999999",
					      "2006-01-02 15:04:05.999999999",
					      "2006-01-02",
					      "15:04:05.999999999"};
	GoTime *time = arena_alloc(call_arena(r->call), sizeof(*time));
	for (size_t i = 0; i < COUNT(layouts); i++) {
		autobuf Buf ignored = {0};
		if (!time_parse(call_arena(r->call), str_of(layouts[i]), word, time, &ignored))
			continue;
		*out = (GoValue){.type = GO_TIME, .time = time};
		return true;
	}
	return fail(r, "invalid value");
}

static bool read_number(Str word, GoValue *out)
{
	char plain[64];
	size_t len = 0;
	bool range;
	for (size_t i = 0; i < word.len && len < sizeof(plain); i++)
		if (word.ptr[i] != '_')
			plain[len++] = word.ptr[i];
	Str digits = str_sized(plain, len);
	bool prefixed = len > 2 && plain[0] == '0' && strchr("xob", plain[1]);
	int64_t integer;
	double real;
	if (parse_int(digits, prefixed ? 0 : 10, &integer, &range)) {
		*out = go_int64(integer);
		return true;
	}
	bool fine = parse_float(digits, &real, &range);
	*out = go_real(fine ? real : 0);
	return fine;
}

static bool read_word(Reader *r, GoValue *out)
{
	size_t from = r->at;
	while (now(r) && !strchr(",]}#\n\r", now(r)))
		r->at++;
	Str word = str_trim(str_slice(r->text, from, r->at));
	r->at = from + (size_t)(word.ptr + word.len - (r->text.ptr + from));
	if (str_eq(word, STR("true")) || str_eq(word, STR("false")))
		*out = go_bool(word.ptr[0] == 't');
	else if (word.len == 0)
		return fail(r, "expected value but found nothing");
	else if (!read_number(word, out))
		return read_date(r, word, out);
	return true;
}

static bool read_value(Reader *r, GoValue *out)
{
	bool fine;
	Str text;
	if (++r->depth > TOML_READ_DEPTH)
		return fail(r, "nested too deeply");
	if (now(r) == '"' || now(r) == '\'') {
		fine = read_text(r, &text);
		*out = fine ? go_text(text) : go_nil();
	} else if (now(r) == '[') {
		fine = read_list(r, out);
	} else if (now(r) == '{') {
		fine = read_inline_table(r, out);
	} else {
		fine = read_word(r, out);
	}
	r->depth--;
	return fine;
}

/* "[a.b]" or "[[a.b]]": the table that the lines behind it fill. */
static bool read_header(Reader *r, GoMap *root, GoMap **out)
{
	Arena *arena = call_arena(r->call);
	bool list = starts(r, "[[");
	GoMap *map = root;
	GoValue value;
	Str key;
	r->at += list ? 2 : 1;
	if (!read_key(r, &key))
		return false;
	for (skip_blanks(r); now(r) == '.'; skip_blanks(r)) {
		r->at++;
		if (!descend(r, &map, key) || !read_key(r, &key))
			return false;
	}
	if (!starts(r, list ? "]]" : "]"))
		return fail(r, "expected table separator");
	r->at += list ? 2 : 1;
	if (list) {
		if (!go_map_get(arena, map, key, &value)) {
			value = go_list(go_list_new(arena, GO_LIST, 0));
			go_map_put(arena, map, key, value);
		}
		if (value.type != GO_LIST ||
		    !append(r, value.list, go_map(go_map_new(arena, GO_MAP))))
			return fail(r, "key is no list of tables");
	}
	*out = map;
	return descend(r, out, key) && end_line(r);
}

bool toml_read(GoCall *call, Str text, GoValue *out, Buf *why)
{
	Reader r = {.call = call, .text = text, .line = 1, .why = why};
	GoMap *root = go_map_new(call_arena(call), GO_MAP), *table = root;
	skip_lines(&r);
	while (r.at < r.text.len) {
		bool fine = now(&r) == '[' ? read_header(&r, root, &table)
					   : read_member(&r, table) && end_line(&r);
		if (!fine || !run_step(call->run))
			return false;
	}
	*out = go_map(root);
	return true;
}
