/*
 * spec.verify (source.md 3 "verify", S39-S42): signatures of the commit, of the annotated tag that
 * names it, or of both, by the keys of a Secret. What comes of it is the condition SourceVerified.
 */
#include "gitrepository.h"

#include <string.h>

#include "base/mem.h"
#include "sign/signature.h"

enum { MAX_NESTED_TAGS = 16 };

static const char verified_condition[] = "SourceVerified";

/* "HEAD" for "head" and for none. */
static const char *mode_of(const GitRepository *repo)
{
	const char *mode = json_text_or(repo->verify, "mode", "");
	return cstr_eq(mode, "Tag") || cstr_eq(mode, "TagAndHEAD") ? mode : "HEAD";
}

bool gitrepository_needs_verification(const json_t *object, const GitRepository *repo)
{
	if (!repo->verify)
		return false;
	const char *seen = json_text_or(json_map(object, "status"), "sourceVerificationMode", "");
	const char *mode = mode_of(repo);
	/* Both covers each of them. A branch that went back from a refused commit lost its verdict.
	 */
	bool covered = cstr_eq(seen, mode) || cstr_eq(seen, "TagAndHEAD");
	return !covered || !condition_is(object, verified_condition, "True");
}

void gitrepository_forget_verification(json_t *object, const GitRepository *repo)
{
	if (!repo->verify)
		json_object_del(json_map(object, "status"), "sourceVerificationMode");
	if (!repo->verify || condition_is(object, verified_condition, "False"))
		condition_remove(object, verified_condition);
}

static bool fail(Run *run, const char *reason, Error *err)
{
	err_reason(err, reason);
	condition_set(run_object(run), verified_condition, "False", reason, err_text(err));
	run_verdict(run, EVENT_WARNING, reason, NULL, "%s", err_text(err));
	return false;
}

/* --- keys --- */

typedef struct {
	Secret *secret;
	Str *keyrings, *authorized; /* borrow the secret's values */
	SignKeys keys;
} Keys;

static void keys_dispose(Keys *keys)
{
	secret_free(keys->secret);
	free(keys->keyrings);
	free(keys->authorized);
}

/* *.sshpub are authorized_keys; *.asc, and what upstream never documented but takes, OpenPGP. */
static bool load_keys(Run *run, const GitRepository *repo, Keys *out, Error *err)
{
	const char *name = json_text_at(repo->verify, "secretRef", "name", NULL);
	out->secret = secret_get(run_client(run), run_namespace(run), name ? name : "", err);
	if (!out->secret)
		return err_wrap(err, "public keys secret error");
	size_t at = 0, count = 0, keyrings = 0, authorized = 0;
	const char *key;
	Str value;
	while (secret_next(out->secret, &at, &key, &value))
		count++;
	out->keyrings = mem_zalloc(count + 1, sizeof(Str));
	out->authorized = mem_zalloc(count + 1, sizeof(Str));
	for (at = 0; secret_next(out->secret, &at, &key, &value);) {
		if (cstr_ends(key, ".sshpub"))
			out->authorized[authorized++] = value;
		else
			out->keyrings[keyrings++] = value;
	}
	out->keys = (SignKeys){out->keyrings, keyrings, out->authorized, authorized};
	return true;
}

/* --- objects --- */

/* `noun` is what the object is called where a key of its kind was tried. */
static bool verify_object(const GitCommit *object, const char *noun, const SignKeys *keys,
			  char **out_key, Error *err)
{
	Str signature = str_of(object->signature);
	if (signature_verify(signature, str_of(object->signed_payload), keys, out_key, err))
		return true;
	const char *type = signature_type(signature);
	if (cstr_eq(type, "openpgp") && keys->keyring_count)
		return err_wrap(err, "unable to verify Git %s", noun);
	if (cstr_eq(type, "ssh") && keys->authorized_count)
		return err_wrap(err, "unable to verify Git %s SSH signature", noun);
	return false;
}

