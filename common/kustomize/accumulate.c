#include "kustomize/accumulate.h"

#include "base/mem.h"
#include "base/path.h"
#include "kustomize/crds.h"
#include "kustomize/generate.h"
#include "kustomize/kustomization.h"
#include "kustomize/load.h"
#include "kustomize/metadata.h"
#include "kustomize/plugin.h"

/*
 * Kustomizations depth first (facts 3, accumulate). A directory gets its own accumulator that is
 * then merged; a component works on its parent's. Depth, directories and objects are bounded.
 */

KAccumulator *kaccumulator_new(void)
{
	KAccumulator *acc = mem_zalloc(1, sizeof(*acc));
	acc->set = kset_new();
	acc->config = kconfig_new();
	return acc;
}

void kaccumulator_free(KAccumulator *acc)
{
	if (!acc)
		return;
	kset_free(acc->set);
	kconfig_free(acc->config);
	vec_dispose(&acc->vars);
	free(acc);
}

KSpecs kaccumulator_specs(const KAccumulator *acc, KCategory category)
{
	return (KSpecs){kconfig_builtin(category), &acc->config->specs[category]};
}

/* Objects that took each other's id only show when they are added to the layer above (facts 3). */
static bool merge(KAccumulator *acc, KAccumulator *more, Error *err)
{
	if (!kset_check(more->set, err) || !kset_add_all(acc->set, more->set, err) ||
	    !kconfig_merge(acc->config, more->config, err))
		return false;
	for (size_t i = 0; i < more->vars.len; i++) {
		autojson json_t *one = json_pack("[O]", more->vars.items[i]);
		if (!vars_collect(acc, one, err))
			return false;
	}
	return true;
}

static bool check_cycle(const KTarget *parent, const char *path, Error *err)
{
	for (const KTarget *at = parent; at; at = at->parent)
		if (cstr_eq(path, ".") || path_is_below(at->dir, path))
			return err_set(err, ERR_INVALID,
				       "cycle detected: candidate root '%s' contains visited root "
				       "'%s'",
				       path, at->dir);
	return true;
}

/* Where an entry's directory lies: its path and, for a clone, what it must not leave. */
typedef struct {
	char *path;    /* owned */
	char *confine; /* owned; NULL: none */
} Place;

static void dispose_place(Place *place)
{
	free(place->path);
	free(place->confine);
}
#define autoplace __attribute__((cleanup(dispose_place)))

static bool fetch_place(const KTarget *target, const char *entry, Place *out, Error *err)
{
	const KustomizeOptions *options = target->build->options;
	if (!options->fetch)
		return err_set(err, ERR_UNSUPPORTED, "%s: remote bases are not available here",
			       entry);
	autofree char *fetched =
		options->fetch(options->fetch_arg, target->dir, entry, KUSTOMIZE_BASE, err);
	if (!fetched)
		return false;
	const char *mark = strstr(fetched, "//");
	out->path = path_clean(fetched);
	out->confine = mark ? mem_strndup(fetched, (size_t)(mark - fetched)) : NULL;
	return true;
}

static bool find_place(const KTarget *target, const char *entry, Place *out, Error *err)
{
	if (kload_is_remote(entry))
		return fetch_place(target, entry, out, err);
	if (*entry == '\0')
		return err_set(err, ERR_INVALID, "empty path");
	if (*entry == '/')
		return err_set(err, ERR_FORBIDDEN, "new root '%s' cannot be absolute", entry);
	autofree char *joined = path_join(target->dir, entry);
	out->path = path_clean(joined);
	bool inside = !cstr_eq(out->path, "..") && !cstr_starts(out->path, "../");
	if (inside && target->confine)
		inside = path_is_below(out->path, target->confine);
	if (!inside)
		return err_set(err, ERR_FORBIDDEN, "security; '%s' leads out of '%s'", entry,
			       target->confine ? target->confine : "the source");
	out->confine = mem_strdup(target->confine);
	return true;
}

/* A base is where its links lead: from there its own paths start, and there it may be a visited
 * one. */
