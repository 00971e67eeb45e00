/*
 * The reconcile of a HelmChart: storage, source, nothing changed?, build, store, announce. How a
 * chart is built is told by its source: helmchart_remote.c, helmchart_tree.c.
 */
#include "helmchart.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/duration.h"

static const char *const order[] = {
	"StorageOperationFailed",
	"FetchFailed",
	"BuildFailed",
	"ArtifactOutdated",
	"ArtifactInStorage",
	"SourceVerified",
	"Stalled",
	"Reconciling",
	NULL,
};

static const char *const source_kinds[] = {"HelmRepository", "GitRepository", "Bucket"};

void helmchart_parse(const json_t *object, HelmChartView *out)
{
	const json_t *spec = json_map(object, "spec"), *ref = json_map(spec, "sourceRef");
	*out = (HelmChartView){
		.chart = json_text_or(spec, "chart", ""),
		.version = json_text_or(spec, "version", ""),
		.interval_ms = duration_ms_or(json_text(spec, "interval"), 60000),
		.source_kind = json_text_or(ref, "kind", ""),
		.source_name = json_text_or(ref, "name", ""),
		.by_revision = cstr_eq(json_text(spec, "reconcileStrategy"), "Revision"),
		.values_files = json_list(spec, "valuesFiles"),
		.ignore_missing = json_flag(spec, "ignoreMissingValuesFiles", false),
		.verify = json_map(spec, "verify"),
	};
}

/* --- the source --- */

static bool is_source_kind(const char *kind)
{
	for (size_t i = 0; i < COUNT(source_kinds); i++)
		if (cstr_eq(kind, source_kinds[i]))
			return true;
	return false;
}

static bool is_remote(const HelmChartView *view)
{
	return cstr_eq(view->source_kind, "HelmRepository");
}

static json_t *find_source(Run *run, const HelmChartView *view, Error *err)
{
	if (!is_source_kind(view->source_kind)) {
		err_set(err, ERR_UNSUPPORTED,
			"failed to get source: unsupported source kind '%s', must be one of: "
			"[HelmRepository GitRepository Bucket]",
			view->source_kind);
		source_fail(run, "FetchFailed", "UnsupportedSourceKind", err);
		return NULL;
	}
	json_t *source = run_peer_get(run, SOURCE_VERSION, view->source_kind, run_namespace(run),
				      view->source_name);
	if (source)
		return source;
	err_set(err, ERR_NOT_FOUND, "failed to get source: %s.%s \"%s\" not found",
		view->source_kind, SOURCE_GROUP, view->source_name);
	source_fail(run, "FetchFailed", "SourceUnavailable", err);
	return NULL;
}

static bool is_registry(const HelmChartView *view, const json_t *source)
{
	return is_remote(view) && helmrepository_is_static(source);
}

static bool in_storage(Run *run, const Artifact *artifact)
{
	const SourceContext *context = run_context(run);
	autoerror Error ignored = {0};
	autofd int fd =
		fd_open_beneath(store_root_fd(context->store),
				artifact->path + strspn(artifact->path, "/"), O_PATH, 0, &ignored);
	return fd >= 0;
}

static bool has_artifact(Run *run, const HelmChartView *view, const json_t *source, Artifact *out,
			 Error *err)
{
	static const char reason[] = "NoSourceArtifact";
	if (artifact_of_json(json_at(source, "status", "artifact", NULL), out) &&
	    in_storage(run, out))
		return true;
	if (is_registry(view, source))
		return true;
	err_set(err, ERR_NOT_FOUND, "no artifact available for %s source '%s'", view->source_kind,
		view->source_name);
	err_reason(err, reason);
	condition_set(run_object(run), "FetchFailed", "True", reason, err_text(err));
	run_event(run, EVENT_TRACE, reason, NULL, "%s", err_text(err));
	return false;
}

/* The source is what it was when this was last found good, and what is asked for is, too. */
static bool is_settled(Run *run, const HelmChartView *view, const Artifact *source)
{
	const json_t *object = run_object(run), *status = json_map(object, "status");
	autoartifact Artifact stored = {0};
	return source->revision && !view->verify && source_artifact(run, &stored) &&
	       condition_is(object, "Ready", "True") &&
	       json_int(status, "observedGeneration", -1) == object_generation(object) &&
	       cstr_eq(json_text(status, "observedSourceArtifactRevision"), source->revision);
}

