/*
 * Remote bases of kustomizations (facts kustomize-build.md 8, B104, B105): files by http(s),
 * repositories by git over http(s), fetched into a directory of their own and shown to the engine
 * beside the source's files. An entry is got as a file first and cloned where that gives no
 * manifest, as the real tool does. Nothing is kept from one build to the next. What a tree of
 * another host names must not lead inside (net/address.h).
 *
 * Not done: ssh (a daemon has no key of whoever wrote the base), file:// (it would read the
 * daemon's disk), submodules (left out) and links in clones (left out, as in artifacts).
 */
#ifndef BASES_BASES_H
#define BASES_BASES_H

#include "kustomize/kustomize.h"
#include "net/httpc.h"

/* What one build may fetch. */
typedef struct {
	size_t max_entries;	/* different URLs; 0: 100 */
	uint64_t max_bytes;	/* of one repository, packed and unpacked each; 0: 256 MiB */
	int64_t max_timeout_ms; /* longest that ?timeout= may ask for; 0: 5 min */
} BasesLimits;

typedef struct {
	Loop *loop;		     /* with http, or both NULL: made with the first fetch */
	HttpClient *http;	     /* for files */
	const KustomizeFiles *local; /* the source's own */
	const char *named_by; /* host that the source's files are of, which must not lead from
				 outside inside; "": an unknown one; NULL: they are one's own */
	const char *work_dir; /* where the directory is made; NULL: $TMPDIR, else /tmp */
	BasesLimits limits;
} BasesConfig;

/* For one build, one thread. Borrows what config points to; nothing is made or fetched yet. */
typedef struct Bases Bases;
Bases *bases_new(const BasesConfig *config);

/* Removes what was fetched. */
void bases_free(Bases *bases);
AUTO_POINTER(Bases, bases_free, auto_bases);
#define autobases __attribute__((cleanup(auto_bases)))

/* The source's files and what was fetched, for KustomizeOptions.files. */
const KustomizeFiles *bases_files(const Bases *bases);

/* For KustomizeOptions.fetch; arg is the Bases. Error texts hold no credentials. */
char *bases_fetch(void *arg, const char *from, const char *url, KustomizeWanted wanted, Error *err);

/* --- spec.c --- */

/* A repository as an entry names it. Texts owned. */
typedef struct {
	char *url;  /* to clone: "https://host/path/repo.git" */
	char *path; /* of the directory in it, clean; "." for its root */
	char *ref;  /* branch, tag or commit; "" for the default branch */
	int64_t timeout_ms;
	const char *named_by; /* as GitRemoteConfig.named_by; borrowed */
} BaseSpec;

void base_spec_dispose(BaseSpec *spec);
#define autobasespec __attribute__((cleanup(base_spec_dispose)))

/* ERR_INVALID for what names no repository, ERR_UNSUPPORTED for schemes that are not fetched. */
bool base_spec_parse(const char *entry, BaseSpec *out, Error *err) MUST_USE;

#endif
