/* Asking objects to reconcile: a merge patch of their annotation (notification.md 8 "Resources").
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "receiver.h"

#define SOURCE_V1 "source.toolkit.fluxcd.io/v1"

/* N92: the other kinds need an apiVersion. */
static const char *default_version(const char *kind)
{
	static const struct {
		const char *kind, *api_version;
	} rows[] = {
		{"Bucket", SOURCE_V1},
		{"HelmChart", SOURCE_V1},
		{"HelmRepository", SOURCE_V1},
		{"GitRepository", SOURCE_V1},
		{"OCIRepository", SOURCE_V1},
		{"ImageRepository", "image.toolkit.fluxcd.io/v1"},
		{"ArtifactGenerator", "source.extensions.fluxcd.io/v1beta1"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(rows[i].kind, kind))
			return rows[i].api_version;
	return NULL;
}

typedef struct {
	NotificationContext *context;
	const char *api_version, *kind, *ns;
	const json_t *patch;
} Ask;

static bool patch_one(const Ask *ask, const char *name, Error *err)
{
	autojson json_t *reply = kube_do(manager_client(ask->context->manager),
					 &(KubeRequest){.verb = KUBE_MERGE_PATCH,
							.api_version = ask->api_version,
							.kind = ask->kind,
							.ns = ask->ns,
							.name = name,
							.body = ask->patch,
							.metadata_only = true},
					 err);
	if (!reply)
		return err_wrap(err, "failed to annotate %s/%s.%s", ask->kind, name, ask->ns);
	log_info(manager_log(ask->context->manager), "resource annotated", "kind", ask->kind,
		 "name", name, "namespace", ask->ns, NULL);
	return true;
}

/* "k=v,k2=v2"; owned. */
static char *selector_text(const json_t *labels)
{
	Buf out = {0};
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(labels), key, value)
	{
		buf_printf(&out, "%s%s=%s", out.len ? "," : "", key,
			   json_string_value(value) ? json_string_value(value) : "");
	}
	return buf_steal(&out);
}

/* All that the labels match; one that fails does not keep the others from it. */
static bool patch_matching(const Ask *ask, const json_t *labels, Error *err)
{
	if (!labels)
		return err_set(err, ERR_INVALID,
			       "matchLabels is needed where the name is the wildcard '*'");
	autofree char *selector = selector_text(labels);
	autojson json_t *list = kube_do(manager_client(ask->context->manager),
					&(KubeRequest){.verb = KUBE_LIST,
						       .api_version = ask->api_version,
						       .kind = ask->kind,
						       .ns = ask->ns,
						       .label_selector = selector,
						       .metadata_only = true},
					err);
	if (!list)
		return err_wrap(err, "failed to list %s in %s", ask->kind, ask->ns);
	const json_t *items = json_list(list, "items");
	if (!json_array_size(items))
		log_info(manager_log(ask->context->manager), "no resources match the labels",
			 "kind", ask->kind, "namespace", ask->ns, NULL);
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(items), i, item)
	{
		autoerror Error failure = {0};
		if (!patch_one(ask, object_name(item), &failure) && !err_is_set(err))
			err_move(err, &failure);
	}
	return !err_is_set(err);
}

static bool annotate(NotificationContext *context, const json_t *resource, const char *own_ns,
		     const json_t *patch, Error *err)
{
	const char *kind = json_text_or(resource, "kind", "");
	const char *name = json_text_or(resource, "name", "");
	const char *ns = json_text_or(resource, "namespace", own_ns);
	const char *version = json_text(resource, "apiVersion");
	if (context->flags->no_cross_namespace_refs && !cstr_eq(ns, own_ns))
		return err_set(err, ERR_FORBIDDEN, "cross-namespace references are not allowed");
	if (cstr_empty(version))
		version = default_version(kind);
	if (!version)
		return err_set(err, ERR_INVALID, "apiVersion must be specified for kind '%s'",
			       kind);
	Ask ask = {context, version, kind, ns, patch};
	return cstr_eq(name, "*") ? patch_matching(&ask, json_map(resource, "matchLabels"), err)
				  : patch_one(&ask, name, err);
}

bool webhook_annotate(NotificationContext *context, const json_t *receiver)
{
	char now[CLOCK_TEXT_SIZE];
	clock_format_us(clock_wall_ns() / 1000, now);
	autojson json_t *patch =
		json_pack("{s:{s:{s:s}}}", "metadata", "annotations", FLUX_REQUESTED_AT, now);
	bool good = true;
	size_t i;
	json_t *resource;
	json_array_foreach(json_list(json_map(receiver, "spec"), "resources"), i, resource)
	{
		autoerror Error err = {0};
		if (annotate(context, resource, object_namespace(receiver), patch, &err))
			continue;
		log_error(manager_log(context->manager), &err, "unable to request reconciliation",
			  "receiver", object_name(receiver), "namespace",
			  object_namespace(receiver), NULL);
		good = false;
	}
	return good;
}
