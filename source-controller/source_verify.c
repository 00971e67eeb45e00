/*
 * spec.verify: the provider, and what its verdict means for the object. What is signed is the
 * digest that was resolved, and nothing else is pulled afterwards.
 */
#include "source_verify_internal.h"

#include "base/mem.h"
#include "base/visible.h"

enum { SHOWN_CAUSE = 500 };

const char *source_verify_secret(const SourceVerification *wanted, const char *key)
{
	return json_text_at(wanted->verify, key, "name", NULL);
}

bool source_verify_none(const SourceVerification *wanted, bool is_signed, Error *take_cause,
			Error *err)
{
	const OciReference *reference = wanted->reference;
	if (take_cause->not_yet)
		return err_move(err, take_cause);
	/* Certificates are hostile, too. */
	autofree char *cause = visible_text(err_text(take_cause), SHOWN_CAUSE);
	bool is_bare = !is_signed && (!err_is_set(take_cause) || take_cause->code == ERR_NOT_FOUND);
	return err_set(err, ERR_FORBIDDEN, "no matching signatures were found for '%s/%s@%s': %s",
		       reference->host, reference->repository, wanted->digest,
		       is_bare ? "it is not signed" : cause);
}

static bool fail(json_t *object, const json_t *verify, Error *err)
{
	const char *provider = json_text_or(verify, "provider", "cosign");
	bool keyless = cstr_eq(provider, "cosign") && !json_map(verify, "secretRef");
	if (err->not_yet)
		return false;
	err_wrap(err, "failed to verify the signature using provider '%s%s'", provider,
		 keyless ? " keyless" : "");
	err_reason(err, "VerificationError");
	condition_set(object, "SourceVerified", "False", err->reason, err_text(err));
	return false;
}

static bool verify_by_provider(Run *run, const SourceVerification *wanted, bool *out_tolerated,
			       Error *err)
{
	const char *provider = json_text_or(wanted->verify, "provider", "cosign");
	if (cstr_eq(provider, "cosign"))
		return source_verify_cosign(run, wanted, err);
	if (cstr_eq(provider, "notation"))
		return source_verify_notation(run, wanted, out_tolerated, err);
	return err_set(err, ERR_INVALID, "unsupported verification provider: %s", provider);
}

bool source_verify(Run *run, const SourceVerification *wanted, Error *err)
{
	json_t *object = run_object(run);
	bool tolerated = false;
	if (wanted->verify && !verify_by_provider(run, wanted, &tolerated, err))
		return fail(object, wanted->verify, err);
	if (!wanted->verify || tolerated)
		condition_remove(object, "SourceVerified");
	else
		condition_setf(object, "SourceVerified", "True", "Succeeded",
			       "verified signature of %s", wanted->what);
	return true;
}
