#include "fake_cloud.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "cloud/azure.h"
#include "data/base64.h"
#include "data/json.h"

#define TOKEN_REPLY "{\"access_token\":\"entra\",\"expires_in\":\"3600\"}"

static const FakeRow rows[] = {
	{"POST", "/tenant%2F1/oauth2/v2.0/token", NULL, NULL, 200, TOKEN_REPLY},
	{"GET",
	 "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2F"
	 "storage.azure.com",
	 "Metadata", "true", 200, "{\"access_token\":\"node\",\"expires_in\":\"3600\"}"},
	{"GET", "/msi?api-version=2019-08-01&resource=", "X-IDENTITY-HEADER", "code", 200,
	 TOKEN_REPLY},
};

static const CloudCaller nobody = {.timeout_ms = 5000};

static void check_token(Cloud *cloud, const CloudCaller *caller, const char *token)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	bool ok = azure_token(cloud, caller, NULL, AZURE_SCOPE_STORAGE, &got, &err);
	assert_string_equal(err_text(&err), "");
	assert_true(ok);
	assert_string_equal(got.secret, token);
}

/* N56: national clouds are told by who gives tokens. */
static void N56_the_cloud_is_that_of_the_authority(void **state)
{
	(void)state;
	static const struct {
		const char *env, *hubs;
	} envs[] = {
		{"AZURE_AUTHORITY_HOST=https://login.chinacloudapi.cn/",
		 "servicebus.chinacloudapi.cn"},
		{"AZURE_AUTHORITY_HOST=https://login.microsoftonline.us/",
		 "servicebus.usgovcloudapi.net"},
		{"AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/",
		 "servicebus.windows.net"},
		{"AZURE_AUTHORITY_HOST=", "servicebus.windows.net"},
	};
	for (size_t i = 0; i < COUNT(envs); i++) {
		autofake FakeCloud fake;
		fake_start(&fake, rows, COUNT(rows));
		autocloud Cloud *cloud =
			fake_cloud(&fake, 10, (const char *const[]){envs[i].env, NULL});
		assert_string_equal(azure_cloud(cloud)->event_hubs, envs[i].hubs);
	}
}

static void S47_managed_identity_of_the_instance(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:{PORT}",
				      "AZURE_CLIENT_ID=client", NULL});
	check_token(cloud, &nobody, "node");
	check_token(cloud, &nobody, "node");
	assert_int_equal(fake.count, 1);
	assert_non_null(strstr(fake.paths[0], "&client_id=client"));
}

static void S47_managed_identity_of_app_service(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud =
		fake_cloud(&fake, 10,
			   (const char *const[]){"IDENTITY_ENDPOINT=http://127.0.0.1:{PORT}/msi",
						 "IDENTITY_HEADER=code", NULL});
	check_token(cloud, &nobody, "entra");
}

static void S47_client_secret_of_the_process(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AZURE_TENANT_ID=tenant/1", "AZURE_CLIENT_ID=client",
				      "AZURE_CLIENT_SECRET=s&t",
				      "AZURE_AUTHORITY_HOST=http://127.0.0.1:{PORT}/", NULL});
	check_token(cloud, &nobody, "entra");
	assert_string_equal(fake.bodies[0],
			    "grant_type=client_credentials&client_id=client&scope=https%3A%2F%2F"
			    "storage.azure.com%2F.default&client_secret=s%26t");
}

static void D40_account_proves_itself_by_its_token(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AZURE_AUTHORITY_HOST=http://127.0.0.1:{PORT}", NULL});
	const char *const annotations[] = {"azure.workload.identity/tenant-id", "tenant/1",
					   "azure.workload.identity/client-id", "c", NULL};
	CloudAccount one = fake_account("one", annotations),
		     other = fake_account("other", annotations),
		     none = fake_account("none", annotations + 4);
	check_token(cloud, &(CloudCaller){.account = &one}, "entra");
	check_token(cloud, &(CloudCaller){.account = &one}, "entra");
	check_token(cloud, &(CloudCaller){.account = &other}, "entra");
	assert_int_equal(fake.count, 2);
	assert_non_null(strstr(fake.bodies[0], "&client_assertion=kubernetes-token-for-api%3A%2F%2F"
					       "AzureADTokenExchange"));
	autoerror Error err = {0};
	autocredential Credential got = {0};
	assert_false(azure_token(cloud, &(CloudCaller){.account = &none}, NULL, AZURE_SCOPE_STORAGE,
				 &got, &err));
	assert_non_null(strstr(err_text(&err), "lacks the annotation"));
}

/* A self-signed certificate with its key, as PEM or, with a password, PKCS #12. */
static void make_identity(const char *password, Buf *out)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_sign(cert, key, EVP_sha256());
	BIO *bio = BIO_new(BIO_s_mem());
	if (password) {
		PKCS12 *box = PKCS12_create(password, "app", key, cert, NULL, 0, 0, 0, 0, 0);
		i2d_PKCS12_bio(bio, box);
		PKCS12_free(box);
	} else {
		PEM_write_bio_X509(bio, cert);
		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	}
	char *bytes = NULL;
	long len = BIO_get_mem_data(bio, &bytes);
	buf_append(out, bytes, (size_t)len);
	BIO_free(bio);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* The JSON of the assertion's part, 0 the header, 1 the claims. */
