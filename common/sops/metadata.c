#include "sops/metadata.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/yaml_internal.h"

/* Metadata is read loosely, as upstream does: a flag or a number may be text (dotenv, INI). */

static const struct {
	const char *key;
	RuleKind rule;
	bool regex;
} rules[] = {
	{"unencrypted_suffix", RULE_UNENCRYPTED_SUFFIX, false},
	{"encrypted_suffix", RULE_ENCRYPTED_SUFFIX, false},
	{"unencrypted_regex", RULE_UNENCRYPTED_REGEX, true},
	{"encrypted_regex", RULE_ENCRYPTED_REGEX, true},
	{"unencrypted_comment_regex", RULE_UNENCRYPTED_COMMENT_REGEX, true},
	{"encrypted_comment_regex", RULE_ENCRYPTED_COMMENT_REGEX, true},
};

static bool read_rule(Metadata *metadata, Error *err)
{
	size_t found = 0;
	metadata->rule = RULE_UNENCRYPTED_SUFFIX;
	metadata->suffix = "_unencrypted";
	for (size_t i = 0; i < COUNT(rules); i++) {
		const char *text = json_text(metadata->raw, rules[i].key);
		if (cstr_empty(text))
			continue;
		if (++found > 1)
			return err_set(err, ERR_INVALID,
				       "sops metadata has more than one rule for what is "
				       "encrypted");
		metadata->rule = rules[i].rule;
		metadata->suffix = rules[i].regex ? NULL : text;
		if (!rules[i].regex)
			continue;
		metadata->regex = regex_new(text, REGEX_SEARCH, err);
		if (!metadata->regex)
			return err_wrap(err, "sops.%s", rules[i].key);
	}
	return true;
}

static bool loose_flag(const json_t *object, const char *key)
{
	static const char *const yes[] = {"1", "t", "T", "TRUE", "true", "True"};
	const json_t *value = json_object_get(object, key);
	for (size_t i = 0; i < COUNT(yes); i++)
		if (cstr_eq(json_string_value(value), yes[i]))
			return true;
	return json_is_true(value) || json_integer_value(value) != 0;
}

static int64_t loose_int(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	unsigned long long number = 0;
	if (json_is_string(value) && str_to_u64(str_of(json_string_value(value)), &number) &&
	    number < 256)
		return (int64_t)number;
	return json_integer_value(value);
}

/* RFC 3339 as Go prints what it parsed: without the fraction, UTC as "Z". */
static bool read_modified(Metadata *metadata, Error *err)
{
	const char *text = json_text_or(metadata->raw, "lastmodified", "");
	YamlScalar scalar;
	yaml_resolve(str_of(text), &scalar);
	if (scalar.type != YAML_TIMESTAMP || strlen(text) < 20 || text[10] != 'T')
		return err_set(err, ERR_INVALID, "sops.lastmodified is no RFC 3339 time");
	const char *zone = scalar.stamp + 19;
	while (*zone == '.' || (*zone >= '0' && *zone <= '9'))
		zone++;
	metadata->last_modified = mem_printf("%.19s%s", scalar.stamp, zone);
	return true;
}

bool sops_metadata_read(json_t *take_raw, Metadata *out, Error *err)
{
	autometadata Metadata metadata = {.raw = take_raw};
	if (!json_is_object(take_raw))
		return err_set(err, ERR_INVALID, "sops metadata not found");
	metadata.mac = json_text_or(take_raw, "mac", "");
	metadata.mac_only_encrypted = loose_flag(take_raw, "mac_only_encrypted");
	metadata.threshold = loose_int(take_raw, "shamir_threshold");
	if (!read_modified(&metadata, err) || !read_rule(&metadata, err))
		return false;
	*out = metadata;
	metadata = (Metadata){0};
	return true;
}

void metadata_dispose(Metadata *metadata)
{
	json_decref(metadata->raw);
	regex_free(metadata->regex);
	free(metadata->last_modified);
	*metadata = (Metadata){0};
}

/* --- flat names ---------------------------------------------------------------------------- */

enum { MAX_PARTS = 16, MAX_LIST = 1000 };

/* One step of a flat name: a map's key, or a list's index when key is empty. */
typedef struct {
	Str key;
	bool list;
	size_t index;
} Part;

static ptrdiff_t next_separator(Str text, bool *out_list)
{
	ptrdiff_t map = str_find(text, STR("__map_")), list = str_find(text, STR("__list_"));
	*out_list = list >= 0 && (map < 0 || list < map);
	return *out_list ? list : map;
}

static bool split_name(Str name, Part parts[MAX_PARTS], size_t *out_count)
{
	size_t count = 0;
	bool list = false, next_list = false;
	for (;;) {
		ptrdiff_t end = next_separator(name, &next_list);
		Part part = {.key = str_slice(name, 0, end < 0 ? name.len : (size_t)end),
			     .list = list};
		unsigned long long index = 0;
		if (list && (!str_to_u64(part.key, &index) || index >= MAX_LIST))
			return false;
		part.index = (size_t)index;
		if (count == MAX_PARTS)
			return false;
		parts[count++] = part;
		if (end < 0)
			break;
		name = str_slice(name, (size_t)end + (next_list ? 7 : 6), name.len);
		list = next_list;
	}
	*out_count = count;
	return true;
}

/* The child of `at` for a part, made when it is absent; NULL when `at` is of the other kind. */
static json_t *child_at(json_t *at, const Part *part, bool next_list, json_t *take_value)
{
	autojson json_t *value = take_value;
	if (part->list ? !json_is_array(at) : !json_is_object(at))
		return NULL;
	autofree char *key = str_dup(part->key);
	json_t *child = part->list ? json_array_get(at, part->index) : json_object_get(at, key);
	if (child && !json_is_null(child))
		return value ? NULL : child;
	if (!value)
		value = next_list ? json_array() : json_object();
	while (part->list && json_array_size(at) <= part->index)
		json_array_append_new(at, json_null());
	if (part->list)
		json_array_set(at, part->index, value);
	else
		json_object_set_nocheck(at, key, value);
	return value; /* `at` holds it too */
}

static bool place(json_t *root, const char *name, json_t *value)
{
	Part parts[MAX_PARTS];
	size_t count;
	if (!split_name(str_of(name), parts, &count))
		return false;
	json_t *at = root;
	for (size_t i = 0; at && i < count; i++) {
		bool last = i + 1 == count;
		at = child_at(at, &parts[i], !last && parts[i + 1].list,
			      last ? json_incref(value) : NULL);
	}
	return at != NULL;
}

json_t *metadata_unflatten(const json_t *flat, Error *err)
{
	autojson json_t *root = json_object();
	const char *name;
	json_t *value;
	json_object_foreach(json_borrow(flat), name, value)
	{
		if (!place(root, name, value))
			return err_null(err, ERR_INVALID,
					"sops metadata: the name '%s' does not "
					"fit those before it",
					name);
	}
	return steal(&root);
}
