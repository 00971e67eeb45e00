/*
 * Staged server-side apply (facts 6.2, 6.3). Per stage: what the cluster still holds costs no
 * request; the rest is dry-run in one batch, and only when all of it passes is it written in one
 * batch, so that a refused object leaves its stage unchanged (K54). One object of each stage needs
 * no dry run: one whose live state the watch knows, or one that is new and is sent so that the
 * server takes it only then. It is written first, alone, and when it is refused nothing was
 * written. Nor do writes that can be taken back (reversible.c). Stages 0 and 1 must be ready before
 * the next.
 */
#include "apply.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
	STAGES = 4,
	WAITED_STAGES = 2,	 /* definitions and classes */
	SETTLED_AFTER_MS = 2000, /* managedFields times have seconds */
};

/* What the server and the table of drift tell of an object that exists already. */
static bool is_unchanged(const ApplyRun *apply, const Item *item, const json_t *reply)
{
	DriftLive live, now;
	int64_t applied_ms;
	if (!drift_live(apply->drift, item->key, &live) || live.overridden || !live.hash)
		return false;
	drift_state_of(apply->drift, reply, &now);
	/* A dry run that would change anything stamps our entry with the present time; an entry of
	 * this very second cannot be told from that. */
	return now.hash == live.hash && now.version == live.version &&
	       cstr_eq(now.time, live.time) && clock_parse(live.time, &applied_ms) &&
	       clock_wall_ms() - applied_ms > SETTLED_AFTER_MS;
}

static void note_status(Item *item, const json_t *reply)
{
	item->status = kstatus_of(reply, NULL);
	item->status_known = true;
}

/* The same of the live object, and not of what a dry run makes of it. */
static void note_live_status(Item *item, const json_t *live)
{
	note_status(item, live);
	item->seen_version = object_version(live);
}

void apply_note_applied(const ApplyRun *apply, const Item *item, const json_t *reply)
{
	drift_applied(apply->drift, item->key, apply->ks_key, reply);
	memory_set_desired(apply->context->memory, apply->ks_key, item->key, item->desired);
}

/* Sorts a dry run's reply into skipped, clean, or to be written. */
static void judge(const ApplyRun *apply, Item *item, const json_t *reply)
{
	bool exists = *object_resource_version(reply) != '\0';
	note_status(item, reply);
	item->version = object_version(reply);
	if (object_is_exempt(reply) || (exists && object_only_created(item->object))) {
		item->action = ITEM_SKIPPED;
	} else if (!exists) {
		item->change = CHANGE_CREATED;
	} else if (is_unchanged(apply, item, reply)) {
		item->action = ITEM_CLEAN;
		item->seen_version = item->version;
		apply_note_applied(apply, item, reply);
	} else {
		item->takeover = apply_needs_takeover(apply, item->object, reply);
	}
}

static bool is_immutable(const Error *err)
{
	return err->http_status == 409 || err->http_status == 422 ||
	       strstr(err_text(err), "is immutable") || strstr(err_text(err), "immutable field");
}

bool apply_wrap_error(const Item *item, const char *step, Error *err)
{
	/* A server that gives no reason says it all in its words. */
	autofree char *reason = err->reason ? mem_printf(" (%s)", err->reason) : mem_strdup("");
	autofree char *place = place_text(item->file, item->line);
	return err_wrap(err, "%s%s %s%s", item->id, place, step, reason);
}

bool apply_is_recreated(const ApplyRun *apply, const Item *item, const json_t *live,
			const Error *refusal)
{
	bool forced = apply->ks->force || object_is_forced(item->object) || object_is_forced(live);
	return forced && is_immutable(refusal);
}

bool apply_is_refusal(const Error *err)
{
	int status = err->http_status;
	return status >= 400 && status < 500 && status != 401 && status != 408 && status != 429;
}

static json_t *get_live(const ApplyRun *apply, const Item *item, Error *err)
{
	return kube_get(apply->client, object_api_version(item->object), object_kind(item->object),
			object_namespace(item->object), object_name(item->object), err);
}

static KubeRequest dry_run_of(const ApplyRun *apply, const Item *item)
{
	(void)apply;
	return (KubeRequest){.verb = KUBE_APPLY,
			     .body = item->object,
			     .field_manager = KS_FIELD_MANAGER,
			     .force = true,
			     .dry_run = true};
}

