/* Issuers on a real HTTP server: discovery, key sets, what is kept and for how long. */
#include "../cmocka_all.h"

#include "base/clock.h"
#include "receiver.h"
#include "../notify/jwt_signer.h"

typedef struct {
	Loop *loop;
	Httpd *httpd;
	KeyCache *cache;
	char *issuer;
	pthread_mutex_t lock; /* guards what follows */
	Signer signer;
	const char *said_issuer; /* what discovery says; NULL: the truth */
	int discoveries, sets;
} Fixture;

static void serve(void *arg, HttpdRequest *request)
{
	Fixture *f = arg;
	pthread_mutex_lock(&f->lock);
	autojson json_t *reply = NULL;
	if (cstr_eq(httpd_path(request), "/realm/.well-known/openid-configuration")) {
		autofree char *keys = mem_printf("%s/keys", f->issuer);
		reply = json_pack("{s:s,s:s}", "issuer",
				  f->said_issuer ? f->said_issuer : f->issuer, "jwks_uri", keys);
		f->discoveries++;
	} else if (cstr_eq(httpd_path(request), "/realm/keys")) {
		reply = json_pack("{s:[O]}", "keys", f->signer.jwk);
		f->sets++;
	}
	pthread_mutex_unlock(&f->lock);
	autofree char *text = reply ? json_dump(reply) : mem_strdup("");
	httpd_reply(request, reply ? 200 : 404, "application/json", text, strlen(text));
}

static int setup(void **state)
{
	autoerror Error err = {0};
	Fixture *f = mem_zalloc(1, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
	f->signer = signer_make("ES256", "one");
	f->loop = loop_new(&err);
	f->httpd = httpd_start(&(HttpdConfig){.address = "127.0.0.1:0", .handler = serve, .arg = f},
			       &err);
	f->cache = key_cache_new(f->loop, &err);
	f->issuer = mem_printf("http://127.0.0.1:%d/realm", httpd_port(f->httpd));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	Fixture *f = *state;
	key_cache_free(f->cache);
	httpd_stop(f->httpd, 1000);
	loop_free(f->loop);
	signer_dispose(&f->signer);
	pthread_mutex_destroy(&f->lock);
	free(f->issuer);
	free(f);
	return 0;
}

static char *token_of(const Signer *signer, const char *issuer)
{
	autojson json_t *claims = json_pack("{s:s,s:s,s:I}", "iss", issuer, "aud", "us", "exp",
					    (json_int_t)(clock_wall_ms() / 1000 + 60));
	return signer_token(signer, claims);
}

static bool passes(Fixture *f, const char *token)
{
	autoerror Error err = {0};
	autojson json_t *claims = oidc_verify(f->cache, f->issuer, "us", token, &err);
	assert_true(!claims == err_is_set(&err));
	return claims != NULL;
}

static void N87_discovery_and_keys_are_fetched_once(void **state)
{
	Fixture *f = *state;
	autofree char *token = token_of(&f->signer, f->issuer);
	for (int i = 0; i < 3; i++)
		assert_true(passes(f, token));
	assert_int_equal(f->discoveries, 1);
	assert_int_equal(f->sets, 1);
	autofree char *other = token_of(&f->signer, "http://other.test");
	assert_false(passes(f, other));
}

static void N87_unknown_keys_do_not_make_a_storm(void **state)
{
	Fixture *f = *state;
	__attribute__((cleanup(signer_dispose))) Signer stranger = signer_make("ES256", "two");
	autofree char *token = token_of(&stranger, f->issuer);
	for (int i = 0; i < 5; i++)
		assert_false(passes(f, token));
	/* The first look is fresh already. */
	assert_int_equal(f->sets, 1);
}

static bool passes_by_set(Fixture *f, int number, const char *token)
{
	autoerror Error err = {0};
	autofree char *url = mem_printf("%s/keys?%d", f->issuer, number);
	autojson json_t *claims = oidc_verify_with_keys(f->cache, url, "us", token, &err);
	return claims != NULL;
}

static void N87_the_key_sets_that_are_kept_are_bounded(void **state)
{
	enum { SETS_MAX = 64 };
	Fixture *f = *state;
	autofree char *token = token_of(&f->signer, f->issuer);
	for (int i = 0; i < SETS_MAX; i++)
		assert_true(passes_by_set(f, i, token));
	assert_true(passes_by_set(f, 0, token));
	assert_int_equal(f->sets, SETS_MAX);
	assert_true(passes_by_set(f, SETS_MAX, token));
	assert_true(passes_by_set(f, 0, token));
	assert_int_equal(f->sets, SETS_MAX + 2);
}

static void N87_issuer_must_be_its_own(void **state)
{
	Fixture *f = *state;
	f->said_issuer = "http://other.test";
	autofree char *token = token_of(&f->signer, f->issuer);
	assert_false(passes(f, token));
	assert_int_equal(f->sets, 0);
}

static void N87_issuer_that_is_not_there(void **state)
{
	Fixture *f = *state;
	autoerror Error err = {0};
	autofree char *token = token_of(&f->signer, "http://127.0.0.1:1");
	assert_null(oidc_verify(f->cache, "http://127.0.0.1:1", "us", token, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(N87_discovery_and_keys_are_fetched_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(N87_unknown_keys_do_not_make_a_storm, setup,
						teardown),
		cmocka_unit_test_setup_teardown(N87_the_key_sets_that_are_kept_are_bounded, setup,
						teardown),
		cmocka_unit_test_setup_teardown(N87_issuer_must_be_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(N87_issuer_that_is_not_there, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
