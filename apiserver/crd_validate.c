/*
 * What a CustomResourceDefinition itself must keep (apiextensions validation.go). The real server
 * holds a definition in an older shape, in which what all versions share stands once, above them:
 * hence paths such as spec.validation.openAPIV3Schema.
 */
#include "crd_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel_rules.h"
#include "names.h"
#include "schema.h"

/* Whether the old definition has the same schema in the version of that name. */
static bool is_unchanged(const json_t *version, const json_t *schema, const json_t *old)
{
	const json_t *versions = json_at(old, "spec", "versions", NULL);
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *other = json_array_get(versions, i);
		if (strcmp(json_text_or(other, "name", ""), json_text_or(version, "name", "")) != 0)
			continue;
		const json_t *other_schema = json_at(other, "schema", "openAPIV3Schema", NULL);
		return other_schema && json_equal(json_borrow(schema), json_borrow(other_schema));
	}
	return false;
}

/* A member that all versions share, and so stands once; NULL else. Borrowed. */
static const json_t *shared_member(const json_t *versions, const char *member)
{
	const json_t *first = json_object_get(json_array_get(versions, 0), member);
	for (size_t i = 1; first && i < json_array_size(versions); i++) {
		const json_t *other = json_object_get(json_array_get(versions, i), member);
		if (!other || !json_equal(json_borrow(first), json_borrow(other)))
			return NULL;
	}
	return first;
}

static bool has_status(const json_t *version)
{
	return json_at(version, "subresources", "status", NULL) != NULL;
}

static bool any_status(const json_t *versions)
{
	for (size_t i = 0; i < json_array_size(versions); i++)
		if (has_status(json_array_get(versions, i)))
			return true;
	return false;
}

/* What was stored stays as it is but for its expressions: definitions from before these rules
 * must still lose their finalizers. */
static void validate_schema(const json_t *version, bool status, const json_t *old, const char *path,
			    FieldErrors *errors)
{
	const json_t *schema = json_at(version, "schema", "openAPIV3Schema", NULL);
	bool unchanged = is_unchanged(version, schema, old);
	if (!unchanged)
		crd_check_schema(schema, status, path, errors);
	else if (schema_has_rules(schema))
		cel_rules_check_definition(schema, true, true, path, errors);
}

static void validate_schemas(const json_t *versions, const json_t *old, FieldErrors *errors)
{
	bool shared = shared_member(versions, "schema") != NULL;
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		autofree char *own = mem_printf("spec.versions[%zu].schema.openAPIV3Schema", i);
		const char *path = shared ? "spec.validation.openAPIV3Schema" : own;
		bool status = shared ? any_status(versions) : has_status(version);
		if (!json_at(version, "schema", "openAPIV3Schema", NULL))
			field_error(errors, "Required value", own, "%s", "");
		else if (i == 0 || !shared)
			validate_schema(version, status, old, path, errors);
	}
}

/* --- subresources and columns --- */

static void check_scale_path(const json_t *scale, const char *member, const char *const *roots,
			     const char *path, FieldErrors *errors)
{
	const char *given = json_text_or(scale, member, "");
	bool optional = roots[1] != NULL, under = false;
	autofree char *where = mem_printf("%s.scale.%s", path, member);
	for (size_t i = 0; roots[i]; i++)
		under |= cstr_starts(given, roots[i]);
	const char *why = optional			    ? "either .spec or .status"
			  : strcmp(roots[0], ".spec.") == 0 ? ".spec"
							    : ".status";
	if (!*given && !optional)
		field_error(errors, "Required value", where, "%s", "");
	else if (*given && *given != '.')
		field_error(errors, "Invalid value", where,
			    "\"%s\": must be a simple json path starting with .", given);
	else if (*given && !under)
		field_error(errors, "Invalid value", where,
			    "\"%s\": should be a json path under %s", given, why);
}

static void validate_subresources(const json_t *parts, const char *path, FieldErrors *errors)
{
	static const char *const spec[] = {".spec.", NULL}, *const status[] = {".status.", NULL},
				 *const both[] = {".spec.", ".status.", NULL};
	const json_t *scale = json_map(parts, "scale");
	if (!scale)
		return;
	check_scale_path(scale, "specReplicasPath", spec, path, errors);
	check_scale_path(scale, "statusReplicasPath", status, path, errors);
	check_scale_path(scale, "labelSelectorPath", both, path, errors);
}

