#include "gotmpl/lex.h"

#include "gotmpl/strconv.h"

/*
 * Each call gives one token. Outside of "{{ }}" all is text; a trim marker takes blanks off the
 * text before or after. A lexing error empties the input, as upstream's does.
 */

enum { END_OF_INPUT = -1, TRIM_LEN = 2 };

typedef enum { LEX_TEXT, LEX_LEFT, LEX_COMMENT, LEX_INSIDE, LEX_DONE } LexState;

static const struct {
	const char *word;
	TokenType type;
} keywords[] = {
	{"block", TOKEN_BLOCK},
	{"break", TOKEN_BREAK},
	{"continue", TOKEN_CONTINUE},
	{"define", TOKEN_DEFINE},
	{"else", TOKEN_ELSE},
	{"end", TOKEN_END},
	{"if", TOKEN_IF},
	{"nil", TOKEN_NIL},
	{"range", TOKEN_RANGE},
	{"template", TOKEN_TEMPLATE},
	{"with", TOKEN_WITH},
	{"true", TOKEN_BOOL},
	{"false", TOKEN_BOOL},
};

void lexer_init(Lexer *lexer, Arena *arena, const GoUnicode *unicode, Str input)
{
	*lexer = (Lexer){.arena = arena, .unicode = unicode, .input = input};
	lexer->line = lexer->start_line = 1;
}

static bool is_blank(int64_t rune)
{
	return rune == ' ' || rune == '\t' || rune == '\r' || rune == '\n';
}

static Str rest(const Lexer *lexer)
{
	return str_slice(lexer->input, lexer->pos, lexer->input.len);
}

static int64_t peek_width(const Lexer *lexer, size_t *width)
{
	*width = 0;
	if (lexer->pos >= lexer->input.len)
		return END_OF_INPUT;
	unsigned char byte = (unsigned char)lexer->input.ptr[lexer->pos];
	if (byte >= 0x80)
		return rune_decode(rest(lexer), width);
	*width = 1;
	return byte;
}

static int64_t peek(const Lexer *lexer)
{
	size_t width;
	return peek_width(lexer, &width);
}

static int64_t next(Lexer *lexer)
{
	size_t width;
	int64_t rune = peek_width(lexer, &width);
	lexer->pos += width;
	lexer->line += rune == '\n';
	return rune;
}

static bool is_word(const Lexer *lexer, int64_t rune)
{
	if (rune < 0)
		return false;
	uint32_t code = (uint32_t)rune;
	return code == '_' || rune_is_letter(lexer->unicode, code) ||
	       rune_is_digit(lexer->unicode, code);
}

/* Letters, digits and _ of ASCII. */
static const bool word_bytes[128] = {
	['_'] = true,
	['0' ... '9'] = true,
	['A' ... 'Z'] = true,
	['a' ... 'z'] = true,
};

/* To the end of a word; no rune of it is a line break. */
static void skip_word(Lexer *lexer)
{
	const Str input = lexer->input;
	for (;;) {
		while (lexer->pos < input.len && input.ptr[lexer->pos] >= 0 &&
		       word_bytes[(size_t)input.ptr[lexer->pos]])
			lexer->pos++;
		if (lexer->pos >= input.len || input.ptr[lexer->pos] >= 0 ||
		    !is_word(lexer, peek(lexer)))
			return;
		next(lexer);
	}
}

static int count_lines(Str text)
{
	int lines = 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.ptr[i] == '\n';
	return lines;
}

static LexState emit(Lexer *lexer, TokenType type)
{
	Str text = str_slice(lexer->input, lexer->start, lexer->pos);
	lexer->token = (Token){type, lexer->start, text, lexer->start_line};
	lexer->start = lexer->pos;
	lexer->start_line = lexer->line;
	return LEX_DONE;
}

static void ignore(Lexer *lexer)
{
	lexer->line += count_lines(str_slice(lexer->input, lexer->start, lexer->pos));
	lexer->start = lexer->pos;
	lexer->start_line = lexer->line;
}

static LexState fail(Lexer *lexer, const char *message)
{
	lexer->token = (Token){TOKEN_ERROR, lexer->start, str_of(message), lexer->start_line};
	lexer->start = lexer->pos = 0;
	lexer->input.len = 0;
	return LEX_DONE;
}

