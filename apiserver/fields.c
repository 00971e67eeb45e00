/* Field selectors: terms of path, operator and value, all of which must hold. */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "convert.h"
#include "object.h"

typedef struct {
	char *path, *value;
	bool equal;
} Term;

struct FieldSelector {
	Vec terms;
};

static const struct {
	const char *resource, *fields;
} known[] = {
	{"pods", "spec.nodeName,spec.restartPolicy,spec.schedulerName,spec.serviceAccountName,"
		 "spec.hostNetwork,status.phase,status.podIP,status.podIPs,"
		 "status.nominatedNodeName"},
	{"events", "involvedObject.kind,involvedObject.namespace,involvedObject.name,"
		   "involvedObject.uid,involvedObject.apiVersion,involvedObject.resourceVersion,"
		   "involvedObject.fieldPath,reason,reportingComponent,source,type"},
	{"events.events.k8s.io", "reason,type,regarding.kind,regarding.name,regarding.namespace"},
	{"secrets", "type"},
	{"namespaces", "status.phase"},
	{"nodes", "spec.unschedulable"},
	{"services", "spec.clusterIP,spec.type"},
	{"replicasets.apps", "status.replicas"},
	{"replicationcontrollers", "status.replicas"},
	{"jobs.batch", "status.successful"},
	{"certificatesigningrequests.certificates.k8s.io", "spec.signerName"},
};

static bool listed(const char *list, const char *field)
{
	Str rest = str_of(list);
	Str piece;
	while (str_next(&rest, ',', &piece))
		if (str_eq(piece, str_of(field)))
			return true;
	return false;
}

static bool is_known(const Resource *resource, const char *field)
{
	if (strcmp(field, "metadata.name") == 0 || strcmp(field, "metadata.namespace") == 0)
		return true;
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].resource, resource->key) == 0)
			return listed(known[i].fields, field);
	for (size_t i = 0; i < json_array_size(resource->selectable); i++) {
		const char *path = json_text(json_array_get(resource->selectable, i), "jsonPath");
		if (path && *path == '.' && strcmp(path + 1, field) == 0)
			return true;
	}
	return false;
}

/* Kinds with field labels of their own, which are refused in other words. */
static bool has_labels(const Resource *resource)
{
	bool own = resource_has(resource, KIND_CUSTOM);
	for (size_t i = 0; i < COUNT(known); i++)
		own = own || strcmp(known[i].resource, resource->key) == 0;
	return own;
}

static void term_free(void *item)
{
	Term *term = item;
	free(term->path);
	free(term->value);
	free(term);
}

void field_selector_free(FieldSelector *selector)
{
	if (!selector)
		return;
	vec_dispose_with(&selector->terms, term_free);
	free(selector);
}

static bool parse_term(const Resource *resource, Str text, FieldSelector *out, Status *status)
{
	ptrdiff_t at = str_find_char(text, '=');
	if (at < 1)
		return status_bad_request(status,
					  "invalid selector: '%.*s'; can't understand '%.*s'",
					  (int)text.len, text.ptr, (int)text.len, text.ptr);
	bool differs = text.ptr[at - 1] == '!';
	Str path = str_slice(text, 0, (size_t)at - (differs ? 1 : 0));
	Str value = str_slice(text, (size_t)at + 1, text.len);
	if (!differs && str_starts(value, STR("=")))
		value = str_slice(value, 1, value.len);
	Term *term = mem_zalloc(1, sizeof(*term));
	*term = (Term){str_dup(str_trim(path)), str_dup(value), !differs};
	vec_push(&out->terms, term);
	if (is_known(resource, term->path)) {
		char *stored;
		if (convert_field(resource, term->path, &stored)) {
			free(term->path);
			term->path = stored;
		}
		return true;
	}
	if (has_labels(resource))
		return status_bad_request(status, "field label not supported: %s", term->path);
	return status_bad_request(status,
				  "\"%s\" is not a known field selector: only \"metadata.name\", "
				  "\"metadata.namespace\"",
				  term->path);
}

FieldSelector *field_selector_parse(const Resource *resource, const char *text, Status *status)
{
	FieldSelector *selector = mem_zalloc(1, sizeof(*selector));
	Str rest = str_of(text);
	Str piece;
	while (str_next(&rest, ',', &piece)) {
		if (piece.len > 0 && !parse_term(resource, piece, selector, status)) {
			field_selector_free(selector);
			return NULL;
		}
	}
	return selector;
}

static char *text_of(const json_t *value)
{
	if (!value || json_is_null(value))
		return mem_strdup("");
	if (json_is_string(value))
		return mem_strdup(json_string_value(value));
	return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
}

static char *field_text(const json_t *object, const char *path)
{
	/* An Event's source is its component. */
	if (strcmp(path, "source") == 0)
		return text_of(object_at(object, "source.component"));
	const json_t *value = object_at(object, path);
	bool flag =
		strcmp(path, "spec.unschedulable") == 0 || strcmp(path, "spec.hostNetwork") == 0;
	if (!value && flag)
		return mem_strdup("false");
	if (!value && strcmp(path, "status.replicas") == 0)
		return mem_strdup("0");
	return text_of(value);
}

const char *field_selector_name(const FieldSelector *selector)
{
	for (size_t i = 0; i < selector->terms.len; i++) {
		const Term *term = selector->terms.items[i];
		if (term->equal && strcmp(term->path, "metadata.name") == 0)
			return term->value;
	}
	return NULL;
}

bool field_selector_matches(const FieldSelector *selector, const json_t *object)
{
	for (size_t i = 0; i < selector->terms.len; i++) {
		const Term *term = selector->terms.items[i];
		autofree char *text = field_text(object, term->path);
		if ((strcmp(text, term->value) == 0) != term->equal)
			return false;
	}
	return true;
}