static void check_column_word(const json_t *column, const char *member, const char *known,
			      bool required, const char *path, FieldErrors *errors)
{
	const char *given = json_text_or(column, member, "");
	autofree char *where = schema_path_key(path, member);
	autofree char *listed = mem_printf(",%s,", known);
	autofree char *sought = mem_printf(",%s,", given);
	if (!*given && required)
		field_error(errors, "Required value", where, "must be one of %s", known);
	else if (*given && !strstr(listed, sought))
		field_error(errors, "Invalid value", where, "\"%s\": must be one of %s", given,
			    known);
}

static void validate_columns(const json_t *columns, const char *path, FieldErrors *errors)
{
	for (size_t i = 0; i < json_array_size(columns); i++) {
		const json_t *column = json_array_get(columns, i);
		autofree char *where = schema_path_index(path, i);
		autofree char *name_path = schema_path_key(where, "name");
		autofree char *json_path = schema_path_key(where, "JSONPath");
		const char *given = json_text_or(column, "jsonPath", "");
		if (cstr_empty(json_text(column, "name")))
			field_error(errors, "Required value", name_path, "%s", "");
		check_column_word(column, "type", "boolean,date,integer,number,string", true, where,
				  errors);
		check_column_word(column, "format",
				  "byte,date,date-time,double,float,int32,int64,password", false,
				  where, errors);
		if (!*given)
			field_error(errors, "Required value", json_path, "%s", "");
		else if (*given != '.')
			field_error(errors, "Invalid value", json_path,
				    "\"%s\": must be a simple json path starting with .", given);
	}
}

static void validate_parts(const json_t *versions, FieldErrors *errors)
{
	static const char *const members[] = {"subresources", "additionalPrinterColumns"};
	for (size_t k = 0; k < COUNT(members); k++) {
		bool shared = shared_member(versions, members[k]) != NULL;
		for (size_t i = 0; i < (shared ? 1 : json_array_size(versions)); i++) {
			const json_t *version = json_array_get(versions, i);
			autofree char *path =
				shared ? mem_printf("spec.%s", members[k])
				       : mem_printf("spec.versions[%zu].%s", i, members[k]);
			const json_t *part = json_object_get(version, members[k]);
			if (k == 0)
				validate_subresources(part, path, errors);
			else
				validate_columns(part, path, errors);
		}
	}
}

static void check_label(const char *text, const char *path, FieldErrors *errors)
{
	name_check_word(text, false, path, errors);
}

/* Names by which people and paths call the kind (apiextensions validation.go). */
static void validate_names(const json_t *names, FieldErrors *errors)
{
	static const struct {
		const char *member;
		bool mixed;
	} words[] = {{"plural", false}, {"singular", false}, {"kind", true}, {"listKind", true}};
	static const char *const lists[] = {"shortNames", "categories"};
	for (size_t i = 0; i < COUNT(words); i++) {
		autofree char *path = mem_printf("spec.names.%s", words[i].member);
		name_check_word(json_text_or(names, words[i].member, ""), words[i].mixed, path,
				errors);
	}
	for (size_t i = 0; i < COUNT(lists); i++) {
		const json_t *list = json_list(names, lists[i]);
		for (size_t k = 0; k < json_array_size(list); k++) {
			autofree char *path = mem_printf("spec.names.%s[%zu]", lists[i], k);
			const char *word = json_string_value(json_array_get(list, k));
			check_label(word ? word : "", path, errors);
		}
	}
	const char *kind = json_text_or(names, "kind", "");
	if (*kind && strcmp(kind, json_text_or(names, "listKind", "")) == 0)
		field_error(errors, "Invalid value", "spec.names.listKind",
			    "\"%s\": kind and listKind may not be the same", kind);
}

/* --- versions --- */

static void validate_versions(const json_t *versions, FieldErrors *errors)
{
	size_t storage = 0;
	autojson json_t *seen = json_object();
	for (size_t i = 0; i < json_array_size(versions); i++) {
		const json_t *version = json_array_get(versions, i);
		const char *name = json_text_or(version, "name", "");
		autofree char *path = mem_printf("spec.versions[%zu].name", i);
		check_label(name, path, errors);
		if (i == 0)
			check_label(name, "spec.version", errors);
		storage += json_flag(version, "storage", false);
		json_object_set_new(seen, name, json_true());
	}
	if (json_object_size(seen) < json_array_size(versions))
		field_error(errors, "Invalid value", "spec.versions",
			    "must contain unique version names");
	if (storage != 1)
		field_error(errors, "Invalid value", "spec.versions",
			    "must have exactly one version marked as storage version");
}

