#include "notify/repository.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "net/url.h"

void repository_dispose(Repository *repository)
{
	free(repository->origin);
	free(repository->host);
	free(repository->id);
	for (size_t i = 0; i < COUNT(repository->parts); i++)
		free(repository->parts[i]);
}

/* "user@host:path" as "ssh://user@host/path"; others as they are. Owned. */
static char *spell_out(const char *address)
{
	const char *colon = strchr(address, ':'), *slash = strchr(address, '/');
	bool is_short = colon && !strstr(address, "://") && (!slash || colon < slash);
	if (!is_short)
		return mem_strdup(address);
	return mem_printf("ssh://%.*s/%s", (int)(colon - address), address, colon + 1);
}

static void split_id(Repository *repository)
{
	Str rest = str_of(repository->id), piece;
	while (str_next(&rest, '/', &piece)) {
		if (repository->part_count < COUNT(repository->parts))
			repository->parts[repository->part_count] = str_dup(piece);
		if (repository->part_count <= COUNT(repository->parts))
			repository->part_count++;
	}
}

static char *id_of(const char *path)
{
	Str id = str_of(path);
	while (id.len && id.ptr[0] == '/')
		id = str_slice(id, 1, id.len);
	if (str_ends(id, STR(".git")))
		id.len -= strlen(".git");
	return str_dup(id);
}

/* [Q] The port of an ssh address is not https' own; it goes. */
static char *origin_of(const Url *url)
{
	bool ssh = cstr_eq(url->scheme, "ssh");
	const char *scheme = ssh ? "https" : url->scheme;
	if (url->port && !ssh)
		return mem_printf("%s://%s:%d", scheme, url->host, url->port);
	return mem_printf("%s://%s", scheme, url->host);
}

bool repository_parse(const NotifyTarget *target, Repository *out, Error *err)
{
	autourl Url url = {0};
	if (!notify_need(target, target->address, "address", err))
		return false;
	autofree char *address = spell_out(target->address);
	if (!url_parse(address, &url, err))
		return false;
	if (!cstr_eq(url.scheme, "http") && !cstr_eq(url.scheme, "https") &&
	    !cstr_eq(url.scheme, "ssh"))
		return err_set(err, ERR_INVALID, "the address is no http, https or ssh URL");
	out->id = id_of(url.path);
	out->host = mem_strdup(url.host);
	out->origin = origin_of(&url);
	split_id(out);
	return true;
}

bool repository_parse_parts(const NotifyTarget *target, size_t parts, Repository *out, Error *err)
{
	if (!repository_parse(target, out, err))
		return false;
	bool good = out->part_count == parts;
	for (size_t i = 0; i < parts; i++)
		good = good && !cstr_empty(out->parts[i]);
	return good || err_set(err, ERR_INVALID, "invalid repository id '%s'", out->id);
}

static bool is_hex(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");
	return len == COMMIT_SIZE - 1 && text[len] == '\0';
}

bool repository_commit(const json_t *event, char out[COMMIT_SIZE], Error *err)
{
	static const char *const keys[] = {"commit", "originRevision", "revision"};
	const char *revision = NULL;
	for (size_t i = 0; !revision && i < COUNT(keys); i++)
		revision = json_text(json_map(event, "metadata"), keys[i]);
	if (!revision)
		return err_set(err, ERR_INVALID, "missing revision metadata");
	const char *cut = strrchr(revision, ':');
	if (!cut)
		cut = strrchr(revision, '/');
	const char *hash = cut ? cut + 1 : revision;
	if (!is_hex(hash))
		return err_set(err, ERR_INVALID, "failed to extract commit hash from '%s' revision",
			       revision);
	memcpy(out, hash, COMMIT_SIZE);
	return true;
}
