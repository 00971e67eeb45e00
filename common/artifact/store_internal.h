/* What store.c, store_pack.c and store_sweep.c share. */
#ifndef ARTIFACT_STORE_INTERNAL_H
#define ARTIFACT_STORE_INTERNAL_H

#include "artifact/store.h"

/* Never changed after store_new, so that no lock is needed. */
struct Store {
	char *root; /* absolute, links resolved */
	int root_fd;
	char *adv_addr;
	DigestAlgo algo;
	int64_t ttl_ms;
	int records;
};

/* Reasons of source-controller's conditions. */
#define STORE_REASON_ARCHIVE "ArchiveOperationFailed"
#define STORE_REASON_DIRECTORY "DirectoryCreationFailed"

/* What begins so is a file being written (by a file system without O_TMPFILE). */
#define STORE_TEMP_PREFIX ".tmp-"

/* "kind/ns/name" with the kind in lower case; NULL and ERR_INVALID when a part is no file name.
 * Owned. */
char *store_object_dir(const char *kind, const char *ns, const char *name, Error *err) MUST_USE;

/* True for a name that stays in its directory. */
bool store_is_file_name(const char *name);

/* "algo:hex" of what is left to read in fd, and the count of bytes. */
bool store_digest_fd(int fd, DigestAlgo algo, char out[DIGEST_TEXT_SIZE], Error *err) MUST_USE;

#endif
