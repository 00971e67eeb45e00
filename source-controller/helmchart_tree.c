/*
 * A chart from the tree of a GitRepository or Bucket: a directory, packed with its dependencies, or
 * an archive, copied unless something of it changes. The tree has no symbolic link: the unpacker
 * refuses them, so that lexical confinement is enough (S77).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "helm/archive.h"
#include "helmchart.h"

enum { SHORT_HEX = 12 };

/* Where the build stands. */
typedef struct {
	Run *run;
	const HelmChartView *view;
	char *root; /* the source's tree */
	char *host; /* where that comes from; "" when it is not known */
	char *path; /* of the chart */
	bool is_dir;
	int fd; /* of an archive, or -1 */
} Tree;

static void tree_dispose(Tree *tree)
{
	dir_auto_remove(&tree->root);
	free(tree->path);
	free(tree->host);
	auto_close(&tree->fd);
}

/* --- the tree --- */

static bool unpack(Tree *tree, const Artifact *artifact, Error *err)
{
	const SourceContext *context = run_context(tree->run);
	tree->root = dir_make_temp(workdir_path(context->workdir), "helmchart", err);
	if (!tree->root) {
		err_wrap(err, "failed to create temporary working directory");
		return err_reason(err, "DirectoryCreationFailed");
	}
	autofd int fd =
		fd_open_beneath(store_root_fd(context->store),
				artifact->path + strspn(artifact->path, "/"), O_RDONLY, 0, err);
	if (fd < 0) {
		err_wrap(err, "failed to open source artifact");
		return err_reason(err, "ReadOperationFailed");
	}
	autofd int root_fd = fd_open(tree->root, O_RDONLY | O_DIRECTORY, 0, err);
	const UnpackLimits limits = {.refuse_links = true};
	if (root_fd >= 0 && unpack_fd(fd, root_fd, &limits, err))
		return true;
	err_wrap(err, "artifact untar error");
	return err_reason(err, "Failed");
}

/* What a path is called in messages: as seen from the tree. */
static const char *shown(const Tree *tree, const char *path)
{
	return path + strlen(tree->root);
}

static bool open_chart(Tree *tree, Error *err)
{
	const SourceContext *context = run_context(tree->run);
	struct stat st;
	tree->path = path_confine(tree->root, tree->view->chart);
	if (stat(tree->path, &st) != 0)
		return err_set(err, ERR_NOT_FOUND, "stat %s: no such file or directory",
			       shown(tree, tree->path));
	tree->is_dir = S_ISDIR(st.st_mode);
	if (tree->is_dir)
		return true;
	if (st.st_size > context->options->helm_chart_max_size)
		return err_set(err, ERR_LIMIT, "size of chart '%s' exceeds '%d' bytes limit",
			       path_base(tree->path), context->options->helm_chart_max_size);
	tree->fd = fd_open(tree->path, O_RDONLY, 0, err);
	return tree->fd >= 0;
}

static json_t *metadata_of(const Tree *tree, Error *err)
{
	const SourceContext *context = run_context(tree->run);
	size_t max = (size_t)context->options->helm_chart_file_max_size;
	return tree->is_dir ? helm_dir_metadata(tree->path, max, err)
			    : helm_archive_metadata(tree->fd, max, err);
}

/* --- version metadata --- */

/* The first digits of what tells the source's revisions apart: a commit or a digest. Owned. */
static char *short_revision(const char *revision)
{
	const char *colon = strrchr(revision, ':'), *slash = strrchr(revision, '/');
	const char *hex = colon ? colon + 1 : slash ? slash + 1 : revision;
	return mem_strndup(hex, strnlen(hex, SHORT_HEX));
}

/* NULL: the chart keeps its version. Owned. */
static char *version_metadata(const Tree *tree, const char *revision)
{
	long long generation = (long long)object_generation(run_object(tree->run));
	bool by_values = helmchart_values_files(tree->view) != NULL;
	autofree char *hex = tree->view->by_revision ? short_revision(revision) : NULL;
	if (!by_values)
		return steal(&hex);
	return hex ? mem_printf("%s.%lld", hex, generation) : mem_printf("%lld", generation);
}

/* --- values --- */

