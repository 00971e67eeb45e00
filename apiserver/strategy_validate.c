/* Rules of single built-in kinds: what may not change, what must be there. Texts are those of a
 * real server. */
#include "strategy.h"

#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "data/selector.h"
#include "crd.h"
#include "object.h"
#include "validate.h"

/* Paths that may not change, with the text of the refusal. */
static const struct {
	const char *resource, *path, *text;
	bool forbidden; /* told without the value */
} immutable_paths[] = {
	{"deployments.apps", "spec.selector", "field is immutable", false},
	{"replicasets.apps", "spec.selector", "field is immutable", false},
	{"daemonsets.apps", "spec.selector", "field is immutable", false},
	{"jobs.batch", "spec.selector", "field is immutable", false},
	{"jobs.batch", "spec.template", "field is immutable", false},
	{"jobs.batch", "spec.completions", "field is immutable", false},
	{"jobs.batch", "spec.completionMode", "field is immutable", false},
	{"services", "spec.clusterIPs", "may not change once set", false},
	{"secrets", "type", "field is immutable", false},
	{"rolebindings.rbac.authorization.k8s.io", "roleRef", "cannot change roleRef", false},
	{"clusterrolebindings.rbac.authorization.k8s.io", "roleRef", "cannot change roleRef",
	 false},
	{"storageclasses.storage.k8s.io", "provisioner", "updates to provisioner are forbidden.",
	 true},
	{"storageclasses.storage.k8s.io", "parameters", "updates to parameters are forbidden.",
	 true},
	{"ingressclasses.networking.k8s.io", "spec.controller", "field is immutable", false},
	{"priorityclasses.scheduling.k8s.io", "value", "may not be changed in an update.", true},
	{CRD_KEY, "spec.group", "field is immutable", false},
	{CRD_KEY, "spec.scope", "field is immutable", false},
	{CRD_KEY, "spec.names.kind", "field is immutable", false},
	{CRD_KEY, "spec.names.plural", "field is immutable", false},
};

static bool same_value(const json_t *a, const json_t *b)
{
	return (!a && !b) || (a && b && json_same(a, b));
}

/* Whether a first item that is wrong anyway has been told. */
static bool is_told(const FieldErrors *errors, const char *path)
{
	autofree char *first = mem_printf("%s[0]", path);
	for (size_t i = 0; i < json_array_size(errors->causes); i++)
		if (cstr_eq(json_text(json_array_get(errors->causes, i), "field"), first))
			return true;
	return false;
}

/* Members in their own order, as Go has those of a struct; within them sorted, as those of maps. */
static char *show(const json_t *value)
{
	if (!json_is_object(value))
		return value ? json_dump_sorted(value) : mem_strdup("null");
	autojson json_t *shown = json_object();
	const char *key;
	json_t *member;
	json_object_foreach(json_borrow(value), key, member)
	{
		autofree char *text = json_is_object(member) ? json_dump_sorted(member) : NULL;
		autoerror Error ignored = {0};
		json_t *sorted =
			text ? json_parse(text, strlen(text), strlen(text) + 1, &ignored) : NULL;
		json_object_set_new(shown, key, sorted ? sorted : json_incref(member));
	}
	return json_dump(shown);
}

