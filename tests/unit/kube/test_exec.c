/* Tokens from a command of the kubeconfig, and from a file. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "server.h"

static const char core_v1[] =
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":[{\"name\":"
	"\"configmaps\",\"kind\":\"ConfigMap\",\"namespaced\":true,\"verbs\":[\"get\"]}]}";

typedef struct {
	Loop *loop;
	Server *server;
	char *dir;
	const char *accepted; /* the token that the server takes; NULL: any */
} Site;

static Answered answer(void *arg, const Asked *asked)
{
	Site *site = arg;
	if (site->accepted &&
	    (!asked->authorization || !strstr(asked->authorization, site->accepted)))
		return (Answered){.status = 401};
	if (cstr_eq(asked->path, "/api/v1"))
		return (Answered){.take_body = mem_strdup(core_v1)};
	return (Answered){.take_body = mem_strdup("{\"kind\":\"ConfigMap\"}")};
}

static int site_open(void **state)
{
	autoerror Error err = {0};
	Site *site = mem_zalloc(1, sizeof(*site));
	site->loop = loop_new(&err);
	site->server = server_start(answer, site);
	site->dir = dir_make_temp("/tmp", "exec-", &err);
	*state = site;
	return site->dir ? 0 : -1;
}

static int site_close(void **state)
{
	Site *site = *state;
	server_stop(site->server);
	loop_free(site->loop);
	dir_auto_remove(&site->dir);
	free(site);
	return 0;
}

/* A kubeconfig whose user has these lines of exec. */
static KubeClient *client_of(Site *site, const char *exec, Error *err)
{
	autofree char *text = mem_printf("apiVersion: v1\nkind: Config\ncurrent-context: c\n"
					 "clusters: [{name: k, cluster: {server: \"%s\"}}]\n"
					 "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
					 "users:\n- name: u\n  user:\n    exec:\n"
					 "      env: [{name: DIR, value: \"%s\"}]\n%s",
					 server_url(site->server), site->dir, exec);
	const KubeConfigRules rules = {.allow_exec = true};
	autokubeconfig KubeConfig config = {0};
	assert_true(kube_config_parse(text, strlen(text), NULL, NULL, &rules, &config, err));
	return kube_client_new(site->loop, &config, "test", err);
}

/* A shell command that prints a credential; `expires` in seconds from now, or "". */
#define CREDENTIAL(token, more)                                                                    \
	"echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","   \
	"\"status\":{\"token\":\"'" token "'\"" more "}}'"

#define V1 "      apiVersion: client.authentication.k8s.io/v1\n"

/* By a script of sh; `more` are further lines. */
static KubeClient *client_with(Site *site, const char *script, const char *more, Error *err)
{
	autojson json_t *text = json_string(script);
	autofree char *quoted = json_dump(text);
	autofree char *exec =
		mem_printf(V1 "      command: sh\n      args: [\"-c\", %s]\n%s", quoted, more);
	return client_of(site, exec, err);
}

static KubeClient *client_by(Site *site, const char *script, Error *err)
{
	return client_with(site, script, "", err);
}

static bool get(KubeClient *client, Error *err)
{
	autojson json_t *object = kube_get(client, "v1", "ConfigMap", "apps", "a", err);
	return object != NULL;
}

static const char *last_header(Site *site)
{
	size_t count = server_count(site->server, "GET", "/configmaps/a");
	return server_asked(site->server, "GET", "/configmaps/a", count - 1)->authorization;
}

static void the_token_is_sent(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autokubeclient KubeClient *client = client_by(site, CREDENTIAL("one", ""), &err);
	assert_non_null(client);
	assert_true(get(client, &err));
	assert_string_equal(last_header(site), "Bearer one");
}

