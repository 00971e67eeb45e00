/*
 * The storage directory but for writing (store_pack.c) and retention (store_sweep.c). All opens are
 * beneath the root's descriptor: paths of artifacts come from status, which others can write.
 */
#include "artifact/store.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "artifact/store_internal.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rand.h"

enum { READ_BYTES = 65536 };

Store *store_new(const StoreConfig *config, Error *err)
{
	autostore Store *store = mem_zalloc(1, sizeof(*store));
	store->root_fd = -1;
	store->root = realpath(config->root, NULL);
	if (!store->root) {
		err_errno(err, "storage path %s", config->root);
		return NULL;
	}
	store->root_fd = fd_open(store->root, O_RDONLY | O_DIRECTORY, 0, err);
	if (store->root_fd < 0)
		return err_wrap_null(err, "storage path");
	store->adv_addr = mem_strdup(config->adv_addr ? config->adv_addr : "");
	store->algo = config->algo;
	store->ttl_ms = config->ttl_ms;
	store->records = config->records;
	return steal(&store);
}

void store_free(Store *store)
{
	if (!store)
		return;
	auto_close(&store->root_fd);
	free(store->root);
	free(store->adv_addr);
	free(store);
}

int store_root_fd(const Store *store)
{
	return store->root_fd;
}

const char *store_root(const Store *store)
{
	return store->root;
}

bool store_is_file_name(const char *name)
{
	return !cstr_empty(name) && !cstr_eq(name, ".") && !cstr_eq(name, "..") &&
	       !strchr(name, '/') && strlen(name) <= NAME_MAX;
}

char *store_object_dir(const char *kind, const char *ns, const char *name, Error *err)
{
	if (!store_is_file_name(kind) || !store_is_file_name(ns) || !store_is_file_name(name))
		return err_null(err, ERR_INVALID, "storage: impossible name %s/%s/%s", kind, ns,
				name);
	char *dir = mem_printf("%s/%s/%s", kind, ns, name);
	for (char *c = dir; *c != '/'; c++)
		*c = (char)tolower((unsigned char)*c);
	return dir;
}

bool store_digest_fd(int fd, DigestAlgo algo, char out[DIGEST_TEXT_SIZE], Error *err)
{
	autodigest Digest *digest = digest_new(algo);
	autofree char *chunk = mem_alloc(READ_BYTES);
	for (;;) {
		ssize_t got = read(fd, chunk, READ_BYTES);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "read");
		if (got == 0)
			break;
		digest_update(digest, chunk, (size_t)got);
	}
	digest_final(digest, out);
	return true;
}

/* A path of status without the slashes that upstream trims too. */
static const char *relative(const char *path)
{
	if (!path)
		return "";
	return path + strspn(path, "/");
}

/* The artifact's file, a regular one and no link (upstream's ArtifactExist), or -1. */
static int open_artifact(const Store *store, const Artifact *artifact)
{
	autoerror Error ignored = {0};
	autofd int fd = fd_open_beneath(store->root_fd, relative(artifact->path),
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &ignored);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return -1;
	return fd_steal(&fd);
}

bool store_verify(Store *store, const Artifact *artifact, bool *out_missing)
{
	autofd int fd = open_artifact(store, artifact);
	*out_missing = fd < 0;
	if (fd < 0 || !artifact->digest)
		return false;
	autoerror Error ignored = {0};
	DigestAlgo algo;
	const char *want;
	char got[DIGEST_TEXT_SIZE];
	if (!digest_parse(artifact->digest, &algo, &want, &ignored) || algo == DIGEST_SHA1 ||
	    !store_digest_fd(fd, algo, got, &ignored))
		return false;
	return digest_equal(strchr(got, ':') + 1, want);
}

void store_drop(Store *store, const Artifact *artifact)
{
	autoerror Error ignored = {0};
	const char *path = relative(artifact->path);
	autofree char *dir = path_dir(path);
	autofd int dir_fd =
		fd_open_beneath(store->root_fd, dir, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (dir_fd >= 0 && store_is_file_name(path_base(path)))
		unlinkat(dir_fd, path_base(path), 0);
}

char *store_url(const Store *store, const char *path)
{
	bool has_scheme =
		cstr_starts(store->adv_addr, "http://") || cstr_starts(store->adv_addr, "https://");
	return mem_printf("%s%s/%s", has_scheme ? "" : "http://", store->adv_addr, relative(path));
}

static bool link_in(int dir_fd, const char *target, const char *link, Error *err)
{
	char suffix[9];
	rand_name(suffix, 8);
	autofree char *temp = mem_printf("%s%s", STORE_TEMP_PREFIX, suffix);
	if (symlinkat(target, dir_fd, temp) != 0)
		return err_errno(err, "link %s", link);
	if (renameat(dir_fd, temp, dir_fd, link) == 0)
		return true;
	err_errno(err, "link %s", link);
	unlinkat(dir_fd, temp, 0);
	return false;
}

bool store_link(Store *store, const Artifact *artifact, const char *link, Error *err)
{
	const char *path = relative(artifact->path);
	if (!store_is_file_name(link))
		return err_set(err, ERR_INVALID, "link: impossible name");
	autofree char *dir = path_dir(path);
	autofd int dir_fd = fd_open_beneath(store->root_fd, dir, O_RDONLY | O_DIRECTORY, 0, err);
	if (dir_fd < 0)
		return err_wrap(err, "link %s", link);
	/* Absolute, as upstream writes it. */
	autofree char *target = path_join(store->root, path);
	return link_in(dir_fd, target, link, err);
}

bool store_remove(Store *store, const char *kind, const char *ns, const char *name, Error *err)
{
	autofree char *dir = store_object_dir(kind, ns, name, err);
	if (!dir)
		return false;
	autofree char *path = path_join(store->root, dir);
	return dir_remove(path, err);
}
