/* Pods and their templates: rules over several members. */
#include <string.h>

#include "base/mem.h"
#include "data/quantity.h"
#include "names.h"
#include "schema.h"
#include "validate_internal.h"

enum { PORT_MAX = 65535 };

/* One that is wrong itself, having two sources, is not there for those who mount it. */
static bool has_volume(const json_t *volumes, const char *name)
{
	enum { NAME_AND_SOURCE = 2 };
	for (size_t i = 0; i < json_array_size(volumes); i++) {
		const json_t *volume = json_array_get(volumes, i);
		if (cstr_eq(json_text(volume, "name"), name))
			return json_object_size(volume) <= NAME_AND_SOURCE;
	}
	return false;
}

/* Mounts name volumes of their pod. */
static void check_mounts(const Check *check, const char *member, const json_t *container)
{
	const json_t *mounts = json_list(container, "volumeMounts");
	const json_t *volumes = json_list(check->value, "volumes");
	for (size_t i = 0; i < json_array_size(mounts); i++) {
		const json_t *mount = json_array_get(mounts, i);
		const char *name = json_text_or(mount, "name", "");
		autofree char *path = mem_printf("%s.volumeMounts[%zu]", member, i);
		autofree char *name_path = mem_printf("%s.name", path);
		autofree char *mount_path = mem_printf("%s.mountPath", path);
		if (!*name)
			check_fail(check, name_path, "Required value", "%s", "");
		if (!has_volume(volumes, name))
			check_fail(check, name_path, "Not found", "\"%s\"", name);
		if (cstr_empty(json_text(mount, "mountPath")))
			check_fail(check, mount_path, "Required value", "%s", "");
	}
}

static void check_port_names(const Check *check, const char *member, const json_t *container)
{
	const json_t *ports = json_list(container, "ports");
	autojson json_t *seen = json_object();
	for (size_t i = 0; i < json_array_size(ports); i++) {
		const char *name = json_text_or(json_array_get(ports, i), "name", "");
		autofree char *path = mem_printf("%s.ports[%zu].name", member, i);
		if (*name && json_object_get(seen, name))
			check_fail(check, path, "Duplicate value", "\"%s\"", name);
		json_object_set_new(seen, name, json_true());
	}
}

/* Names are those of the whole pod; `seen` goes from list to list. */
static void check_containers(const Check *check, const char *list_name, json_t *seen)
{
	const json_t *list = json_list(check->value, list_name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *container = json_array_get(list, i);
		const char *name = json_text_or(container, "name", "");
		autofree char *member = mem_printf("%s[%zu]", list_name, i);
		autofree char *name_member = mem_printf("%s.name", member);
		autofree char *image_member = mem_printf("%s.image", member);
		autofree char *name_path = schema_path_key(check->path, name_member);
		if (!*name)
			check_fail(check, name_member, "Required value", "%s", "");
		else if (json_object_get(seen, name))
			check_fail(check, name_member, "Duplicate value", "\"%s\"", name);
		else
			name_check_label(name, name_path, check->errors);
		json_object_set_new(seen, name, json_true());
		if (cstr_empty(json_text(container, "image")))
			check_fail(check, image_member, "Required value", "%s", "");
		check_port_names(check, member, container);
		check_mounts(check, member, container);
	}
}

static void check_restart(const Check *check)
{
	static const char *const always[] = {"deployments.apps", "replicasets.apps",
					     "statefulsets.apps", "daemonsets.apps"};
	const char *policy = json_text_or(check->value, "restartPolicy", "");
	for (size_t i = 0; i < COUNT(always); i++)
		if (strcmp(always[i], check->resource) == 0)
			check_one_of(check, "restartPolicy", policy, "Always");
	bool job = strcmp(check->resource, "jobs.batch") == 0 ||
		   strcmp(check->resource, "cronjobs.batch") == 0;
	if (job && (!*policy || strcmp(policy, "Always") == 0))
		check_fail(check, "restartPolicy", "Required value",
			   "valid values: \"OnFailure\", \"Never\"");
}

static void check_pod(const Check *check)
{
	if (json_array_size(json_list(check->value, "containers")) == 0)
		check_fail(check, "containers", "Required value", "%s", "");
	autojson json_t *seen = json_object();
	check_containers(check, "containers", seen);
	check_containers(check, "initContainers", seen);
	check_restart(check);
}

static void check_template(const Check *check)
{
	/* The real server leaves "metadata" out of the path. */
	autofree char *path = schema_path_key(check->path, "labels");
	name_check_labels(json_at(check->value, "metadata", "labels", NULL), path, check->errors);
}

static void check_container_port(const Check *check)
{
	json_int_t port = json_int(check->value, "containerPort", 0);
	if (port == 0)
		check_fail(check, "containerPort", "Required value", "%s", "");
	else if (port < 0 || port > PORT_MAX)
		check_fail(check, "containerPort", "Invalid value",
			   "%lld: must be between 1 and 65535, inclusive", (long long)port);
	check_one_of(check, "protocol", json_text_or(check->value, "protocol", ""), "SCTP,TCP,UDP");
}

