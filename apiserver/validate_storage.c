/* Claims, volumes and quotas: amounts outside of containers (core validation.go). */
#include <string.h>

#include "base/mem.h"
#include "data/quantity.h"
#include "validate_internal.h"

static void check_positive(const Check *check, const char *member, const char *amount)
{
	__int128 nanos = 0;
	if (amount && quantity_nanos(amount, &nanos) && nanos <= 0)
		check_fail(check, member, "Invalid value", "\"%s\": must be greater than zero",
			   amount);
}

/* Not those in templates of StatefulSets: upstream takes them unseen. */
static void check_claim(const Check *check)
{
	if (strcmp(check->resource, "persistentvolumeclaims") != 0)
		return;
	const char *amount = json_text_at(check->value, "resources", "requests", "storage", NULL);
	if (json_array_size(json_list(check->value, "accessModes")) == 0)
		check_fail(check, "accessModes", "Required value",
			   "at least 1 access mode is required");
	if (!amount)
		check_fail(check, "resources[storage]", "Required value", "%s", "");
	check_positive(check, "resources[storage]", amount);
}

static void check_volume(const Check *check)
{
	check_positive(check, "capacity[storage]",
		       json_text_at(check->value, "capacity", "storage", NULL));
}

/* What is counted, not measured. */
static bool is_counted(const char *name)
{
	static const char *const counted[] = {"pods",
					      "services",
					      "replicationcontrollers",
					      "resourcequotas",
					      "secrets",
					      "configmaps",
					      "persistentvolumeclaims",
					      "services.nodeports",
					      "services.loadbalancers"};
	for (size_t i = 0; i < COUNT(counted); i++)
		if (strcmp(counted[i], name) == 0)
			return true;
	return false;
}

static void check_quota(const Check *check)
{
	enum { NANOS = 1000000000 };
	const char *name;
	json_t *value;
	json_object_foreach(json_map(check->value, "hard"), name, value)
	{
		const char *amount = json_string_value(value);
		__int128 nanos = 0;
		if (!amount || !quantity_nanos(amount, &nanos))
			continue;
		autofree char *path = mem_printf("hard[%s]", name);
		if (nanos < 0)
			check_fail(check, path, "Invalid value",
				   "\"%s\": must be greater than or equal to 0", amount);
		if (is_counted(name) && nanos % NANOS != 0)
			check_fail(check, path, "Invalid value", "\"%s\": must be an integer",
				   amount);
	}
}

const StructRule validate_storage_rules[] = {
	{"core.v1.PersistentVolumeClaimSpec", check_claim},
	{"core.v1.PersistentVolumeSpec", check_volume},
	{"core.v1.ResourceQuotaSpec", check_quota},
	{NULL, NULL},
};
