/*
 * The HelmChart that spec.chart describes, made in the source's namespace (helm-controller.md 9).
 * One that our watch shows as wanted costs no request.
 */
#include "internal.h"

#include "base/mem.h"
#include "data/duration.h"

static void copy_field(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);
	if (value)
		json_object_set(to, key, value);
}

/* As Go spells it, so that upstream's controller, which applies the same object, finds it as it
 * wants it when it is swapped for ours or back. */
static void put_interval(json_t *out, const char *text)
{
	char spelled[DURATION_TEXT_SIZE];
	int64_t ms;
	if (duration_parse(text, &ms)) {
		duration_format(ms, spelled);
		text = spelled;
	}
	json_put_text(out, "interval", text);
}

static json_t *chart_spec(const ReleaseSpec *spec)
{
	static const char *const fields[] = {"chart", "reconcileStrategy", "valuesFiles",
					     "ignoreMissingValuesFiles", "verify"};
	const json_t *said = json_at(spec->spec, "chart", "spec", NULL);
	const json_t *ref = json_map(said, "sourceRef");
	json_t *out = json_object();
	for (size_t i = 0; i < COUNT(fields); i++)
		copy_field(out, said, fields[i]);
	const char *version = json_text(said, "version");
	if (!cstr_empty(version))
		json_put_text(out, "version", version);
	json_t *source = json_make_at(out, "sourceRef", NULL);
	json_put_text(source, "kind", json_text_or(ref, "kind", ""));
	json_put_text(source, "name", json_text_or(ref, "name", ""));
	const char *own = json_text_or(spec->spec, "interval", "");
	put_interval(out, json_text_or(said, "interval", own));
	return out;
}

static json_t *chart_of(const ReleaseSpec *spec)
{
	const json_t *said = json_at(spec->spec, "chart", "metadata", NULL);
	json_t *chart = json_object();
	json_put_text(chart, "apiVersion", SOURCE_VERSION);
	json_put_text(chart, "kind", "HelmChart");
	json_t *metadata = json_make_at(chart, "metadata", NULL);
	json_put_text(metadata, "name", spec->source_name);
	json_put_text(metadata, "namespace", spec->source_ns);
	const json_t *annotations = json_map(said, "annotations");
	if (json_object_size(annotations))
		json_object_set_new(metadata, "annotations", json_deep_copy(annotations));
	json_t *labels = json_make_at(metadata, "labels", NULL);
	json_object_update(labels, json_map(said, "labels"));
	json_put_text(labels, HR_OWNER_NAME, spec->name);
	json_put_text(labels, HR_OWNER_NAMESPACE, spec->ns);
	json_object_set_new(chart, "spec", chart_spec(spec));
	return chart;
}

/* That of its controller, for which it would be a write of its own. Of an object that is there it
 * is only kept: one that is being deleted must not get it again. */
static void add_finalizer(json_t *wanted, const json_t *live)
{
	if (live && !object_has_finalizer(live, FLUX_FINALIZER))
		return;
	json_t *finalizers = json_array();
	json_array_append_new(finalizers, json_string(FLUX_FINALIZER));
	json_object_set_new(json_make_at(wanted, "metadata", NULL), "finalizers", finalizers);
}

static bool has_all(const json_t *live, const json_t *wanted)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(wanted), key, value)
	{
		if (!json_same(json_object_get(live, key), value))
			return false;
	}
	return true;
}

/* Fields that nobody wants any more: what the API fills in by itself is not among them. */
static bool has_more(const json_t *live, const json_t *wanted)
{
	static const char *const fields[] = {"valuesFiles", "verify"};
	for (size_t i = 0; i < COUNT(fields); i++)
		if (json_object_get(live, fields[i]) && !json_object_get(wanted, fields[i]))
			return true;
	bool ignores = json_flag(live, "ignoreMissingValuesFiles", false);
	return ignores && !json_object_get(wanted, "ignoreMissingValuesFiles");
}

static const char *const maps[] = {"labels", "annotations"};

/* Labels and annotations that spec may just have lost, or that others have put there: only an apply
 * can tell them apart. */
static bool may_have_lost(const json_t *live, const json_t *wanted)
{
	for (size_t i = 0; i < COUNT(maps); i++)
		if (json_object_size(json_at(live, "metadata", maps[i], NULL)) >
		    json_object_size(json_at(wanted, "metadata", maps[i], NULL)))
			return true;
	return false;
}

static bool is_as_wanted(const json_t *live, const json_t *wanted)
{
	const json_t *spec = json_map(live, "spec"), *want = json_map(wanted, "spec");
	if (!live || object_is_deleting(live) || !has_all(spec, want) || has_more(spec, want))
		return false;
	for (size_t i = 0; i < COUNT(maps); i++)
		if (!has_all(json_at(live, "metadata", maps[i], NULL),
			     json_at(wanted, "metadata", maps[i], NULL)))
			return false;
	return true;
}

