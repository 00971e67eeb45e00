#include "helm/metadata.h"

#include "base/mem.h"
#include "data/semver.h"
#include "data/yaml.h"
#include "helm/fields.h"
#include "helm/scalar.h"

enum { METADATA_MAX = 5 << 20 };

/* What an index says of a chart beside its metadata. */
static const HelmField version_fields[] = {{"urls", FIELD_TEXTS, NULL},
					   {"created", FIELD_TEXT, NULL},
					   {"removed", FIELD_FLAG, NULL},
					   {"digest", FIELD_TEXT, NULL},
					   {"checksum", FIELD_TEXT, NULL},
					   {"engine", FIELD_TEXT, NULL},
					   {"tillerVersion", FIELD_TEXT, NULL},
					   {"url", FIELD_TEXT, NULL},
					   {0}};

static bool read_record(json_t *target, json_t *source, const HelmField *fields, Error *err);

static bool fail_type(const HelmField *field, const char *wanted, Error *err)
{
	return err_set(err, ERR_INVALID, "field %s: %s expected", field->name, wanted);
}

/* A scalar as text: 1.10 was read as the number 1.1 (E4). NULL when it is none. */
static json_t *text_of(const json_t *value)
{
	autobuf Buf text = {0};
	if (!helm_scalar_text(value, &text))
		return NULL;
	return json_text_new(buf_text(&text), text.len);
}

static bool read_texts(json_t *target, json_t *source, const HelmField *field, Error *err)
{
	autojson json_t *list = json_array();
	json_t *item;
	size_t index;
	if (!json_is_array(source))
		return fail_type(field, "list", err);
	json_array_foreach(source, index, item)
	{
		json_t *text = text_of(item);
		if (!text)
			return fail_type(field, "list of strings", err);
		json_array_append_new(list, text);
	}
	json_object_set(target, field->name, list);
	return true;
}

static bool read_text_map(json_t *target, json_t *source, const HelmField *field, Error *err)
{
	autojson json_t *map = json_object();
	const char *key;
	json_t *item;
	if (!json_is_object(source))
		return fail_type(field, "map", err);
	json_object_foreach(source, key, item)
	{
		json_t *text = text_of(item);
		if (!text)
			return fail_type(field, "map of strings", err);
		json_object_set_new(map, key, text);
	}
	json_object_set(target, field->name, map);
	return true;
}

static bool read_records(json_t *target, json_t *source, const HelmField *field, Error *err)
{
	autojson json_t *list = json_array();
	json_t *item;
	size_t index;
	if (!json_is_array(source))
		return fail_type(field, "list", err);
	json_array_foreach(source, index, item)
	{
		autojson json_t *record = json_object();
		if (json_is_null(item)) {
			json_array_append(list, item);
			continue;
		}
		if (!json_is_object(item))
			return fail_type(field, "list of maps", err);
		if (!read_record(record, item, field->fields, err))
			return false;
		json_array_append(list, record);
	}
	json_object_set(target, field->name, list);
	return true;
}

static bool read_field(json_t *target, json_t *source, const HelmField *field, Error *err)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_LABEL: {
		json_t *text = text_of(source);
		if (!text)
			return fail_type(field, "string", err);
		json_object_set_new(target, field->name, text);
		return true;
	}
	case FIELD_TEXTS:
		return read_texts(target, source, field, err);
	case FIELD_TEXT_MAP:
		return read_text_map(target, source, field, err);
	case FIELD_FLAG:
		if (!json_is_boolean(source))
			return fail_type(field, "boolean", err);
		json_object_set(target, field->name, source);
		return true;
	case FIELD_RECORDS:
		return read_records(target, source, field, err);
	case FIELD_LIST:
		if (!json_is_array(source))
			return fail_type(field, "list", err);
		json_object_set(target, field->name, source);
		return true;
	case FIELD_NUMBER:
	case FIELD_TIME:
	case FIELD_ANY:
	case FIELD_RECORD:
		break; /* a chart has none */
	}
	return true;
}

static bool read_record(json_t *target, json_t *source, const HelmField *fields, Error *err)
{
	for (const HelmField *field = fields; field->name; field++) {
		json_t *value = json_object_get(source, field->name);
		if (value && !json_is_null(value) && !read_field(target, value, field, err))
			return false;
	}
	return true;
}

bool metadata_read(json_t *metadata, Str text, Error *err)
{
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, METADATA_MAX, "yaml", err);
	if (!tree)
		return false;
	if (json_is_null(tree))
		return true;
	if (!json_is_object(tree))
		return err_set(err, ERR_INVALID, "a map is expected");
	return read_record(metadata, tree, helm_metadata_fields, err);
}

static const HelmField *find_field(const HelmField *fields, const char *name)
{
	for (; fields && fields->name; fields++)
		if (cstr_eq(fields->name, name))
			return fields;
	return NULL;
}

