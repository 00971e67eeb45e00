/* What an action starts from: the revisions that are stored, the newest one, the one whose objects
 * are live (helm-engine.md 13). */
#include "action_internal.h"

#include <inttypes.h>

#include "base/mem.h"
#include "helm/release_build.h"

static bool list_rows(Action *action, Error *err)
{
	Storage storage = action_storage(action);
	if (!helm_release_name_is_valid(storage.release))
		return err_set(err, ERR_INVALID, "release name is invalid: %s", storage.release);
	if (action->rows_known)
		return true;
	if (action->input.rows)
		stored_rows_copy(action->input.rows, &action->rows);
	else if (!action->input.name_free &&
		 !storage_list(&storage, STORAGE_NOW, &action->rows, err))
		return false;
	action->rows_known = true;
	return true;
}

int64_t next_version(const Action *action)
{
	const StoredRow *last = stored_newest(&action->rows, NULL);
	return last ? last->version + 1 : 1;
}

/* --- install --- */

/* A name may be used again where nothing of it is live; what was uninstalled is superseded then. */
StepResult step_name(Action *action, Error *err)
{
	if (!list_rows(action, err))
		return STEP_FAIL;
	const StoredRow *last = stored_newest(&action->rows, NULL);
	if (!last)
		return STEP_NEXT;
	bool ended = cstr_eq(last->status, "uninstalled") || cstr_eq(last->status, "failed");
	if (action->input.options.replace && ended)
		return STEP_NEXT;
	err_set(err, ERR_EXISTS, "cannot reuse a name that is still in use");
	return STEP_FAIL;
}

/* --- the newest revision --- */

static HelmRecord *get_row(Action *action, const StoredRow *row, Error *err)
{
	const HelmRecord *last = action->input.last;
	Storage storage = action_storage(action);
	if (last && helm_record_version(last) == row->version &&
	    *helm_record_resource_version(last))
		return helm_record_copy(last);
	return storage_get(&storage, row->version, err);
}

/* ERR_NOT_FOUND, with a text of the caller's, when there is none. */
static HelmRecord *load_last(Action *action, const char *absent, Error *err)
{
	if (!list_rows(action, err))
		return NULL;
	const StoredRow *row = stored_newest(&action->rows, NULL);
	return row ? get_row(action, row, err) : err_null(err, ERR_NOT_FOUND, "%s", absent);
}

static bool is_pending(const HelmRecord *record)
{
	return cstr_starts(helm_record_status(record), "pending-");
}

/* --- upgrade --- */

static bool no_deployed(const Action *action, Error *err)
{
	return err_set(err, ERR_NOT_FOUND, "\"%s\" has no deployed releases",
		       action->input.release);
}

/* The newest when it is deployed, else the newest that is, else the newest when it failed or was
 * superseded. */
static bool load_base(Action *action, Error *err)
{
	const char *status = helm_record_status(action->last);
	const StoredRow *deployed = stored_newest(&action->rows, "deployed");
	bool usable = cstr_eq(status, "failed") || cstr_eq(status, "superseded");
	if (cstr_eq(status, "deployed") || (!deployed && usable))
		action->base = helm_record_copy(action->last);
	else if (deployed)
		action->base = get_row(action, deployed, err);
	else
		no_deployed(action, err);
	return action->base != NULL;
}

static void choose_method(Action *action, const HelmRecord *by)
{
	ApplyMode mode = action->input.options.apply;
	action->server_side = mode == APPLY_SERVER_SIDE ||
			      (mode == APPLY_AUTO && (!by || helm_record_is_server_side(by)));
	action->force_replace = action->input.options.force && !action->server_side;
}

StepResult step_load_install(Action *action, Error *err)
{
	(void)err;
	choose_method(action, NULL);
	return STEP_NEXT;
}

StepResult step_load_upgrade(Action *action, Error *err)
{
	autofree char *absent =
		mem_printf("\"%s\" has no deployed releases", action->input.release);
	action->last = load_last(action, absent, err);
	if (!action->last)
		return STEP_FAIL;
	if (is_pending(action->last)) {
		err_set(err, ERR_CONFLICT,
			"another operation (install/upgrade/rollback) is in progress");
		return STEP_FAIL;
	}
	choose_method(action, action->last);
	return load_base(action, err) ? STEP_NEXT : STEP_FAIL;
}

/* --- rollback --- */

static const StoredRow *row_of(const StoredRows *rows, int64_t version)
{
	for (size_t i = 0; i < rows->len; i++)
		if (rows->items[i].version == version)
			return &rows->items[i];
	return NULL;
}

/* A new revision with what the old one held; nothing is rendered (E87). */
static HelmRecord *record_of_rollback(const Action *action, const HelmRecord *old, Error *err)
{
	char now[CLOCK_TEXT_SIZE];
	autofree char *description = mem_printf("Rollback to %" PRId64, helm_record_version(old));
	autohelmrecord HelmRecord *copy = helm_record_copy(old);
	json_t *tree = json_incref(helm_record_tree(copy));
	json_t *info = json_object();
	const json_t *current = json_map(helm_record_tree(action->base), "info");
	helm_time_now(now);
	json_put_text(info, "first_deployed", json_text(current, "first_deployed"));
	json_put_text(info, "last_deployed", now);
	json_put_text(info, "status", "pending-rollback");
	json_put_text(info, "description", description);
	json_put_text(info, "notes", json_text_at(tree, "info", "notes", NULL));
	json_object_set_new(tree, "info", info);
	json_object_set_new(tree, "version", json_integer(next_version(action)));
	json_put_text(tree, "namespace", helm_record_namespace(action->base));
	json_put_text(tree, "apply_method", action->server_side ? "ssa" : "csa");
	HelmRecord *record = helm_record_new(tree, err);
	if (record)
		helm_record_set_stored(record, helm_record_labels(old), "", "");
	return record;
}

StepResult step_load_rollback(Action *action, Error *err)
{
	int64_t version = action->input.to_version;
	autofree char *absent = mem_printf("no revision for release \"%s\"", action->input.release);
	action->base = load_last(action, absent, err);
	if (!action->base)
		return STEP_FAIL;
	if (version == 0)
		version = helm_record_version(action->base) - 1;
	const StoredRow *row = row_of(&action->rows, version);
	if (!row) {
		err_set(err, ERR_NOT_FOUND, "release has no %" PRId64 " version", version);
		return STEP_FAIL;
	}
	autohelmrecord HelmRecord *old = get_row(action, row, err);
	if (!old)
		return STEP_FAIL;
	choose_method(action, old);
	action->record = record_of_rollback(action, old, err);
	return action->record ? STEP_NEXT : STEP_FAIL;
}

/* --- uninstall, test --- */

StepResult step_load_uninstall(Action *action, Error *err)
{
	autofree char *absent = mem_printf("uninstall: Release not loaded: %s: release: not found",
					   action->input.release);
	action->record = load_last(action, absent, err);
	return action->record ? STEP_NEXT : STEP_FAIL;
}

StepResult step_load_test(Action *action, Error *err)
{
	action->record = load_last(action, "release: not found", err);
	if (!action->record)
		return STEP_FAIL;
	choose_method(action, action->record);
	return STEP_NEXT;
}
