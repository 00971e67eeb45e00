/* Signature algorithms of JOSE (RFC 7518 3.1, RFC 8037), which COSE has by other names. */
#ifndef DATA_JOSE_H
#define DATA_JOSE_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/types.h>

#include "base/str.h"

typedef enum { JOSE_RSA_PKCS1, JOSE_RSA_PSS, JOSE_ECDSA, JOSE_EDDSA } JoseScheme;

typedef struct {
	const char *name;
	JoseScheme scheme;
	const char *digest; /* OpenSSL's name; NULL: the scheme has its own */
	const char *curve;  /* of elliptic curves: the JWK's name */
	const char *group;  /* OpenSSL's */
	size_t half;	    /* ECDSA: bytes of each of the signature's two numbers */
} JoseAlgorithm;

/* "ES256"; NULL for others than those of asymmetric keys, "none" among them. Static. */
const JoseAlgorithm *jose_algorithm(const char *name);

/* Whether `signature`, as JOSE writes it, is the key's (an EVP_PKEY) over the text. PSS salts are
 * as long as the hash. */
bool jose_verifies(const JoseAlgorithm *algorithm, EVP_PKEY *key, Str text, Str signature);

#endif
