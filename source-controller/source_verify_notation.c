/*
 * spec.verify with notation (source.md 4 "Notation"): a Secret holds the trust policy and the
 * certificates that it trusts. Of the signatures that refer to the artifact the first three count,
 * as upstream has it.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "sign/notation.h"
#include "source_verify_internal.h"

enum { MAX_ATTEMPTS = 3 };

typedef struct {
	NotationPolicy *policy;
	NotationStore *store;
	bool has_certificates;
} Trust;

static void trust_dispose(Trust *trust)
{
	notation_policy_free(trust->policy);
	notation_store_free(trust->store);
}
#define autotrust __attribute__((cleanup(trust_dispose)))

/* --- what is trusted --- */

static bool is_certificate(const char *key)
{
	return cstr_ends(key, ".crt") || cstr_ends(key, ".pem");
}

static bool read_certificates(const Secret *secret, Trust *out, Error *err)
{
	size_t at = 0;
	const char *key;
	Str text;
	while (secret_next(secret, &at, &key, &text)) {
		if (!is_certificate(key))
			continue;
		out->has_certificates = true;
		if (!notation_store_add(out->store, key, text, err))
			return false;
	}
	return true;
}

static bool read_trust(Run *run, const char *name, const Secret *secret, Trust *out, Error *err)
{
	const char *ns = run_namespace(run);
	Str text;
	if (!secret_bytes(secret, NOTATION_POLICY_KEY, &text))
		return err_set(err, ERR_NOT_FOUND, "'%s' not found in secret '%s/%s'",
			       NOTATION_POLICY_KEY, ns, name);
	out->policy = notation_policy_parse(text, err);
	if (!out->policy)
		return err_wrap(err, "error occurred while parsing %s", NOTATION_POLICY_KEY);
	if (!read_certificates(secret, out, err))
		return false;
	return out->has_certificates ? true
				     : err_set(err, ERR_NOT_FOUND,
					       "no certificates found in secret '%s/%s'", ns, name);
}

static bool load_trust(Run *run, const SourceVerification *wanted, Trust *out, Error *err)
{
	const char *name = source_verify_secret(wanted, "secretRef");
	if (!name)
		return err_set(err, ERR_INVALID, "verification secret cannot be empty: '%s/%s@%s'",
			       wanted->reference->host, wanted->reference->repository,
			       wanted->digest);
	autosecret Secret *secret = secret_get(run_client(run), run_namespace(run), name, err);
	out->store = notation_store_new();
	return secret && read_trust(run, name, secret, out, err);
}

/* --- signatures --- */

typedef struct {
	Registry *registry;
	NotationTarget target;
	const NotationStatement *statement;
	const NotationStore *store;
	NotationVerdict verdict;
	int attempts;
} Check;

static bool check_signature(Check *check, const OciDescriptor *item, Error *err)
{
	autoocimanifest OciManifest manifest = {0};
	autobuf Buf envelope = {0};
	if (!registry_image(check->registry, item->digest, &manifest, err))
		return false;
	if (manifest.count != 1)
		return err_set(err, ERR_INVALID, "signature manifest with %zu layers",
			       manifest.count);
	return registry_blob_read(check->registry, &manifest.items[0], NOTATION_MAX_ENVELOPE,
				  &envelope, err) &&
	       notation_verify(buf_str(&envelope), manifest.items[0].media_type, &check->target,
			       check->statement, check->store, clock_wall_ms() / 1000,
			       &check->verdict, err);
}

/* True when one of them is good; that a registry asks to wait ends the search. */
static bool check_signatures(Check *check, const OciManifest *index, Error *err)
{
	for (size_t i = 0; i < index->count && check->attempts < MAX_ATTEMPTS; i++) {
		if (!cstr_eq(index->items[i].artifact_type, NOTATION_ARTIFACT_TYPE))
			continue;
		error_dispose(err);
		check->attempts++;
		if (check_signature(check, &index->items[i], err))
			return true;
		if (err->not_yet)
			return false;
	}
	return err_is_set(err) ? false : err_set(err, ERR_NOT_FOUND, "no signature is there");
}

static bool find_signature(const SourceVerification *wanted, Check *check, Error *err)
{
	autoerror Error cause = {0};
	autoocidescriptor OciDescriptor artifact = {0};
	autoocimanifest OciManifest index = {0};
	/* The signature is for digest, size and media type. */
	if (!registry_resolve(wanted->registry, wanted->digest, &artifact, &cause) ||
	    !registry_referrers(wanted->registry, wanted->digest, NOTATION_ARTIFACT_TYPE, &index,
				&cause))
		return source_verify_none(wanted, false, &cause, err);
	check->registry = wanted->registry;
	check->target =
		(NotationTarget){artifact.media_type, wanted->digest, (int64_t)artifact.size};
	return check_signatures(check, &index, &cause) ||
	       source_verify_none(wanted, check->attempts > 0, &cause, err);
}

bool source_verify_notation(Run *run, const SourceVerification *wanted, bool *out_tolerated,
			    Error *err)
{
	autotrust Trust trust = {0};
	if (!load_trust(run, wanted, &trust, err))
		return false;
	autofree char *scope =
		mem_printf("%s/%s", wanted->reference->host, wanted->reference->repository);
	Check check = {.statement = notation_policy_find(trust.policy, scope, err),
		       .store = trust.store};
	if (!check.statement)
		return false;
	*out_tolerated = notation_statement_skips(check.statement);
	if (*out_tolerated)
		return true;
	if (!find_signature(wanted, &check, err))
		return false;
	*out_tolerated = check.verdict == NOTATION_TOLERATED;
	return true;
}
