#include "kustomize/kustomization.h"

#include <math.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/jsonpatch.h"

/*
 * One table of fields, one loop. As Go's JSON decoder: keys match without regard to case, null is
 * the same as absent, a value of another type is an error. Depth is the table's.
 */

enum { WITHOUT_EXPONENT = 6 /* digits of a number in Go's shortest form */ };

typedef enum {
	T_TEXT,
	T_FLAG,
	T_INT,
	T_TEXTS,    /* a list of strings */
	T_TEXT_MAP, /* string to string */
	T_OBJECT,
	T_OBJECTS,
	T_ANY,
} FieldType;

typedef struct Field {
	const char *name;
	FieldType type;
	const struct Field *fields; /* of T_OBJECT, T_OBJECTS; ends with a NULL name */
} Field;

#define GVK                                                                                        \
	{"group", T_TEXT, NULL}, {"version", T_TEXT, NULL},                                        \
	{                                                                                          \
		"kind", T_TEXT, NULL                                                               \
	}
#define RES_ID                                                                                     \
	GVK, {"name", T_TEXT, NULL},                                                               \
	{                                                                                          \
		"namespace", T_TEXT, NULL                                                          \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, T_ANY, NULL                                                                  \
	}

static const Field generator_options[] = {
	{"labels", T_TEXT_MAP, NULL},
	{"annotations", T_TEXT_MAP, NULL},
	{"disableNameSuffixHash", T_FLAG, NULL},
	{"immutable", T_FLAG, NULL},
	END,
};

static const Field generator[] = {
	{"name", T_TEXT, NULL},
	{"namespace", T_TEXT, NULL},
	{"behavior", T_TEXT, NULL},
	{"literals", T_TEXTS, NULL},
	{"files", T_TEXTS, NULL},
	{"envs", T_TEXTS, NULL},
	{"env", T_TEXT, NULL},
	{"type", T_TEXT, NULL},
	{"options", T_OBJECT, generator_options},
	END,
};

/* ConfigMaps have all of that but `type`; told apart in check_field. */

static const Field selector[] = {
	RES_ID,
	{"labelSelector", T_TEXT, NULL},
	{"annotationSelector", T_TEXT, NULL},
	END,
};

static const Field patch_options[] = {
	{"allowNameChange", T_FLAG, NULL}, {"allowKindChange", T_FLAG, NULL}, END};

static const Field patch[] = {
	{"path", T_TEXT, NULL},
	{"patch", T_TEXT, NULL},
	{"target", T_OBJECT, selector},
	{"options", T_OBJECT, patch_options},
	END,
};

static const Field field_options[] = {
	{"delimiter", T_TEXT, NULL},
	{"index", T_INT, NULL},
	{"encoding", T_TEXT, NULL},
	{"create", T_FLAG, NULL},
	END,
};

static const Field replacement_source[] = {
	RES_ID,
	{"fieldPath", T_TEXT, NULL},
	{"options", T_OBJECT, field_options},
	END,
};

static const Field replacement_target[] = {
	{"select", T_OBJECT, selector},
	{"reject", T_OBJECTS, selector},
	{"fieldPaths", T_TEXTS, NULL},
	{"options", T_OBJECT, field_options},
	END,
};

static const Field replacement[] = {
	{"path", T_TEXT, NULL},
	{"source", T_OBJECT, replacement_source},
	{"sourceValue", T_TEXT, NULL},
	{"targets", T_OBJECTS, replacement_target},
	END,
};

static const Field field_spec[] = {GVK, {"path", T_TEXT, NULL}, {"create", T_FLAG, NULL}, END};

static const Field label[] = {
	{"pairs", T_TEXT_MAP, NULL},
	{"includeSelectors", T_FLAG, NULL},
	{"includeTemplates", T_FLAG, NULL},
	{"fields", T_OBJECTS, field_spec},
	END,
};

