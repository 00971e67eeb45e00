/* In which order objects are applied (facts 6.2); pruning goes backwards. */
#include "internal.h"

#include <string.h>

#include "base/mem.h"

/* By kind. Those not listed stand between the two halves, by group and kind. */
static const char *const first[] = {
	"CustomResourceDefinition",
	"Namespace",
	"ClusterRole",
	"ClusterClass",
	"RuntimeClass",
	"PriorityClass",
	"StorageClass",
	"VolumeSnapshotClass",
	"IngressClass",
	"GatewayClass",
	"ClusterRoleBinding",
	"ResourceQuota",
	"ServiceAccount",
	"Role",
	"RoleBinding",
	"ConfigMap",
	"Secret",
	"Service",
	"LimitRange",
	"Deployment",
	"StatefulSet",
	"CronJob",
	"PodDisruptionBudget",
};
static const char *const last[] = {
	"MutatingWebhookConfiguration",
	"ValidatingWebhookConfiguration",
};

static size_t rank(const char *kind)
{
	for (size_t i = 0; i < COUNT(first); i++)
		if (cstr_eq(first[i], kind))
			return i;
	for (size_t i = 0; i < COUNT(last); i++)
		if (cstr_eq(last[i], kind))
			return COUNT(first) + 1 + i;
	return COUNT(first);
}

int object_order_compare(const json_t *a, const json_t *b)
{
	size_t ra = rank(object_kind(a)), rb = rank(object_kind(b));
	if (ra != rb)
		return ra < rb ? -1 : 1;
	autofree char *group_a = api_group(object_api_version(a));
	autofree char *group_b = api_group(object_api_version(b));
	int order = strcmp(group_a, group_b);
	if (!order)
		order = strcmp(object_kind(a), object_kind(b));
	if (!order)
		order = strcmp(object_namespace(a), object_namespace(b));
	return order ? order : strcmp(object_name(a), object_name(b));
}

static int compare_items(const void *a, const void *b)
{
	const Item *x = a, *y = b;
	return x->stage != y->stage ? x->stage - y->stage
				    : object_order_compare(x->object, y->object);
}

void item_set_sort(ItemSet *set)
{
	autovec Vec order = {0};
	for (size_t i = 0; i < set->len; i++)
		vec_push(&order, &set->items[i]);
	vec_sort(&order, compare_items);
	Item *sorted = mem_zalloc(set->len, sizeof(Item));
	for (size_t i = 0; i < set->len; i++)
		sorted[i] = *(const Item *)order.items[i];
	free(set->items);
	set->items = sorted;
	set->cap = set->len;
}

/* "group/Kind" of --custom-apply-stage-kinds, "Kind" for the core group, or "group/version/Kind".
 */
static bool is_custom(const json_t *object, const Vec *custom_kinds)
{
	const char *kind = object_kind(object);
	autofree char *group = api_group(object_api_version(object));
	autofree char *full =
		mem_printf("%s/%s/%s", group, api_version_only(object_api_version(object)), kind);
	autofree char *short_form = *group ? mem_printf("%s/%s", group, kind) : mem_strdup(kind);
	for (size_t i = 0; i < custom_kinds->len; i++)
		if (cstr_eq(custom_kinds->items[i], full) ||
		    cstr_eq(custom_kinds->items[i], short_form))
			return true;
	return false;
}

int item_stage(const json_t *object, const Vec *custom_kinds)
{
	if (object_is_definition(object) || object_is_of(object, "", "Namespace") ||
	    object_is_of(object, "rbac.authorization.k8s.io", "ClusterRole"))
		return 0;
	if (cstr_ends(object_kind(object), "Class"))
		return 1;
	return is_custom(object, custom_kinds) ? 2 : 3;
}

char *place_text(const char *file, size_t line)
{
	return line ? mem_printf(" [%s:%zu]", file, line) : mem_strdup("");
}

void item_set_add(ItemSet *set, json_t *take_object, const char *file, size_t line)
{
	if (set->len == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 16;
		set->items = mem_realloc(set->items, set->cap * sizeof(Item));
	}
	set->items[set->len++] = (Item){.object = take_object,
					.id = object_id(take_object),
					.key = drift_key(take_object),
					.file = mem_strdup(file ? file : ""),
					.line = line};
}

void item_set_dispose(ItemSet *set)
{
	for (size_t i = 0; i < set->len; i++) {
		json_decref(set->items[i].object);
		json_decref(set->items[i].payload);
		free(set->items[i].id);
		free(set->items[i].key);
		free(set->items[i].file);
		free(set->items[i].uid);
	}
	free(set->items);
	*set = (ItemSet){0};
}
