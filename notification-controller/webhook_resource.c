/* Asking objects to reconcile: a merge patch of their annotation (notification.md 8 "Resources").
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "receiver.h"
#include "receiver_exprs.h"

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
	const json_t *spec, *resource;
	const FilterData *data;
} Ask;

/* Whether the filters let an object pass; what is not known of it is asked for. */
static bool accepts(const Ask *ask, const char *name, const json_t *known, bool *out, Error *err)
{
	*out = true;
	if (!receiver_has_filter(ask->spec, ask->resource))
		return true;
	autojson json_t *object = known ? json_copy(json_borrow(known))
					: kube_do(manager_client(ask->context->manager),
						  &(KubeRequest){.verb = KUBE_GET,
								 .api_version = ask->api_version,
								 .kind = ask->kind,
								 .ns = ask->ns,
								 .name = name,
								 .metadata_only = true},
						  err);
	if (!object)
		return false;
	json_put_text(object, "apiVersion", ask->api_version);
	json_put_text(object, "kind", ask->kind);
	return receiver_filter(ask->spec, ask->resource, ask->data, object, out, err);
}

static bool patch_one(const Ask *ask, const char *name, const json_t *known, Error *err)
{
	bool accepted;
	if (!accepts(ask, name, known, &accepted, err))
		return err_wrap(err, "failed to filter %s/%s.%s", ask->kind, name, ask->ns);
	if (!accepted)
		return true;
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
		if (!patch_one(ask, object_name(item), item, &failure) && !err_is_set(err))
			err_move(err, &failure);
	}
	return !err_is_set(err);
}

static bool annotate(NotificationContext *context, const json_t *resource, const char *own_ns,
		     const json_t *patch, const json_t *spec, const FilterData *data, Error *err)
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
	Ask ask = {context, version, kind, ns, patch, spec, resource, data};
	return cstr_eq(name, "*") ? patch_matching(&ask, json_map(resource, "matchLabels"), err)
				  : patch_one(&ask, name, NULL, err);
}

static void tell(NotificationContext *context, const json_t *receiver, const Error *err)
{
	log_error(manager_log(context->manager), err, "unable to request reconciliation",
		  "receiver", object_name(receiver), "namespace", object_namespace(receiver), NULL);
}

/* The body is read only where a filter wants it. */
static bool read_data(const json_t *spec, const HttpdRequest *request, const json_t *claims,
		      FilterData *out, Error *err)
{
	bool wanted = false;
	size_t i;
	json_t *resource;
	json_array_foreach(json_list(spec, "resources"), i, resource) wanted |=
		receiver_has_filter(spec, resource);
	return !wanted || filter_data_init(out, httpd_header(request, "Content-Type"),
					   httpd_body(request), claims, err);
}

bool webhook_annotate(NotificationContext *context, const json_t *receiver,
		      const HttpdRequest *request, const json_t *claims)
{
	const json_t *spec = json_map(receiver, "spec");
	autofilterdata FilterData data = {0};
	autoerror Error failure = {0};
	if (!read_data(spec, request, claims, &data, &failure)) {
		tell(context, receiver, &failure);
		return false;
	}
	char now[CLOCK_TEXT_SIZE];
	clock_format_us(clock_wall_ns() / 1000, now);
	autojson json_t *patch =
		json_pack("{s:{s:{s:s}}}", "metadata", "annotations", FLUX_REQUESTED_AT, now);
	bool good = true;
	size_t i;
	json_t *resource;
	json_array_foreach(json_list(spec, "resources"), i, resource)
	{
		autoerror Error err = {0};
		if (annotate(context, resource, object_namespace(receiver), patch, spec, &data,
			     &err))
			continue;
		tell(context, receiver, &err);
		good = false;
	}
	return good;
}
