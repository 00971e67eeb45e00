/*
 * What an apply and its pruning would change: the reconcile's objects in its order, asked of the
 * server as it would be, in dry runs. An object whose namespace or definition the same plan creates
 * is created with it: a dry run cannot know.
 */
#include "plan.h"

#include "apply.h"
#include "base/mem.h"

typedef struct {
	ApplyRun apply;
	PlanEach *each;
	void *arg;
	Map *created; /* "Kind/name" of namespaces and definitions that the plan creates */
	Buf failures;
} Plan;

static void tell(const Plan *plan, const Item *item, PlannedChange change)
{
	plan->each(plan->arg, &(PlannedObject){.change = change,
					       .id = item->id,
					       .object = item->object,
					       .file = item->file,
					       .line = item->line});
}

static void tell_created(Plan *plan, const Item *item)
{
	const json_t *object = item->object;
	autofree char *what = mem_printf("Namespace/%s", object_name(object));
	if (object_is_of(object, "", "Namespace"))
		map_put(plan->created, what, NULL);
	if (object_is_definition(object)) {
		const json_t *spec = json_map(object, "spec");
		autofree char *definition =
			mem_printf("%s/%s", json_text_or(spec, "group", ""),
				   json_text_or(json_map(spec, "names"), "kind", ""));
		map_put(plan->created, definition, NULL);
	}
	tell(plan, item, PLANNED_CREATED);
}

/* The server knows nothing yet of what this object stands in or is of. */
static bool comes_with_plan(const Plan *plan, const Item *item)
{
	autofree char *ns = mem_printf("Namespace/%s", object_namespace(item->object));
	autofree char *group = api_group(object_api_version(item->object));
	autofree char *definition = mem_printf("%s/%s", group, object_kind(item->object));
	return map_has(plan->created, ns) || map_has(plan->created, definition);
}

static void tell_drift(const Plan *plan, const Item *item, const json_t *live, const json_t *reply)
{
	autojson json_t *paths = ignore_paths(plan->apply.ignore, reply);
	bool takeover = apply_needs_takeover(&plan->apply, item->object, live);
	if (!takeover && !ignore_has_drifted(live, reply, paths)) {
		tell(plan, item, PLANNED_UNCHANGED);
		return;
	}
	autojson json_t *before = ignore_comparable(live, paths);
	autojson json_t *after = ignore_comparable(reply, paths);
	if (takeover)
		apply_drop_left(&plan->apply, after, reply);
	bool keys_only = mask_is_masked(item->object);
	mask_secret(before, after, keys_only);
	if (keys_only && json_equal(before, after)) {
		tell(plan, item, PLANNED_UNCHANGED);
		return;
	}
	plan->each(plan->arg, &(PlannedObject){.change = PLANNED_DRIFTED,
					       .id = item->id,
					       .object = item->object,
					       .before = before,
					       .after = after,
					       .takeover = takeover,
					       .file = item->file,
					       .line = item->line});
}

static bool judge(Plan *plan, const Item *item, const KubeReply *live, KubeReply *dry, Error *err)
{
	const json_t *object = live->object;
	if (!object && live->err.code != ERR_NOT_FOUND) {
		err_copy(err, &live->err);
		return apply_wrap_error(item, "get failed", err);
	}
	if ((object && object_is_exempt(object)) || (object && object_only_created(item->object))) {
		tell(plan, item, PLANNED_SKIPPED);
	} else if (dry->object && object) {
		tell_drift(plan, item, object, dry->object);
	} else if (dry->object) {
		tell_created(plan, item);
	} else if (object ? apply_is_recreated(&plan->apply, item, object, &dry->err)
			  : dry->err.code == ERR_NOT_FOUND && comes_with_plan(plan, item)) {
		tell_created(plan, item);
	} else {
		err_move(err, &dry->err);
		return apply_wrap_error(item, "dry-run failed", err);
	}
	return true;
}

