#include "kustomize/order.h"

#include <strings.h>

#include "base/mem.h"

/* Kinds by rank, then ids by text; stable. */

static const char *const kinds_first[] = {
	"Namespace",
	"ResourceQuota",
	"StorageClass",
	"CustomResourceDefinition",
	"ServiceAccount",
	"PodSecurityPolicy",
	"Role",
	"ClusterRole",
	"RoleBinding",
	"ClusterRoleBinding",
	"ConfigMap",
	"Secret",
	"Endpoints",
	"Service",
	"LimitRange",
	"PriorityClass",
	"PersistentVolume",
	"PersistentVolumeClaim",
	"Deployment",
	"StatefulSet",
	"CronJob",
	"PodDisruptionBudget",
};
static const char *const kinds_last[] = {"MutatingWebhookConfiguration",
					 "ValidatingWebhookConfiguration"};

int order_rank(const char *kind)
{
	for (size_t i = 0; i < COUNT(kinds_first); i++)
		if (cstr_eq(kinds_first[i], kind))
			return (int)i - (int)COUNT(kinds_first);
	for (size_t i = 0; i < COUNT(kinds_last); i++)
		if (cstr_eq(kinds_last[i], kind))
			return (int)i + 1;
	return 0;
}

typedef struct {
	KResource *res;
	int rank;
	char *gvk, *rest;
} Row;

static int rank_in(const json_t *list, const char *kind)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (cstr_eq(json_string_value(json_array_get(list, i)), kind))
			return (int)i + 1;
	return 0;
}

static json_t *list_of(const char *const *names, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_string(names[i]));
	return list;
}

/* Parts sort with "~" something for empty ones, as upstream's legacy texts do. */
static const char *or_none(const char *text, const char *none)
{
	return *text ? text : none;
}

static Row *row_new(KResource *res, const json_t *first, const json_t *last)
{
	Row *row = mem_zalloc(1, sizeof(*row));
	const char *kind = kresource_kind(res), *version = kresource_api_version(res);
	autofree char *group = str_dup(kgroup_of(version));
	autofree char *plain = str_dup(kversion_of(version));
	int front = rank_in(first, kind), back = rank_in(last, kind);
	row->res = res;
	row->rank = front ? front - 1000000 : back;
	row->gvk = mem_printf("%s_%s_%s", or_none(group, "~G"), or_none(plain, "~V"),
			      or_none(kind, "~K"));
	row->rest = mem_printf("%s|%s", or_none(kresource_namespace(res), "~X"),
			       or_none(kresource_name(res), "~N"));
	return row;
}

static void row_free(void *pointer)
{
	Row *row = pointer;
	free(row->gvk);
	free(row->rest);
	free(row);
}

static int compare(const void *a, const void *b)
{
	const Row *left = a, *right = b;
	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	int by_gvk = strcmp(left->gvk, right->gvk);
	return by_gvk ? by_gvk : strcmp(left->rest, right->rest);
}

static void sort_legacy(KSet *set, const json_t *legacy)
{
	autojson json_t *builtin_first = list_of(kinds_first, COUNT(kinds_first));
	autojson json_t *builtin_last = list_of(kinds_last, COUNT(kinds_last));
	const json_t *first = legacy ? json_list(legacy, "orderFirst") : builtin_first;
	const json_t *last = legacy ? json_list(legacy, "orderLast") : builtin_last;
	Vec rows = {0};
	for (size_t i = 0; i < set->items.len; i++)
		vec_push(&rows, row_new(kset_at(set, i), first, last));
	vec_sort(&rows, compare);
	for (size_t i = 0; i < rows.len; i++)
		set->items.items[i] = ((const Row *)rows.items[i])->res;
	vec_dispose_with(&rows, row_free);
}

bool order_apply(KSet *set, const json_t *options, bool legacy_by_default, Error *err)
{
	if (!options) {
		if (legacy_by_default)
			sort_legacy(set, NULL);
		return true;
	}
	const char *order = json_text_or(options, "order", "");
	const json_t *legacy = json_map(options, "legacySortOptions");
	if (cstr_eq(order, "fifo"))
		return !legacy ||
		       err_set(err, ERR_INVALID,
			       "sortOptions: legacySortOptions must not be set with order fifo");
	if (!cstr_eq(order, "legacy"))
		return err_set(err, ERR_INVALID,
			       "sortOptions: the order '%s' is not one of legacy, "
			       "fifo",
			       order);
	sort_legacy(set, legacy);
	return true;
}
