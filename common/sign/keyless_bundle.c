/* Bundles of a certificate, checked in the order of the sigstore client specification: log entries,
 * the times they and timestamps prove, the certificate at each of those times, the signature, the
 * statement, the identity. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "data/json.h"
#include "sign/bundle.h"
#include "sign/dsse.h"
#include "sign/fulcio.h"
#include "sign/keyless_internal.h"
#include "sign/rfc3161.h"

enum { MAX_TIMESTAMPS = 32, MAX_TIMES = REKOR_MAX_ENTRIES + MAX_TIMESTAMPS };

typedef struct {
	SigstoreBundle read;
	X509 *leaf;
	PublicKey *key;
	bool has_promise, has_proof, has_first, has_second; /* of any entry */
	int64_t times_s[MAX_TIMES];			    /* proven */
	size_t time_count;
} Bundle;

static void bundle_dispose(Bundle *bundle)
{
	sigstore_bundle_dispose(&bundle->read);
	X509_free(bundle->leaf);
	public_key_free(bundle->key);
}
#define autobundle __attribute__((cleanup(bundle_dispose)))

/* --- reading --- */

/* Its certificate; a chain, of which only the first counts, was allowed before 0.3. */
static bool read_certificate(Bundle *out, Error *err)
{
	const json_t *material = out->read.material;
	const char *text = json_text_at(material, "certificate", "rawBytes", NULL);
	const json_t *chain = json_list(json_map(material, "x509CertificateChain"), "certificates");
	autobuf Buf der = {0};
	if (chain && out->read.version >= 3)
		return err_set(err, ERR_INVALID, "a chain of certificates in a bundle of 0.3");
	if (!text)
		text = json_text(json_array_get(chain, 0), "rawBytes");
	if (!text)
		return err_set(err, ERR_FORBIDDEN, "bundle without a certificate");
	if (!dsse_decode(text, CERTIFICATE_MAX, &der, err))
		return err_wrap(err, "certificate");
	out->leaf = certificate_of_der(buf_str(&der), err);
	out->key = out->leaf ? certificate_key(out->leaf, err) : NULL;
	return out->key;
}

static bool bundle_read(Str text, Bundle *out, Error *err)
{
	return sigstore_bundle_read(text, &out->read, err) && read_certificate(out, err);
}

/* --- log entries --- */

static bool check_first_body(const Bundle *bundle, const RekorEntry *entry, Error *err)
{
	autorekorbody RekorBody body = {0};
	char hex[DIGEST_TEXT_SIZE];
	if (!rekor_body_read(entry, &body, err) || !keyless_check_key(&body.key, bundle->leaf, err))
		return false;
	digest_hex(DIGEST_SHA256, bundle->read.payload.ptr, bundle->read.payload.len, hex);
	if (!body.is_envelope || !digest_equal(body.hash, hex) ||
	    !str_eq(buf_str(&body.signature), buf_str(&bundle->read.signature)))
		return err_set(err, ERR_FORBIDDEN, "the log entry is about another signature");
	return true;
}

/* Times come from promises alone: a proof does not sign them. */
static bool check_known(Bundle *bundle, const RekorEntry *entry, const TrustedLog *log,
			bool *out_counts, Error *err)
{
	bool second = rekor_entry_is_second(entry), promised = entry->promise.len > 0;
	autoerror Error ignored = {0};
	*out_counts = false;
	if (!promised && !entry->has_proof)
		return err_set(err, ERR_FORBIDDEN, "a log entry without promise or proof");
	if (second && !entry->has_proof)
		return err_set(err, ERR_FORBIDDEN, "a log entry without a proof");
	if (promised && !rekor_check_promise(entry, log, &ignored))
		return true;
	if (entry->has_proof && !rekor_check_proof(entry, log, err))
		return false;
	if (second ? !keyless_check_second(entry, bundle->leaf, &bundle->read.signature,
					   bundle->read.type, &bundle->read.payload, err)
		   : !check_first_body(bundle, entry, err))
		return false;
	if (entry->integrated_s != 0 && !certificate_valid_at(bundle->leaf, entry->integrated_s))
		return err_set(err, ERR_FORBIDDEN,
			       "the entry was logged when the certificate was not valid");
	if (promised)
		bundle->times_s[bundle->time_count++] = entry->integrated_s;
	*out_counts = true;
	return true;
}

/* Entries of logs that are not trusted, or whose promise is none, are passed over. */
static bool check_entry(Bundle *bundle, const RekorEntry *entry, const TrustedRoot *root,
			size_t *good, Error *err)
{
	const TrustedLog *log = trusted_logs_find(&root->tlogs, buf_str(&entry->log_id));
	bool counts = false;
	if (log && !check_known(bundle, entry, log, &counts, err))
		return false;
	*good += counts;
	return true;
}

static bool is_repeated(const RekorEntry *entries, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (entries[i].index == entries[at].index &&
		    str_eq(buf_str(&entries[i].log_id), buf_str(&entries[at].log_id)))
			return true;
	return false;
}

