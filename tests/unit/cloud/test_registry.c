#include "fake_cloud.h"

#include "cloud/registry.h"

static const FakeRow rows[] = {
	{"POST", "/", "X-Amz-Target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
	 200,
	 "{\"authorizationData\":[{\"authorizationToken\":\"QVdTOnBhc3M6d29yZA==\",\"expiresAt\":"
	 "4.07e9}]}"},
	{"POST", "/", "X-Amz-Target", "SpencerFrontendService.GetAuthorizationToken", 200,
	 "{\"authorizationData\":{\"authorizationToken\":\"QVdTOnB1YmxpYw==\",\"expiresAt\":4.07e9}"
	 "}"},
	{"GET", "/computeMetadata/v1/instance/service-accounts/default/token", NULL, NULL, 200,
	 "{\"access_token\":\"google\",\"expires_in\":3600}"},
	/* The claims are {"exp":4070908800}. */
	{"POST", "/oauth2/exchange", NULL, NULL, 200,
	 "{\"refresh_token\":\"e30.eyJleHAiOjQwNzA5MDg4MDB9.c2ln\"}"},
};

static const char *const environment[] = {"AWS_ACCESS_KEY_ID=AKIA",
					  "AWS_SECRET_ACCESS_KEY=secret",
					  "AWS_ENDPOINT_URL_ECR=http://127.0.0.1:{PORT}",
					  "AWS_ENDPOINT_URL_ECR_PUBLIC=http://127.0.0.1:{PORT}",
					  "GCE_METADATA_HOST=127.0.0.1:{PORT}",
					  NULL};

static const CloudCaller nobody = {.timeout_ms = 5000};

static void check_login(Cloud *cloud, const char *provider, const char *host, const char *user,
			const char *password)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	bool ok = registry_login(cloud, &nobody, provider, host, &got, &err);
	assert_string_equal(err_text(&err), "");
	assert_true(ok);
	assert_string_equal(got.user, user);
	assert_string_equal(got.secret, password);
	assert_true(got.expires_ms > 0);
}

static void S54_logins_are_got_once_a_registry(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	for (int i = 0; i < 2; i++) {
		check_login(cloud, "aws", "123.dkr.ecr.eu-west-1.amazonaws.com", "AWS",
			    "pass:word");
		check_login(cloud, "aws", "public.ecr.aws", "AWS", "public");
		check_login(cloud, "gcp", "europe-docker.pkg.dev", "oauth2accesstoken", "google");
	}
	assert_int_equal(fake.count, 3);
	assert_non_null(strstr(fake.logins[0], "/eu-west-1/ecr/aws4_request,"));
	assert_non_null(strstr(fake.logins[1], "/us-east-1/ecr-public/aws4_request,"));
}

static void S54_tokens_go_to_the_providers_own_hosts_only(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	static const char *const strangers[][2] = {
		{"aws", "registry.test"},
		{"aws", "123.dkr.ecr.eu-west-1.amazonaws.com.evil.test"},
		{"aws", "evil.test/123.dkr.ecr.eu-west-1.amazonaws.com"},
		{"aws", "123.dkr.ecr.a/b.amazonaws.com"},
		{"aws", "europe-docker.pkg.dev"},
		{"azure", "azurecr.io"},
		{"azure", "app.azurecr.io.evil.test"},
		{"azure", "app.azurecr.io:5000"},
		{"gcp", "gcr.io.evil.test"},
		{"gcp", "evilgcr.io"},
		{"generic", "gcr.io"},
	};
	for (size_t i = 0; i < COUNT(strangers); i++) {
		autoerror Error err = {0};
		autocredential Credential got = {0};
		assert_false(registry_login(cloud, &nobody, strangers[i][0], strangers[i][1], &got,
					    &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(got.secret);
	}
	assert_int_equal(fake.count, 0);
}

static void S54_azure_registry_exchanges_the_token(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autoerror Error err = {0};
	autohttpc HttpClient *http = httpc_new(fake.loop, &(HttpClientConfig){0}, &err);
	autofree char *base = mem_printf("http://127.0.0.1:%d", httpd_port(fake.httpd));
	autocredential Credential got = {0};
	assert_true(registry_exchange(http, base, "app.azurecr.io", "entra", 5000, &got, &err));
	assert_string_equal(got.user, "00000000-0000-0000-0000-000000000000");
	assert_int_equal(got.expires_ms, 4070908800000);
	assert_string_equal(fake.bodies[0],
			    "grant_type=access_token&service=app.azurecr.io&access_token=entra");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S54_logins_are_got_once_a_registry),
		cmocka_unit_test(S54_tokens_go_to_the_providers_own_hosts_only),
		cmocka_unit_test(S54_azure_registry_exchanges_the_token),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