/* --- building --- */

bool helmchart_build(Run *run, const HelmChartView *view, const json_t *source, ChartBuild *out,
		     Error *err)
{
	return is_remote(view) ? helmchart_build_remote(run, view, source, out, err)
			       : helmchart_build_tree(run, view, source, out, err);
}

static const char *reason_of(const ChartBuild *build)
{
	return build->packaged ? "ChartPackageSucceeded" : "ChartPullSucceeded";
}

/* "packaged 'NAME' chart with version 'V' and merged values files [a b]" */
static char *summary_of(const ChartBuild *build)
{
	Buf text = {0};
	size_t i;
	json_t *item;
	buf_printf(&text, "%s '%s' chart with version '%s'",
		   !build->complete  ? "new"
		   : build->packaged ? "packaged"
				     : "pulled",
		   build->name, build->version);
	if (json_array_size(build->values_files))
		buf_puts(&text, " and merged values files [");
	json_array_foreach(build->values_files, i, item)
		buf_printf(&text, "%s%s", i ? " " : "", json_string_value(item));
	if (json_array_size(build->values_files))
		buf_puts(&text, "]");
	return buf_steal(&text);
}

/* A chart that is not the stored one is on its way. */
static void note_new(Run *run, const ChartBuild *build, const Artifact *before)
{
	const json_t *status = json_map(run_object(run), "status");
	if (!build->name || !build->version ||
	    (cstr_eq(build->name, json_text(status, "observedChartName")) &&
	     cstr_eq(build->version, before->revision)))
		return;
	autofree char *summary = summary_of(build);
	source_note_change(run, "NewChart", before->revision != NULL, summary);
}

static bool fail_build(Run *run, const ChartBuild *build, const Artifact *before, Error *err)
{
	json_t *object = run_object(run);
	autofree char *reason = mem_strdup(err->reason ? err->reason : "Unknown");
	const char *condition = chart_failure_condition(reason);
	note_new(run, build, before);
	condition_remove(object, "FetchFailed");
	condition_remove(object, "BuildFailed");
	return source_fail(run, condition, reason, err);
}

static bool store(Run *run, const ChartBuild *build, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autofree char *file = mem_printf("%s-%s.tgz", path_base(build->name), build->version);
	if (store_put_file(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			   file, build->version, build->fd, out, err))
		return true;
	autofree char *reason = mem_strdup(err->reason ? err->reason : "ArchiveOperationFailed");
	err_wrap(err, "unable to copy Helm chart to storage");
	return source_fail(run, "StorageOperationFailed", reason, err);
}

static void observe(Run *run, const HelmChartView *view, const ChartBuild *build)
{
	json_t *status = json_make_at(run_object(run), "status", NULL);
	json_put_text(status, "observedChartName", build->name);
	if (view->ignore_missing && build->values_files)
		json_object_set(status, "observedValuesFiles", build->values_files);
	else
		json_object_del(status, "observedValuesFiles");
}

static void conclude(Run *run, const HelmChartView *view, const ChartBuild *build,
		     const Artifact *before, const Artifact *now, bool failed_before)
{
	json_t *object = run_object(run);
	const char *reason = reason_of(build);
	autofree char *summary = summary_of(build);
	source_clear_failures(object);
	if (now != before) {
		source_set_artifact(run, now, reason);
		source_alias(run, now, "latest.tar.gz");
		observe(run, view, build);
	} else {
		run_event(run, EVENT_TRACE, "ArtifactUpToDate", NULL,
			  "artifact up-to-date with remote revision: '%s'", now->revision);
	}
	if (build->resolved)
		run_event(run, EVENT_TRACE, "ResolvedDependencies", NULL,
			  "resolved %zu chart dependencies", build->resolved);
	condition_set(object, "ArtifactInStorage", "True", reason, summary);
	source_announce_as(run, before->revision ? before : NULL, now, failed_before, reason,
			   reason, summary);
}

