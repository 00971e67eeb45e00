#include "../cmocka_all.h"

#include "internal.h"

static json_t *object(const char *version, const char *kind, const char *ns, const char *name)
{
	json_t *obj = json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", version, "kind", kind,
				"metadata", "name", name);
	json_put_text(json_map(obj, "metadata"), "namespace", ns);
	return obj;
}

static void K69_ids(void **state)
{
	(void)state;
	static const struct {
		const char *version, *kind, *ns, *name, *id;
	} rows[] = {
		{"v1", "Service", "default", "web", "default_web__Service"},
		{"v1", "Namespace", NULL, "ns1", "_ns1__Namespace"},
		{"apps/v1", "Deployment", "a", "b", "a_b_apps_Deployment"},
		{"rbac.authorization.k8s.io/v1", "ClusterRole", NULL, "a:b",
		 "_a__b_rbac.authorization.k8s.io_ClusterRole"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *obj =
			object(rows[i].version, rows[i].kind, rows[i].ns, rows[i].name);
		autofree char *id = inventory_id(obj);
		assert_string_equal(id, rows[i].id);
		autoinventoryid InventoryId parsed = {0};
		assert_true(inventory_id_parse(id, &parsed));
		assert_string_equal(parsed.kind, rows[i].kind);
		assert_string_equal(parsed.name, rows[i].name);
		assert_string_equal(parsed.ns, rows[i].ns ? rows[i].ns : "");
		autofree char *group = api_group(rows[i].version);
		assert_string_equal(parsed.group, group);
	}
}

static void damaged_ids_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "a", "a_b", "_", "__", "a_Kind"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoinventoryid InventoryId parsed = {0};
		if (inventory_id_parse(bad[i], &parsed))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void K70_difference_ignores_the_version(void **state)
{
	(void)state;
	autojson json_t *old = json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "entries", "id", "a_b__C",
					 "v", "v1beta1", "id", "a_c__C", "v", "v1");
	autojson json_t *now = json_pack("{s:[{s:s,s:s}]}", "entries", "id", "a_b__C", "v", "v1");
	autojson json_t *gone = inventory_difference(old, now);
	assert_int_equal(json_array_size(gone), 1);
	assert_string_equal(json_text(json_array_get(gone, 0), "id"), "a_c__C");
}

static void K51_order_and_stages(void **state)
{
	(void)state;
	static const struct {
		const char *version, *kind;
		int stage;
	} rows[] = {
		{"apiextensions.k8s.io/v1", "CustomResourceDefinition", 0},
		{"v1", "Namespace", 0},
		{"rbac.authorization.k8s.io/v1", "ClusterRole", 0},
		{"storage.k8s.io/v1", "StorageClass", 1},
		{"v1", "ServiceAccount", 3},
		{"rbac.authorization.k8s.io/v1", "Role", 2},
		{"v1", "ConfigMap", 3},
		{"apps/v1", "Deployment", 3},
		{"example.com/v1", "Widget", 3},
		{"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", 3},
	};
	autovec Vec custom = {0};
	static char role[] = "rbac.authorization.k8s.io/Role";
	vec_push(&custom, role);
	autoitemset ItemSet set = {0};
	for (size_t i = COUNT(rows); i-- > 0;) {
		item_set_add(&set, object(rows[i].version, rows[i].kind, "n", "x"), "", 0);
		set.items[set.len - 1].stage = item_stage(set.items[set.len - 1].object, &custom);
		assert_int_equal(set.items[set.len - 1].stage, rows[i].stage);
	}
	item_set_sort(&set);
	static const char *const want[] = {"CustomResourceDefinition",
					   "Namespace",
					   "ClusterRole",
					   "StorageClass",
					   "Role",
					   "ServiceAccount",
					   "ConfigMap",
					   "Deployment",
					   "Widget",
					   "ValidatingWebhookConfiguration"};
	for (size_t i = 0; i < COUNT(want); i++)
		assert_string_equal(object_kind(set.items[i].object), want[i]);
}