static bool resolve_place(const KTarget *target, Place *place, Error *err)
{
	const KustomizeFiles *files = target->build->options->files;
	char *real = files->resolve ? files->resolve(files->arg, place->path) : NULL;
	if (!real)
		return true;
	free(place->path);
	place->path = real;
	return !place->confine || path_is_below(real, place->confine) ||
	       err_set(err, ERR_FORBIDDEN, "security; '%s' leads out of '%s'", real,
		       place->confine);
}

static bool check_component(const KTarget *child, bool component, Error *err)
{
	bool is = kustomization_is_component(child->spec);
	if (component && !is)
		return err_set(err, ERR_INVALID,
			       "expected kind 'Component' for path '%s' but got '%s'", child->dir,
			       json_text(child->spec, "kind"));
	if (!component && is)
		return err_set(err, ERR_INVALID, "expected kind != 'Component' for path '%s'",
			       child->dir);
	return true;
}

static bool accumulate_child(const KTarget *child, KAccumulator *acc, bool component, Error *err)
{
	if (!check_component(child, component, err))
		return false;
	autokaccumulator KAccumulator *own = component ? NULL : kaccumulator_new();
	if (!ktarget_accumulate(child, component ? acc : own, err)) {
		ktarget_tell_line(child, err);
		return component ? false
				 : err_wrap(err, "recursed accumulation of path '%s'", child->dir);
	}
	if (component)
		return kset_check(acc->set, err);
	return merge(acc, own, err) || err_wrap(err, "recursed merging from path '%s'", child->dir);
}

static bool accumulate_dir(const KTarget *target, KAccumulator *acc, const char *entry,
			   Place *place, bool component, Error *err)
{
	Arena *arena = target->build->arena;
	if (!resolve_place(target, place, err) || !check_cycle(target, place->path, err))
		return false;
	KTarget child;
	autofree char *origin = metadata_join(target, entry);
	if (!ktarget_open(target->build, target, arena_strdup(arena, place->path),
			  arena_strdup(arena, origin), &child, err))
		return err_wrap(err, "couldn't make target for path '%s'", place->path);
	child.confine = arena_strdup(arena, place->confine);
	return accumulate_child(&child, acc, component, err);
}

/* Two files with one object: each is told, since either may be the wrong one. */
static void tell_both(const KSet *set, const KResource *res, Error *err)
{
	KPrevious now = kresource_current(res);
	for (size_t i = 0; i < set->items.len; i++) {
		const KResource *other = kset_at(set, i);
		KPrevious its = kresource_current(other);
		if (other->line && cstr_eq(its.kind, now.kind) && cstr_eq(its.name, now.name) &&
		    cstr_eq(its.ns, now.ns) &&
		    cstr_eq(kresource_api_version(other), kresource_api_version(res))) {
			err_add(err, " [%s:%zu], which is in %s:%zu", res->file, res->line,
				other->file, other->line);
			break;
		}
	}
}

static bool accumulate_file(const KTarget *target, KAccumulator *acc, const char *entry,
			    const char *path, Error *err)
{
	autokresources Vec objects = {0};
	if (!kload_resources(target, path, &objects, err))
		return err_wrap(err, "accumulating resources from '%s'", entry);
	for (size_t i = 0; i < objects.len; i++) {
		KResource *res = objects.items[i];
		metadata_from_file(target, entry, res);
		if (!kset_add(acc->set, res, err)) {
			tell_both(acc->set, res, err);
			return err_wrap(err, "merging resources from '%s'", entry);
		}
		objects.items[i] = NULL;
	}
	return true;
}

static bool accumulate_stated(const KTarget *target, KAccumulator *acc, const char *entry,
			      Place *place, Error *err)
{
	const KustomizeFiles *files = target->build->options->files;
	switch (files->stat(files->arg, place->path)) {
	case KUSTOMIZE_DIR:
		return accumulate_dir(target, acc, entry, place, false, err);
	case KUSTOMIZE_FILE: {
		autofree char *path = kload_is_remote(entry) ? mem_strdup(place->path)
							     : kload_path(target, entry, err);
		return path && accumulate_file(target, acc, entry, path, err);
	}
	case KUSTOMIZE_NONE:
	default:
		return err_set(err, ERR_NOT_FOUND,
			       "accumulating resources from '%s': evalsymlink failure on '%s': "
			       "no such file or directory",
			       entry, place->path);
	}
}

