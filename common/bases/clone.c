/* One commit of a repository as files. What a hostile tree may hold (odd names, very many or very
 * large files, links) is refused or left out before it is written. */
#include "bases/clone.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "git/git.h"

enum { MAX_FILES = 100000 };

typedef struct {
	GitStore *store;
	int dir_fd;
	uint64_t left; /* bytes that may still be written */
	size_t files;
} Checkout;

/* Git refuses such names too, but a server may send any. */
static bool is_safe(const char *path)
{
	autofree char *clean = path_clean(path);
	if (!cstr_eq(clean, path) || cstr_eq(path, ".") || cstr_eq(path, "..") ||
	    cstr_starts(path, "../") || *path == '/')
		return false;
	Str rest = str_of(path), part;
	while (str_next(&rest, '/', &part))
		if (part.len == 4 && strncasecmp(part.ptr, ".git", 4) == 0)
			return false;
	return true;
}

static bool write_blob(Checkout *checkout, const GitEntry *entry, Error *err)
{
	size_t len;
	autogitblob GitBlob *blob =
		git_store_blob(checkout->store, entry->hash, checkout->left, err);
	if (!blob)
		return err_wrap(err, "%s", entry->path);
	const void *bytes = git_blob_bytes(blob, &len);
	checkout->left -= len;
	autofd int fd = fd_open_beneath(checkout->dir_fd, entry->path,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, err);
	return fd >= 0 && fd_write_all(fd, bytes, len, err);
}

static bool write_entry(void *arg, const GitEntry *entry, Error *err)
{
	Checkout *checkout = arg;
	unsigned type = entry->mode & 0170000;
	if (++checkout->files > MAX_FILES)
		return err_set(err, ERR_LIMIT, "more than %d files", MAX_FILES);
	if (!is_safe(entry->path))
		return err_set(err, ERR_INVALID, "'%s' is no name for a file", entry->path);
	if (type == 0040000)
		return mkdirat(checkout->dir_fd, entry->path, 0700) == 0 ||
		       err_errno(err, "mkdir %s", entry->path);
	return type != 0100000 || write_blob(checkout, entry, err);
}

static bool is_hash(const char *ref)
{
	size_t len = strspn(ref, "0123456789abcdef");
	return len == 40 && !ref[len];
}

/* As `git fetch` looks a name up: whole, then as a tag, then as a branch. */
static const GitRef *find_ref(const GitRefs *refs, const char *ref)
{
	static const char *const below[] = {"", "refs/", "refs/tags/", "refs/heads/"};
	const GitRef *found = *ref ? NULL : git_refs_find(refs, "HEAD");
	for (size_t i = 0; *ref && !found && i < COUNT(below); i++) {
		autofree char *name = mem_printf("%s%s", below[i], ref);
		found = git_refs_find(refs, name);
	}
	return found;
}

/* What is fetched: the object, the name that reaches it, the commit to write. */
typedef struct {
	char *hash, *name;
	char *commit;
} Wanted;

static void wanted_dispose(Wanted *wanted)
{
	free(wanted->hash);
	free(wanted->name);
	free(wanted->commit);
}

static bool resolve(GitRemote *remote, const char *ref, Wanted *out, Error *err)
{
	autogitrefs GitRefs refs = {0};
	if (!git_remote_list(remote, NULL, &refs, err))
		return false;
	const GitRef *found = find_ref(&refs, ref);
	if (!found && !is_hash(ref))
		return err_set(err, ERR_NOT_FOUND, "no branch, tag or commit '%s'", ref);
	out->hash = mem_strdup(found ? found->hash : ref);
	out->name = mem_strdup(found ? found->name : NULL);
	out->commit = mem_strdup(found && *found->peeled ? found->peeled : out->hash);
	return true;
}

bool base_clone(Loop *loop, const BaseSpec *spec, const BasesLimits *limits, const char *dir,
		Error *err)
{
	int64_t timeout_ms = spec->timeout_ms < limits->max_timeout_ms ? spec->timeout_ms
								       : limits->max_timeout_ms;
	__attribute__((cleanup(wanted_dispose))) Wanted wanted = {0};
	autogitremote GitRemote *remote = git_remote_new(
		loop,
		&(GitRemoteConfig){
			.url = spec->url, .named_by = spec->named_by, .timeout_ms = timeout_ms},
		err);
	if (!remote || !resolve(remote, spec->ref, &wanted, err))
		return false;
	autofree char *objects = mem_printf("%s.objects", dir);
	autogitstore GitStore *store = git_store_open(objects, err);
	GitFetch fetch = {.hash = wanted.hash, .ref = wanted.name, .max_bytes = limits->max_bytes};
	if (!store || !git_remote_fetch(remote, store, &fetch, NULL, err) ||
	    !dir_make(dir, 0700, err))
		return false;
	autofd int dir_fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	Checkout checkout = {.store = store, .dir_fd = dir_fd, .left = limits->max_bytes};
	return dir_fd >= 0 && git_store_walk(store, wanted.commit, write_entry, &checkout, err);
}
