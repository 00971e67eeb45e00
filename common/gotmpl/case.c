#include "base/mem.h"
#include "base/rand.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Upper and lower case, words, connectors: goutils and xstrings as sprig uses them. */

typedef uint32_t (*RuneMap)(const GoUnicode *unicode, uint32_t rune);

/* Runes of a text, for functions that look at neighbours. */
typedef struct {
	uint32_t *items;
	size_t len;
} Runes;

static const GoUnicode *tables(const GoCall *call)
{
	return call->run->set->unicode;
}

static Runes runes_of(GoCall *call, Str text)
{
	Runes runes = {0};
	size_t width;
	runes.items = arena_alloc(call_arena(call), (text.len + 1) * sizeof(uint32_t));
	for (size_t at = 0; at < text.len; at += width)
		runes.items[runes.len++] = rune_decode(str_slice(text, at, text.len), &width);
	return runes;
}

static bool return_runes(GoCall *call, Runes runes, GoValue *out)
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < runes.len; i++)
		buf_put_rune(&text, runes.items[i]);
	return call_return_text(call, &text, out);
}

static bool map_text(GoCall *call, RuneMap map, GoValue *out)
{
	autobuf Buf text = {0};
	runes_map(tables(call), call->args[0].text, map, &text);
	return call_return_text(call, &text, out);
}

static bool fn_upper(GoCall *call, GoValue *out)
{
	return map_text(call, rune_upper, out);
}

static bool fn_lower(GoCall *call, GoValue *out)
{
	return map_text(call, rune_lower, out);
}

/* strings.Title's idea of a separator. */
static bool is_separator(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return !(rune_is_letter(unicode, rune) || rune_is_digit(unicode, rune) ||
			 rune == '_');
	if (rune_is_letter(unicode, rune) || rune_is_digit(unicode, rune))
		return false;
	return rune_is_space(rune);
}

static bool fn_title(GoCall *call, GoValue *out)
{
	Runes runes = runes_of(call, call->args[0].text);
	uint32_t before = ' ';
	for (size_t i = 0; i < runes.len; i++) {
		uint32_t rune = runes.items[i];
		if (is_separator(tables(call), before))
			runes.items[i] = rune_upper(tables(call), rune);
		before = rune;
	}
	return return_runes(call, runes, out);
}

static bool fn_untitle(GoCall *call, GoValue *out)
{
	Runes runes = runes_of(call, call->args[0].text);
	bool next = true;
	for (size_t i = 0; i < runes.len; i++) {
		if (rune_is_space(runes.items[i])) {
			next = true;
		} else if (next) {
			runes.items[i] = rune_lower(tables(call), runes.items[i]);
			next = false;
		}
	}
	return return_runes(call, runes, out);
}

static bool fn_swapcase(GoCall *call, GoValue *out)
{
	Runes runes = runes_of(call, call->args[0].text);
	bool blank = true;
	for (size_t i = 0; i < runes.len; i++) {
		uint32_t rune = runes.items[i];
		if (rune_is_upper(tables(call), rune)) {
			runes.items[i] = rune_lower(tables(call), rune);
			blank = false;
		} else if (rune_is_lower(tables(call), rune)) {
			runes.items[i] = rune_upper(tables(call), rune);
			blank = false;
		} else {
			blank = rune_is_space(rune);
		}
	}
	(void)blank;
	return return_runes(call, runes, out);
}

/* goutils works on bytes here and writes each as a rune, which spoils what is not ASCII. */
static bool fn_nospace(GoCall *call, GoValue *out)
{
	Str text = call->args[0].text;
	autobuf Buf result = {0};
	size_t kept = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (rune_is_space(byte))
			continue;
		buf_put_rune(&result, byte);
		kept++;
	}
	if (kept == text.len) {
		*out = call->args[0];
		return true;
	}
	return call_return_text(call, &result, out);
}

static bool fn_initials(GoCall *call, GoValue *out)
{
	Str text = call->args[0].text;
	autobuf Buf result = {0};
	bool gap = true;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (rune_is_space(byte)) {
			gap = true;
		} else if (gap) {
			buf_put_rune(&result, byte);
			gap = false;
		}
	}
	return call_return_text(call, &result, out);
}

