/* Bech32 (BIP 173), as age writes keys: no limit of 90 characters, all in one case. */
#ifndef SOPS_BECH32_H
#define SOPS_BECH32_H

#include <stdbool.h>

#include "base/buf.h"

/* Appends the bytes of `text`, whose human-readable part must be `prefix` (in lower case). False
 * for anything else. */
bool bech32_decode(Str text, const char *prefix, Buf *out);

#endif
