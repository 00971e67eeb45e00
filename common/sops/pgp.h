/*
 * OpenPGP private keys, used through GnuPG in a home of their own: nothing of the user's keyring is
 * seen or changed, nothing goes to the network. GnuPG is started only when a file needs it.
 */
#ifndef SOPS_PGP_H
#define SOPS_PGP_H

#include "sops/sops.h"

typedef struct PgpKeyring PgpKeyring;

/* `parent`: the directory below which the home is made when it is needed; copied. */
PgpKeyring *pgp_keyring_new(const char *parent);

/* Ends the home's agent and removes the home. Keys are wiped. */
void pgp_keyring_free(PgpKeyring *keyring);
AUTO_POINTER(PgpKeyring, pgp_keyring_free, auto_pgp_keyring);
#define autopgpkeyring __attribute__((cleanup(auto_pgp_keyring)))

/* Adds the keys of a text, armoured or not; they are looked at when they are needed. ERR_LIMIT. */
bool pgp_keyring_add(PgpKeyring *keyring, Str keys, Error *err) MUST_USE;

/* Appends what the message holds. ERR_UNAUTHORIZED without keys or when none fits, ERR_UNSUPPORTED
 * when there is no GnuPG. */
bool pgp_decrypt(PgpKeyring *keyring, Str message, Buf *out, Error *err) MUST_USE;

/* The row for metadata's "pgp" list. The keyring is borrowed. */
SopsKeyService pgp_key_service(PgpKeyring *keyring);

#endif
