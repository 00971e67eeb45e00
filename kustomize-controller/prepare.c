/*
 * Built objects to what is sent (facts 6.1): owner labels, commonMetadata, no status, stringData
 * merged, no caBundle that holds none, namespaces checked against the kind's scope.
 */
#include "internal.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/base64.h"
#include "net/tls.h"

static void put_all(json_t *target, const json_t *values)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		json_object_set(target, key, value);
	}
}

void prepare_metadata(const Kustomization *ks, json_t *object)
{
	const json_t *common = json_map(ks->spec, "commonMetadata");
	json_t *labels = json_make_at(object, "metadata", "labels", NULL);
	if (json_map(common, "labels"))
		put_all(labels, json_map(common, "labels"));
	if (json_map(common, "annotations"))
		put_all(json_make_at(object, "metadata", "annotations", NULL),
			json_map(common, "annotations"));
	json_put_text(labels, KS_OWNER_NAME, ks->name);
	json_put_text(labels, KS_OWNER_NAMESPACE, ks->ns);
}

/* A key removed from stringData must leave the cluster: as data it is owned, and dropped (K63).
 * null, which an empty variable leaves (K37), is no text. */
static void merge_string_data(json_t *secret)
{
	json_t *values = json_map(secret, "stringData");
	if (!values)
		return;
	json_t *data = json_make_at(secret, "data", NULL);
	const char *key;
	json_t *value;
	json_object_foreach(values, key, value)
	{
		bool is_text = json_is_string(value);
		autofree char *text = is_text || json_is_null(value) ? NULL : json_dump(value);
		const char *plain = is_text ? json_string_value(value) : text ? text : "";
		size_t len = is_text ? json_string_length(value) : strlen(plain);
		autofree char *encoded = base64_encode(plain, len);
		json_put_text(data, key, encoded);
	}
	json_object_del(secret, "stringData");
}

static bool holds_certificate(const char *bundle)
{
	autobuf Buf pem = {0};
	autoerror Error err = {0};
	if (!base64_decode(bundle, strlen(bundle), &pem, &err))
		return false;
	TlsIdentity *identity = tls_identity_new(&(TlsConfig){.ca_pem = buf_text(&pem)}, &err);
	bool holds = identity != NULL;
	tls_identity_free(identity);
	return holds;
}

/* What generators write where somebody else fills it in later; API servers since 1.31 refuse it
 * (6.1). */
static void drop_invalid_bundle(json_t *definition)
{
	json_t *config = json_at(definition, "spec", "conversion", "webhook", "clientConfig", NULL);
	const char *bundle = json_text(config, "caBundle");
	if (!cstr_empty(bundle) && !holds_certificate(bundle))
		json_object_del(config, "caBundle");
}

static void clean_object(json_t *object)
{
	json_t *metadata = json_map(object, "metadata");
	static const char *const server_set[] = {"creationTimestamp", "managedFields",
						 "resourceVersion",   "uid",
						 "generation",	      "selfLink"};
	for (size_t i = 0; i < COUNT(server_set); i++)
		json_object_del(metadata, server_set[i]);
	if (object_is_definition(object))
		drop_invalid_bundle(object);
	else
		json_object_del(object, "status");
	if (object_is_of(object, "", "Secret"))
		merge_string_data(object);
}

/* The scope that a CRD of this very build gives a kind, before the server serves it. */
static bool scope_from_build(const KustomizeResult *result, const json_t *object,
			     bool *out_namespaced)
{
	for (size_t i = 0; i < result->len; i++) {
		const json_t *crd = result->items[i].object;
		const json_t *spec = json_map(crd, "spec");
		if (!object_is_definition(crd) || !json_text(spec, "group") ||
		    !api_is_of(object_api_version(object), json_text(spec, "group")) ||
		    !cstr_eq(json_text_at(spec, "names", "kind", NULL), object_kind(object)))
			continue;
		*out_namespaced = cstr_eq(json_text(spec, "scope"), "Namespaced");
		return true;
	}
	return false;
}

static bool set_scope(KubeClient *client, const KustomizeResult *result, json_t *object, Error *err)
{
	KubeResource resource = {.namespaced = true};
	autoerror Error lookup = {0};
	if (!kube_resource(client, object_api_version(object), object_kind(object), &resource,
			   &lookup)) {
		bool namespaced;
		if (lookup.code != ERR_NOT_FOUND || !scope_from_build(result, object, &namespaced))
			return err_move(err, &lookup);
		resource.namespaced = namespaced;
	}
	json_t *metadata = json_map(object, "metadata");
	if (!resource.namespaced)
		json_object_del(metadata, "namespace");
	else if (cstr_empty(object_namespace(object)))
		return err_set(err, ERR_INVALID, "namespace not specified");
	return true;
}

/* Of what is sent and of the rules for sending it: when either changes, the object is looked at
 * again. */
static uint64_t manifest_hash(const Kustomization *ks, const json_t *object)
{
	autofree char *text = json_dump_sorted(object);
	const json_t *ignore = json_list(ks->spec, "ignore");
	autofree char *rules = ignore ? json_dump_sorted(ignore) : mem_strdup("");
	/* What one account has applied says nothing of what another one may. */
	autofree char *account =
		mem_printf("as %s", ks->service_account ? ks->service_account : "");
	uint64_t hash = map_hash(text, strlen(text)) ^ map_hash(rules, strlen(rules)) ^
			map_hash(account, strlen(account));
	return hash | 1; /* 0 says "unknown" */
}

static bool check_object(const json_t *object, Error *err)
{
	const char *decrypt = object_annotation(object, KS_GROUP "/decrypt");
	bool opted_out = decrypt && strcasecmp(decrypt, "disabled") == 0;
	if (!opted_out && cstr_eq(object_kind(object), "Secret") && json_map(object, "sops"))
		return err_set(err, ERR_INVALID,
			       "is SOPS encrypted, configuring decryption is required for this "
			       "secret to be reconciled");
	return true;
}

bool prepare_items(const Kustomization *ks, KubeClient *client, const Vec *custom_kinds,
		   KustomizeResult *result, ItemSet *out, Error *err)
{
	for (size_t i = 0; i < result->len; i++) {
		KustomizeResource *resource = &result->items[i];
		autofree char *id = object_id(resource->object);
		clean_object(resource->object);
		prepare_metadata(ks, resource->object);
		if (!check_object(resource->object, err) ||
		    !set_scope(client, result, resource->object, err)) {
			autofree char *place = place_text(resource->file, resource->line);
			return err_wrap(err, "%s%s", id, place);
		}
		item_set_add(out, json_incref(resource->object), resource->file, resource->line);
		Item *item = &out->items[out->len - 1];
		item->stage = item_stage(item->object, custom_kinds);
		item->desired = manifest_hash(ks, item->object);
	}
	item_set_sort(out);
	return true;
}