static void the_command_is_told_what_it_is_for(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autokubeclient KubeClient *client = client_with(
		site, "printf %s \"$KUBERNETES_EXEC_INFO\" > $DIR/info; " CREDENTIAL("one", ""),
		"      provideClusterInfo: true\n", &err);
	assert_non_null(client);
	autofree char *path = mem_printf("%s/info", site->dir);
	autobuf Buf text = {0};
	assert_true(file_read(path, 4096, &text, &err));
	autojson json_t *info = json_parse(buf_text(&text), text.len, 4096, &err);
	assert_string_equal(json_text(info, "kind"), "ExecCredential");
	const json_t *spec = json_map(info, "spec");
	assert_true(json_is_false(json_object_get(spec, "interactive")));
	assert_string_equal(json_text(json_map(spec, "cluster"), "server"),
			    server_url(site->server));
}

/* Counts its runs in $DIR/runs and gives the number as its token. */
#define COUNTED "echo >> $DIR/runs; n=$(wc -l < $DIR/runs); " CREDENTIAL("$n", "")

static void a_401_brings_another_token(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autokubeclient KubeClient *client = client_by(site, COUNTED, &err);
	assert_non_null(client);
	assert_true(get(client, &err));
	assert_string_equal(last_header(site), "Bearer 1");
	site->accepted = "Bearer 2";
	assert_true(get(client, &err));
	assert_string_equal(last_header(site), "Bearer 2");
}

static void a_token_that_no_command_can_mend_is_refused_once(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autokubeclient KubeClient *client = client_by(site, COUNTED, &err);
	assert_non_null(client);
	assert_true(get(client, &err));
	site->accepted = "never";
	size_t before = server_count(site->server, "GET", "/configmaps/a");
	assert_false(get(client, &err));
	assert_int_equal(err.http_status, 401);
	assert_int_equal(server_count(site->server, "GET", "/configmaps/a"), before + 2);
}

static void a_token_is_renewed_when_it_expires(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autokubeclient KubeClient *client =
		client_by(site,
			  "echo >> $DIR/runs; n=$(wc -l < $DIR/runs); "
			  "at=$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ); " CREDENTIAL(
				  "$n", ",\"expirationTimestamp\":\"'$at'\""),
			  &err);
	assert_non_null(client);
	int64_t until_ms = clock_mono_ms() + 10000;
	do {
		assert_true(get(client, &err));
		usleep(20000); /* between looks */
	} while (cstr_eq(last_header(site), "Bearer 1") && clock_mono_ms() < until_ms);
	assert_string_not_equal(last_header(site), "Bearer 1");
}

typedef struct {
	const char *script, *text;
	ErrorCode code;
} BadCase;

static void bad_commands_are_told(void **state)
{
	static const BadCase cases[] = {
		{"echo no such account >&2; exit 7", "code 7: no such account", ERR_UNAVAILABLE},
		{"echo secret-thing", "not JSON", ERR_INVALID},
		{"echo '{\"kind\":\"Pod\"}'", "no ExecCredential", ERR_INVALID},
		{CREDENTIAL("", ""), "no status.token", ERR_INVALID},
		{CREDENTIAL("a b", ""), "not one", ERR_INVALID},
		{CREDENTIAL("a", ",\"expirationTimestamp\":\"soon\""), "not a time", ERR_INVALID},
		{CREDENTIAL("", ",\"clientCertificateData\":\"x\""), "only one of", ERR_INVALID},
		{CREDENTIAL("", ",\"clientKeyData\":\"secret-thing\""), "only one of", ERR_INVALID},
		{CREDENTIAL("",
			    ",\"clientCertificateData\":\"secret-thing\",\"clientKeyData\":\"y\""),
		 "not a pair", ERR_INVALID},
		{"yes", "longer than", ERR_LIMIT},
	};
	Site *site = *state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		KubeClient *client = client_by(site, cases[i].script, &err);
		assert_null(client);
		assert_int_equal(err.code, cases[i].code);
		assert_non_null(strstr(err_text(&err), cases[i].text));
		assert_non_null(strstr(err_text(&err), "user \"u\": exec sh"));
		assert_null(strstr(err_text(&err), "secret-thing"));
	}
}

