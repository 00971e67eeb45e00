#include <stdio.h>
#include <string.h>

#include "base/rune.h"
#include "data/yaml_emit_internal.h"

/*
 * Strings as YAML scalars. The style: `|` for what has a newline, plain for what reads back as a
 * string, double quotes for what would not; then what a style cannot hold moves on, plain to single
 * to double. Lines break at single spaces past column 80. Input is UTF-8 (jansson's strings are).
 */

enum { BEST_WIDTH = 80, SIMPLE_KEY_MAX = 128 };

/* What a text's characters allow. */
typedef struct {
	bool multiline, plain, single, block;
} Allowed;

static unsigned char byte_at(Str text, size_t at)
{
	return at < text.len ? (unsigned char)text.ptr[at] : 0;
}

/* Most are ASCII. */
static uint32_t decode(Str text, size_t at, size_t *out_width)
{
	unsigned char lead = (unsigned char)text.ptr[at];
	*out_width = 1;
	return lead < 0x80 ? lead : rune_decode(str_slice(text, at, text.len), out_width);
}

uint32_t emit_decode(Str text, size_t at)
{
	size_t width;
	return at < text.len ? decode(text, at, &width) : 0;
}

static bool is_break(uint32_t code)
{
	return code == '\r' || code == '\n' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

/* go-yaml's notion: neither tab nor anything beyond the basic plane. */
static bool is_printable(uint32_t code)
{
	if (code < 0xa0)
		return code == '\n' || (code >= 0x20 && code <= 0x7e);
	return code <= 0xfffd && code != 0xfeff && !(code >= 0xd800 && code <= 0xdfff);
}

static bool is_space(Str text, size_t at)
{
	return byte_at(text, at) == ' ';
}

static bool is_blank_or_end(Str text, size_t at)
{
	if (at >= text.len)
		return true;
	return text.ptr[at] == ' ' || text.ptr[at] == '\t' || is_break(emit_decode(text, at));
}

/* True when the character at `at` would mean something in a plain scalar outside flow context. */
static bool is_indicator(Str text, size_t at, bool after_blank)
{
	char byte = text.ptr[at];
	if (at == 0 && strchr("#,[]{}&*!|>'\"%@`", byte))
		return true;
	bool before_blank = is_blank_or_end(text, at + 1);
	if (at == 0 && (byte == '?' || byte == '-'))
		return before_blank;
	return byte == ':' ? before_blank : byte == '#' && after_blank;
}

/* Most texts are names, versions and the like: nothing in them means anything to YAML. */
static bool is_word(Str text)
{
	for (size_t at = 0; at < text.len; at++) {
		char byte = text.ptr[at];
		bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
			      (byte >= '0' && byte <= '9') || byte == '_' || byte == '/';
		if (!letter && (at == 0 || (byte != '-' && byte != '.')))
			return false;
	}
	return text.len > 0;
}

static Allowed analyze(Str text, bool tabs)
{
	if (is_word(text))
		return (Allowed){.plain = true, .single = true, .block = true};
	bool indicators = str_starts(text, STR("---")) || str_starts(text, STR("..."));
	bool special = false, breaks = false, break_space = false, space_break = false;
	bool was_space = false, was_break = false, edge = false, after_blank = true;
	bool tab = false;
	for (size_t at = 0, width; at < text.len; at += width) {
		uint32_t code = decode(text, at, &width);
		bool space = code == ' ', line_break = is_break(code);
		bool end = at == 0 || at + width >= text.len;
		indicators |= is_indicator(text, at, after_blank);
		tab |= tabs && code == '\t';
		special |= !is_printable(code) && !(tabs && code == '\t');
		breaks |= line_break;
		edge |= end && (space || line_break);
		break_space |= space && was_break;
		space_break |= line_break && was_space;
		was_space = space;
		was_break = line_break;
		after_blank = space || line_break || code == '\t';
	}
	bool unquotable = space_break || special;
	return (Allowed){
		.multiline = breaks,
		.plain = !edge && !break_space && !unquotable && !breaks && !indicators && !tab,
		.single = !break_space && !unquotable && !tab,
		.block = !unquotable && !was_space,
	};
}

static void put(Emitter *emitter, char byte)
{
	buf_putc(emitter->out, byte);
	emitter->column++;
}

static void put_break(Emitter *emitter)
{
	buf_putc(emitter->out, '\n');
	emitter->column = 0;
}

static size_t put_char(Emitter *emitter, Str text, size_t at)
{
	size_t width;
	uint32_t code = decode(text, at, &width);
	buf_append(emitter->out, text.ptr + at, width);
	emitter->column++;
	if (is_break(code))
		emitter->column = 0;
	return width;
}

void emit_indent(Emitter *emitter)
{
	int indent = emitter->indent < 0 ? 0 : emitter->indent;
	if (!emitter->indentation || emitter->column > indent ||
	    (emitter->column == indent && !emitter->whitespace))
		put_break(emitter);
	while (emitter->column < indent)
		put(emitter, ' ');
	emitter->whitespace = true;
	emitter->indentation = true;
}

void emit_increase_indent(Emitter *emitter, bool flow, bool indentless)
{
	int step = emitter->step ? emitter->step : 2;
	if (emitter->indent < 0)
		emitter->indent = flow ? step : 0;
	else if (!indentless && (!emitter->step || emitter->in_sequence))
		emitter->indent += 2; /* "- " is the first step within a list */
	else if (!indentless)
		emitter->indent = step * ((emitter->indent + step) / step);
}

void emit_indicator(Emitter *emitter, const char *text, bool spaced, bool whitespace,
		    bool indentation)
{
	if (spaced && !emitter->whitespace)
		put(emitter, ' ');
	for (; *text; text++)
		put(emitter, *text);
	emitter->whitespace = whitespace;
	emitter->indentation = emitter->indentation && indentation;
}

/* True when the space at `at` may become a line break. */
static bool may_fold(const Emitter *emitter, bool key, bool after_space)
{
	bool folds = !emitter->step && !emitter->long_lines;
	return folds && !key && !after_space && emitter->column > BEST_WIDTH;
}

static void write_plain(Emitter *emitter, Str text, bool key)
{
	if (!emitter->whitespace)
		put(emitter, ' ');
	bool after_space = false;
	size_t at = 0;
	if (is_word(text)) {
		buf_add(emitter->out, text);
		emitter->column += (int)text.len;
		at = text.len;
	}
	while (at < text.len) {
		bool space = is_space(text, at);
		if (space && may_fold(emitter, key, after_space) && !is_space(text, at + 1)) {
			emit_indent(emitter);
			at++;
		} else {
			at += put_char(emitter, text, at);
			emitter->indentation &= space;
		}
		after_space = space;
	}
	emitter->whitespace = false;
	emitter->indentation = false;
}

static void write_single(Emitter *emitter, Str text, bool key)
{
	emit_indicator(emitter, "'", true, false, false);
	bool after_space = false, after_break = false;
	for (size_t at = 0; at < text.len;) {
		bool space = is_space(text, at), line_break = is_break(emit_decode(text, at));
		if (space && may_fold(emitter, key, after_space) && at > 0 && at + 1 < text.len &&
		    !is_space(text, at + 1)) {
			emit_indent(emitter);
			after_space = true;
			at++;
			continue;
		}
		if (!space && !line_break && after_break)
			emit_indent(emitter);
		if (line_break && !after_break && text.ptr[at] == '\n')
			put_break(emitter);
		if (text.ptr[at] == '\'')
			put(emitter, '\'');
		at += put_char(emitter, text, at);
		emitter->indentation = line_break || (space && emitter->indentation);
		after_space = space;
		after_break = line_break || (space && after_break);
	}
	emit_indicator(emitter, "'", false, false, false);
	emitter->whitespace = false;
	emitter->indentation = false;
}

static void write_escape(Emitter *emitter, uint32_t code)
{
	static const struct {
		uint32_t code;
		char letter;
	} rows[] = {
		{0, '0'},     {7, 'a'},	   {8, 'b'},	{9, 't'},      {10, 'n'},
		{11, 'v'},    {12, 'f'},   {13, 'r'},	{27, 'e'},     {'"', '"'},
		{'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'},
	};
	put(emitter, '\\');
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].code == code) {
			put(emitter, rows[i].letter);
			return;
		}
	}
	char text[12];
	if (code <= 0xff)
		snprintf(text, sizeof(text), "x%02X", code);
	else
		snprintf(text, sizeof(text), code <= 0xffff ? "u%04X" : "U%08X", code);
	for (const char *at = text; *at; at++)
		put(emitter, *at);
}

