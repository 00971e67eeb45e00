/*
 * A line is "[@marker] patterns type base64 [comment]"; patterns are comma-separated, or one hashed
 * name "|1|salt|hash" with hash = HMAC-SHA1(salt, name), where name is "host" or "[host]:port". A
 * pattern with "!" excludes. A revoked key is refused for every host.
 */
#include "git/known_hosts.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/base64.h"
#include "data/digest.h"

enum { MAX_TEXT = 4 << 20, MAX_LINES = 50 * 1000, SSH_PORT = 22, SHA1_BYTES = 20 };

typedef enum { MARK_NONE, MARK_AUTHORITY, MARK_REVOKED } Mark;

typedef struct {
	Mark mark;
	char *patterns; /* lower case; NULL when hashed */
	Buf salt, hashed_name;
	char *type;
	Buf key;
} HostLine;

struct KnownHosts {
	Vec lines; /* of HostLine, owned */
};

/* --- parsing --- */

static void line_free(void *item)
{
	HostLine *line = item;
	free(line->patterns);
	buf_dispose(&line->salt);
	buf_dispose(&line->hashed_name);
	free(line->type);
	buf_dispose(&line->key);
	free(line);
}

static void auto_line(HostLine **line)
{
	if (*line)
		line_free(*line);
}

/* The next word, words being separated by blanks and tabs. */
static Str take_word(Str *rest)
{
	size_t at = 0, end;
	while (at < rest->len && (rest->ptr[at] == ' ' || rest->ptr[at] == '\t'))
		at++;
	for (end = at; end < rest->len && rest->ptr[end] != ' ' && rest->ptr[end] != '\t';)
		end++;
	Str word = str_slice(*rest, at, end);
	*rest = str_slice(*rest, end, rest->len);
	return word;
}

static bool parse_mark(Str *rest, Mark *out, Error *err)
{
	if (!str_starts(*rest, STR("@")))
		return true;
	Str word = take_word(rest);
	if (str_eq(word, STR("@cert-authority")))
		*out = MARK_AUTHORITY;
	else if (str_eq(word, STR("@revoked")))
		*out = MARK_REVOKED;
	else
		return err_set(err, ERR_INVALID, "unknown marker");
	return true;
}

static bool parse_hashed(HostLine *line, Str word, Error *err)
{
	Str salt, hash;
	word = str_slice(word, 3, word.len);
	if (!str_cut(word, '|', &salt, &hash) ||
	    !base64_decode(salt.ptr, salt.len, &line->salt, err) ||
	    !base64_decode(hash.ptr, hash.len, &line->hashed_name, err) ||
	    line->hashed_name.len != SHA1_BYTES)
		return err_is_set(err) ? false : err_set(err, ERR_INVALID, "bad hashed name");
	return true;
}

