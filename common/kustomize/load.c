#include "kustomize/load.h"

#include "base/mem.h"
#include "base/path.h"
#include "kustomize/cache.h"

/*
 * A resource file becomes objects: documents are checked for a kind and a name, lists are expanded
 * breadth first (facts 1). Trees that a cache owns are copied, others taken.
 */

static void free_resource(void *pointer)
{
	kresource_free(pointer);
}

void kload_dispose_resources(Vec *resources)
{
	vec_dispose_with(resources, free_resource);
}

bool kload_is_remote(const char *entry)
{
	static const char *const prefixes[] = {"http://", "https://",	 "ssh://",
					       "git::",	  "git://",	 "file://",
					       "git@",	  "github.com/", "github.com:"};
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (cstr_starts(entry, prefixes[i]))
			return true;
	/* user@host:path */
	Str user, rest;
	return str_cut(str_of(entry), '@', &user, &rest) && str_find_char(user, '/') < 0 &&
	       str_find_char(rest, ':') > 0 && str_find_char(rest, '/') > str_find_char(rest, ':');
}

/* True when a clean relative path climbs above where it started. */
static bool escapes(const char *path)
{
	return cstr_eq(path, "..") || cstr_starts(path, "../") || *path == '/';
}

static bool is_below(const char *path, const char *dir)
{
	return cstr_eq(dir, ".") || path_is_below(path, dir);
}

/* What a link makes of it, too. The target's directory has no links in its own path; a path that is
 * not there is told by whoever opens it. */
static bool stays_below(const KTarget *target, const char *path)
{
	const KustomizeFiles *files = target->build->options->files;
	autofree char *real = files->resolve ? files->resolve(files->arg, path) : NULL;
	return !real || is_below(real, target->dir);
}

char *kload_path(const KTarget *target, const char *entry, Error *err)
{
	if (*entry == '\0')
		return err_null(err, ERR_INVALID, "empty path");
	if (*entry == '/')
		return err_null(err, ERR_FORBIDDEN, "security; file '%s' is not in or below '%s'",
				entry, target->dir);
	autofree char *joined = path_join(target->dir, entry);
	autofree char *path = path_clean(joined);
	bool allowed = !escapes(path) && (!target->confine || is_below(path, target->confine));
	/* Clones stay restricted to their own root, as upstream's loader for them is. */
	if (allowed && (!target->build->options->load_anywhere || target->confine))
		allowed = is_below(path, target->dir) && stays_below(target, path);
	if (!allowed)
		return err_null(err, ERR_FORBIDDEN, "security; file '%s' is not in or below '%s'",
				entry, target->dir);
	return steal(&path);
}

/* A remote file is fetched to a path; others are looked up. Owned. */
static char *resolve(const KTarget *target, const char *entry, Error *err)
{
	const KustomizeOptions *options = target->build->options;
	if (!kload_is_remote(entry))
		return kload_path(target, entry, err);
	if (!options->fetch)
		return err_null(err, ERR_UNSUPPORTED, "%s: remote files are not available here",
				entry);
	return options->fetch(options->fetch_arg, target->dir, entry, KUSTOMIZE_TEXT, err);
}

bool kload_text(const KTarget *target, const char *entry, Buf *out, Error *err)
{
	const KustomizeFiles *files = target->build->options->files;
	autofree char *path = resolve(target, entry, err);
	if (!path)
		return false;
	if (files->stat(files->arg, path) == KUSTOMIZE_DIR)
		return err_set(err, ERR_INVALID, "'%s' is a directory", path);
	return files->read(files->arg, path, out, err) &&
	       kbuild_charge(target->build, path, out->len, err);
}

json_t *kload_document(const KTarget *target, const char *entry, Error *err)
{
	autobuf Buf text = {0};
	if (!kload_text(target, entry, &text, err))
		return NULL;
	return yaml_parse(buf_text(&text), text.len, K_MAX_TEXT, entry, err);
}

/* Documents on their way to objects; `own` says whether trees may be taken. */
typedef struct {
	const char *file;
	KBuild *build;
	Vec queue; /* KResource, owned */
	Vec *out;
} Expansion;

static bool fail_at(const KResource *res, Error *err, const char *what)
{
	return err_set(err, ERR_INVALID, "%s:%zu: %s", res->file, res->line, what);
}

/* Facts 1: kind and metadata.name are required; kinds that end in List need no name. */
static bool check_object(const KResource *res, Error *err)
{
	if (!json_is_object(res->tree))
		return fail_at(res, err, "expected an object with apiVersion, kind and metadata");
	const char *kind = kresource_kind(res);
	if (*kind == '\0')
		return fail_at(res, err, "missing kind in object");
	if (!cstr_ends(kind, "List") && *kresource_name(res) == '\0')
		return fail_at(res, err, "missing metadata.name in object");
	return true;
}