static bool has_version(const json_t *versions, const char *name)
{
	for (size_t i = 0; i < json_array_size(versions); i++)
		if (cstr_eq(json_text(json_array_get(versions, i), "name"), name))
			return true;
	return false;
}

static bool is_stored(const json_t *stored, const char *name)
{
	for (size_t i = 0; i < json_array_size(stored); i++)
		if (cstr_eq(json_string_value(json_array_get(stored, i)), name))
			return true;
	return false;
}

static void validate_storage(const json_t *versions, const json_t *stored, FieldErrors *errors)
{
	static const char path[] = "status.storedVersions";
	autofree char *shown = json_dump_go(stored);
	if (json_array_size(stored) == 0)
		field_error(errors, "Invalid value", path,
			    "%s: must have at least one stored version", shown);
	for (size_t i = 0; i < json_array_size(versions) && json_array_size(stored) > 0; i++) {
		const json_t *version = json_array_get(versions, i);
		const char *name = json_text_or(version, "name", "");
		if (json_flag(version, "storage", false) && !is_stored(stored, name))
			field_error(errors, "Invalid value", path,
				    "%s: must have the storage version %s", shown, name);
	}
}

/* Objects may still be stored with them. */
static void validate_stored(const json_t *crd, FieldErrors *errors)
{
	const json_t *versions = json_list(json_map(crd, "spec"), "versions");
	const json_t *stored = json_list(json_map(crd, "status"), "storedVersions");
	validate_storage(versions, stored, errors);
	for (size_t i = 0; i < json_array_size(stored); i++) {
		const char *name = json_string_value(json_array_get(stored, i));
		autofree char *path = mem_printf("status.storedVersions[%zu]", i);
		if (name && !has_version(versions, name))
			field_error(errors, "Invalid value", path,
				    "\"%s\": missing from spec.versions; %s was previously a "
				    "storage version, and must remain in spec.versions until a "
				    "storage migration ensures no data remains persisted in %s and "
				    "removes %s from status.storedVersions",
				    name, name, name, name);
	}
}

/* --- conversion --- */

static void validate_service(const json_t *service, const char *path, FieldErrors *errors)
{
	static const char *const needed[] = {"name", "namespace"};
	for (size_t i = 0; i < COUNT(needed); i++) {
		autofree char *where = schema_path_key(path, needed[i]);
		if (cstr_empty(json_text(service, needed[i])))
			field_error(errors, "Required value", where, "%s", "");
	}
	enum { PORT_MAX = 65535, PORT_HTTPS = 443 };
	int64_t port = json_int(service, "port", PORT_HTTPS);
	autofree char *port_path = schema_path_key(path, "port");
	if (port < 1 || port > PORT_MAX)
		field_error(errors, "Invalid value", port_path,
			    "%lld: port is not valid: must be between 1 and 65535, inclusive",
			    (long long)port);
	const char *given = json_text_or(service, "path", "/");
	autofree char *path_path = schema_path_key(path, "path");
	if (*given && *given != '/')
		field_error(errors, "Invalid value", path_path, "\"%s\": must start with a '/'",
			    given);
}

static void validate_client(const json_t *client, FieldErrors *errors)
{
	static const char path[] = "spec.conversion.webhookClientConfig";
	const char *url = json_text(client, "url");
	const json_t *service = json_map(client, "service");
	if (!client)
		field_error(errors, "Required value", path,
			    "required when strategy is set to Webhook");
	else if ((url != NULL) == (service != NULL))
		field_error(errors, "Required value", path,
			    "exactly one of url or service is required");
	else if (service)
		validate_service(service, "spec.conversion.webhookClientConfig.service", errors);
	else if (!cstr_starts(url, "https://"))
		field_error(errors, "Invalid value", "spec.conversion.webhookClientConfig.url",
			    "\"%.*s\": 'https' is the only allowed URL scheme; desired format: "
			    "https://host[/path]",
			    (int)strcspn(url, ":"), url);
}

