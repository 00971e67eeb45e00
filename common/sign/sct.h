/* Signed certificate timestamps that are embedded in a certificate (RFC 6962 3.3): a log's promise
 * that it has seen it. Private to common/sign. */
#ifndef SIGN_SCT_H
#define SIGN_SCT_H

#include "sign/certificate.h"
#include "sign/trusted_root.h"

/* Whether one of the leaf's timestamps is a trusted log's; `issuer` is the certificate that signed
 * the leaf. ERR_FORBIDDEN. */
bool sct_verify(X509 *leaf, X509 *issuer, const TrustedLogs *logs, Error *err) MUST_USE;

#endif
