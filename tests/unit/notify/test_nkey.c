#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "notify/nkey.h"

/* The key of the bytes 0 to 31; public half and signature by the openssl command. */
static const char seed[] = "SUAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H776Y";

static void N57_seed_to_public_key_and_signature(void **state)
{
	(void)state;
	autofree char *public_key = NULL;
	autofree char *signature = NULL;
	autoerror Error err = {0};
	assert_true(nkey_sign(str_of(seed), "abc", &public_key, &signature, &err));
	assert_string_equal(public_key, "UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK");
	assert_string_equal(signature, "zEbWLTdU9BdUsntuosssJyuvp6Wh9gYr0GD0FOUMqurC2matOc70QkqQ"
				       "I26pB7fYBX40Q9xav8mYaWfuchOkBw");
}

static bool is_taken(const char *text)
{
	autofree char *public_key = NULL;
	autofree char *signature = NULL;
	autoerror Error err = {0};
	bool good = nkey_sign(str_of(text), "abc", &public_key, &signature, &err);
	assert_true(good == (public_key != NULL) && good == !err_is_set(&err));
	assert_null(strstr(err_text(&err), text[0] ? text : "nothing"));
	return good;
}

static void N57_rubbish_is_no_seed(void **state)
{
	(void)state;
	autofree char *spaced = mem_printf("  %s\n", seed);
	assert_true(is_taken(spaced));
	/* Every single wrong character breaks prefix or checksum. */
	for (size_t i = 0; i < strlen(seed); i++) {
		autofree char *copy = mem_strdup(seed);
		copy[i] = copy[i] == 'B' ? 'C' : 'B';
		if (is_taken(copy))
			fail_msg("character %zu", i);
	}
	assert_false(is_taken(""));
	assert_false(is_taken("SU"));
	autofree char *longer = mem_printf("%sAA", seed);
	assert_false(is_taken(longer));
	autofree char *lower = mem_strdup(seed);
	lower[5] = '1'; /* not of the alphabet */
	assert_false(is_taken(lower));
	/* A public key is no seed. */
	assert_false(is_taken("UAB2CB576PHBBPQ5ODORRZ2LYCMWPZGWGCN2KDK7DXOIMZASKUY3RLKK"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N57_seed_to_public_key_and_signature),
		cmocka_unit_test(N57_rubbish_is_no_seed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