static KubeRequest get_request(const Item *item)
{
	return (KubeRequest){.verb = KUBE_GET,
			     .api_version = object_api_version(item->object),
			     .kind = object_kind(item->object),
			     .ns = object_namespace(item->object),
			     .name = object_name(item->object)};
}

static void judge_chunk(Plan *plan, Item *const *items, size_t count)
{
	KubeRequest gets[APPLY_CHUNK] = {0};
	KubeReply live[APPLY_CHUNK] = {0}, dry[APPLY_CHUNK] = {0};
	for (size_t i = 0; i < count; i++)
		gets[i] = get_request(items[i]);
	kube_do_all(plan->apply.client, gets, live, count);
	apply_send(&plan->apply, apply_dry_runs.make, items, count, dry);
	for (size_t i = 0; i < count; i++) {
		autoerror Error failure = {0};
		if (!judge(plan, items[i], &live[i], &dry[i], &failure))
			buf_printf(&plan->failures, "%s%s", plan->failures.len ? "\n" : "",
				   err_text(&failure));
		kube_reply_dispose(&live[i]);
		kube_reply_dispose(&dry[i]);
	}
}

static void judge_all(Plan *plan, const ItemSet *set)
{
	autovec Vec asked = {0};
	for (size_t i = 0; i < set->len; i++) {
		if (object_is_exempt(set->items[i].object))
			tell(plan, &set->items[i], PLANNED_SKIPPED);
		else
			vec_push(&asked, &set->items[i]);
	}
	for (size_t at = 0; at < asked.len; at += APPLY_CHUNK) {
		size_t left = asked.len - at;
		judge_chunk(plan, (Item *const *)asked.items + at,
			    left < APPLY_CHUNK ? left : APPLY_CHUNK);
	}
}

static bool tell_pruned(const Plan *plan, const json_t *object, const ItemSet *set, Error *err)
{
	autovec Vec order = {0};
	autojson json_t *keep_alive = json_array(), *now = inventory_of_items(set);
	const json_t *old = json_at(object, "status", "inventory", NULL);
	autojson json_t *gone = inventory_difference(old, now);
	const Kustomization *ks = plan->apply.ks;
	prune_order(gone, &order, keep_alive);
	for (size_t i = order.len; i-- > 0;) {
		autojson json_t *live = NULL;
		PruneVerdict verdict =
			prune_judge(plan->apply.client, ks->ns, ks->name,
				    json_object_get(order.items[i], "entry"), &live, err);
		if (verdict == PRUNE_FAILED)
			return false;
		if (verdict == PRUNE_GONE)
			continue;
		autofree char *id = object_id(live);
		plan->each(plan->arg,
			   &(PlannedObject){.change = verdict == PRUNE_SKIP ? PLANNED_SKIPPED
									    : PLANNED_DELETED,
					    .id = id});
	}
	return true;
}

/* Whose fields are taken over when no flag of the controller says more. */
static const char *const overridden[] = {"kubectl", NULL};

bool kustomization_plan(const PlanInput *input, PlanEach *each, void *arg, Error *err)
{
	Kustomization ks;
	kustomization_parse(input->object, &ks);
	autokustomizeresult KustomizeResult result = {0};
	autoitemset ItemSet set = {0};
	autoignorerules IgnoreRules *ignore =
		ignore_rules_new(json_list(ks.spec, "ignore"), "spec.ignore", err);
	if (!ignore || !plan_build(input, &ks, &result, err) ||
	    !prepare_items(&ks, input->client, &(Vec){0}, &result, &set, err))
		return false;
	autojson json_t *documents = json_object();
	automap Map *created = map_new(NULL);
	Plan plan = {.apply = {.ks = &ks,
			       .client = input->client,
			       .ignore = ignore,
			       .overridden = overridden,
			       .documents = documents},
		     .each = each,
		     .arg = arg,
		     .created = created};
	judge_all(&plan, &set);
	autobuf Buf failures = plan.failures;
	if (failures.len)
		return err_set(err, ERR_INVALID, "%s", buf_text(&failures));
	return !ks.prune || tell_pruned(&plan, input->object, &set, err);
}
