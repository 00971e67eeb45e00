#include "charts.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/semver.h"
#include "helm/archive.h"

enum { BUILD_DIGITS = 12 };

typedef struct {
	const Charts *charts;
	const Artifact *artifact;
	const char *build;
} Wanted;

/* The tag that the chart came by may move: what it is now tells versions apart (H24). */
static bool set_build(HelmChart *chart, const char *build, Error *err)
{
	autosemver Semver version = {0};
	const char *said = helm_chart_field(chart, "version");
	if (!semver_parse(said, &version))
		return err_set(err, ERR_INVALID, "invalid chart version %s", said);
	autofree char *text =
		mem_printf("%llu.%llu.%llu%s%s+%s", (unsigned long long)version.major,
			   (unsigned long long)version.minor, (unsigned long long)version.patch,
			   *version.pre ? "-" : "", version.pre, build);
	json_put_text(chart->metadata, "version", text);
	return true;
}

/* Which chart it is that cannot be loaded: its name and version where Chart.yaml can be read, else
 * what was fetched. */
static void name_chart(const Artifact *artifact, const char *path, Error *err)
{
	autoerror Error ignored = {0};
	autofd int fd = fd_open(path, O_RDONLY, 0, &ignored);
	autojson json_t *metadata =
		fd < 0 ? NULL : helm_archive_metadata(fd, HELM_MAX_FILE_BYTES, &ignored);
	if (metadata)
		err_wrap(err, "chart %s@%s", json_text_or(metadata, "name", ""),
			 json_text_or(metadata, "version", ""));
	else
		err_wrap(err, "artifact %s of revision %s", artifact->path, artifact->revision);
}

static PreparedChart *prepare(void *context, Error *err)
{
	const Wanted *wanted = context;
	autoartifacttree ArtifactTree *tree =
		artifact_cache_get(wanted->charts->artifacts, wanted->artifact, err);
	if (!tree)
		return NULL;
	autoarena Arena *arena = arena_new();
	autofree char *path = path_join(artifact_tree_path(tree), ARTIFACT_FILE);
	HelmChart *chart = helm_chart_load(arena, path, err);
	if (!chart) {
		name_chart(wanted->artifact, path, err);
		err->code = ERR_INVALID; /* the same bytes would fail again */
		return NULL;
	}
	if (wanted->build && !set_build(chart, wanted->build, err))
		return NULL;
	PreparedChart *prepared = prepared_chart_new(steal(&arena), chart);
	atomic_fetch_add(&wanted->charts->counts->loaded, 1);
	prepared_chart_count(prepared, &wanted->charts->counts->parsed);
	return prepared;
}

PreparedChart *charts_get(const Charts *charts, const Artifact *artifact, const char *build,
			  Error *err)
{
	Wanted wanted = {charts, artifact, build};
	autofree char *key = mem_printf("%s %s", artifact->digest, build ? build : "");
	return helm_chart_cache_get(charts->cache, key, prepare, &wanted, err);
}

static bool invalid_revision(const char *revision, Error *err)
{
	return err_set(err, ERR_INVALID, "invalid artifact revision %s", revision);
}

char *chart_build_of(const char *source_kind, const char *revision, char **out_digest, Error *err)
{
	*out_digest = NULL;
	bool has_digest = cstr_eq(source_kind, "OCIRepository") ||
			  (cstr_eq(source_kind, "ExternalArtifact") && strchr(revision, ':'));
	if (!has_digest)
		return NULL;
	const char *at = strchr(revision, '@');
	const char *digest = at ? at + 1 : revision;
	const char *hex = strchr(digest, ':');
	if (!hex || strchr(hex + 1, ':') || strchr(digest, '@') || strlen(hex + 1) < BUILD_DIGITS) {
		invalid_revision(revision, err);
		return NULL;
	}
	*out_digest = mem_strdup(digest);
	return mem_strndup(hex + 1, BUILD_DIGITS);
}

bool chart_fits_tag(const HelmChart *chart, const char *revision, Error *err)
{
	autosemver Semver tagged = {0}, version = {0};
	Str tag, rest;
	bool has_tag = str_cut(str_of(revision), '@', &tag, &rest);
	autofree char *text = str_dup(tag), *shown = str_dup(tag);
	/* "+" cannot stand in a tag, and Helm writes "_" there. */
	for (char *c = text; *c; c++)
		if (*c == '_' && has_tag)
			*c = '+';
	if (!semver_parse(text, &tagged))
		return true;
	const char *said = helm_chart_field(chart, "version");
	if (has_tag && semver_parse(said, &version) && semver_compare(&tagged, &version) == 0)
		return true;
	return err_set(err, ERR_INVALID,
		       "chart %s: artifact revision %s does not match chart version %.*s",
		       helm_chart_name(chart), shown, (int)strcspn(said, "+"), said);
}
