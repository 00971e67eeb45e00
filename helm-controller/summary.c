#include "summary.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "ctrl/condition.h"
#include "data/digest.h"

/* The fields of the API's structs in their order: Go writes structs so, and empty ones not at all
 * where they say "omitempty". */
typedef struct {
	const char *name;
	bool always;
	const struct Shape *shape; /* of an object or of a list's items; NULL: as it is */
} Field;

typedef struct Shape {
	const Field *fields;
	size_t count;
} Shape;

static const Field selector_fields[] = {
	{"group", false, NULL},		{"version", false, NULL},
	{"kind", false, NULL},		{"namespace", false, NULL},
	{"name", false, NULL},		{"annotationSelector", false, NULL},
	{"labelSelector", false, NULL},
};
static const Shape selector_shape = {selector_fields, COUNT(selector_fields)};
static const Field patch_fields[] = {{"patch", true, NULL}, {"target", false, &selector_shape}};
static const Shape patch_shape = {patch_fields, COUNT(patch_fields)};
static const Field image_fields[] = {{"name", true, NULL},
				     {"newName", false, NULL},
				     {"newTag", false, NULL},
				     {"digest", false, NULL}};
static const Shape image_shape = {image_fields, COUNT(image_fields)};
static const Field kustomize_fields[] = {{"patches", false, &patch_shape},
					 {"images", false, &image_shape}};
static const Shape kustomize_shape = {kustomize_fields, COUNT(kustomize_fields)};
static const Field renderer_fields[] = {{"kustomize", false, &kustomize_shape}};
static const Shape renderer_shape = {renderer_fields, COUNT(renderer_fields)};
static const Field metadata_fields[] = {{"annotations", false, NULL}, {"labels", false, NULL}};
static const Shape metadata_shape = {metadata_fields, COUNT(metadata_fields)};

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && !*json_string_value(value)) ||
	       (json_is_array(value) && !json_array_size(value));
}

static void write_value(const json_t *value, const Shape *shape, Buf *out);

static void write_object(const json_t *object, const Shape *shape, Buf *out)
{
	const char *comma = "";
	buf_putc(out, '{');
	for (size_t i = 0; i < shape->count; i++) {
		const Field *field = &shape->fields[i];
		const json_t *value = json_object_get(object, field->name);
		bool is_map = json_is_object(value) && !field->shape;
		if (!field->always && (is_empty(value) || (is_map && !json_object_size(value))))
			continue;
		buf_printf(out, "%s\"%s\":", comma, field->name);
		write_value(value, field->shape, out);
		comma = ",";
	}
	buf_putc(out, '}');
}

static void write_value(const json_t *value, const Shape *shape, Buf *out)
{
	if (json_is_array(value) && shape) {
		buf_putc(out, '[');
		for (size_t i = 0; i < json_array_size(value); i++) {
			if (i)
				buf_putc(out, ',');
			write_object(json_array_get(value, i), shape, out);
		}
		buf_putc(out, ']');
	} else if (shape) {
		write_object(value, shape, out);
	} else {
		autofree char *text = value ? json_dump_go(value) : mem_strdup("\"\"");
		buf_puts(out, text);
	}
}

static char *digest_of_shape(const json_t *value, const Shape *shape, DigestAlgo algo)
{
	char digest[DIGEST_TEXT_SIZE];
	autobuf Buf text = {0};
	if (!value || json_is_null(value))
		return mem_strdup("");
	write_value(value, shape, &text);
	buf_putc(&text, '\n');
	digest_of(algo, buf_text(&text), text.len, digest);
	return mem_strdup(digest);
}

char *post_renderers_digest(const json_t *spec, DigestAlgo algo)
{
	return digest_of_shape(json_list(spec, "postRenderers"), &renderer_shape, algo);
}

char *common_metadata_digest(const json_t *spec, DigestAlgo algo)
{
	return digest_of_shape(json_map(spec, "commonMetadata"), &metadata_shape, algo);
}

static void observe(json_t *status, const char *key, const char *digest)
{
	json_put_text(status, key, *digest ? digest : NULL);
}

/* Of the newest generation the most telling one. */
static const json_t *telling_condition(const json_t *object, const ReleaseSpec *spec)
{
	static const char *const types[] = {"Remediated", "TestSuccess", "Released"};
	const json_t *best = NULL;
	for (size_t i = 0; i < COUNT(types); i++) {
		bool counts = !cstr_eq(types[i], "TestSuccess") ||
			      (spec->tests && !spec->ignore_test_failures);
		const json_t *condition = counts ? object_condition(object, types[i]) : NULL;
		if (condition && (!best || json_int(condition, "observedGeneration", 0) >
						   json_int(best, "observedGeneration", 0)))
			best = condition;
	}
	return best;
}

void release_summarize(json_t *object, const ReleaseSpec *spec, DigestAlgo algo)
{
	json_t *status = json_make_at(object, "status", NULL);
	autofree char *renderers = post_renderers_digest(spec->spec, algo);
	autofree char *metadata = common_metadata_digest(spec->spec, algo);
	observe(status, "observedPostRenderersDigest", renderers);
	observe(status, "observedCommonMetadataDigest", metadata);
	if (!spec->tests)
		condition_remove(object, "TestSuccess");
	const json_t *found = telling_condition(object, spec);
	if (!found)
		return;
	autojson json_t *kept = json_incref(json_borrow(found));
	const char *said = json_text_or(kept, "status", "Unknown");
	/* Any remedy is a failure of what was wanted. */
	if (cstr_eq(json_text(kept, "type"), "Remediated"))
		said = "False";
	if (cstr_eq(said, "True"))
		condition_remove(object, "Stalled");
	condition_set(object, "Ready", said, json_text_or(kept, "reason", ""),
		      json_text_or(kept, "message", ""));
}
