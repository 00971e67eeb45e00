/*
 * The end of a Kustomization (facts 6.7): whether its objects go with it, and waiting for that.
 * What is remembered of it goes when the watch tells that it is gone, not before: a finalizer that
 * could not be taken off is another run, which must not begin the wait anew.
 */
#include "internal.h"

#include "base/mem.h"

/* Whether the objects go with their Kustomization (6.7). */
static bool deletes_objects(const Kustomization *ks, const json_t *object)
{
	if (json_flag(json_map(object, "spec"), "suspend", false))
		return false;
	if (cstr_eq(ks->deletion_policy, "MirrorPrune"))
		return ks->prune;
	return !cstr_eq(ks->deletion_policy, "Orphan");
}

/* True when the account to act as, if any, still exists. Only a definite "not found" counts as
 * gone: objects must not be orphaned because a server was out of reach. */
static bool account_exists(Run *run, const Kustomization *ks)
{
	autoerror Error failure = {0};
	const char *account = target_account(run, ks->spec);
	if (cstr_empty(account))
		return true;
	autojson json_t *object = kube_get(run_client(run), "v1", "ServiceAccount",
					   run_namespace(run), account, &failure);
	return object || failure.code != ERR_NOT_FOUND;
}

/* The revision whose objects go; owned. */
static json_t *last_applied(const json_t *object)
{
	const json_t *status = json_map(object, "status");
	json_t *metadata = json_object();
	json_put_text(metadata, KS_GROUP "/revision", json_text(status, "lastAppliedRevision"));
	json_put_text(metadata, KS_GROUP "/originRevision",
		      json_text(status, "lastAppliedOriginRevision"));
	return metadata;
}

/* Nobody is left who may delete them (K77): they stay, and somebody is told which. */
static Outcome orphaned(Run *run, const json_t *entries, const json_t *metadata)
{
	autobuf Buf names = {0};
	size_t i;
	json_t *entry;
	json_array_foreach((json_t *)(uintptr_t)entries, i, entry)
	{
		autoinventoryid InventoryId id = {0};
		if (inventory_id_parse(json_text_or(entry, "id", ""), &id))
			buf_printf(&names, "\n%s/%s%s%s", id.kind, id.ns, *id.ns ? "/" : "",
				   id.name);
	}
	run_event(run, EVENT_WARNING, "PruneFailed", metadata,
		  "unable to prune objects, the account to impersonate is gone: %s",
		  buf_text(&names));
	return outcome_gone();
}

Outcome kustomization_finalize(Run *run, Error *err)
{
	enum { LOOK_AGAIN_MS = 1000 };
	const KustomizeContext *context = run_context(run);
	Kustomization ks;
	kustomization_parse(run_object(run), &ks);
	const json_t *entries = json_at(run_object(run), "status", "inventory", "entries", NULL);
	if (!deletes_objects(&ks, run_object(run)) || !json_array_size(entries))
		return outcome_gone();
	autojson json_t *metadata = last_applied(run_object(run));
	if (!account_exists(run, &ks))
		return orphaned(run, entries, metadata);
	autotarget Target target = {0};
	if (!kustomization_target(run, &ks, &target, err))
		return outcome_failed();
	autojson json_t *kept = json_array();
	if (!prune_entries(run, &target, entries, kept, metadata, err)) {
		run_verdict(run, EVENT_WARNING, "PruneFailed", metadata, "%s", err_text(err));
		return outcome_failed();
	}
	if (!cstr_eq(ks.deletion_policy, "WaitForTermination") ||
	    !prune_any_left(run, target.client, entries))
		return outcome_gone();
	autofree char *key = run_key(run);
	/* Of this very object: a namesake's wait is its own. */
	autofree char *what = mem_printf("termination of %s", object_uid(run_object(run)));
	int64_t since = memory_waiting_since(context->memory, key, what);
	if (run_waited_ms(since) < ks.timeout_ms)
		return outcome_waiting(LOOK_AGAIN_MS);
	run_event(run, EVENT_WARNING, "PruneFailed", metadata,
		  "failed to wait for resources termination");
	log_info(run_log(run), "gave up waiting for termination", NULL);
	return outcome_gone();
}
