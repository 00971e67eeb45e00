/*
 * Which of the names that a definition asks for it gets (apiextensions naming_controller.go): those
 * that no other one of its group has. One that does not get all of them the first time is not
 * established: nothing is served until the other is gone. What is taken is read off the catalog, so
 * only definitions that are served count.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "crd_internal.h"

typedef struct {
	json_t *resources, *kinds; /* names as keys, owned */
} Taken;

typedef struct {
	const char *reason;
	char *message; /* owned; NULL: no conflict */
} Conflict;

static void take(json_t *names, const char *name)
{
	if (!cstr_empty(name))
		json_object_set_new(names, name, json_true());
}

static Taken taken_names(Catalog *catalog, const json_t *crd)
{
	Taken taken = {json_object(), json_object()};
	const char *group = json_text_or(json_map(crd, "spec"), "group", "");
	const char *own = json_text_or(json_map(crd, "metadata"), "name", "");
	Vec resources = {0};
	catalog_list_stored(catalog, &resources);
	for (size_t i = 0; i < resources.len; i++) {
		const Resource *resource = resources.items[i];
		if (!resource_has(resource, KIND_CUSTOM) || strcmp(resource->group, group) != 0 ||
		    strcmp(resource->key, own) == 0)
			continue;
		take(taken.resources, resource->plural);
		take(taken.resources, resource->singular);
		for (char **name = resource->short_names; name && *name; name++)
			take(taken.resources, *name);
		take(taken.kinds, resource->kind);
		take(taken.kinds, resource->list_kind);
	}
	catalog_list_free(&resources);
	return taken;
}

/* Takes over what is asked for unless it is in use. */
static void settle_name(const json_t *asked, json_t *accepted, const char *member,
			const json_t *used, const char *reason, Conflict *conflict)
{
	const char *name = json_text_or(asked, member, "");
	if (strcmp(name, json_text_or(accepted, member, "")) == 0 || !json_object_get(used, name)) {
		json_put_text(accepted, member, name);
		return;
	}
	free(conflict->message);
	*conflict = (Conflict){reason, mem_printf("\"%s\" is already in use", name)};
}

static bool has_name(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (cstr_eq(json_string_value(json_array_get(list, i)), name))
			return true;
	return false;
}

/* All of them or none. */
static void settle_short_names(const json_t *asked, json_t *accepted, const json_t *used,
			       Conflict *conflict)
{
	json_t *wanted = json_list(asked, "shortNames");
	autobuf Buf text = {0};
	size_t count = 0;
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		const char *name = json_string_value(json_array_get(wanted, i));
		bool free_name = !name || !json_object_get(used, name) ||
				 has_name(json_list(accepted, "shortNames"), name);
		if (!free_name)
			buf_printf(&text, "%s\"%s\" is already in use", count++ ? ", " : "", name);
	}
	if (count > 0) {
		free(conflict->message);
		*conflict = (Conflict){"ShortNamesConflict",
				       mem_printf("%s%s%s", count > 1 ? "[" : "", buf_text(&text),
						  count > 1 ? "]" : "")};
	} else if (wanted) {
		json_object_set(accepted, "shortNames", wanted);
	} else {
		json_object_del(accepted, "shortNames");
	}
}

static Conflict settle_names(const Taken *taken, const json_t *asked, json_t *accepted)
{
	Conflict conflict = {0};
	json_t *categories = json_list(asked, "categories");
	settle_name(asked, accepted, "plural", taken->resources, "PluralConflict", &conflict);
	settle_name(asked, accepted, "singular", taken->resources, "SingularConflict", &conflict);
	settle_short_names(asked, accepted, taken->resources, &conflict);
	settle_name(asked, accepted, "kind", taken->kinds, "KindConflict", &conflict);
	settle_name(asked, accepted, "listKind", taken->kinds, "ListKindConflict", &conflict);
	if (!json_text(accepted, "kind"))
		json_put_text(accepted, "kind", "");
	json_object_del(accepted, "categories");
	if (categories)
		json_object_set(accepted, "categories", categories);
	return conflict;
}

json_t *crd_condition(const json_t *crd, const char *type)
{
	json_t *list = json_list(json_map(crd, "status"), "conditions");
	for (size_t i = 0; i < json_array_size(list); i++)
		if (cstr_eq(json_text(json_array_get(list, i), "type"), type))
			return json_array_get(list, i);
	return NULL;
}

/* Its time is that of the last change of its status. */
static void set_condition(json_t *crd, const char *type, bool met, const char *reason,
			  const char *message)
{
	json_t *condition = crd_condition(crd, type);
	char now[CLOCK_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	const char *status = met ? "True" : "False";
	if (!condition) {
		json_t *made = json_pack("{s:s,s:s}", "lastTransitionTime", now, "type", type);
		json_t *parts = json_make_at(crd, "status", NULL);
		if (!json_list(parts, "conditions"))
			json_object_set_new(parts, "conditions", json_array());
		json_array_append_new(json_list(parts, "conditions"), made);
		condition = made;
	} else if (!cstr_eq(json_text(condition, "status"), status)) {
		json_put_text(condition, "lastTransitionTime", now);
	}
	json_put_text(condition, "message", message);
	json_put_text(condition, "reason", reason);
	json_put_text(condition, "status", status);
}

bool crd_is_established(const json_t *crd)
{
	const json_t *condition = crd_condition(crd, "Established");
	return cstr_eq(json_text(condition, "status"), "True");
}

void crd_accept_names(Catalog *catalog, json_t *crd)
{
	const json_t *asked = json_at(crd, "spec", "names", NULL);
	json_t *accepted = json_make_at(crd, "status", "acceptedNames", NULL);
	Taken taken = taken_names(catalog, crd);
	Conflict conflict = settle_names(&taken, asked, accepted);
	bool established = crd_is_established(crd);
	if (conflict.message) {
		set_condition(crd, "NamesAccepted", false, conflict.reason, conflict.message);
		if (!established)
			set_condition(crd, "Established", false, "NotAccepted",
				      "not all names are accepted");
	} else {
		set_condition(crd, "NamesAccepted", true, "NoConflicts", "no conflicts found");
		if (!established)
			set_condition(crd, "Established", true, "InitialNamesAccepted",
				      "the initial names have been accepted");
	}
	free(conflict.message);
	json_decref(taken.resources);
	json_decref(taken.kinds);
}
