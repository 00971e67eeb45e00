/* sluice reconcile: asks for a run now and waits for what comes of it. */
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli.h"

#define REQUESTED_AT "reconcile.fluxcd.io/requestedAt"

enum { LOOK_MS = 100 };

static json_t *get(const Command *command, const KindRow *kind, const char *name, Error *err)
{
	return kube_get(command->client, kind->api_version, kind->kind, command->ns, name, err);
}

static bool annotate(const Command *command, const KindRow *kind, const char *name,
		     const char *value, Error *err)
{
	autojson json_t *patch =
		json_pack("{s:{s:{s:s}}}", "metadata", "annotations", REQUESTED_AT, value);
	autojson json_t *done = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_MERGE_PATCH,
						       .api_version = kind->api_version,
						       .kind = kind->kind,
						       .ns = command->ns,
						       .name = name,
						       .body = patch},
					err);
	return done != NULL;
}

/* True when the request was handled and the object is at rest, one way or the other. */
static bool is_handled(const json_t *object, const char *value)
{
	const json_t *status = json_map(object, "status");
	const char *ready = object_condition_status(object, "Ready");
	return cstr_eq(json_text(status, "lastHandledReconcileAt"), value) && ready &&
	       !cstr_eq(ready, "Unknown");
}

static json_t *wait_handled(const Command *command, const KindRow *kind, const char *name,
			    const char *value, Error *err)
{
	int64_t deadline = clock_mono_ms() + command->options.timeout_ms;
	for (;;) {
		autojson json_t *object = get(command, kind, name, err);
		if (!object)
			return NULL;
		if (is_handled(object, value))
			return steal(&object);
		if (clock_mono_ms() > deadline)
			return err_null(err, ERR_TIMEOUT, "timed out waiting for %s/%s", kind->kind,
					name);
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
	}
}

static bool reconcile(const Command *command, const KindRow *kind, const char *name, Error *err)
{
	char value[CLOCK_TEXT_SIZE];
	clock_format_us(clock_wall_ns() / 1000, value);
	autojson json_t *before = get(command, kind, name, err);
	if (!before)
		return false;
	if (json_flag(json_map(before, "spec"), "suspend", false))
		return err_set(err, ERR_INVALID, "resource is suspended");
	fprintf(stderr, "► annotating %s %s in %s namespace\n", kind->kind, name, command->ns);
	if (!annotate(command, kind, name, value, err))
		return false;
	fprintf(stderr, "✔ %s annotated\n", kind->kind);
	fprintf(stderr, "◎ waiting for %s reconciliation\n", kind->kind);
	autojson json_t *after = wait_handled(command, kind, name, value, err);
	if (!after)
		return false;
	const json_t *ready = object_condition(after, "Ready");
	if (!cstr_eq(json_text(ready, "status"), "True"))
		return err_set(err, ERR_INVALID, "%s reconciliation failed: %s", kind->kind,
			       json_text_or(ready, "message", ""));
	const char *revision = json_text_at(after, "status", "artifact", "revision", NULL);
	if (revision)
		fprintf(stderr, "✔ fetched revision %s\n", revision);
	else
		fprintf(stderr, "✔ applied revision %s\n",
			json_text_or(json_map(after, "status"), "lastAppliedRevision", ""));
	return true;
}

/* The source of a Kustomization first (--with-source). */
static bool reconcile_source(const Command *command, const KindRow *kind, const char *name,
			     Error *err)
{
	autojson json_t *object = get(command, kind, name, err);
	if (!object)
		return false;
	const json_t *ref = json_at(object, "spec", "sourceRef", NULL);
	KindRow source = {.api_version = "source.toolkit.fluxcd.io/v1",
			  .kind = json_text_or(ref, "kind", "")};
	Command there = *command;
	there.ns = json_text_or(ref, "namespace", command->ns);
	return reconcile(&there, &source, json_text_or(ref, "name", ""), err);
}

static bool run_reconcile(Command *command, Error *err)
{
	size_t at = 0;
	const KindRow *kind = kind_of_words(command, &at, err);
	if (!kind)
		return false;
	if (!command_word(command, at))
		return err_set(err, ERR_INVALID, "%s name is required", kind->kind);
	const char *name = command_word(command, at);
	if (command->options.with_source && !reconcile_source(command, kind, name, err))
		return false;
	return reconcile(command, kind, name, err);
}

#define AT(member) offsetof(Options, member)

static const Option options[] = {
	{{"with-source", FLAG_BOOL, AT(with_source), "false", NULL, "Reconcile the source first."},
	 0,
	 NULL},
};

const Verb verb_reconcile = {
	.name = "reconcile",
	.words = "KIND NAME",
	.summary = "Ask for a run now and wait for its outcome.",
	.run = run_reconcile,
	.connects = true,
	.takes_kinds = true,
	.options = options,
	.option_count = COUNT(options),
};
