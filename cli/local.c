#include "local.h"

#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/yaml.h"
#include "kind.h"

enum { FILE_LIMIT = 16 << 20, MAX_VISITED = 10000 };

#define GROUP "kustomize.toolkit.fluxcd.io"

void local_dispose(Local *self)
{
	json_decref(self->object);
	local_tree_dispose(&self->tree);
	free(self->ignore);
	*self = (Local){.tree = NO_TREE};
}

bool object_is_kustomization(const json_t *object)
{
	return cstr_starts(object_api_version(object), GROUP "/") &&
	       cstr_eq(object_kind(object), "Kustomization");
}

static bool check_path(const char *path, Error *err)
{
	struct stat info;
	if (cstr_empty(path))
		return err_set(
			err, ERR_INVALID,
			"invalid resource path \"\": --path has to name the directory of the "
			"manifests");
	if (stat(path, &info) != 0)
		return err_errno(err, "invalid resource path \"%s\"", path);
	return S_ISDIR(info.st_mode) ||
	       err_set(err, ERR_INVALID, "invalid resource path \"%s\": it is no directory", path);
}

static bool check_file(const char *file, Error *err)
{
	struct stat info;
	if (stat(file, &info) != 0)
		return err_errno(err, "invalid kustomization file \"%s\"", file);
	return !S_ISDIR(info.st_mode) ||
	       err_set(err, ERR_INVALID, "invalid kustomization file \"%s\": it is a directory",
		       file);
}

static bool check_limits(const Options *options, Error *err)
{
	return (options->build_max_file_bytes > 0 && options->build_max_bytes > 0 &&
		options->build_max_objects > 0 && options->build_timeout_ms > 0) ||
	       err_set(err, ERR_INVALID, "limits of builds (--build-...) must be above 0");
}

bool local_check(Command *command, Error *err)
{
	const Options *options = &command->options;
	const char *kind = command_word(command, 0), *name = command_word(command, 1);
	if (!kind || !kind_has_word("kustomization|kustomizations|ks", kind))
		return err_set(err, ERR_INVALID, "\"kustomization NAME\" expected%s%s",
			       kind ? ", not " : "", kind ? kind : "");
	if (!name)
		return err_set(err, ERR_INVALID, "Kustomization name is required");
	if (!check_path(options->path, err))
		return false;
	const char *file = options->kustomization_file;
	if (cstr_empty(file) && options->dry_run)
		return err_set(err, ERR_INVALID, "--dry-run needs --kustomization-file");
	if (cstr_empty(file) && options->ignore_not_found)
		return err_set(err, ERR_INVALID, "--ignore-not-found needs --kustomization-file");
	if (!cstr_empty(file) && !check_file(file, err))
		return false;
	command->offline = options->dry_run;
	return check_limits(options, err);
}

static bool is_wanted(const Command *command, const LocalKind *kind, const json_t *object)
{
	const char *ns = object_namespace(object);
	return object_is_of(object, kind->group, kind->kind) &&
	       cstr_eq(object_name(object), command_word(command, 1)) &&
	       (!*ns || cstr_eq(ns, command->ns));
}

/* Go reads a number or a boolean as text where a text must be: an API server would refuse it, but
 * a file goes to none. */
static void read_texts(json_t *map)
{
	const char *key;
	json_t *value;
	json_object_foreach(map, key, value)
	{
		autofree char *text =
			json_is_number(value) || json_is_boolean(value) ? json_dump(value) : NULL;
		if (text)
			json_object_set_new(map, key, json_string(text));
	}
}

static void read_text_maps(const json_t *object)
{
	static const char *const paths[][3] = {
		{"metadata", "labels"},
		{"metadata", "annotations"},
		{"spec", "commonMetadata", "labels"},
		{"spec", "commonMetadata", "annotations"},
		{"spec", "postBuild", "substitute"},
	};
	for (size_t i = 0; i < COUNT(paths); i++)
		read_texts(json_at(object, paths[i][0], paths[i][1], paths[i][2], NULL));
}

/* The first few of the kind that a file holds instead; a namespace is shown where one is written.
 */
static void put_others(const LocalKind *kind, const YamlStream *stream, Buf *out)
{
	enum { SHOWN_MAX = 5 };
	size_t shown = 0;
	for (size_t i = 0; i < stream->len && shown < SHOWN_MAX; i++) {
		const json_t *object = stream->items[i].value;
		if (!object_is_of(object, kind->group, kind->kind))
			continue;
		const char *ns = object_namespace(object);
		buf_printf(out, "%s%s%s%s", shown++ ? ", " : "", ns, *ns ? "/" : "",
			   object_name(object));
	}
	if (!shown)
		buf_puts(out, "none");
}

json_t *local_object_of_file(const Command *command, const LocalKind *kind, const char *file,
			     Error *err)
{
	autobuf Buf text = {0};
	autoyaml YamlStream stream = {0};
	if (!file_read(file, FILE_LIMIT, &text, err) ||
	    !yaml_parse_all_last_wins(buf_text(&text), text.len, FILE_LIMIT, file, &stream, err))
		return NULL;
	for (size_t i = 0; i < stream.len; i++) {
		json_t *object = stream.items[i].value;
		if (!is_wanted(command, kind, object))
			continue;
		json_put_text(json_make_at(object, "metadata", NULL), "namespace", command->ns);
		json_object_del(object, "status");
		read_text_maps(object);
		return json_incref(object);
	}
	autobuf Buf others = {0};
	put_others(kind, &stream, &others);
	return err_null(err, ERR_NOT_FOUND, "%s: no %s '%s' for namespace '%s'; it has %s", file,
			kind->kind, command_word(command, 1), command->ns, buf_text(&others));
}

