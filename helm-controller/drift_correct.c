/*
 * Drift undone: what is missing is made again, what differs is applied again, without an upgrade
 * and without a new revision (H88). Server-side apply, whatever the release was installed with: it
 * gives the fields back to us, and so the watch sees the next change, too.
 */
#include "internal.h"

#include "base/mem.h"

/* What was tried. */
typedef struct {
	Buf done, failed;
} Corrections;

static void note(Corrections *corrections, const Drifted *drifted, const Error *failure)
{
	autofree char *id = object_id(drifted->object);
	bool missing = drifted->change == CHANGE_MISSING;
	Buf *out = failure ? &corrections->failed : &corrections->done;
	buf_puts(out, out->len ? "\n" : "");
	if (!failure)
		buf_printf(out, "%s %s", id, missing ? "created" : "configured");
	else if (cstr_eq(object_kind(drifted->object), "Secret"))
		/* The server may repeat what the Secret holds. */
		buf_printf(out, "%s %s failure", id, missing ? "creation" : "patch");
	else
		buf_printf(out, "%s %s failure: %s", id, missing ? "creation" : "patch",
			   err_text(failure));
}

static void correct(const Attempt *attempt, const Target *target, const Drifted *drifted,
		    Corrections *corrections)
{
	autoerror Error failure = {0};
	autofree char *key = drift_key(drifted->object);
	drift_watch(target->drift, object_api_version(drifted->object),
		    object_kind(drifted->object));
	drift_writing(target->drift, key);
	autojson json_t *reply = kube_do(target->client,
					 &(KubeRequest){.verb = KUBE_APPLY,
							.body = drifted->payload,
							.force = true,
							.timeout_ms = attempt->spec.timeout_ms},
					 &failure);
	if (reply)
		drift_applied(target->drift, key, attempt->owner, reply);
	else
		drift_write_failed(target->drift, key);
	note(corrections, drifted, reply ? NULL : &failure);
}

static void tell(Run *run, const Corrections *corrections)
{
	const json_t *latest = history_latest(run_status(run));
	autofree char *release = snapshot_release(latest);
	autojson json_t *metadata = report_snapshot_metadata(latest);
	if (corrections->failed.len)
		run_verdict(run, EVENT_WARNING, "DriftCorrectionFailed", metadata,
			    "Failed to %scorrect cluster state of release %s:\n%s%s%s",
			    corrections->done.len ? "partially " : "", release,
			    buf_text(&corrections->failed),
			    corrections->done.len ? "\n\nSuccessful corrections:\n" : "",
			    buf_text(&corrections->done));
	else if (corrections->done.len)
		run_verdict(run, EVENT_NORMAL, "DriftCorrected", metadata,
			    "Cluster state of release %s has been corrected:\n%s", release,
			    buf_text(&corrections->done));
}

void drift_correct(Run *run, Attempt *attempt, const Target *target, DriftedSet *set)
{
	Corrections corrections = {0};
	condition_set(run_object(run), "Ready", "Unknown", "Progressing",
		      "correcting cluster drift");
	static const DriftChange order[] = {CHANGE_MISSING, CHANGE_MODIFIED};
	for (size_t k = 0; k < COUNT(order); k++)
		for (size_t i = 0; i < set->len; i++)
			if (set->items[i].change == order[k])
				correct(attempt, target, &set->items[i], &corrections);
	tell(run, &corrections);
	buf_dispose(&corrections.done);
	buf_dispose(&corrections.failed);
}
