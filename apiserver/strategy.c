/* Kinds' own rules, as tables of functions by resource. */
#include "strategy.h"

#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "data/selector.h"
#include "crd.h"
#include "object.h"
#include "server.h"

enum { NODE_PORT_FIRST = 30000, NODE_PORT_COUNT = 2768, ALLOCATE_TRIES = 64 };

static bool create_namespace(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_t *spec = json_make_at(object, "spec", NULL);
	json_object_set_new(spec, "finalizers", json_pack("[s]", "kubernetes"));
	json_object_set_new(object, "status", json_pack("{s:s}", "phase", "Active"));
	json_put_text(json_make_at(object, "metadata", "labels", NULL),
		      "kubernetes.io/metadata.name", object_name(object));
	return true;
}

typedef struct {
	const char *ip;
	int64_t port;
	bool used;
} Allocation;

static bool service_uses(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	(void)name;
	(void)len;
	Allocation *allocation = arg;
	autofree char *needle =
		allocation->ip ? mem_printf("\"clusterIP\":\"%s\"", allocation->ip)
			       : mem_printf("\"nodePort\":%lld", (long long)allocation->port);
	allocation->used = strstr(text, needle) != NULL;
	return !allocation->used;
}

static bool is_free(Request *request, Allocation *allocation)
{
	autoerror Error ignored = {0};
	StoreQuery query = {.resource = "services"};
	return store_list(request->server->store, &query, service_uses, allocation, NULL,
			  &ignored) &&
	       !allocation->used;
}

static char *allocate_ip(Request *request)
{
	for (int i = 0; i < ALLOCATE_TRIES; i++) {
		autofree char *ip = mem_printf("10.96.%u.%u", (unsigned)rand_below(256),
					       (unsigned)rand_below(254) + 1);
		Allocation allocation = {.ip = ip};
		if (is_free(request, &allocation))
			return steal(&ip);
	}
	return NULL;
}

static void allocate_node_ports(Request *request, json_t *spec)
{
	const char *type = json_text_or(spec, "type", "");
	if (strcmp(type, "NodePort") != 0 && strcmp(type, "LoadBalancer") != 0)
		return;
	json_t *ports = json_list(spec, "ports");
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		for (int tries = 0; !json_int(port, "nodePort", 0) && tries < ALLOCATE_TRIES;
		     tries++) {
			int64_t number = NODE_PORT_FIRST + (int64_t)rand_below(NODE_PORT_COUNT);
			Allocation allocation = {.port = number};
			if (is_free(request, &allocation))
				json_object_set_new(port, "nodePort", json_integer(number));
		}
	}
}

static bool create_service(Request *request, json_t *object, Status *status)
{
	json_t *spec = json_make_at(object, "spec", NULL);
	const char *type = json_text_or(spec, "type", "ClusterIP");
	json_object_set_new(object, "status", json_pack("{s:{}}", "loadBalancer"));
	if (strcmp(type, "ExternalName") == 0)
		return true;
	if (cstr_empty(json_text(spec, "clusterIP"))) {
		autofree char *ip = allocate_ip(request);
		if (!ip)
			return status_set(status, 500, "InternalError",
					  "failed to allocate a serviceIP: range is full");
		json_put_text(spec, "clusterIP", ip);
	}
	if (!json_list(spec, "clusterIPs"))
		json_object_set_new(spec, "clusterIPs",
				    json_pack("[s]", json_text(spec, "clusterIP")));
	if (!json_list(spec, "ipFamilies"))
		json_object_set_new(spec, "ipFamilies", json_pack("[s]", "IPv4"));
	if (!json_text(spec, "ipFamilyPolicy"))
		json_put_text(spec, "ipFamilyPolicy", "SingleStack");
	allocate_node_ports(request, spec);
	return true;
}

static bool create_crd(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	crd_prepare(object);
	return true;
}

static bool create_pod(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_object_set_new(object, "status",
			    json_pack("{s:s,s:s}", "phase", "Pending", "qosClass", "BestEffort"));
	return true;
}

static bool create_pending(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_object_set_new(object, "status", json_pack("{s:s}", "phase", "Pending"));
	return true;
}

