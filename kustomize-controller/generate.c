/*
 * The root kustomization as Flux sees it: the file in the path, or one generated from the tree when
 * there is none, with what the Kustomization's spec adds (facts 3); then the build. Nothing is
 * written: the artifact's tree is shared by all that use it.
 */
#include "decrypt.h"
#include "internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "kustomize/kustomization.h"

enum { ROOT_FILE_MAX = 1 << 20, MAX_DEPTH = 64, MAX_FILES = 100000 };
enum { UNKNOWN_MAX = 10, UNKNOWN_NAME_MAX = 200 /* told in one warning */ };

typedef struct {
	const BuildInput *input;
	json_t *resources;
	int depth;
} Scan;

static bool is_manifest_name(const char *name)
{
	return cstr_ends(name, ".yaml") || cstr_ends(name, ".yml");
}

static bool is_left_out(const BuildInput *input, const char *path, bool is_dir)
{
	return input->leaves_out && input->leaves_out(input->leaves_out_arg, path, is_dir);
}

static bool scan_dir(Scan *scan, const char *below, Error *err);

static bool scan_entry(Scan *scan, const char *path, Error *err)
{
	const KustomizeFiles *files = scan->input->files;
	autofree char *full = path_join(scan->input->dir, path);
	autofree char *clean = path_clean(full);
	KustomizeNode node = files->stat(files->arg, clean);
	if (is_left_out(scan->input, clean, node == KUSTOMIZE_DIR))
		return true;
	if (node == KUSTOMIZE_DIR) {
		const char *root = kustomize_find_root(files, clean, err);
		if (err_is_set(err))
			return false;
		if (!root)
			return scan_dir(scan, path, err);
		json_array_append_new(scan->resources, json_string(path));
	} else if (node == KUSTOMIZE_FILE && is_manifest_name(path)) {
		json_array_append_new(scan->resources, json_string(path));
	}
	if (json_array_size(scan->resources) > MAX_FILES)
		return err_set(err, ERR_LIMIT, "more than %d files", MAX_FILES);
	return true;
}

/* Lexical walk; a subdirectory with its own kustomization is a unit and is not entered (K16, K17).
 */
