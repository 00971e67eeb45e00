#include "kustomize/transform.h"

#include "base/mem.h"
#include "data/regex.h"
#include "data/written.h"

/* images (facts 7; B78..B81): containers at any depth of any kind but CRDs, and configured paths.
 */

typedef struct {
	const Regex *regex;
	const char *new_name, *new_tag, *tag_suffix, *digest;
} Image;

/* NAME, :TAG and @DIGEST; a colon before the first slash is a port. */
static void split_image(Str image, Str *name, Str *tag, Str *digest)
{
	ptrdiff_t slash = str_find_char(image, '/');
	size_t from = slash > 0 ? (size_t)slash : 0;
	Str tail = str_slice(image, from, image.len);
	*tag = *digest = (Str){"", 0};
	ptrdiff_t at = str_find_char(tail, '@');
	if (at >= 0) {
		*digest = str_slice(tail, (size_t)at + 1, tail.len);
		tail = str_slice(tail, 0, (size_t)at);
	}
	ptrdiff_t colon = str_find_char(tail, ':');
	if (colon >= 0) {
		*tag = str_slice(tail, (size_t)colon + 1, tail.len);
		tail = str_slice(tail, 0, (size_t)colon);
	}
	*name = str_slice(image, 0, from + tail.len);
}

static void add_parts(Buf *out, Str tag, const char *suffix, Str digest)
{
	if (tag.len > 0 || *suffix) {
		buf_putc(out, ':');
		buf_add(out, tag);
		buf_puts(out, suffix);
	}
	if (digest.len > 0) {
		buf_putc(out, '@');
		buf_add(out, digest);
	}
}

static char *new_image(const Image *image, const char *old)
{
	Str name, tag, digest;
	split_image(str_of(old), &name, &tag, &digest);
	const char *suffix = "";
	if (*image->new_tag || *image->digest) {
		tag = str_of(image->new_tag);
		digest = str_of(image->digest);
	} else if (*image->tag_suffix) {
		suffix = image->tag_suffix;
		digest = (Str){"", 0};
	}
	autobuf Buf out = {0};
	buf_add(&out, *image->new_name ? str_of(image->new_name) : name);
	add_parts(&out, tag, suffix, digest);
	return buf_steal(&out);
}

static bool set_image(void *arg, const KSlot *slot, Error *err)
{
	const Image *image = arg;
	const json_t *value = kslot_get(slot);
	if (json_is_object(value) || json_is_array(value))
		return err_set(err, ERR_INVALID, "image is no string");
	const char *old = written_string(value);
	if (!old || !regex_matches(image->regex, old, strlen(old)))
		return true;
	autofree char *text = new_image(image, old);
	kslot_set_text(slot, text);
	return true;
}

static bool set_list(const Image *image, const json_t *list, Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		KSlot slot = {json_array_get(list, i), "image", 0};
		if (json_is_object(slot.container) && json_object_get(slot.container, "image") &&
		    !set_image((void *)(uintptr_t)image, &slot, err))
			return false;
	}
	return true;
}

/* Depth is bounded by the YAML reader's limit. */
static bool walk(const Image *image, const json_t *value, Error *err)
{
	const char *key;
	json_t *member;
	size_t index;
	json_array_foreach(json_borrow(value), index, member)
	{
		if (!walk(image, member, err))
			return false;
	}
	json_object_foreach(json_borrow(value), key, member)
	{
		if (!walk(image, member, err))
			return false;
		bool containers = cstr_eq(key, "containers") || cstr_eq(key, "initContainers");
		if (containers && json_is_array(member) && !set_list(image, member, err))
			return false;
	}
	return true;
}

static bool apply_one(const Image *image, json_t *object, const KSpecs *specs, Error *err)
{
	if (cstr_eq(json_text(object, "kind"), "CustomResourceDefinition"))
		return true;
	if (!walk(image, object, err))
		return false;
	for (size_t i = 0; i < kspecs_len(specs); i++)
		if (!fieldspec_apply(kspecs_at(specs, i), object, K_MAKE_NOTHING, set_image,
				     (void *)(uintptr_t)image, err))
			return false;
	return true;
}

bool images_apply(KSet *set, const json_t *entry, const KSpecs *specs, Error *err)
{
	autofree char *pattern = mem_printf("^%s(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$",
					    json_text_or(entry, "name", ""));
	autoregex Regex *regex = regex_new(pattern, REGEX_SEARCH, err);
	if (!regex)
		return err_wrap(err, "images: name");
	static const char *const parts[] = {"newName", "newTag", "tagSuffix", "digest"};
	for (size_t i = 0; i < COUNT(parts); i++)
		if (!kbuild_check_name(parts[i], json_text(entry, parts[i]), err))
			return err_wrap(err, "images");
	Image image = {regex, json_text_or(entry, "newName", ""), json_text_or(entry, "newTag", ""),
		       json_text_or(entry, "tagSuffix", ""), json_text_or(entry, "digest", "")};
	for (size_t i = 0; i < set->items.len; i++)
		if (!apply_one(&image, kset_at(set, i)->tree, specs, err))
			return err_wrap(err, "images");
	return true;
}