static void K51_kinds_of_other_groups_are_ordinary(void **state)
{
	(void)state;
	static const struct {
		const char *version, *kind;
		int stage;
	} rows[] = {
		{"apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", 0},
		{"apiextensions.example.com/v1", "CustomResourceDefinition", 3},
		{"servicebus.azure.upbound.io/v1beta1", "Namespace", 3},
		{"authorization.openshift.io/v1", "ClusterRole", 3},
		{"example.com/v1", "WidgetClass", 1},
	};
	autovec Vec none = {0};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *obj = object(rows[i].version, rows[i].kind, "n", "x");
		if (item_stage(obj, &none) != rows[i].stage)
			fail_msg("%s %s", rows[i].version, rows[i].kind);
	}
}

static void K52_a_bare_kind_is_of_the_core_group(void **state)
{
	(void)state;
	static char role[] = "Role", account[] = "ServiceAccount";
	autovec Vec custom = {0};
	vec_push(&custom, role);
	vec_push(&custom, account);
	autojson json_t *of_rbac = object("rbac.authorization.k8s.io/v1", "Role", "n", "x");
	autojson json_t *of_core = object("v1", "ServiceAccount", "n", "x");
	assert_int_equal(item_stage(of_rbac, &custom), 3);
	assert_int_equal(item_stage(of_core, &custom), 2);
}

static void K82_only_a_job_of_batch_expires(void **state)
{
	(void)state;
	static const struct {
		const char *version, *kind;
		bool expires;
	} rows[] = {
		{"batch/v1", "Job", true},	{"batch/v1beta1", "Job", true},
		{"batch/v1", "CronJob", false}, {"batch.volcano.sh/v1alpha1", "Job", false},
		{"v1", "Job", false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autojson json_t *obj = object(rows[i].version, rows[i].kind, "n", "x");
		assert_false(object_expires(obj));
		json_object_set_new(json_make_at(obj, "spec", NULL), "ttlSecondsAfterFinished",
				    json_integer(0));
		if (object_expires(obj) != rows[i].expires)
			fail_msg("%s %s", rows[i].version, rows[i].kind);
	}
}

static void K96_history_keeps_five_and_counts_repeats(void **state)
{
	(void)state;
	autojson json_t *obj = json_object();
	SourceState source = {0};
	static char revision[] = "main@sha1:1";
	source.artifact.revision = revision;
	static const char *const digests[] = {"1", "2", "3", "4", "5", "6", "6", "5"};
	for (size_t i = 0; i < COUNT(digests); i++)
		history_note(obj, digests[i], "ReconciliationSucceeded", 0, &source);
	const json_t *history = json_at(obj, "status", "history", NULL);
	assert_int_equal(json_array_size(history), 5);
	const json_t *first = json_array_get(history, 0), *second = json_array_get(history, 1);
	assert_string_equal(json_text(first, "digest"), "5");
	assert_int_equal(json_int(first, "totalReconciliations", 0), 2);
	assert_string_equal(json_text(second, "digest"), "6");
	assert_int_equal(json_int(second, "totalReconciliations", 0), 2);
	assert_string_equal(json_text_at(first, "metadata", "revision", NULL), "main@sha1:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K69_ids),
		cmocka_unit_test(damaged_ids_are_refused),
		cmocka_unit_test(K70_difference_ignores_the_version),
		cmocka_unit_test(K51_order_and_stages),
		cmocka_unit_test(K51_kinds_of_other_groups_are_ordinary),
		cmocka_unit_test(K52_a_bare_kind_is_of_the_core_group),
		cmocka_unit_test(K82_only_a_job_of_batch_expires),
		cmocka_unit_test(K96_history_keeps_five_and_counts_repeats),
	};
	return cmocka_run_group_tests_name("kustomize-controller/inventory", tests, NULL, NULL);
}
