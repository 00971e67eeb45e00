/*
 * spec.verify with cosign (source.md 4 "Cosign"): by the public keys of a Secret, or keyless by a
 * trusted root and identities. Bundles are looked for first; only without any do the older "*.sig"
 * tags count.
 */
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "internal.h"
#include "sign/cosign.h"
#include "sign/keyless.h"
#include "source_verify_internal.h"

enum { MAX_KEYS = 100 };

#define TRUSTED_ROOT_KEY "trusted_root.json"

/* --- what is trusted --- */

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
	if (!secret || !read_keys(secret, out, err))
		return false;
	return out->len > 0 ? true
			    : err_set(err, ERR_NOT_FOUND,
				      "secret '%s/%s' has no public key: no name in it ends with "
				      "'.pub'",
				      run_namespace(run), name);
}

/* The root that the Secret has. One that is named must be there, also where keys make it unused
 * (S58); what is in it is then not looked at. */
static bool root_of_secret(Run *run, const char *name, bool used, TrustedRoot **out, Error *err)
{
	const char *ns = run_namespace(run);
	Str text;
	autosecret Secret *secret = secret_get(run_client(run), ns, name, err);
	if (secret && !secret_bytes(secret, TRUSTED_ROOT_KEY, &text))
		err_set(err, ERR_NOT_FOUND, "'" TRUSTED_ROOT_KEY "' not found in secret '%s/%s'",
			ns, name);
	if (err_is_set(err))
		return err_wrap(err, "failed to read trusted root from secret '%s/%s'", ns, name);
	if (used)
		*out = trusted_root_parse(text, err);
	return !used || *out;
}

/* Read each time: who keeps the file fresh need not restart the controller. */
static bool root_of_file(Run *run, TrustedRoot **out, Error *err)
{
	const SourceContext *context = run_context(run);
	const char *path = context->options->cosign_trusted_root;
	autobuf Buf text = {0};
	if (cstr_empty(path))
		return err_set(err, ERR_UNSUPPORTED,
			       "a trusted root is needed: name a Secret with the key "
			       "'" TRUSTED_ROOT_KEY
			       "' in spec.verify.trustedRootSecretRef, or give "
			       "the controller a file by --cosign-trusted-root");
	if (!file_read(path, TRUSTED_ROOT_MAX, &text, err))
		return err_wrap(err, "--cosign-trusted-root");
	*out = trusted_root_parse(buf_str(&text), err);
	return *out;
}

/* `used`: for a verification without keys. */
static bool load_root(Run *run, const SourceVerification *wanted, bool used, TrustedRoot **out,
		      Error *err)
{
	const char *name = source_verify_secret(wanted, "trustedRootSecretRef");
	if (name)
		return root_of_secret(run, name, used, out, err);
	return !used || root_of_file(run, out, err);
}

/* Nothing can be verified without them, whatever was signed: that is told as what it is. */
static bool check_root(const TrustedRoot *root, Error *err)
{
	const char *lacks = root->authorities.count == 0 ? "certificate authority"
			    : root->tlogs.count == 0	 ? "transparency log"
			    : root->ctlogs.count == 0	 ? "certificate transparency log"
							 : NULL;
	return lacks ? err_set(err, ERR_INVALID, "the trusted root has no %s", lacks) : true;
}

static bool read_identities(const json_t *verify, KeylessIdentities *out, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(verify, "matchOIDCIdentity"), i, item)
	{
		if (!keyless_identities_add(out, json_text(item, "issuer"),
					    json_text(item, "subject"), err))
			return false;
	}
	return true;
}

/* --- signatures --- */

typedef struct {
	Registry *registry;
	const char *digest;
	const CosignKeys *keys;	   /* or NULL: */
	const KeylessTrust *trust; /* without keys */
	size_t seen;		   /* bundles or signatures that were looked at */
} Check;

static bool is_bundle(const OciDescriptor *item)
{
	return cstr_starts(item->artifact_type ? item->artifact_type : "",
			   COSIGN_BUNDLE_TYPE_PREFIX);
}

