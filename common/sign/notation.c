/* The verdict: integrity always, then the checks that the statement enforces or only logs. */
#include "sign/notation.h"

#include "base/mem.h"
#include "data/json.h"
#include "sign/notation_internal.h"
#include "sign/rfc3161.h"

enum { MAX_TRUSTED = 1000 };

/* --- certificates --- */

struct NotationStore {
	Vec certificates; /* X509 */
	Error broken;	  /* of the first that could not be read */
};

NotationStore *notation_store_new(void)
{
	return mem_zalloc(1, sizeof(NotationStore));
}

void notation_store_free(NotationStore *store)
{
	if (!store)
		return;
	certificates_dispose(&store->certificates);
	error_dispose(&store->broken);
	free(store);
}

bool notation_store_add(NotationStore *store, const char *name, Str text, Error *err)
{
	autocertificates Vec read = {0};
	autoerror Error cause = {0};
	if (store->certificates.len >= MAX_TRUSTED)
		return err_set(err, ERR_LIMIT, "more than %d certificates", MAX_TRUSTED);
	X509 *der = certificate_of_der(text, &cause);
	if (der)
		vec_push(&read, der);
	error_dispose(&cause);
	if (!der && !certificates_of_pem(text, &read, &cause)) {
		err_wrap(&cause, "failed to parse certificate '%s'", name);
		if (!err_is_set(&store->broken))
			err_move(&store->broken, &cause);
		return true;
	}
	vec_push(&store->certificates, vec_remove(&read, 0));
	return true;
}

/* --- envelopes --- */

void notation_envelope_dispose(NotationEnvelope *envelope)
{
	free(envelope->content_type);
	buf_dispose(&envelope->payload);
	buf_dispose(&envelope->signature);
	buf_dispose(&envelope->timestamp);
	certificates_dispose(&envelope->chain);
}

bool notation_envelope_scheme(NotationEnvelope *envelope, const char *scheme, Error *err)
{
	envelope->is_authority = cstr_eq(scheme, "notary.x509.signingAuthority");
	if (envelope->is_authority || cstr_eq(scheme, "notary.x509"))
		return true;
	return err_set(err, ERR_UNSUPPORTED, "signing scheme '%.100s'", scheme ? scheme : "");
}

bool notation_envelope_signed(const NotationEnvelope *envelope, Str covered, Error *err)
{
	X509 *leaf = envelope->chain.len > 0 ? envelope->chain.items[0] : NULL;
	if (!leaf)
		return err_set(err, ERR_INVALID, "certificate chain is not present");
	if (notation_key_algorithm(leaf) != envelope->algorithm)
		return err_set(err, ERR_UNSUPPORTED,
			       "the signature's algorithm is not that of the certificate's key");
	if (!jose_verifies(envelope->algorithm, X509_get0_pubkey(leaf), covered,
			   buf_str(&envelope->signature)))
		return err_set(err, ERR_FORBIDDEN, "the signature does not fit");
	return true;
}

static bool read_envelope(Str text, const char *media_type, NotationEnvelope *out, Error *err)
{
	out->expiry_s = INT64_MAX;
	if (text.len > NOTATION_MAX_ENVELOPE)
		return err_set(err, ERR_LIMIT, "signature of more than %d bytes",
			       NOTATION_MAX_ENVELOPE);
	if (cstr_eq(media_type, "application/jose+json"))
		return notation_jws_read(text, out, err);
	if (cstr_eq(media_type, "application/cose"))
		return notation_cose_read(text, out, err);
	return err_set(err, ERR_UNSUPPORTED, "signature of media type '%.100s'",
		       media_type ? media_type : "");
}

static bool check_integrity(const NotationEnvelope *envelope, Error *err)
{
	if (envelope->payload.len == 0 || !cstr_eq(envelope->content_type, NOTATION_PAYLOAD_TYPE))
		return err_set(err, ERR_INVALID, "no payload, or one of another type");
	if (envelope->expiry_s <= envelope->signed_s)
		return err_set(err, ERR_INVALID, "it expires before it was signed");
	return notation_chain_check(&envelope->chain, err);
}

/* --- the checks --- */

typedef struct {
	const NotationEnvelope *envelope;
	const NotationStatement *statement;
	const NotationStore *store;
	int64_t now_s;
} Case;

static bool is_trusted(const Vec *chain, const Vec *trusted)
{
	for (size_t i = 0; i < chain->len; i++)
		for (size_t t = 0; t < trusted->len; t++)
			if (certificate_equal(chain->items[i], trusted->items[t]))
				return true;
	return false;
}

static bool check_identity(const Case *seen, Error *err)
{
	const Vec *identities = &seen->statement->identities;
	if (seen->statement->any_identity)
		return true;
	automap Map *subject = notation_dn_of(seen->envelope->chain.items[0], err);
	if (!subject)
		return false;
	for (size_t i = 0; i < identities->len; i++)
		if (notation_dn_within(identities->items[i], subject))
			return true;
	return err_set(err, ERR_FORBIDDEN,
		       "no trusted identity is that of the signing certificate");
}

