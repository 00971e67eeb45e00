/* Envelopes in JWS and COSE, trust policies and names of any bytes: no crash; a policy that is read
 * has what it must have; nothing is verified without a trusted certificate. */
#include <stdint.h>
#include <stdlib.h>

#include "sign/notation_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char strict[] = "{\"version\":\"1.0\",\"trustPolicies\":[{\"name\":\"x\","
			     "\"registryScopes\":[\"*\"],\"signatureVerification\":"
			     "{\"level\":\"strict\"},\"trustStores\":[\"ca:x\"],"
			     "\"trustedIdentities\":[\"*\"]}]}";

static void check_envelope(Str text, const char *media_type)
{
	static const NotationTarget target = {"application/json", "sha256:00", 2};
	autoerror Error policy_err = {0}, find_err = {0}, err = {0};
	autonotationpolicy NotationPolicy *policy =
		notation_policy_parse(str_of(strict), &policy_err);
	autonotationstore NotationStore *store = notation_store_new();
	NotationVerdict verdict;
	const NotationStatement *statement = notation_policy_find(policy, "a.b/c", &find_err);
	if (!statement ||
	    notation_verify(text, media_type, &target, statement, store, 0, &verdict, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error policy_err = {0}, name_err = {0}, find_err = {0};
	const Str text = str_sized((const char *)data, size);
	autofree char *copy = str_dup(text);
	check_envelope(text, "application/jose+json");
	check_envelope(text, "application/cose");
	automap Map *name = notation_dn_parse(copy, &name_err);
	if (name && !notation_dn_within(name, name))
		abort();
	autonotationpolicy NotationPolicy *policy = notation_policy_parse(text, &policy_err);
	if (!policy == !err_is_set(&policy_err))
		abort();
	if (policy)
		(void)!notation_policy_find(policy, "a.b/c", &find_err);
	return 0;
}
