/* SSH signatures (OpenSSH's PROTOCOL.sshsig), as ssh-keygen -Y sign makes them. */
#ifndef SIGN_SSHSIG_H
#define SIGN_SSHSIG_H

#include "base/error.h"
#include "base/str.h"

/*
 * Verifies an armored signature over payload for a namespace ("git"). `authorized` are files of
 * authorized_keys lines; those that cannot be read are passed over unless none can. *out_key,
 * owned, is the key's SHA256 fingerprint. ERR_FORBIDDEN when no key verifies it, ERR_INVALID for a
 * malformed signature.
 */
bool sshsig_verify(Str signature, Str payload, const char *ns, const Str *authorized,
		   size_t authorized_count, char **out_key, Error *err) MUST_USE;

#endif
