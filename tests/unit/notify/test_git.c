#include "../cmocka_all.h"

#include "notify/repository.h"
#include "request_steps.h"

#define ID "'status_id':'kustomization/apps/0c9c2e41'"

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
		{"{'metadata':{'revision':'main@sha1:" SHA " '}}", NULL},
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

/* The text with another value of the member that stands last in it; NULL without one. Owned. */
static char *with_another(const char *text, const char *key)
{
	autofree char *start = mem_printf("'%s':'", key);
	char *copy = mem_strdup(text), *at = NULL;
	for (char *hit = copy; (hit = strstr(hit, start)); hit++)
		at = hit;
	if (!at) {
		free(copy);
		return NULL;
	}
	at[strlen(start)] = '~';
	return copy;
}

static void N68_a_status_that_differs_in_anything_is_written(void **state)
{
	(void)state;
	static const char *const keys[] = {"state", "status", "description", "context",
					   "name",  "genre",  "key"};
	for (size_t i = 0; i < COUNT(forges); i++) {
		for (size_t j = 0; forges[i].equal && j < COUNT(keys); j++) {
			autonotifyrequest NotifyRequest request = {0};
			autofree char *reply = with_another(forges[i].equal, keys[j]);
			if (!reply)
				continue;
			start(&forges[i], GOOD, &request);
			if (!follow(&request, 200, reply))
				fail_msg("%s: another %s is not seen", forges[i].name, keys[j]);
		}
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

/* sha1 of "kustomization/apps/0c9c2e41", in 40 hex digits: the API takes no longer key. */
#define BITBUCKET_KEY "534add2e1e94c46fbe0f8e657ba36c652fa8d2dd"

static const Forge *forge_named(const char *name)
{
	for (size_t i = 0; i < COUNT(forges); i++)
		if (cstr_eq(forges[i].name, name))
			return &forges[i];
	fail_msg("no forge %s", name);
	return NULL;
}

static void N71_bitbucket_hashes_its_key_and_splits_its_token(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"one word",
		 "{'type':'bitbucket','address':'https://b.test/o/r','token':'t'," ID "}", GOOD,
		 NULL, NULL, "<user>:<password>"},
		{"two colons",
		 "{'type':'bitbucket','address':'https://b.test/o/r','token':'a:b:c'," ID "}", GOOD,
		 NULL, NULL, "<user>:<password>"},
	};
	autonotifyrequest NotifyRequest request = {0};
	start(forge_named("bitbucket"), GOOD, &request);
	assert_line(&request, "GET https://api.bitbucket.org/2.0/repositories/o/r/commit/" SHA
			      "/statuses/build/" BITBUCKET_KEY);
	assert_true(has_header(&request, STR("Authorization: Basic dTpw")));
	assert_true(follow(&request, 404, "{}"));
	assert_non_null(strstr(buf_text(&request.body), "\"key\":\"" BITBUCKET_KEY "\""));
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

static void N72_bitbucket_server_keeps_its_context_and_wants_http(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"ssh",
		 "{'type':'bitbucketserver','address':'ssh://git@b.test/scm/p/r','token':'t'," ID
		 "}",
		 GOOD, NULL, NULL, "http"},
		{"no scm",
		 "{'type':'bitbucketserver','address':'https://b.test/p/r','token':'t'," ID "}",
		 GOOD, NULL, NULL, "clone URL"},
		{"no credentials",
		 "{'type':'bitbucketserver','address':'https://b.test/scm/p/r'," ID "}", GOOD, NULL,
		 NULL, "credentials"},
	};
	autonotifyrequest NotifyRequest request = {0};
	start(forge_named("bitbucketserver"), GOOD, &request);
	assert_line(&request, "GET https://bb.test:7990/context/rest/api/latest/projects/p/repos/r/"
			      "commits/" SHA "/builds?key=" BITBUCKET_KEY);
	assert_true(has_header(&request, STR("x-atlassian-token: no-check")));
	assert_true(has_header(&request, STR("x-requested-with: XMLHttpRequest")));
	assert_true(follow(&request, 404, "{}"));
	assert_line(&request, "POST https://bb.test:7990/context/rest/api/latest/projects/p/repos/"
			      "r/commits/" SHA "/builds");
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(&rows[i]);
}

static void N72_bitbucket_server_takes_the_last_scm_and_shows_no_login(void **state)
{
	(void)state;
	static const Forge forge = {.name = "bitbucketserver",
				    .target = "{'type':'bitbucketserver','address':'https://"
					      "u:hush@bb.test/scm/x/scm/p/r',"
					      "'token':'t'," ID "}"};
	autonotifyrequest NotifyRequest request = {0};
	start(&forge, GOOD, &request);
	assert_line(&request, "GET https://bb.test/scm/x/rest/api/latest/projects/p/repos/r/"
			      "commits/" SHA "/builds?key=" BITBUCKET_KEY);
	assert_true(follow(&request, 404, "{}"));
	assert_non_null(strstr(buf_text(&request.body), "bb.test/scm/x/scm/p/r"));
	assert_null(strstr(buf_text(&request.body), "hush"));
}

static void what_statuses_refuse(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N67_commit_of_a_revision),
		cmocka_unit_test(addresses_of_repositories),
		cmocka_unit_test(N68_statuses_are_read_then_written),
		cmocka_unit_test(N68_equal_statuses_are_not_written_again),
		cmocka_unit_test(N68_a_status_that_differs_in_anything_is_written),
		cmocka_unit_test(N69_progressing_is_skipped_but_by_gitea),
		cmocka_unit_test(N71_bitbucket_hashes_its_key_and_splits_its_token),
		cmocka_unit_test(N72_bitbucket_server_keeps_its_context_and_wants_http),
		cmocka_unit_test(N72_bitbucket_server_takes_the_last_scm_and_shows_no_login),
		cmocka_unit_test(what_statuses_refuse),
		cmocka_unit_test(N73_genre_carries_the_summary),
		cmocka_unit_test(github_dispatch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