static bool verify_bundle(const Check *check, Str text, Error *err)
{
	return check->keys ? cosign_verify_bundle(text, check->digest, check->keys, err)
			   : keyless_verify_bundle(text, check->digest, check->trust, err);
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
	       verify_bundle(check, buf_str(&text), err);
}

/* True when one of the bundles is good. What is wrong with another does not count, but that a
 * registry asks to wait does. */
static bool check_bundles(Check *check, Error *err)
{
	autoocimanifest OciManifest index = {0};
	if (!registry_referrers(check->registry, check->digest, NULL, &index, err))
		return false;
	for (size_t i = 0; i < index.count && check->seen < SOURCE_VERIFY_MAX_SIGNATURES; i++) {
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

static bool verify_payload(const Check *check, Str payload, const json_t *annotations, Error *err)
{
	const KeylessSignature signature = {
		.signature = json_text(annotations, COSIGN_SIGNATURE_ANNOTATION),
		.certificate = json_text(annotations, KEYLESS_CERTIFICATE_ANNOTATION),
		.log_entry = json_text(annotations, KEYLESS_BUNDLE_ANNOTATION)};
	return check->keys ? cosign_verify_payload(payload, signature.signature, check->digest,
						   check->keys, err)
			   : keyless_verify_payload(payload, &signature, check->digest,
						    check->trust, err);
}

static bool check_signature(Check *check, const OciDescriptor *layer, Error *err)
{
	autobuf Buf payload = {0};
	return registry_blob_read(check->registry, layer, COSIGN_MAX_PAYLOAD, &payload, err) &&
	       verify_payload(check, buf_str(&payload), layer->annotations, err);
}

static bool check_signatures(Check *check, Error *err)
{
	autofree char *tag = mem_printf("%s.sig", check->digest);
	*strchr(tag, ':') = '-';
	autoocimanifest OciManifest manifest = {0};
	if (!registry_image(check->registry, tag, &manifest, err))
		return false;
	for (size_t i = 0; i < manifest.count && i < SOURCE_VERIFY_MAX_SIGNATURES; i++) {
		if (!cstr_eq(manifest.items[i].media_type, COSIGN_PAYLOAD_TYPE))
			continue;
		error_dispose(err);
		check->seen++;
		if (check_signature(check, &manifest.items[i], err))
			return true;
		if (err->not_yet)
			return false;
	}
	return false;
}

static bool find_signature(const SourceVerification *wanted, Check *check, Error *err)
{
	autoerror Error cause = {0};
	check->registry = wanted->registry;
	check->digest = wanted->digest;
	bool ok = check_bundles(check, &cause);
	if (!ok && !cause.not_yet && check->seen == 0) {
		error_dispose(&cause);
		ok = check_signatures(check, &cause);
	}
	return ok || source_verify_none(wanted, check->seen > 0, &cause, err);
}

/* --- the two ways --- */

static bool verify_with_keys(Run *run, const SourceVerification *wanted, const char *secret,
			     Error *err)
{
	autokeys Vec keys = {0};
	if (!load_keys(run, secret, &keys, err))
		return false;
	const CosignKeys trusted = {(PublicKey *const *)keys.items, keys.len};
	Check check = {.keys = &trusted};
	return find_signature(wanted, &check, err);
}

static bool verify_keyless(const SourceVerification *wanted, const TrustedRoot *root, Error *err)
{
	autoidentities KeylessIdentities identities = {0};
	if (!check_root(root, err) || !read_identities(wanted->verify, &identities, err))
		return false;
	const KeylessTrust trust = {root, &identities};
	Check check = {.trust = &trust};
	return find_signature(wanted, &check, err);
}

bool source_verify_cosign(Run *run, const SourceVerification *wanted, Error *err)
{
	const char *secret = source_verify_secret(wanted, "secretRef");
	autotrustedroot TrustedRoot *root = NULL;
	if (!load_root(run, wanted, !secret, &root, err))
		return false;
	return secret ? verify_with_keys(run, wanted, secret, err)
		      : verify_keyless(wanted, root, err);
}
