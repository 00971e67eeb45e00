/*
 * The storage directory of source-controller: files below KIND/NAMESPACE/NAME, written beside and
 * renamed, locked per file, swept by age and count (S2, S4, S11-S19). A Store does not change after
 * store_new: any thread may call any function.
 */
#ifndef ARTIFACT_STORE_H
#define ARTIFACT_STORE_H

#include "archive/ignore.h"
#include "artifact/artifact.h"
#include "data/digest.h"

typedef struct Store Store;

typedef struct {
	const char *root;     /* --storage-path: must exist (S18) */
	const char *adv_addr; /* host:port or http(s)://host:port that consumers reach */
	DigestAlgo algo;
	int64_t ttl_ms; /* --artifact-retention-ttl */
	int records;	/* --artifact-retention-records */
} StoreConfig;

Store *store_new(const StoreConfig *config, Error *err) MUST_USE;
void store_free(Store *store);
AUTO_POINTER(Store, store_free, auto_store);
#define autostore __attribute__((cleanup(auto_store)))

/*
 * Packs the tree below dir_fd that `rules` leave into KIND/NS/NAME/FILE and fills *out (path, url,
 * digest, size, time; revision is copied). Bytes depend on the tree only. Errors carry the reason
 * ArchiveOperationFailed or DirectoryCreationFailed.
 */
bool store_pack_dir(Store *store, const char *kind, const char *ns, const char *name,
		    const char *file, const char *revision, int dir_fd, const IgnoreRules *rules,
		    Artifact *out, Error *err) MUST_USE;

/* As store_pack_dir for bytes that are the file already; `rewind`s fd. */
bool store_put_file(Store *store, const char *kind, const char *ns, const char *name,
		    const char *file, const char *revision, int fd, Artifact *out,
		    Error *err) MUST_USE;

/* Packs entries that a callback feeds, so that a Git tree goes from the object database to the
 * archive without touching disk. See archive/tar.h for TarWriter. */
struct TarWriter;
typedef bool StorePackFn(void *arg, struct TarWriter *tar, Error *err);
bool store_pack(Store *store, const char *kind, const char *ns, const char *name, const char *file,
		const char *revision, StorePackFn *fn, void *arg, Artifact *out,
		Error *err) MUST_USE;

/* True when the file is there and its digest is the artifact's (each run re-hashes, S12, S13).
 * *out_missing tells a missing file from a damaged one. */
bool store_verify(Store *store, const Artifact *artifact, bool *out_missing);

/* A damaged file goes, so that nobody is served it until it is made anew (S13); best effort. */
void store_drop(Store *store, const Artifact *artifact);

/* The URL for artifact->path under the current advertised address, owned (S15). */
char *store_url(const Store *store, const char *path);

/* Symbolic link `link` beside the artifact's file, pointing at it (S17). */
bool store_link(Store *store, const Artifact *artifact, const char *link, Error *err);

/* Retention (S11): called at the start of a run with the current artifact (or NULL). Returns the
 * number of files removed; errors are ignored as upstream does. */
int store_sweep(Store *store, const char *kind, const char *ns, const char *name,
		const Artifact *current);

/* The object is gone: its whole directory goes (S16). */
bool store_remove(Store *store, const char *kind, const char *ns, const char *name, Error *err);

/* For serve.h: the root directory's descriptor and absolute path, borrowed. */
int store_root_fd(const Store *store);
const char *store_root(const Store *store);

#endif
