/* Lists of references. A name that git-check-ref-format refuses never leaves this file. */
#include "git/protocol.h"

#include <stdint.h>

#include "base/mem.h"

bool git_hash_is_valid(Str text)
{
	if (text.len != GIT_HASH_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

static bool component_is_valid(Str part)
{
	return part.len > 0 && part.ptr[0] != '.' && !str_ends(part, STR(".lock")) &&
	       part.ptr[part.len - 1] != '.';
}

bool git_ref_name_is_valid(Str name)
{
	if (str_eq(name, STR("HEAD")))
		return true;
	if (name.len > GIT_MAX_REF_NAME || !str_starts(name, STR("refs/")))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];
		if (c <= ' ' || c == 0x7f || strchr("~^:?*[\\", c))
			return false;
	}
	if (str_find(name, STR("..")) >= 0 || str_find(name, STR("@{")) >= 0 ||
	    name.ptr[name.len - 1] == '/')
		return false;
	Str rest = name, part;
	while (str_next(&rest, '/', &part))
		if (!component_is_valid(part))
			return false;
	return true;
}

static void ref_dispose(GitRef *ref)
{
	free(ref->name);
	free(ref->symref);
}

void git_refs_dispose(GitRefs *refs)
{
	for (size_t i = 0; i < refs->len; i++)
		ref_dispose(&refs->items[i]);
	free(refs->items);
	*refs = (GitRefs){0};
}

const GitRef *git_refs_find(const GitRefs *refs, const char *name)
{
	for (size_t i = 0; i < refs->len; i++)
		if (cstr_eq(refs->items[i].name, name))
			return &refs->items[i];
	return NULL;
}

void git_ref_list_dispose(GitRefList *list)
{
	git_refs_dispose(&list->refs);
	list->cap = 0;
}

bool git_ref_list_add(GitRefList *list, Str name, Str hash, GitRef **out_ref, Error *err)
{
	GitRefs *refs = &list->refs;
	if (!git_hash_is_valid(hash))
		return err_set(err, ERR_INVALID, "the server sent a reference without a SHA-1");
	*out_ref = NULL;
	if (!git_ref_name_is_valid(name))
		return true;
	if (refs->len >= GIT_MAX_REFS)
		return err_set(err, ERR_LIMIT, "more than %d references", GIT_MAX_REFS);
	if (refs->len == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 32;
		refs->items = mem_realloc(refs->items, list->cap * sizeof(GitRef));
	}
	GitRef *ref = &refs->items[refs->len++];
	*ref = (GitRef){.name = str_dup(name)};
	memcpy(ref->hash, hash.ptr, hash.len);
	*out_ref = ref;
	return true;
}

static bool starts_with_any(const char *name, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (cstr_starts(name, *prefixes))
			return true;
	return false;
}

void git_ref_list_filter(GitRefList *list, const char *const *prefixes)
{
	GitRefs *refs = &list->refs;
	size_t kept = 0;
	for (size_t i = 0; i < refs->len; i++) {
		if (prefixes && !starts_with_any(refs->items[i].name, prefixes))
			ref_dispose(&refs->items[i]);
		else
			refs->items[kept++] = refs->items[i];
	}
	refs->len = kept;
}