static bool create_job(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_t *spec = json_make_at(object, "spec", NULL);
	json_object_set_new(object, "status", json_object());
	if (json_flag(spec, "manualSelector", false))
		return true;
	const char *uid = object_meta(object, "uid");
	static const char *const uid_keys[] = {"batch.kubernetes.io/controller-uid",
					       "controller-uid"};
	static const char *const name_keys[] = {"batch.kubernetes.io/job-name", "job-name"};
	json_t *labels = json_make_at(spec, "template", "metadata", "labels", NULL);
	for (size_t i = 0; i < COUNT(uid_keys); i++) {
		json_put_text(labels, uid_keys[i], uid);
		json_put_text(labels, name_keys[i], object_name(object));
	}
	json_put_text(json_make_at(spec, "selector", "matchLabels", NULL), uid_keys[0], uid);
	return true;
}

static bool create_empty_status(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_object_set_new(object, "status", json_object());
	return true;
}

/* It has one, though nothing ever counts it up. */
static bool create_first_generation(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_object_set_new(json_make_at(object, "metadata", NULL), "generation", json_integer(1));
	return true;
}

static const struct {
	const char *resource;
	bool (*create)(Request *request, json_t *object, Status *status);
} creators[] = {
	{"namespaces", create_namespace},
	{"services", create_service},
	{CRD_KEY, create_crd},
	{"pods", create_pod},
	{"persistentvolumeclaims", create_pending},
	{"persistentvolumes", create_pending},
	{"jobs.batch", create_job},
	{"deployments.apps", create_empty_status},
	{"cronjobs.batch", create_empty_status},
	{"ingresses.networking.k8s.io", create_empty_status},
	{"priorityclasses.scheduling.k8s.io", create_first_generation},
};

bool strategy_create(Request *request, json_t *object, Status *status)
{
	for (size_t i = 0; i < COUNT(creators); i++)
		if (strcmp(creators[i].resource, request->resource->key) == 0)
			return creators[i].create(request, object, status);
	return true;
}

