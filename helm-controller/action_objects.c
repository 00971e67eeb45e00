/* Objects of a manifest, on their way to the API server. */
#include "action_internal.h"

#include "base/mem.h"
#include "data/yaml.h"

enum { MANIFEST_MAX = 64 << 20, MAX_OBJECTS = 10000, ERRORS_MAX_BYTES = 16384, LOOK_BATCH = 100 };

static const char source_mark[] = "# Source: ";

/* --- reading --- */

void resources_dispose(Resources *resources)
{
	for (size_t i = 0; i < resources->len; i++) {
		json_decref(resources->items[i].object);
		json_decref(resources->items[i].live);
		free(resources->items[i].unseen);
		free(resources->items[i].why);
	}
	free(resources->items);
	*resources = (Resources){0};
}

void resources_add(Resources *out, json_t *take_object, const char *path)
{
	if (out->len == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 16;
		out->items = mem_realloc(out->items, out->cap * sizeof(Resource));
	}
	out->items[out->len++] =
		(Resource){.object = take_object, .path = path, .code = KSTATUS_UNKNOWN};
}

/* The template's file from the comment that stands before an object; "" without one. */
static const char *path_of(Arena *arena, Str text)
{
	if (!str_starts(text, str_of(source_mark)))
		return "";
	Str line, rest;
	str_cut(str_slice(text, sizeof(source_mark) - 1, text.len), '\n', &line, &rest);
	return arena_strndup(arena, line.ptr, line.len);
}

static bool wrong(const char *path, Error *err)
{
	err_wrap(err, "unable to build kubernetes objects from release manifest");
	if (!*path)
		return false;
	Error cause = *err;
	*err = (Error){0};
	err_set(err, cause.code, "%s [%s]", err_text(&cause), path);
	error_dispose(&cause);
	return false;
}

static bool no_such_kind(const json_t *object, Error *err)
{
	autoerror Error cause = {0};
	err_move(&cause, err);
	if (cause.code != ERR_NOT_FOUND)
		return err_move(err, &cause);
	return err_set(err, ERR_INVALID,
		       "resource mapping not found for name: \"%s\" namespace: \"%s\" from \"\": "
		       "%s\nensure CRDs are installed first",
		       object_name(object), object_namespace(object), err_text(&cause));
}

/* A kind that was made a moment ago is worth one more look, once in an action. */
static bool find_kind(Action *action, const json_t *object, KubeResource *out, Error *err)
{
	KubeClient *client = action->target->client;
	const char *api_version = object_api_version(object), *kind = object_kind(object);
	autoerror Error unknown = {0};
	if (kube_resource(client, api_version, kind, out, &unknown))
		return true;
	if (unknown.code != ERR_NOT_FOUND || action->looked_for_kinds) {
		err_move(err, &unknown);
		return no_such_kind(object, err);
	}
	action->looked_for_kinds = true;
	kube_discovery_invalidate(client);
	return kube_resource(client, api_version, kind, out, err) || no_such_kind(object, err);
}

/* Namespaced objects without a namespace get the release's; others have none. */
static bool place(Action *action, json_t *object, Error *err)
{
	KubeResource resource;
	json_t *metadata = json_make_at(object, "metadata", NULL);
	if (cstr_empty(object_kind(object)))
		return err_set(err, ERR_INVALID, "Object 'Kind' is missing");
	if (cstr_empty(object_api_version(object)))
		return err_set(err, ERR_INVALID, "Object 'apiVersion' is missing");
	if (cstr_empty(object_name(object)))
		return err_set(err, ERR_INVALID, "%s: resource name may not be empty",
			       object_kind(object));
	if (!find_kind(action, object, &resource, err))
		return false;
	if (!resource.namespaced)
		json_object_del(metadata, "namespace");
	else if (cstr_empty(object_namespace(object)))
		json_put_text(metadata, "namespace", action->input.ns);
	return true;
}

static bool add_object(Action *action, json_t *object, const char *path, Resources *out, Error *err)
{
	json_t *item, *items = json_list(object, "items");
	size_t index;
	if (out->len >= MAX_OBJECTS)
		return err_set(err, ERR_LIMIT, "more than %d objects", MAX_OBJECTS);
	if (!items) {
		resources_add(out, json_incref(object), path);
		return place(action, object, err);
	}
	json_array_foreach(items, index, item)
	{
		if (!json_is_object(item))
			return err_set(err, ERR_INVALID, "%s: an item is no object",
				       object_kind(object));
		resources_add(out, json_incref(item), path);
		if (!place(action, item, err))
			return false;
	}
	return true;
}

static bool add_text(Action *action, Str text, Resources *out, Error *err)
{
	const char *path = path_of(action->arena, text);
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, MANIFEST_MAX, "manifest", err);
	if (!tree)
		return wrong(path, err);
	if (json_is_null(tree))
		return true;
	if (!json_is_object(tree)) {
		err_set(err, ERR_INVALID, "an object is expected");
		return wrong(path, err);
	}
	return add_object(action, tree, path, out, err) || wrong(path, err);
}