static void check_immutable(const Resource *resource, const json_t *object, const json_t *live,
			    FieldErrors *errors)
{
	for (size_t i = 0; i < COUNT(immutable_paths); i++) {
		if (strcmp(immutable_paths[i].resource, resource->key) != 0)
			continue;
		const json_t *now = object_at(object, immutable_paths[i].path);
		/* A Service that turns into a name has no address any more. */
		bool gone = !now && strcmp(resource->key, "services") == 0;
		if (gone || is_told(errors, immutable_paths[i].path))
			continue;
		if (same_value(now, object_at(live, immutable_paths[i].path)))
			continue;
		autofree char *shown = show(now);
		/* Of a list its first item is named. */
		autofree char *path = mem_printf("%s%s", immutable_paths[i].path,
						 json_is_array(now) ? "[0]" : "");
		if (immutable_paths[i].forbidden)
			field_error(errors, "Forbidden", path, "%s", immutable_paths[i].text);
		else
			field_error(errors, "Invalid value", path, "%s: %s", shown,
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
	 {"activeDeadlineSeconds", "tolerations", "schedulingGates", "ephemeralContainers"},
	 "pod updates may not change fields other than `spec.containers[*].image`,"
	 "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only "
	 "additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
	 "set to 1 if it was previously negative)"},
};

/* Of a Pod's containers the image may change. */
static void drop_images(json_t *spec)
{
	static const char *const lists[] = {"containers", "initContainers"};
	for (size_t i = 0; i < COUNT(lists); i++) {
		json_t *list = json_list(spec, lists[i]);
		for (size_t k = 0; k < json_array_size(list); k++)
			json_object_del(json_array_get(list, k), "image");
	}
}

/* A spec without the members that may change; owned. */
static json_t *frozen_part(const Resource *resource, const json_t *object,
			   const char *const *members)
{
	bool pod = strcmp(resource->key, "pods") == 0;
	json_t *spec = json_map(object, "spec");
	json_t *part = pod ? json_deep_copy(spec) : json_copy(spec);
	for (; *members; members++)
		json_object_del(part, *members);
	if (pod)
		drop_images(part);
	/* One that was below zero, which stands for 1, may become that. */
	if (pod && json_int(part, "terminationGracePeriodSeconds", 0) < 0)
		json_object_set_new(part, "terminationGracePeriodSeconds", json_integer(1));
	return part;
}

/* False when a Pod has more or fewer containers than before, which is all that is told then. */
static bool has_same_containers(const json_t *object, const json_t *live, FieldErrors *errors)
{
	static const char *const lists[] = {"containers", "initContainers"};
	bool same = true;
	for (size_t i = 0; i < COUNT(lists) && same; i++) {
		autofree char *path = mem_printf("spec.%s", lists[i]);
		same = json_array_size(object_at(object, path)) ==
		       json_array_size(object_at(live, path));
		if (!same)
			field_error(errors, "Forbidden", path,
				    "pod updates may not add or remove containers");
	}
	return same;
}

static bool has_toleration(const json_t *list, const json_t *wanted)
{
	autojson json_t *mask = json_copy(json_borrow(wanted));
	json_object_del(mask, "tolerationSeconds");
	bool found = false;
	for (size_t i = 0; i < json_array_size(list) && !found; i++) {
		autojson json_t *other = json_copy(json_array_get(list, i));
		json_object_del(other, "tolerationSeconds");
		found = json_same(other, mask);
	}
	return found;
}

static void check_tolerations(const json_t *object, const json_t *live, FieldErrors *errors)
{
	const json_t *now = object_at(object, "spec.tolerations");
	const json_t *before = object_at(live, "spec.tolerations");
	for (size_t i = 0; i < json_array_size(before); i++) {
		if (has_toleration(now, json_array_get(before, i)))
			continue;
		field_error(errors, "Forbidden", "spec.tolerations",
			    "existing toleration can not be modified except its "
			    "tolerationSeconds");
		return;
	}
}

static void check_frozen(const Resource *resource, const json_t *object, const json_t *live,
			 FieldErrors *errors)
{
	bool pod = strcmp(resource->key, "pods") == 0;
	if (pod && !has_same_containers(object, live, errors))
		return;
	if (pod)
		check_tolerations(object, live, errors);
	for (size_t i = 0; i < COUNT(frozen_specs); i++) {
		if (strcmp(frozen_specs[i].resource, resource->key) != 0)
			continue;
		const char *const *members = frozen_specs[i].members;
		autojson json_t *now = frozen_part(resource, object, members);
		autojson json_t *before = frozen_part(resource, live, members);
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

/* A selector that selects its own template; what is wrong with the selector itself is told by
 * validate.c. */
static void check_selector(const Resource *resource, const json_t *spec, FieldErrors *errors)
{
	const json_t *selector_json = json_map(spec, "selector");
	const json_t *labels = json_at(spec, "template", "metadata", "labels", NULL);
	bool daemon = strcmp(resource->key, "daemonsets.apps") == 0;
	autoerror Error err = {0};
	if (!selector_json && !daemon)
		field_error(errors, "Required value", "spec.selector", "%s", "");
	autoselector Selector *selector =
		selector_json ? selector_of_json(selector_json, &err) : NULL;
	if (selector_json && !selector) {
		bool stateful = strcmp(resource->key, "statefulsets.apps") == 0;
		autofree char *given = json_dump(selector_json);
		if (!daemon)
			field_error(errors, "Invalid value", "spec.selector", "%s%s", given,
				    stateful ? "" : ": invalid label selector");
		return;
	}
	if (selector && selector_is_empty(selector)) {
		field_error(errors, "Invalid value", "spec.selector",
			    "{}: empty selector is invalid for %s", resource->singular);
	}
	if (selector && selector_matches(selector, labels))
		return;
	autofree char *shown = labels ? json_dump(labels) : mem_strdup("null");
	field_error(errors, "Invalid value", "spec.template.metadata.labels",
		    "%s: `selector` does not match template `labels`", shown);
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

/* Credentials of registries are JSON; what is no JSON is not quoted. */
static void check_pull_secret(const char *coded, const char *path, FieldErrors *errors)
{
	enum { DEPTH_ENOUGH = 1536 * 1024 };
	autobuf Buf text = {0};
	autoerror Error err = {0};
	if (!base64_decode(coded, strlen(coded), &text, &err))
		return; /* told by its own rule */
	autojson json_t *value = json_parse(buf_text(&text), text.len, DEPTH_ENOUGH, &err);
	if (!value)
		field_error(errors, "Invalid value", path,
			    "\"<secret contents redacted>\": is no JSON");
}

/* What a Secret of a type must hold. */
static void check_secret(const json_t *object, FieldErrors *errors)
{
	static const struct {
		const char *type, *keys[2];
	} needed[] = {
		{"kubernetes.io/tls", {"tls.crt", "tls.key"}},
		{"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}},
		{"kubernetes.io/dockercfg", {".dockercfg"}},
		{"kubernetes.io/ssh-auth", {"ssh-privatekey"}},
	};
	const char *type = json_text_or(object, "type", "");
	for (size_t i = 0; i < COUNT(needed); i++) {
		for (size_t k = 0; k < COUNT(needed[i].keys) && needed[i].keys[k]; k++) {
			autofree char *path = mem_printf("data[%s]", needed[i].keys[k]);
			const char *value = json_text(json_map(object, "data"), needed[i].keys[k]);
			if (strcmp(needed[i].type, type) != 0)
				continue;
			if (!value)
				field_error(errors, "Required value", path, "%s", "");
			else if (cstr_starts(needed[i].keys[k], ".docker"))
				check_pull_secret(value, path, errors);
		}
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

#define RBAC_GROUP "rbac.authorization.k8s.io"

static void unsupported(FieldErrors *errors, const char *path, const char *member,
			const char *given, const char *supported)
{
	autofree char *where = mem_printf("%s.%s", path, member);
	field_error(errors, "Unsupported value", where, "\"%s\": supported values: %s", given,
		    supported);
}

static void check_subject(const json_t *subject, const char *path, bool in_namespace,
			  FieldErrors *errors)
{
	const char *kind = json_text_or(subject, "kind", "");
	const char *group = json_text_or(subject, "apiGroup", "");
	bool account = strcmp(kind, "ServiceAccount") == 0;
	autofree char *name_path = mem_printf("%s.name", path);
	autofree char *namespace_path = mem_printf("%s.namespace", path);
	if (cstr_empty(json_text(subject, "name")))
		field_error(errors, "Required value", name_path, "%s", "");
	if (account && *group)
		unsupported(errors, path, "apiGroup", group, "\"\"");
	if (account && !in_namespace && cstr_empty(json_text(subject, "namespace")))
		field_error(errors, "Required value", namespace_path, "%s", "");
	if (account)
		return;
	if (strcmp(kind, "User") != 0 && strcmp(kind, "Group") != 0)
		unsupported(errors, path, "kind", kind, "\"ServiceAccount\", \"User\", \"Group\"");
	else if (strcmp(group, RBAC_GROUP) != 0)
		unsupported(errors, path, "apiGroup", group, "\"" RBAC_GROUP "\"");
}

/* What a role is bound by, and to whom (rbac validation.go). */
static void check_binding(const json_t *object, bool in_namespace, FieldErrors *errors)
{
	const json_t *role = json_map(object, "roleRef");
	const json_t *subjects = json_list(object, "subjects");
	const char *group = json_text_or(role, "apiGroup", "");
	const char *kind = json_text_or(role, "kind", "");
	bool known =
		strcmp(kind, "ClusterRole") == 0 || (in_namespace && strcmp(kind, "Role") == 0);
	/* One that is not given has its default. */
	if (*group && strcmp(group, RBAC_GROUP) != 0)
		unsupported(errors, "roleRef", "apiGroup", group, "\"" RBAC_GROUP "\"");
	if (!known)
		unsupported(errors, "roleRef", "kind", kind,
			    in_namespace ? "\"Role\", \"ClusterRole\"" : "\"ClusterRole\"");
	if (cstr_empty(json_text(role, "name")))
		field_error(errors, "Required value", "roleRef.name", "%s", "");
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		autofree char *path = mem_printf("subjects[%zu]", i);
		check_subject(json_array_get(subjects, i), path, in_namespace, errors);
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
	bool to_status = strcmp(request->path.subresource, "status") == 0;
	if (!to_status && listed_in(resource->key, workloads))
		check_selector(resource, json_map(object, "spec"), errors);
	validate_builtin(request, object, to_status, errors);
	bool balanced = cstr_eq(json_text(json_map(object, "spec"), "type"), "LoadBalancer");
	if (to_status && strcmp(resource->key, "services") == 0 && !balanced &&
	    json_array_size(json_at(object, "status", "loadBalancer", "ingress", NULL)) > 0)
		field_error(errors, "Forbidden", "status.loadBalancer.ingress",
			    "may only be used when `spec.type` is 'LoadBalancer'");
	if (to_status)
		return;
	if (strcmp(resource->key, CRD_KEY) == 0)
		crd_validate(object, live, errors);
	else if (listed_in(resource->key, roles))
		check_role(object, errors);
	else if (strcmp(resource->plural, "rolebindings") == 0)
		check_binding(object, true, errors);
	else if (strcmp(resource->plural, "clusterrolebindings") == 0)
		check_binding(object, false, errors);
	else if (listed_in(resource->key, data_kinds)) {
		check_data_keys(object, "data", errors);
		check_data_keys(object, "binaryData", errors);
		if (strcmp(resource->key, "secrets") == 0)
			check_secret(object, errors);
	}
	if (!live)
		return;
	check_immutable(resource, object, live, errors);
	check_frozen(resource, object, live, errors);
	if (listed_in(resource->key, data_kinds))
		check_immutable_data(object, live, errors);
}