static bool refuse_unknown(json_t *record, const HelmField *fields, const HelmField *more,
			   Error *err)
{
	const char *name;
	json_t *value, *item;
	size_t i;
	json_object_foreach(record, name, value)
	{
		const HelmField *field = find_field(fields, name);
		if (!field && !find_field(more, name))
			return err_set(err, ERR_INVALID, "unknown field \"%.100s\"", name);
		if (!field || field->kind != FIELD_RECORDS)
			continue;
		json_array_foreach(value, i, item)
		{
			if (!refuse_unknown(item, field->fields, NULL, err))
				return false;
		}
	}
	return true;
}

bool metadata_read_version(json_t *version, json_t *tree, bool strict, Error *err)
{
	if (strict && !refuse_unknown(tree, helm_metadata_fields, version_fields, err))
		return false;
	if (cstr_empty(json_text(tree, "apiVersion")))
		json_put_text(tree, "apiVersion", "v1");
	if (!read_record(version, tree, helm_metadata_fields, err))
		return false;
	/* Go's zero values, which it writes; what there is takes their places. */
	json_object_set_new(version, "urls", json_null());
	json_put_text(version, "created", "0001-01-01T00:00:00Z");
	return read_record(version, tree, version_fields, err);
}

/* Control characters go, blanks of any kind become a space. */
static void clean_member(json_t *object, const char *name)
{
	const char *text = json_text(object, name);
	autobuf Buf clean = {0};
	for (; text && *text; text++) {
		unsigned char byte = (unsigned char)*text;
		if (byte >= 9 && byte <= 13)
			buf_putc(&clean, ' ');
		else if (byte >= ' ' && byte != 0x7f)
			buf_putc(&clean, *text);
	}
	if (json_text(object, name))
		json_object_set_new(object, name, json_text_new(buf_text(&clean), clean.len));
}

static bool invalid(Error *err, const char *what)
{
	return err_set(err, ERR_INVALID, "validation: %s", what);
}

static bool is_alias(const char *text)
{
	for (; *text; text++) {
		bool fine = (*text >= '0' && *text <= '9') ||
			    ((*text | 32) >= 'a' && (*text | 32) <= 'z') || *text == '_' ||
			    *text == '-';
		if (!fine)
			return false;
	}
	return true;
}

static bool check_dependency(json_t *dependency, json_t *seen, Error *err)
{
	static const char *const texts[] = {"name", "version", "repository", "condition"};
	if (!json_is_object(dependency))
		return invalid(err, "dependencies must not contain empty or null nodes");
	for (size_t i = 0; i < COUNT(texts); i++)
		clean_member(dependency, texts[i]);
	const char *name = json_text_or(dependency, "name", "");
	const char *alias = json_text_or(dependency, "alias", "");
	if (!is_alias(alias))
		return err_set(
			err, ERR_INVALID,
			"validation: dependency \"%s\" has disallowed characters in the alias",
			name);
	const char *key = *alias ? alias : name;
	if (json_object_get(seen, key))
		return err_set(err, ERR_INVALID,
			       "validation: more than one dependency with name or alias \"%s\"",
			       key);
	json_object_set_new(seen, key, json_true());
	return true;
}

static bool check_lists(json_t *metadata, Error *err)
{
	autojson json_t *seen = json_object();
	json_t *item;
	size_t index;
	json_array_foreach(json_list(metadata, "maintainers"), index, item)
	{
		if (json_is_null(item))
			return invalid(err, "maintainers must not contain empty or null nodes");
	}
	json_array_foreach(json_list(metadata, "dependencies"), index, item)
	{
		if (!check_dependency(item, seen, err))
			return false;
	}
	return true;
}

static bool check_name(const char *name, Error *err)
{
	if (!*name)
		return invalid(err, "chart.metadata.name is required");
	if (cstr_eq(name, ".") || cstr_eq(name, ".."))
		return err_set(err, ERR_INVALID,
			       "validation: chart.metadata.name \"%s\" is not allowed", name);
	if (strchr(name, '/'))
		return err_set(err, ERR_INVALID,
			       "validation: chart.metadata.name \"%s\" is invalid", name);
	return true;
}

bool metadata_check(json_t *metadata, Error *err)
{
	static const char *const texts[] = {"name",	  "description", "home",
					    "icon",	  "condition",	 "tags",
					    "appVersion", "kubeVersion"};
	for (size_t i = 0; i < COUNT(texts); i++)
		clean_member(metadata, texts[i]);
	const char *version = json_text_or(metadata, "version", "");
	const char *type = json_text_or(metadata, "type", "");
	autosemver Semver parsed = {0};
	if (cstr_empty(json_text(metadata, "apiVersion")))
		return invalid(err, "chart.metadata.apiVersion is required");
	if (!check_name(json_text_or(metadata, "name", ""), err))
		return false;
	if (!*version)
		return invalid(err, "chart.metadata.version is required");
	if (!semver_parse(version, &parsed))
		return err_set(err, ERR_INVALID,
			       "validation: chart.metadata.version \"%s\" is invalid", version);
	if (*type && !cstr_eq(type, "application") && !cstr_eq(type, "library"))
		return invalid(err, "chart.metadata.type must be application or library");
	return check_lists(metadata, err);
}
