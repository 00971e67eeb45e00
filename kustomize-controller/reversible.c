/*
 * Writes that can be taken back (K54). A ConfigMap or Secret does nothing by itself: where its
 * state before is known, asking by a dry run first costs more than it gives. So those of a stage
 * are written at once, after the dry runs of everything else in it. Where the server refuses one,
 * what was new is deleted again, and what had been applied before is applied again as it was. A run
 * that follows a failed one asks first, so that nothing is written and taken back time and again.
 */
#include "apply.h"

#include <stdlib.h>

#include "base/mem.h"

bool object_is_passive(const json_t *object)
{
	return cstr_eq(object_api_version(object), "v1") &&
	       (cstr_eq(object_kind(object), "ConfigMap") ||
		cstr_eq(object_kind(object), "Secret"));
}

/* One that may be deleted and made anew goes the way of dry runs, which tell when (K64). */
static bool is_reversible(const ApplyRun *apply, Item *item)
{
	if (!object_is_passive(item->object) || apply->ks->force || object_is_forced(item->object))
		return false;
	if (apply_is_new(apply, item)) {
		item->presumed_new = true;
		return true;
	}
	item->sent = json_map(apply->sent, item->key);
	return item->sent && apply_needs_no_dry_run(apply, item);
}

void reversible_take(const ApplyRun *apply, Vec *items, Vec *out)
{
	for (size_t i = 0; apply->confident && i < items->len;) {
		if (is_reversible(apply, items->items[i]))
			vec_push(out, vec_remove(items, i));
		else
			i++;
	}
	if (out->len != 1)
		return;
	/* A single one is its own check, or is checked beside the others. */
	Item *only = vec_pop(out);
	only->presumed_new = false;
	vec_push(items, only);
}

/* What became of taking them back: in err, once told. */
typedef struct {
	Error *err;
	bool told;
} Undoing;

/* An item that was written has a uid from here on. A refusal ends the attempt. */
static bool on_attempted(const ApplyRun *apply, Item *item, KubeReply *reply, void *arg, Error *err)
{
	bool *refused = arg;
	if (reply->object && apply_writes.take(apply, item, reply, NULL, err)) {
		item->uid = mem_strdup(object_uid(reply->object));
		return true;
	}
	bool exists = item->presumed_new && reply->err.code == ERR_CONFLICT;
	drift_write_failed(apply->drift, item->key);
	*refused = *refused || (!exists && apply_is_refusal(&reply->err));
	return !*refused;
}

static KubeRequest undoing_of(const ApplyRun *apply, const Item *item)
{
	const json_t *object = item->object;
	if (item->sent) {
		drift_writing(apply->drift, item->key);
		return (KubeRequest){.verb = KUBE_APPLY,
				     .body = item->sent,
				     .field_manager = KS_FIELD_MANAGER,
				     .force = true};
	}
	drift_forget(apply->drift, item->key);
	/* Somebody's own of that name, made meanwhile, is not ours to delete. */
	return (KubeRequest){.verb = KUBE_DELETE,
			     .api_version = object_api_version(object),
			     .kind = object_kind(object),
			     .ns = object_namespace(object),
			     .name = object_name(object),
			     .precondition_uid = item->uid,
			     .propagation = "Background"};
}

/* All are undone that can be: what stays as it was written is no failure of the others, but the
 * first such one is added to the error. */
static bool on_undone(const ApplyRun *apply, Item *item, KubeReply *reply, void *arg, Error *err)
{
	(void)err;
	Undoing *undoing = arg;
	item->change = CHANGE_NONE;
	memory_set_desired(apply->context->memory, apply->ks_key, item->key, 0);
	if (reply->object && item->sent)
		drift_applied(apply->drift, item->key, apply->ks_key, reply->object);
	if (reply->object || (!item->sent && reply->err.code == ERR_NOT_FOUND))
		return true;
	drift_write_failed(apply->drift, item->key);
	if (!undoing->told)
		err_wrap(undoing->err,
			 "%s was written and could not be put back (%s); its stage failed",
			 item->id, err_text(&reply->err));
	undoing->told = true;
	return true;
}

static void undo(const ApplyRun *apply, const Vec *written, Error *err)
{
	const ApplyStep undoings = {undoing_of, on_undone};
	Undoing undoing = {.err = err};
	autoerror Error none = {0};
	apply_send_each(apply, &undoings, &undoing, (Item *const *)written->items, written->len,
			&none);
}

bool reversible_write(const ApplyRun *apply, const Vec *items, Vec *others, Error *err)
{
	const ApplyStep attempts = {apply_writes.make, on_attempted};
	autovec Vec written = {0}, left = {0};
	autoerror Error ignored = {0}; /* dry runs of what is left tell */
	bool refused = false;
	apply_send_each(apply, &attempts, &refused, (Item *const *)items->items, items->len,
			&ignored);
	for (size_t i = 0; i < items->len; i++) {
		Item *item = items->items[i];
		vec_push(item->uid ? &written : &left, item);
		if (item->uid)
			continue;
		item->presumed_new = false;
		vec_push(others, item);
	}
	/* A dry run tells what the others do about one that exists, and why one is refused. */
	if (apply_send_each(apply, &apply_dry_runs, NULL, (Item *const *)left.items, left.len, err))
		return true;
	if (refused || apply_is_refusal(err))
		undo(apply, &written, err);
	return false;
}

/* Bytes of its values. */
static size_t size_of(const json_t *object)
{
	static const char *const parts[] = {"data", "binaryData"};
	size_t size = 0;
	for (size_t i = 0; i < COUNT(parts); i++) {
		const char *key;
		json_t *value;
		json_object_foreach(json_map(object, parts[i]), key, value) size +=
			json_string_length(value);
	}
	return size;
}

void reversible_remember(const ApplyRun *apply, const ItemSet *set)
{
	enum { MAX_BYTES = 1 << 20 }; /* of one Kustomization: what is large is asked for */
	autojson json_t *sent = json_object();
	size_t size = 0;
	for (size_t i = 0; i < set->len && size <= MAX_BYTES; i++) {
		const Item *item = &set->items[i];
		if (item->action == ITEM_SKIPPED || !object_is_passive(item->object))
			continue;
		size += size_of(item->object);
		json_object_set(sent, item->key, item->object);
	}
	bool keep = json_object_size(sent) > 1 && size <= MAX_BYTES;
	memory_keep_sent(apply->context->memory, apply->ks_key, keep ? sent : NULL);
}
