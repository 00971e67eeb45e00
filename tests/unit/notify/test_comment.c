#include "../cmocka_all.h"

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "jwt_signer.h"
#include "notify/jwk.h"
#include "notify/jwt.h"
#include "request_steps.h"

#define MARK(prefix) "<!-- " prefix "-comment-key:provider-uid/Kustomization/flux-system/apps -->"
#define TEXT                                                                                       \
	"\\n\\n## Flux Status\\n\\nℹ️ Kustomization/flux-system/apps\\n\\nall is "             \
	"well\\n\\nMetadata:\\n* `revision`: main@sha1:abc\\n"
#define ASKED "{'metadata':{'summary':null,'change_request':'42'}}"

static const struct {
	const char *target, *user, *user_reply, *list, *create, *edit, *body;
} commenters[] = {
	{"{'type':'githubpullrequestcomment','address':'https://github.com/o/r','token':'t'}",
	 "GET https://api.github.com/user", "{'login':'me'}",
	 "GET https://api.github.com/repos/o/r/issues/42/comments"
	 "?direction=asc&per_page=100&sort=created",
	 "POST https://api.github.com/repos/o/r/issues/42/comments",
	 "PATCH https://api.github.com/repos/o/r/issues/comments/7",
	 "{'body':'" MARK("flux-pr") TEXT "'}"},
	{"{'type':'giteapullrequestcomment','address':'https://tea.test/o/r','token':'t'}",
	 "GET https://tea.test/api/v1/user", "{'login':'me'}",
	 "GET https://tea.test/api/v1/repos/o/r/issues/42/comments?limit=100&page=1",
	 "POST https://tea.test/api/v1/repos/o/r/issues/42/comments",
	 "PATCH https://tea.test/api/v1/repos/o/r/issues/comments/7",
	 "{'body':'" MARK("flux-pr") TEXT "'}"},
	{"{'type':'gitlabmergerequestcomment','address':'https://lab.test/g/s/r','token':'t'}",
	 "GET https://lab.test/api/v4/user", "{'username':'me'}",
	 "GET https://lab.test/api/v4/projects/g%2Fs%2Fr/merge_requests/42/notes"
	 "?order_by=created_at&per_page=100&sort=asc",
	 "POST https://lab.test/api/v4/projects/g%2Fs%2Fr/merge_requests/42/notes",
	 "PUT https://lab.test/api/v4/projects/g%2Fs%2Fr/merge_requests/42/notes/7",
	 "{'body':'" MARK("flux-mr") TEXT "'}"},
};

static char *comment_json(size_t i, int id, const char *author, const char *text)
{
	bool gitlab = strstr(commenters[i].list, "merge_requests") != NULL;
	return gitlab ? mem_printf("{'id':%d,'author':{'username':'%s'},'body':'%s'}", id, author,
				   text)
		      : mem_printf("{'id':%d,'user':{'login':'%s'},'body':'%s'}", id, author, text);
}

static void N74_comments_are_created_once_then_edited(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(commenters); i++) {
		autojson json_t *spec = json_quoted(commenters[i].target);
		NotifyTarget target = test_target(spec);
		const char *mark = i == 2 ? MARK("flux-mr") : MARK("flux-pr");
		autofree char *foreign = comment_json(i, 5, "you", mark);
		autofree char *unmarked = comment_json(i, 6, "me", "hello");
		autofree char *own = comment_json(i, 7, "me", mark);
		autofree char *others = mem_printf("[%s,%s]", foreign, unmarked);
		autofree char *all = mem_printf("[%s,%s,%s]", foreign, unmarked, own);
		autonotifyrequest NotifyRequest first = {0}, second = {0};
		build(&target, ASKED, &first);
		assert_line(&first, commenters[i].user);
		assert_true(follow(&first, 200, commenters[i].user_reply));
		assert_line(&first, commenters[i].list);
		assert_true(follow(&first, 200, others));
		assert_line(&first, commenters[i].create);
		assert_body(&first, commenters[i].body);
		build(&target, ASKED, &second);
		assert_true(follow(&second, 200, commenters[i].user_reply));
		assert_true(follow(&second, 200, all));
		assert_line(&second, commenters[i].edit);
		assert_body(&second, commenters[i].body);
	}
}

static void N75_change_request_must_be_a_number(void **state)
{
	(void)state;
	static const char *const bad[] = {"{}", "{'metadata':{'change_request':'x'}}",
					  "{'metadata':{'change_request':''}}",
					  "{'metadata':{'change_request':'1/../2'}}",
					  "{'metadata':{'change_request':'1234567890123456789'}}"};
	for (size_t i = 0; i < COUNT(commenters); i++)
		for (size_t k = 0; k < COUNT(bad); k++) {
			RequestRow row = {"number", commenters[i].target, bad[k], NULL,
					  NULL,	    "change_request"};
			check_row(&row);
		}
	assert_true(notify_traits("githubpullrequestcomment") & NOTIFY_COMMENT);
}

/* --- GitHub Apps --- */

typedef struct {
	char *pem;
	Signer signer;
} App;

static const char *app_key(const void *secret, const char *key)
{
	const App *app = secret;
	if (cstr_eq(key, "githubAppID"))
		return "12";
	if (cstr_eq(key, "githubAppInstallationOwner"))
		return "Org";
	if (cstr_eq(key, "githubAppBaseURL"))
		return "https://hub.test/api/v3/";
	return cstr_eq(key, "githubAppPrivateKey") ? app->pem : NULL;
}

static void app_make(App *app)
{
	app->signer = signer_make("RS256", NULL);
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, app->signer.key, NULL, NULL, 0, NULL, NULL);
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	app->pem = mem_strndup(bytes, (size_t)len);
	BIO_free(bio);
}