static bool needs_escape(uint32_t code)
{
	return !is_printable(code) || is_break(code) || code == '"' || code == '\\';
}

static void write_double(Emitter *emitter, Str text, bool key)
{
	emit_indicator(emitter, "\"", true, false, false);
	/* go-yaml asks for a byte order mark at the start of the text, whatever the position. */
	bool all = str_starts(text, STR("\xef\xbb\xbf"));
	bool after_space = false;
	for (size_t at = 0; at < text.len;) {
		size_t width;
		uint32_t code = decode(text, at, &width);
		bool space = code == ' ' && !all;
		if (space && may_fold(emitter, key, after_space) && at > 0 && at + 1 < text.len) {
			emit_indent(emitter);
			if (is_space(text, at + 1))
				put(emitter, '\\');
			at++;
		} else if (all || needs_escape(code)) {
			write_escape(emitter, code);
			at += width;
		} else {
			at += put_char(emitter, text, at);
		}
		after_space = space;
	}
	emit_indicator(emitter, "\"", false, false, false);
	emitter->whitespace = false;
	emitter->indentation = false;
}

/* "-" for no newline at the end, "+" for more than one or nothing but one. */
static const char *chomping(Str text)
{
	if (!str_ends(text, STR("\n")))
		return "-";
	return text.len == 1 || text.ptr[text.len - 2] == '\n' ? "+" : "";
}

