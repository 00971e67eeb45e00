/* Steps that write storage: each that must survive a crash is there before the next begins. */
#include "action_internal.h"

#include "base/mem.h"
#include "helm/release_build.h"

/* The namespace of a release, labelled as Helm does; one that exists is left alone. */
StepResult step_namespace(Action *action, Error *err)
{
	const char *ns = action->input.ns;
	if (!action->input.options.create_namespace)
		return STEP_NEXT;
	autojson json_t *body =
		json_pack("{s:s,s:s,s:{s:s,s:{s:s}}}", "apiVersion", "v1", "kind", "Namespace",
			  "metadata", "name", ns, "labels", "name", ns);
	autojson json_t *reply = kube_do(action->target->client,
					 &(KubeRequest){.verb = KUBE_CREATE, .body = body}, err);
	if (!reply && err->code != ERR_EXISTS)
		return STEP_FAIL;
	error_dispose(err);
	return STEP_NEXT;
}

static bool store(Action *action, HelmRecord *record, Error *err)
{
	Storage storage = action_storage(action);
	if (!storage_update(&storage, record, err))
		return false;
	action->stored = true;
	return true;
}

/* --- the revision at hand --- */

StepResult step_prune(Action *action, Error *err)
{
	Storage storage = action_storage(action);
	return storage_prune(&storage, &action->rows, action->input.options.max_history, err)
		       ? STEP_NEXT
		       : STEP_FAIL;
}

StepResult step_store_pending(Action *action, Error *err)
{
	Storage storage = action_storage(action);
	action_note(action, "creating release %s", action->input.release);
	action->stored = storage_create(&storage, action->record, err);
	action->name_taken = !action->stored && err->code == ERR_EXISTS;
	return action->stored ? STEP_NEXT : STEP_FAIL;
}

static const char *const done_texts[] = {
	[ACTION_INSTALL] = "Install complete",
	[ACTION_UPGRADE] = "Upgrade complete",
	[ACTION_ROLLBACK] = NULL, /* "Rollback to N" stays */
};

StepResult step_store_done(Action *action, Error *err)
{
	helm_record_set_status(action->record, "deployed", done_texts[action->input.kind]);
	return store(action, action->record, err) ? STEP_NEXT : STEP_FAIL;
}

static const char *const failed_verbs[] = {
	[ACTION_INSTALL] = "Release",
	[ACTION_UPGRADE] = "Upgrade",
	[ACTION_ROLLBACK] = "Rollback",
};

StepResult step_store_failed(Action *action, Error *err)
{
	if (!action->stored)
		return STEP_NEXT;
	bool waited = action->input.kind == ACTION_ROLLBACK && action->failed_step == step_wait;
	autofree char *text = mem_printf("%s \"%s\" failed: %s",
					 waited ? "Release" : failed_verbs[action->input.kind],
					 action->input.release, err_text(&action->failure));
	helm_record_set_status(action->record, "failed", text);
	bool ok = store(action, action->record, err);
	if (waited && !err->not_yet)
		err_wrap(&action->failure, "release %s failed", action->input.release);
	return ok ? STEP_NEXT : STEP_FAIL;
}

/* --- other revisions --- */

/* What is not there any more, such as a failed base that was pruned, keeps nobody from going on. */
static bool is_gone(Action *action, Error *err)
{
	if (err->code != ERR_NOT_FOUND)
		return false;
	action_note(action, "failed to update release: %s", err_text(err));
	error_dispose(err);
	return true;
}

/* Somebody else may have written the record since it was read: it is read again, once. */
static bool supersede(Action *action, HelmRecord *take_record, const char *why, Error *err)
{
	Storage storage = action_storage(action);
	autohelmrecord HelmRecord *record = take_record;
	helm_record_set_status(record, "superseded", why);
	bool ok = store(action, record, err);
	if (!ok && err->code == ERR_CONFLICT) {
		int64_t version = helm_record_version(record);
		error_dispose(err);
		helm_record_free(record);
		record = storage_get(&storage, version, err);
		if (!record)
			return is_gone(action, err);
		helm_record_set_status(record, "superseded", why);
		ok = store(action, record, err);
	}
	if (!ok)
		return is_gone(action, err);
	vec_push(&action->superseded, steal(&record));
	return true;
}