static KubeRequest write_of(const ApplyRun *apply, const Item *item)
{
	drift_writing(apply->drift, item->key);
	return (KubeRequest){.verb = KUBE_APPLY,
			     .body = item->payload ? item->payload : item->object,
			     .field_manager = KS_FIELD_MANAGER,
			     .force = true,
			     .create_only = item->presumed_new,
			     /* What a write made of data is not read: it need not come back. */
			     .metadata_only = object_is_passive(item->object)};
}

/* Sends once more what was refused only for fields that are to be left out. */
static void send_again(const ApplyRun *apply, ApplyRequest *make, Item *item, KubeReply *reply)
{
	if (reply->object || !apply_leave_out_undeclared(apply, item, &reply->err))
		return;
	kube_reply_dispose(reply);
	*reply = (KubeReply){0};
	KubeRequest request = make(apply, item);
	kube_do_all(apply->client, &request, reply, 1);
}

void apply_send(const ApplyRun *apply, ApplyRequest *make, Item *const *items, size_t count,
		KubeReply *replies)
{
	KubeRequest requests[APPLY_CHUNK] = {0};
	for (size_t i = 0; i < count; i++)
		requests[i] = make(apply, items[i]);
	kube_do_all(apply->client, requests, replies, count);
	for (size_t i = 0; i < count; i++)
		send_again(apply, make, items[i], &replies[i]);
}

bool apply_send_each(const ApplyRun *apply, const ApplyStep *step, void *arg, Item *const *items,
		     size_t count, Error *err)
{
	bool ok = true;
	for (size_t from = 0; from < count && ok; from += APPLY_CHUNK) {
		size_t n = count - from < APPLY_CHUNK ? count - from : APPLY_CHUNK;
		KubeReply replies[APPLY_CHUNK] = {0};
		apply_send(apply, step->make, items + from, n, replies);
		for (size_t i = 0; i < n; i++) {
			/* All replies are looked at, the first failure is what is told. */
			autoerror Error failure = {0};
			if (!step->take(apply, items[from + i], &replies[i], arg, &failure) && ok) {
				ok = false;
				err_move(err, &failure);
			}
			kube_reply_dispose(&replies[i]);
		}
	}
	return ok;
}

/* True when the object may be made anew: it is gone and a dry run takes it as a new one. */
static bool is_taken_as_new(const ApplyRun *apply, Item *item, Error *err)
{
	autokubereply KubeReply reply = {0};
	apply_send(apply, dry_run_of, &item, 1, &reply);
	if (!reply.object)
		err_move(err, &reply.err);
	return reply.object != NULL;
}

/* To be created by a later run. One that is not there was refused for something else, or has gone
 * just now. */
static bool delete_refused(const ApplyRun *apply, Item *item, const char *step, Error *err)
{
	autojson json_t *deleted =
		kube_do(apply->client,
			&(KubeRequest){.verb = KUBE_DELETE,
				       .api_version = object_api_version(item->object),
				       .kind = object_kind(item->object),
				       .ns = object_namespace(item->object),
				       .name = object_name(item->object),
				       .propagation = "Background"},
			err);
	bool absent = !deleted && err->code == ERR_NOT_FOUND;
	if (!deleted && !absent)
		return apply_wrap_error(item, "delete failed", err);
	error_dispose(err);
	if (absent && !is_taken_as_new(apply, item, err))
		return apply_wrap_error(item, step, err);
	item->recreate = true;
	return true;
}

static bool is_left_alone(const Item *item, const json_t *live)
{
	return object_is_exempt(live) || object_only_created(item->object);
}

static void skip(Item *item)
{
	item->action = ITEM_SKIPPED;
	item->change = CHANGE_NONE;
}

/* A refused dry run or write. What is there and to be left alone (K60, K61) need not be taken; else
 * with force an immutable object is deleted, unless nobody can tell what it says of itself. */
static bool refused(const ApplyRun *apply, Item *item, const char *step, Error *take_cause,
		    Error *err)
{
	autoerror Error lookup = {0};
	bool final = apply_is_refusal(take_cause) || is_immutable(take_cause);
	autojson json_t *live = final ? get_live(apply, item, &lookup) : NULL;
	if (live && is_left_alone(item, live)) {
		skip(item);
		return true;
	}
	bool seen = live || lookup.code == ERR_NOT_FOUND;
	if (seen && apply_is_recreated(apply, item, live, take_cause))
		return delete_refused(apply, item, step, err);
	err_move(err, take_cause);
	return apply_wrap_error(item, step, err);
}

/* Where a manifest has keys of its own for that, the reply to its dry run does not tell what the
 * live object says. */