static void validate_reviews(const json_t *list, FieldErrors *errors)
{
	static const char path[] = "spec.conversion.conversionReviewVersions";
	bool known = false;
	autojson json_t *seen = json_object();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		autofree char *where = schema_path_index(path, i);
		if (name && json_object_get(seen, name))
			field_error(errors, "Invalid value", where, "\"%s\": duplicate version",
				    name);
		else if (name)
			check_label(name, where, errors);
		known |= cstr_eq(name, "v1") || cstr_eq(name, "v1beta1");
		if (name)
			json_object_set_new(seen, name, json_true());
	}
	autofree char *shown = list ? json_dump_go(list) : mem_strdup("null");
	if (json_array_size(list) == 0)
		field_error(errors, "Required value", path, "%s", "");
	else if (!known)
		field_error(errors, "Invalid value", path,
			    "%s: must include at least one of v1, v1beta1", shown);
}

static void validate_conversion(const json_t *conversion, FieldErrors *errors)
{
	const char *strategy = json_text_or(conversion, "strategy", "");
	const json_t *webhook = json_map(conversion, "webhook");
	const json_t *client = json_map(webhook, "clientConfig");
	const json_t *reviews = json_list(webhook, "conversionReviewVersions");
	static const char needless[] = "should not be set when strategy is not set to Webhook";
	if (!*strategy)
		field_error(errors, "Required value", "spec.conversion.strategy", "%s", "");
	else if (strcmp(strategy, "None") != 0 && strcmp(strategy, "Webhook") != 0)
		field_error(errors, "Unsupported value", "spec.conversion.strategy",
			    "\"%s\": supported values: \"None\", \"Webhook\"", strategy);
	if (strcmp(strategy, "Webhook") == 0) {
		validate_client(client, errors);
		validate_reviews(reviews, errors);
		return;
	}
	if (client)
		field_error(errors, "Forbidden", "spec.conversion.webhookClientConfig", needless);
	if (json_array_size(reviews) > 0)
		field_error(errors, "Forbidden", "spec.conversion.conversionReviewVersions",
			    needless);
}

static void validate_scope(const json_t *spec, FieldErrors *errors)
{
	const char *group = json_text_or(spec, "group", "");
	if (!*group)
		field_error(errors, "Required value", "spec.group", "%s", "");
	else if (!strchr(group, '.'))
		field_error(errors, "Invalid value", "spec.group",
			    "\"%s\": should be a domain with at least one dot", group);
	const char *scope = json_text_or(spec, "scope", "");
	if (!*scope)
		field_error(errors, "Required value", "spec.scope", "%s", "");
	else if (strcmp(scope, "Namespaced") != 0 && strcmp(scope, "Cluster") != 0)
		field_error(errors, "Unsupported value", "spec.scope",
			    "\"%s\": supported values: \"Cluster\", \"Namespaced\"", scope);
	if (json_flag(spec, "preserveUnknownFields", false))
		field_error(errors, "Invalid value", "spec.preserveUnknownFields",
			    "true: cannot set to true, set x-kubernetes-preserve-unknown-fields to "
			    "true in spec.versions[*].schema instead");
}

void crd_validate(const json_t *crd, const json_t *old, FieldErrors *errors)
{
	const json_t *spec = json_map(crd, "spec");
	const json_t *names = json_map(spec, "names");
	const json_t *versions = json_list(spec, "versions");
	autofree char *name = mem_printf("%s.%s", json_text_or(names, "plural", ""),
					 json_text_or(spec, "group", ""));
	const char *given = json_text_or(json_map(crd, "metadata"), "name", "");
	if (!old && strcmp(name, given) != 0)
		field_error(errors, "Invalid value", "metadata.name",
			    "\"%s\": must be spec.names.plural+\".\"+spec.group", given);
	validate_scope(spec, errors);
	validate_versions(versions, errors);
	validate_schemas(versions, old, errors);
	validate_parts(versions, errors);
	if (!*json_text_or(names, "plural", ""))
		field_error(errors, "Required value", "spec.names.plural", "%s", "");
	if (!*json_text_or(names, "kind", ""))
		field_error(errors, "Required value", "spec.names.kind", "%s", "");
	validate_names(names, errors);
	validate_conversion(json_map(spec, "conversion"), errors);
	validate_stored(crd, errors);
}