static bool parse_patterns(HostLine *line, Str word, Error *err)
{
	if (word.len == 0)
		return err_set(err, ERR_INVALID, "no host");
	if (str_starts(word, STR("|1|")))
		return parse_hashed(line, word, err);
	if (word.ptr[0] == '|')
		return err_set(err, ERR_INVALID, "unknown hash of a host");
	line->patterns = str_dup(word);
	for (char *c = line->patterns; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

/* The key's bytes begin with its type as a counted string (RFC 4253 6.6). */
static bool key_has_type(const Buf *key, Str type)
{
	const unsigned char *p = (const unsigned char *)buf_text(key);
	if (key->len < 4)
		return false;
	size_t len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	return len == type.len && len <= key->len - 4 && memcmp(p + 4, type.ptr, len) == 0;
}

static bool parse_key(HostLine *line, Str type, Str text, Error *err)
{
	autoerror Error why = {0};
	if (type.len == 0 || text.len == 0 ||
	    !base64_decode(text.ptr, text.len, &line->key, &why) || !key_has_type(&line->key, type))
		return err_set(err, ERR_INVALID, "bad key");
	line->type = str_dup(type);
	return true;
}

static bool parse_line(KnownHosts *hosts, Str text, Error *err)
{
	__attribute__((cleanup(auto_line))) HostLine *line = mem_zalloc(1, sizeof(*line));
	if (!parse_mark(&text, &line->mark, err) || !parse_patterns(line, take_word(&text), err))
		return false;
	Str type = take_word(&text), key = take_word(&text);
	if (!parse_key(line, type, key, err))
		return false;
	vec_push(&hosts->lines, steal(&line));
	return true;
}

KnownHosts *known_hosts_parse(const char *text, Error *err)
{
	autoknownhosts KnownHosts *hosts = mem_zalloc(1, sizeof(*hosts));
	Str rest = str_of(text), piece;
	if (rest.len > MAX_TEXT)
		return err_null(err, ERR_LIMIT, "known_hosts of more than %d bytes", MAX_TEXT);
	for (int number = 1; str_next(&rest, '\n', &piece); number++) {
		piece = str_trim(piece);
		if (piece.len == 0 || piece.ptr[0] == '#')
			continue;
		if (hosts->lines.len >= MAX_LINES)
			return err_null(err, ERR_LIMIT, "known_hosts of more than %d lines",
					MAX_LINES);
		if (!parse_line(hosts, piece, err))
			return err_wrap_null(err, "known_hosts line %d", number);
	}
	return steal(&hosts);
}

void known_hosts_free(KnownHosts *hosts)
{
	if (!hosts)
		return;
	vec_dispose_with(&hosts->lines, line_free);
	free(hosts);
}

/* --- matching --- */

/* "*" is any run of bytes, "?" is one; linear in practice: only the last star is tried again. */
static bool glob_matches(Str pattern, Str text)
{
	size_t p = 0, t = 0, star = pattern.len, mark = 0;
	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.len &&
			   (pattern.ptr[p] == '?' || pattern.ptr[p] == text.ptr[t])) {
			p++;
			t++;
		} else if (star < pattern.len) {
			p = star + 1;
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

/* "host" or "[host]:port". */
static bool pattern_matches(Str pattern, Str host, int port)
{
	Str name = pattern;
	unsigned long long wanted_port = SSH_PORT;
	ptrdiff_t close = str_find(pattern, STR("]:"));
	if (str_starts(pattern, STR("[")) && close > 0) {
		Str digits = str_slice(pattern, (size_t)close + 2, pattern.len);
		if (!str_to_u64(digits, &wanted_port))
			return false;
		name = str_slice(pattern, 1, (size_t)close);
	} else if (str_starts(pattern, STR("[")) && str_ends(pattern, STR("]"))) {
		name = str_slice(pattern, 1, pattern.len - 1);
	}
	return wanted_port == (unsigned long long)port && glob_matches(name, host);
}

static bool patterns_match(const char *patterns, Str host, int port)
{
	bool found = false;
	Str rest = str_of(patterns), pattern;
	while (str_next(&rest, ',', &pattern)) {
		bool negated = str_starts(pattern, STR("!"));
		if (negated)
			pattern = str_slice(pattern, 1, pattern.len);
		if (!pattern_matches(pattern, host, port))
			continue;
		if (negated)
			return false;
		found = true;
	}
	return found;
}

static bool line_matches(const HostLine *line, const char *host, int port)
{
	if (line->patterns)
		return patterns_match(line->patterns, str_of(host), port);
	autofree char *name =
		port == SSH_PORT ? mem_strdup(host) : mem_printf("[%s]:%d", host, port);
	unsigned char mac[DIGEST_MAX_BYTES];
	size_t len = digest_hmac(DIGEST_SHA1, buf_text(&line->salt), line->salt.len, name,
				 strlen(name), mac);
	return len == line->hashed_name.len && memcmp(mac, line->hashed_name.ptr, len) == 0;
}

static char *lower(const char *text)
{
	char *out = mem_strdup(text);
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static bool is_revoked(const KnownHosts *hosts, Str key)
{
	for (size_t i = 0; i < hosts->lines.len; i++) {
		const HostLine *line = hosts->lines.items[i];
		if (line->mark == MARK_REVOKED && str_eq(buf_str(&line->key), key))
			return true;
	}
	return false;
}

KnownHostVerdict known_hosts_check(const KnownHosts *hosts, const char *host, int port,
				   const void *key, size_t key_len)
{
	Str given = str_sized(key, key_len);
	autofree char *name = lower(host);
	KnownHostVerdict verdict = KNOWN_HOST_UNKNOWN;
	if (is_revoked(hosts, given))
		return KNOWN_HOST_REVOKED;
	for (size_t i = 0; i < hosts->lines.len; i++) {
		const HostLine *line = hosts->lines.items[i];
		if (line->mark == MARK_REVOKED || !line_matches(line, name, port))
			continue;
		if (line->mark == MARK_NONE && str_eq(buf_str(&line->key), given))
			return KNOWN_HOST_OK;
		if (line->mark == MARK_NONE)
			verdict = KNOWN_HOST_CHANGED;
		else if (verdict == KNOWN_HOST_UNKNOWN)
			verdict = KNOWN_HOST_AUTHORITY;
	}
	return verdict;
}

/* --- algorithms --- */

static void add_once(Buf *list, const char *name)
{
	Str rest = buf_str(list), piece;
	while (str_next(&rest, ',', &piece))
		if (str_eq(piece, str_of(name)))
			return;
	if (list->len)
		buf_putc(list, ',');
	buf_puts(list, name);
}

static void add_types(const KnownHosts *hosts, const char *host, int port, Buf *out)
{
	for (size_t i = 0; i < hosts->lines.len; i++) {
		const HostLine *line = hosts->lines.items[i];
		if (line->mark != MARK_NONE || (host && !line_matches(line, host, port)))
			continue;
		if (cstr_eq(line->type, "ssh-rsa")) {
			add_once(out, "rsa-sha2-512");
			add_once(out, "rsa-sha2-256");
		}
		add_once(out, line->type);
	}
}

char *known_hosts_algorithms(const KnownHosts *hosts, const char *host, int port)
{
	autobuf Buf out = {0};
	autofree char *name = lower(host);
	add_types(hosts, name, port, &out);
	if (out.len == 0)
		add_types(hosts, NULL, 0, &out);
	return out.len ? buf_steal(&out) : NULL;
}

/* --- for OpenSSH --- */

static bool has_mark(const KnownHosts *hosts, Mark mark, const char *host, int port)
{
	autofree char *name = lower(host);
	for (size_t i = 0; i < hosts->lines.len; i++) {
		const HostLine *line = hosts->lines.items[i];
		if (line->mark == mark && line_matches(line, name, port))
			return true;
	}
	return false;
}

bool known_hosts_has_authority(const KnownHosts *hosts, const char *host, int port)
{
	return has_mark(hosts, MARK_AUTHORITY, host, port);
}

bool known_hosts_has_key(const KnownHosts *hosts, const char *host, int port)
{
	return has_mark(hosts, MARK_NONE, host, port);
}

char *known_hosts_for(const KnownHosts *hosts, const char *host, int port)
{
	static const char *const marks[] = {[MARK_NONE] = "",
					    [MARK_AUTHORITY] = "@cert-authority ",
					    [MARK_REVOKED] = "@revoked "};
	autobuf Buf out = {0};
	autofree char *name = lower(host);
	for (size_t i = 0; i < hosts->lines.len; i++) {
		const HostLine *line = hosts->lines.items[i];
		if (line->mark != MARK_REVOKED && !line_matches(line, name, port))
			continue;
		autofree char *key = base64_encode(buf_text(&line->key), line->key.len);
		buf_printf(&out, "%s* %s %s\n", marks[line->mark], line->type, key);
	}
	return buf_steal(&out);
}
