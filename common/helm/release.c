#include "helm/release.h"

#include "base/mem.h"
#include "base/str.h"

enum { NAME_MAX_BYTES = 53 };

struct HelmRecord {
	json_t *tree;
	json_t *labels; /* or NULL */
	char *resource_version;
	char *stored_digest;
};

static bool is_alphanumeric(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

/* Letters, digits and "-" within. */
static bool is_label(Str text)
{
	if (text.len == 0 || !is_alphanumeric(text.ptr[0]) ||
	    !is_alphanumeric(text.ptr[text.len - 1]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_alphanumeric(text.ptr[i]) && text.ptr[i] != '-')
			return false;
	return true;
}

bool helm_release_name_is_valid(const char *name)
{
	Str label, rest = str_of(name);
	size_t len = rest.len;
	bool ok = len > 0 && len <= NAME_MAX_BYTES && name[len - 1] != '.';
	while (ok && str_next(&rest, '.', &label))
		ok = is_label(label);
	return ok;
}

static bool check(const json_t *tree, Error *err)
{
	if (!json_is_object(tree))
		return err_set(err, ERR_INVALID, "a release record is an object");
	if (cstr_empty(json_text(tree, "name")))
		return err_set(err, ERR_INVALID, "the release record has no name");
	if (json_int(tree, "version", 0) < 1)
		return err_set(err, ERR_INVALID, "the release record has no version");
	if (cstr_empty(json_text_at(tree, "info", "status", NULL)))
		return err_set(err, ERR_INVALID, "the release record has no status");
	return true;
}

HelmRecord *helm_record_new(json_t *take, Error *err)
{
	if (!check(take, err)) {
		json_decref(take);
		return NULL;
	}
	HelmRecord *record = mem_zalloc(1, sizeof(*record));
	record->tree = take;
	record->resource_version = mem_strdup("");
	record->stored_digest = mem_strdup("");
	return record;
}

void helm_record_free(HelmRecord *record)
{
	if (!record)
		return;
	json_decref(record->tree);
	json_decref(record->labels);
	free(record->resource_version);
	free(record->stored_digest);
	free(record);
}

/* A member made the record's own. */
static void unshare(json_t *tree, const char *key)
{
	json_t *value = json_object_get(tree, key);
	if (value)
		json_object_set_new(tree, key, json_deep_copy(value));
}

HelmRecord *helm_record_copy(const HelmRecord *record)
{
	HelmRecord *copy = mem_zalloc(1, sizeof(*copy));
	copy->tree = json_copy(record->tree);
	unshare(copy->tree, "info");
	unshare(copy->tree, "hooks");
	copy->labels = json_incref(record->labels);
	copy->resource_version = mem_strdup(record->resource_version);
	copy->stored_digest = mem_strdup(record->stored_digest);
	return copy;
}

const char *helm_record_name(const HelmRecord *record)
{
	return json_text_or(record->tree, "name", "");
}

const char *helm_record_namespace(const HelmRecord *record)
{
	return json_text_or(record->tree, "namespace", "");
}

int64_t helm_record_version(const HelmRecord *record)
{
	return json_int(record->tree, "version", 0);
}

const char *helm_record_status(const HelmRecord *record)
{
	return json_text_or(json_map(record->tree, "info"), "status", "");
}

const char *helm_record_manifest(const HelmRecord *record)
{
	return json_text_or(record->tree, "manifest", "");
}

bool helm_record_is_server_side(const HelmRecord *record)
{
	return cstr_eq(json_text(record->tree, "apply_method"), "ssa");
}

json_t *helm_record_tree(const HelmRecord *record)
{
	return record->tree;
}

json_t *helm_record_labels(const HelmRecord *record)
{
	return record->labels;
}

const char *helm_record_resource_version(const HelmRecord *record)
{
	return record->resource_version;
}

const char *helm_record_stored_digest(const HelmRecord *record)
{
	return record->stored_digest;
}

static void put_text(char **field, const char *text)
{
	char *copy = mem_strdup(text ? text : "");
	free(*field);
	*field = copy;
}

void helm_record_set_stored(HelmRecord *record, const json_t *labels, const char *resource_version,
			    const char *digest)
{
	json_t *kept = labels ? json_deep_copy(labels) : NULL;
	json_decref(record->labels);
	record->labels = kept;
	put_text(&record->resource_version, resource_version);
	put_text(&record->stored_digest, digest);
}

void helm_record_set_status(HelmRecord *record, const char *status, const char *description)
{
	json_t *info = json_make_at(record->tree, "info", NULL);
	json_put_text(info, "status", status);
	if (description)
		json_put_text(info, "description", description);
}
