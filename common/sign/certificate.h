/* X.509 certificates (RFC 5280) as signatures carry them. Private to common/sign. */
#ifndef SIGN_CERTIFICATE_H
#define SIGN_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"
#include "sign/public_key.h"

enum { CERTIFICATE_MAX = 64 * 1024, CERTIFICATE_MAX_CHAIN = 20 };

AUTO_POINTER(X509, X509_free, auto_x509);
#define autox509 __attribute__((cleanup(auto_x509)))

/* A Vec of owned X509; `autocertificates Vec v = {0}`. */
void certificates_dispose(Vec *certificates);
#define autocertificates __attribute__((cleanup(certificates_dispose)))

/* One certificate and nothing behind it; ERR_INVALID. Owned. */
X509 *certificate_of_der(Str der, Error *err) MUST_USE;

/* All of a PEM text, appended to out, at most CERTIFICATE_MAX_CHAIN. Blocks of other kinds are
 * ERR_INVALID, and so is a text without any. */
bool certificates_of_pem(Str pem, Vec *out, Error *err) MUST_USE;

/* The certificate's key; ERR_INVALID for kinds that public_key.h has not. Owned. */
PublicKey *certificate_key(const X509 *certificate, Error *err) MUST_USE;

bool certificate_equal(const X509 *a, const X509 *b);

/* True when it may be used for what the XKU_ bit says: it has that extended usage, any, or none at
 * all. */
bool certificate_allows(X509 *certificate, uint32_t usage);

/* Whether notBefore <= time <= notAfter; seconds since 1970. */
bool certificate_valid_at(const X509 *certificate, int64_t time_s);

/* notBefore, in seconds since 1970; INT64_MAX when it is no time. */
int64_t certificate_start(const X509 *certificate);

/* An ASN.1 time in seconds since 1970; false when it is none. */
bool certificate_time(const ASN1_TIME *time, int64_t *out_s);

typedef struct {
	const Vec *roots;	  /* trusted as they are, self-signed or not */
	const Vec *intermediates; /* NULL: none */
	uint32_t usage;		  /* XKU_ bit that all of the chain must allow; 0: any */
	int64_t time_s;		  /* at which all of the chain must be valid */
} CertificateTrust;

/*
 * Builds and checks the path from leaf to one of the roots (RFC 5280 6.1). With *out_chain (may be
 * NULL) the path, leaf first, is appended as owned references. ERR_FORBIDDEN. SHA-1 and RSA keys
 * below 2048 bits are not trusted.
 */
bool certificate_verify(X509 *leaf, const CertificateTrust *trust, Vec *out_chain,
			Error *err) MUST_USE;

#endif
