/* What a Receiver's spec may be where the API server does not know the CRD's rules, and which
 * Receiver is at a path. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/json.h"
#include "receiver.h"

/* JSON with ' in place of ". */
static json_t *json_quoted(const char *text)
{
	autofree char *copy = mem_strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	autoerror Error err = {0};
	json_t *value = json_parse(copy, strlen(copy), 1 << 16, &err);
	if (!value)
		fail_msg("%s: %s", err_text(&err), copy);
	return value;
}

typedef struct {
	const char *spec, *reason, *text; /* reason NULL: it is accepted */
} Row;

static void check_rows(const Row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		autojson json_t *spec = json_quoted(rows[i].spec);
		autoerror Error err = {0};
		bool good = receiver_check_spec(spec, &err);
		if (good != !rows[i].reason)
			fail_msg("%s: %s", rows[i].spec, good ? "accepted" : err_text(&err));
		if (good)
			continue;
		assert_string_equal(err.reason, rows[i].reason);
		if (!strstr(err_text(&err), rows[i].text))
			fail_msg("%s: %s", rows[i].spec, err_text(&err));
	}
}

#define SECRET "'secretRef':{'name':'s'}"
#define VALID "'validations':[{'expression':'true','message':'m'}]"
#define PROVIDER(url, more) "{'issuerURL':'" url "'," more "}"
#define OIDC(providers) "{'type':'generic-oidc','oidcProviders':[" providers "]}"

static void N88_a_secret_or_oidc(void **state)
{
	static const Row rows[] = {
		{"{'type':'generic'," SECRET "}", NULL, NULL},
		{OIDC(PROVIDER("https://i.test", VALID)), NULL, NULL},
		{"{'type':'generic'}", "ValidationFailed", "secretRef is required"},
		{"{'type':'generic-oidc'}", "ValidationFailed", "at least one of oidcProviders"},
		{"{'type':'generic-oidc','oidcProviders':[]}", "ValidationFailed",
		 "at least one of oidcProviders"},
		{"{'type':'generic-oidc'," SECRET
		 ",'oidcProviders':[" PROVIDER("https://i.test", VALID) "]}",
		 "ValidationFailed", "secretRef cannot be set"},
		{"{'type':'github'," SECRET
		 ",'oidcProviders':[" PROVIDER("https://i.test", VALID) "]}",
		 "ValidationFailed", "oidcProviders can only be set"},
	};
	(void)state;
	check_rows(rows, COUNT(rows));
}

static void N87_providers_are_complete(void **state)
{
	static const Row rows[] = {
		{OIDC(PROVIDER("http://i.test", VALID) "," PROVIDER("https://i.test", VALID)), NULL,
		 NULL},
		{OIDC(PROVIDER("ftp://i.test", VALID)), "ValidationFailed", "must start with"},
		{OIDC("{" VALID "}"), "ValidationFailed", "must start with"},
		{OIDC(PROVIDER("https://i.test", VALID) "," PROVIDER("https://i.test", VALID)),
		 "ValidationFailed", "oidcProviders[1]: issuerURL is there twice"},
		{OIDC("{'issuerURL':'https://i.test'}"), "ValidationFailed",
		 "at least one validation"},
		{OIDC(PROVIDER("https://i.test", "'validations':[]")), "ValidationFailed",
		 "at least one validation"},
		{OIDC(PROVIDER("https://i.test", "'validations':[{'expression':'true'}]")),
		 "ValidationFailed", "validations[0]: expression and message"},
		{OIDC(PROVIDER("https://i.test", "'validations':[{'message':'m'}]")),
		 "ValidationFailed", "validations[0]: expression and message"},
		{OIDC(PROVIDER("https://i.test", "'variables':[{'expression':'1'}]," VALID)),
		 "ValidationFailed", "variables[0]: expression and name"},
	};
	(void)state;
	check_rows(rows, COUNT(rows));
}

#define GENERIC(more) "{'type':'generic'," SECRET "," more "}"
#define OWN_FILTER(expression)                                                                     \
	GENERIC("'resources':[{'kind':'Bucket','name':'b'},"                                       \
		"{'kind':'GitRepository','name':'app','filter':'" expression "'}]")
#define EXPRESSIONS(more)                                                                          \
	OIDC(PROVIDER("https://i.test", more)) /* of a provider that is else complete */