/* The cluster's; NULL without err where that is no failure. */
static json_t *from_cluster(const Command *command, const char *ns, const char *name,
			    bool must_be_there, Error *err)
{
	json_t *live = kube_get(command->client, GROUP "/v1", "Kustomization", ns, name, err);
	if (!live && err->code == ERR_NOT_FOUND && !must_be_there)
		error_dispose(err);
	return live		 ? live
	       : err_is_set(err) ? err_wrap_null(err, "failed to get Kustomization %s/%s", ns, name)
				 : NULL;
}

/* A local Kustomization has the inventory of the one in the cluster. */
static json_t *with_status(json_t *take_local, json_t *take_live)
{
	autojson json_t *live = take_live;
	json_t *status = json_map(live, "status");
	if (status)
		json_object_set(take_local, "status", status);
	return take_local;
}

static json_t *find(const Command *command, Error *err)
{
	const char *name = command_word(command, 1);
	bool has_file = !cstr_empty(command->options.kustomization_file);
	static const LocalKind kind = {GROUP, "Kustomization"};
	autojson json_t *local =
		has_file ? local_object_of_file(command, &kind, command->options.kustomization_file,
						err)
			 : NULL;
	if (command->offline || err_is_set(err))
		return steal(&local);
	autojson json_t *live =
		from_cluster(command, command->ns, name, !command->options.ignore_not_found, err);
	if (err_is_set(err))
		return NULL;
	return local ? with_status(steal(&local), steal(&live)) : steal(&live);
}

static bool open_files(const Command *command, const char *path, Local *out, Error *err)
{
	const Options *options = &command->options;
	autobuf Buf ignore = {0};
	for (size_t i = 0; i < options->ignore_paths.len; i++)
		buf_printf(&ignore, "%s\n", (const char *)options->ignore_paths.items[i]);
	if (!local_tree_open(path, options->in_memory ? "." : "/", &out->tree, err))
		return false;
	out->ignore = ignore.len ? buf_steal(&ignore) : NULL;
	return true;
}

bool local_open(const Command *command, Local *out, Error *err)
{
	autolocal Local found = {.tree = NO_TREE};
	found.object = find(command, err);
	if (!found.object || !open_files(command, command->options.path, &found, err))
		return false;
	*out = found;
	found = (Local){.tree = NO_TREE};
	return true;
}

/* The directory that --local-sources has for an object's source, joined with its path. Owned. */
static char *local_path(const Command *command, const json_t *object, Error *err)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "sourceRef");
	const char *ns = json_text_or(ref, "namespace", "");
	autofree char *key =
		mem_printf("%s/%s/%s", json_text_or(ref, "kind", ""),
			   *ns ? ns : object_namespace(object), json_text_or(ref, "name", ""));
	const Vec *sources = &command->options.local_sources;
	for (size_t i = 0; i < sources->len; i++) {
		Str name, path;
		str_cut(str_of(sources->items[i]), '=', &name, &path);
		if (!str_eq(name, str_of(key)))
			continue;
		autofree char *root = str_dup(path);
		return path_confine(root, json_text_or(spec, "path", "./"));
	}
	return err_null(err, ERR_NOT_FOUND,
			"Kustomization %s/%s: --local-sources does not say where %s is",
			object_namespace(object), object_name(object), key);
}

bool local_open_child(const Command *command, const Local *parent, const json_t *object, Local *out,
		      Error *err)
{
	autolocal Local child = {.tree = NO_TREE};
	child.object = json_deep_copy(object);
	if (!*object_namespace(object))
		json_put_text(json_make_at(child.object, "metadata", NULL), "namespace",
			      object_namespace(parent->object));
	autofree char *path = local_path(command, child.object, err);
	if (!path || !open_files(command, path, &child, err))
		return false;
	if (!command->offline) {
		json_t *live = from_cluster(command, object_namespace(child.object),
					    object_name(child.object), false, err);
		if (err_is_set(err))
			return false;
		child.object = with_status(child.object, live);
	}
	*out = child;
	child = (Local){.tree = NO_TREE};
	return true;
}

PlanInput local_input(const Command *command, const Local *self)
{
	const Options *options = &command->options;
	return (PlanInput){.object = self->object,
			   .client = command->client,
			   .root_fd = self->tree.root_fd,
			   .dir = self->tree.dir,
			   .ignore = self->ignore,
			   .limits = {.max_file_bytes = (size_t)options->build_max_file_bytes,
				      .max_bytes = (size_t)options->build_max_bytes,
				      .max_objects = (size_t)options->build_max_objects,
				      .max_ms = options->build_timeout_ms},
			   .strict = options->strict};
}

void local_warn_unknown(const Buf *unknown)
{
	if (!unknown->len)
		return;
	autofree char *text = local_tree_shorten(buf_text(unknown));
	fprintf(stderr, "warning: %s: ignored, as the controller does\n", text);
}

bool local_visit(Map *visited, const json_t *object)
{
	autofree char *key = mem_printf("%s/%s", object_namespace(object), object_name(object));
	if (map_has(visited, key) || map_len(visited) >= MAX_VISITED)
		return false;
	map_put(visited, key, NULL);
	return true;
}

void local_shorten(Error *err)
{
	autoerror Error whole = {0};
	err_move(&whole, err);
	autofree char *text = local_tree_shorten(err_text(&whole));
	err_set(err, whole.code, "%s", text);
}
