/*
 * References are merged in their order, inline values last. That a targetPath wins over inline
 * values is upstream's accident, and users rely on it: the maps of inline values are shared with
 * the result while a targetPath is set, so that what is set below a map is set in both, and what is
 * set at the top is overwritten by the last merge (H38).
 */
#include "values.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "data/yaml.h"
#include "helm/scalar.h"
#include "helm/strvals.h"
#include "kube/secret.h"

enum { MAX_VALUES = 5 << 20, MAX_REFERENCES = 1000 };

typedef struct {
	const char *ns;
	ValuesRead *read;
	void *arg;
	Map *sources; /* "Kind/name" -> Secret, NULL when it is not there */
	json_t *inline_values;
	json_t *result;
} Composition;

static void free_source(void *value)
{
	secret_free(value);
}

static void composition_dispose(Composition *composition)
{
	map_free(composition->sources);
	json_decref(composition->inline_values);
	json_decref(composition->result);
}
#define autocomposition __attribute__((cleanup(composition_dispose)))

/* b over a in a new map; what only one of them has is shared, not copied. */
static json_t *merge(const json_t *a, const json_t *b)
{
	json_t *out = json_copy(json_borrow(a));
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(b), key, value)
	{
		json_t *old = json_object_get(out, key);
		if (json_is_object(value) && json_is_object(old))
			json_object_set_new(out, key, merge(old, value));
		else
			json_object_set(out, key, value);
	}
	return out;
}

static void merge_in(Composition *composition, const json_t *values)
{
	json_t *merged = merge(composition->result, values);
	json_decref(composition->result);
	composition->result = merged;
}

static const char *key_of(const json_t *reference)
{
	const char *key = json_text(reference, "valuesKey");
	return cstr_empty(key) ? "values.yaml" : key;
}

/* "could not resolve ...: CAUSE" in place of what err says. */
static bool unresolved(const Composition *composition, const json_t *reference, const char *cause,
		       Error *err)
{
	ErrorCode code = err_is_set(err) ? err->code : ERR_NOT_FOUND;
	autofree char *said = mem_strdup(cause);
	error_dispose(err);
	return err_set(err, code,
		       "could not resolve%s %s chart values reference '%s/%s' with key "
		       "'%s': %s",
		       json_flag(reference, "optional", false) ? " optional" : "",
		       json_text_or(reference, "kind", ""), composition->ns,
		       json_text_or(reference, "name", ""), key_of(reference), said);
}

/* What the reference names; NULL with err unset: it is not there and may be missing. */
static const Secret *source_of(Composition *composition, const json_t *reference, Error *err)
{
	const char *kind = json_text_or(reference, "kind", "");
	const char *name = json_text_or(reference, "name", "");
	bool optional = json_flag(reference, "optional", false);
	autofree char *key = mem_printf("%s/%s", kind, name);
	if (!map_has(composition->sources, key)) {
		autojson json_t *object = composition->read(composition->arg, kind, name, err);
		bool missing = !object && err->code == ERR_NOT_FOUND;
		if (!object && !missing)
			return NULL;
		if (object)
			json_put_text(object, "kind", kind);
		Secret *secret = object ? secret_of_object(object, err) : NULL;
		if (object && !secret)
			return NULL;
		map_put(composition->sources, key, secret);
		if (missing && optional)
			error_dispose(err);
		else if (missing)
			unresolved(composition, reference, err_text(err), err);
	}
	const Secret *secret = map_get(composition->sources, key);
	if (!secret && !optional && !err_is_set(err))
		unresolved(composition, reference, "resource not found", err);
	return secret;
}

/* path=value as `--set` reads it; quoted text stays text (H36), literal text is taken as it is. */
static bool set_path(json_t *values, const char *path, Str value, bool literal, Error *err)
{
	StrvalsOptions options = {.mode = literal ? STRVALS_STRING : STRVALS_TYPED};
	autobuf Buf text = {0};
	bool quoted = value.len && strchr("'\"", value.ptr[0]) &&
		      value.ptr[value.len - 1] == value.ptr[0];
	buf_printf(&text, "%s=", path);
	if (quoted && !literal) {
		options.mode = STRVALS_STRING;
		while (value.len && strchr("'\"", value.ptr[0]))
			value = str_slice(value, 1, value.len);
		while (value.len && strchr("'\"", value.ptr[value.len - 1]))
			value = str_slice(value, 0, value.len - 1);
	}
	for (size_t i = 0; i < value.len; i++) {
		if (literal && value.ptr[i] && strchr("\\,[]{}", value.ptr[i]))
			buf_putc(&text, '\\');
		buf_putc(&text, value.ptr[i]);
	}
	bool ok = helm_strvals(values, buf_str(&text), &options, err);
	mem_wipe(text.ptr, text.cap);
	return ok;
}