static void N90_expressions(void **state)
{
	static const char reason[] = "InvalidCELExpression";
	static const Row rows[] = {
		{GENERIC("'resourceFilter':'req.a == 1'"), NULL, NULL},
		{GENERIC("'resourceFilter':'has(res.metadata)'"), NULL, NULL},
		{OWN_FILTER("res.kind == req.kind"), NULL, NULL},
		{GENERIC("'resourceFilter':'true &&'"), reason, "invalid resourceFilter"},
		{GENERIC("'resourceFilter':'1'"), reason, "expected bool, got int"},
		{GENERIC("'resourceFilter':'req.a'"), reason, "expected bool, got dyn"},
		{GENERIC("'resourceFilter':'claims.sub == req.a'"), reason, "'claims'"},
		{OWN_FILTER("req.a"), reason,
		 "resources[1] (kind=\"GitRepository\", name=\"app\"): "},
		{OWN_FILTER("claims.sub == req.a"), reason, "'claims'"},
		{"{'type':'generic-oidc','resourceFilter':'claims.sub == req.a',"
		 "'resources':[{'filter':'claims.sub == req.a'}],"
		 "'oidcProviders':[" PROVIDER("https://i.test", VALID) "]}",
		 NULL, NULL},
		{EXPRESSIONS("'variables':[{'name':'v','expression':'claims.sub'}],"
			     "'validations':[{'expression':'vars.v == claims.sub','message':'m'}]"),
		 NULL, NULL},
		{EXPRESSIONS("'validations':[{'expression':'claims.sub','message':'mine'}]"),
		 reason, "invalid expression for validation \"mine\""},
		{EXPRESSIONS("'validations':[{'expression':'res.kind == claims.k','message':'m'}]"),
		 reason, "'res'"},
		{EXPRESSIONS("'variables':[{'name':'v','expression':'nope'}]," VALID), reason,
		 "oidcProviders[0] (issuerURL=\"https://i.test\"): invalid expression for variable "
		 "\"v\""},
	};
	(void)state;
	check_rows(rows, COUNT(rows));
}

static void assert_at(ReceiverPaths *paths, const char *path, const char *key)
{
	autofree char *found = receiver_paths_find(paths, path);
	if (!cstr_eq(found, key))
		fail_msg("%s: %s", path, found ? found : "nobody");
}

static void N77_a_path_that_is_lost_leads_nowhere(void **state)
{
	(void)state;
	ReceiverPaths *paths = receiver_paths_new();
	receiver_paths_set(paths, "ns", "a", "/hook/1");
	receiver_paths_set(paths, "ns", "b", "/hook/2");
	assert_at(paths, "/hook/1", "ns/a");
	assert_at(paths, "/hook/2", "ns/b");
	receiver_paths_set(paths, "ns", "a", "/hook/3");
	assert_at(paths, "/hook/1", NULL);
	assert_at(paths, "/hook/3", "ns/a");
	receiver_paths_set(paths, "ns", "a", NULL);
	receiver_paths_set(paths, "ns", "a", NULL);
	assert_at(paths, "/hook/3", NULL);
	assert_at(paths, "/hook/2", "ns/b");
	receiver_paths_free(paths);
}

static void N76_who_has_a_path_keeps_it(void **state)
{
	(void)state;
	autofree char *victim = receiver_path("", "hook", "apps");
	autofree char *thief = receiver_path("", "hoo", "kapps");
	assert_string_equal(victim, thief);
	ReceiverPaths *paths = receiver_paths_new();
	receiver_paths_set(paths, "apps", "hook", victim);
	receiver_paths_set(paths, "kapps", "hoo", thief);
	assert_at(paths, victim, "apps/hook");
	receiver_paths_set(paths, "kapps", "hoo", NULL);
	assert_at(paths, victim, "apps/hook");
	receiver_paths_set(paths, "kapps", "hoo", thief);
	receiver_paths_set(paths, "apps", "hook", "/hook/1");
	assert_at(paths, victim, "kapps/hoo");
	receiver_paths_set(paths, "kapps", "hoo", NULL);
	assert_at(paths, victim, NULL);
	assert_at(paths, "/hook/1", "apps/hook");
	receiver_paths_free(paths);
}

/* By sha256sum, of "t0kenhookapps" and of "hookapps". */
static void N76_the_path_is_a_hash(void **state)
{
	(void)state;
	autofree char *path = receiver_path("t0ken", "hook", "apps");
	autofree char *bare = receiver_path("", "hook", "apps");
	assert_string_equal(
		path, "/hook/66333d2783864f59c1277daaf87a6f77f02647f48ba866baa6a937f61f5f6d48");
	assert_string_equal(
		bare, "/hook/b1083213d31cf1b5d6035e8d217788758f083816ce19b36938e055e063930671");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N76_the_path_is_a_hash),
		cmocka_unit_test(N77_a_path_that_is_lost_leads_nowhere),
		cmocka_unit_test(N76_who_has_a_path_keeps_it),
		cmocka_unit_test(N87_providers_are_complete),
		cmocka_unit_test(N88_a_secret_or_oidc),
		cmocka_unit_test(N90_expressions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
