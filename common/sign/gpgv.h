/* One run of GnuPG's gpgv. Private to common/sign. */
#ifndef SIGN_GPGV_H
#define SIGN_GPGV_H

#include "base/buf.h"
#include "base/error.h"

/*
 * Runs gpgv on binary packets: a keyring, a signature, the signed bytes. *out gets its status lines
 * (GnuPG, doc/DETAILS). True also when the signature is bad: the lines say so. No file is written,
 * no home directory read. ERR_UNAVAILABLE when gpgv is not installed, ERR_TIMEOUT.
 */
bool gpgv_run(Str keyring, Str signature, Str payload, Buf *out, Error *err) MUST_USE;

#endif