static LexState fail_rune(Lexer *lexer, const char *message, int64_t rune)
{
	autobuf Buf text = {0};
	buf_printf(&text, "%sU+%04llX", message, (unsigned long long)rune);
	if (rune >= 0 && rune_is_print(lexer->unicode, (uint32_t)rune)) {
		buf_puts(&text, " '");
		buf_put_rune(&text, (uint32_t)rune);
		buf_putc(&text, '\'');
	}
	return fail(lexer, arena_strndup(lexer->arena, buf_text(&text), text.len));
}

static LexState fail_number(Lexer *lexer)
{
	autobuf Buf text = {0};
	buf_puts(&text, "bad number syntax: ");
	quote_append(lexer->unicode, str_slice(lexer->input, lexer->start, lexer->pos), false,
		     &text);
	return fail(lexer, arena_strndup(lexer->arena, buf_text(&text), text.len));
}

static bool starts_with(const Lexer *lexer, size_t at, const char *text)
{
	return str_starts(str_slice(lexer->input, at, lexer->input.len), str_of(text));
}

static bool closes(const Lexer *lexer, size_t at)
{
	return at + 1 < lexer->input.len && lexer->input.ptr[at] == '}' &&
	       lexer->input.ptr[at + 1] == '}';
}

static bool left_trim(const Lexer *lexer, size_t at)
{
	return at + 1 < lexer->input.len && lexer->input.ptr[at] == '-' &&
	       is_blank(lexer->input.ptr[at + 1]);
}

static bool right_trim(const Lexer *lexer, size_t at)
{
	return at + 1 < lexer->input.len && is_blank(lexer->input.ptr[at]) &&
	       lexer->input.ptr[at + 1] == '-';
}

static bool at_right_delim(const Lexer *lexer, bool *trim)
{
	*trim = false;
	char byte = lexer->pos < lexer->input.len ? lexer->input.ptr[lexer->pos] : '\0';
	if (byte != '}' && !is_blank(byte))
		return false;
	*trim = right_trim(lexer, lexer->pos) && closes(lexer, lexer->pos + TRIM_LEN);
	return *trim || closes(lexer, lexer->pos);
}

static size_t left_blanks(Str text)
{
	size_t len = 0;
	while (len < text.len && is_blank(text.ptr[len]))
		len++;
	return len;
}

static size_t right_blanks(Str text)
{
	size_t len = 0;
	while (len < text.len && is_blank(text.ptr[text.len - 1 - len]))
		len++;
	return len;
}

/* As str_find for "{{"; charts have few other braces. */
static ptrdiff_t find_left_delim(Str text)
{
	for (size_t at = 0; at + 1 < text.len; at++) {
		ptrdiff_t found = str_find_char(str_slice(text, at, text.len - 1), '{');
		if (found < 0)
			return -1;
		at += (size_t)found;
		if (text.ptr[at + 1] == '{')
			return (ptrdiff_t)at;
	}
	return -1;
}

static LexState lex_text(Lexer *lexer)
{
	ptrdiff_t found = find_left_delim(rest(lexer));
	if (found < 0) {
		lexer->pos = lexer->input.len;
		if (lexer->pos <= lexer->start)
			return emit(lexer, TOKEN_EOF);
		lexer->line += count_lines(str_slice(lexer->input, lexer->start, lexer->pos));
		return emit(lexer, TOKEN_TEXT);
	}
	if (found == 0)
		return LEX_LEFT;
	lexer->pos += (size_t)found;
	size_t trim = 0;
	if (left_trim(lexer, lexer->pos + 2))
		trim = right_blanks(str_slice(lexer->input, lexer->start, lexer->pos));
	lexer->pos -= trim;
	lexer->line += count_lines(str_slice(lexer->input, lexer->start, lexer->pos));
	emit(lexer, TOKEN_TEXT);
	lexer->pos += trim;
	ignore(lexer);
	return lexer->token.text.len > 0 ? LEX_DONE : LEX_LEFT;
}

static LexState lex_left_delim(Lexer *lexer)
{
	lexer->pos += 2;
	size_t marker = left_trim(lexer, lexer->pos) ? (size_t)TRIM_LEN : 0;
	if (starts_with(lexer, lexer->pos + marker, "/*")) {
		lexer->pos += marker;
		ignore(lexer);
		return LEX_COMMENT;
	}
	emit(lexer, TOKEN_LEFT_DELIM);
	lexer->inside = true;
	lexer->pos += marker;
	ignore(lexer);
	lexer->parens = 0;
	return LEX_DONE;
}