bool resources_read(Action *action, const char *manifest, Resources *out, Error *err)
{
	autovec Vec texts = {0};
	autoresources Resources result = {0};
	helm_manifest_split(action->arena, str_of(manifest), &texts);
	for (size_t i = 0; i < texts.len; i++)
		if (!add_text(action, *(const Str *)texts.items[i], &result, err))
			return false;
	resources_dispose(out);
	*out = result;
	result = (Resources){0};
	return true;
}

void resources_mark(const Action *action, Resources *resources)
{
	for (size_t i = 0; i < resources->len; i++) {
		json_t *object = resources->items[i].object;
		json_t *annotations = json_make_at(object, "metadata", "annotations", NULL);
		json_put_text(json_make_at(object, "metadata", "labels", NULL),
			      "app.kubernetes.io/managed-by", "Helm");
		json_put_text(annotations, "meta.helm.sh/release-name", action->input.release);
		json_put_text(annotations, "meta.helm.sh/release-namespace", action->input.ns);
	}
}

/* --- finding, looking --- */

static bool is_same(const json_t *a, const json_t *b)
{
	if (!cstr_eq(object_kind(a), object_kind(b)) || !cstr_eq(object_name(a), object_name(b)) ||
	    !cstr_eq(object_namespace(a), object_namespace(b)))
		return false;
	autofree char *first = api_group(object_api_version(a));
	autofree char *second = api_group(object_api_version(b));
	return strcmp(first, second) == 0;
}

const Resource *resources_find(const Resources *resources, const json_t *object)
{
	for (size_t i = 0; i < resources->len; i++)
		if (is_same(resources->items[i].object, object))
			return &resources->items[i];
	return NULL;
}

char *resource_id(const Resource *resource)
{
	return object_id(resource->object);
}

static bool look_at(Action *action, Resources *resources, size_t from, size_t to, Error *err)
{
	size_t count = to - from;
	autofree KubeRequest *requests = mem_zalloc(count + 1, sizeof(*requests));
	autofree KubeReply *replies = mem_zalloc(count + 1, sizeof(*replies));
	for (size_t i = 0; i < count; i++) {
		const json_t *object = resources->items[from + i].object;
		requests[i] = (KubeRequest){.verb = KUBE_GET,
					    .api_version = object_api_version(object),
					    .kind = object_kind(object),
					    .ns = object_namespace(object),
					    .name = object_name(object)};
	}
	kube_do_all(action->target->client, requests, replies, count);
	for (size_t i = 0; i < count; i++) {
		Resource *resource = &resources->items[from + i];
		json_decref(resource->live);
		resource->live = steal(&replies[i].object);
		free(resource->unseen);
		resource->unseen = NULL;
		if (err_is_set(&replies[i].err) && replies[i].err.code != ERR_NOT_FOUND) {
			resource->unseen = mem_strdup(err_text(&replies[i].err));
			if (!err_is_set(err))
				err_move(err, &replies[i].err);
		}
		kube_reply_dispose(&replies[i]);
	}
	return !err_is_set(err);
}

/* All are tried; the first error is told. */
bool resources_look(Action *action, Resources *resources, size_t from, size_t to, Error *err)
{
	for (size_t end; from < to; from = end) {
		autoerror Error cause = {0};
		end = to - from > LOOK_BATCH ? from + LOOK_BATCH : to;
		if (!look_at(action, resources, from, end, &cause) && !err_is_set(err))
			err_move(err, &cause);
	}
	return !err_is_set(err);
}

void resources_forget(Resources *resources, WaitMode mode)
{
	resources->mode = mode;
	for (size_t i = 0; i < resources->len; i++) {
		resources->items[i].looked = false;
		resources->items[i].code = KSTATUS_UNKNOWN;
	}
}

/* --- errors of many --- */

bool action_name_file(Error *err, const char *file)
{
	ErrorCode code = err->code;
	if (cstr_empty(file))
		return false;
	autofree char *text = mem_strdup(err_text(err));
	error_dispose(err);
	return err_set(err, code, "%s [%s]", text, file);
}

void resource_failed(Action *action, const Resource *resource, const char *separator,
		     const Error *cause)
{
	Buf *out = &action->errors;
	if (out->len > ERRORS_MAX_BYTES)
		return;
	buf_printf(out, "%s%s", out->len ? separator : "", err_text(cause));
	if (*resource->path)
		buf_printf(out, " [%s]", resource->path);
}

bool resources_went_well(Action *action, Error *err)
{
	if (!action->errors.len)
		return true;
	err_set(err, ERR_INVALID, "%s", buf_text(&action->errors));
	buf_clear(&action->errors);
	return false;
}

/* --- steps --- */

StepResult step_build(Action *action, Error *err)
{
	if (!resources_read(action, helm_record_manifest(action->record), &action->wanted, err))
		return STEP_FAIL;
	resources_mark(action, &action->wanted);
	action->wanted.mode = wait_mode(action);
	return STEP_NEXT;
}

StepResult step_build_present(Action *action, Error *err)
{
	if (resources_read(action, helm_record_manifest(action->base), &action->present, err)) {
		resources_mark(action, &action->present);
		return STEP_NEXT;
	}
	err_wrap(err, "unable to build kubernetes objects from current release manifest");
	return STEP_FAIL;
}
