/* sluice reconcile: asks for a run now and waits for what comes of it. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "settle.h"

#define AT(member) offsetof(Options, member)

#define REQUESTED_AT "reconcile.fluxcd.io/requestedAt"
#define FORCE_AT "reconcile.fluxcd.io/forceAt"
#define RESET_AT "reconcile.fluxcd.io/resetAt"

/* What to reconcile: an object, and whether its source comes first. */
typedef struct {
	const KindRow *row;
	const char *ns, *name;
	bool with_source;
} Target;

static json_t *get(const Command *command, const Target *target, Error *err)
{
	return kube_get(command->client, target->row->api_version, target->row->kind, target->ns,
			target->name, err);
}

/* The present time with nanoseconds: what makes each request another one. */
static char *request_value(void)
{
	int64_t now_ns = clock_wall_ns();
	char seconds[CLOCK_TEXT_SIZE];
	clock_format(now_ns / 1000000, seconds);
	seconds[strcspn(seconds, "Z")] = '\0';
	return mem_printf("%s.%09lldZ", seconds, (long long)(now_ns % 1000000000));
}

static bool annotate(const Command *command, const Target *target, Error *err)
{
	autofree char *value = request_value();
	autojson json_t *patch =
		json_pack("{s:{s:{s:s}}}", "metadata", "annotations", REQUESTED_AT, value);
	json_t *annotations = json_make_at(patch, "metadata", "annotations", NULL);
	bool release = cstr_eq(target->row->kind, "HelmRelease");
	if (release && command->options.force)
		json_put_text(annotations, FORCE_AT, value);
	if (release && command->options.reset)
		json_put_text(annotations, RESET_AT, value);
	autojson json_t *done = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_MERGE_PATCH,
						       .api_version = target->row->api_version,
						       .kind = target->row->kind,
						       .ns = target->ns,
						       .name = target->name,
						       .body = patch,
						       .metadata_only = true},
					err);
	return done != NULL;
}

/* The deadline covers all of the command, sources included. */
static bool request_and_wait(const Command *command, const Target *target, const char *before,
			     int64_t deadline_ms, Error *err)
{
	const char *kind = target->row->kind;
	fprintf(stderr, "► annotating %s %s in %s namespace\n", kind, target->name, target->ns);
	if (!annotate(command, target, err))
		return false;
	fprintf(stderr, "✔ %s annotated\n", kind);
	fprintf(stderr, "◎ waiting for %s reconciliation\n", kind);
	Settle *settle = settle_start(&(SettleConfig){.client = command->client,
						      .row = target->row,
						      .ns = target->ns,
						      .name = target->name,
						      .rule = {.handled_before = before}});
	autojson json_t *after = settle_finish(settle, deadline_ms, err);
	if (!after)
		return false;
	if (!cstr_eq(object_condition_status(after, "Ready"), "True"))
		return err_set(err, ERR_INVALID, "%s reconciliation failed: '%s'", kind,
			       json_text_or(object_condition(after, "Ready"), "message",
					    "status can't be determined"));
	autofree char *success = target->row->success(after);
	fprintf(stderr, "✔ %s\n", success);
	return true;
}

static bool from_ref(const json_t *ref, const char *kinds, const char *fallback_ns, Target *out,
		     Error *err)
{
	const char *kind = json_text_or(ref, "kind", "");
	out->row = strstr(kinds, kind) ? kind_by_name(kind) : NULL;
	out->name = json_text_or(ref, "name", "");
	const char *ns = json_text_or(ref, "namespace", "");
	out->ns = *ns ? ns : fallback_ns;
	return out->row ? true
			: err_set(err, ERR_INVALID, "cannot reconcile source of kind %s", kind);
}

/* Where an object's content comes from. What *out borrows is of `object` and *out_name, which is
 * the caller's to free. A HelmRelease's chart brings its own source. */
static bool source_of(const Target *target, const json_t *object, Target *out, char **out_name,
		      Error *err)
{
	const json_t *ref = json_at(object, "spec", "sourceRef", NULL);
	if (cstr_eq(target->row->kind, "Kustomization"))
		return from_ref(ref, "GitRepository OCIRepository Bucket", target->ns, out, err);
	if (cstr_eq(target->row->kind, "HelmChart"))
		return from_ref(ref, "HelmRepository GitRepository Bucket", target->ns, out, err);
	if (!cstr_eq(target->row->kind, "HelmRelease"))
		return err_set(err, ERR_INVALID, "--with-source: a %s has no source",
			       target->row->kind);
	const json_t *chart = json_at(object, "spec", "chartRef", NULL);
	if (chart && !from_ref(chart, "HelmChart OCIRepository", target->ns, out, err))
		return false;
	if (!chart) {
		const char *ns = json_text_at(object, "spec", "chart", "spec", "sourceRef",
					      "namespace", NULL);
		*out_name = mem_printf("%s-%s", target->ns, target->name);
		*out = (Target){.row = kind_by_name("HelmChart"),
				.name = *out_name,
				.ns = cstr_empty(ns) ? target->ns : ns};
	}
	out->with_source = cstr_eq(out->row->kind, "HelmChart");
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most release, chart, source. */
static bool reconcile(const Command *command, const Target *target, int64_t deadline_ms, Error *err)
{
	autojson json_t *before = get(command, target, err);
	if (!before)
		return false;
	if (kind_is_static(target->row, before)) {
		fputs("✔ reconciliation not supported by the object\n", stderr);
		return true;
	}
	if (json_flag(json_map(before, "spec"), "suspend", false))
		return err_set(err, ERR_INVALID, "resource is suspended");
	if (target->with_source) {
		Target source = {0};
		autofree char *name = NULL;
		if (!source_of(target, before, &source, &name, err) ||
		    !reconcile(command, &source, deadline_ms, err))
			return false;
	}
	const char *handled =
		json_text_or(json_map(before, "status"), "lastHandledReconcileAt", "");
	return request_and_wait(command, target, handled, deadline_ms, err);
}

static bool run(Command *command, Error *err)
{
	size_t at = 0;
	const KindRow *row = kind_of_words(command, KIND_RECONCILE, &at, err);
	if (!row)
		return false;
	const char *name = command_word(command, at);
	if (!name)
		return err_set(err, ERR_INVALID, "%s name is required", row->kind);
	bool release = cstr_eq(row->kind, "HelmRelease");
	if ((command->options.force || command->options.reset) && !release)
		return err_set(err, ERR_INVALID, "--force and --reset are for a HelmRelease");
	Target target = {.row = row,
			 .ns = command->ns,
			 .name = name,
			 .with_source = command->options.with_source};
	return reconcile(command, &target, clock_mono_ms() + command->options.timeout_ms, err);
}

static const Option options[] = {
	{{"with-source", FLAG_BOOL, AT(with_source), "false", NULL, "Reconcile the source first."},
	 0,
	 NULL},
	{{"force", FLAG_BOOL, AT(force), "false", NULL,
	  "HelmRelease: install or upgrade once, whatever the state."},
	 0,
	 NULL},
	{{"reset", FLAG_BOOL, AT(reset), "false", NULL, "HelmRelease: forget its failures."},
	 0,
	 NULL},
};

const Verb verb_reconcile = {
	.name = "reconcile",
	.words = "KIND NAME",
	.summary = "Ask for a run now and wait for its outcome.",
	.run = run,
	.connects = true,
	.kinds = true,
	.options = options,
	.option_count = COUNT(options),
};
