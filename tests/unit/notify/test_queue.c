#include "../cmocka_all.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "data/digest.h"
#include "jwt_signer.h"
#include "net/url.h"
#include "notify/jwt.h"
#include "request_check.h"

#define CONNECTION                                                                                 \
	"Endpoint=sb://ns.servicebus.windows.net/"                                                 \
	";SharedAccessKeyName=send;SharedAccessKey=c2VjcmV0"                                       \
	"PQ==;EntityPath=hub"

static void N56_event_hub(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"SAS and token",
		 "{'type':'azureeventhub','address':'" CONNECTION "','token':'jwt'}", "{}", NULL,
		 NULL, "exclude each other"},
		{"SAS without hub",
		 "{'type':'azureeventhub','address':'Endpoint=sb://ns.test/;SharedAccessKeyName=a;"
		 "SharedAccessKey=b'}",
		 "{}", NULL, NULL, "EntityPath"},
		{"SAS", "{'type':'azureeventhub','address':'" CONNECTION "'}", "{}",
		 "POST https://ns.servicebus.windows.net/hub/messages",
		 "Content-Type: application/json", NULL},
		{"token", "{'type':'azureeventhub','address':'hub','channel':'ns','token':'jwt'}",
		 "{}", "POST https://ns.servicebus.windows.net/hub/messages",
		 "Authorization: Bearer jwt", NULL},
		{"whole name",
		 "{'type':'azureeventhub','address':'hub','channel':'ns.servicebus.test',"
		 "'token':'jwt'}",
		 "{}", "POST https://ns.servicebus.test/hub/messages", NULL, NULL},
		{"no channel", "{'type':'azureeventhub','address':'hub','token':'jwt'}", "{}", NULL,
		 NULL, "channel"},
		{"identity", "{'type':'azureeventhub','address':'hub','channel':'ns'}", "{}", NULL,
		 NULL, "identity"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

static void N56_event_hubs_of_other_clouds(void **state)
{
	(void)state;
	static const struct {
		const char *domain, *url;
	} rows[] = {
		{"servicebus.chinacloudapi.cn",
		 "https://ns.servicebus.chinacloudapi.cn/hub/messages"},
		{NULL, "https://ns.servicebus.windows.net/hub/messages"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojson json_t *event = test_event("{}");
		autonotifyrequest NotifyRequest request = {0};
		NotifyTarget target = {.type = "azureeventhub",
				       .address = "hub",
				       .channel = "ns",
				       .token = "jwt",
				       .event_hub_domain = rows[i].domain};
		assert_true(notify_build(&target, event, &request, &err));
		assert_string_equal(request.url, rows[i].url);
	}
}

static const char *authorization(const NotifyRequest *request)
{
	for (size_t i = 0; i < request->headers.len; i++)
		if (cstr_starts(request->headers.items[i], "Authorization: "))
			return request->headers.items[i];
	return "";
}

/* The signature's own words: HMAC-SHA256 with the key as it is written, over the escaped resource,
 * a line break and the expiry. */
static void N56_event_hub_signature(void **state)
{
	(void)state;
	autojson json_t *event = test_event("{}");
	NotifyTarget target = {.type = "azureeventhub", .address = CONNECTION};
	autonotifyrequest NotifyRequest request = {0};
	autoerror Error err = {0};
	assert_true(notify_build(&target, event, &request, &err));
	static const char head[] = "Authorization: SharedAccessSignature "
				   "sr=https%3A%2F%2Fns.servicebus.windows.net%2Fhub&sig=";
	const char *header = authorization(&request);
	assert_true(cstr_starts(header, head));
	const char *sig = header + strlen(head), *end = strstr(sig, "&se=");
	long long expiry = strtoll(end + strlen("&se="), NULL, 10);
	assert_true(strstr(end, "&skn=send") != NULL);
	autofree char *text =
		mem_printf("https%%3A%%2F%%2Fns.servicebus.windows.net%%2Fhub\n%lld", expiry);
	unsigned char raw[DIGEST_MAX_BYTES];
	size_t len = digest_hmac(DIGEST_SHA256, "c2VjcmV0PQ==", 12, text, strlen(text), raw);
	autofree char *plain = base64_encode(raw, len);
	autofree char *want = url_escape(plain, false);
	autofree char *got = mem_strndup(sig, (size_t)(end - sig));
	assert_string_equal(got, want);
}

static void N55_pubsub_needs_project_and_topic(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"topic", "{'type':'googlepubsub','address':'proj'}", "{}", NULL, NULL, "topic"},
		{"project", "{'type':'googlepubsub','channel':'top'}", "{}", NULL, NULL, "project"},
		{"key", "{'type':'googlepubsub','address':'proj','channel':'top','token':'{}'}",
		 "{}", NULL, NULL, "JSON key"},
		{"no JSON",
		 "{'type':'googlepubsub','address':'proj','channel':'top','token':'secret'}", "{}",
		 NULL, NULL, "JSON key"},
		{"machine", "{'type':'googlepubsub','address':'proj','channel':'top'}", "{}",
		 "GET http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/"
		 "default/token?scopes=https://www.googleapis.com/auth/pubsub",
		 "Metadata-Flavor: Google", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

static char *key_json(const Signer *signer)
{
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, signer->key, NULL, NULL, 0, NULL, NULL);
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	autofree char *pem = mem_strndup(bytes, (size_t)len);
	BIO_free(bio);
	autojson json_t *key =
		json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", "service_account", "client_email",
			  "me@proj.test", "private_key", pem, "private_key_id", "kid-1",
			  "token_uri", "https://token.test/token");
	return json_dump(key);
}

static void N55_pubsub_exchanges_the_key_and_publishes(void **state)
{
	(void)state;
	__attribute__((cleanup(signer_dispose))) Signer signer = signer_make("RS256", "kid-1");
	autofree char *key = key_json(&signer);
	autojson json_t *event = test_event("{}"), *headers = json_quoted("{'a':'b'}");
	TokenCache *tokens = token_cache_new(10, 3600000);
	NotifyTarget target = {.type = "googlepubsub",
			       .address = "proj",
			       .channel = "top",
			       .token = key,
			       .headers = headers,
			       .tokens = tokens};
	autonotifyrequest NotifyRequest request = {0}, next = {0}, again = {0};
	autoerror Error err = {0};
	assert_true(notify_build(&target, event, &request, &err));
	assert_string_equal(request.url, "https://token.test/token");
	const char *assertion = strstr(buf_text(&request.body), "assertion=");
	autojson json_t *keys = json_pack("{s:[O]}", "keys", signer.jwk);
	JwtRules rules = {.issuer = "me@proj.test", .audience = "https://token.test/token"};
	autojson json_t *claims = jwt_verify(assertion + strlen("assertion="), keys, &rules, &err);
	assert_string_equal(json_text(claims, "scope"), "https://www.googleapis.com/auth/pubsub");
	static const char reply[] = "{\"access_token\":\"acc\",\"expires_in\":3599}";
	assert_true(request.then(&request, 200, str_of(reply), &next, &err));
	assert_string_equal(next.url,
			    "https://pubsub.googleapis.com/v1/projects/proj/topics/top:publish");
	assert_true(has_header(&next, STR("Authorization: Bearer acc")));
	autojson json_t *body = json_parse(buf_text(&next.body), next.body.len, 65536, &err);
	const json_t *message = json_array_get(json_list(body, "messages"), 0);
	assert_string_equal(json_text_at(message, "attributes", "a", NULL), "b");
	autobuf Buf data = {0};
	assert_true(base64_decode(json_text(message, "data"), strlen(json_text(message, "data")),
				  &data, &err));
	autojson json_t *published = json_parse(buf_text(&data), data.len, 65536, &err);
	assert_true(json_same(published, event));
	assert_true(notify_build(&target, event, &again, &err));
	assert_string_equal(again.url, next.url);
	assert_true(has_header(&again, STR("Authorization: Bearer acc")));
	token_cache_free(tokens);
}

int main(void)
{
	unsetenv("PUBSUB_EMULATOR_HOST");
	unsetenv("GCE_METADATA_HOST");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N55_pubsub_needs_project_and_topic),
		cmocka_unit_test(N55_pubsub_exchanges_the_key_and_publishes),
		cmocka_unit_test(N56_event_hub),
		cmocka_unit_test(N56_event_hubs_of_other_clouds),
		cmocka_unit_test(N56_event_hub_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