static bool is_blank(const json_t *tree)
{
	return json_is_null(tree) || (json_is_object(tree) && json_object_size(tree) == 0) ||
	       (json_is_array(tree) && json_array_size(tree) == 0);
}

static bool enqueue(Expansion *expansion, json_t *take_tree, size_t line, Error *err)
{
	if (is_blank(take_tree)) {
		json_decref(take_tree);
		return true;
	}
	KResource *res = kresource_new(take_tree, expansion->file, line);
	vec_push(&expansion->queue, res);
	return check_object(res, err) && (kbuild_count_object(expansion->build, err) ||
					  err_wrap(err, "%s:%zu", res->file, res->line));
}

static bool enqueue_items(Expansion *expansion, const json_t *items, size_t line, Error *err)
{
	for (size_t i = 0; i < json_array_size(items); i++)
		if (!enqueue(expansion, json_incref(json_array_get(items, i)), line, err))
			return false;
	return true;
}

/* Objects go to the result; lists put their items at the end of the queue (facts 1 [Q]). */
static bool expand_one(Expansion *expansion, KResource *take_res, Error *err)
{
	autokresource KResource *res = take_res;
	json_t *items = json_object_get(res->tree, "items");
	if (!cstr_ends(kresource_kind(res), "List") || !items) {
		vec_push(expansion->out, steal(&res));
		return true;
	}
	if (!json_is_array(items) && !json_is_null(items))
		return fail_at(res, err, "expected a list in items");
	return enqueue_items(expansion, items, res->line, err);
}

static bool expand(Expansion *expansion, Error *err)
{
	for (size_t i = 0; i < expansion->queue.len; i++) {
		KResource *res = expansion->queue.items[i];
		expansion->queue.items[i] = NULL;
		if (!expand_one(expansion, res, err))
			return false;
	}
	return true;
}

static bool is_plain_list(const json_t *tree)
{
	const char *kind = json_text(tree, "kind");
	return (cstr_eq(kind, "List") || cstr_eq(kind, "ResourceList")) &&
	       json_object_get(tree, "items");
}

/* `copy`: the stream is the cache's. Otherwise references are shared with a stream about to go. */
static bool from_stream(const KTarget *target, const YamlStream *stream, bool copy,
			const char *file, Vec *out, Error *err)
{
	Expansion expansion = {.file = file, .build = target->build, .out = out};
	bool ok = true;
	for (size_t i = 0; ok && i < stream->len; i++) {
		const YamlDocument *document = &stream->items[i];
		autojson json_t *tree =
			copy ? json_deep_copy(document->value) : json_incref(document->value);
		/* A lone List is unwrapped before its own check. */
		ok = stream->len == 1 && is_plain_list(tree)
			     ? enqueue_items(&expansion, json_object_get(tree, "items"),
					     document->line, err)
			     : enqueue(&expansion, steal(&tree), document->line, err);
	}
	ok = ok && expand(&expansion, err);
	kload_dispose_resources(&expansion.queue);
	return ok;
}

bool kload_resources_text(const KTarget *target, Str text, const char *file, Vec *out, Error *err)
{
	autoyaml YamlStream stream = {0};
	if (!yaml_parse_written(text.ptr, text.len, K_MAX_TEXT, file, &stream, err))
		return err_wrap(err, "MalformedYAMLError");
	return from_stream(target, &stream, false, file, out, err);
}

bool kload_resources(const KTarget *target, const char *path, Vec *out, Error *err)
{
	const KustomizeOptions *options = target->build->options;
	KustomizeCache *cache = cstr_starts(path, KUSTOMIZE_FETCHED) ? NULL : options->cache;
	size_t bytes = 0;
	const YamlStream *cached = cache ? kcache_get(cache, path, &bytes) : NULL;
	if (cached)
		return kbuild_charge(target->build, path, bytes, err) &&
		       from_stream(target, cached, true, path, out, err);
	autobuf Buf text = {0};
	autoyaml YamlStream stream = {0};
	if (!options->files->read(options->files->arg, path, &text, err) ||
	    !kbuild_charge(target->build, path, text.len, err))
		return false;
	if (!yaml_parse_written(buf_text(&text), text.len, K_MAX_TEXT, path, &stream, err))
		return err_wrap(err, "MalformedYAMLError");
	if (options->parsed)
		atomic_fetch_add(options->parsed, 1);
	cached = cache ? kcache_put(cache, options->builder, path, text.len, &stream) : NULL;
	return from_stream(target, cached ? cached : &stream, cached != NULL, path, out, err);
}
