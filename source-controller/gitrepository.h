/* GitRepository: its typed view, and the steps that its files share. */
#ifndef SOURCE_CONTROLLER_GITREPOSITORY_H
#define SOURCE_CONTROLLER_GITREPOSITORY_H

#include "git/cache.h"
#include "git/git.h"
#include "internal.h"
#include "kube/secret.h"

/* spec, parsed once; all borrowed from the run's object. */
typedef struct {
	const char *url;
	int64_t interval_ms, timeout_ms;
	const char *provider, *service_account;
	const char *secret_name, *proxy_secret_name;
	const char *branch, *tag, *semver, *name, *commit;
	const char *ignore; /* NULL differs from "" (source.md 2 "Ignore") */
	const json_t *sparse, *include, *verify;
	bool submodules;
} GitRepository;

void gitrepository_parse(const json_t *object, GitRepository *out);

/* --- gitrepository_auth.c --- */

/* The Secrets of an object and the remotes that they open. One run, one thread. */
typedef struct GitAuth GitAuth;

/* Reads the Secrets and asks the provider. Errors have the reason that upstream gives (S30, S31,
 * S36, S46, S47). */
GitAuth *git_auth_load(Run *run, const GitRepository *repo, Error *err) MUST_USE;
void git_auth_free(GitAuth *auth);
AUTO_POINTER(GitAuth, git_auth_free, auto_git_auth);
#define autogitauth __attribute__((cleanup(auto_git_auth)))

/* A remote for spec.url, or for a submodule's URL that the repository at `parent` names (NULL: none
 * does), and that then must not lead from outside inside. Only the scheme, host and port of
 * spec.url get its credentials over HTTP; over SSH known_hosts is the limit. Errors have the reason
 * AuthenticationFailed. Owned. */
GitRemote *git_auth_remote(const GitAuth *auth, const char *parent, const char *url,
			   Error *err) MUST_USE;

/* The server refused them: a token that was kept is not used again. */
void git_auth_refused(const GitAuth *auth);

/* The store of the cache for a remote with these credentials. Owned. */
GitLease *git_auth_lease(const GitAuth *auth, const char *url, Error *err) MUST_USE;

/* --- gitrepository_ref.c --- */

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
bool gitrepository_resolve(const GitAuth *auth, GitRemote *remote, const GitRepository *repo,
			   GitTarget *out, Error *err) MUST_USE;

/* Brings the target's objects into the lease's store. */
bool gitrepository_fetch(GitRemote *remote, const GitTarget *target, GitLease *lease,
			 Error *err) MUST_USE;

/* --- gitrepository_modules.c, gitrepository_tree.c --- */

/* A commit's tree and those of its submodules. Zero is empty. */
typedef struct GitTree GitTree;
struct GitTree {
	char *path; /* where the parent has it; "" for the root */
	char hash[GIT_HASH_SIZE];
	char *url; /* of its remote */
	GitLease *lease;
	GitStore *store; /* the lease's */
	GitTree *modules;
	size_t module_count;
};

void git_tree_dispose(GitTree *tree);
#define autogittree __attribute__((cleanup(git_tree_dispose)))

/* Takes a store for tree->url from the cache. */
bool git_tree_open(const GitAuth *auth, GitTree *tree, Error *err) MUST_USE;

/* Something in the stores could not be read: none of them is used again. */
void git_tree_spoil(GitTree *tree);

/* Fetches the submodules of tree, and theirs (S37). */
bool gitrepository_fetch_modules(const GitAuth *auth, GitTree *tree, Error *err) MUST_USE;

/* Told of each entry but the root; paths are from the root. */
typedef bool GitTreeFn(void *arg, GitStore *store, const GitEntry *entry, Error *err);

/* Walks all trees in lexical order, as git_store_walk does; a submodule that was fetched is a
 * directory, one that was not is not told. */
bool git_tree_walk(const GitTree *tree, GitTreeFn *fn, void *arg, Error *err) MUST_USE;

/* --- gitrepository_include.c --- */

/* spec.include, each with the artifact that it names. */
typedef struct {
	const char *name, *from, *to; /* borrowed of spec; to is never empty */
	Artifact artifact;
} GitInclude;

typedef struct {
	GitInclude *items;
	size_t len;
} GitIncludes;

void git_includes_dispose(GitIncludes *includes);
#define autogitincludes __attribute__((cleanup(git_includes_dispose)))

/* Finds the artifacts. Errors have the reason NotFound or NoArtifact (S44). */
bool gitrepository_includes(Run *run, const GitRepository *repo, GitIncludes *out,
			    Error *err) MUST_USE;

/* Whether they are those that the stored artifact was made with. */
bool git_includes_unchanged(const json_t *object, const GitRepository *repo,
			    const GitIncludes *includes);
void git_includes_observe(json_t *object, const GitRepository *repo, const GitIncludes *includes);

/* Moves what they hold into the work tree at `dir` (S43, S45). Errors have the reason CopyFailure.
 */
bool git_includes_place(Run *run, const GitIncludes *includes, const char *dir,
			Error *err) MUST_USE;

/* Kind.index and Kind.changed: a new artifact wakes those that include it. */
void gitrepository_index(const json_t *object, IndexAdd *add, void *arg);
void gitrepository_changed(Manager *manager, const Kind *kind, const char *ns, const char *name,
			   const json_t *object);

/* --- gitrepository_verify.c --- */

/* True when spec.verify asks for more than has been verified at the artifact's revision. */
bool gitrepository_needs_verification(const json_t *object, const GitRepository *repo);

/* A refusal of the last run, and all of it without spec.verify, goes before the next one. */
void gitrepository_forget_verification(json_t *object, const GitRepository *repo);

/* Verifies what was fetched and sets SourceVerified. Errors have a reason; InvalidVerificationMode
 * stalls (S39-S42). */
bool gitrepository_verify(Run *run, const GitRepository *repo, const GitTarget *target,
			  GitStore *store, Error *err) MUST_USE;

/* --- gitrepository_pack.c --- */

/* Packs tree and includes into storage: *out is filled. Errors have a reason. */
bool gitrepository_pack(Run *run, const GitRepository *repo, const GitTree *tree,
			const GitIncludes *includes, const char *revision, Artifact *out,
			Error *err) MUST_USE;

#endif