static bool scan_dir(Scan *scan, const char *below, Error *err)
{
	autostrings Vec names = {0};
	const KustomizeFiles *files = scan->input->files;
	autofree char *full = path_join(scan->input->dir, below);
	autofree char *clean = path_clean(full);
	if (++scan->depth > MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "more than %d nested directories", MAX_DEPTH);
	if (!files->list(files->arg, clean, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++) {
		autofree char *path = path_join(below, names.items[i]);
		if (!scan_entry(scan, path, err))
			return false;
	}
	scan->depth--;
	return true;
}

static json_t *generate_root(const BuildInput *input, Error *err)
{
	autojson json_t *root = json_object();
	json_t *resources = json_array();
	json_put_text(root, "apiVersion", "kustomize.config.k8s.io/v1beta1");
	json_put_text(root, "kind", "Kustomization");
	json_object_set_new(root, "resources", resources);
	Scan scan = {.input = input, .resources = resources};
	if (!scan_dir(&scan, "", err))
		return NULL;
	if (json_array_size(resources) == 0)
		json_put_text(root, "namespace", "_placeholder");
	return steal(&root);
}

/* What the root file itself lists is left out as well where it is to be. */
static void leave_out_listed(const BuildInput *input, json_t *resources)
{
	for (size_t i = json_array_size(resources); input->leaves_out && i-- > 0;) {
		const char *entry = json_string_value(json_array_get(resources, i));
		autofree char *joined = path_join(input->dir, entry ? entry : "");
		autofree char *path = path_clean(joined);
		const KustomizeFiles *files = input->files;
		KustomizeNode node = files->stat(files->arg, path);
		if (entry && node != KUSTOMIZE_NONE &&
		    is_left_out(input, path, node == KUSTOMIZE_DIR))
			json_array_remove(resources, i);
	}
}

/* What upstream drops from a root file without a word (K19): where it stands, for a warning. */
typedef struct {
	const char *path;
	const Buf *text;
	Buf *out;
	size_t count;
} UnknownFields;

static void tell_unknown(void *arg, const char *pointer, const char *name)
{
	UnknownFields *fields = arg;
	if (++fields->count > UNKNOWN_MAX)
		return;
	if (strlen(name) > UNKNOWN_NAME_MAX)
		name = "(a long name)";
	size_t line = yaml_line_of_key(buf_text(fields->text), fields->text->len, 0, pointer);
	buf_printf(fields->out, "%s%s", fields->count > 1 ? "; " : "", fields->path);
	if (line)
		buf_printf(fields->out, ":%zu", line);
	buf_printf(fields->out, ": unknown field \"%s\"", name);
}

static void tell_all_unknown(const BuildInput *input, const char *path, const Buf *text,
			     const json_t *root)
{
	UnknownFields fields = {path, text, input->unknown, 0};
	if (!input->unknown)
		return;
	kustomization_each_unknown(root, tell_unknown, &fields);
	if (fields.count > UNKNOWN_MAX)
		buf_printf(input->unknown, "; and %zu more", fields.count - UNKNOWN_MAX);
}

static json_t *read_root(const BuildInput *input, const char *name, Error *err)
{
	const KustomizeFiles *files = input->files;
	autofree char *joined = path_join(input->dir, name);
	autofree char *path = path_clean(joined);
	autobuf Buf text = {0};
	if (!files->read(files->arg, path, &text, err))
		return NULL;
	autojson json_t *raw =
		yaml_parse_last_wins(buf_text(&text), text.len, ROOT_FILE_MAX, path, err);
	if (!raw)
		return NULL;
	/* Of an empty file upstream makes an empty build, as of one without resources. */
	if (json_is_null(raw)) {
		json_decref(raw);
		raw = json_object();
	}
	if (!json_is_object(raw))
		return err_null(err, ERR_INVALID, "%s: not a Kustomization", path);
	tell_all_unknown(input, path, &text, raw);
	/* By its canonical keys: what spec adds is put beside what `Patches:` holds. */
	autojson json_t *root = kustomization_known(raw, path, err);
	if (!root)
		return err_wrap_null(err, "kustomize build failed");
	/* A root without resources shows where its objects come from (K20). */
	if (!json_array_size(json_list(root, "resources")) &&
	    !json_object_get(root, "buildMetadata"))
		json_object_set_new(root, "buildMetadata", json_pack("[s]", "originAnnotations"));
	leave_out_listed(input, json_list(root, "resources"));
	return steal(&root);
}

static json_t *list_in(json_t *root, const char *key)
{
	json_t *list = json_list(root, key);
	if (!list) {
		list = json_array();
		json_object_set_new(root, key, list);
	}
	return list;
}

/* Same name: newName set if given; newTag and digest replaced as a pair if either is (K23). */
static void merge_image(json_t *images, const json_t *wanted)
{
	size_t i;
	json_t *image;
	json_array_foreach(images, i, image)
	{
		if (!cstr_eq(json_text(image, "name"), json_text(wanted, "name")))
			continue;
		const char *name = json_text(wanted, "newName");
		const char *tag = json_text(wanted, "newTag"),
			   *digest = json_text(wanted, "digest");
		if (!cstr_empty(name))
			json_put_text(image, "newName", name);
		if (!cstr_empty(tag) || !cstr_empty(digest)) {
			json_put_text(image, "newTag", tag);
			json_put_text(image, "digest", digest);
		}
		return;
	}
	json_array_append_new(images, json_deep_copy(wanted));
}

static bool is_remote(const char *component)
{
	static const char *const prefixes[] = {
		"git::", "gh:", "git@", "http:", "https:", "ssh:", "github.com/"};
	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (cstr_starts(component, prefixes[i]))
			return true;
	return component[0] == '/';
}

static bool add_components(const BuildInput *input, const Kustomization *ks, json_t *root,
			   Error *err)
{
	const KustomizeFiles *files = input->files;
	size_t i;
	json_t *item;
	json_array_foreach(json_list(ks->spec, "components"), i, item)
	{
		const char *component = json_string_value(item);
		if (is_remote(component))
			return err_set(err, ERR_INVALID,
				       "component path '%s' must be local and relative", component);
		autofree char *joined = path_join(input->dir, component);
		autofree char *path = path_clean(joined);
		if (ks->ignore_missing_components &&
		    files->stat(files->arg, path) == KUSTOMIZE_NONE)
			continue;
		json_array_append(list_in(root, "components"), item);
	}
	return true;
}

/* What spec puts on top of the root (facts 1 and 3). */
static bool extend_root(const BuildInput *input, const Kustomization *ks, json_t *root, Error *err)
{
	if (!cstr_empty(ks->target_namespace))
		json_put_text(root, "namespace", ks->target_namespace);
	if (!cstr_empty(ks->name_prefix))
		json_put_text(root, "namePrefix", ks->name_prefix);
	if (!cstr_empty(ks->name_suffix))
		json_put_text(root, "nameSuffix", ks->name_suffix);
	size_t i;
	json_t *item;
	json_array_foreach(json_list(ks->spec, "patches"), i, item)
	{
		json_array_append(list_in(root, "patches"), item);
	}
	json_array_foreach(json_list(ks->spec, "images"), i, item)
	{
		merge_image(list_in(root, "images"), item);
	}
	json_t *metadata = json_list(ks->spec, "buildMetadata");
	if (json_array_size(metadata))
		json_object_set(root, "buildMetadata", metadata);
	return add_components(input, ks, root, err);
}

/* How many entries the root file itself has. */
typedef struct {
	size_t patches, components;
} OwnEntries;

static OwnEntries own_entries(const json_t *root)
{
	return (OwnEntries){.patches = json_array_size(json_list(root, "patches")),
			    .components = json_array_size(json_list(root, "components"))};
}

static bool build_root(const BuildInput *input, const json_t *root, const OwnEntries *own,
		       KustomizeResult *out, Error *err)
{
	const Decryptor *decryptor = input->decryptor;
	/* What one Kustomization's keys opened is not for the others of this source. */
	bool shared = !decryptor || !decryptor_has_opened(decryptor);
	KustomizeOptions options = {.files = decryptor ? decryptor_files(decryptor) : input->files,
				    .cache = shared ? input->cache : NULL,
				    .builder = input->builder,
				    .parsed = input->parsed,
				    .root = root,
				    .added = "spec",
				    .own_patches = own->patches,
				    .own_components = own->components,
				    .limits = input->limits,
				    .load_anywhere = true,
				    .keep_builtin_schema = true,
				    .fetch = input->bases ? bases_fetch : NULL,
				    .fetch_arg = input->bases};
	return kustomize_build(input->dir, &options, out, err) ||
	       err_wrap(err, "kustomize build failed");
}

/* A kustomization listed among the resources is none of the cluster's objects: where objects are
 * read back it is passed over (facts 3). */
static void drop_kustomizations(KustomizeResult *result)
{
	size_t kept = 0;
	for (size_t i = 0; i < result->len; i++) {
		KustomizeResource *item = &result->items[i];
		if (object_is_of(item->object, "kustomize.config.k8s.io", "Kustomization")) {
			json_decref(item->object);
			free(item->file);
		} else {
			result->items[kept++] = *item;
		}
	}
	result->len = kept;
}

static bool build(const Kustomization *ks, const BuildInput *input, KustomizeResult *out,
		  Error *err)
{
	const char *name = kustomize_find_root(input->files, input->dir, err);
	if (err_is_set(err))
		return false;
	autojson json_t *root = name ? read_root(input, name, err) : generate_root(input, err);
	if (!root)
		return false;
	OwnEntries own = own_entries(root);
	if (!extend_root(input, ks, root, err))
		return false;
	Decryptor *decryptor = input->decryptor;
	if ((decryptor && !decrypt_sources(decryptor, input->dir, root, err)) ||
	    !build_root(input, root, &own, out, err))
		return false;
	drop_kustomizations(out);
	return !decryptor || decrypt_objects(decryptor, out, err);
}

bool generate_and_build(const Kustomization *ks, const BuildInput *input, KustomizeResult *out,
			Error *err)
{
	return build(ks, input, out, err) || err_reason(err, "BuildFailed");
}