static bool ask_exemption(const ApplyRun *apply, Item *item, Error *err)
{
	DriftLive known;
	if (!object_has_policy(item->object) || drift_live(apply->drift, item->key, &known))
		return true;
	autojson json_t *live = get_live(apply, item, err);
	if (!live)
		return apply_wrap_error(item, "get failed", err);
	if (object_is_exempt(live))
		skip(item);
	return true;
}

/* Where spec.ignore names fields of the object (K68): nothing is written when only those differ,
 * and what is written leaves them as they are. */
static bool leave_ignored(const ApplyRun *apply, Item *item, const json_t *reply, Error *err)
{
	autojson json_t *paths = ignore_paths(apply->ignore, reply);
	if (!json_array_size(paths))
		return true;
	autojson json_t *live = get_live(apply, item, err);
	if (!live)
		return apply_wrap_error(item, "get failed", err);
	if (!item->takeover && !ignore_has_drifted(live, reply, paths)) {
		item->action = ITEM_CLEAN;
		note_live_status(item, live);
		apply_note_applied(apply, item, live);
		return true;
	}
	item->payload = json_deep_copy(item->object);
	ignore_settle(&item->payload, live, reply, paths, KS_FIELD_MANAGER);
	return true;
}

static bool on_dry_run(const ApplyRun *apply, Item *item, KubeReply *reply, void *arg, Error *err)
{
	(void)arg;
	if (!reply->object)
		return refused(apply, item, "dry-run failed", &reply->err, err);
	judge(apply, item, reply->object);
	bool exists = item->action == ITEM_APPLY && item->change == CHANGE_NONE;
	if (exists && !ask_exemption(apply, item, err))
		return false;
	return !exists || item->action == ITEM_SKIPPED || !ignore_rules_any(apply->ignore) ||
	       leave_ignored(apply, item, reply->object, err);
}

const ApplyStep apply_dry_runs = {dry_run_of, on_dry_run};

static bool on_written(const ApplyRun *apply, Item *item, KubeReply *reply, void *arg, Error *err)
{
	(void)arg;
	if (!reply->object) {
		drift_write_failed(apply->drift, item->key);
		return refused(apply, item, "apply failed", &reply->err, err);
	}
	uint64_t version = object_version(reply->object);
	if (item->change == CHANGE_NONE && version != item->version)
		item->change = reply->status == 201 ? CHANGE_CREATED : CHANGE_CONFIGURED;
	note_live_status(item, reply->object);
	apply_note_applied(apply, item, reply->object);
	return true;
}

const ApplyStep apply_writes = {write_of, on_written};

bool apply_needs_no_dry_run(const ApplyRun *apply, Item *item)
{
	DriftLive live;
	if (ignore_rules_any(apply->ignore) || object_only_created(item->object) ||
	    !drift_live(apply->drift, item->key, &live) || live.overridden || live.exempt)
		return false;
	item->version = live.version;
	return true;
}

bool apply_is_new(const ApplyRun *apply, const Item *item)
{
	DriftLive live;
	autofree char *id = inventory_id(item->object);
	return !map_has(apply->inventoried, id) && !drift_live(apply->drift, item->key, &live);
}

/* Takes the object out of `items` whose write is the check of itself; NULL when there is none. */
static Item *take_first_written(const ApplyRun *apply, Vec *items)
{
	for (size_t i = 0; i < items->len; i++)
		if (apply_needs_no_dry_run(apply, items->items[i]))
			return vec_remove(items, i);
	for (size_t i = 0; i < items->len; i++) {
		Item *item = items->items[i];
		if (apply_is_new(apply, item)) {
			item->presumed_new = true;
			return vec_remove(items, i);
		}
	}
	return NULL;
}

static bool write_stage(const ApplyRun *apply, Item *const *items, size_t count, Error *err)
{
	autovec Vec sent = {0};
	for (size_t i = 0; i < count; i++) {
		Item *item = items[i];
		if (item->action != ITEM_APPLY || item->recreate)
			continue;
		if (item->takeover && !apply_takeover(apply, item, err))
			return apply_wrap_error(item, "take-over failed", err);
		vec_push(&sent, item);
	}
	return apply_send_each(apply, &apply_writes, NULL, (Item *const *)sent.items, sent.len,
			       err);
}

/* Writes what is thought to be new, if it is. What exists already, or is refused for whatever
 * reason, goes the way of the others: a dry run that tells, then the write with theirs. */
