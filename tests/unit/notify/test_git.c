#include "../cmocka_all.h"

#include "base/clock.h"
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "jwt_signer.h"
#include "notify/jwk.h"
#include "notify/jwt.h"
#include "notify/repository.h"
#include "request_check.h"

#define SHA "0123456789abcdef0123456789abcdef01234567"
#define AT_SHA "{'metadata':{'summary':null,'revision':'main@sha1:" SHA "'}"
#define GOOD AT_SHA "}"
#define BAD AT_SHA ",'severity':'error','reason':'HealthCheckFailed'}"
#define ID "'status_id':'kustomization/apps/0c9c2e41'"

static void build(const NotifyTarget *target, const char *changes, NotifyRequest *out)
{
	autojson json_t *event = test_event(changes);
	autoerror Error err = {0};
	if (!notify_build(target, event, out, &err))
		fail_msg("%s", err_text(&err));
}

/* Goes on as after a reply; false when nothing follows. */
static bool follow(NotifyRequest *request, int status, const char *quoted_reply)
{
	autonotifyrequest NotifyRequest next = {0};
	autoerror Error err = {0};
	autojson json_t *reply = json_quoted(quoted_reply);
	autofree char *text = json_dump(reply);
	bool judged = !request->judge || request->judge(status, str_of(text), &err);
	assert_true(judged);
	if (!request->then || !request->then(request, status, str_of(text), &next, &err))
		fail_msg("%s", err_text(&err));
	if (!next.url)
		return false;
	notify_request_dispose(request);
	*request = next;
	next = (NotifyRequest){0};
	return true;
}

static void assert_body(const NotifyRequest *request, const char *quoted)
{
	autoerror Error err = {0};
	autojson json_t *want = json_quoted(quoted);
	autojson json_t *got =
		json_parse(buf_text(&request->body), request->body.len, 1 << 20, &err);
	if (!json_same(want, got))
		fail_msg("want %s\ngot %s", quoted, buf_text(&request->body));
}

