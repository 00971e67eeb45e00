/*
 * ClusterRoles with an aggregationRule hold the rules of the roles that its selectors choose, as a
 * real cluster's controller manager sees to. All of them are computed anew at each change of a
 * ClusterRole; what is written is the next change, so chains (view in edit in admin) settle by
 * themselves. Runs on the collector's thread.
 */
#include <string.h>

#include "base/mem.h"
#include "collector_internal.h"
#include "data/selector.h"
#include "object.h"

/* More selectors or rules in one role than anyone writes; the rest is left out. */
enum { SELECTORS_MAX = 100, RULES_MAX = 10000 };

static bool collect(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	(void)name;
	autoerror Error ignored = {0};
	json_t *role = json_parse(text, len, len, &ignored);
	if (role)
		json_array_append_new(arg, role);
	return true;
}

static const json_t *selectors_of(const json_t *role)
{
	return json_list(json_map(role, "aggregationRule"), "clusterRoleSelectors");
}

/* Equal rules of several roles count once. */
static void add_rules(json_t *rules, Map *seen, const json_t *role)
{
	json_t *list = json_list(role, "rules");
	for (size_t i = 0; i < json_array_size(list) && map_len(seen) < RULES_MAX; i++) {
		json_t *rule = json_array_get(list, i);
		autofree char *text = json_dump_sorted(rule);
		if (map_has(seen, text))
			continue;
		map_put(seen, text, NULL);
		json_array_append(rules, rule);
	}
}

/* What role `at` of all roles, which stand in the order of their names, should hold. Owned. */
static json_t *wanted_rules(const json_t *roles, size_t at)
{
	const json_t *selectors = selectors_of(json_array_get(roles, at));
	json_t *rules = json_array();
	Map *seen = map_new(NULL);
	for (size_t i = 0; i < json_array_size(selectors) && i < SELECTORS_MAX; i++) {
		autoerror Error ignored = {0};
		autoselector Selector *selector =
			selector_of_json(json_array_get(selectors, i), &ignored);
		for (size_t k = 0; selector && k < json_array_size(roles); k++) {
			const json_t *other = json_array_get(roles, k);
			const json_t *labels = json_map(json_map(other, "metadata"), "labels");
			if (k != at && selector_matches(selector, labels))
				add_rules(rules, seen, other);
		}
	}
	map_free(seen);
	return rules;
}

/* A lost race is made good at the change that won it. */
static void write_rules(Collector *collector, const char *name, json_t *rules)
{
	autosubject Subject subject = {0};
	if (!collector_subject(collector, CLUSTER_ROLES, "", name, &subject))
		return;
	autojson json_t *next = json_deep_copy(subject.live);
	json_object_set(next, "rules", rules);
	collector_update(collector, &subject, "", next);
}

void collector_aggregate(Collector *collector)
{
	autojson json_t *roles = json_array();
	autoerror Error err = {0};
	StoreQuery query = {.resource = CLUSTER_ROLES, .ns = ""};
	if (!store_list(collector->server->store, &query, collect, roles, NULL, &err)) {
		log_error(collector->server->log, &err, "cluster roles cannot be aggregated", NULL);
		return;
	}
	for (size_t i = 0; i < json_array_size(roles); i++) {
		const json_t *role = json_array_get(roles, i);
		if (json_array_size(selectors_of(role)) == 0 || object_is_deleting(role))
			continue;
		autojson json_t *rules = wanted_rules(roles, i);
		const json_t *held = json_list(role, "rules");
		bool same = json_array_size(held) == 0 ? json_array_size(rules) == 0
						       : json_same(held, rules);
		if (!same)
			write_rules(collector, object_name(role), rules);
	}
}
