#include "../cmocka_all.h"

#include "base/str.h"
#include "notify/verify.h"

static bool header_is_good(const char *header, const char *body)
{
	autoerror Error err = {0};
	bool good = verify_signature_header(header, STR("key"), str_of(body), &err);
	assert_true(good != err_is_set(&err));
	return good;
}

/* HMACs of "The quick brown fox jumps over the lazy dog" with "key", as published with RFC 2104's
 * implementations. */
static void N79_N80_signatures(void **state)
{
	(void)state;
	static const char fox[] = "The quick brown fox jumps over the lazy dog";
	static const char sha256[] =
		"sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
	assert_true(header_is_good(sha256, fox));
	assert_true(header_is_good(
		"sha256=F7BC83F430538424B13298E6AA6FB143EF4D59A14946175997479DBC2D1A3CD8", fox));
	assert_true(header_is_good("sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9", fox));
	assert_true(header_is_good(
		"sha512=b42af09057bac1e2d41708e48a902e09b5ff7f12ab428a4fe86653c73dd248fb"
		"82f948a549f7b791a5b41915ee4d1ec3935357e4e2317250d0372afa2ebeeb3a",
		fox));
	assert_false(header_is_good("md5=80070713463e7749b90c2dc24911e275", fox));
	assert_false(header_is_good(sha256, "another body"));
	assert_false(header_is_good(sha256 + strlen("sha256="), fox));
	assert_false(header_is_good("sha256=", fox));
	assert_false(header_is_good("sha256=zz", fox));
	assert_false(header_is_good(
		"sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd800", fox));
	assert_false(header_is_good("", fox));
	assert_false(header_is_good(NULL, fox));
	/* Right digits, wrong algorithm. */
	assert_false(header_is_good(
		"sha1=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8", fox));
}

/* Each digit counts, also the last one. */
static void N79_N80_a_signature_is_compared_to_its_end(void **state)
{
	(void)state;
	static const char fox[] = "The quick brown fox jumps over the lazy dog";
	static const char right[] =
		"sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
	char wrong[sizeof(right)];
	for (size_t i = strlen("sha256="); i < sizeof(right) - 1; i++) {
		memcpy(wrong, right, sizeof(right));
		wrong[i] = right[i] == '0' ? '1' : '0';
		if (header_is_good(wrong, fox))
			fail_msg("digit %zu is not looked at", i);
	}
}

static void N81_tokens(void **state)
{
	(void)state;
	assert_true(verify_token("abc", "abc"));
	assert_false(verify_token("abd", "abc"));
	assert_false(verify_token("ab", "abc"));
	assert_false(verify_token("abcd", "abc"));
	assert_false(verify_token(NULL, "abc"));
	assert_false(verify_token("", NULL));
}

static json_t *event(const char *type, const char *subject, const char *content)
{
	autoerror Error err = {0};
	json_t *parsed = json_parse(content, strlen(content), 4096, &err);
	assert_non_null(parsed);
	return json_pack("{s:{s:s,s:s,s:s,s:s,s:s},s:{s:s,s:s,s:o}}", "context", "version", "0.4.1",
			 "id", "1", "source", "/s", "type", type, "timestamp",
			 "2026-01-02T03:04:05Z", "subject", "id", "x", "type", subject, "content",
			 parsed);
}

static bool is_good(const char *type, const char *subject, const char *content)
{
	autoerror Error err = {0};
	autojson json_t *value = event(type, subject, content);
	return verify_cdevent(value, &err);
}

static void N86_content_by_type(void **state)
{
	(void)state;
	static const struct {
		const char *type, *subject, *content;
		bool good;
	} rows[] = {
		{"dev.cdevents.build.queued.0.2.0", "build", "{}", true},
		{"dev.cdevents.build.queued.0.1.0", "build", "{}", false},
		{"dev.cdevents.build.queued", "build", "{}", false},
		{"dev.cdevents.build.queued.0.2.0", "artifact", "{}", false},
		{"dev.cdevents.build.queued.0.2.0", "build", "{\"a\":1}", false},
		{"dev.cdevents.build.queued.0.2.0", "build", "[]", false},
		{"dev.cdevents.artifact.packaged.0.2.0", "artifact", "{}", false},
		{"dev.cdevents.artifact.packaged.0.2.0", "artifact",
		 "{\"change\":{\"id\":\"c\",\"source\":\"s\"}}", true},
		{"dev.cdevents.artifact.packaged.0.2.0", "artifact", "{\"change\":{\"id\":\"\"}}",
		 false},
		{"dev.cdevents.artifact.packaged.0.2.0", "artifact",
		 "{\"change\":{\"id\":\"c\"},\"sbom\":{\"uri\":\"u\"}}", true},
		{"dev.cdevents.artifact.packaged.0.2.0", "artifact",
		 "{\"change\":{\"id\":\"c\"},\"sbom\":{}}", false},
		{"dev.cdevents.testsuiterun.finished.0.2.0", "testSuiteRun",
		 "{\"outcome\":\"pass\",\"environment\":{\"id\":\"e\"}}", true},
		{"dev.cdevents.testsuiterun.finished.0.2.0", "testSuiteRun",
		 "{\"outcome\":\"well\",\"environment\":{\"id\":\"e\"}}", false},
		{"dev.cdevents.ticket.created.0.1.0", "ticket",
		 "{\"summary\":\"s\",\"creator\":\"c\",\"uri\":\"u\",\"labels\":[\"a\"]}", true},
		{"dev.cdevents.ticket.created.0.1.0", "ticket",
		 "{\"summary\":\"s\",\"creator\":\"c\",\"uri\":\"u\",\"labels\":[1]}", false},
		{"dev.cdeventsx.tool-thing.done.1.0.0", "anything", "{\"a\":[1]}", true},
		{"dev.cdeventsx.tool.done.1.0.0", "anything", "{}", false},
		{"", "change", "{}", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (is_good(rows[i].type, rows[i].subject, rows[i].content) != rows[i].good)
			fail_msg("row %zu: %s", i, rows[i].type);
}

static void N86_context(void **state)
{
	(void)state;
	static const char *const needed[] = {"version", "id", "source", "type", "timestamp"};
	autoerror Error err = {0};
	for (size_t i = 0; i < COUNT(needed); i++) {
		autojson json_t *value = event("dev.cdevents.build.queued.0.2.0", "build", "{}");
		json_t *context = json_map(value, "context");
		json_put_text(context, needed[i], "");
		assert_false(verify_cdevent(value, &err));
		error_dispose(&err);
		json_put_text(context, needed[i], NULL);
		assert_false(verify_cdevent(value, &err));
		error_dispose(&err);
	}
	autojson json_t *value = event("dev.cdevents.build.queued.0.2.0", "build", "{}");
	json_put_text(json_map(value, "context"), "timestamp", "yesterday");
	assert_false(verify_cdevent(value, &err));
	error_dispose(&err);
	assert_false(verify_cdevent(NULL, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N79_N80_signatures),
		cmocka_unit_test(N79_N80_a_signature_is_compared_to_its_end),
		cmocka_unit_test(N81_tokens),
		cmocka_unit_test(N86_content_by_type),
		cmocka_unit_test(N86_context),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