static void N67_commit_of_a_revision(void **state)
{
	(void)state;
	static const struct {
		const char *metadata, *want;
	} rows[] = {
		{"{'metadata':{'revision':'main@sha1:" SHA "'}}", SHA},
		{"{'metadata':{'revision':'main/" SHA "'}}", SHA},
		{"{'metadata':{'revision':'feature/x@sha1:" SHA "'}}", SHA},
		{"{'metadata':{'revision':'" SHA "'}}", SHA},
		{"{'metadata':{'revision':'x','originRevision':'main@sha1:" SHA "'}}", SHA},
		{"{'metadata':{'revision':'x','originRevision':'y','commit':'" SHA "'}}", SHA},
		{"{'metadata':{'revision':'main@sha1:abc'}}", NULL},
		{"{'metadata':{'revision':'1.0@sha256:" SHA SHA "'}}", NULL},
		{"{'metadata':{'revision':'main@sha1:../456789abcdef0123456789abcdef0123456'}}",
		 NULL},
		{"{'metadata':{'revision':''}}", NULL},
		{"{'metadata':null}", NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *event = test_event(rows[i].metadata);
		autoerror Error err = {0};
		char commit[COMMIT_SIZE];
		bool good = repository_commit(event, commit, &err);
		if (good != (rows[i].want != NULL))
			fail_msg("row %zu", i);
		if (good)
			assert_string_equal(commit, rows[i].want);
	}
}

static void addresses_of_repositories(void **state)
{
	(void)state;
	static const struct {
		const char *address, *origin, *id;
	} rows[] = {
		{"https://github.com/o/r", "https://github.com", "o/r"},
		{"https://github.com/o/r.git", "https://github.com", "o/r"},
		{"http://git.test:3000//o/r.git", "http://git.test:3000", "o/r"},
		{"ssh://git@git.test/o/r.git", "https://git.test", "o/r"},
		{"ssh://git@git.test:22/o/r", "https://git.test", "o/r"},
		{"git@git.test:o/r.git", "https://git.test", "o/r"},
		{"https://gitlab.com/g/s/r", "https://gitlab.com", "g/s/r"},
		{"ftp://git.test/o/r", NULL, NULL},
		{"not an address", NULL, NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autorepository Repository repository = {0};
		autoerror Error err = {0};
		NotifyTarget target = {.type = "github", .address = rows[i].address};
		bool good = repository_parse(&target, &repository, &err);
		if (good != (rows[i].origin != NULL))
			fail_msg("%s: %s", rows[i].address, err_text(&err));
		if (!good)
			continue;
		assert_string_equal(repository.origin, rows[i].origin);
		assert_string_equal(repository.id, rows[i].id);
	}
}

/* One forge's way: the reading request, the creating one, and replies that make it needless. */
typedef struct {
	const char *name, *target, *list, *create, *headers, *good, *bad;
	const char *equal, *flipped, *none; /* replies to the reading request of GOOD */
} Forge;

static const Forge forges[] = {
	{"github", "{'type':'github','address':'https://github.com/o/r','token':'t'," ID "}",
	 "GET https://api.github.com/repos/o/r/commits/" SHA "/statuses?per_page=50",
	 "POST https://api.github.com/repos/o/r/statuses/" SHA,
	 "Authorization: Bearer t|Accept: application/vnd.github+json",
	 "{'state':'success','context':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}",
	 "{'state':'failure','context':'kustomization/apps/0c9c2e41',"
	 "'description':'health check failed'}",
	 "[{'state':'failure','context':'other','description':'x'},"
	 "{'state':'success','context':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}]",
	 "[{'state':'failure','context':'kustomization/apps/0c9c2e41','description':'x'},"
	 "{'state':'success','context':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}]",
	 "[]"},
	{"github enterprise",
	 "{'type':'github','address':'ssh://git@hub.test/o/r.git','username':'u','password':'p'," ID
	 "}",
	 "GET https://hub.test/api/v3/repos/o/r/commits/" SHA "/statuses?per_page=50",
	 "POST https://hub.test/api/v3/repos/o/r/statuses/" SHA, "Authorization: Bearer p",
	 "{'state':'success','context':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}",
	 "{'state':'failure','context':'kustomization/apps/0c9c2e41',"
	 "'description':'health check failed'}",
	 NULL, NULL, "[]"},
	{"gitlab", "{'type':'gitlab','address':'https://lab.test/g/s/r.git','token':'t'," ID "}",
	 "GET https://lab.test/api/v4/projects/g%2Fs%2Fr/repository/commits/" SHA
	 "/statuses?name=kustomization%2Fapps%2F0c9c2e41",
	 "POST https://lab.test/api/v4/projects/g%2Fs%2Fr/statuses/" SHA, "PRIVATE-TOKEN: t",
	 "{'state':'success','name':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}",
	 "{'state':'failed','name':'kustomization/apps/0c9c2e41',"
	 "'description':'health check failed'}",
	 "[{'status':'failed','name':'kustomization/apps/0c9c2e41','description':'x'},"
	 "{'status':'success','name':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}]",
	 "[{'status':'failed','name':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}]",
	 "[]"},
	{"gitea", "{'type':'gitea','address':'https://tea.test:3000/o/r','token':'t'," ID "}",
	 "GET https://tea.test:3000/api/v1/repos/o/r/commits/" SHA "/statuses?limit=50&page=1",
	 "POST https://tea.test:3000/api/v1/repos/o/r/statuses/" SHA, "Authorization: token t",
	 "{'state':'success','context':'kustomization/apps/0c9c2e41','target_url':'',"
	 "'description':'reconciliation succeeded'}",
	 "{'state':'failure','context':'kustomization/apps/0c9c2e41','target_url':'',"
	 "'description':'health check failed'}",
	 "[{'status':'success','context':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}]",
	 "[{'status':'pending','context':'kustomization/apps/0c9c2e41','description':'x'},"
	 "{'status':'success','context':'kustomization/apps/0c9c2e41',"
	 "'description':'reconciliation succeeded'}]",
	 "[]"},
	{"bitbucket",
	 "{'type':'bitbucket','address':'https://bitbucket.org/o/r.git','token':'u:p'," ID "}",
	 "GET https://api.bitbucket.org/2.0/repositories/o/r/commit/" SHA
	 "/statuses/build/534add2e1e94c46fbe0f8e657ba36c652fa8d2dd",
	 "POST https://api.bitbucket.org/2.0/repositories/o/r/commit/" SHA "/statuses/build",
	 "Authorization: Basic dTpw",
	 "{'key':'534add2e1e94c46fbe0f8e657ba36c652fa8d2dd','name':'kustomization/apps',"
	 "'state':'SUCCESSFUL','description':'reconciliation succeeded',"
	 "'url':'https://bitbucket.org'}",
	 "{'key':'534add2e1e94c46fbe0f8e657ba36c652fa8d2dd','name':'kustomization/apps',"
	 "'state':'FAILED','description':'health check failed','url':'https://bitbucket.org'}",
	 "{'state':'SUCCESSFUL','description':'reconciliation succeeded'}",
	 "{'state':'FAILED','description':'reconciliation succeeded'}", NULL},
	{"bitbucketserver",
	 "{'type':'bitbucketserver','address':'https://bb.test:7990/context/scm/p/r.git',"
	 "'token':'t'," ID "}",
	 "GET https://bb.test:7990/context/rest/api/latest/projects/p/repos/r/commits/" SHA
	 "/builds?key=534add2e1e94c46fbe0f8e657ba36c652fa8d2dd",
	 "POST https://bb.test:7990/context/rest/api/latest/projects/p/repos/r/commits/" SHA
	 "/builds",
	 "Authorization: Bearer t|x-atlassian-token: no-check|x-requested-with: XMLHttpRequest",
	 "{'key':'534add2e1e94c46fbe0f8e657ba36c652fa8d2dd','state':'SUCCESSFUL',"
	 "'url':'https://bb.test:7990/context/scm/p/r.git',"
	 "'description':'reconciliation succeeded',"
	 "'name':'kustomization/apps [reconciliation succeeded]'}",
	 "{'key':'534add2e1e94c46fbe0f8e657ba36c652fa8d2dd','state':'FAILED',"
	 "'url':'https://bb.test:7990/context/scm/p/r.git','description':'health check failed',"
	 "'name':'kustomization/apps [health check failed]'}",
	 "{'key':'534add2e1e94c46fbe0f8e657ba36c652fa8d2dd','state':'SUCCESSFUL',"
	 "'description':'reconciliation succeeded',"
	 "'name':'kustomization/apps [reconciliation succeeded]'}",
	 "{'key':'534add2e1e94c46fbe0f8e657ba36c652fa8d2dd','state':'INPROGRESS',"
	 "'description':'reconciliation succeeded',"
	 "'name':'kustomization/apps [reconciliation succeeded]'}",
	 NULL},
	{"azuredevops",
	 "{'type':'azuredevops','address':'https://dev.azure.com/org/proj/_git/"
	 "repo','token':'t'," ID "}",
	 "GET https://dev.azure.com/org/proj/_apis/git/repositories/repo/commits/" SHA
	 "/statuses?api-version=7.1-preview.1",
	 "POST https://dev.azure.com/org/proj/_apis/git/repositories/repo/commits/" SHA
	 "/statuses?api-version=7.1-preview.1",
	 "Authorization: Basic OnQ=",
	 "{'description':'reconciliation succeeded','state':'succeeded',"
	 "'context':{'name':'kustomization/apps/0c9c2e41','genre':'fluxcd'}}",
	 "{'description':'health check failed','state':'error',"
	 "'context':{'name':'kustomization/apps/0c9c2e41','genre':'fluxcd'}}",
	 "{'value':[{'state':'error','description':'x','context':{"
	 "'name':'kustomization/apps/0c9c2e41','genre':'fluxcd:other'}},"
	 "{'state':'succeeded','description':'reconciliation succeeded','context':{"
	 "'name':'kustomization/apps/0c9c2e41','genre':'fluxcd'}}]}",
	 "{'value':[{'state':'error','description':'x','context':{"
	 "'name':'kustomization/apps/0c9c2e41','genre':'fluxcd'}}]}",
	 "{'value':[]}"},
};

static void check_line(const Forge *forge, const NotifyRequest *request, const char *want)
{
	autofree char *line =
		mem_printf("%s %s", request->method ? request->method : "POST", request->url);
	assert_string_equal(line, want);
	const RequestRow row = {.name = forge->name, .headers = forge->headers};
	check_headers(&row, request);
}

static void start(const Forge *forge, const char *changes, NotifyRequest *out)
{
	autojson json_t *spec = json_quoted(forge->target);
	NotifyTarget target = test_target(spec);
	build(&target, changes, out);
}

static void N68_statuses_are_read_then_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forges); i++) {
		const Forge *forge = &forges[i];
		const char *none = forge->none ? forge->none : "{}";
		autonotifyrequest NotifyRequest good = {0}, bad = {0};
		start(forge, GOOD, &good);
		check_line(forge, &good, forge->list);
		assert_int_equal(good.body.len, 0);
		assert_true(follow(&good, forge->none ? 200 : 404, none));
		check_line(forge, &good, forge->create);
		assert_body(&good, forge->good);
		assert_true(has_header(&good, STR("Content-Type: application/json")));
		start(forge, BAD, &bad);
		assert_true(follow(&bad, forge->none ? 200 : 404, none));
		assert_body(&bad, forge->bad);
	}
}