static json_t *part_of(const char *body, int index)
{
	autoerror Error err = {0};
	autobuf Buf raw = {0};
	Str rest = str_of(strstr(body, "&client_assertion=") + strlen("&client_assertion=")), part;
	for (int i = 0; i <= index; i++)
		str_cut(rest, '.', &part, &rest);
	assert_true(base64url_decode(part.ptr, part.len, &raw, &err));
	return json_parse(buf_text(&raw), raw.len, 1 << 20, &err);
}

static void check_assertion(const char *password, const char *given)
{
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, (const char *const[]){NULL});
	autobuf Buf identity = {0};
	make_identity(password, &identity);
	autofree char *host = mem_printf("http://127.0.0.1:%d/", httpd_port(fake.httpd));
	AzureApp app = {.tenant_id = "tenant/1",
			.client_id = "client",
			.certificate = buf_str(&identity),
			.certificate_password = given,
			.send_chain = true,
			.authority_host = host};
	autoerror Error err = {0};
	autocredential Credential got = {0};
	bool ok = azure_token_of_app(cloud, &nobody, &app, AZURE_SCOPE_STORAGE, &got, &err);
	assert_int_equal(ok, cstr_eq(password, given));
	if (!ok)
		return;
	autojson json_t *header = part_of(fake.bodies[0], 0), *claims = part_of(fake.bodies[0], 1);
	autofree char *audience = mem_printf("%stenant%%2F1/oauth2/v2.0/token", host);
	assert_string_equal(json_text(header, "alg"), "RS256");
	assert_int_equal(strlen(json_text(header, "x5t")), 27);
	assert_int_equal(json_array_size(json_list(header, "x5c")), 1);
	assert_string_equal(json_text(claims, "aud"), audience);
	assert_string_equal(json_text(claims, "iss"), "client");
	assert_string_equal(json_text(claims, "sub"), "client");
}

static void S88_certificate_signs_an_assertion(void **state)
{
	(void)state;
	check_assertion(NULL, NULL);
	check_assertion("right", "right");
	check_assertion("right", "wrong");
}

static void S88_bad_certificates_and_plain_authorities_are_refused(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, (const char *const[]){NULL});
	static const struct {
		const char *certificate, *secret, *host, *said;
	} cases[] = {{"planted", NULL, "https://127.0.0.1:1", "client certificate"},
		     {"\x30\x82\x01", NULL, "https://127.0.0.1:1", "client certificate"},
		     {"", "planted", "http://login.test", "not https"},
		     {"", "planted", "login", "authority host"}};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AzureApp app = {.tenant_id = "t",
				.client_id = "c",
				.client_secret = cases[i].secret,
				.certificate = str_of(cases[i].certificate),
				.authority_host = cases[i].host};
		autoerror Error err = {0};
		autocredential Credential got = {0};
		assert_false(
			azure_token_of_app(cloud, &nobody, &app, AZURE_SCOPE_STORAGE, &got, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err_text(&err), cases[i].said));
		assert_null(strstr(err_text(&err), "planted"));
	}
}

/* Against a signature made by other means of the description's own text. */
static void S86_shared_key_signs_headers_and_sorted_query(void **state)
{
	(void)state;
	autoerror Error err = {0};
	const char *const headers[] = {"x-ms-version: 2021-12-02", "If-Match: \"0x8D\"",
				       "Range: bytes=5-",
				       "x-ms-date: Fri, 24 May 2013 00:00:00 GMT", NULL};
	autofree char *value = azure_shared_key(
		"acct", "YW4gYWNjb3VudCBrZXk=", "GET",
		"https://acct.blob.test/container/a%20b?prefix=x%2Fy%20z&comp=list", headers, &err);
	assert_string_equal(value, "SharedKey acct:oy9uJaKherVv3rzWnKn5O+fElmzSjOygVUSgNzPA1hM=");
	autofree char *bad = azure_shared_key("acct", "*", "GET", "https://a.test/", headers, &err);
	assert_null(bad);
	assert_int_equal(err.code, ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N56_the_cloud_is_that_of_the_authority),
		cmocka_unit_test(S47_managed_identity_of_the_instance),
		cmocka_unit_test(S47_managed_identity_of_app_service),
		cmocka_unit_test(S47_client_secret_of_the_process),
		cmocka_unit_test(D40_account_proves_itself_by_its_token),
		cmocka_unit_test(S88_certificate_signs_an_assertion),
		cmocka_unit_test(S88_bad_certificates_and_plain_authorities_are_refused),
		cmocka_unit_test(S86_shared_key_signs_headers_and_sorted_query),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