static void tell(Run *run, const ReleaseSpec *spec, const json_t *wanted, bool created)
{
	const json_t *ref = json_at(wanted, "spec", "sourceRef", NULL);
	run_event(run, EVENT_TRACE, created ? "HelmChartCreated" : "HelmChartConfigured", NULL,
		  "%s HelmChart/%s/%s with SourceRef '%s/%s/%s'",
		  created ? "Created" : "Configured", spec->source_ns, spec->source_name,
		  json_text_or(ref, "kind", ""), spec->source_ns, json_text_or(ref, "name", ""));
}

/* The object as the server has it then; owned. */
static json_t *apply(Run *run, const ReleaseSpec *spec, const json_t *wanted, const json_t *live,
		     Error *err)
{
	json_t *reply =
		kube_do(run_client(run),
			&(KubeRequest){.verb = KUBE_APPLY, .body = wanted, .force = true}, err);
	if (!reply) {
		err_wrap(err, "failed to run server-side apply");
		if (!err->not_yet)
			run_event(run, EVENT_TRACE, "HelmChartSyncErr", NULL, "%s", err_text(err));
		return NULL;
	}
	if (!live || !cstr_eq(object_resource_version(reply), object_resource_version(live)))
		tell(run, spec, wanted, !live);
	return reply;
}

/* The key of the generated HelmChart that status names, split. */
static bool named(const json_t *status, char **out_ns, char **out_name)
{
	Str ns, name;
	const char *key = json_text(status, "helmChart");
	if (cstr_empty(key) || !str_cut(str_of(key), '/', &ns, &name))
		return false;
	*out_ns = str_dup(ns);
	*out_name = str_dup(name);
	return true;
}

static bool delete_named(Run *run, Error *err)
{
	autofree char *ns = NULL, *name = NULL;
	if (!named(run_status(run), &ns, &name))
		return true;
	autojson json_t *reply = kube_do(run_client(run),
					 &(KubeRequest){.verb = KUBE_DELETE,
							.api_version = SOURCE_VERSION,
							.kind = "HelmChart",
							.ns = ns,
							.name = name},
					 err);
	if (!reply && err->code != ERR_NOT_FOUND)
		return err_wrap(err, "failed to delete HelmChart '%s/%s'", ns, name);
	if (reply)
		run_event(run, EVENT_TRACE, "HelmChartDeleted", NULL, "deleted HelmChart '%s/%s'",
			  ns, name);
	error_dispose(err);
	json_object_del(run_status(run), "helmChart");
	return true;
}

/* Into status what was noted of a chart, if status does not have it by now. */
static void recall(Run *run)
{
	const HelmContext *context = run_context(run);
	autofree char *key = run_key(run);
	autofree char *noted = attempts_noted_chart(context->attempts, key);
	if (!noted)
		return;
	attempts_note_chart(context->attempts, key, NULL);
	if (!json_text(run_status(run), "helmChart"))
		json_put_text(run_status(run), "helmChart", noted);
}

/* A crash may have come between a new HelmChart and the status that tells of it. */
static bool find_untold(Run *run, const ReleaseSpec *spec, Error *err)
{
	if (!spec->has_template || json_text(run_status(run), "helmChart"))
		return true;
	autojson json_t *chart = kube_get(run_client(run), SOURCE_VERSION, "HelmChart",
					  spec->source_ns, spec->source_name, err);
	if (!chart && err->code != ERR_NOT_FOUND)
		return err_wrap(err, "failed to look for a HelmChart");
	error_dispose(err);
	autofree char *key = mem_printf("%s/%s", spec->source_ns, spec->source_name);
	if (cstr_eq(object_label(chart, HR_OWNER_NAME), run_name(run)) &&
	    cstr_eq(object_label(chart, HR_OWNER_NAMESPACE), run_namespace(run)))
		json_put_text(run_status(run), "helmChart", key);
	return true;
}

bool chart_template_forget(Run *run, const ReleaseSpec *spec, Error *err)
{
	recall(run);
	return find_untold(run, spec, err) && delete_named(run, err);
}

bool chart_template_apply(Run *run, const ReleaseSpec *spec, json_t **out_made, Error *err)
{
	*out_made = NULL;
	const HelmContext *context = run_context(run);
	autofree char *key = mem_printf("%s/%s", spec->source_ns, spec->source_name);
	autofree char *own_key = run_key(run);
	recall(run);
	const char *known = json_text(run_status(run), "helmChart");
	if (known && (!spec->has_template || !cstr_eq(known, key)) && !delete_named(run, err))
		return false;
	if (!spec->has_template)
		return true;
	autojson json_t *wanted = chart_of(spec);
	autojson json_t *live =
		run_peer_get(run, SOURCE_VERSION, "HelmChart", spec->source_ns, spec->source_name);
	bool new_spec = json_int(run_status(run), "lastAttemptedGeneration", 0) != spec->generation;
	if (!is_as_wanted(live, wanted) || (new_spec && may_have_lost(live, wanted))) {
		add_finalizer(wanted, live);
		*out_made = apply(run, spec, wanted, live, err);
		if (!*out_made)
			return false;
	}
	/* Of a new one status tells with what comes of it: that is one write. */
	if (known || !*out_made)
		json_put_text(run_status(run), "helmChart", key);
	else
		attempts_note_chart(context->attempts, own_key, key);
	return true;
}
