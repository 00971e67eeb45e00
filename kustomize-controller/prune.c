/* Deleting what is no longer wanted (facts 6.6). */
#include "internal.h"

#include "base/mem.h"

static bool is_disabled(const json_t *object)
{
	return object_says(object, KS_GROUP "/prune", "disabled") || object_is_exempt(object);
}

static bool is_ours(const char *ns, const char *name, const json_t *object)
{
	return cstr_eq(object_label(object, KS_OWNER_NAME), name) &&
	       cstr_eq(object_label(object, KS_OWNER_NAMESPACE), ns);
}

/* The entry's live object; NULL without err when it is gone. */
static json_t *live_object(KubeClient *client, const InventoryId *id, const char *version,
			   Error *err)
{
	autofree char *api_version =
		*id->group ? mem_printf("%s/%s", id->group, version) : mem_strdup(version);
	autoerror Error cause = {0};
	json_t *live = kube_get(client, api_version, id->kind, id->ns, id->name, &cause);
	if (live)
		return live;
	if (cause.code == ERR_NOT_FOUND) {
		/* The kind may be served under another version by now, or not at all. */
		autoerror Error unknown = {0};
		autofree char *now = kube_preferred_version(client, id->group, id->kind, &unknown);
		if (!now && unknown.code != ERR_NOT_FOUND)
			err_move(err, &unknown);
		if (!now || cstr_eq(now, version))
			return NULL;
		autofree char *other =
			*id->group ? mem_printf("%s/%s", id->group, now) : mem_strdup(now);
		return kube_get(client, other, id->kind, id->ns, id->name, err);
	}
	err_move(err, &cause);
	return NULL;
}

static bool delete_object(Run *run, const Target *target, const json_t *live, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = drift_key(live);
	autofree char *ks_key = run_key(run);
	drift_forget(target->drift, key);
	memory_set_desired(context->memory, ks_key, key, 0);
	/* With the uid, so that a namesake made meanwhile by somebody else is not hit. */
	autojson json_t *reply = kube_do(target->client,
					 &(KubeRequest){.verb = KUBE_DELETE,
							.api_version = object_api_version(live),
							.kind = object_kind(live),
							.ns = object_namespace(live),
							.name = object_name(live),
							.propagation = "Background",
							.precondition_uid = object_uid(live)},
					 err);
	if (reply || err->code == ERR_NOT_FOUND) {
		error_dispose(err);
		return true;
	}
	return false;
}

PruneVerdict prune_judge(KubeClient *client, const char *ns, const char *name, const json_t *entry,
			 json_t **out_live, Error *err)
{
	autoinventoryid InventoryId id = {0};
	const char *text = json_text_or(entry, "id", "");
	if (!inventory_id_parse(text, &id)) {
		err_set(err, ERR_INVALID, "unable to parse stored object metadata: %s", text);
		return PRUNE_FAILED;
	}
	autojson json_t *live = live_object(client, &id, json_text_or(entry, "v", "v1"), err);
	if (!live) {
		bool unknown_kind = err->code == ERR_NOT_FOUND || !err_is_set(err);
		error_dispose(unknown_kind ? err : &(Error){0});
		return unknown_kind ? PRUNE_GONE : PRUNE_FAILED;
	}
	if (object_is_deleting(live))
		return PRUNE_GONE;
	bool skip = is_disabled(live) || !is_ours(ns, name, live);
	*out_live = steal(&live);
	return skip ? PRUNE_SKIP : PRUNE_DELETE;
}

static bool prune_entry(Run *run, const Target *target, const json_t *entry, Buf *lines, Error *err)
{
	autojson json_t *live = NULL;
	PruneVerdict verdict =
		prune_judge(target->client, run_namespace(run), run_name(run), entry, &live, err);
	if (verdict == PRUNE_GONE || verdict == PRUNE_FAILED)
		return verdict == PRUNE_GONE;
	autofree char *what = object_id(live);
	if (verdict == PRUNE_DELETE && !delete_object(run, target, live, err))
		return err_wrap(err, "%s delete failed", what);
	buf_printf(lines, "%s%s %s", lines->len ? "\n" : "", what,
		   verdict == PRUNE_SKIP ? "skipped" : "deleted");
	return true;
}

void prune_order(const json_t *entries, Vec *out, json_t *keep_alive)
{
	size_t i;
	json_t *entry;
	json_array_foreach((json_t *)(uintptr_t)entries, i, entry)
	{
		autoinventoryid InventoryId id = {0};
		inventory_id_parse(json_text_or(entry, "id", ""), &id);
		autofree char *api_version = mem_printf("%s/v", id.group ? id.group : "");
		json_t *object = json_pack("{s:s,s:s,s:{s:s,s:s},s:O}", "apiVersion", api_version,
					   "kind", id.kind ? id.kind : "", "metadata", "name",
					   id.name ? id.name : "", "namespace", id.ns ? id.ns : "",
					   "entry", entry);
		json_array_append_new(keep_alive, object);
		vec_push(out, object);
	}
	vec_sort(out, (int (*)(const void *, const void *))object_order_compare);
}

bool prune_entries(Run *run, const Target *target, const json_t *entries, json_t *kept,
		   const json_t *metadata, Error *err)
{
	autovec Vec order = {0};
	autojson json_t *keep_alive = json_array();
	autobuf Buf lines = {0};
	autobuf Buf failures = {0};
	bool not_yet = true; /* nothing but the server's wish to wait stood in the way */
	int64_t wait_ms = 0;
	prune_order(entries, &order, keep_alive);
	for (size_t i = order.len; i-- > 0;) {
		json_t *entry = json_object_get(order.items[i], "entry");
		autoerror Error failure = {0};
		if (prune_entry(run, target, entry, &lines, &failure))
			continue;
		buf_printf(&failures, "%s%s", failures.len ? "; " : "", err_text(&failure));
		not_yet = not_yet && failure.not_yet;
		if (failure.retry_after_ms > wait_ms)
			wait_ms = failure.retry_after_ms;
		json_array_append(kept, entry);
	}
	if (lines.len)
		run_event(run, EVENT_NORMAL, "Progressing", metadata, "%s", buf_text(&lines));
	if (!failures.len)
		return true;
	err_set(err, ERR_CONFLICT, "%s", buf_text(&failures));
	err->not_yet = not_yet;
	err->retry_after_ms = wait_ms;
	return err_reason(err, "PruneFailed");
}

bool prune_any_left(Run *run, KubeClient *client, const json_t *entries)
{
	size_t i;
	json_t *entry;
	json_array_foreach((json_t *)(uintptr_t)entries, i, entry)
	{
		autoerror Error err = {0};
		autoinventoryid InventoryId id = {0};
		if (!inventory_id_parse(json_text_or(entry, "id", ""), &id))
			continue;
		autojson json_t *live =
			live_object(client, &id, json_text_or(entry, "v", "v1"), &err);
		/* A server that does not answer has not said that the object is gone. */
		bool unknown = !live && err_is_set(&err) && err.code != ERR_NOT_FOUND;
		if (unknown || (live && is_ours(run_namespace(run), run_name(run), live) &&
				!is_disabled(live)))
			return true;
	}
	return false;
}