/* Names that a container may ask for, besides those with a domain of their own. */
static bool is_standard(const char *name)
{
	static const char *const names[] = {"cpu", "memory", "ephemeral-storage"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return cstr_starts(name, "hugepages-");
}

/* Extended resources, such as devices, are counted. */
static void check_amount(const Check *check, const char *member, const char *name,
			 const char *amount)
{
	autofree char *path = mem_printf("%s[%s]", member, name);
	__int128 nanos = 0;
	if (!strchr(name, '/') && !is_standard(name)) {
		check_fail(check, path, "Invalid value",
			   "\"%s\": must be a standard resource for containers", name);
		check_fail(check, path, "Invalid value",
			   "\"%s\": must be a standard resource type or fully qualified", name);
	}
	if (!amount || !quantity_nanos(amount, &nanos))
		return;
	if (nanos < 0)
		check_fail(check, path, "Invalid value",
			   "\"%s\": must be greater than or equal to 0", amount);
	else if (strchr(name, '/') && nanos % 1000000000 != 0)
		check_fail(check, path, "Invalid value", "\"%s\": must be an integer", amount);
}

static void check_amounts(const Check *check, const char *member)
{
	const char *name;
	json_t *amount;
	json_t *amounts = json_map(check->value, member);
	json_object_foreach(amounts, name, amount)
		check_amount(check, member, name, json_string_value(amount));
}

static void check_resources(const Check *check)
{
	check_amounts(check, "limits");
	check_amounts(check, "requests");
	const json_t *limits = json_map(check->value, "limits");
	const char *key;
	json_t *wanted;
	json_t *requests = json_map(check->value, "requests");
	json_object_foreach(requests, key, wanted)
	{
		const char *limit = json_text(limits, key);
		const char *request = json_string_value(wanted);
		int order = 0;
		if (limit && request && quantity_compare(request, limit, &order) && order > 0)
			check_fail(check, "requests", "Invalid value",
				   "\"%s\": must be less than or equal to %s limit of %s", request,
				   key, limit);
	}
}

static void want_handler(const Check *check, const char *const *handlers)
{
	for (; *handlers; handlers++)
		if (json_map(check->value, *handlers))
			return;
	check_fail(check, "", "Required value", "must specify a handler type");
}

static void check_probe(const Check *check)
{
	static const char *const handlers[] = {"exec", "httpGet", "tcpSocket", "grpc", NULL};
	want_handler(check, handlers);
}

static void check_lifecycle(const Check *check)
{
	static const char *const handlers[] = {"exec", "httpGet", "tcpSocket", "sleep", NULL};
	want_handler(check, handlers);
}

/* The order in which the real server looks at them: the second that is set is one too many. */
static const char *const volume_types[] = {
	"emptyDir",
	"hostPath",
	"gitRepo",
	"gcePersistentDisk",
	"awsElasticBlockStore",
	"secret",
	"nfs",
	"iscsi",
	"glusterfs",
	"flocker",
	"rbd",
	"cinder",
	"cephfs",
	"quobyte",
	"downwardAPI",
	"fc",
	"flexVolume",
	"configMap",
	"azureFile",
	"vsphereVolume",
	"azureDisk",
	"photonPersistentDisk",
	"portworxVolume",
	"scaleIO",
	"projected",
	"persistentVolumeClaim",
	"csi",
	"ephemeral",
	"image",
};

static void check_volume(const Check *check)
{
	const char *name = json_text_or(check->value, "name", "");
	autofree char *path = schema_path_key(check->path, "name");
	if (!*name)
		check_fail(check, "name", "Required value", "%s", "");
	else
		name_check_label(name, path, check->errors);
	bool found = false;
	for (size_t i = 0; i < COUNT(volume_types); i++) {
		bool given = json_map(check->value, volume_types[i]) != NULL;
		if (given && found)
			check_fail(check, volume_types[i], "Forbidden",
				   "may not specify more than 1 volume type");
		found = found || given;
	}
}

static void check_toleration(const Check *check)
{
	const char *operator= json_text_or(check->value, "operator", "");
	const char *value = json_text_or(check->value, "value", "");
	bool exists = strcmp(operator, "Exists") == 0;
	if (cstr_empty(json_text(check->value, "key")) && !exists)
		check_fail(check, "operator", "Invalid value",
			   "\"%s\": operator must be Exists when `key` is empty, which means "
			   "\"match all values and all keys\"",
			   operator);
	if (exists && *value)
		check_fail(check, "operator", "Invalid value",
			   "\"%s\": value must be empty when `operator` is 'Exists'", value);
	if (*operator)
		check_one_of(check, "operator", operator, "Equal,Exists");
}

const StructRule validate_pod_rules[] = {
	{"core.v1.ContainerPort", check_container_port},
	{"core.v1.LifecycleHandler", check_lifecycle},
	{"core.v1.PodSpec", check_pod},
	{"core.v1.PodTemplateSpec", check_template},
	{"core.v1.Probe", check_probe},
	{"core.v1.ResourceRequirements", check_resources},
	{"core.v1.Toleration", check_toleration},
	{"core.v1.Volume", check_volume},
	{NULL, NULL},
};
