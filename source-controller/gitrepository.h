/* GitRepository: its typed view, and the steps that its files share. */
#ifndef SOURCE_CONTROLLER_GITREPOSITORY_H
#define SOURCE_CONTROLLER_GITREPOSITORY_H

#include "git/git.h"
#include "internal.h"
#include "kube/secret.h"

/* spec, parsed once; all borrowed from the run's object. */
typedef struct {
	const char *url;
	int64_t interval_ms, timeout_ms;
	const char *provider;
	const char *secret_name, *proxy_secret_name;
	const char *branch, *tag, *semver, *name, *commit;
	const char *ignore; /* NULL differs from "" (source.md 2 "Ignore") */
	const json_t *sparse, *include, *verify;
	bool submodules;
} GitRepository;

void gitrepository_parse(const json_t *object, GitRepository *out);

/* The remote with credentials, TLS and proxy from the Secrets. Errors have the reason
 * AuthenticationFailed (S30, S31, S36). */
GitRemote *gitrepository_remote(Run *run, const GitRepository *repo, Error *err) MUST_USE;

/* What is to be fetched. */
typedef struct {
	char hash[GIT_HASH_SIZE];   /* the commit */
	char object[GIT_HASH_SIZE]; /* what the reference names: an annotated tag, or the commit */
	char *ref;		    /* remote reference that reaches it, or NULL; owned */
	char *revision;		    /* "main@sha1:..."; owned */
} GitTarget;

void git_target_dispose(GitTarget *target);
#define autogittarget __attribute__((cleanup(git_target_dispose)))

/* Resolves spec.ref on the remote: commit > name > tag > semver > branch > master (S20-S27). */
bool gitrepository_resolve(GitRemote *remote, const GitRepository *repo, GitTarget *out,
			   Error *err) MUST_USE;

/* Fetches the target into a store of its own below `dir`. Owned. */
GitStore *gitrepository_fetch(GitRemote *remote, const GitTarget *target, const char *dir,
			      Error *err) MUST_USE;

/* Packs the commit's tree into storage: *out is filled. Errors have a reason. */
bool gitrepository_pack(Run *run, const GitRepository *repo, GitStore *store,
			const GitTarget *target, Artifact *out, Error *err) MUST_USE;

#endif
