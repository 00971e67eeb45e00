#include "kustomize/resource.h"

#include "base/mem.h"
#include "data/written.h"

/*
 * Names are read from the tree each time, so that they cannot go stale; only the past is stored.
 */

KResource *kresource_new(json_t *take_tree, const char *file, size_t line)
{
	KResource *res = mem_zalloc(1, sizeof(*res));
	res->tree = take_tree;
	res->file = mem_strdup(file);
	res->line = line;
	return res;
}

void kresource_free(KResource *res)
{
	if (!res)
		return;
	for (size_t i = 0; i < res->previous_len; i++) {
		free(res->previous[i].ns);
		free(res->previous[i].name);
		free(res->previous[i].kind);
	}
	free(res->previous);
	free(res->hashes);
	vec_dispose_strings(&res->prefixes);
	vec_dispose_strings(&res->suffixes);
	vec_dispose_strings(&res->vars);
	json_decref(res->origin);
	json_decref(res->transformations);
	json_decref(res->tree);
	free(res->file);
	free(res);
}

const char *kresource_kind(const KResource *res)
{
	return json_text_or(res->tree, "kind", "");
}

const char *kresource_api_version(const KResource *res)
{
	return json_text_or(res->tree, "apiVersion", "");
}

const char *kresource_name(const KResource *res)
{
	return json_text_or(json_object_get(res->tree, "metadata"), "name", "");
}

const char *kresource_namespace(const KResource *res)
{
	return json_text_or(json_object_get(res->tree, "metadata"), "namespace", "");
}

const char *kresource_effective_namespace(const KResource *res)
{
	if (kgvk_is_cluster_scoped(kresource_api_version(res), kresource_kind(res)))
		return K_CLUSTER;
	const char *ns = kresource_namespace(res);
	return *ns ? ns : "default";
}

void kresource_set_name(KResource *res, const char *name)
{
	json_put_text(json_make_at(res->tree, "metadata", NULL), "name", name);
}

void kresource_set_namespace(KResource *res, const char *ns)
{
	json_put_text(json_make_at(res->tree, "metadata", NULL), "namespace",
		      cstr_empty(ns) ? NULL : ns);
}

json_t *kresource_text_value(const json_t *value)
{
	if (json_is_object(value) || json_is_array(value))
		return json_string("");
	if (written_text(value))
		return json_string_nocheck(written_text(value));
	if (json_is_string(value))
		return json_string_nocheck(json_string_value(value));
	autofree char *text = json_dump(value);
	return json_string(text);
}

KPrevious kresource_current(const KResource *res)
{
	return (KPrevious){
		.ns = (char *)(uintptr_t)kresource_effective_namespace(res),
		.name = (char *)(uintptr_t)kresource_name(res),
		.kind = (char *)(uintptr_t)kresource_kind(res),
	};
}

KPrevious kresource_original(const KResource *res)
{
	return res->previous_len ? res->previous[0] : kresource_current(res);
}

void kresource_remember(KResource *res)
{
	KPrevious now = kresource_current(res);
	res->previous = mem_realloc(res->previous, (res->previous_len + 1) * sizeof(KPrevious));
	res->previous[res->previous_len++] =
		(KPrevious){mem_strdup(now.ns), mem_strdup(now.name), mem_strdup(now.kind)};
}

char *kresource_text(const KResource *res)
{
	/* A patch need not say its apiVersion. */
	const char *ns = kresource_namespace(res), *version = kresource_api_version(res);
	return mem_printf("%s%s%s %s%s%s", version, *version ? " " : "", kresource_kind(res), ns,
			  *ns ? "/" : "", kresource_name(res));
}

Str kgroup_of(const char *api_version)
{
	Str group, version;
	if (str_cut(str_of(api_version), '/', &group, &version))
		return group;
	return (Str){"", 0};
}

Str kversion_of(const char *api_version)
{
	Str group, version;
	if (str_cut(str_of(api_version), '/', &group, &version))
		return version;
	return group;
}

bool kgvk_is_cluster_scoped(const char *api_version, const char *kind)
{
	/* Facts 3: known to the schema of Kubernetes 1.21; `beta`: also as v1beta1. */
	static const struct {
		const char *kind, *group;
		bool stable, beta;
	} rows[] = {
		{"Namespace", "", true, false},
		{"Node", "", true, false},
		{"NodeProxyOptions", "", true, false},
		{"PersistentVolume", "", true, false},
		{"ComponentStatus", "", true, false},
		{"ClusterRole", "rbac.authorization.k8s.io", true, true},
		{"ClusterRoleBinding", "rbac.authorization.k8s.io", true, true},
		{"CustomResourceDefinition", "apiextensions.k8s.io", true, true},
		{"APIService", "apiregistration.k8s.io", true, true},
		{"MutatingWebhookConfiguration", "admissionregistration.k8s.io", true, true},
		{"ValidatingWebhookConfiguration", "admissionregistration.k8s.io", true, true},
		{"CertificateSigningRequest", "certificates.k8s.io", true, true},
		{"IngressClass", "networking.k8s.io", true, true},
		{"RuntimeClass", "node.k8s.io", true, true},
		{"PriorityClass", "scheduling.k8s.io", true, true},
		{"StorageClass", "storage.k8s.io", true, true},
		{"CSIDriver", "storage.k8s.io", true, true},
		{"CSINode", "storage.k8s.io", true, true},
		{"VolumeAttachment", "storage.k8s.io", true, true},
		{"PodSecurityPolicy", "policy", false, true},
		{"FlowSchema", "flowcontrol.apiserver.k8s.io", false, true},
		{"PriorityLevelConfiguration", "flowcontrol.apiserver.k8s.io", false, true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].kind[0] != kind[0] || strcmp(rows[i].kind, kind) != 0)
			continue;
		Str version = kversion_of(api_version);
		return str_eq(kgroup_of(api_version), str_of(rows[i].group)) &&
		       ((rows[i].stable && str_eq(version, STR("v1"))) ||
			(rows[i].beta && str_eq(version, STR("v1beta1"))));
	}
	return false;
}

bool kgvk_selected(const char *group, const char *version, const char *kind,
		   const char *api_version, const char *have_kind)
{
	if (!cstr_empty(kind) && !cstr_eq(kind, have_kind))
		return false;
	if (!cstr_empty(group) && !str_eq(str_of(group), kgroup_of(api_version)))
		return false;
	return cstr_empty(version) || str_eq(str_of(version), kversion_of(api_version));
}
