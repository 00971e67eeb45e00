/* Certificates of Fulcio, sigstore's authority for those who signed in: the path to a trusted root
 * and the identity they certify. Private to common/sign. */
#ifndef SIGN_FULCIO_H
#define SIGN_FULCIO_H

#include "sign/certificate.h"
#include "sign/keyless.h"
#include "sign/trusted_root.h"

/* The path from the leaf to one of the root's authorities, at that time; appended to out_chain,
 * leaf first. ERR_FORBIDDEN. */
bool fulcio_verify(X509 *leaf, const TrustedRoot *root, int64_t time_s, Vec *out_chain,
		   Error *err) MUST_USE;

/*
 * Whether one of the identities is the certificate's: the issuer of its token (OID
 * 1.3.6.1.4.1.57264.1.8, before it .1.1) and who that issuer says it is: the first URI, else the
 * first e-mail address, else the name in an otherName; with `any_name` whichever of them.
 * ERR_FORBIDDEN.
 */
bool fulcio_identity(const X509 *leaf, const KeylessIdentities *identities, bool any_name,
		     Error *err) MUST_USE;

#endif
