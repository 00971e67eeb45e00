#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "net/httpd.h"
#include "sops/cloud_keys.h"

/* The three calls beside a server that keeps what it was asked and gives the answer it was set. */

typedef struct {
	Loop *loop;
	HttpClient *http;
	Httpd *httpd;
	char *base;
	CloudKeys keys;
	int status;
	const char *answer;
	char seen[2000];   /* "METHOD PATH?QUERY AUTHORIZATION BODY" of the last call */
	const char *token; /* NULL: there is none */
} Fixture;

static void serve(void *arg, HttpdRequest *request)
{
	Fixture *f = arg;
	const char *authorization = httpd_header(request, "Authorization");
	autobuf Buf seen = {0};
	buf_printf(&seen, "%s %s?%s %s ", httpd_method(request), httpd_path(request),
		   httpd_query(request), authorization ? authorization : "-");
	buf_add(&seen, httpd_body(request));
	snprintf(f->seen, sizeof(f->seen), "%s", buf_text(&seen));
	httpd_reply(request, f->status, "application/json", f->answer, strlen(f->answer));
}

static bool aws_call(void *arg, const AwsKmsCall *call, Buf *out, Error *err)
{
	Fixture *f = arg;
	snprintf(f->seen, sizeof(f->seen), "%s%s%s %s %s", call->role ? call->role : "",
		 call->role ? " in " : "", call->region, call->target, call->body);
	if (f->status != 200)
		return err_set(err, ERR_FORBIDDEN, "not allowed");
	buf_puts(out, f->answer);
	return true;
}

static char *token(void *arg, Error *err)
{
	const Fixture *f = arg;
	return f->token ? mem_strdup(f->token) : err_null(err, ERR_UNAUTHORIZED, "no credentials");
}

static int set_up(void **state)
{
	autoerror Error err = {0};
	Fixture *f = mem_zalloc(1, sizeof(*f));
	f->httpd = httpd_start(&(HttpdConfig){.address = "127.0.0.1:0", .handler = serve, .arg = f},
			       &err);
	f->loop = loop_new(&err);
	f->http = httpc_new(f->loop, &(HttpClientConfig){0}, &err);
	f->base = mem_printf("http://127.0.0.1:%d", httpd_port(f->httpd));
	f->keys = (CloudKeys){.http = f->http,
			      .aws_call = aws_call,
			      .gcp_token = token,
			      .azure_token = token,
			      .arg = f,
			      .gcp_endpoint = f->base,
			      .azure_vault = f->base};
	f->status = 200;
	f->token = "the-token";
	*state = f;
	return err_is_set(&err);
}

static int tear_down(void **state)
{
	Fixture *f = *state;
	httpc_free(f->http);
	loop_free(f->loop);
	httpd_stop(f->httpd, 1000);
	free(f->base);
	free(f);
	return 0;
}

static ErrorCode ask(const SopsKeyService *service, json_t *take_key, Buf *out, char text[400])
{
	autojson json_t *key = take_key;
	autoerror Error err = {0};
	bool ok = service->decrypt(service->arg, key, out, &err);
	assert_true(ok == !err_is_set(&err));
	snprintf(text, 400, "%s", err_text(&err));
	return err.code;
}

static void K40_AWS_KMS(void **state)
{
	Fixture *f = *state;
	SopsKeyService service = aws_key_service(&f->keys);
	autobuf Buf out = {0};
	char text[400];
	f->answer = "{\"Plaintext\": \"a2V5\"}";
	json_t *key = json_pack("{s:s, s:s, s:{s:s}}", "arn", "arn:aws-cn:kms:cn-north-1:123:key/a",
				"enc", "c2VhbGVk", "context", "app", "x");
	assert_int_equal(ask(&service, key, &out, text), ERR_NONE);
	assert_string_equal(buf_text(&out), "key");
	assert_string_equal(f->seen, "cn-north-1 TrentService.Decrypt "
				     "{\"KeyId\":\"arn:aws-cn:kms:cn-north-1:123:key/a\","
				     "\"CiphertextBlob\":\"c2VhbGVk\","
				     "\"EncryptionContext\":{\"app\":\"x\"}}");
	static const char *const bad[] = {"", "arn:aws:s3:eu-west-1:1:key/a",
					  "arn:aws:kms:eu-west-1:1:grant/a",
					  "arn:aws:kms:evil.test/:1:key/a", "arn:aws:kms::1:key/a"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		key = json_pack("{s:s, s:s}", "arn", bad[i], "enc", "x");
		assert_int_equal(ask(&service, key, &out, text), ERR_INVALID);
	}
	key = json_pack("{s:s, s:s}", "arn", "arn:aws:kms:eu-west-1:1:alias/a", "role", "arn:x");
	assert_int_equal(ask(&service, key, &out, text), ERR_NONE);
	assert_true(cstr_starts(f->seen, "arn:x in eu-west-1 TrentService.Decrypt "));
}

