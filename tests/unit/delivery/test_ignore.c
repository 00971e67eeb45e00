#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "delivery/ignore.h"

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	autofree char *json = mem_strdup(text);
	for (char *c = json; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	json_t *value = json_parse(json, strlen(json), 1 << 20, &err);
	if (!value)
		fail_msg("%s: %s", text, err_text(&err));
	return value;
}

/* JSON with ' for ", as everything below. */
static const char live_text[] =
	"{'apiVersion':'apps/v1','kind':'Deployment',"
	"'metadata':{'name':'web','namespace':'ns','labels':{'app':'web'},'resourceVersion':'7',"
	"'managedFields':["
	"{'manager':'other','operation':'Apply','fieldsV1':{'f:spec':{'f:template':"
	"{'f:containers':{'k:{\\u0022name\\u0022:\\u0022b\\u0022}':{'f:image':{}}}}}}},"
	"{'manager':'us','operation':'Apply','fieldsV1':{'f:spec':{'f:replicas':{}}}}]},"
	"'spec':{'replicas':5,'paused':true,'template':{'containers':["
	"{'name':'a','image':'a:2'},{'name':'b','image':'b:2'}]}},'status':{'x':1}}";

static const char wanted_text[] =
	"{'apiVersion':'apps/v1','kind':'Deployment',"
	"'metadata':{'name':'web','namespace':'ns','labels':{'app':'web'}},"
	"'spec':{'replicas':1,'paused':true,'template':{'containers':["
	"{'name':'a','image':'a:1'},{'name':'b','image':'b:1'}]}}}";

/* A pattern is the whole text's: "web" is not "webby". */
static void K68_rules_select_by_anchored_patterns(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		size_t count;
	} rows[] = {
		{"{}", 1},
		{"{'kind':'Deployment'}", 1},
		{"{'kind':'Deploy'}", 0},
		{"{'kind':'Deploy.*','name':'we.'}", 1},
		{"{'group':'apps','version':'v1'}", 1},
		{"{'group':'batch'}", 0},
		{"{'namespace':'n'}", 0},
		{"{'labelSelector':'app in (web, api)'}", 1},
		{"{'labelSelector':'app!=web'}", 0},
		{"{'annotationSelector':'a'}", 0},
	};
	autojson json_t *live = parse(live_text);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojson json_t *target = parse(rows[i].target);
		autojson json_t *rules =
			json_pack("[{s:[s],s:O}]", "paths", "/spec/replicas", "target", target);
		autoignorerules IgnoreRules *parsed = ignore_rules_new(rules, "spec.ignore", &err);
		assert_non_null(parsed);
		autojson json_t *paths = ignore_paths(parsed, live);
		if (json_array_size(paths) != rows[i].count)
			fail_msg("%s", rows[i].target);
	}
}

static void K68_bad_rules_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"[{'paths':['spec']}]",
		"[{'paths':['']}]",
		"[{'paths':[1]}]",
		"[{'paths':['/a'],'target':{'name':'('}}]",
		"[{'paths':['/a'],'target':{'labelSelector':'a in'}}]",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		autojson json_t *rules = parse(bad[i]);
		autoignorerules IgnoreRules *parsed = ignore_rules_new(rules, "spec.ignore", &err);
		if (parsed || !strstr(err_text(&err), "spec.ignore[0]"))
			fail_msg("%s: %s", bad[i], err_text(&err));
	}
	autoerror Error err = {0};
	autoignorerules IgnoreRules *none = ignore_rules_new(NULL, "spec.ignore", &err);
	assert_non_null(none);
	assert_false(ignore_rules_any(none));
}

static void K68_drift_leaves_ignored_paths_out(void **state)
{
	(void)state;
	autojson json_t *live = parse(live_text), *wanted = parse(wanted_text);
	autojson json_t *all = parse("['/spec/replicas','/spec/template/containers/0/image','/spec/"
				     "template/containers/1/image','/not/there']");
	autojson json_t *some = parse("['/spec/replicas']");
	assert_false(ignore_has_drifted(live, wanted, all));
	assert_true(ignore_has_drifted(live, wanted, some));
	json_put_text(json_at(live, "metadata", "labels", NULL), "more", "x");
	assert_true(ignore_has_drifted(live, wanted, all));
}

static void K68_what_is_sent_keeps_ignored_fields(void **state)
{
	(void)state;
	autojson json_t *live = parse(live_text), *reply = parse(wanted_text);
	autojson json_t *payload = parse(wanted_text);
	autojson json_t *paths = parse("['/spec/replicas','/spec/template/containers/0/image','/"
				       "spec/template/containers/1/image','/spec/gone']");
	json_object_set_new(json_map(payload, "spec"), "gone", json_true());
	json_object_set_new(json_map(reply, "spec"), "gone", json_true());
	ignore_settle(&payload, live, reply, paths, "us");
	autojson json_t *expected = parse("{'replicas':5,'paused':true,'template':{'containers':[{'"
					  "name':'a','image':'a:2'},{'name':'b'}]}}");
	autofree char *text = json_dump_sorted(json_map(payload, "spec"));
	autofree char *wanted = json_dump_sorted(expected);
	assert_string_equal(text, wanted);
}

static void K68_odd_pointers_do_no_harm(void **state)
{
	(void)state;
	static const char *const odd[] = {
		"['/spec/template/containers/99/image']", "['/spec/template/containers/-1/image']",
		"['/spec/template/containers/x']",	  "['/spec/replicas/deeper']",
		"['/metadata/labels/a~1b~0c']",		  "['/']",
		"['/spec/template/containers/-/image']",
	};
	for (size_t i = 0; i < COUNT(odd); i++) {
		autojson json_t *live = parse(live_text), *payload = parse(wanted_text);
		autojson json_t *reply = parse(wanted_text), *paths = parse(odd[i]);
		ignore_settle(&payload, live, reply, paths, "us");
		assert_string_equal(json_text(payload, "kind"), "Deployment");
		ignore_has_drifted(live, reply, paths);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K68_rules_select_by_anchored_patterns),
		cmocka_unit_test(K68_bad_rules_are_refused),
		cmocka_unit_test(K68_drift_leaves_ignored_paths_out),
		cmocka_unit_test(K68_what_is_sent_keeps_ignored_fields),
		cmocka_unit_test(K68_odd_pointers_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