static bool supersede_version(Action *action, int64_t version, const char *why, Error *err)
{
	Storage storage = action_storage(action);
	HelmRecord *record = storage_get(&storage, version, err);
	return record ? supersede(action, record, why, err) : is_gone(action, err);
}

/* What was uninstalled and is replaced; a failed one stays failed. */
StepResult step_supersede_replaced(Action *action, Error *err)
{
	const StoredRow *last = stored_newest(&action->rows, NULL);
	if (!last || cstr_eq(last->status, "failed"))
		return STEP_NEXT;
	return supersede_version(action, last->version, "superseded by new release", err)
		       ? STEP_NEXT
		       : STEP_FAIL;
}

StepResult step_supersede_base(Action *action, Error *err)
{
	HelmRecord *record = helm_record_copy(action->base);
	return supersede(action, record, NULL, err) ? STEP_NEXT : STEP_FAIL;
}

/* All that say that they are deployed, but the one at hand. */
StepResult step_supersede_deployed(Action *action, Error *err)
{
	for (size_t i = 0; i < action->rows.len; i++) {
		StoredRow *row = &action->rows.items[i];
		if (!cstr_eq(row->status, "deployed") ||
		    row->version == helm_record_version(action->record))
			continue;
		if (!supersede_version(action, row->version, NULL, err))
			return STEP_FAIL;
		free(row->status);
		row->status = mem_strdup("superseded");
	}
	return STEP_NEXT;
}

/* A rollback that could not update its objects leaves nobody deployed. */
StepResult step_supersede_current(Action *action, Error *err)
{
	if (!action->stored || !action_failed_to_update(action))
		return STEP_NEXT;
	HelmRecord *record = helm_record_copy(action->base);
	return supersede(action, record, NULL, err) ? STEP_NEXT : STEP_FAIL;
}

/* --- uninstall --- */

static bool purge(Action *action, Error *err)
{
	Storage storage = action_storage(action);
	autofree int64_t *versions = mem_zalloc(action->rows.len + 1, sizeof(*versions));
	for (size_t i = 0; i < action->rows.len; i++)
		versions[i] = action->rows.items[i].version;
	if (!storage_delete(&storage, versions, action->rows.len, err))
		return err_wrap(err, "uninstall: Failed to purge the release");
	action->stored = true;
	return true;
}

/* A release that was uninstalled before is purged, or stays as it is. */
StepResult step_begin_uninstall(Action *action, Error *err)
{
	char now[CLOCK_TEXT_SIZE];
	action->server_side = true; /* its hooks */
	if (cstr_eq(helm_record_status(action->record), "uninstalled")) {
		if (!action->input.options.keep_history)
			return purge(action, err) ? STEP_END : STEP_FAIL;
		err_set(err, ERR_EXISTS, "the release named \"%s\" is already deleted",
			action->input.release);
		return STEP_FAIL;
	}
	helm_time_now(now);
	helm_record_set_status(action->record, "uninstalling",
			       "Deletion in progress (or silently failed)");
	json_put_text(json_make_at(helm_record_tree(action->record), "info", NULL), "deleted", now);
	return STEP_NEXT;
}

/* No reason to leave the objects behind. */
StepResult step_store_uninstalling(Action *action, Error *err)
{
	if (store(action, action->record, err))
		return STEP_NEXT;
	if (err->not_yet)
		return STEP_FAIL;
	action_note(action, "uninstall: Failed to store updated release: %s", err_text(err));
	error_dispose(err);
	return STEP_NEXT;
}

StepResult step_store_uninstalled(Action *action, Error *err)
{
	helm_record_set_status(action->record, "uninstalled", "Uninstallation complete");
	if (!action->input.options.keep_history)
		return purge(action, err) ? STEP_NEXT : STEP_FAIL;
	return store(action, action->record, err) ? STEP_NEXT : STEP_FAIL;
}

/* --- test --- */

StepResult step_store_tested(Action *action, Error *err)
{
	if (!action->record)
		return STEP_NEXT;
	return store(action, action->record, err) ? STEP_NEXT : STEP_FAIL;
}