static bool fn_shuffle(GoCall *call, GoValue *out)
{
	Runes runes = runes_of(call, call->args[0].text);
	for (size_t i = runes.len; i > 1; i--) {
		size_t other = (size_t)rand_below(i);
		uint32_t rune = runes.items[i - 1];
		runes.items[i - 1] = runes.items[other];
		runes.items[other] = rune;
	}
	return return_runes(call, runes, out);
}

static bool is_connector(uint32_t rune)
{
	return rune == '-' || rune == '_' || rune_is_space(rune);
}

/* xstrings.ToPascalCase: a rune is written when the one after it is known. */
static bool fn_camelcase(GoCall *call, GoValue *out)
{
	Runes runes = runes_of(call, call->args[0].text);
	const GoUnicode *u = tables(call);
	autobuf Buf result = {0};
	size_t i = 0;
	uint32_t now = 0;
	bool upper_run = false;
	while (i < runes.len) {
		now = runes.items[i++];
		if (!is_connector(now)) {
			upper_run = rune_is_upper(u, now);
			now = rune_upper(u, now);
			break;
		}
		buf_put_rune(&result, now);
	}
	bool any = runes.len > 0;
	while (i < runes.len) {
		uint32_t before = now;
		now = runes.items[i++];
		if (is_connector(now) && is_connector(before)) {
			buf_put_rune(&result, before);
			continue;
		}
		if (is_connector(before)) {
			upper_run = rune_is_upper(u, now);
			now = rune_upper(u, now);
			continue;
		}
		if (upper_run && rune_is_upper(u, now))
			now = rune_lower(u, now);
		else
			upper_run = false;
		buf_put_rune(&result, before);
	}
	if (any)
		buf_put_rune(&result, now);
	return call_return_text(call, &result, out);
}

/* ---- snake_case and kebab-case ---- */

typedef enum {
	WORD_NONE,
	WORD_NUMBER,
	WORD_UPPER,
	WORD_LETTERS,
	WORD_CONNECTOR,
	WORD_PUNCT,
	WORD_OTHER,
} WordType;

typedef struct {
	GoCall *call;
	Str rest;
	WordType type;
	Str word;
	uint32_t connector;
	Buf *out;
} Words;

static bool is_alphabet(const GoUnicode *u, uint32_t rune)
{
	/* xstrings.isAlphabet: letters without the Chinese ones */
	bool chinese = (rune >= 0x4e00 && rune <= 0x9fcc) || (rune >= 0x3400 && rune <= 0x4d85) ||
		       (rune >= 0x20000 && rune <= 0x2b81d);
	return rune_is_letter(u, rune) && !chinese;
}

static WordType class_of(const GoUnicode *u, uint32_t rune)
{
	if (is_connector(rune))
		return WORD_CONNECTOR;
	if (rune_is_punct(u, rune))
		return WORD_PUNCT;
	if (rune_is_upper(u, rune))
		return WORD_UPPER;
	if (is_alphabet(u, rune))
		return WORD_LETTERS;
	return rune_is_digit(u, rune) ? WORD_NUMBER : WORD_OTHER;
}

/* The rune at an offset; broken bytes belong to it. 0 width at the end. */
static uint32_t rune_at(Str text, size_t at, uint32_t fallback, size_t *width)
{
	*width = 0;
	while (at + *width < text.len) {
		size_t one;
		uint32_t rune = rune_decode(str_slice(text, at + *width, text.len), &one);
		*width += one;
		if (rune != RUNE_ERROR)
			return rune;
	}
	return fallback;
}

/* How far runes of one class go on. */
static size_t run_of(const GoUnicode *u, Str text, size_t at, WordType type)
{
	size_t width;
	while (at < text.len) {
		WordType here = class_of(u, rune_at(text, at, RUNE_ERROR, &width));
		if (here != type)
			break;
		at += width;
	}
	return at;
}

