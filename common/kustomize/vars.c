#include "kustomize/accumulate.h"

#include "base/map.h"
#include "base/mem.h"
#include "data/written.h"
#include "kustomize/path.h"

/* vars (facts 7; B93): `$(NAME)` becomes a field of an object that carries the var's name. */

static const char *var_name(const json_t *var)
{
	return json_text_or(var, "name", "");
}

bool vars_collect(KAccumulator *acc, const json_t *vars, Error *err)
{
	automap Map *names = map_new(NULL);
	for (size_t i = 0; i < acc->vars.len; i++)
		map_put(names, var_name(acc->vars.items[i]), NULL);
	for (size_t i = 0; i < json_array_size(vars); i++) {
		json_t *var = json_array_get(vars, i);
		if (*var_name(var) == '\0')
			return err_set(err, ERR_INVALID, "vars: [%zu]: name is missing", i);
		if (map_has(names, var_name(var)))
			return err_set(err, ERR_INVALID, "var '%s' already encountered",
				       var_name(var));
		map_put(names, var_name(var), NULL);
		vec_push(&acc->vars, var);
	}
	return true;
}

/* Group and version: of apiVersion, or given apart. */
static void wanted_version(const json_t *ref, Str *group, Str *version)
{
	const char *api_version = json_text_or(ref, "apiVersion", "");
	*group = *api_version ? kgroup_of(api_version) : str_of(json_text(ref, "group"));
	*version = *api_version ? kversion_of(api_version) : str_of(json_text(ref, "version"));
}

static bool id_fits(const json_t *ref, const char *name, const char *kind, const char *ns)
{
	const char *wanted = json_text_or(ref, "namespace", "");
	return cstr_eq(json_text_or(ref, "name", ""), name) &&
	       cstr_eq(json_text_or(ref, "kind", ""), kind) &&
	       (*wanted == '\0' || cstr_eq(wanted, ns));
}

static bool fits(const json_t *ref, const KResource *res)
{
	Str group, version;
	wanted_version(ref, &group, &version);
	const char *api_version = kresource_api_version(res);
	if (!str_eq(group, kgroup_of(api_version)) || !str_eq(version, kversion_of(api_version)))
		return false;
	if (id_fits(ref, kresource_name(res), kresource_kind(res),
		    kresource_effective_namespace(res)))
		return true;
	for (size_t i = 0; i < res->previous_len; i++)
		if (id_fits(ref, res->previous[i].name, res->previous[i].kind, res->previous[i].ns))
			return true;
	return false;
}

bool vars_mark(KAccumulator *acc, const json_t *vars, Error *err)
{
	for (size_t i = 0; i < json_array_size(vars); i++) {
		const json_t *var = json_array_get(vars, i);
		const json_t *ref = json_map(var, "objref");
		autovec Vec hints = {0};
		kset_find_named(acc->set, json_text_or(ref, "name", ""), &hints);
		KResource *found = NULL;
		for (size_t j = 0; j < hints.len; j++) {
			KResource *res = hints.items[j];
			if (!res->tree || !fits(ref, res))
				continue;
			if (found)
				return err_set(err, ERR_INVALID,
					       "found several matches for var %s (unable to "
					       "disambiguate)",
					       var_name(var));
			found = res;
		}
		if (found)
			vec_push(&found->vars, mem_strdup(var_name(var)));
	}
	return true;
}

/* "spec.ports[0].port", "metadata.annotations[a/b]": brackets are parts too. */
static void split_var_path(const char *text, Vec *out)
{
	autobuf Buf dotted = {0};
	for (const char *at = text; *at; at++) {
		if (*at == '[' && dotted.len > 0 && dotted.ptr[dotted.len - 1] != '.')
			buf_putc(&dotted, '.');
		buf_putc(&dotted, *at);
	}
	kpath_split(buf_text(&dotted), out);
	for (size_t i = 0; i < out->len; i++) {
		char *part = out->items[i];
		size_t len = strlen(part);
		if (len > 2 && part[0] == '[' && part[len - 1] == ']' && !strchr(part, '=')) {
			out->items[i] = mem_strndup(part + 1, len - 2);
			free(part);
		}
	}
}

static const json_t *read_value(const KResource *res, const json_t *var)
{
	const char *path = json_text_or(json_map(var, "fieldref"), "fieldPath", "");
	autostrings Vec parts = {0};
	split_var_path(*path ? path : "metadata.name", &parts);
	return kpath_get(res->tree, &parts);
}