static bool read_entries(Bundle *bundle, RekorEntry *entries, size_t *count, Error *err)
{
	const json_t *list = json_list(bundle->read.material, "tlogEntries");
	size_t i;
	json_t *item;
	if (json_array_size(list) > REKOR_MAX_ENTRIES)
		return err_set(err, ERR_LIMIT, "more than %d log entries", REKOR_MAX_ENTRIES);
	json_array_foreach(json_borrow(list), i, item)
	{
		*count = i + 1;
		if (!rekor_entry_parse(item, &entries[i], err))
			return false;
		if (is_repeated(entries, i))
			return err_set(err, ERR_INVALID, "a log entry is there twice");
		bundle->has_promise |= entries[i].promise.len > 0;
		bundle->has_proof |= entries[i].has_proof;
		bundle->has_first |= entries[i].integrated_s != 0;
		bundle->has_second |= entries[i].integrated_s == 0;
	}
	return true;
}

static bool check_read_entries(Bundle *bundle, const RekorEntry *entries, size_t count,
			       const TrustedRoot *root, Error *err)
{
	size_t good = 0;
	if (count > 0 && !(bundle->read.version == 1 ? bundle->has_promise : bundle->has_proof))
		return err_set(err, ERR_INVALID, "log entries without a %s",
			       bundle->read.version == 1 ? "promise" : "proof");
	for (size_t i = 0; i < count; i++)
		if (!check_entry(bundle, &entries[i], root, &good, err))
			return false;
	return good > 0 ? true : err_set(err, ERR_FORBIDDEN, "no trusted log has the signature");
}

static bool check_entries(Bundle *bundle, const TrustedRoot *root, Error *err)
{
	autofree RekorEntry *entries = mem_zalloc(REKOR_MAX_ENTRIES, sizeof(*entries));
	size_t count = 0;
	bool ok = read_entries(bundle, entries, &count, err) &&
		  check_read_entries(bundle, entries, count, root, err);
	for (size_t i = 0; i < count; i++)
		rekor_entry_dispose(&entries[i]);
	return ok;
}

/* --- times --- */

/* Entries of the log's second version tell no time: timestamps must. */
static bool check_timestamps(Bundle *bundle, const TrustedRoot *root, Error *err)
{
	const json_t *stamps = json_map(bundle->read.material, "timestampVerificationData");
	const json_t *list = json_list(stamps, "rfc3161Timestamps");
	size_t i;
	json_t *item;
	bundle->time_count = 0;
	if (json_array_size(list) > MAX_TIMESTAMPS)
		return err_set(err, ERR_LIMIT, "more than %d timestamps", MAX_TIMESTAMPS);
	json_array_foreach(json_borrow(list), i, item)
	{
		autoerror Error ignored = {0};
		autobuf Buf response = {0};
		int64_t time_s;
		if (dsse_decode(json_text(item, "signedTimestamp"), RFC3161_MAX, &response,
				&ignored) &&
		    rfc3161_verify(buf_str(&response), buf_str(&bundle->read.signature),
				   &root->timestamp_authorities, &time_s, &ignored))
			bundle->times_s[bundle->time_count++] = time_s;
	}
	return bundle->time_count > 0
		       ? true
		       : err_set(err, ERR_FORBIDDEN, "no timestamp of a trusted authority");
}

static bool check_times(Bundle *bundle, const TrustedRoot *root, Error *err)
{
	if (bundle->has_second && !bundle->has_first && !check_timestamps(bundle, root, err))
		return false;
	if (bundle->time_count == 0)
		return err_set(err, ERR_FORBIDDEN, "nothing proves when the signature was made");
	for (size_t i = 0; i < bundle->time_count; i++) {
		autocertificates Vec chain = {0};
		if (!keyless_check_path(bundle->leaf, root, bundle->times_s[i], &chain, err))
			return false;
	}
	return true;
}

/* --- the verdict --- */

static bool check_identity(const Bundle *bundle, const KeylessIdentities *identities, Error *err)
{
	bool complete = identities->count > 0;
	for (size_t i = 0; i < identities->count; i++)
		complete = complete && identities->items[i].issuer && identities->items[i].subject;
	if (!complete)
		return err_set(err, ERR_FORBIDDEN,
			       "bundles need an identity to match, with issuer and subject");
	return fulcio_identity(bundle->leaf, identities, false, err);
}

bool keyless_verify_bundle(Str text, const char *digest, const KeylessTrust *trust, Error *err)
{
	autobundle Bundle bundle = {0};
	return bundle_read(text, &bundle, err) && check_entries(&bundle, trust->root, err) &&
	       check_times(&bundle, trust->root, err) &&
	       sigstore_bundle_signed(&bundle.read, &(CosignKeys){&bundle.key, 1}, digest, err) &&
	       check_identity(&bundle, trust->identities, err);
}
