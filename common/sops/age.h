/*
 * age files (age-encryption.org/v1), opened with X25519 identities: armoured or not. Small files
 * only, such as sops's data keys: they are held whole.
 */
#ifndef SOPS_AGE_H
#define SOPS_AGE_H

#include "base/buf.h"
#include "base/error.h"
#include "sops/sops.h"

enum { AGE_KEY_SIZE = 32, AGE_MAX_IDENTITIES = 1000, AGE_MAX_FILE = 1 << 20 };

/* Private keys. Wiped when freed. */
typedef struct AgeIdentities AgeIdentities;
AgeIdentities *age_identities_new(void);
void age_identities_free(AgeIdentities *identities);
AUTO_POINTER(AgeIdentities, age_identities_free, auto_age_identities);
#define autoageidentities __attribute__((cleanup(auto_age_identities)))

/*
 * Adds the identities of a text, one a line: AGE-SECRET-KEY-1...; empty lines and those with "#" in
 * front are skipped. ERR_INVALID names the line, never its text; ERR_UNSUPPORTED for post-quantum
 * and plugin identities.
 */
bool age_identities_add(AgeIdentities *identities, Str text, Error *err) MUST_USE;
size_t age_identities_count(const AgeIdentities *identities);

/* Appends what the file holds. ERR_UNAUTHORIZED when no identity is among its recipients,
 * ERR_INVALID when it is malformed or was changed. */
bool age_decrypt(const AgeIdentities *identities, Str file, Buf *out, Error *err) MUST_USE;

/* The row for metadata's "age" list. The identities are borrowed. */
SopsKeyService age_key_service(const AgeIdentities *identities);

#endif