static bool check_authenticity(const Case *seen, Error *err)
{
	bool has_store = seen->envelope->is_authority ? seen->statement->has_authority
						      : seen->statement->has_ca;
	if (err_is_set(&seen->store->broken)) {
		err_copy(err, &seen->store->broken);
		return false;
	}
	if (!has_store || !is_trusted(&seen->envelope->chain, &seen->store->certificates))
		return err_set(err, ERR_FORBIDDEN, "no trusted certificate is in its chain");
	return check_identity(seen, err);
}

static bool check_expiry(const Case *seen, Error *err)
{
	return seen->now_s < seen->envelope->expiry_s
		       ? true
		       : err_set(err, ERR_FORBIDDEN, "digital signature has expired");
}

static bool chain_valid(const Vec *chain, int64_t from_s, int64_t to_s, Error *err)
{
	for (size_t i = 0; i < chain->len; i++)
		if (!certificate_valid_at(chain->items[i], from_s) ||
		    !certificate_valid_at(chain->items[i], to_s))
			return err_set(err, ERR_FORBIDDEN,
				       "a certificate of its chain is not valid at that time");
	return true;
}

static bool has_expired(const Vec *chain, int64_t now_s)
{
	for (size_t i = 0; i < chain->len; i++) {
		int64_t end_s;
		if (certificate_time(X509_get0_notAfter(chain->items[i]), &end_s) && now_s > end_s)
			return true;
	}
	return false;
}

static bool check_countersignature(const Case *seen, Error *err)
{
	Rfc3161Time time;
	if (seen->envelope->timestamp.len == 0)
		return err_set(err, ERR_FORBIDDEN, "no timestamp countersignature");
	if (!rfc3161_verify_token(buf_str(&seen->envelope->timestamp),
				  buf_str(&seen->envelope->signature), &seen->store->certificates,
				  &time, err))
		return false;
	return chain_valid(&seen->envelope->chain, time.from_s, time.to_s, err);
}

/* A signing authority's own time counts; else the time of a trusted timestamp, where the statement
 * has a store for those; else now. */
static bool check_timestamp(const Case *seen, Error *err)
{
	const Vec *chain = &seen->envelope->chain;
	int64_t signed_s = seen->envelope->signed_s;
	if (seen->envelope->is_authority)
		return chain_valid(chain, signed_s, signed_s, err);
	bool wanted = seen->statement->has_tsa &&
		      !(seen->statement->after_expiry && !has_expired(chain, seen->now_s));
	return wanted ? check_countersignature(seen, err)
		      : chain_valid(chain, seen->now_s, seen->now_s, err);
}

static bool check_revocation(const Case *seen, Error *err)
{
	if (!notation_chain_revocable(&seen->envelope->chain))
		return true;
	return err_set(
		err, ERR_FORBIDDEN,
		"whether a certificate is revoked is unknown: its OCSP and CRL addresses are "
		"not asked; override the check 'revocation' with log or skip to go without");
}

static bool check_target(const Buf *payload, const NotationTarget *target, Error *err)
{
	autojson json_t *root = json_parse(payload->ptr, payload->len, NOTATION_MAX_ENVELOPE, err);
	const json_t *named = json_map(root, "targetArtifact");
	if (!root)
		return err_wrap(err, "payload");
	if (cstr_eq(json_text(named, "mediaType"), target->media_type) &&
	    cstr_eq(json_text(named, "digest"), target->digest) &&
	    json_int(named, "size", -1) == target->size)
		return true;
	return err_set(err, ERR_FORBIDDEN, "the signature is for another artifact than %s",
		       target->digest);
}

/* True when all that is enforced holds. *out_unauthentic: that check failed and is only logged. */
static bool run_checks(const Case *seen, bool *out_unauthentic, Error *err)
{
	static const struct {
		NotationCheck check;
		bool (*run)(const Case *seen, Error *err);
	} checks[] = {
		{CHECK_AUTHENTICITY, check_authenticity},
		{CHECK_EXPIRY, check_expiry},
		{CHECK_TIMESTAMP, check_timestamp},
		{CHECK_REVOCATION, check_revocation},
	};
	for (size_t i = 0; i < COUNT(checks); i++) {
		autoerror Error cause = {0};
		NotationAction action = seen->statement->actions[checks[i].check];
		if (action == ACTION_SKIP || checks[i].run(seen, &cause))
			continue;
		if (action == ACTION_ENFORCE)
			return err_move(err, &cause);
		*out_unauthentic |= checks[i].check == CHECK_AUTHENTICITY;
	}
	return true;
}

bool notation_verify(Str text, const char *media_type, const NotationTarget *target,
		     const NotationStatement *statement, const NotationStore *store, int64_t now_s,
		     NotationVerdict *out, Error *err)
{
	autoenvelope NotationEnvelope envelope = {0};
	const Case seen = {&envelope, statement, store, now_s};
	bool unauthentic = false;
	if (!read_envelope(text, media_type, &envelope, err) || !check_integrity(&envelope, err) ||
	    !run_checks(&seen, &unauthentic, err) || !check_target(&envelope.payload, target, err))
		return false;
	*out = unauthentic ? NOTATION_TOLERATED : NOTATION_VERIFIED;
	return true;
}