static void what_cannot_run_is_told(void **state)
{
	Site *site = *state;
	autoerror Error absent = {0}, interactive = {0}, version = {0};
	assert_null(client_of(site,
			      V1 "      command: no-such-login\n      installHint: get it there\n",
			      &absent));
	assert_non_null(strstr(err_text(&absent), "get it there"));
	assert_null(client_of(site, V1 "      command: sh\n      interactiveMode: Always\n",
			      &interactive));
	assert_int_equal(interactive.code, ERR_UNSUPPORTED);
	assert_null(client_of(site,
			      "      apiVersion: client.authentication.k8s.io/v1alpha1\n"
			      "      command: sh\n",
			      &version));
	assert_int_equal(version.code, ERR_UNSUPPORTED);
}

/* As a projected service account token is: replaced in its file before it expires
 * (kube-api.md 1.1). */
static void a_token_file_is_read_again_after_a_401(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	autofree char *file = path_join(site->dir, "token");
	autokubeconfig KubeConfig config = {.server = mem_strdup(server_url(site->server)),
					    .token = mem_strdup("never"),
					    .token_file = mem_strdup(file)};
	assert_true(file_write_atomic(file, "one\n", 4, 0600, &err));
	autokubeclient KubeClient *client = kube_client_new(site->loop, &config, "test", &err);
	assert_non_null(client);
	assert_true(get(client, &err));
	assert_string_equal(last_header(site), "Bearer one");
	assert_true(file_write_atomic(file, "two\n", 4, 0600, &err));
	site->accepted = "Bearer two";
	assert_true(get(client, &err));
	assert_string_equal(last_header(site), "Bearer two");
	/* A file that cannot be read, or holds what no header can, leaves the last one in use. */
	assert_true(file_write_atomic(file, "a\nb\n", 4, 0600, &err));
	site->accepted = "Bearer three";
	assert_false(get(client, &err));
	assert_int_equal(err.http_status, 401);
	assert_string_equal(last_header(site), "Bearer two");
}

static void a_command_that_hangs_holds_no_end(void **state)
{
	Site *site = *state;
	autoerror Error err = {0};
	KubeClient *client = client_by(
		site, "test -e $DIR/second && sleep 1000; touch $DIR/second; " CREDENTIAL("1", ""),
		&err);
	assert_non_null(client);
	site->accepted = "never";
	kube_client_yield(client);
	Error ignored = {0};
	KubeRequest request = {.verb = KUBE_GET,
			       .api_version = "v1",
			       .kind = "ConfigMap",
			       .ns = "apps",
			       .name = "a",
			       .timeout_ms = 2500};
	int64_t began_ms = clock_mono_ms();
	autojson json_t *none = kube_do(client, &request, &ignored);
	assert_null(none);
	error_dispose(&ignored);
	/* The question which kinds there are is a part of the request, and so of its time. */
	assert_true(clock_mono_ms() - began_ms < 20000);
	began_ms = clock_mono_ms();
	kube_client_free(client);
	assert_true(clock_mono_ms() - began_ms < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_token_is_sent, site_open, site_close),
		cmocka_unit_test_setup_teardown(the_command_is_told_what_it_is_for, site_open,
						site_close),
		cmocka_unit_test_setup_teardown(a_401_brings_another_token, site_open, site_close),
		cmocka_unit_test_setup_teardown(a_token_that_no_command_can_mend_is_refused_once,
						site_open, site_close),
		cmocka_unit_test_setup_teardown(a_token_is_renewed_when_it_expires, site_open,
						site_close),
		cmocka_unit_test_setup_teardown(bad_commands_are_told, site_open, site_close),
		cmocka_unit_test_setup_teardown(what_cannot_run_is_told, site_open, site_close),
		cmocka_unit_test_setup_teardown(a_token_file_is_read_again_after_a_401, site_open,
						site_close),
		cmocka_unit_test_setup_teardown(a_command_that_hangs_holds_no_end, site_open,
						site_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
