/* Certificates and timestamps of any bytes: no crash; nobody trusts them. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/fulcio.h"
#include "sign/notation_internal.h"
#include "sign/rfc3161.h"
#include "sign/sct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_certificate(X509 *certificate)
{
	autoerror Error sct_err = {0}, path_err = {0}, name_err = {0}, key_err = {0};
	autoerror Error chain_err = {0}, identity_err = {0};
	static const TrustedRoot nobody = {0};
	static const KeylessIdentities none = {0};
	autocertificates Vec path = {0};
	autovec Vec chain = {0};
	automap Map *name UNUSED = notation_dn_of(certificate, &name_err);
	autopublickey PublicKey *key UNUSED = certificate_key(certificate, &key_err);
	vec_push(&chain, certificate);
	notation_chain_revocable(&chain);
	if (notation_chain_check(&chain, &chain_err) && !notation_key_algorithm(certificate))
		abort();
	if (sct_verify(certificate, certificate, &nobody.ctlogs, &sct_err) ||
	    fulcio_verify(certificate, &nobody, certificate_start(certificate), &path, &path_err) ||
	    fulcio_identity(certificate, &none, true, &identity_err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error der_err = {0}, pem_err = {0}, response_err = {0}, token_err = {0};
	static const TrustedAuthorities nobody = {0};
	const Str text = str_sized((const char *)data, size);
	autocertificates Vec read = {0};
	autovec Vec none = {0};
	autox509 X509 *certificate = certificate_of_der(text, &der_err);
	int64_t time_s;
	Rfc3161Time time;
	if (certificate)
		check_certificate(certificate);
	if (certificates_of_pem(text, &read, &pem_err))
		check_certificate(read.items[0]);
	if (rfc3161_verify(text, STR("x"), &nobody, &time_s, &response_err) ||
	    rfc3161_verify_token(text, STR("x"), &none, &time, &token_err))
		abort();
	return 0;
}