static bool looks_like_file(const char *entry)
{
	return (cstr_ends(entry, ".yaml") || cstr_ends(entry, ".yml") ||
		cstr_ends(entry, ".json")) &&
	       !kload_is_remote(entry);
}

/* What is called like a file is read without a look at what it is; only a failure looks. */
static bool accumulate_entry(const KTarget *target, KAccumulator *acc, const char *entry,
			     Error *err)
{
	const KustomizeFiles *files = target->build->options->files;
	autoplace Place place = {0};
	if (!find_place(target, entry, &place, err))
		return false;
	if (!looks_like_file(entry))
		return accumulate_stated(target, acc, entry, &place, err);
	autoerror Error not_file = {0};
	autofree char *path = kload_path(target, entry, &not_file);
	if (path && accumulate_file(target, acc, entry, path, &not_file))
		return true;
	if (files->stat(files->arg, place.path) == KUSTOMIZE_FILE)
		return err_move(err, &not_file);
	return accumulate_stated(target, acc, entry, &place, err);
}

bool ktarget_resources(const KTarget *target, KAccumulator *acc, const json_t *paths,
		       const char *field, Error *err)
{
	for (size_t i = 0; i < json_array_size(paths); i++)
		if (!accumulate_entry(target, acc, json_string_value(json_array_get(paths, i)),
				      err))
			return err_wrap(err, "accumulating resources") ||
			       (field && err_wrap(err, "%s/%s: %s[%zu]", target->dir, target->file,
						  field, i));
	return true;
}

static bool accumulate_component(const KTarget *target, KAccumulator *acc, const char *entry,
				 Error *err)
{
	const KustomizeFiles *files = target->build->options->files;
	autoplace Place place = {0};
	if (!find_place(target, entry, &place, err))
		return false;
	if (files->stat(files->arg, place.path) != KUSTOMIZE_DIR)
		return err_set(err, ERR_INVALID, "'%s' must be a directory to be a component",
			       place.path);
	return accumulate_dir(target, acc, entry, &place, true, err);
}

static bool accumulate_components(const KTarget *target, KAccumulator *acc, Error *err)
{
	const json_t *paths = json_list(target->spec, "components");
	for (size_t i = 0; i < json_array_size(paths); i++)
		if (!accumulate_component(target, acc, json_string_value(json_array_get(paths, i)),
					  err)) {
			autofree char *where = ktarget_entry_name(
				target, "components", target->build->options->own_components, i);
			return err_wrap(err, "%s: accumulating components", where);
		}
	return true;
}

static bool read_configurations(const KTarget *target, KAccumulator *acc, Error *err)
{
	const json_t *paths = json_list(target->spec, "configurations");
	autokconfig KConfig *own = kconfig_new();
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		autojson json_t *document = kload_document(target, path, err);
		if (!document || !kconfig_read(own, document, target->build->arena, err))
			return err_wrap(err, "configurations: %s", path);
	}
	return crds_read(target, own, err) &&
	       (kconfig_merge(acc->config, own, err) ||
		err_wrap(err, "%s/%s: configurations", target->dir, target->file));
}

static bool accumulate_vars(const KTarget *target, KAccumulator *acc, Error *err)
{
	const json_t *vars = json_list(target->spec, "vars");
	return (vars_collect(acc, vars, err) && vars_mark(acc, vars, err)) ||
	       err_wrap(err, "%s/%s: vars", target->dir, target->file);
}

bool ktarget_accumulate(const KTarget *target, KAccumulator *acc, Error *err)
{
	return ktarget_resources(target, acc, json_list(target->spec, "resources"), "resources",
				 err) &&
	       read_configurations(target, acc, err) && generate_all(target, acc, err) &&
	       plugin_generators(target, acc, err) && accumulate_components(target, acc, err) &&
	       pipeline_transform(target, acc, err) && plugin_validators(target, acc, err) &&
	       accumulate_vars(target, acc, err);
}