static void app_dispose(App *app)
{
	signer_dispose(&app->signer);
	free(app->pem);
}

static char *bearer_of(const NotifyRequest *request)
{
	static const char prefix[] = "Authorization: Bearer ";
	for (size_t i = 0; i < request->headers.len; i++)
		if (cstr_starts(request->headers.items[i], prefix))
			return mem_strdup((char *)request->headers.items[i] + strlen(prefix));
	return NULL;
}

static char *expiry(int64_t in_ms)
{
	char text[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms() + in_ms, text);
	return mem_printf("{'token':'installed','expires_at':'%s'}", text);
}

static void N70_app_token_is_asked_for_and_kept(void **state)
{
	(void)state;
	__attribute__((cleanup(app_dispose))) App app = {0};
	app_make(&app);
	TokenCache *tokens = token_cache_new(10, 3600000);
	NotifyTarget target = {.type = "github",
			       .address = "https://hub.test/o/r",
			       .status_id = "id",
			       .provider_uid = "uid",
			       .secret_key = app_key,
			       .secret = &app,
			       .tokens = tokens};
	autonotifyrequest NotifyRequest request = {0}, again = {0};
	build(&target, GOOD, &request);
	assert_line(&request, "GET https://hub.test/api/v3/app/installations?per_page=100");
	autofree char *jwt = bearer_of(&request);
	char *signature = strrchr(jwt, '.');
	autobuf Buf raw = {0};
	autoerror Error decoding = {0};
	assert_true(base64url_decode(signature + 1, strlen(signature + 1), &raw, &decoding));
	assert_true(jwk_verifies(app.signer.jwk, "RS256", str_sized(jwt, (size_t)(signature - jwt)),
				 buf_str(&raw)));
	autoerror Error err = {0};
	autojson json_t *claims = jwt_unverified_claims(jwt, &err);
	assert_string_equal(json_text(claims, "iss"), "12");
	assert_int_equal(json_int(claims, "exp", 0) - json_int(claims, "iat", 0), 120);
	assert_true(follow(&request, 200,
			   "[{'id':8,'account':{'login':'other'}},"
			   "{'id':99,'account':{'login':'org'}}]"));
	assert_line(&request, "POST https://hub.test/api/v3/app/installations/99/access_tokens");
	autofree char *reply = expiry(3600000);
	assert_true(follow(&request, 201, reply));
	autofree char *token = bearer_of(&request);
	assert_string_equal(token, "installed");
	assert_line(&request,
		    "GET https://hub.test/api/v3/repos/o/r/commits/" SHA "/statuses?per_page=50");
	assert_true(follow(&request, 200, "[]"));
	autofree char *kept = bearer_of(&request);
	assert_string_equal(kept, "installed");
	/* The next delivery has it already. */
	build(&target, BAD, &again);
	assert_line(&again,
		    "GET https://hub.test/api/v3/repos/o/r/commits/" SHA "/statuses?per_page=50");
	token_cache_free(tokens);
}

static void N74_app_comments_by_its_slug(void **state)
{
	(void)state;
	__attribute__((cleanup(app_dispose))) App app = {0};
	app_make(&app);
	TokenCache *tokens = token_cache_new(10, 3600000);
	NotifyTarget target = {.type = "githubpullrequestcomment",
			       .address = "https://hub.test/o/r",
			       .provider_uid = "provider-uid",
			       .secret_key = app_key,
			       .secret = &app,
			       .tokens = tokens};
	autofree char *reply = expiry(3600000);
	for (int round = 0; round < 2; round++) {
		autonotifyrequest NotifyRequest request = {0};
		build(&target, ASKED, &request);
		if (round == 0) {
			assert_true(follow(&request, 200, "[{'id':9,'account':{'login':'Org'}}]"));
			assert_line(&request, "GET https://hub.test/api/v3/app");
			assert_true(follow(&request, 200, "{'slug':'fluxbot'}"));
			assert_true(follow(&request, 201, reply));
		}
		assert_true(follow(
			&request, 200,
			"[{'id':7,'user':{'login':'fluxbot[bot]'},'body':'" MARK("flux-pr") "'}]"));
		assert_line(&request, "PATCH https://hub.test/api/v3/repos/o/r/issues/comments/7");
	}
	token_cache_free(tokens);
}

static void tokens_are_not_kept_beyond_their_life(void **state)
{
	(void)state;
	__attribute__((cleanup(app_dispose))) App app = {0};
	app_make(&app);
	static const struct {
		size_t max;
		int64_t life_ms;
	} rows[] = {{0, 3600000}, {10, -1000}, {10, 0}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		TokenCache *tokens = token_cache_new(rows[i].max, 3600000);
		NotifyTarget target = {.type = "githubdispatch",
				       .address = "https://hub.test/o/r",
				       .secret_key = app_key,
				       .secret = &app,
				       .tokens = tokens};
		autonotifyrequest NotifyRequest request = {0}, again = {0};
		build(&target, GOOD, &request);
		assert_true(follow(&request, 200, "[{'id':9,'account':{'login':'Org'}}]"));
		autofree char *reply = expiry(rows[i].life_ms);
		assert_true(follow(&request, 201, reply));
		build(&target, GOOD, &again);
		assert_line(&again, "GET https://hub.test/api/v3/app/installations?per_page=100");
		token_cache_free(tokens);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N74_comments_are_created_once_then_edited),
		cmocka_unit_test(N75_change_request_must_be_a_number),
		cmocka_unit_test(N70_app_token_is_asked_for_and_kept),
		cmocka_unit_test(N74_app_comments_by_its_slug),
		cmocka_unit_test(tokens_are_not_kept_beyond_their_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