static bool build_and_store(Run *run, const HelmChartView *view, const json_t *source,
			    bool failed_before, Error *err)
{
	autochartbuild ChartBuild build = {.fd = -1};
	autoartifact Artifact before = {0}, now = {0};
	(void)source_artifact(run, &before);
	if (!helmchart_build(run, view, source, &build, err))
		return fail_build(run, &build, &before, err);
	note_new(run, &build, &before);
	if (build.fd >= 0 && !store(run, &build, &now, err))
		return false;
	conclude(run, view, &build, &before, build.fd >= 0 ? &now : &before, failed_before);
	return true;
}

/* The steps between storage and summary. */
static bool update_artifact(Run *run, const void *arg, Error *err)
{
	const HelmChartView *view = arg;
	json_t *object = run_object(run);
	bool failed_before = source_has_failure(object);
	autoartifact Artifact from = {0};
	if (condition_is(object, "SourceVerified", "False") || !view->verify)
		condition_remove(object, "SourceVerified");
	autojson json_t *source = find_source(run, view, err);
	if (!source || !has_artifact(run, view, source, &from, err))
		return false;
	if (is_settled(run, view, &from))
		return true;
	if (from.revision)
		json_put_text(json_make_at(object, "status", NULL),
			      "observedSourceArtifactRevision", from.revision);
	return build_and_store(run, view, source, failed_before, err);
}

/*
 * A chart and its source are often made at once, and the source's artifact wakes the chart. For a
 * moment nobody need be told that it is awaited: how long still, 0 when something is to be told.
 * Times of creation are whole seconds, and clocks differ a little.
 */
static int64_t quiet_ms_left(Run *run, const HelmChartView *view)
{
	enum { QUIET_MS = 3000, SKEW_MS = 1000 };
	const json_t *object = run_object(run);
	int64_t created_ms;
	if (json_list(json_map(object, "status"), "conditions") ||
	    !is_source_kind(view->source_kind) ||
	    !clock_parse(json_text_or(json_map(object, "metadata"), "creationTimestamp", ""),
			 &created_ms))
		return 0;
	autojson json_t *source = run_peer_get(run, SOURCE_VERSION, view->source_kind,
					       run_namespace(run), view->source_name);
	if (!source || is_registry(view, source) || condition_is(source, "Ready", "False") ||
	    json_at(source, "status", "artifact", NULL))
		return 0;
	int64_t age_ms = clock_wall_ms() - created_ms;
	return age_ms >= -SKEW_MS && age_ms < QUIET_MS ? QUIET_MS - age_ms : 0;
}

Outcome helmchart_reconcile(Run *run, Error *err)
{
	HelmChartView view;
	helmchart_parse(run_object(run), &view);
	int64_t quiet_ms = quiet_ms_left(run, &view);
	if (quiet_ms > 0)
		return outcome_waiting(quiet_ms);
	return source_run(run, order, view.interval_ms, update_artifact, &view, err);
}

/* --- waking --- */

static char *index_key(const char *kind, const char *ns, const char *name)
{
	return mem_printf("source/%s/%s/%s", kind, ns, name);
}

void helmchart_index(const json_t *object, IndexAdd *add, void *arg)
{
	HelmChartView view;
	helmchart_parse(object, &view);
	autofree char *key =
		index_key(view.source_kind, object_namespace(object), view.source_name);
	add(arg, key);
}

/* What of a source concerns the charts from it: its artifact, or where its registry is. */
static char *state_of(const char *kind, const json_t *source)
{
	const char *revision = json_text_at(source, "status", "artifact", "revision", NULL);
	if (cstr_eq(kind, "HelmRepository") && source && helmrepository_is_static(source))
		return mem_printf("generation %lld", (long long)object_generation(source));
	return mem_strdup(revision);
}

void helmchart_source_changed(Manager *manager, const Kind *charts, const char *kind,
			      const char *ns, const char *name, const json_t *object)
{
	SourceContext *context = manager_context(manager);
	autofree char *key = index_key(kind, ns, name);
	autofree char *now = state_of(kind, object);
	if (source_is_new(context, key, now))
		manager_enqueue_indexed(manager, charts, key);
}