static const Field image[] = {
	{"name", T_TEXT, NULL},	     {"newName", T_TEXT, NULL}, {"newTag", T_TEXT, NULL},
	{"tagSuffix", T_TEXT, NULL}, {"digest", T_TEXT, NULL},	END,
};

static const Field replica[] = {{"name", T_TEXT, NULL}, {"count", T_INT, NULL}, END};

static const Field var_object[] = {{"apiVersion", T_TEXT, NULL}, RES_ID, END};
static const Field var_field[] = {{"fieldPath", T_TEXT, NULL}, END};
static const Field var[] = {
	{"name", T_TEXT, NULL},
	{"objref", T_OBJECT, var_object},
	{"fieldref", T_OBJECT, var_field},
	END,
};

static const Field legacy_sort[] = {
	{"orderFirst", T_TEXTS, NULL}, {"orderLast", T_TEXTS, NULL}, END};
static const Field sort_options[] = {
	{"order", T_TEXT, NULL}, {"legacySortOptions", T_OBJECT, legacy_sort}, END};

static const Field metadata[] = {
	{"name", T_TEXT, NULL},
	{"namespace", T_TEXT, NULL},
	{"labels", T_TEXT_MAP, NULL},
	{"annotations", T_TEXT_MAP, NULL},
	END,
};

static const Field kustomization[] = {
	{"apiVersion", T_TEXT, NULL},
	{"kind", T_TEXT, NULL},
	{"metadata", T_OBJECT, metadata},
	{"openapi", T_TEXT_MAP, NULL},
	{"namePrefix", T_TEXT, NULL},
	{"nameSuffix", T_TEXT, NULL},
	{"namespace", T_TEXT, NULL},
	{"commonLabels", T_TEXT_MAP, NULL},
	{"labels", T_OBJECTS, label},
	{"commonAnnotations", T_TEXT_MAP, NULL},
	{"patchesStrategicMerge", T_TEXTS, NULL},
	{"patchesJson6902", T_OBJECTS, patch},
	{"patches", T_OBJECTS, patch},
	{"images", T_OBJECTS, image},
	{"imageTags", T_OBJECTS, image},
	{"replacements", T_OBJECTS, replacement},
	{"replicas", T_OBJECTS, replica},
	{"vars", T_OBJECTS, var},
	{"sortOptions", T_OBJECT, sort_options},
	{"resources", T_TEXTS, NULL},
	{"components", T_TEXTS, NULL},
	{"crds", T_TEXTS, NULL},
	{"bases", T_TEXTS, NULL},
	{"configMapGenerator", T_OBJECTS, generator},
	{"secretGenerator", T_OBJECTS, generator},
	{"helmGlobals", T_ANY, NULL},
	{"helmCharts", T_ANY, NULL},
	{"helmChartInflationGenerator", T_ANY, NULL},
	{"generatorOptions", T_OBJECT, generator_options},
	{"configurations", T_TEXTS, NULL},
	{"generators", T_TEXTS, NULL},
	{"transformers", T_TEXTS, NULL},
	{"validators", T_TEXTS, NULL},
	{"buildMetadata", T_TEXTS, NULL},
	END,
};

static json_t *check_object(const json_t *raw, const Field *fields, KStrictness strictness,
			    Error *err);

static const Field *find_field(const Field *fields, const char *key)
{
	for (const Field *field = fields; field->name; field++)
		if (cstr_eq(field->name, key))
			return field;
	for (const Field *field = fields; field->name; field++)
		if (strcasecmp(field->name, key) == 0)
			return field;
	return NULL;
}

static const char *type_name(const json_t *value)
{
	if (json_is_object(value))
		return "a map";
	if (json_is_array(value))
		return "a list";
	if (json_is_boolean(value))
		return "a bool";
	return json_is_number(value) ? "a number" : "a string";
}

