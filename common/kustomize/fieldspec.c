#include "kustomize/fieldspec.h"

#include "base/mem.h"
#include "data/written.h"
#include "kustomize/resource.h"

/* Depth is bounded by the path's length and by what the YAML reader lets in. */

enum { PARTS_MAX = 64, SHORT_PATH = 160 };

/* Filled by split_path, never cleared: a walk happens for each field of each object. */
typedef struct {
	char room[SHORT_PATH];
	char *text; /* cut into the parts: `room`, or owned when that is too small */
	const char *part[PARTS_MAX];
	size_t len;
} Path;

typedef struct {
	const FieldSpec *spec;
	KMake make;
	FieldVisit visit;
	void *arg;
	const Path *path;
} Walk;

size_t kspecs_len(const KSpecs *specs)
{
	return specs->builtin.len + (specs->added ? specs->added->len : 0);
}

const FieldSpec *kspecs_at(const KSpecs *specs, size_t index)
{
	return index < specs->builtin.len ? &specs->builtin.rows[index]
					  : specs->added->items[index - specs->builtin.len];
}

json_t *kslot_get(const KSlot *slot)
{
	return slot->key ? json_object_get(slot->container, slot->key)
			 : json_array_get(slot->container, slot->index);
}

void kslot_set(const KSlot *slot, json_t *take_value)
{
	if (slot->key)
		json_object_set_new_nocheck(slot->container, slot->key, take_value);
	else
		json_array_set_new(slot->container, slot->index, take_value);
}

void kslot_set_text(const KSlot *slot, const char *text)
{
	json_t *old = kslot_get(slot);
	if (written_string(old))
		written_set_text(old, text);
	else
		kslot_set(slot, json_string_nocheck(text));
}

/* "a/b\/c" is "a", "b/c"; a leading slash does not count. */
static bool split_path(const char *text, Path *out, Error *err)
{
	text += *text == '/';
	size_t size = strlen(text) + 1;
	out->text = size <= sizeof(out->room) ? out->room : mem_alloc(size);
	char *to = out->text;
	out->part[0] = to;
	out->len = 1;
	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] == '/') {
			*to++ = *++from;
		} else if (*from != '/') {
			*to++ = *from;
		} else {
			*to++ = '\0';
			if (out->len == PARTS_MAX)
				return err_set(err, ERR_LIMIT, "field path \"%s\" is too long",
					       text);
			out->part[out->len++] = to;
		}
	}
	*to = '\0';
	return true;
}

static json_t *make_value(KMake make)
{
	return make == K_MAKE_MAP ? json_object() : json_string("");
}

static bool walk(const Walk *state, size_t at, const KSlot *slot, Error *err);

static bool walk_list(const Walk *state, size_t at, json_t *list, Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		KSlot slot = {list, NULL, i};
		if (!walk(state, at, &slot, err))
			return false;
	}
	return true;
}

static bool walk_map(const Walk *state, size_t at, json_t *map, Error *err)
{
	const char *name = state->path->part[at];
	autofree char *shorter = NULL;
	bool list = cstr_ends(name, "[]");
	if (list)
		name = shorter = mem_strndup(name, strlen(name) - 2);
	if (*name == '\0')
		return err_set(err, ERR_INVALID, "cannot set or create an empty field name");
	bool last = at + 1 == state->path->len;
	bool create = state->spec->create && state->make != K_MAKE_NOTHING && !list;
	json_t *value = json_object_get(map, name);
	if (!value && !create)
		return true;
	KSlot slot = {map, name, 0};
	if (json_is_null(value) && list)
		kslot_set(&slot, json_array());
	else if (create && (!value || json_is_null(value)))
		kslot_set(&slot, last ? make_value(state->make) : json_object());
	return walk(state, at + 1, &slot, err);
}

static bool walk(const Walk *state, size_t at, const KSlot *slot, Error *err)
{
	if (at == state->path->len)
		return state->visit(state->arg, slot, err);
	json_t *value = kslot_get(slot);
	if (json_is_object(value))
		return walk_map(state, at, value, err);
	if (json_is_array(value))
		return walk_list(state, at, value, err);
	return json_is_null(value) ||
	       err_set(err, ERR_INVALID, "expected sequence or mapping node");
}

bool fieldspec_walk(const FieldSpec *spec, json_t *object, KMake make, FieldVisit visit, void *arg,
		    Error *err)
{
	Path path;
	Walk state = {.spec = spec, .make = make, .visit = visit, .arg = arg, .path = &path};
	bool ok = split_path(spec->path, &path, err) && walk_map(&state, 0, object, err);
	if (path.text != path.room)
		free(path.text);
	return ok || err_wrap(err, "considering field '%s' of %s %s", spec->path,
			      json_text_or(object, "kind", ""),
			      json_text_or(json_object_get(object, "metadata"), "name", ""));
}

bool fieldspec_apply(const FieldSpec *spec, json_t *object, KMake make, FieldVisit visit, void *arg,
		     Error *err)
{
	/* Most do not apply for their kind: only then is the version of interest. */
	const char *kind = json_text_or(object, "kind", "");
	if (!kgvk_selected(NULL, NULL, spec->kind, "", kind) ||
	    !kgvk_selected(spec->group, spec->version, NULL, json_text_or(object, "apiVersion", ""),
			   kind))
		return true;
	return fieldspec_walk(spec, object, make, visit, arg, err);
}