/* Name of a var to the first object that has it. */
static Map *index_owners(const KAccumulator *acc)
{
	Map *owners = map_new(NULL);
	for (size_t i = 0; i < acc->set->items.len; i++) {
		KResource *res = kset_at(acc->set, i);
		for (size_t j = 0; j < res->vars.len; j++)
			if (!map_has(owners, res->vars.items[j]))
				map_put(owners, res->vars.items[j], res);
	}
	return owners;
}

/* Name to value (copies) of all vars. */
static bool read_values(const KAccumulator *acc, json_t *out, Error *err)
{
	automap Map *owners = index_owners(acc);
	for (size_t i = 0; i < acc->vars.len; i++) {
		const json_t *var = acc->vars.items[i];
		const KResource *res = map_get(owners, var_name(var));
		if (!res)
			return err_set(err, ERR_INVALID,
				       "var '%s' cannot be mapped to a field in the set of known "
				       "resources",
				       var_name(var));
		const json_t *value = read_value(res, var);
		if (!value || json_is_object(value) || json_is_array(value))
			return err_set(err, ERR_INVALID,
				       "field specified in var '%s' not found in corresponding "
				       "resource",
				       var_name(var));
		autojson json_t *copy = json_deep_copy(value);
		written_settle(&copy);
		json_object_set(out, var_name(var), copy);
	}
	return true;
}

/* The name of "$(NAME)" at the start of text, its length with signs through out_len; else NULL. */
static char *var_at(const char *text, size_t *out_len)
{
	const char *end = text[0] == '$' && text[1] == '(' ? strchr(text, ')') : NULL;
	if (!end)
		return NULL;
	*out_len = (size_t)(end - text) + 1;
	return mem_strndup(text + 2, (size_t)(end - text) - 2);
}

/* The text with vars replaced; a text that is one var whole keeps its value's type. Owned. */
static json_t *expand(const char *text, const json_t *values)
{
	autobuf Buf out = {0};
	for (const char *at = text; *at;) {
		size_t len;
		if (at[0] == '$' && at[1] == '$') {
			buf_putc(&out, '$');
			at += 2;
			continue;
		}
		autofree char *name = var_at(at, &len);
		const json_t *value = name ? json_object_get(values, name) : NULL;
		if (!value) {
			buf_putc(&out, *at++);
			continue;
		}
		if (at == text && text[len] == '\0')
			return json_deep_copy(value);
		autofree char *piece = kpath_scalar_text(value);
		buf_puts(&out, piece);
		at += len;
	}
	return json_stringn_nocheck(buf_text(&out), out.len);
}

typedef struct {
	KBuild *build;
	const json_t *values;
} Expansion;

/* In place where it can be: the values that label transformers set are shared by all the places
 * that they set, selectors too, and upstream replaces them in all at once [Q]. */
static bool expand_slot(const KSlot *slot, const Expansion *expansion, Error *err)
{
	json_t *old = kslot_get(slot);
	const char *text = written_string(old);
	if (!text || !strchr(text, '$'))
		return true;
	autojson json_t *value = expand(text, expansion->values);
	if (!kbuild_charge_copy(expansion->build, json_string_length(value), err))
		return false;
	if (written_string(value))
		written_set_text(old, json_string_value(value));
	else
		kslot_set(slot, steal(&value));
	return true;
}

static bool expand_field(void *arg, const KSlot *slot, Error *err)
{
	json_t *value = kslot_get(slot);
	for (size_t i = 0; i < json_array_size(value); i++) {
		KSlot item = {value, NULL, i};
		if (!written_string(json_array_get(value, i)))
			return err_set(err, ERR_INVALID, "invalid value type expect a string");
		if (!expand_slot(&item, arg, err))
			return false;
	}
	const char *key;
	json_t *member;
	json_object_foreach(value, key, member)
	{
		KSlot item = {value, key, 0};
		if (!expand_slot(&item, arg, err))
			return false;
	}
	return expand_slot(slot, arg, err);
}

bool vars_resolve(const KTarget *target, KAccumulator *acc, Error *err)
{
	if (acc->vars.len == 0)
		return true;
	autojson json_t *values = json_object();
	if (!read_values(acc, values, err))
		return false;
	Expansion expansion = {target->build, values};
	KSpecs specs = kaccumulator_specs(acc, K_VAR_REFERENCE);
	for (size_t i = 0; i < acc->set->items.len; i++)
		for (size_t j = 0; j < kspecs_len(&specs); j++)
			if (!fieldspec_apply(kspecs_at(&specs, j), kset_at(acc->set, i)->tree,
					     K_MAKE_NOTHING, expand_field, &expansion, err))
				return err_wrap(err, "vars");
	return true;
}