/* Members of spec that stay when the client leaves them out. */
static const struct {
	const char *resource;
	const char *members[8];
} kept_members[] = {
	{"services",
	 {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"}},
	{"jobs.batch", {"selector"}},
	{"namespaces", {"finalizers"}},
	{"persistentvolumeclaims", {"volumeName"}},
};

/* Copies that may be changed stand in for the shared spec and metadata. */
static json_t *own_member(json_t *object, const char *key)
{
	json_t *copy = json_deep_copy(json_object_get(object, key));
	if (!copy)
		copy = json_object();
	json_object_set_new(object, key, copy);
	return copy;
}

static void keep_node_ports(json_t *spec, const json_t *live_spec)
{
	json_t *ports = json_list(spec, "ports");
	const json_t *old = json_list(live_spec, "ports");
	const char *type = json_text_or(spec, "type", "");
	if (strcmp(type, "NodePort") != 0 && strcmp(type, "LoadBalancer") != 0)
		return;
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		for (size_t k = 0; k < json_array_size(old); k++) {
			const json_t *before = json_array_get(old, k);
			bool same = json_int(port, "port", 0) == json_int(before, "port", -1);
			if (same && !json_object_get(port, "nodePort") &&
			    json_object_get(before, "nodePort"))
				json_object_set(port, "nodePort",
						json_object_get(before, "nodePort"));
		}
	}
}

static void keep_spec(Request *request, json_t *object, const json_t *live)
{
	const char *key = request->resource->key;
	const json_t *old = json_map(live, "spec");
	for (size_t i = 0; i < COUNT(kept_members); i++) {
		if (strcmp(kept_members[i].resource, key) != 0)
			continue;
		json_t *spec = own_member(object, "spec");
		for (size_t k = 0; kept_members[i].members[k]; k++) {
			const char *member = kept_members[i].members[k];
			const json_t *value = json_object_get(old, member);
			if (value && cstr_empty(json_text_or(spec, member, "")) &&
			    !json_list(spec, member) && !json_map(spec, member))
				json_object_set(spec, member, (json_t *)(uintptr_t)value);
		}
		if (strcmp(key, "services") == 0)
			keep_node_ports(spec, old);
	}
}

static void keep_job_labels(json_t *object, const json_t *live)
{
	json_t *old = json_at(live, "spec", "template", "metadata", "labels", NULL);
	json_t *labels =
		json_make_at(own_member(object, "spec"), "template", "metadata", "labels", NULL);
	const char *key;
	json_t *value;
	json_object_foreach(old, key, value)
	{
		if (!json_object_get(labels, key))
			json_object_set(labels, key, value);
	}
}

/* A DaemonSet tells in an annotation how often its template changed. */
static void count_template(json_t *object, const json_t *live)
{
	static const char key[] = "deprecated.daemonset.template.generation";
	const json_t *old = json_map(live, "spec");
	const json_t *now = json_map(object, "spec");
	bool same = json_same(json_map(old, "template"), json_map(now, "template")) &&
		    json_same(json_map(old, "updateStrategy"), json_map(now, "updateStrategy"));
	const json_t *notes = json_at(live, "metadata", "annotations", NULL);
	unsigned long long count = 1;
	str_to_u64(str_of(json_text_or(notes, key, "1")), &count);
	autofree char *text = mem_printf("%llu", count + !same);
	json_put_text(json_make_at(own_member(object, "metadata"), "annotations", NULL), key, text);
}

void strategy_update(Request *request, json_t *object, const json_t *live)
{
	const char *key = request->resource->key;
	if (strcmp(request->path.subresource, "status") == 0)
		return;
	bool finalize = strcmp(request->path.subresource, "finalize") == 0;
	if (!finalize)
		keep_spec(request, object, live);
	if (strcmp(key, "jobs.batch") == 0)
		keep_job_labels(object, live);
	if (strcmp(key, "services") == 0)
		allocate_node_ports(request, json_map(object, "spec"));
	if (strcmp(key, "daemonsets.apps") == 0)
		count_template(object, live);
	if (strcmp(key, "namespaces") == 0)
		json_put_text(json_make_at(own_member(object, "metadata"), "labels", NULL),
			      "kubernetes.io/metadata.name", object_name(object));
	if (strcmp(key, CRD_KEY) == 0) {
		own_member(object, "metadata");
		own_member(object, "spec");
		crd_prepare(object);
	}
}

/* Paths that may not change, with the text of the refusal. */
static const struct {
	const char *resource, *path, *text;
} immutable_paths[] = {
	{"deployments.apps", "spec.selector", "field is immutable"},
	{"replicasets.apps", "spec.selector", "field is immutable"},
	{"daemonsets.apps", "spec.selector", "field is immutable"},
	{"jobs.batch", "spec.selector", "field is immutable"},
	{"jobs.batch", "spec.template", "field is immutable"},
	{"jobs.batch", "spec.completions", "field is immutable"},
	{"jobs.batch", "spec.completionMode", "field is immutable"},
	{"services", "spec.clusterIP", "may not change once set"},
	{"secrets", "type", "field is immutable"},
	{"rolebindings.rbac.authorization.k8s.io", "roleRef", "cannot change roleRef"},
	{"clusterrolebindings.rbac.authorization.k8s.io", "roleRef", "cannot change roleRef"},
	{"storageclasses.storage.k8s.io", "provisioner", "updates to provisioner are forbidden."},
	{"storageclasses.storage.k8s.io", "parameters", "updates to parameters are forbidden."},
	{"ingressclasses.networking.k8s.io", "spec.controller", "field is immutable"},
	{"priorityclasses.scheduling.k8s.io", "value", "may not be changed in an update."},
	{CRD_KEY, "spec.group", "field is immutable"},
	{CRD_KEY, "spec.scope", "field is immutable"},
	{CRD_KEY, "spec.names.kind", "field is immutable"},
	{CRD_KEY, "spec.names.plural", "field is immutable"},
};

static const json_t *at_path(const json_t *object, const char *path)
{
	Str rest = str_of(path);
	Str piece;
	while (object && str_next(&rest, '.', &piece)) {
		autofree char *key = str_dup(piece);
		object = json_object_get(object, key);
	}
	return object;
}

static bool same_value(const json_t *a, const json_t *b)
{
	return (!a && !b) || (a && b && json_same(a, b));
}

static void check_immutable(const Resource *resource, const json_t *object, const json_t *live,
			    FieldErrors *errors)
{
	for (size_t i = 0; i < COUNT(immutable_paths); i++) {
		if (strcmp(immutable_paths[i].resource, resource->key) != 0)
			continue;
		const json_t *now = at_path(object, immutable_paths[i].path);
		if (same_value(now, at_path(live, immutable_paths[i].path)))
			continue;
		autofree char *shown =
			now ? json_dumps(now, JSON_ENCODE_ANY | JSON_COMPACT) : mem_strdup("null");
		field_error(errors, "Invalid value", immutable_paths[i].path, "%s: %s", shown,
			    immutable_paths[i].text);
	}
}

/* Specs of which only the named members may change. */
static const struct {
	const char *resource, *members[10], *text;
} frozen_specs[] = {
	{"statefulsets.apps",
	 {"replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
	  "persistentVolumeClaimRetentionPolicy", "minReadySeconds"},
	 "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
	 "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
	 "'minReadySeconds' are forbidden"},
	{"persistentvolumeclaims",
	 {"resources", "volumeAttributesClassName", "volumeName"},
	 "spec is immutable after creation except resources.requests and volumeAttributesClassName "
	 "for bound claims"},
	{"pods",
	 {"containers", "initContainers", "activeDeadlineSeconds", "tolerations",
	  "terminationGracePeriodSeconds", "nodeName", "schedulingGates", "ephemeralContainers"},
	 "pod updates may not change fields other than `spec.containers[*].image`,"
	 "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
	 "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
	 "set to 1 if it was previously negative)"},
};

static void check_frozen(const Resource *resource, const json_t *object, const json_t *live,
			 FieldErrors *errors)
{
	for (size_t i = 0; i < COUNT(frozen_specs); i++) {
		if (strcmp(frozen_specs[i].resource, resource->key) != 0)
			continue;
		autojson json_t *now = json_copy(json_map(object, "spec"));
		autojson json_t *before = json_copy(json_map(live, "spec"));
		for (size_t k = 0; frozen_specs[i].members[k]; k++) {
			json_object_del(now, frozen_specs[i].members[k]);
			json_object_del(before, frozen_specs[i].members[k]);
		}
		if (!same_value(now, before))
			field_error(errors, "Forbidden", "spec", "%s", frozen_specs[i].text);
	}
}

static void check_immutable_data(const json_t *object, const json_t *live, FieldErrors *errors)
{
	static const char *const members[] = {"data", "stringData", "binaryData"};
	if (!json_flag(live, "immutable", false))
		return;
	if (!json_flag(object, "immutable", false))
		field_error(errors, "Forbidden", "immutable",
			    "field is immutable when `immutable` is set");
	for (size_t i = 0; i < COUNT(members); i++)
		if (!same_value(json_object_get(object, members[i]),
				json_object_get(live, members[i])))
			field_error(errors, "Forbidden", members[i],
				    "field is immutable when `immutable` is set");
}

static void check_containers(const json_t *spec, const char *path, FieldErrors *errors)
{
	const json_t *list = json_list(spec, "containers");
	autofree char *list_path = mem_printf("%s.containers", path);
	if (json_array_size(list) == 0)
		field_error(errors, "Required value", list_path, "%s", "");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *container = json_array_get(list, i);
		autofree char *name_path = mem_printf("%s[%zu].name", list_path, i);
		autofree char *image_path = mem_printf("%s[%zu].image", list_path, i);
		if (cstr_empty(json_text(container, "name")))
			field_error(errors, "Required value", name_path, "%s", "");
		if (cstr_empty(json_text(container, "image")) &&
		    strncmp(path, "spec.template", 13) == 0)
			field_error(errors, "Required value", image_path, "%s", "");
	}
}