static json_t *gcp_key(const char *resource)
{
	return json_pack("{s:s, s:s}", "resource_id", resource, "enc", "c2VhbGVk");
}

static void K40_Google_Cloud_KMS(void **state)
{
	Fixture *f = *state;
	SopsKeyService service = gcp_key_service(&f->keys);
	static const char *const name = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
	autobuf Buf out = {0};
	char text[400];
	f->answer = "{\"plaintext\": \"a2V5\"}";
	assert_int_equal(ask(&service, gcp_key(name), &out, text), ERR_NONE);
	assert_string_equal(buf_text(&out), "key");
	assert_string_equal(f->seen,
			    "POST /v1/projects/p/locations/global/keyRings/r/cryptoKeys/k:decrypt? "
			    "Bearer the-token {\"ciphertext\":\"c2VhbGVk\"}");
	assert_int_equal(ask(&service, gcp_key("projects/../x"), &out, text), ERR_INVALID);
	f->status = 403;
	f->answer = "{\"error\": {\"message\": \"the-token may not\"}}";
	assert_int_equal(ask(&service, gcp_key(name), &out, text), ERR_FORBIDDEN);
	assert_non_null(strstr(text, "HTTP 403: *** may not"));
	f->token = NULL;
	assert_int_equal(ask(&service, gcp_key(name), &out, text), ERR_UNAUTHORIZED);
}

static json_t *azure_key(const char *vault)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "vault_url", vault, "name", "k", "version", "v1",
			 "enc", "c2VhbGVk");
}

static void K40_Azure_Key_Vault(void **state)
{
	Fixture *f = *state;
	SopsKeyService service = azure_key_service(&f->keys);
	autobuf Buf out = {0};
	char text[400];
	f->answer = "{\"value\": \"a2V5\", \"kid\": \"x\"}";
	assert_int_equal(ask(&service, azure_key(f->base), &out, text), ERR_NONE);
	assert_string_equal(buf_text(&out), "key");
	assert_string_equal(f->seen, "POST /keys/k/v1/decrypt?api-version=7.4 Bearer the-token "
				     "{\"alg\":\"RSA-OAEP-256\",\"value\":\"c2VhbGVk\"}");
}

/* The token goes to Azure's own hosts alone. */
static void K48_vaults_of_others_are_not_asked(void **state)
{
	Fixture *f = *state;
	SopsKeyService service = azure_key_service(&f->keys);
	static const char *const bad[] = {"https://evil.test",
					  "http://x.vault.azure.net",
					  "https://x.vault.azure.net.evil.test",
					  "https://evil.test/.vault.azure.net",
					  "",
					  "https://a@evil.test/?x.vault.azure.net"};
	autobuf Buf out = {0};
	char text[400];
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(ask(&service, azure_key(bad[i]), &out, text), ERR_FORBIDDEN);
	assert_string_equal(f->seen, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(K40_AWS_KMS, set_up, tear_down),
		cmocka_unit_test_setup_teardown(K40_Google_Cloud_KMS, set_up, tear_down),
		cmocka_unit_test_setup_teardown(K40_Azure_Key_Vault, set_up, tear_down),
		cmocka_unit_test_setup_teardown(K48_vaults_of_others_are_not_asked, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
