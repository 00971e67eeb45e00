/* Where `sluice kustomize build --output` puts the objects. */
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "kustomize/resource.h"
#include "kustomize_command.h"

static bool write_file(const char *path, const Buf *text, Error *err)
{
	autofd int fd = fd_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644, err);
	return fd >= 0 &&
	       (fd_write_all(fd, buf_text(text), text->len, err) || err_wrap(err, "%s", path));
}

/* NULL: cluster-scoped. */
static const char *namespace_of(const json_t *object)
{
	if (kgvk_is_cluster_scoped(json_text_or(object, "apiVersion", ""),
				   json_text_or(object, "kind", "")))
		return NULL;
	const char *ns = json_text_at(object, "metadata", "namespace", NULL);
	return cstr_empty(ns) ? "default" : ns;
}

static void add_part(Buf *out, Str part)
{
	if (out->len > 0 && part.len > 0)
		buf_putc(out, '_');
	buf_add(out, part);
}

/* [ns_][group_]version_kind_name.yaml, in lower case. */
static char *file_name(const json_t *object, bool with_namespace, Error *err)
{
	autobuf Buf out = {0};
	const char *version = json_text_or(object, "apiVersion", "");
	const char *name = json_text_at(object, "metadata", "name", NULL);
	if (with_namespace)
		add_part(&out, str_of(namespace_of(object)));
	add_part(&out, kgroup_of(version));
	add_part(&out, kversion_of(version));
	add_part(&out, str_of(json_text(object, "kind")));
	buf_printf(&out, "_%s.yaml", name ? name : "");
	if (strchr(buf_text(&out), '/'))
		return err_null(err, ERR_INVALID, "%s is no file name", buf_text(&out));
	for (size_t i = 0; i < out.len; i++)
		out.ptr[i] = (char)tolower((unsigned char)out.ptr[i]);
	return buf_steal(&out);
}

static bool write_each(const KustomizeResult *result, const char *dir, Error *err)
{
	automap Map *namespaces = map_new(NULL);
	for (size_t i = 0; i < result->len; i++) {
		const char *ns = namespace_of(result->items[i].object);
		if (ns)
			map_put(namespaces, ns, NULL);
	}
	for (size_t i = 0; i < result->len; i++) {
		const json_t *object = result->items[i].object;
		bool with_namespace = map_len(namespaces) > 1 && namespace_of(object);
		autofree char *name = file_name(object, with_namespace, err);
		if (!name)
			return false;
		autofree char *path = path_join(dir, name);
		autobuf Buf text = {0};
		yaml_emit(object, &text);
		if (!write_file(path, &text, err))
			return false;
	}
	return true;
}

bool kustomize_write(const KustomizeResult *result, const char *path, Error *err)
{
	struct stat info;
	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
		return write_each(result, path, err);
	autobuf Buf text = {0};
	kustomize_emit(result, &text);
	return write_file(path, &text, err);
}