static void *wrong_type(const json_t *value, const char *wanted, Error *err)
{
	return err_null(err, ERR_INVALID, "expected %s, got %s", wanted, type_name(value));
}

/* As Go's strconv.FormatFloat(value, 'g', -1, 64). */
static void write_real(double value, Buf *out)
{
	char digits[JSON_DIGITS_SIZE];
	int point;
	size_t count = json_real_digits(value, digits, &point);
	int exponent = point - 1;
	if (signbit(value))
		buf_putc(out, '-');
	if (fpclassify(value) == FP_ZERO || (exponent >= -4 && exponent < WITHOUT_EXPONENT)) {
		json_write_decimal(digits, count, point, out);
		return;
	}
	buf_putc(out, digits[0]);
	if (count > 1)
		buf_printf(out, ".%.*s", (int)count - 1, digits + 1);
	buf_printf(out, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

/*
 * A string, or a number or bool where those are taken for one: Flux reads a root so, where
 * `newTag: 1.10` is "1.1" (K19). Owned; NULL: none of them.
 */
static json_t *text_of(const json_t *raw, KStrictness strictness)
{
	if (json_is_string(raw))
		return json_incref(json_borrow(raw));
	if (strictness != K_ANY_FIELDS)
		return NULL;
	autobuf Buf text = {0};
	if (json_is_boolean(raw))
		buf_puts(&text, json_is_true(raw) ? "true" : "false");
	else if (json_is_integer(raw))
		buf_printf(&text, "%" JSON_INTEGER_FORMAT, json_integer_value(raw));
	else if (json_is_real(raw))
		write_real(json_real_value(raw), &text);
	else
		return NULL;
	return json_string(buf_text(&text));
}

/* Lists and maps of strings; null elements are empty strings. */
static json_t *check_texts(const json_t *raw, KStrictness strictness, Error *err)
{
	if (!json_is_array(raw))
		return wrong_type(raw, "a list of strings", err);
	autojson json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(raw); i++) {
		const json_t *item = json_array_get(raw, i);
		json_t *text = json_is_null(item) ? json_string("") : text_of(item, strictness);
		if (!text)
			return wrong_type(item, "a list of strings, of which one", err);
		json_array_append_new(out, text);
	}
	return steal(&out);
}

static json_t *check_text_map(const json_t *raw, KStrictness strictness, Error *err)
{
	if (!json_is_object(raw))
		return wrong_type(raw, "a map of strings", err);
	autojson json_t *out = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(raw), key, value)
	{
		json_t *text = json_is_null(value) ? json_string("") : text_of(value, strictness);
		if (!text) {
			wrong_type(value, "a string", err);
			return err_wrap_null(err, "%s", key);
		}
		json_object_set_new_nocheck(out, key, text);
	}
	return steal(&out);
}

static json_t *check_objects(const json_t *raw, const Field *fields, KStrictness strictness,
			     Error *err)
{
	if (!json_is_array(raw))
		return wrong_type(raw, "a list", err);
	autojson json_t *out = json_array();
	for (size_t i = 0; i < json_array_size(raw); i++) {
		const json_t *item = json_array_get(raw, i);
		json_t *checked = json_is_null(item) ? json_object()
						     : check_object(item, fields, strictness, err);
		if (!checked)
			return err_wrap_null(err, "[%zu]", i);
		json_array_append_new(out, checked);
	}
	return steal(&out);
}

static bool is_word(const json_t *value, const char *one, const char *other)
{
	const char *text = json_string_value(value);
	return text && (strcasecmp(text, one) == 0 || strcasecmp(text, other) == 0);
}