/* "HTTPStatus" is "HTTP" and "Status": the last capital belongs to what follows. */
static size_t upper_end(const GoUnicode *u, Str text, size_t at)
{
	size_t width, last = at;
	uint32_t rune = rune_at(text, at, RUNE_ERROR, &width);
	if (at >= text.len)
		return at;
	if (!rune_is_upper(u, rune))
		return is_alphabet(u, rune) ? run_of(u, text, at, WORD_LETTERS) : at;
	while (at < text.len && rune_is_upper(u, rune_at(text, at, RUNE_ERROR, &width))) {
		last = at;
		at += width;
	}
	if (at < text.len && is_alphabet(u, rune_at(text, at, RUNE_ERROR, &width)))
		return last;
	return at;
}

static void next_word(Words *w)
{
	const GoUnicode *u = tables(w->call);
	size_t width, end;
	w->type = WORD_NONE;
	w->word = STR("");
	if (w->rest.len == 0)
		return;
	uint32_t rune = rune_at(w->rest, 0, RUNE_ERROR, &width);
	end = width;
	if (rune != RUNE_ERROR) {
		w->type = class_of(u, rune);
		end = w->type == WORD_UPPER ? upper_end(u, w->rest, width)
					    : run_of(u, w->rest, width, w->type);
	}
	w->word = str_slice(w->rest, 0, end);
	w->rest = str_slice(w->rest, end, w->rest.len);
}

static void put_lower(Words *w, WordType type, Str word)
{
	size_t width;
	if (type != WORD_UPPER && type != WORD_CONNECTOR) {
		buf_add(w->out, word);
		return;
	}
	for (size_t at = 0; at < word.len; at += width) {
		uint32_t rune = rune_decode(str_slice(word, at, word.len), &width);
		buf_put_rune(w->out,
			     is_connector(rune) ? w->connector : rune_lower(tables(w->call), rune));
	}
}

static void put_connector_unless(Words *w, bool no_word)
{
	if (!no_word && w->type != WORD_CONNECTOR && w->type != WORD_PUNCT)
		buf_put_rune(w->out, w->connector);
}

static void put_numbers_and_letters(Words *w)
{
	while (w->type == WORD_LETTERS || w->type == WORD_NUMBER) {
		put_lower(w, w->type, w->word);
		next_word(w);
	}
	put_connector_unless(w, w->type == WORD_NONE);
}

/* A number behind letters belongs to them, unless small letters follow: "HTTP2xx" is http_2xx. */
static void put_number_after(Words *w)
{
	if (w->rest.len == 0)
		return;
	Str number = w->word;
	next_word(w);
	if (w->type != WORD_LETTERS) {
		put_lower(w, WORD_NUMBER, number);
		put_connector_unless(w, false);
		return;
	}
	buf_put_rune(w->out, w->connector);
	put_lower(w, WORD_NUMBER, number);
	put_numbers_and_letters(w);
}

static bool to_lower_words(GoCall *call, uint32_t connector, GoValue *out)
{
	autobuf Buf result = {0};
	Words w = {
		.call = call, .rest = call->args[0].text, .connector = connector, .out = &result};
	next_word(&w);
	while (w.rest.len > 0) {
		WordType before = w.type;
		Str last = w.word;
		if (before != WORD_CONNECTOR)
			put_lower(&w, before, last);
		next_word(&w);
		if (before == WORD_NUMBER)
			put_numbers_and_letters(&w);
		else if (before == WORD_CONNECTOR)
			put_lower(&w, before, last);
		else if (before == WORD_PUNCT)
			continue;
		else if (w.type == WORD_NUMBER)
			put_number_after(&w);
		else
			put_connector_unless(&w, false);
	}
	put_lower(&w, w.type, w.word);
	return call_return_text(call, &result, out);
}

static bool fn_snakecase(GoCall *call, GoValue *out)
{
	return to_lower_words(call, '_', out);
}

static bool fn_kebabcase(GoCall *call, GoValue *out)
{
	return to_lower_words(call, '-', out);
}

const GoFn functions_case[] = {
	{"upper", "s", fn_upper},	  {"lower", "s", fn_lower},
	{"title", "s", fn_title},	  {"untitle", "s", fn_untitle},
	{"swapcase", "s", fn_swapcase},	  {"nospace", "s", fn_nospace},
	{"initials", "s", fn_initials},	  {"shuffle", "s", fn_shuffle},
	{"camelcase", "s", fn_camelcase}, {"snakecase", "s", fn_snakecase},
	{"kebabcase", "s", fn_kebabcase}, {0},
};
