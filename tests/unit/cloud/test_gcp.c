#include "fake_cloud.h"

#include "cloud/gcp.h"
#include "net/url.h"

#define TOKEN_REPLY "{\"access_token\":\"federated\",\"expires_in\":3600}"

static const FakeRow rows[] = {
	{"GET", "/computeMetadata/v1/instance/service-accounts/default/token?scopes=",
	 "Metadata-Flavor", "Google", 200, "{\"access_token\":\"node\",\"expires_in\":3600}"},
	{"GET", "/computeMetadata/v1/project/project-id", "Metadata-Flavor", "Google", 200, "proj"},
	{"GET", "/computeMetadata/v1/instance/attributes/cluster-location", NULL, NULL, 200,
	 "europe-west1"},
	{"GET", "/computeMetadata/v1/instance/attributes/cluster-name", NULL, NULL, 200, "prod\n"},
	{"POST", "/v1/token", NULL, NULL, 200, TOKEN_REPLY},
	{"POST", "/v1/projects/-/serviceAccounts/app@proj.iam.gserviceaccount.com:",
	 "Authorization", "Bearer federated", 200,
	 "{\"accessToken\":\"impersonated\",\"expireTime\":\"2099-01-01T00:00:00Z\"}"},
};

static const char *const environment[] = {
	"GCE_METADATA_HOST=127.0.0.1:{PORT}", "GOOGLE_STS_ENDPOINT=http://127.0.0.1:{PORT}",
	"GOOGLE_IAMCREDENTIALS_ENDPOINT=http://127.0.0.1:{PORT}", NULL};

static const CloudCaller nobody = {.timeout_ms = 5000};

static void check_token(Cloud *cloud, const CloudCaller *caller, const char *token)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	bool ok = gcp_token(cloud, caller, &got, &err);
	assert_string_equal(err_text(&err), "");
	assert_true(ok);
	assert_string_equal(got.secret, token);
}

static bool sent(const FakeCloud *fake, size_t at, const char *name, const char *value)
{
	autofree char *escaped = url_escape(value, false);
	autofree char *pair = mem_printf("%s=%s", name, escaped);
	return strstr(fake->bodies[at], pair) != NULL;
}

static void S86_metadata_server_is_asked_once(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	check_token(cloud, &nobody, "node");
	check_token(cloud, &nobody, "node");
	assert_int_equal(fake.count, 1);
}

static void D40_account_of_another_cluster_impersonates(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	const char *const annotations[] = {
		"iam.gke.io/gcp-service-account", "app@proj.iam.gserviceaccount.com",
		"gcp.auth.fluxcd.io/workload-identity-provider",
		"projects/1/locations/global/workloadIdentityPools/p/providers/q", NULL};
	CloudAccount account = fake_account("a", annotations);
	check_token(cloud, &(CloudCaller){.account = &account}, "impersonated");
	static const char audience[] =
		"//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/"
		"providers/q";
	assert_true(sent(&fake, 0, "audience", audience));
	autofree char *token = mem_printf("kubernetes-token-for-%s", audience);
	assert_true(sent(&fake, 0, "subject_token", token));
	assert_true(sent(&fake, 0, "scope", GCP_SCOPE_PLATFORM));
}

static void D40_account_on_gke_has_direct_access(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	const char *const annotations[] = {NULL};
	CloudAccount account = fake_account("a", annotations);
	check_token(cloud, &(CloudCaller){.account = &account}, "federated");
	assert_int_equal(fake.count, 4);
	assert_true(sent(&fake, 3, "audience",
			 "identitynamespace:proj.svc.id.goog:https://container.googleapis.com/v1/"
			 "projects/proj/locations/europe-west1/clusters/prod"));
	assert_true(sent(&fake, 3, "subject_token", "kubernetes-token-for-proj.svc.id.goog"));
}

static void D40_bad_annotations_are_told(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	static const char *const bad[][2] = {
		{"iam.gke.io/gcp-service-account", "app@evil.test/x"},
		{"gcp.auth.fluxcd.io/workload-identity-provider", "projects/x/../y"}};
	for (size_t i = 0; i < COUNT(bad); i++) {
		const char *const annotations[] = {bad[i][0], bad[i][1], NULL};
		CloudAccount account = fake_account("a", annotations);
		autoerror Error err = {0};
		autocredential Credential got = {0};
		assert_false(gcp_token(cloud, &(CloudCaller){.account = &account}, &got, &err));
		assert_non_null(strstr(err_text(&err), bad[i][0]));
	}
	assert_int_equal(fake.count, 0);
}

static void S86_external_account_of_the_process(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	char token[] = "/tmp/sluice-gcp-XXXXXX", key[] = "/tmp/sluice-gcp-XXXXXX";
	fake_file(token, "{\"value\": \"from-a-file\"}");
	autofree char *json = mem_printf(
		"{\"type\":\"external_account\",\"audience\":\"//a\",\"token_url\":"
		"\"http://127.0.0.1:%d/v1/token\",\"credential_source\":{\"file\":\"%s\","
		"\"format\":{\"type\":\"json\",\"subject_token_field_name\":\"value\"}}}",
		httpd_port(fake.httpd), token);
	fake_file(key, json);
	autofree char *env = mem_printf("GOOGLE_APPLICATION_CREDENTIALS=%s", key);
	autocloud Cloud *cloud = fake_cloud(&fake, 10, (const char *const[]){env, NULL});
	check_token(cloud, &nobody, "federated");
	assert_true(sent(&fake, 0, "subject_token", "from-a-file"));
	unlink(token);
	unlink(key);
}

static void S83_unusable_keys_are_told_without_them(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	static const struct {
		const char *key, *said;
	} cases[] = {
		{"planted-secret", "no JSON object"},
		{"[]", "no JSON object"},
		{"{\"client_email\":\"a@b\"}", "lacks 'private_key'"},
		{"{\"private_key\":\"planted-secret\"}", "lacks 'client_email'"},
		{"{\"client_email\":\"a@b\",\"private_key\":\"planted-secret\"}",
		 "could not parse the private key"},
		{"{\"type\":\"external_account\",\"credential_source\":{\"file\":\"/etc/passwd\"}}",
		 "cannot come from a Secret"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		autocredential Credential got = {0};
		assert_false(gcp_token_of_key(cloud, &nobody, cases[i].key, GCP_SCOPE_STORAGE_READ,
					      &got, &err));
		assert_non_null(strstr(err_text(&err), cases[i].said));
		assert_null(strstr(err_text(&err), "planted-secret"));
	}
	assert_int_equal(fake.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S86_metadata_server_is_asked_once),
		cmocka_unit_test(D40_account_of_another_cluster_impersonates),
		cmocka_unit_test(D40_account_on_gke_has_direct_access),
		cmocka_unit_test(D40_bad_annotations_are_told),
		cmocka_unit_test(S86_external_account_of_the_process),
		cmocka_unit_test(S83_unusable_keys_are_told_without_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
