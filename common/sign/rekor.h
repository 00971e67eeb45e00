/*
 * Entries of Rekor, sigstore's transparency log, as bundles and annotations carry them: read,
 * bounded, and checked against the log's key: the promise to include an entry (the signed entry
 * timestamp) and the proof that it is included. What an entry says is compared by the caller.
 */
#ifndef SIGN_REKOR_H
#define SIGN_REKOR_H

#include "base/buf.h"
#include "data/json.h"
#include "sign/merkle.h"
#include "sign/trusted_root.h"

enum { REKOR_MAX_BODY = 4 << 20, REKOR_MAX_ENTRIES = 32 };

typedef struct {
	Buf body;	/* what the log holds, canonical JSON */
	json_t *parsed; /* the same */
	Buf log_id;
	int64_t index;
	int64_t integrated_s; /* 0: not told (Rekor's second version) */
	Buf promise;	      /* signed entry timestamp; empty: none */
	bool has_proof;
	int64_t proof_index, proof_size;
	unsigned char proof[MERKLE_MAX_PROOF][MERKLE_HASH];
	size_t proof_len;
	Buf proof_root;
	char *checkpoint;
} RekorEntry;

void rekor_entry_dispose(RekorEntry *entry);
#define autorekorentry __attribute__((cleanup(rekor_entry_dispose)))

/* A TransparencyLogEntry of a bundle (protobuf's JSON). ERR_INVALID, ERR_LIMIT. */
bool rekor_entry_parse(const json_t *object, RekorEntry *out, Error *err) MUST_USE;

/* The annotation dev.sigstore.cosign/bundle. ERR_INVALID, ERR_LIMIT. */
bool rekor_entry_of_annotation(const char *text, RekorEntry *out, Error *err) MUST_USE;

/* Entries of the log's second version have neither promise nor time. */
bool rekor_entry_is_second(const RekorEntry *entry);

/* What an entry is about; all decoded. */
typedef struct {
	Buf signature;
	Buf key;	  /* PEM */
	const char *hash; /* hex, borrowed from the entry */
	const char *algorithm;
	bool is_envelope; /* the hash is that of a DSSE payload */
} RekorBody;

void rekor_body_dispose(RekorBody *body);
#define autorekorbody __attribute__((cleanup(rekor_body_dispose)))

/* Of hashedrekord 0.0.1, dsse 0.0.1 and intoto 0.0.2; others are ERR_UNSUPPORTED. */
bool rekor_body_read(const RekorEntry *entry, RekorBody *out, Error *err) MUST_USE;

/* The log signed body, time and index, at a time at which its key counts. ERR_FORBIDDEN. */
bool rekor_check_promise(const RekorEntry *entry, const TrustedLog *log, Error *err) MUST_USE;

/* The entry is in a tree whose head the log signed. ERR_FORBIDDEN, ERR_INVALID. */
bool rekor_check_proof(const RekorEntry *entry, const TrustedLog *log, Error *err) MUST_USE;

#endif
