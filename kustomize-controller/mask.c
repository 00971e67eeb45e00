/*
 * What people may see of Secrets in a build or a diff (cli.md C69). Masks are upstream's, so that a
 * script that knows one output knows the other.
 */
#include "plan.h"

#include <string.h>

#include "base/mem.h"
#include "data/base64.h"

#define MASK "**SOPS**"
#define MASK_JSON "{\"mask\":\"" MASK "\"}"

static bool is_secret(const json_t *object)
{
	return cstr_eq(object_kind(object), "Secret") && cstr_eq(object_api_version(object), "v1");
}

/* The mark that SOPS leaves in a file of any format, and a value that it made. */
static bool is_encrypted(const char *text, size_t len)
{
	return memmem(text, len, "sops", 4) && memmem(text, len, "ENC[", 4);
}

static char *masked(bool docker, bool encoded)
{
	const char *text = docker ? MASK_JSON : MASK;
	return encoded ? base64_encode(text, strlen(text)) : mem_strdup(text);
}

/* The bytes of a value of data or stringData. */
static bool value_bytes(const json_t *value, bool encoded, Buf *out, Error *err)
{
	const char *text = json_string_value(value);
	if (text && encoded)
		return base64_decode(text, json_string_length(value), out, err);
	if (text)
		buf_append(out, text, json_string_length(value));
	return true;
}

/* `all`: the Secret's own manifest was encrypted, else only files inside of it may be. */
static bool mask_values(json_t *values, bool encoded, bool all, bool docker, Error *err)
{
	void *next;
	const char *key;
	json_t *value;
	json_object_foreach_safe(values, next, key, value)
	{
		autobuf Buf bytes = {0};
		if (!all && !value_bytes(value, encoded, &bytes, err))
			return err_wrap(err, "data.%s", key);
		if (!all && !is_encrypted(buf_text(&bytes), bytes.len))
			continue;
		autofree char *mask = masked(all && docker, encoded);
		json_put_text(values, key, mask);
	}
	return true;
}

bool mask_encrypted(const KustomizeResource *resource, Error *err)
{
	json_t *object = resource->object;
	if (!is_secret(object))
		return true;
	bool all = json_text(json_map(object, "sops"), "mac") != NULL;
	bool docker = cstr_eq(json_text(object, "type"), "kubernetes.io/dockerconfigjson");
	if (all)
		json_object_del(object, "sops");
	if (mask_values(json_map(object, "data"), true, all, docker, err) &&
	    mask_values(json_map(object, "stringData"), false, all, docker, err))
		return true;
	autofree char *id = object_id(object);
	autofree char *place = place_text(resource->file, resource->line);
	return err_wrap(err, "%s%s", id, place);
}

bool mask_is_masked(const json_t *secret)
{
	autofree char *plain = masked(false, true), *docker = masked(true, true);
	const char *key;
	json_t *value;
	json_object_foreach(json_map(secret, "data"), key, value)
	{
		const char *text = json_string_value(value);
		if (is_secret(secret) && (cstr_eq(text, plain) || cstr_eq(text, docker)))
			return true;
	}
	return false;
}

/* The annotation of kubectl holds the values once more. */
static void mask_annotations(json_t *object)
{
	json_t *annotations = json_at(object, "metadata", "annotations", NULL);
	static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";
	if (json_object_get(annotations, last_applied))
		json_put_text(annotations, last_applied, "***");
}

static void mask_pair(json_t *before, json_t *after, const char *key, bool keys_only)
{
	const json_t *old = json_object_get(before, key), *now = json_object_get(after, key);
	bool differ = !keys_only && old && now && !json_equal(old, now);
	if (old)
		json_put_text(before, key, differ ? "*** (before)" : "***");
	if (now)
		json_put_text(after, key, differ ? "*** (after)" : "***");
}

void mask_secret(json_t *before, json_t *after, bool keys_only)
{
	static const char *const fields[] = {"data", "stringData"};
	if (!is_secret(before) && !is_secret(after))
		return;
	mask_annotations(before);
	mask_annotations(after);
	for (size_t i = 0; i < COUNT(fields); i++) {
		json_t *old = json_map(before, fields[i]), *now = json_map(after, fields[i]);
		autojson json_t *keys = json_object();
		json_object_update(keys, old);
		json_object_update(keys, now);
		const char *key;
		json_t *value;
		json_object_foreach(keys, key, value)
		{
			mask_pair(old, now, key, keys_only);
		}
	}
}