static void write_literal(Emitter *emitter, Str text)
{
	emit_indicator(emitter, "|", true, false, false);
	const char hint[] = {(char)('0' + (emitter->step ? emitter->step : 2)), '\0'};
	if (is_space(text, 0) || is_break(emit_decode(text, 0)))
		emit_indicator(emitter, hint, false, false, false);
	emit_indicator(emitter, chomping(text), false, false, false);
	if (emitter->behind.len)
		buf_putc(emitter->out, ' ');
	buf_add(emitter->out, emitter->behind);
	emitter->behind = (Str){0};
	put_break(emitter);
	emitter->whitespace = true;
	emitter->indentation = true;
	bool start = true;
	for (size_t at = 0; at < text.len;) {
		bool line_break = is_break(emit_decode(text, at));
		if (start && !line_break)
			emit_indent(emitter);
		at += put_char(emitter, text, at);
		emitter->indentation = line_break;
		start = line_break;
	}
}

static void write_quoted(Emitter *emitter, Str text, const Allowed *allowed, bool key)
{
	if (allowed->single)
		write_single(emitter, text, key);
	else
		write_double(emitter, text, key);
}

void emit_plain(Emitter *emitter, Str text)
{
	write_plain(emitter, text, true);
}

void emit_string(Emitter *emitter, Str text, bool key)
{
	Allowed allowed = analyze(text, emitter->step > 0);
	int before = emitter->indent;
	emit_increase_indent(emitter, true, false);
	/* `<<` as a key would be read as a merge. */
	bool merge = key && str_eq(text, STR("<<"));
	bool multiline = memchr(text.ptr, '\n', text.len) != NULL;
	if (multiline && allowed.block && !key)
		write_literal(emitter, text);
	else if (multiline || (key && allowed.multiline) || merge || !yaml_is_plain_string(text))
		write_double(emitter, text, key);
	else if (allowed.plain)
		write_plain(emitter, text, key);
	else
		write_quoted(emitter, text, &allowed, key);
	emitter->indent = before;
}

bool emit_is_simple_key(Str text)
{
	return text.len <= SIMPLE_KEY_MAX && !analyze(text, false).multiline;
}
