/*
 * Challenges: SCHEME 1*SP PARAM *( "," PARAM ), several of them again separated by commas. A word
 * without "=" behind it begins the next one.
 */
#include "oci/challenge.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

void challenge_dispose(Challenge *challenge)
{
	free(challenge->realm);
	free(challenge->service);
	free(challenge->scope);
	*challenge = (Challenge){0};
}

void challenge_copy(Challenge *to, const Challenge *from)
{
	*to = (Challenge){.kind = from->kind,
			  .realm = mem_strdup(from->realm),
			  .service = mem_strdup(from->service),
			  .scope = mem_strdup(from->scope)};
}

static bool is_token_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip(Str *text, const char *characters)
{
	while (text->len && strchr(characters, text->ptr[0]) && text->ptr[0])
		*text = str_slice(*text, 1, text->len);
}

static Str take_token(Str *text)
{
	size_t len = 0;
	while (len < text->len && is_token_char(text->ptr[len]))
		len++;
	Str token = str_slice(*text, 0, len);
	*text = str_slice(*text, len, text->len);
	return token;
}

/* A token, or a quoted string with its escapes undone. Owned; NULL when the quote does not end. */
static char *take_value(Str *text)
{
	if (!text->len || text->ptr[0] != '"') {
		size_t len = 0;
		while (len < text->len && !strchr(", \t", text->ptr[len]))
			len++;
		Str bare = str_slice(*text, 0, len);
		*text = str_slice(*text, len, text->len);
		return str_dup(bare);
	}
	autobuf Buf out = {0};
	size_t at = 1;
	for (; at < text->len && text->ptr[at] != '"'; at++) {
		if (text->ptr[at] == '\\' && at + 1 < text->len)
			at++;
		buf_putc(&out, text->ptr[at]);
	}
	if (at >= text->len)
		return NULL;
	*text = str_slice(*text, at + 1, text->len);
	return buf_steal(&out);
}

static void set_param(Challenge *challenge, Str name, char *take_text)
{
	const struct {
		const char *name;
		char **place;
	} rows[] = {
		{"realm", &challenge->realm},
		{"service", &challenge->service},
		{"scope", &challenge->scope},
	};
	autofree char *value = take_text;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strlen(rows[i].name) == name.len &&
		    strncasecmp(rows[i].name, name.ptr, name.len) == 0 && !*rows[i].place)
			*rows[i].place = steal(&value);
}

static ChallengeKind kind_of(Str scheme)
{
	if (scheme.len == 5 && strncasecmp(scheme.ptr, "basic", 5) == 0)
		return CHALLENGE_BASIC;
	if (scheme.len == 6 && strncasecmp(scheme.ptr, "bearer", 6) == 0)
		return CHALLENGE_BEARER;
	return CHALLENGE_NONE;
}

/* The parameters of one challenge, up to the next one's scheme. */
static bool take_params(Str *rest, Challenge *out)
{
	for (;;) {
		skip(rest, ", \t");
		Str before = *rest;
		Str name = take_token(rest);
		skip(rest, " \t");
		if (name.len == 0 || !rest->len || rest->ptr[0] != '=') {
			*rest = before;
			return name.len > 0 || rest->len == 0;
		}
		*rest = str_slice(*rest, 1, rest->len);
		skip(rest, " \t");
		char *value = take_value(rest);
		if (!value)
			return false;
		set_param(out, name, value);
	}
}

bool challenge_parse(Str header, Challenge *out)
{
	Str rest = header;
	for (;;) {
		skip(&rest, ", \t");
		Str scheme = take_token(&rest);
		if (scheme.len == 0)
			return false;
		autochallenge Challenge made = {.kind = kind_of(scheme)};
		bool well_formed = take_params(&rest, &made);
		if (made.kind != CHALLENGE_NONE) {
			*out = made;
			made = (Challenge){0};
			return true;
		}
		if (!well_formed)
			return false;
	}
}