/* Paths that begin at the chart, as helm's do, are told where they would have to begin. */
static const Str *no_values(const Tree *tree, const char *path, const char *full, Error *err)
{
	err_set(err, ERR_NOT_FOUND, "no values file found at path '%s' (reference '%s')",
		shown(tree, full), path);
	autofree char *joined = path_join(shown(tree, tree->path), path);
	autofree char *near = path_confine(tree->root, joined);
	if (tree->is_dir && access(near, F_OK) == 0)
		err_add(err, ": paths begin at the source's root, where it is '%s'",
			shown(tree, near) + 1);
	return NULL;
}

/* A values file of the source, its path seen from the tree's root. */
static const Str *read_values(void *arg, const char *path, Error *err)
{
	const Tree *tree = arg;
	autofree char *full = path_confine(tree->root, path);
	struct stat st;
	bool there = stat(full, &st) == 0;
	if (!there && tree->view->ignore_missing)
		return NULL;
	if (!there || !S_ISREG(st.st_mode))
		return no_values(tree, path, full, err);
	autobuf Buf text = {0};
	if (!file_read(full, HELM_MAX_FILE_BYTES, &text, err))
		return err_wrap_null(err, "could not read values from file '%s'", path);
	Arena *arena = run_arena(tree->run);
	Str *kept = arena_alloc(arena, sizeof(*kept));
	*kept = str_sized(arena_strndup(arena, buf_text(&text), text.len), text.len);
	return kept;
}

/* --- building --- */

static bool copy(const Tree *tree, ChartBuild *out)
{
	out->fd = fcntl(tree->fd, F_DUPFD_CLOEXEC, 0);
	out->complete = out->fd >= 0;
	return out->complete;
}

static HelmChart *load(const Tree *tree, Error *err)
{
	const SourceContext *context = run_context(tree->run);
	Arena *arena = run_arena(tree->run);
	if (!tree->is_dir)
		return helm_chart_of_archive_fd(arena, tree->fd, err);
	HelmChart *chart = helm_chart_load_dir(
		arena, tree->path, (size_t)context->options->helm_chart_file_max_size, err);
	return chart ? chart
		     : err_wrap_null(err, "failed to load chart from %s", shown(tree, tree->path));
}

static bool package(Tree *tree, ChartBuild *out, Error *err)
{
	run_progress(tree->run);
	HelmChart *chart = load(tree, err);
	if (!chart)
		return chart_build_fail(CHART_PACKAGE, err);
	if (!chart_build_values(tree->run, tree->view, chart, read_values, tree, NULL, out, err))
		return false;
	const ChartPlace place = {tree->root, shown(tree, tree->path), tree->host};
	if (tree->is_dir &&
	    !helmchart_add_dependencies(tree->run, &place, chart, &out->resolved, err))
		return chart_build_fail(CHART_DEPENDENCY, err);
	return chart_build_package(tree->run, chart, out, err);
}

static bool build(Tree *tree, const char *revision, ChartBuild *out, Error *err)
{
	autojson json_t *metadata = open_chart(tree, err) ? metadata_of(tree, err) : NULL;
	if (!metadata)
		return chart_build_fail(CHART_REFERENCE, err);
	autofree char *build_metadata = version_metadata(tree, revision);
	if (!chart_build_name(out, json_text_or(metadata, "name", ""),
			      json_text_or(metadata, "version", ""), build_metadata, err))
		return false;
	bool packaged = tree->is_dir || build_metadata;
	if (chart_build_is_stored(tree->run, tree->view, packaged, out))
		return true;
	if (packaged)
		return package(tree, out, err);
	if (copy(tree, out))
		return true;
	err_errno(err, "failed to read from source during copy");
	return chart_build_fail(CHART_PULL, err);
}

bool helmchart_build_tree(Run *run, const HelmChartView *view, const json_t *source,
			  ChartBuild *out, Error *err)
{
	__attribute__((cleanup(tree_dispose))) Tree tree = {.run = run, .view = view, .fd = -1};
	autoartifact Artifact artifact = {0};
	if (!artifact_of_json(json_at(source, "status", "artifact", NULL), &artifact))
		return err_set(err, ERR_NOT_FOUND, "the source has no artifact");
	tree.host = artifact_source_host(source);
	return unpack(&tree, &artifact, err) && build(&tree, artifact.revision, out, err);
}
