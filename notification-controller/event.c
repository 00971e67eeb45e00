/* What an event's JSON means: checks, metadata, the limiter's key (notification.md 3 and 4). */
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/digest.h"
#include "internal.h"

static bool check_text(const char *name, const json_t *value, Error *err)
{
	return !value || json_is_string(value) || json_is_null(value) ||
	       err_set(err, ERR_INVALID, "%s is no text", name);
}

/* What Go's decoder would refuse. */
static bool check_types(const json_t *event, Error *err)
{
	static const char *const texts[] = {"severity", "message", "reason", "reportingController",
					    "reportingInstance"};
	for (size_t i = 0; i < COUNT(texts); i++)
		if (!check_text(texts[i], json_object_get(event, texts[i]), err))
			return false;
	json_t *metadata = json_object_get(event, "metadata");
	const char *key;
	json_t *value;
	if (metadata && !json_is_object(metadata) && !json_is_null(metadata))
		return err_set(err, ERR_INVALID, "metadata is no map");
	json_object_foreach(metadata, key, value)
	{
		if (!check_text("a value of metadata", value, err))
			return false;
	}
	return true;
}

bool event_check(const json_t *event, Error *err)
{
	const json_t *object = json_map(event, "involvedObject");
	if (!object)
		return err_set(err, ERR_INVALID, "the event has no involvedObject");
	static const char *const needed[] = {"kind", "name", "namespace"};
	for (size_t i = 0; i < COUNT(needed); i++)
		if (cstr_empty(json_text(object, needed[i])))
			return err_set(err, ERR_INVALID, "involvedObject.%s is missing", needed[i]);
	return check_types(event, err);
}

char *event_group(const json_t *event)
{
	const char *version = json_text_at(event, "involvedObject", "apiVersion", NULL);
	const char *slash = version ? strchr(version, '/') : NULL;
	return slash ? mem_strndup(version, (size_t)(slash - version)) : mem_strdup("");
}

const char *event_own_metadata(const json_t *event, const char *key)
{
	autofree char *group = event_group(event);
	autofree char *full = mem_printf("%s/%s", group, key);
	return json_text(json_map(event, "metadata"), full);
}

/* Keys of other groups go when the rest is merged for an Alert. */
void event_clean_metadata(json_t *event)
{
	autofree char *group = event_group(event);
	autofree char *checksum = mem_printf("%s/checksum", group);
	autofree char *digest = mem_printf("%s/digest", group);
	json_t *metadata = json_map(event, "metadata"), *value;
	const char *key;
	void *next;
	json_object_foreach_safe(metadata, next, key, value)
	{
		if (strcasecmp(key, checksum) == 0 || strcasecmp(key, digest) == 0)
			json_object_del(metadata, key);
		else if (json_is_null(value)) /* Go's decoder takes that for "" */
			json_put_text(metadata, key, "");
	}
}

void event_limit_key(const json_t *event, unsigned char out[DIGEST_MAX_BYTES])
{
	static const char *const extra[] = {"originRevision", "revision", "token"};
	const json_t *object = json_map(event, "involvedObject");
	autobuf Buf text = {0};
	buf_printf(&text, "event/name=%s/namespace=%s/kind=%s/message=%s",
		   json_text_or(object, "name", ""), json_text_or(object, "namespace", ""),
		   json_text_or(object, "kind", ""), json_text_or(event, "message", ""));
	for (size_t i = 0; i < COUNT(extra); i++) {
		const char *value = event_own_metadata(event, extra[i]);
		if (value)
			buf_printf(&text, "/%s=%s", extra[i], value);
	}
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	digest_update(digest, buf_text(&text), text.len);
	digest_final_raw(digest, out);
}

void event_drop_token(json_t *event)
{
	autofree char *group = event_group(event);
	autofree char *key = mem_printf("%s/token", group);
	json_object_del(json_map(event, "metadata"), key);
}

typedef struct {
	json_t *merged, *conflicts;
} Merge;

/* Later sources win; a key that several of them have is told, with all of them. */
static void merge_key(Merge *merge, const char *key, json_t *value, const char *source,
		      json_t *sources)
{
	const char *earlier = json_text(sources, key);
	autofree char *all = earlier ? mem_printf("%s, %s", earlier, source) : mem_strdup(source);
	if (earlier) {
		if (!merge->conflicts)
			merge->conflicts = json_object();
		json_put_text(merge->conflicts, key, all);
	}
	json_put_text(sources, key, all);
	json_object_set(merge->merged, key, value);
}

static void merge_prefixed(Merge *merge, const json_t *metadata, const char *prefix,
			   const char *source, json_t *sources)
{
	size_t len = strlen(prefix);
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)metadata, key, value)
	{
		if (strncmp(key, prefix, len) == 0)
			merge_key(merge, key + len, value, source, sources);
	}
}

json_t *event_for_alert(const json_t *event, const json_t *alert, json_t **out_conflicts)
{
	autofree char *group = event_group(event);
	autofree char *own = mem_printf("%s/", group);
	const json_t *metadata = json_map(event, "metadata"), *spec = json_map(alert, "spec");
	autojson json_t *sources = json_object();
	Merge merge = {.merged = json_object()};
	merge_prefixed(&merge, metadata, EVENT_PREFIX, "involved object annotations", sources);
	merge_prefixed(&merge, json_map(spec, "eventMetadata"), "",
		       "Alert object .spec.eventMetadata", sources);
	json_t *summary = json_object_get(spec, "summary");
	if (json_is_string(summary) && *json_string_value(summary))
		merge_key(&merge, "summary", summary, "Alert object .spec.summary", sources);
	merge_prefixed(&merge, metadata, own, "involved object controller metadata", sources);
	json_t *copy = json_copy((json_t *)(uintptr_t)event);
	json_object_set_new(copy, "metadata", merge.merged);
	*out_conflicts = merge.conflicts;
	return copy;
}
