#include "data/regex.h"

#include <ctype.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/*
 * A pattern is first read as RE2 would (github.com/google/re2/wiki/Syntax, Go's regexp): what it
 * refuses is refused here, what means something else in PCRE2 is rewritten. Then PCRE2 runs it
 * under limits; without JIT, which does not obey them all.
 */

enum {
	PATTERN_MAX = 16 * 1024,
	REPEAT_MAX = 1000,
	MATCH_LIMIT = 1000000,
	DEPTH_LIMIT = 10000,
	HEAP_LIMIT_KIB = 16 * 1024,
};

struct Regex {
	pcre2_code *code;
	pcre2_match_context *limits;
};

typedef struct {
	const char *at;
	bool in_class;
	bool repeatable; /* something stands before that a quantifier may repeat */
	bool repeated;	 /* a quantifier stands before */
	Buf out;
	const char *problem;
} Translator;

static bool refuse(Translator *t, const char *problem)
{
	t->problem = problem;
	return false;
}

static void copy(Translator *t, size_t len)
{
	buf_append(&t->out, t->at, len);
	t->at += len;
}

static void atom(Translator *t)
{
	t->repeatable = true;
	t->repeated = false;
}

/* Escapes whose meaning differs: RE2's \s has no vertical tab, its \v is just that. */
static bool rewrite_escape(Translator *t)
{
	static const struct {
		char letter;
		const char *outside, *inside;
	} rows[] = {
		{'s', "[\\t\\n\\f\\r ]", "\\t\\n\\f\\r "},
		{'S', "[^\\t\\n\\f\\r ]", "\\S"},
		{'v', "\\x0b", "\\x0b"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (t->at[1] != rows[i].letter)
			continue;
		buf_puts(&t->out, t->in_class ? rows[i].inside : rows[i].outside);
		t->at += 2;
		return true;
	}
	return false;
}

/* \Q...\E, written as PCRE2 reads it too. */
static void copy_quoted(Translator *t)
{
	const char *end = strstr(t->at, "\\E");
	copy(t, end ? (size_t)(end + 2 - t->at) : strlen(t->at));
}

static bool read_escape(Translator *t)
{
	char letter = t->at[1];
	atom(t);
	if (!letter)
		return refuse(t, "trailing backslash");
	if (letter == 'Q' && !t->in_class) {
		copy_quoted(t);
		return true;
	}
	if (rewrite_escape(t))
		return true;
	bool octal = letter >= '1' && letter <= '7' && t->at[2] >= '0' && t->at[2] <= '7';
	const char *allowed = t->in_class ? "dDwWpPaftnrx0" : "dDwWpPaftnrx0bBAz";
	bool punct = !isalnum((unsigned char)letter) && (unsigned char)letter < 0x80;
	if (!octal && !punct && !strchr(allowed, letter))
		return refuse(t, isdigit((unsigned char)letter)
					 ? "back-references are not supported"
					 : "unknown escape sequence");
	if (octal)
		return refuse(t, "octal escapes are not supported, use \\x");
	copy(t, 2);
	return true;
}

/* After "(?": flags, ":" or a name. */
static bool read_group(Translator *t)
{
	t->repeatable = t->repeated = false;
	if (t->at[1] == '*')
		return refuse(t, "missing argument to repetition operator");
	if (t->at[1] != '?') {
		copy(t, 1);
		return true;
	}
	const char *rest = t->at + 2;
	bool named = rest[0] == 'P' && rest[1] == '<';
	named |= rest[0] == '<' && rest[1] != '=' && rest[1] != '!';
	if (named) {
		copy(t, (size_t)(rest - t->at) + (rest[0] == 'P' ? 2 : 1));
		size_t len = strcspn(t->at, ">");
		copy(t, len);
		return len > 0 || refuse(t, "invalid named capture");
	}
	size_t flags = strspn(rest, "imsU-");
	char end = rest[flags];
	if (end != ':' && !(end == ')' && flags > 0))
		return refuse(t, "only (?:, (?P<name> and the flags i, m, s, U are supported");
	copy(t, flags + 3);
	return true;
}

/* {n}, {n,} or {n,m} at the position: its length, else 0 (then "{" stands for itself). */
static size_t repeat_length(const char *text, long *most)
{
	size_t len = 1, digits = strspn(text + 1, "0123456789");
	if (digits == 0)
		return 0;
	*most = digits > 4 ? REPEAT_MAX + 1 : strtol(text + 1, NULL, 10);
	len += digits;
	if (text[len] == ',') {
		digits = strspn(text + ++len, "0123456789");
		long upper = digits > 4 ? REPEAT_MAX + 1 : strtol(text + len, NULL, 10);
		*most = digits > 0 && upper > *most ? upper : *most;
		len += digits;
	}
	return text[len] == '}' ? len + 1 : 0;
}

static bool read_repeat(Translator *t, size_t len)
{
	if (t->repeated)
		return refuse(t, "invalid nested repetition operator");
	if (!t->repeatable)
		return refuse(t, "missing argument to repetition operator");
	copy(t, len);
	if (*t->at == '?')
		copy(t, 1);
	t->repeated = true;
	return true;
}

/* "[", "[^" and a "]" that comes first and stands for itself. */
static void open_class(Translator *t)
{
	t->in_class = true;
	copy(t, t->at[1] == '^' ? 2 : 1);
	if (*t->at == ']')
		copy(t, 1);
}

static void read_in_class(Translator *t)
{
	const char *end = t->at[0] == '[' && t->at[1] == ':' ? strstr(t->at, ":]") : NULL;
	if (end) {
		copy(t, (size_t)(end + 2 - t->at));
		return;
	}
	if (*t->at == ']') {
		t->in_class = false;
		atom(t);
	}
	copy(t, 1);
}

static bool read_one(Translator *t)
{
	long most = 0;
	size_t len = 0;
	if (*t->at == '\\')
		return read_escape(t);
	if (t->in_class) {
		read_in_class(t);
		return true;
	}
	switch (*t->at) {
	case '[':
		open_class(t);
		return true;
	case '(':
		return read_group(t);
	case '|':
		t->repeatable = t->repeated = false;
		copy(t, 1);
		return true;
	case '*':
	case '+':
	case '?':
		return read_repeat(t, 1);
	case '{':
		len = repeat_length(t->at, &most);
		if (most > REPEAT_MAX)
			return refuse(t, "invalid repeat count");
		if (len > 0)
			return read_repeat(t, len);
		break;
	default:
		break;
	}
	atom(t);
	copy(t, 1);
	return true;
}

static char *translate(const char *pattern, int flags, Error *err)
{
	Translator t = {.at = pattern};
	if (flags & REGEX_ANCHORED)
		buf_puts(&t.out, "^(?:");
	bool fine = true;
	while (fine && *t.at)
		fine = read_one(&t);
	if (flags & REGEX_ANCHORED)
		buf_puts(&t.out, ")$");
	if (fine)
		return buf_steal(&t.out);
	err_set(err, ERR_INVALID, "regular expression \"%.200s\": %s at offset %zu", pattern,
		t.problem, (size_t)(t.at - pattern));
	buf_dispose(&t.out);
	return NULL;
}

static pcre2_match_context *make_limits(void)
{
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	if (!limits)
		abort();
	pcre2_set_match_limit(limits, MATCH_LIMIT);
	pcre2_set_depth_limit(limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(limits, HEAP_LIMIT_KIB);
	return limits;
}

Regex *regex_new(const char *pattern, int flags, Error *err)
{
	if (strlen(pattern) > PATTERN_MAX)
		return err_null(err, ERR_INVALID, "a regular expression is at most %d bytes",
				PATTERN_MAX);
	autofree char *text = translate(pattern, flags, err);
	if (!text)
		return NULL;
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
			   PCRE2_NEVER_BACKSLASH_C;
	options |= flags & REGEX_ICASE ? PCRE2_CASELESS : 0;
	int code;
	PCRE2_SIZE offset;
	pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options,
					     &code, &offset, NULL);
	if (!compiled) {
		unsigned char message[128];
		pcre2_get_error_message(code, message, sizeof(message));
		return err_null(err, ERR_INVALID, "regular expression \"%.200s\": %s", pattern,
				(const char *)message);
	}
	Regex *regex = mem_zalloc(1, sizeof(*regex));
	regex->code = compiled;
	regex->limits = make_limits();
	return regex;
}

void regex_free(Regex *regex)
{
	if (!regex)
		return;
	pcre2_code_free(regex->code);
	pcre2_match_context_free(regex->limits);
	free(regex);
}

bool regex_find(const Regex *regex, const char *text, size_t len, size_t from, long *spans,
		size_t count)
{
	if (from > len)
		return false;
	pcre2_match_data *match = pcre2_match_data_create_from_pattern(regex->code, NULL);
	if (!match)
		abort();
	int groups = pcre2_match(regex->code, (PCRE2_SPTR)text, len, from, 0, match, regex->limits);
	const PCRE2_SIZE *found = pcre2_get_ovector_pointer(match);
	for (size_t i = 0; groups > 0 && i < count; i++) {
		bool set = i < (size_t)groups && found[2 * i] != PCRE2_UNSET;
		spans[2 * i] = set ? (long)found[2 * i] : -1;
		spans[2 * i + 1] = set ? (long)found[2 * i + 1] : -1;
	}
	pcre2_match_data_free(match);
	return groups > 0;
}

bool regex_matches(const Regex *regex, const char *text, size_t len)
{
	return regex_find(regex, text, len, 0, NULL, 0);
}

int regex_group(const Regex *regex, const char *name)
{
	int index = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)name);
	return index > 0 ? index : 0;
}
