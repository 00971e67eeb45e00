/* Image references: characters and lengths as Go's name package has them, and no "." or ".." part,
 * which would lead a request elsewhere. */
#include "oci/reference.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/address.h"
#include "net/url.h"

enum { REPOSITORY_MIN = 2, REPOSITORY_MAX = 255, TAG_MAX = 128, HOST_MAX = 300 };

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789_-."
#define REPOSITORY_CHARS LOWER "/"
#define TAG_CHARS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

void oci_reference_dispose(OciReference *reference)
{
	free(reference->host);
	free(reference->repository);
	free(reference->tag);
	free(reference->digest);
	*reference = (OciReference){0};
}

static bool only_has(Str text, const char *characters)
{
	for (size_t i = 0; i < text.len; i++)
		if (!text.ptr[i] || !strchr(characters, text.ptr[i]))
			return false;
	return true;
}

/* For messages. What stands before an "@" is none of a reference's parts, but may be a login that
 * was meant for a URL. */
static Str without_login(Str text)
{
	const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
	return at ? str_slice(text, (size_t)(at + 1 - text.ptr), text.len) : text;
}

static bool check_repository(Str repository, Error *err)
{
	Str shown = without_login(repository);
	if (repository.len < REPOSITORY_MIN || repository.len > REPOSITORY_MAX)
		return err_set(err, ERR_INVALID,
			       "repository must be between %d and %d characters in length",
			       REPOSITORY_MIN, REPOSITORY_MAX);
	if (!only_has(repository, REPOSITORY_CHARS))
		return err_set(err, ERR_INVALID,
			       "repository can only contain the characters `" REPOSITORY_CHARS
			       "`: %.*s",
			       (int)shown.len, shown.ptr);
	Str rest = repository, part;
	while (str_next(&rest, '/', &part))
		if (part.len == 0 || str_eq(part, STR(".")) || str_eq(part, STR("..")))
			return err_set(err, ERR_INVALID, "repository has an empty or dotted part");
	if (repository.ptr[repository.len - 1] == '/')
		return err_set(err, ERR_INVALID, "repository ends in a slash");
	return true;
}

static bool check_host(Str host, Error *err)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	autofree char *text = mem_printf("https://%.*s", (int)host.len, host.ptr);
	if (host.len <= HOST_MAX && url_parse(text, &url, &ignored) && !url.user &&
	    cstr_empty(url.path) && !url.query && str_find_char(host, '#') < 0)
		return true;
	Str shown = without_login(host);
	return err_set(err, ERR_INVALID, "registry is no valid host: %.*s",
		       (int)(shown.len < HOST_MAX ? shown.len : HOST_MAX), shown.ptr);
}

/* The host is the first part when it can be no repository's name. */
static bool parse_repository(Str text, OciReference *out, Error *err)
{
	Str host = {0}, repository = text, first, rest;
	if (text.len == 0)
		return err_set(err, ERR_INVALID, "a repository name must be specified");
	if (str_cut(text, '/', &first, &rest) &&
	    (str_find_char(first, '.') >= 0 || str_find_char(first, ':') >= 0)) {
		host = first;
		repository = rest;
	}
	if (!check_repository(repository, err) || (host.len && !check_host(host, err)))
		return false;
	bool hub = host.len == 0 || str_eq(host, STR("docker.io")) ||
		   str_eq(host, STR(OCI_DEFAULT_HOST));
	out->host = hub ? mem_strdup(OCI_DEFAULT_HOST) : str_dup(host);
	bool bare = hub && str_find_char(repository, '/') < 0;
	out->repository =
		mem_printf("%s%.*s", bare ? "library/" : "", (int)repository.len, repository.ptr);
	return true;
}

bool oci_repository_parse(const char *text, OciReference *out, Error *err)
{
	return parse_repository(str_of(text), out, err);
}

bool oci_tag_check(const char *tag, Error *err)
{
	Str text = str_of(tag);
	if (text.len < 1 || text.len > TAG_MAX)
		return err_set(err, ERR_INVALID,
			       "tag must be between 1 and %d characters in length", TAG_MAX);
	if (!only_has(text, TAG_CHARS))
		return err_set(err, ERR_INVALID,
			       "tag can only contain the characters `" TAG_CHARS "`: %s", tag);
	return true;
}

bool oci_digest_check(const char *digest, Error *err)
{
	static const struct {
		Str algorithm;
		size_t digits;
	} rows[] = {{STR("sha256:"), 64}, {STR("sha512:"), 128}};
	Str text = str_of(digest);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!str_starts(text, rows[i].algorithm))
			continue;
		Str hex = str_slice(text, rows[i].algorithm.len, text.len);
		if (hex.len == rows[i].digits && only_has(hex, "0123456789abcdef"))
			return true;
	}
	enum { SHOWN = 160 };
	return err_set(err, ERR_INVALID, "cannot parse hash: \"%.*s\"", SHOWN, text.ptr);
}

/* Takes ":TAG" off the end, unless the colon is a host's. */
static bool take_tag(Str *text, OciReference *out, Error *err)
{
	const char *colon = text->len ? memrchr(text->ptr, ':', text->len) : NULL;
	size_t at = colon ? (size_t)(colon - text->ptr) : text->len;
	Str tag = str_slice(*text, at + 1, text->len);
	if (!colon || str_find_char(tag, '/') >= 0)
		return true;
	autofree char *copy = str_dup(tag);
	if (!oci_tag_check(copy, err))
		return false;
	out->tag = steal(&copy);
	*text = str_slice(*text, 0, at);
	return true;
}

bool oci_reference_parse(const char *text, OciReference *out, Error *err)
{
	autoocireference OciReference made = {0};
	Str head, digest;
	if (str_cut(str_of(text), '@', &head, &digest)) {
		made.digest = str_dup(digest);
		if (!oci_digest_check(made.digest, err))
			return false;
	}
	if (!take_tag(&head, &made, err) || !parse_repository(head, &made, err))
		return false;
	*out = made;
	made = (OciReference){0};
	return true;
}

char *oci_reference_text(const OciReference *reference)
{
	const char *mark = reference->digest ? "@" : reference->tag ? ":" : "";
	const char *what = reference->digest ? reference->digest
			   : reference->tag  ? reference->tag
					     : "";
	return mem_printf("%s/%s%s%s", reference->host, reference->repository, mark, what);
}

/* Only as dotted quads: what else resolvers take is no address for upstream. */
static bool is_private(const char *host)
{
	struct in_addr address;
	return inet_pton(AF_INET, host, &address) == 1 &&
	       address_kind_of_host(host) == ADDRESS_PRIVATE;
}

bool oci_host_is_local(const char *host)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	autofree char *text = mem_printf("https://%s", host);
	if (!url_parse(text, &url, &ignored))
		return false;
	return cstr_eq(url.host, "localhost") || cstr_ends(url.host, ".localhost") ||
	       cstr_eq(url.host, "127.0.0.1") || cstr_eq(url.host, "::1") || is_private(url.host);
}