static void N68_equal_statuses_are_not_written_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forges); i++) {
		if (!forges[i].equal)
			continue;
		autonotifyrequest NotifyRequest equal = {0}, flipped = {0};
		start(&forges[i], GOOD, &equal);
		if (follow(&equal, 200, forges[i].equal))
			fail_msg("%s writes an equal status", forges[i].name);
		start(&forges[i], GOOD, &flipped);
		if (!follow(&flipped, 200, forges[i].flipped))
			fail_msg("%s does not write a flipped status", forges[i].name);
	}
}

static void N69_progressing_is_skipped_but_by_gitea(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(forges); i++) {
		autonotifyrequest NotifyRequest request = {0};
		start(&forges[i], AT_SHA ",'reason':'Progressing'}", &request);
		if (strcmp(forges[i].name, "gitea") != 0) {
			assert_null(request.url);
			continue;
		}
		assert_true(follow(&request, 200, "[]"));
		assert_body(&request, "{'state':'pending','context':'kustomization/apps/0c9c2e41',"
				      "'target_url':'','description':'progressing'}");
	}
}

static void what_statuses_refuse(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"N71 token",
		 "{'type':'bitbucket','address':'https://b.test/o/r','token':'t'," ID "}", GOOD,
		 NULL, NULL, "<user>:<password>"},
		{"N71 two colons",
		 "{'type':'bitbucket','address':'https://b.test/o/r','token':'a:b:c'," ID "}", GOOD,
		 NULL, NULL, "<user>:<password>"},
		{"N72 ssh",
		 "{'type':'bitbucketserver','address':'ssh://git@b.test/scm/p/r','token':'t'," ID
		 "}",
		 GOOD, NULL, NULL, "http"},
		{"N72 no scm",
		 "{'type':'bitbucketserver','address':'https://b.test/p/r','token':'t'," ID "}",
		 GOOD, NULL, NULL, "clone URL"},
		{"N72 no credentials",
		 "{'type':'bitbucketserver','address':'https://b.test/scm/p/r'," ID "}", GOOD, NULL,
		 NULL, "credentials"},
		{"github without credentials",
		 "{'type':'github','address':'https://github.com/o/r'," ID "}", GOOD, NULL, NULL,
		 "token"},
		{"github id",
		 "{'type':'github','address':'https://github.com/o','token':'t'," ID "}", GOOD,
		 NULL, NULL, "repository id"},
		{"azure id",
		 "{'type':'azuredevops','address':'https://dev.azure.com/o/r','token':'t'," ID "}",
		 GOOD, NULL, NULL, "repository id"},
		{"azure identity",
		 "{'type':'azuredevops','address':'https://dev.azure.com/o/p/_git/r'," ID "}", GOOD,
		 NULL, NULL, "identity"},
		{"N67 no commit",
		 "{'type':'github','address':'https://github.com/o/r','token':'t'," ID "}", "{}",
		 NULL, NULL, "commit hash"},
		{"severity", "{'type':'gitlab','address':'https://l.test/o/r','token':'t'," ID "}",
		 AT_SHA ",'severity':'trace'}", NULL, NULL, "severity"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

static void N73_genre_carries_the_summary(void **state)
{
	(void)state;
	autojson json_t *spec = json_quoted(forges[COUNT(forges) - 1].target);
	NotifyTarget target = test_target(spec);
	autonotifyrequest NotifyRequest request = {0};
	build(&target, "{'metadata':{'revision':'main@sha1:" SHA "'}}", &request);
	assert_true(follow(&request, 200, "{'value':[]}"));
	assert_body(&request,
		    "{'description':'reconciliation succeeded','state':'succeeded',"
		    "'context':{'name':'kustomization/apps/0c9c2e41','genre':'fluxcd:prod'}}");
}

static void github_dispatch(void **state)
{
	(void)state;
	static const RequestRow row = {
		"dispatch",
		"{'type':'githubdispatch','address':'https://github.com/o/r','token':'t'}",
		"{'metadata':null}",
		"POST https://api.github.com/repos/o/r/dispatches",
		"Authorization: Bearer t",
		"{'event_type':'Kustomization/apps.flux-system','client_payload':{"
		"'involvedObject':{'apiVersion':'kustomize.toolkit.fluxcd.io/v1',"
		"'kind':'Kustomization','name':'apps','namespace':'flux-system','uid':'uid-1'},"
		"'severity':'info','timestamp':'2026-01-02T03:04:05Z','message':'all is well',"
		"'reason':'ReconciliationSucceeded','reportingController':'kustomize-controller',"
		"'reportingInstance':'pod-1'}}"};
	check_row(&row);
}

/* --- comments --- */

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

static void assert_line(const NotifyRequest *request, const char *want)
{
	autofree char *line =
		mem_printf("%s %s", request->method ? request->method : "POST", request->url);
	assert_string_equal(line, want);
	assert_true(request->headers.len > 0);
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
	NotifyTokens *tokens = notify_tokens_new(10, 3600000);
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
	notify_tokens_free(tokens);
}

static void N74_app_comments_by_its_slug(void **state)
{
	(void)state;
	__attribute__((cleanup(app_dispose))) App app = {0};
	app_make(&app);
	NotifyTokens *tokens = notify_tokens_new(10, 3600000);
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
	notify_tokens_free(tokens);
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
		NotifyTokens *tokens = notify_tokens_new(rows[i].max, 3600000);
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
		notify_tokens_free(tokens);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N67_commit_of_a_revision),
		cmocka_unit_test(addresses_of_repositories),
		cmocka_unit_test(N68_statuses_are_read_then_written),
		cmocka_unit_test(N68_equal_statuses_are_not_written_again),
		cmocka_unit_test(N69_progressing_is_skipped_but_by_gitea),
		cmocka_unit_test(what_statuses_refuse),
		cmocka_unit_test(N73_genre_carries_the_summary),
		cmocka_unit_test(github_dispatch),
		cmocka_unit_test(N74_comments_are_created_once_then_edited),
		cmocka_unit_test(N75_change_request_must_be_a_number),
		cmocka_unit_test(N70_app_token_is_asked_for_and_kept),
		cmocka_unit_test(N74_app_comments_by_its_slug),
		cmocka_unit_test(tokens_are_not_kept_beyond_their_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