/* The tag leads to the commit, over further tags if need be: what the server says it peels to is
 * nothing that the signature covers. */
static bool tag_reaches(GitStore *store, const GitCommit *tag, const char *commit, Error *err)
{
	char hash[GIT_HASH_SIZE];
	memcpy(hash, tag->target, sizeof(hash));
	bool is_commit = tag->target_is_commit;
	for (int i = 0; i < MAX_NESTED_TAGS && !is_commit; i++) {
		autogitcommit GitCommit next = {0};
		if (!git_store_tag(store, hash, &next, err))
			return false;
		memcpy(hash, next.target, sizeof(hash));
		is_commit = next.target_is_commit;
	}
	if (is_commit && cstr_eq(hash, commit))
		return true;
	return err_set(err, ERR_INVALID, "the tag names another commit");
}

static bool verify_tag(Run *run, const GitTarget *target, GitStore *store, const SignKeys *keys,
		       Buf *message, Error *err)
{
	if (!target->ref || !cstr_starts(target->ref, "refs/tags/")) {
		err_set(err, ERR_INVALID,
			"cannot verify tag object's signature if a tag reference is not specified");
		return fail(run, "InvalidVerificationMode", err);
	}
	autogitcommit GitCommit tag = {0};
	autofree char *shown = mem_strdup(target->ref + strlen("refs/tags/"));
	if (!cstr_eq(target->object, target->hash)) {
		if (!git_store_tag(store, target->object, &tag, err))
			return fail(run, "InvalidGitObject", err);
		free(shown);
		shown = mem_printf("%s@%s", tag.name, tag.hash);
	}
	if (!tag.signature) {
		err_set(err, ERR_INVALID,
			"cannot verify signature of tag '%s' since it is not signed", shown);
		return fail(run, "InvalidGitObject", err);
	}
	autofree char *key = NULL;
	if (!verify_object(&tag, "tag", keys, &key, err) ||
	    !tag_reaches(store, &tag, target->hash, err)) {
		err_wrap(err, "signature verification of tag '%s' failed", shown);
		return fail(run, "InvalidTagSignature", err);
	}
	buf_printf(message, "\n\t- tag '%s' with key '%s'", shown, key);
	return true;
}

static bool verify_head(Run *run, const GitTarget *target, GitStore *store, const SignKeys *keys,
			Buf *message, Error *err)
{
	autogitcommit GitCommit commit = {0};
	autofree char *key = NULL;
	if (!git_store_commit(store, target->hash, &commit, err) ||
	    !verify_object(&commit, "commit", keys, &key, err)) {
		err_wrap(err, "signature verification of commit '%s' failed", target->hash);
		return fail(run, "InvalidCommitSignature", err);
	}
	buf_printf(message, "\n\t- commit '%s' with key '%s'", target->hash, key);
	return true;
}

bool gitrepository_verify(Run *run, const GitRepository *repo, const GitTarget *target,
			  GitStore *store, Error *err)
{
	if (!repo->verify)
		return true;
	__attribute__((cleanup(keys_dispose))) Keys keys = {0};
	autobuf Buf message = {0};
	const char *mode = mode_of(repo);
	if (!load_keys(run, repo, &keys, err))
		return fail(run, "VerificationError", err);
	buf_puts(&message, "verified signature of");
	if (!cstr_eq(mode, "HEAD") && !verify_tag(run, target, store, &keys.keys, &message, err))
		return false;
	if (!cstr_eq(mode, "Tag") && !verify_head(run, target, store, &keys.keys, &message, err))
		return false;
	json_t *object = run_object(run);
	json_put_text(json_make_at(object, "status", NULL), "sourceVerificationMode", mode);
	condition_set(object, verified_condition, "True", "Succeeded", buf_text(&message));
	run_event(run, EVENT_TRACE, "Succeeded", NULL, "%s", buf_text(&message));
	return true;
}
