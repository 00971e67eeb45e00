/* status.artifact as a struct. Reading is strict about what consumers need and lenient otherwise.
 */
#include "artifact/artifact.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/url.h"

void artifact_dispose(Artifact *artifact)
{
	free(artifact->path);
	free(artifact->url);
	free(artifact->revision);
	free(artifact->digest);
	json_decref(artifact->metadata);
	*artifact = (Artifact){0};
}

/* Only the members that are strings; NULL when there are none. Owned. */
static json_t *string_map(const json_t *map)
{
	autojson json_t *out = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(map), key, value)
	{
		if (json_is_string(value))
			json_object_set(out, key, value);
	}
	return json_object_size(out) ? steal(&out) : NULL;
}

bool artifact_of_json(const json_t *object, Artifact *out)
{
	const char *path = json_text(object, "path");
	const char *url = json_text(object, "url");
	const char *revision = json_text(object, "revision");
	const char *digest = json_text(object, "digest");
	if (cstr_empty(path) || cstr_empty(url) || cstr_empty(revision) || cstr_empty(digest))
		return false;
	int64_t updated_ms = 0;
	const char *updated = json_text(object, "lastUpdateTime");
	if (!updated || !clock_parse(updated, &updated_ms))
		updated_ms = 0;
	*out = (Artifact){
		.path = mem_strdup(path),
		.url = mem_strdup(url),
		.revision = mem_strdup(revision),
		.digest = mem_strdup(digest),
		.last_update_ms = updated_ms,
		.size = json_int(object, "size", 0),
		.metadata = string_map(json_map(object, "metadata")),
	};
	return true;
}

char *artifact_source_host(const json_t *source)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	const json_t *spec = json_map(source, "spec");
	const char *place = json_text_or(spec, "url", json_text_or(spec, "endpoint", ""));
	autofree char *text = mem_printf("%s%s", strstr(place, "://") ? "" : "https://", place);
	return url_parse(text, &url, &ignored) ? steal(&url.host) : mem_strdup("");
}

json_t *artifact_to_json(const Artifact *artifact)
{
	char updated[CLOCK_TEXT_SIZE];
	clock_format(artifact->last_update_ms, updated);
	json_t *out = json_object();
	json_put_text(out, "digest", artifact->digest);
	json_put_text(out, "lastUpdateTime", updated);
	if (artifact->metadata)
		json_object_set_new(out, "metadata", json_deep_copy(artifact->metadata));
	json_put_text(out, "path", artifact->path);
	json_put_text(out, "revision", artifact->revision);
	json_object_set_new(out, "size", json_integer(artifact->size));
	json_put_text(out, "url", artifact->url);
	return out;
}
