/*
 * What sigstore's signatures are trusted by: trusted_root.json (sigstore protobuf-specs,
 * TrustedRoot in protobuf's JSON), with the certificate authorities of Fulcio and of timestamps and
 * the keys of Rekor's and the certificate transparency logs, each with the time it is good for.
 */
#ifndef SIGN_TRUSTED_ROOT_H
#define SIGN_TRUSTED_ROOT_H

#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"
#include "sign/public_key.h"

enum { TRUSTED_ROOT_MAX = 4 << 20, TRUSTED_ROOT_MAX_ITEMS = 100 };

/* When something counts, both ends included; milliseconds since 1970. */
typedef struct {
	int64_t from_ms, to_ms;
} TrustPeriod;

bool trust_period_has(const TrustPeriod *period, int64_t time_ms);

typedef struct {
	PublicKey *key;
	Str id; /* the log's, 32 bytes where it is the key's */
	char *id_bytes;
	char *base_url; /* or NULL */
	TrustPeriod period;
} TrustedLog;

typedef struct {
	Vec roots;	   /* X509, the last of its chain: one */
	Vec intermediates; /* X509 */
	Vec leaf;	   /* X509 of a timestamp authority that signs; none or one */
	char *uri;	   /* or NULL */
	TrustPeriod period;
} TrustedAuthority;

typedef struct {
	TrustedLog *items;
	size_t count;
} TrustedLogs;

typedef struct {
	TrustedAuthority *items;
	size_t count;
} TrustedAuthorities;

typedef struct {
	TrustedLogs tlogs, ctlogs;
	TrustedAuthorities authorities, timestamp_authorities;
} TrustedRoot;

/* ERR_INVALID for anything that is not a complete trusted root of version 0.1; ERR_LIMIT. Owned. */
TrustedRoot *trusted_root_parse(Str json, Error *err) MUST_USE;
void trusted_root_free(TrustedRoot *root);
AUTO_POINTER(TrustedRoot, trusted_root_free, auto_trusted_root);
#define autotrustedroot __attribute__((cleanup(auto_trusted_root)))

/* The log of that id, or NULL. Borrowed. */
const TrustedLog *trusted_logs_find(const TrustedLogs *logs, Str id);

#endif
