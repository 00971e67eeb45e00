/*
 * spec.verify: cosign with the public keys of a Secret (source.md 4 "Cosign"). Bundles are looked
 * for first; only without any do the older "*.sig" tags count. What is signed is the digest that
 * was resolved, and nothing else is pulled afterwards.
 */
#include "ocirepository.h"

#include <string.h>

#include "base/mem.h"
#include "kube/secret.h"
#include "sign/cosign.h"

enum { MAX_KEYS = 100, MAX_SIGNATURES = 100 };

#define TRUSTED_ROOT_KEY "trusted_root.json"

/* --- keys --- */

static void free_key(void *key)
{
	public_key_free(key);
}

static void keys_dispose(Vec *keys)
{
	vec_dispose_with(keys, free_key);
}
#define autokeys __attribute__((cleanup(keys_dispose)))

static bool read_keys(const Secret *secret, Vec *out, Error *err)
{
	size_t at = 0;
	const char *name;
	Str text;
	while (secret_next(secret, &at, &name, &text)) {
		if (!cstr_ends(name, ".pub"))
			continue;
		if (out->len >= MAX_KEYS)
			return err_set(err, ERR_LIMIT, "more than %d public keys", MAX_KEYS);
		PublicKey *key = public_key_of_pem(text, err);
		if (!key)
			return err_wrap(err, "key '%s'", name);
		vec_push(out, key);
	}
	return true;
}

static bool load_keys(Run *run, const char *name, Vec *out, Error *err)
{
	autosecret Secret *secret = secret_get(run_client(run), run_namespace(run), name, err);
	return secret && read_keys(secret, out, err);
}

/* A trusted root that is named must be there, also where keys make it unused (S58). */
static bool check_trusted_root(Run *run, const json_t *verify, Error *err)
{
	const char *name = json_text_at(verify, "trustedRootSecretRef", "name", NULL);
	const char *ns = run_namespace(run);
	Str text;
	if (!name)
		return true;
	autosecret Secret *secret = secret_get(run_client(run), ns, name, err);
	if (secret && !secret_bytes(secret, TRUSTED_ROOT_KEY, &text))
		err_set(err, ERR_NOT_FOUND, "'" TRUSTED_ROOT_KEY "' not found in secret '%s/%s'",
			ns, name);
	return err_is_set(err)
		       ? err_wrap(err, "failed to read trusted root from secret '%s/%s'", ns, name)
		       : true;
}

/* --- signatures --- */

typedef struct {
	Registry *registry;
	const char *digest;
	CosignKeys keys;
	size_t seen; /* bundles or signatures that were looked at */
} Check;

static bool is_bundle(const OciDescriptor *item)
{
	return cstr_starts(item->artifact_type ? item->artifact_type : "",
			   COSIGN_BUNDLE_TYPE_PREFIX);
}

static bool check_bundle(Check *check, const OciDescriptor *item, Error *err)
{
	autoocimanifest OciManifest manifest = {0};
	autobuf Buf text = {0};
	if (!registry_image(check->registry, item->digest, &manifest, err))
		return false;
	const OciDescriptor *layer = oci_manifest_layer(&manifest, NULL);
	if (!layer)
		return err_set(err, ERR_INVALID, "bundle without a layer");
	return registry_blob_read(check->registry, layer, COSIGN_MAX_BUNDLE, &text, err) &&
	       cosign_verify_bundle(buf_str(&text), check->digest, &check->keys, err);
}

/* True when one of the bundles is good. What is wrong with another does not count, but that a
 * registry asks to wait does. */
static bool check_bundles(Check *check, Error *err)
{
	autoocimanifest OciManifest index = {0};
	if (!registry_referrers(check->registry, check->digest, NULL, &index, err))
		return false;
	for (size_t i = 0; i < index.count && check->seen < MAX_SIGNATURES; i++) {
		if (!is_bundle(&index.items[i]))
			continue;
		error_dispose(err);
		check->seen++;
		if (check_bundle(check, &index.items[i], err))
			return true;
		if (err->not_yet)
			return false;
	}
	return false;
}

static bool check_signature(Check *check, const OciDescriptor *layer, Error *err)
{
	autobuf Buf payload = {0};
	const char *signature = json_text(layer->annotations, COSIGN_SIGNATURE_ANNOTATION);
	return registry_blob_read(check->registry, layer, COSIGN_MAX_PAYLOAD, &payload, err) &&
	       cosign_verify_payload(buf_str(&payload), signature, check->digest, &check->keys,
				     err);
}

static bool check_signatures(Check *check, Error *err)
{
	autofree char *tag = mem_printf("%s.sig", check->digest);
	*strchr(tag, ':') = '-';
	autoocimanifest OciManifest manifest = {0};
	if (!registry_image(check->registry, tag, &manifest, err))
		return false;
	for (size_t i = 0; i < manifest.count && i < MAX_SIGNATURES; i++) {
		if (!cstr_eq(manifest.items[i].media_type, COSIGN_PAYLOAD_TYPE))
			continue;
		error_dispose(err);
		if (check_signature(check, &manifest.items[i], err))
			return true;
		if (err->not_yet)
			return false;
	}
	return false;
}

static bool verify_with_keys(Run *run, const json_t *verify, Registry *registry,
			     const OciReference *reference, const char *digest, Error *err)
{
	autokeys Vec keys = {0};
	if (!load_keys(run, json_text_at(verify, "secretRef", "name", NULL), &keys, err))
		return false;
	Check check = {.registry = registry,
		       .digest = digest,
		       .keys = {(PublicKey *const *)keys.items, keys.len}};
	autoerror Error cause = {0};
	bool ok = check_bundles(&check, &cause);
	if (!ok && !cause.not_yet && check.seen == 0) {
		error_dispose(&cause);
		ok = check_signatures(&check, &cause);
	}
	if (ok)
		return true;
	if (cause.not_yet)
		return err_move(err, &cause);
	log_info(run_log(run), "signature not verified", "cause", err_text(&cause), NULL);
	return err_set(err, ERR_FORBIDDEN, "no matching signatures were found for '%s/%s@%s'",
		       reference->host, reference->repository, digest);
}

/* --- the verdict --- */

const char *ocirepository_unsupported_verify(const OCIRepository *repo)
{
	if (!repo->verify)
		return NULL;
	if (!cstr_eq(json_text_or(repo->verify, "provider", "cosign"), "cosign"))
		return "spec.verify.provider notation";
	return json_map(repo->verify, "secretRef") ? NULL
						   : "spec.verify without secretRef (keyless)";
}

/* Verified before, and nothing that counts has changed since. */
static bool is_verified(const json_t *object, bool same_revision)
{
	const json_t *condition = object_condition(object, "SourceVerified");
	return same_revision && condition_is(object, "SourceVerified", "True") &&
	       json_int(condition, "observedGeneration", 0) == object_generation(object);
}

bool ocirepository_verify(Run *run, const OCIRepository *repo, Registry *registry,
			  const OciReference *reference, const char *revision, bool same_revision,
			  Error *err)
{
	json_t *object = run_object(run);
	if (!repo->verify) {
		condition_remove(object, "SourceVerified");
		return true;
	}
	if (is_verified(object, same_revision))
		return true;
	if (check_trusted_root(run, repo->verify, err) &&
	    verify_with_keys(run, repo->verify, registry, reference, ocirepository_digest(revision),
			     err)) {
		condition_setf(object, "SourceVerified", "True", "Succeeded",
			       "verified signature of revision %s", revision);
		return true;
	}
	err_wrap(err, "failed to verify the signature using provider 'cosign'");
	return source_verify_fail(run, err);
}