static LexState lex_comment(Lexer *lexer)
{
	bool trim;
	lexer->pos += 2;
	ptrdiff_t end = str_find(rest(lexer), STR("*/"));
	if (end < 0)
		return fail(lexer, "unclosed comment");
	lexer->pos += (size_t)end + 2;
	if (!at_right_delim(lexer, &trim))
		return fail(lexer, "comment ends before closing delimiter");
	lexer->line += count_lines(str_slice(lexer->input, lexer->start, lexer->pos));
	lexer->start = lexer->pos;
	lexer->start_line = lexer->line;
	lexer->pos += trim ? TRIM_LEN + 2 : 2;
	if (trim)
		lexer->pos += left_blanks(rest(lexer));
	ignore(lexer);
	return LEX_TEXT;
}

static LexState lex_right_delim(Lexer *lexer)
{
	bool trim;
	at_right_delim(lexer, &trim);
	if (trim) {
		lexer->pos += TRIM_LEN;
		ignore(lexer);
	}
	lexer->pos += 2;
	emit(lexer, TOKEN_RIGHT_DELIM);
	if (trim) {
		lexer->pos += left_blanks(rest(lexer));
		ignore(lexer);
	}
	lexer->inside = false;
	return LEX_DONE;
}

static LexState lex_space(Lexer *lexer)
{
	size_t count = 0, last = lexer->pos;
	for (; is_blank(peek(lexer)); count++) {
		last = lexer->pos;
		next(lexer);
	}
	if (right_trim(lexer, last) && closes(lexer, last + TRIM_LEN)) {
		lexer->line -= lexer->input.ptr[last] == '\n';
		lexer->pos = last;
		if (count == 1)
			return lex_right_delim(lexer);
	}
	return emit(lexer, TOKEN_SPACE);
}

/* What may follow an identifier, so that ".X.Y" falls into two and "$x+2" is refused. */
static bool at_terminator(const Lexer *lexer)
{
	int64_t rune = peek(lexer);
	if (is_blank(rune) || rune == END_OF_INPUT)
		return true;
	switch (rune) {
	case '.':
	case ',':
	case '|':
	case ':':
	case ')':
	case '(':
		return true;
	default:
		return closes(lexer, lexer->pos);
	}
}

static LexState lex_identifier(Lexer *lexer)
{
	skip_word(lexer);
	if (!at_terminator(lexer))
		return fail_rune(lexer, "bad character ", peek(lexer));
	Str word = str_slice(lexer->input, lexer->start, lexer->pos);
	for (size_t i = 0; i < COUNT(keywords); i++)
		if (word.ptr[0] == keywords[i].word[0] && str_eq(word, str_of(keywords[i].word)))
			return emit(lexer, keywords[i].type);
	return emit(lexer, TOKEN_IDENTIFIER);
}

/* After "." or "$". */
static LexState lex_field(Lexer *lexer, TokenType type)
{
	if (at_terminator(lexer))
		return emit(lexer, type == TOKEN_VARIABLE ? TOKEN_VARIABLE : TOKEN_DOT);
	skip_word(lexer);
	if (!at_terminator(lexer))
		return fail_rune(lexer, "bad character ", peek(lexer));
	return emit(lexer, type);
}

/* After the opening quote, to the closing one. */
static LexState lex_quoted(Lexer *lexer, char quote, TokenType type, const char *unterminated)
{
	for (;;) {
		int64_t rune = next(lexer);
		if (rune == quote)
			return emit(lexer, type);
		if (rune == '\\' && quote != '`')
			rune = next(lexer);
		if (rune == END_OF_INPUT || (rune == '\n' && quote != '`'))
			return fail(lexer, unterminated);
	}
}

static bool accept(Lexer *lexer, const char *set)
{
	int64_t rune = peek(lexer);
	while (*set && *set != rune)
		set++;
	if (!*set)
		return false;
	lexer->pos++; /* of ASCII, and no line break */
	return true;
}

static void accept_run(Lexer *lexer, const char *set)
{
	while (accept(lexer, set))
		continue;
}

static bool scan_number(Lexer *lexer)
{
	const char *digits = "0123456789_";
	bool hex = false, decimal = true;
	accept(lexer, "+-");
	if (accept(lexer, "0")) {
		hex = accept(lexer, "xX");
		decimal = false;
		if (hex)
			digits = "0123456789abcdefABCDEF_";
		else if (accept(lexer, "oO"))
			digits = "01234567_";
		else if (accept(lexer, "bB"))
			digits = "01_";
		else
			decimal = true;
	}
	accept_run(lexer, digits);
	if (accept(lexer, "."))
		accept_run(lexer, digits);
	if ((decimal && accept(lexer, "eE")) || (hex && accept(lexer, "pP"))) {
		accept(lexer, "+-");
		accept_run(lexer, "0123456789_");
	}
	accept(lexer, "i");
	if (!is_word(lexer, peek(lexer)))
		return true;
	next(lexer);
	return false;
}

