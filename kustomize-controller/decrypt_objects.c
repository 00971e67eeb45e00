#include "decrypt_internal.h"

#include <strings.h>

#include "base/mem.h"
#include "data/base64.h"

/*
 * Built objects. The build adds labels, names and namespaces to them, so an object seldom has the
 * MAC of its file: then the file that defined it is looked at again, as it was encrypted.
 */

static bool verify_file(Decryptor *self, const KustomizeResource *resource, const char *mac,
			Error *err)
{
	autofree char *key = mem_printf("%s %s", resource->file, mac);
	autobuf Buf text = {0};
	if (map_has(self->verified, key))
		return true;
	SopsFormat format = sops_format_of_path(resource->file);
	if (cstr_empty(resource->file) ||
	    !self->source->read(self->source->arg, resource->file, &text, err)) {
		error_dispose(err);
		return err_set(err, ERR_INVALID,
			       "failed to verify sops data integrity: the MAC does not match, and "
			       "the file that it is from is not in the source");
	}
	if (!sops_verify(buf_str(&text), format == SOPS_BINARY ? SOPS_YAML : format, mac,
			 &self->options, err))
		return false;
	map_put(self->verified, key, NULL);
	return true;
}

static bool decrypt_whole(Decryptor *self, KustomizeResource *resource, Error *err)
{
	bool matches;
	autofree char *mac = mem_strdup(json_text_at(resource->object, "sops", "mac", NULL));
	autojson json_t *open = sops_decrypt_tree(resource->object, &self->options, &matches, err);
	if (!open || (!matches && !verify_file(self, resource, mac, err)))
		return false;
	json_decref(resource->object);
	resource->object = steal(&open);
	return true;
}

/* True also for what is not encrypted, or no base64: the API server tells of that. */
static bool decrypt_value(Decryptor *self, json_t *data, const char *key, const char *encoded,
			  Error *err)
{
	autobuf Buf sealed = {0};
	autosecretbuf Buf plain = {0};
	autoerror Error ignored = {0};
	SopsFormat format;
	if (!base64_decode(encoded, str_of(encoded).len, &sealed, &ignored) ||
	    !sops_detect(buf_str(&sealed), &format))
		return true;
	buf_reserve(&plain, sealed.len);
	if (!sops_decrypt(buf_str(&sealed), format, sops_format_of_path(key), &self->options,
			  &plain, err))
		return err_wrap(err, "field '%s'", key);
	autofree char *text = base64_encode(buf_text(&plain), plain.len);
	json_put_text(data, key, text);
	return true;
}

static bool decrypt_data(Decryptor *self, json_t *secret, Error *err)
{
	json_t *data = json_map(secret, "data");
	const char *key;
	json_t *value;
	/* Setting a member that is there keeps the iteration valid. */
	json_object_foreach(data, key, value)
	{
		if (json_is_string(value) &&
		    !decrypt_value(self, data, key, json_string_value(value), err))
			return false;
	}
	return true;
}

static bool decrypt_object(Decryptor *self, KustomizeResource *resource, Error *err)
{
	const char *choice = object_annotation(resource->object, KS_GROUP "/decrypt");
	if (choice && strcasecmp(choice, "disabled") == 0) /* K46 */
		return true;
	if (!cstr_empty(json_text_at(resource->object, "sops", "mac", NULL)))
		return decrypt_whole(self, resource, err);
	if (cstr_eq(object_kind(resource->object), "Secret"))
		return decrypt_data(self, resource->object, err);
	return true;
}

bool decrypt_objects(Decryptor *decryptor, KustomizeResult *result, Error *err)
{
	for (size_t i = 0; i < result->len; i++) {
		KustomizeResource *resource = &result->items[i];
		autofree char *id = object_id(resource->object);
		if (decrypt_object(decryptor, resource, err))
			continue;
		if (resource->line)
			return err_wrap(err, "failed to decrypt %s (%s:%zu)", id, resource->file,
					resource->line);
		return err_wrap(err, "failed to decrypt %s", id);
	}
	return true;
}
