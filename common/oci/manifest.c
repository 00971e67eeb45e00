/* Manifests and indexes to descriptors. */
#include "oci/manifest.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/reference.h"

/* Kubernetes' own bound of what an object's annotations weigh: they go into a status. */
enum { MAX_ANNOTATIONS = 1000, MAX_ANNOTATION_BYTES = 256 << 10 };

void oci_descriptor_dispose(OciDescriptor *descriptor)
{
	free(descriptor->media_type);
	free(descriptor->digest);
	free(descriptor->artifact_type);
	free(descriptor->os);
	free(descriptor->architecture);
	json_decref(descriptor->annotations);
	*descriptor = (OciDescriptor){0};
}

void oci_descriptor_copy(OciDescriptor *to, const OciDescriptor *from)
{
	*to = (OciDescriptor){.media_type = mem_strdup(from->media_type),
			      .digest = mem_strdup(from->digest),
			      .size = from->size,
			      .artifact_type = mem_strdup(from->artifact_type),
			      .os = mem_strdup(from->os),
			      .architecture = mem_strdup(from->architecture),
			      .annotations = json_incref(from->annotations)};
}

void oci_manifest_dispose(OciManifest *manifest)
{
	free(manifest->media_type);
	free(manifest->artifact_type);
	oci_descriptor_dispose(&manifest->config);
	oci_descriptor_dispose(&manifest->subject);
	for (size_t i = 0; i < manifest->count; i++)
		oci_descriptor_dispose(&manifest->items[i]);
	free(manifest->items);
	json_decref(manifest->annotations);
	*manifest = (OciManifest){0};
}

/* A map of strings; anything else is a malformed manifest. */
static bool read_annotations(const json_t *value, json_t **out, Error *err)
{
	const char *key;
	json_t *text;
	size_t bytes = 0;
	if (!value || json_is_null(value))
		return true;
	if (!json_is_object(value) || json_object_size(value) > MAX_ANNOTATIONS)
		return err_set(err, ERR_INVALID, "annotations are no map of strings");
	json_object_foreach(json_borrow(value), key, text)
	{
		if (!json_is_string(text))
			return err_set(err, ERR_INVALID, "annotations are no map of strings");
		bytes += strlen(key) + json_string_length(text);
	}
	if (bytes > MAX_ANNOTATION_BYTES)
		return err_set(err, ERR_LIMIT, "annotations of more than %d bytes",
			       MAX_ANNOTATION_BYTES);
	if (json_object_size(value))
		*out = json_incref(json_borrow(value));
	return true;
}

static bool read_descriptor(const json_t *value, OciDescriptor *out, Error *err)
{
	const json_t *platform = json_map(value, "platform");
	const json_t *size = json_object_get(value, "size");
	if (!oci_digest_check(json_text_or(value, "digest", ""), err))
		return err_wrap(err, "descriptor");
	if (!json_is_integer(size) || json_integer_value(size) < 0)
		return err_set(err, ERR_INVALID, "descriptor without a size");
	out->media_type = mem_strdup(json_text_or(value, "mediaType", ""));
	out->digest = mem_strdup(json_text(value, "digest"));
	out->size = json_integer_value(size);
	out->artifact_type = mem_strdup(json_text(value, "artifactType"));
	if (platform) {
		out->os = mem_strdup(json_text_or(platform, "os", ""));
		out->architecture = mem_strdup(json_text_or(platform, "architecture", ""));
	}
	return read_annotations(json_object_get(value, "annotations"), &out->annotations, err);
}

static bool read_items(const json_t *list, OciManifest *out, Error *err)
{
	size_t count = json_array_size(list), i;
	json_t *item;
	if (count > OCI_MAX_ITEMS)
		return err_set(err, ERR_LIMIT, "manifest has more than %d entries", OCI_MAX_ITEMS);
	out->items = mem_zalloc(count + 1, sizeof(*out->items));
	json_array_foreach(json_borrow(list), i, item)
	{
		out->count = i + 1;
		if (!read_descriptor(item, &out->items[i], err))
			return false;
	}
	return true;
}

