#include "kustomize/hash.h"

#include "base/mem.h"
#include "data/digest.h"
#include "data/written.h"
#include "kustomize/path.h"

static void put_or_empty(json_t *out, const char *key, const json_t *value)
{
	/* A scalar counts as its text, a list as nothing [Q]. */
	autofree char *text = kpath_scalar_text(value);
	if (json_is_object(value) || json_is_null(value))
		json_object_set(out, key, json_borrow(value));
	else if (json_is_array(value))
		json_object_set_new(out, key, json_null());
	else
		json_put_text(out, key, text);
}

/* What counts of an object; the name is always empty [Q]. */
static json_t *content_of(const json_t *object)
{
	const char *kind = json_text(object, "kind");
	bool secret = cstr_eq(kind, "Secret");
	if (!secret && !cstr_eq(kind, "ConfigMap"))
		return json_incref(json_borrow(object));
	const char *extra = secret ? "stringData" : "binaryData";
	json_t *out = json_object();
	json_put_text(out, "kind", kind);
	json_put_text(out, "name", "");
	put_or_empty(out, "data", json_object_get(object, "data"));
	if (json_map(object, extra))
		json_object_set(out, extra, json_map(object, extra));
	if (secret)
		put_or_empty(out, "type", json_object_get(object, "type"));
	return out;
}

void hash_of(const json_t *object, char out[K_HASH_SIZE])
{
	/* No vowels and no digits that look like them: hashes spell no words. */
	static const char from[] = "013ae", to[] = "ghkmt";
	autojson json_t *shared = content_of(object);
	autojson json_t *content = json_deep_copy(shared);
	written_settle(&content); /* large integers count as reals */
	autofree char *text = json_dump_go(content);
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, text, strlen(text), hex);
	for (size_t i = 0; i < K_HASH_SIZE - 1; i++) {
		const char *at = strchr(from, hex[i]);
		out[i] = at ? to[at - from] : hex[i];
	}
	out[K_HASH_SIZE - 1] = '\0';
}

void hash_names(KSet *set)
{
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		if (!res->needs_hash)
			continue;
		char hash[K_HASH_SIZE];
		hash_of(res->tree, hash);
		kresource_remember(res);
		autofree char *name = mem_printf("%s-%s", kresource_name(res), hash);
		kresource_set_name(res, name);
		kset_reindex(set, res);
	}
}
