/* Promises and proofs of log entries. */
#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "sign/checkpoint.h"
#include "sign/rekor.h"

bool rekor_entry_is_second(const RekorEntry *entry)
{
	return cstr_eq(json_text(entry->parsed, "kind"), "hashedrekord") &&
	       cstr_eq(json_text(entry->parsed, "apiVersion"), "0.0.2");
}

/* Canonical JSON (RFC 8785): members by name, numbers plain; base64 and hex need no escapes. */
static void put_promised(const RekorEntry *entry, Buf *out)
{
	autofree char *body = base64_encode(entry->body.ptr, entry->body.len);
	autofree char *id = mem_alloc(2 * entry->log_id.len + 1);
	hex_encode((const unsigned char *)entry->log_id.ptr, entry->log_id.len, id);
	buf_printf(out,
		   "{\"body\":\"%s\",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":%lld}",
		   body, (long long)entry->integrated_s, id, (long long)entry->index);
}

bool rekor_check_promise(const RekorEntry *entry, const TrustedLog *log, Error *err)
{
	autobuf Buf covered = {0};
	if (rekor_entry_is_second(entry))
		return err_set(err, ERR_FORBIDDEN, "a promise for an entry that has none");
	if (entry->integrated_s > INT64_MAX / 1000 ||
	    !trust_period_has(&log->period, entry->integrated_s * 1000))
		return err_set(err, ERR_FORBIDDEN, "the log's key does not count at that time");
	put_promised(entry, &covered);
	if (!public_key_is_ecdsa(log->key) ||
	    !public_key_verify(log->key, buf_str(&covered), buf_str(&entry->promise)))
		return err_set(err, ERR_FORBIDDEN, "the log did not sign the entry's timestamp");
	return true;
}

static bool is_included(const RekorEntry *entry, uint64_t index, uint64_t size,
			const unsigned char root[MERKLE_HASH], Error *err)
{
	unsigned char leaf[MERKLE_HASH];
	merkle_leaf(buf_str(&entry->body), leaf);
	if (merkle_includes(leaf, index, size, (const unsigned char(*)[MERKLE_HASH])entry->proof,
			    entry->proof_len, root))
		return true;
	return err_set(err, ERR_FORBIDDEN, "the inclusion proof does not lead to the root");
}

/* Rekor's first version: index, size and root are beside the checkpoint, which tells the root. */
static bool check_first(const RekorEntry *entry, const TrustedLog *log,
			const Checkpoint *checkpoint, Error *err)
{
	const unsigned char *root = (const unsigned char *)entry->proof_root.ptr;
	if (entry->proof_root.len != MERKLE_HASH ||
	    memcmp(root, checkpoint->root, MERKLE_HASH) != 0)
		return err_set(err, ERR_FORBIDDEN, "the checkpoint is of another root");
	return is_included(entry, (uint64_t)entry->proof_index, (uint64_t)entry->proof_size, root,
			   err) &&
	       checkpoint_verify_all(str_of(entry->checkpoint), log->key, err);
}

/* The host of a URL, without port. Owned. */
static char *host_of(const char *url)
{
	Str rest = str_of(url);
	ptrdiff_t at = str_find(rest, STR("://"));
	if (at >= 0)
		rest = str_slice(rest, (size_t)at + 3, rest.len);
	size_t len = 0;
	while (len < rest.len && !strchr("/:?#", rest.ptr[len]))
		len++;
	return str_dup(str_slice(rest, 0, len));
}

static bool check_second(const RekorEntry *entry, const TrustedLog *log,
			 const Checkpoint *checkpoint, Error *err)
{
	autofree char *origin = host_of(log->base_url);
	if (cstr_empty(origin))
		return err_set(err, ERR_FORBIDDEN, "the log has no baseUrl in the trusted root");
	return checkpoint_verify_origin(str_of(entry->checkpoint), origin, log->key, err) &&
	       is_included(entry, (uint64_t)entry->index, checkpoint->size, checkpoint->root, err);
}

bool rekor_check_proof(const RekorEntry *entry, const TrustedLog *log, Error *err)
{
	Checkpoint checkpoint;
	if (!checkpoint_parse(str_of(entry->checkpoint), &checkpoint, err))
		return false;
	bool has_id = checkpoint_has_tree_id(&checkpoint), second = rekor_entry_is_second(entry);
	if (has_id == second)
		return err_set(err, ERR_FORBIDDEN, "the checkpoint is of another kind of log");
	return second ? check_second(entry, log, &checkpoint, err)
		      : check_first(entry, log, &checkpoint, err);
}