static json_t *check_scalar(const json_t *raw, FieldType type, KStrictness strictness, Error *err)
{
	json_t *text = type == T_TEXT ? text_of(raw, strictness) : NULL;
	if (text)
		return text;
	if (type == T_FLAG ? json_is_boolean(raw) : type == T_INT && json_is_integer(raw))
		return json_incref(json_borrow(raw));
	/* This file alone is YAML 1.1 upstream, where these words are booleans. */
	if (type == T_FLAG && (is_word(raw, "yes", "on") || is_word(raw, "no", "off")))
		return json_boolean(is_word(raw, "yes", "on"));
	/* 3.0 reads as an integer in JSON. */
	if (type == T_INT && json_is_real(raw) &&
	    json_real_value(raw) == (double)(json_int_t)json_real_value(raw))
		return json_integer((json_int_t)json_real_value(raw));
	return wrong_type(raw,
			  type == T_TEXT   ? "a string"
			  : type == T_FLAG ? "a bool"
					   : "an integer",
			  err);
}

static json_t *check_value(const json_t *raw, const Field *field, KStrictness strictness,
			   Error *err)
{
	switch (field->type) {
	case T_TEXTS:
		return check_texts(raw, strictness, err);
	case T_TEXT_MAP:
		return check_text_map(raw, strictness, err);
	case T_OBJECT:
		return check_object(raw, field->fields, strictness, err);
	case T_OBJECTS:
		return check_objects(raw, field->fields, strictness, err);
	case T_ANY:
		return json_incref(json_borrow(raw));
	case T_TEXT:
	case T_FLAG:
	case T_INT:
	default:
		return check_scalar(raw, field->type, strictness, err);
	}
}

static json_t *check_object(const json_t *raw, const Field *fields, KStrictness strictness,
			    Error *err)
{
	if (!json_is_object(raw))
		return wrong_type(raw, "a map", err);
	/* Upstream's reader does not find its way to the strings of embedded structs. */
	KStrictness below =
		strictness == K_ANY_FIELDS && fields == generator ? K_ANY_FIELDS_TYPED : strictness;
	autojson json_t *out = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(raw), key, value)
	{
		const Field *field = find_field(fields, key);
		if (!field && strictness != K_KNOWN_FIELDS)
			continue;
		if (!field)
			return err_null(err, ERR_INVALID, "unknown field \"%s\"", key);
		if (json_is_null(value))
			continue;
		json_t *checked = check_value(value, field, below, err);
		if (!checked)
			return err_wrap_null(err, "%s", field->name);
		json_object_set_new_nocheck(out, field->name, checked);
	}
	return steal(&out);
}

/* Appends the list under `from` to that under `to`. */
static void move_list(json_t *object, const char *from, const char *to)
{
	json_t *extra = json_list(object, from);
	if (extra && !json_list(object, to))
		json_object_set_new(object, to, json_array());
	if (extra)
		json_array_extend(json_list(object, to), extra);
	json_object_del(object, from);
}

/* `env` is one more of `envs` (B106). */
static void fix_generators(json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *item = json_array_get(list, i);
		const char *env = json_text(item, "env");
		if (!cstr_empty(env)) {
			if (!json_list(item, "envs"))
				json_object_set_new(item, "envs", json_array());
			json_array_append_new(json_list(item, "envs"), json_string(env));
		}
		json_object_del(item, "env");
	}
}

static bool has_content(const json_t *spec)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(spec), key, value)
	{
		bool empty = json_is_string(value) && *json_string_value(value) == '\0';
		if (!cstr_eq(key, "kind") && !cstr_eq(key, "apiVersion") && !empty)
			return true;
	}
	return false;
}

static bool check_kind(json_t *spec, Error *err)
{
	if (cstr_empty(json_text(spec, "kind")))
		json_put_text(spec, "kind", "Kustomization");
	const char *kind = json_text(spec, "kind");
	bool component = cstr_eq(kind, "Component");
	if (!component && !cstr_eq(kind, "Kustomization"))
		return err_set(err, ERR_INVALID, "kind should be Kustomization or Component");
	const char *wanted =
		component ? "kustomize.config.k8s.io/v1alpha1" : "kustomize.config.k8s.io/v1beta1";
	const char *version = json_text(spec, "apiVersion");
	if (!cstr_empty(version) && !cstr_eq(version, wanted))
		return err_set(err, ERR_INVALID, "apiVersion for %s should be %s", kind, wanted);
	json_put_text(spec, "apiVersion", wanted);
	return true;
}