static bool create_first(const ApplyRun *apply, Item *item, Vec *others, Error *err)
{
	autokubereply KubeReply reply = {0};
	apply_send(apply, write_of, &item, 1, &reply);
	if (reply.object) {
		item->change = CHANGE_CREATED;
		return on_written(apply, item, &reply, NULL, err);
	}
	drift_write_failed(apply->drift, item->key);
	item->presumed_new = false;
	vec_push(others, item);
	return apply_send_each(apply, &apply_dry_runs, NULL, &item, 1, err);
}

static bool write_first(const ApplyRun *apply, Item *item, Vec *others, Error *err)
{
	return item->presumed_new ? create_first(apply, item, others, err)
				  : write_stage(apply, &item, 1, err);
}

static bool run_stage(const ApplyRun *apply, Vec *dirty, Error *err)
{
	for (size_t i = 0; apply->migrate && i < dirty->len; i++)
		if (!apply_migrate_version(apply, dirty->items[i], err))
			return apply_wrap_error(dirty->items[i],
						"migration of managed fields failed", err);
	autovec Vec reversible = {0};
	reversible_take(apply, dirty, &reversible);
	Item *first = reversible.len ? NULL : take_first_written(apply, dirty);
	/* Recreation that another object's refusal stops would leave a hole: it goes on in the next
	 * run, which comes soon. */
	if (!apply_send_each(apply, &apply_dry_runs, NULL, (Item *const *)dirty->items, dirty->len,
			     err) ||
	    (first && !write_first(apply, first, dirty, err)) ||
	    !reversible_write(apply, &reversible, dirty, err))
		return false;
	return write_stage(apply, (Item *const *)dirty->items, dirty->len, err);
}

/* A Job that ended and was collected while we wait for health is not made again (K82). */
static bool has_expired(const ApplyRun *apply, const Item *item)
{
	DriftLive live;
	return object_expires(item->object) &&
	       memory_is_waiting(apply->context->memory, apply->ks_key) &&
	       !drift_live(apply->drift, item->key, &live);
}

/* An item is clean when its manifest is the one last applied and the watch says that it still
 * stands. */
static void find_clean(const ApplyRun *apply, Item *item)
{
	const KustomizeContext *context = apply->context;
	DriftLive live;
	if (object_is_exempt(item->object) ||
	    (drift_live(apply->drift, item->key, &live) && live.exempt)) {
		item->action = ITEM_SKIPPED;
		return;
	}
	bool clean = memory_desired(context->memory, apply->ks_key, item->key) == item->desired &&
		     (drift_is_clean(apply->drift, item->key, apply->ks_key,
				     object_api_version(item->object), object_kind(item->object)) ||
		      has_expired(apply, item));
	item->action = clean ? ITEM_CLEAN : ITEM_APPLY;
}

static KubeRequest look_at(const ApplyRun *apply, const Item *item)
{
	(void)apply;
	return (KubeRequest){.verb = KUBE_GET,
			     .api_version = object_api_version(item->object),
			     .kind = object_kind(item->object),
			     .ns = object_namespace(item->object),
			     .name = object_name(item->object)};
}

static bool on_look(const ApplyRun *apply, Item *item, KubeReply *reply, void *arg, Error *err)
{
	(void)apply, (void)arg;
	if (!reply->object) {
		err_move(err, &reply->err);
		return apply_wrap_error(item, "get failed", err);
	}
	note_live_status(item, reply->object);
	return true;
}

/* The state of what this run has no reply of. */
static bool refresh_statuses(const ApplyRun *apply, Item *const *items, size_t count, Error *err)
{
	static const ApplyStep looks = {look_at, on_look};
	autovec Vec unknown = {0};
	for (size_t i = 0; i < count; i++)
		if (!items[i]->status_known && !items[i]->recreate &&
		    items[i]->action != ITEM_SKIPPED)
			vec_push(&unknown, items[i]);
	return apply_send_each(apply, &looks, NULL, (Item *const *)unknown.items, unknown.len, err);
}