static void check_selector(const json_t *spec, FieldErrors *errors)
{
	const json_t *selector_json = json_map(spec, "selector");
	const json_t *labels = json_at(spec, "template", "metadata", "labels", NULL);
	autoerror Error err = {0};
	if (!selector_json)
		field_error(errors, "Required value", "spec.selector", "%s", "");
	autoselector Selector *selector =
		selector_json ? selector_of_json(selector_json, &err) : NULL;
	if (selector && !selector_is_empty(selector) && selector_matches(selector, labels))
		return;
	autofree char *shown = labels ? json_dump(labels) : mem_strdup("null");
	field_error(errors, "Invalid value", "spec.template.metadata.labels",
		    "%s: `selector` does not match template `labels`", shown);
}

static void check_workload(const json_t *object, FieldErrors *errors)
{
	const json_t *spec = json_map(object, "spec");
	check_selector(spec, errors);
	check_containers(json_at(spec, "template", "spec", NULL), "spec.template.spec", errors);
}

static void check_service(const json_t *object, FieldErrors *errors)
{
	const json_t *spec = json_map(object, "spec");
	const char *type = json_text_or(spec, "type", "");
	bool headless = cstr_eq(json_text(spec, "clusterIP"), "None");
	bool named = strcmp(type, "ExternalName") == 0;
	const json_t *ports = json_list(spec, "ports");
	if (json_array_size(ports) == 0 && !headless && !named)
		field_error(errors, "Required value", "spec.ports", "%s", "");
	for (size_t i = 0; i < json_array_size(ports); i++) {
		int64_t port = json_int(json_array_get(ports, i), "port", 0);
		autofree char *path = mem_printf("spec.ports[%zu].port", i);
		if (port < 1 || port > 65535)
			field_error(errors, "Invalid value", path,
				    "%lld: must be between 1 and 65535, inclusive",
				    (long long)port);
	}
}