static bool check_config_maps(const json_t *list, Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (json_object_get(json_array_get(list, i), "type"))
			return err_set(err, ERR_INVALID,
				       "configMapGenerator: [%zu]: unknown field \"type\"", i);
	return true;
}

json_t *kustomization_check(const json_t *raw, const char *file, KStrictness strictness, Error *err)
{
	autojson json_t *spec = check_object(raw, kustomization, strictness, err);
	if (!spec)
		return err_wrap_null(err, "%s: invalid Kustomization", file);
	if (strictness == K_KNOWN_FIELDS &&
	    !check_config_maps(json_list(spec, "configMapGenerator"), err))
		return err_wrap_null(err, "%s: invalid Kustomization", file);
	move_list(spec, "bases", "resources");
	move_list(spec, "imageTags", "images");
	fix_generators(json_list(spec, "configMapGenerator"));
	fix_generators(json_list(spec, "secretGenerator"));
	if (!has_content(spec))
		return err_null(err, ERR_INVALID, "%s: kustomization.yaml is empty", file);
	if (!check_kind(spec, err))
		return err_wrap_null(err, "%s", file);
	return steal(&spec);
}

json_t *kustomization_known(const json_t *raw, const char *file, Error *err)
{
	json_t *known = check_object(raw, kustomization, K_ANY_FIELDS, err);
	return known ? known : err_wrap_null(err, "%s: invalid Kustomization", file);
}

typedef struct {
	KUnknownField *each;
	void *arg;
} Unknowns;

static void unknown_in(const Unknowns *unknowns, const json_t *raw, const Field *owner,
		       const char *pointer, const char *name);

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the table. */
static void unknown_in_list(const Unknowns *unknowns, const json_t *raw, const Field *owner,
			    const char *pointer, const char *name)
{
	for (size_t i = 0; i < json_array_size(raw); i++) {
		autofree char *item = mem_printf("%s/%zu", pointer, i);
		autofree char *item_name = mem_printf("%s[%zu]", name, i);
		unknown_in(unknowns, json_array_get(raw, i), owner, item, item_name);
	}
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than the table. */
static void unknown_in(const Unknowns *unknowns, const json_t *raw, const Field *owner,
		       const char *pointer, const char *name)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(raw), key, value)
	{
		const Field *field = find_field(owner->fields, key);
		autobuf Buf below = {0};
		buf_puts(&below, pointer);
		jsonpointer_push(&below, key);
		autofree char *full = mem_printf("%s%s%s", name, *name ? "." : "", key);
		bool of_secrets = field && cstr_eq(field->name, "type") &&
				  cstr_eq(owner->name, "configMapGenerator");
		if (!field || of_secrets)
			unknowns->each(unknowns->arg, buf_text(&below), full);
		else if (field->type == T_OBJECT)
			unknown_in(unknowns, value, field, buf_text(&below), full);
		else if (field->type == T_OBJECTS)
			unknown_in_list(unknowns, value, field, buf_text(&below), full);
	}
}

void kustomization_each_unknown(const json_t *raw, KUnknownField *each, void *arg)
{
	static const Field root = {"", T_OBJECT, kustomization};
	unknown_in(&(Unknowns){each, arg}, raw, &root, "", "");
}

json_t *kustomization_check_element(const json_t *raw, const char *field, Error *err)
{
	const Field *row = find_field(kustomization, field);
	return check_object(raw, row ? row->fields : kustomization, K_KNOWN_FIELDS, err);
}

bool kustomization_is_component(const json_t *spec)
{
	return cstr_eq(json_text(spec, "kind"), "Component");
}