static const char no_map[] = "values must be a map";

static bool merge_document(Composition *composition, Str text, Error *err)
{
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, MAX_VALUES, "values", err);
	if (!tree)
		return false;
	if (json_is_null(tree))
		return true;
	if (!json_is_object(tree))
		return err_set(err, ERR_INVALID, "%s", no_map);
	autojson json_t *values = helm_reals(tree);
	merge_in(composition, values);
	return true;
}

static bool take_value(Composition *composition, const json_t *reference, Str value, Error *err)
{
	const char *path = json_text(reference, "targetPath");
	if (cstr_empty(path))
		return merge_document(composition, value, err);
	merge_in(composition, composition->inline_values);
	return set_path(composition->result, path, value, json_flag(reference, "literal", false),
			err);
}

/* "line 2, column 5" of "values:2:5: ..."; owned, or NULL. */
static char *place_in(const char *said)
{
	Str file, line, column, rest = str_of(said);
	unsigned long long number;
	if (!str_cut(rest, ':', &file, &rest) || !str_cut(rest, ':', &line, &rest) ||
	    !str_cut(rest, ':', &column, &rest) || !str_to_u64(line, &number) ||
	    !str_to_u64(column, &number))
		return NULL;
	return mem_printf("line %.*s, column %.*s", (int)line.len, line.ptr, (int)column.len,
			  column.ptr);
}

/* What is wrong with a Secret's value, without a word of it: a parser may repeat what it read.
 * Owned. */
static char *cause_in_secret(const json_t *reference, const Error *err)
{
	const char *path = json_text(reference, "targetPath");
	if (!cstr_empty(path)) {
		autoerror Error of_path = {0};
		autojson json_t *nothing = json_object();
		bool ok = set_path(nothing, path, str_of("x"), true, &of_path);
		return mem_printf("failed to merge value%s%s", ok ? "" : ": ",
				  ok ? "" : err_text(&of_path));
	}
	autofree char *place = place_in(err_text(err));
	const char *said = cstr_eq(err_text(err), no_map) ? no_map : place;
	return mem_printf("failed to read values data%s%s", said ? ": " : "", said ? said : "");
}

static bool take_reference(Composition *composition, const json_t *reference, Error *err)
{
	const char *kind = json_text_or(reference, "kind", "");
	Str value;
	bool is_secret = cstr_eq(kind, "Secret");
	if (!is_secret && !cstr_eq(kind, "ConfigMap")) {
		err_set(err, ERR_INVALID, "unsupported values reference kind");
		return unresolved(composition, reference, err_text(err), err);
	}
	const Secret *source = source_of(composition, reference, err);
	if (!source)
		return !err_is_set(err);
	if (!secret_bytes(source, key_of(reference), &value))
		return json_flag(reference, "optional", false) ||
		       unresolved(composition, reference, "key not found", err);
	if (take_value(composition, reference, value, err))
		return true;
	autofree char *cause =
		is_secret ? cause_in_secret(reference, err) : mem_strdup(err_text(err));
	return unresolved(composition, reference, cause, err);
}

/* Of our own, with numbers as Helm has them. */
static json_t *copy_of(const json_t *said)
{
	autojson json_t *copy = said ? json_deep_copy(said) : json_object();
	return helm_reals(copy);
}

json_t *values_compose(const json_t *spec, const char *ns, ValuesRead *read, void *arg, Error *err)
{
	const json_t *references = json_list(spec, "valuesFrom"), *said = json_map(spec, "values");
	autocomposition Composition composition = {.ns = ns,
						   .read = read,
						   .arg = arg,
						   .sources = map_new(free_source),
						   .inline_values = copy_of(said),
						   .result = json_object()};
	if (json_array_size(references) > MAX_REFERENCES)
		return err_null(err, ERR_LIMIT, "more than %d entries in spec.valuesFrom",
				MAX_REFERENCES);
	for (size_t i = 0; i < json_array_size(references); i++)
		if (!take_reference(&composition, json_array_get(references, i), err))
			return NULL;
	merge_in(&composition, composition.inline_values);
	/* Nothing of it may be shared: templates and digests read it from several runs. */
	return json_deep_copy(composition.result);
}
