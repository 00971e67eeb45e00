#include "decrypt_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"

/*
 * Files that must be open before the build: a secret generator's files and envs, and patches (facts
 * 5). The way through the source is the build's: what cannot be read on it is left to the build to
 * tell of, with its better words; what cannot be decrypted is told here.
 */

enum { ROOT_MAX = 1 << 20, MAX_DIRS = 10000, MAX_DEPTH = 256 };

typedef struct {
	Decryptor *decryptor;
	Map *seen; /* directories */
	int depth;
	Error *err;
} Walk;

static bool visit_dir(Walk *walk, const char *dir, const json_t *kustomization);

/* Within the source; NULL for what leads out of it or is no file name. Owned. */
static char *local_path(const char *dir, const char *reference)
{
	if (cstr_empty(reference) || reference[0] == '/' || strstr(reference, "://"))
		return NULL;
	autofree char *joined = path_join(dir, reference);
	char *clean = path_clean(joined);
	if (!cstr_eq(clean, "..") && !cstr_starts(clean, "../"))
		return clean;
	free(clean);
	return NULL;
}

static bool decrypt_file(Walk *walk, const char *dir, const char *reference, SopsFormat format)
{
	Decryptor *self = walk->decryptor;
	autofree char *path = local_path(dir, reference);
	autobuf Buf text = {0};
	autoerror Error ignored = {0};
	autofree char *key = path ? decryptor_key(self, path) : NULL;
	if (!path || map_has(self->opened, key) ||
	    !self->source->read(self->source->arg, path, &text, &ignored) ||
	    !sops_has_marker(buf_str(&text), format))
		return true;
	autosecretbuf Buf plain = {0};
	buf_reserve(&plain, text.len);
	if (!sops_decrypt(buf_str(&text), format, format, &self->options, &plain, walk->err))
		return err_wrap(walk->err, "%s", path);
	Buf *kept = mem_zalloc(1, sizeof(*kept));
	*kept = plain;
	plain = (Buf){0};
	map_put(self->opened, key, kept);
	return true;
}

/* "KEY=PATH" or "PATH", whose format the key's name tells. */
static bool decrypt_generator_file(Walk *walk, const char *dir, const char *source)
{
	Str key, path;
	if (!str_cut(str_of(source), '=', &key, &path))
		path = key;
	autofree char *name = str_dup(key), *file = str_dup(path);
	return decrypt_file(walk, dir, file, sops_format_of_path(name));
}

static bool decrypt_env(Walk *walk, const char *dir, const char *file)
{
	SopsFormat format = sops_format_of_path(file);
	return decrypt_file(walk, dir, file, format == SOPS_BINARY ? SOPS_DOTENV : format);
}

static const char *item_text(const json_t *list, size_t index)
{
	const char *text = json_string_value(json_array_get(list, index));
	return text ? text : "";
}

static bool decrypt_generator(Walk *walk, const char *dir, const json_t *generator)
{
	const json_t *files = json_list(generator, "files"), *envs = json_list(generator, "envs");
	for (size_t i = 0; i < json_array_size(files); i++)
		if (!decrypt_generator_file(walk, dir, item_text(files, i)))
			return false;
	for (size_t i = 0; i < json_array_size(envs); i++)
		if (!decrypt_env(walk, dir, item_text(envs, i)))
			return false;
	return decrypt_env(walk, dir, json_text_or(generator, "env", ""));
}

/* Patches are files of YAML or JSON; the oldest form is the file's name, or the patch itself. */
static bool decrypt_patches(Walk *walk, const char *dir, const json_t *patches)
{
	for (size_t i = 0; i < json_array_size(patches); i++) {
		const json_t *patch = json_array_get(patches, i);
		const char *file =
			json_is_string(patch) ? json_string_value(patch) : json_text(patch, "path");
		if (cstr_empty(file) || strchr(file, '\n'))
			continue;
		if (!decrypt_file(walk, dir, file, sops_format_of_path(file)))
			return false;
	}
	return true;
}

/* The kustomization file of a directory; NULL when there is none that can be read. Owned. */
static json_t *read_kustomization(Walk *walk, const char *dir)
{
	const KustomizeFiles *files = walk->decryptor->source;
	autoerror Error ignored = {0};
	const char *name = kustomize_find_root(files, dir, &ignored);
	if (!name)
		return NULL;
	autobuf Buf text = {0};
	autofree char *joined = path_join(dir, name);
	autofree char *path = path_clean(joined);
	if (!files->read(files->arg, path, &text, &ignored))
		return NULL;
	return yaml_parse_last_wins(buf_text(&text), text.len, ROOT_MAX, path, &ignored);
}

static bool visit_references(Walk *walk, const char *dir, const json_t *references)
{
	const KustomizeFiles *files = walk->decryptor->source;
	for (size_t i = 0; i < json_array_size(references); i++) {
		const char *reference = json_string_value(json_array_get(references, i));
		autofree char *path = local_path(dir, reference);
		if (!path || files->stat(files->arg, path) != KUSTOMIZE_DIR)
			continue;
		autojson json_t *kustomization = read_kustomization(walk, path);
		if (kustomization && !visit_dir(walk, path, kustomization))
			return false;
	}
	return true;
}

static bool visit_dir(Walk *walk, const char *dir, const json_t *kustomization)
{
	static const char *const patch_fields[] = {"patches", "patchesStrategicMerge",
						   "patchesJson6902"};
	static const char *const dir_fields[] = {"resources", "bases", "components"};
	if (map_has(walk->seen, dir))
		return true;
	map_put(walk->seen, dir, NULL);
	if (map_len(walk->seen) > MAX_DIRS || walk->depth >= MAX_DEPTH)
		return err_set(walk->err, ERR_LIMIT, "more than %d kustomizations", MAX_DIRS);
	walk->depth++;
	const json_t *generators = json_list(kustomization, "secretGenerator");
	bool ok = true;
	for (size_t i = 0; ok && i < json_array_size(generators); i++)
		ok = decrypt_generator(walk, dir, json_array_get(generators, i));
	for (size_t i = 0; ok && i < COUNT(patch_fields); i++)
		ok = decrypt_patches(walk, dir, json_list(kustomization, patch_fields[i]));
	for (size_t i = 0; ok && i < COUNT(dir_fields); i++)
		ok = visit_references(walk, dir, json_list(kustomization, dir_fields[i]));
	walk->depth--;
	return ok;
}

bool decrypt_sources(Decryptor *decryptor, const char *dir, const json_t *root, Error *err)
{
	automap Map *seen = map_new(NULL);
	Walk walk = {.decryptor = decryptor, .seen = seen, .err = err};
	return visit_dir(&walk, dir, root) || err_wrap(err, "error decrypting sources");
}