static LexState lex_number(Lexer *lexer)
{
	if (!scan_number(lexer))
		return fail_number(lexer);
	int64_t sign = peek(lexer);
	if (sign != '+' && sign != '-')
		return emit(lexer, TOKEN_NUMBER);
	if (!scan_number(lexer) || lexer->input.ptr[lexer->pos - 1] != 'i')
		return fail_number(lexer);
	return emit(lexer, TOKEN_COMPLEX);
}

static LexState lex_paren(Lexer *lexer, bool left)
{
	lexer->parens += left ? 1 : -1;
	if (lexer->parens < 0)
		return fail(lexer, "unexpected right paren");
	return emit(lexer, left ? TOKEN_LEFT_PAREN : TOKEN_RIGHT_PAREN);
}

/* The first rune is consumed. */
static LexState lex_symbol(Lexer *lexer, int64_t rune)
{
	switch (rune) {
	case '=':
		return emit(lexer, TOKEN_ASSIGN);
	case ':':
		if (next(lexer) != '=')
			return fail(lexer, "expected :=");
		return emit(lexer, TOKEN_DECLARE);
	case '|':
		return emit(lexer, TOKEN_PIPE);
	case '"':
		return lex_quoted(lexer, '"', TOKEN_STRING, "unterminated quoted string");
	case '`':
		return lex_quoted(lexer, '`', TOKEN_RAW_STRING, "unterminated raw quoted string");
	case '\'':
		return lex_quoted(lexer, '\'', TOKEN_CHAR_CONSTANT,
				  "unterminated character constant");
	case '$':
		return lex_field(lexer, TOKEN_VARIABLE);
	case '(':
	case ')':
		return lex_paren(lexer, rune == '(');
	default:
		if (rune >= ' ' && rune < 0x7f)
			return emit(lexer, TOKEN_CHAR);
		return fail_rune(lexer, "unrecognized character in action: ", rune);
	}
}

static bool starts_number(const Lexer *lexer, int64_t rune)
{
	if (rune == '+' || rune == '-' || (rune >= '0' && rune <= '9'))
		return true;
	if (rune != '.' || lexer->pos + 1 >= lexer->input.len)
		return rune == '.';
	char after = lexer->input.ptr[lexer->pos + 1];
	return after >= '0' && after <= '9';
}

static LexState lex_inside(Lexer *lexer)
{
	bool trim;
	if (at_right_delim(lexer, &trim)) {
		if (lexer->parens == 0)
			return lex_right_delim(lexer);
		return fail(lexer, "unclosed left paren");
	}
	int64_t rune = peek(lexer);
	if (rune == END_OF_INPUT)
		return fail(lexer, "unclosed action");
	if (is_blank(rune))
		return lex_space(lexer);
	if (starts_number(lexer, rune))
		return lex_number(lexer);
	if (is_word(lexer, rune))
		return lex_identifier(lexer);
	next(lexer);
	return rune == '.' ? lex_field(lexer, TOKEN_FIELD) : lex_symbol(lexer, rune);
}

Token lexer_next(Lexer *lexer)
{
	LexState state = lexer->inside ? LEX_INSIDE : LEX_TEXT;
	while (state != LEX_DONE) {
		if (state == LEX_TEXT)
			state = lex_text(lexer);
		else if (state == LEX_LEFT)
			state = lex_left_delim(lexer);
		else if (state == LEX_COMMENT)
			state = lex_comment(lexer);
		else
			state = lex_inside(lexer);
	}
	return lexer->token;
}

void token_write(const GoUnicode *unicode, const Token *token, Buf *out)
{
	if (token->type == TOKEN_EOF) {
		buf_puts(out, "EOF");
	} else if (token->type == TOKEN_ERROR) {
		buf_add(out, token->text);
	} else if (token->type > TOKEN_KEYWORD) {
		buf_putc(out, '<');
		buf_add(out, token->text);
		buf_putc(out, '>');
	} else if (token->text.len > 10) {
		/* %.10q cuts after ten runes */
		size_t width, at = 0;
		for (int i = 0; i < 10 && at < token->text.len; i++, at += width)
			rune_decode(str_slice(token->text, at, token->text.len), &width);
		quote_append(unicode, str_slice(token->text, 0, at), false, out);
		buf_puts(out, "...");
	} else {
		quote_append(unicode, token->text, false, out);
	}
}