typedef struct {
	const char *media_type;
	bool is_index;
} TypeRow;

static const TypeRow types[] = {
	{OCI_TYPE_MANIFEST, false},
	{OCI_TYPE_DOCKER_MANIFEST, false},
	{OCI_TYPE_INDEX, true},
	{OCI_TYPE_DOCKER_LIST, true},
};

static const TypeRow *find_type(const char *media_type)
{
	/* A Content-Type may have parameters. */
	Str bare, rest;
	str_cut(str_of(media_type), ';', &bare, &rest);
	bare = str_trim(bare);
	for (size_t i = 0; i < COUNT(types); i++)
		if (str_eq(bare, str_of(types[i].media_type)))
			return &types[i];
	return NULL;
}

/* The header's type, else the text's, else what its fields look like. */
static const TypeRow *type_of(const json_t *root, const char *media_type)
{
	const TypeRow *row = find_type(media_type);
	if (!row)
		row = find_type(json_text(root, "mediaType"));
	bool vague = cstr_empty(media_type) || cstr_starts(media_type, "application/json") ||
		     cstr_starts(media_type, "text/plain") ||
		     cstr_starts(media_type, "application/octet-stream");
	if (row || !vague || json_int(root, "schemaVersion", 0) != 2)
		return row;
	return find_type(json_list(root, "manifests") ? OCI_TYPE_INDEX : OCI_TYPE_MANIFEST);
}

/* A subject or config may be absent. */
static bool read_optional(const json_t *root, const char *key, OciDescriptor *out, Error *err)
{
	const json_t *value = json_map(root, key);
	return !value || read_descriptor(value, out, err);
}

static bool read_manifest(const json_t *root, const TypeRow *row, OciManifest *out, Error *err)
{
	const char *list = row->is_index ? "manifests" : "layers";
	const char *other = row->is_index ? "layers" : "manifests";
	/* One text that is both would be read differently by different tools (CVE-2021-41190). */
	if (json_object_get(root, other))
		return err_set(err, ERR_INVALID, "%s in a text of type %s", other, row->media_type);
	out->is_index = row->is_index;
	out->media_type = mem_strdup(row->media_type);
	out->artifact_type = mem_strdup(json_text(root, "artifactType"));
	return read_items(json_list(root, list), out, err) &&
	       read_optional(root, "config", &out->config, err) &&
	       read_optional(root, "subject", &out->subject, err) &&
	       read_annotations(json_object_get(root, "annotations"), &out->annotations, err);
}

bool oci_manifest_parse(const char *text, size_t len, const char *media_type, OciManifest *out,
			Error *err)
{
	autojson json_t *root = json_parse(text, len, OCI_MAX_MANIFEST, err);
	if (!root)
		return err_wrap(err, "manifest");
	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, "manifest is no JSON object");
	const TypeRow *row = type_of(root, media_type);
	if (!row)
		return err_set(err, ERR_UNSUPPORTED, "unsupported manifest of type \"%.200s\"",
			       cstr_empty(media_type) ? json_text_or(root, "mediaType", "")
						      : media_type);
	autoocimanifest OciManifest made = {0};
	if (!read_manifest(root, row, &made, err))
		return err_wrap(err, "manifest");
	*out = made;
	made = (OciManifest){0};
	return true;
}

const OciDescriptor *oci_index_pick(const OciManifest *index)
{
	for (size_t i = 0; i < index->count; i++) {
		const OciDescriptor *item = &index->items[i];
		if (!item->os ||
		    (cstr_eq(item->os, "linux") && cstr_eq(item->architecture, "amd64")))
			return item;
	}
	return NULL;
}

const OciDescriptor *oci_manifest_layer(const OciManifest *manifest, const char *media_type)
{
	for (size_t i = 0; i < manifest->count; i++)
		if (cstr_empty(media_type) || cstr_eq(manifest->items[i].media_type, media_type))
			return &manifest->items[i];
	return NULL;
}