/* Whether what was applied in a waited stage is ready; *out_wait_ms when it is not yet. */
static bool check_stage(const ApplyRun *apply, Item *const *items, size_t count, int stage,
			int64_t *out_wait_ms, Error *err)
{
	struct Memory *memory = apply->context->memory;
	autofree char *what = mem_printf("stage %d of %s", stage, apply->revision);
	if (stage < WAITED_STAGES && !refresh_statuses(apply, items, count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		Item *item = items[i];
		if (item->recreate) {
			*out_wait_ms = STAGE_LOOK_AGAIN_MS;
			return false;
		}
		if (stage >= WAITED_STAGES || item->action == ITEM_SKIPPED)
			continue;
		if (item->status == KSTATUS_CURRENT)
			continue;
		int64_t since = memory_waiting_since(memory, apply->ks_key, what);
		if (clock_mono_ms() - since > STAGE_TIMEOUT_MS) {
			autofree char *why = health_why(apply->client, item);
			memory_stop_waiting_for(memory, apply->ks_key, what);
			return err_set(err, ERR_TIMEOUT, "timeout waiting for: [%s status: '%s']%s",
				       item->id, kstatus_name(item->status), why);
		}
		*out_wait_ms = STAGE_LOOK_AGAIN_MS;
		*apply->out_kept = health_stage_keep(items, count, what);
		return false;
	}
	memory_stop_waiting_for(memory, apply->ks_key, what);
	return true;
}

static bool apply_stage(const ApplyRun *apply, ItemSet *set, int stage, int64_t *out_wait_ms,
			Error *err)
{
	autovec Vec all = {0}, dirty = {0};
	bool more = false;
	for (size_t i = 0; i < set->len; i++) {
		Item *item = &set->items[i];
		more = more || (item->stage > stage && item->action == ITEM_APPLY);
		if (item->stage != stage)
			continue;
		vec_push(&all, item);
		if (item->action == ITEM_APPLY)
			vec_push(&dirty, item);
	}
	bool any = dirty.len > 0;
	if (!run_stage(apply, &dirty, err))
		return false;
	if (stage == 0 && any)
		kube_discovery_invalidate(apply->client);
	/* Readiness of a stage matters only to what is still to come. */
	size_t checked = more || any ? all.len : 0;
	return check_stage(apply, (Item *const *)all.items, checked, stage, out_wait_ms, err);
}

bool apply_items(Run *run, const Kustomization *ks, const Target *target, ItemSet *set,
		 const char *revision, int64_t *out_wait_ms, json_t **out_kept, Error *err)
{
	autofree char *ks_key = run_key(run);
	autojson json_t *documents = json_object();
	autoignorerules IgnoreRules *ignore =
		ignore_rules_new(json_list(ks->spec, "ignore"), "spec.ignore", err);
	if (!ignore)
		return err_reason(err, "ReconciliationFailed");
	KustomizeContext *context = run_context(run);
	ApplyRun apply = {.context = context,
			  .ks = ks,
			  .client = target->client,
			  .drift = target->drift,
			  .ks_key = ks_key,
			  .revision = revision,
			  .ignore = ignore,
			  .overridden = (const char *const *)context->targets.overridden.items,
			  .migrate = manager_gate(run_manager(run), "MigrateAPIVersion"),
			  .documents = documents,
			  .out_kept = out_kept,
			  .confident = !history_last_failed(run_object(run))};
	bool dirty = false;
	drift_begin(apply.drift, ks_key);
	for (size_t i = 0; i < set->len; i++) {
		drift_watch(apply.drift, object_api_version(set->items[i].object),
			    object_kind(set->items[i].object));
		find_clean(&apply, &set->items[i]);
		dirty = dirty || set->items[i].action == ITEM_APPLY;
	}
	/* Most runs change nothing and need no look-up. */
	const json_t *inventory = json_map(json_map(run_object(run), "status"), "inventory");
	automap Map *inventoried = inventory_ids(dirty ? inventory : NULL);
	apply.inventoried = inventoried;
	autojson json_t *sent = dirty ? memory_sent(context->memory, ks_key) : NULL;
	apply.sent = sent;
	for (int stage = 0; stage < STAGES; stage++) {
		if (apply_stage(&apply, set, stage, out_wait_ms, err))
			continue;
		memory_keep_sent(context->memory, ks_key, NULL);
		return err_is_set(err) ? err_reason(err, "ReconciliationFailed") : false;
	}
	if (dirty)
		reversible_remember(&apply, set);
	return true;
}

void apply_announce(Run *run, const ItemSet *set, const json_t *metadata)
{
	autobuf Buf lines = {0};
	for (size_t i = 0; i < set->len; i++) {
		const Item *item = &set->items[i];
		if (item->change == CHANGE_NONE)
			continue;
		buf_printf(&lines, "%s%s %s", lines.len ? "\n" : "", item->id,
			   item->change == CHANGE_CREATED ? "created" : "configured");
	}
	if (lines.len)
		run_event(run, EVENT_NORMAL, "Progressing", metadata, "%s", buf_text(&lines));
}