/* Keys of a ConfigMap's or Secret's data are file names. */
static void check_data_keys(const json_t *object, const char *member, FieldErrors *errors)
{
	enum { KEY_MAX = 253 };
	const char *key;
	json_t *value;
	json_t *data = json_map(object, member);
	json_object_foreach(data, key, value)
	{
		size_t len = strlen(key);
		autofree char *path = mem_printf("%s[%s]", member, key);
		if (len > KEY_MAX)
			field_error(errors, "Invalid value", path,
				    "\"%s\": must be no more than 253 characters", key);
		if (len == 0 ||
		    strspn(key, "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789") != len)
			field_error(
				errors, "Invalid value", path,
				"\"%s\": a valid config key must consist of alphanumeric "
				"characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
				"or 'key-name', regex used for validation is "
				"'[-._a-zA-Z0-9]+')",
				key);
	}
}

static void require_list(const json_t *rule, const char *path, const char *member, const char *text,
			 FieldErrors *errors)
{
	autofree char *member_path = mem_printf("%s.%s", path, member);
	if (json_array_size(json_list(rule, member)) == 0)
		field_error(errors, "Required value", member_path, "%s", text);
}

static void check_role(const json_t *object, FieldErrors *errors)
{
	json_t *rules = json_list(object, "rules");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		autofree char *path = mem_printf("rules[%zu]", i);
		require_list(rule, path, "verbs", "verbs must contain at least one value", errors);
		if (json_array_size(json_list(rule, "nonResourceURLs")) > 0)
			continue;
		require_list(rule, path, "apiGroups",
			     "resource rules must supply at least one api group", errors);
		require_list(rule, path, "resources",
			     "resource rules must supply at least one resource", errors);
	}
}

static bool listed_in(const char *key, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(*list, key) == 0)
			return true;
	return false;
}

void strategy_validate(Request *request, const json_t *object, const json_t *live,
		       FieldErrors *errors)
{
	static const char *const workloads[] = {"deployments.apps", "replicasets.apps",
						"statefulsets.apps", "daemonsets.apps", NULL};
	static const char *const data_kinds[] = {"configmaps", "secrets", NULL};
	static const char *const roles[] = {"roles.rbac.authorization.k8s.io",
					    "clusterroles.rbac.authorization.k8s.io", NULL};
	const Resource *resource = request->resource;
	if (strcmp(request->path.subresource, "status") == 0)
		return;
	if (listed_in(resource->key, workloads))
		check_workload(object, errors);
	else if (strcmp(resource->key, "services") == 0)
		check_service(object, errors);
	else if (strcmp(resource->key, "pods") == 0)
		check_containers(json_map(object, "spec"), "spec", errors);
	else if (strcmp(resource->key, "jobs.batch") == 0)
		check_containers(json_at(object, "spec", "template", "spec", NULL),
				 "spec.template.spec", errors);
	else if (strcmp(resource->key, CRD_KEY) == 0)
		crd_validate(object, errors);
	else if (listed_in(resource->key, roles))
		check_role(object, errors);
	else if (listed_in(resource->key, data_kinds)) {
		check_data_keys(object, "data", errors);
		check_data_keys(object, "binaryData", errors);
	}
	if (!live)
		return;
	check_immutable(resource, object, live, errors);
	check_frozen(resource, object, live, errors);
	if (listed_in(resource->key, data_kinds))
		check_immutable_data(object, live, errors);
}

void strategy_stored(ApiServer *server, const Resource *resource, const json_t *object)
{
	if (strcmp(resource->key, CRD_KEY) != 0)
		return;
	Vec made = {0};
	if (!object_is_deleting(object) || object_has_finalizer(object, CRD_CLEANUP))
		crd_resources(object, &made);
	catalog_replace(server->catalog, object_name(object), object_rv(object), &made);
	vec_dispose(&made);
}

void strategy_gone(ApiServer *server, const Resource *resource, const json_t *live)
{
	if (strcmp(resource->key, CRD_KEY) != 0)
		return;
	/* Nothing came between: the deletion was a deletion of just this state. */
	Vec none = {0};
	catalog_replace(server->catalog, object_name(live), object_rv(live) + 1, &none);
}
