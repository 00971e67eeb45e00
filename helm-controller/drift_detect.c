/*
 * What differs in the cluster from what a release's record holds (helm-controller.md 15). Objects
 * that the watch on our labels knows to hold what was applied cost no request; the others are
 * compared by a dry run.
 */
#include "internal.h"

#include "base/mem.h"
#include "delivery/ignore.h"
#include "kube/fieldset.h"
#include "kustomize/select.h"

#define EXEMPT_KEY HR_GROUP "/driftDetection"

/* A comparison of all objects of one release. */
typedef struct {
	const HelmContext *context;
	const Attempt *attempt;
	const Target *target;
	IgnoreRules *ignored;  /* fields */
	IgnoreRules *left_out; /* whole objects: rules with an empty path */
	json_t *rules[2];      /* that these borrow from */
	DriftedSet *out;
	Buf errors;
} Comparison;

static void comparison_dispose(Comparison *comparison)
{
	ignore_rules_free(comparison->ignored);
	ignore_rules_free(comparison->left_out);
	json_decref(comparison->rules[0]);
	json_decref(comparison->rules[1]);
	buf_dispose(&comparison->errors);
}
#define autocomparison __attribute__((cleanup(comparison_dispose)))

/* One object and what the server says of it. */
typedef struct {
	json_t *object; /* owned */
	char *key;	/* drift_key; owned */
	KubeReply live, dry;
} Compared;

static void compared_dispose(Compared *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		json_decref(items[i].object);
		free(items[i].key);
		kube_reply_dispose(&items[i].live);
		kube_reply_dispose(&items[i].dry);
	}
	free(items);
}

void drifted_dispose(DriftedSet *set)
{
	for (size_t i = 0; i < set->len; i++) {
		json_decref(set->items[i].object);
		json_decref(set->items[i].payload);
	}
	free(set->items);
	*set = (DriftedSet){0};
}

bool drift_is_exempt(const json_t *object)
{
	return object_says(object, EXEMPT_KEY, "disabled");
}

/* --- rules --- */

static bool has_empty_path(const json_t *rule)
{
	const json_t *paths = json_list(rule, "paths");
	for (size_t i = 0; i < json_array_size(paths); i++)
		if (cstr_empty(json_string_value(json_array_get(paths, i))))
			return true;
	return false;
}

/* An empty path names the whole object: such rules are kept apart, with a path that only says that
 * they match. */
static bool read_rules(Comparison *comparison, Error *err)
{
	const json_t *said =
		json_at(comparison->attempt->spec.spec, "driftDetection", "ignore", NULL);
	comparison->rules[0] = json_array();
	comparison->rules[1] = json_array();
	for (size_t i = 0; i < json_array_size(said); i++) {
		json_t *rule = json_array_get(said, i);
		bool whole = has_empty_path(rule);
		autojson json_t *kept = json_copy(rule);
		if (whole)
			json_object_set_new(kept, "paths", json_pack("[s]", "/"));
		json_array_append(comparison->rules[whole], kept);
	}
	comparison->ignored =
		ignore_rules_new(comparison->rules[0], "spec.driftDetection.ignore", err);
	comparison->left_out =
		comparison->ignored
			? ignore_rules_new(comparison->rules[1], "spec.driftDetection.ignore", err)
			: NULL;
	return comparison->left_out != NULL;
}

static bool is_left_out(const Comparison *comparison, const json_t *object)
{
	autojson json_t *paths = ignore_paths(comparison->left_out, object);
	return drift_is_exempt(object) || json_array_size(paths) > 0;
}

/* --- differences --- */

static void count_differences(const json_t *from, const json_t *to, Drifted *out);

static void count_in_objects(const json_t *from, const json_t *to, Drifted *out)
{
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(to), key, value)
	{
		const json_t *old = json_object_get(from, key);
		if (old)
			count_differences(old, value, out);
		else
			out->added++;
	}
	json_object_foreach(json_borrow(from), key, value)
	{
		out->removed += !json_object_get(to, key);
	}
}

/* As operations of a JSON patch would count them; no deeper than JSON_MAX_NESTING, which the parser
 * saw to. */
static void count_differences(const json_t *from, const json_t *to, Drifted *out)
{
	if (json_is_object(from) && json_is_object(to)) {
		count_in_objects(from, to, out);
	} else if (json_is_array(from) && json_is_array(to)) {
		size_t before = json_array_size(from), after = json_array_size(to);
		for (size_t i = 0; i < before && i < after; i++)
			count_differences(json_array_get(from, i), json_array_get(to, i), out);
		out->removed += before > after ? before - after : 0;
		out->added += after > before ? after - before : 0;
	} else if (!json_same(from, to)) {
		out->changed++;
	}
}

static Drifted *add_drifted(DriftedSet *set, DriftChange change, json_t *object)
{
	if (set->len == set->cap) {
		set->cap = set->cap ? set->cap * 2 : 8;
		set->items = mem_realloc(set->items, set->cap * sizeof(set->items[0]));
	}
	Drifted *drifted = &set->items[set->len++];
	*drifted = (Drifted){
		.change = change, .object = json_incref(object), .payload = json_incref(object)};
	return drifted;
}

static void compare(Comparison *comparison, const Compared *item)
{
	const json_t *live = item->live.object, *reply = item->dry.object;
	autojson json_t *paths = ignore_paths(comparison->ignored, reply);
	if (!ignore_has_drifted(live, reply, paths)) {
		drift_watch(comparison->target->drift, object_api_version(item->object),
			    object_kind(item->object));
		drift_applied(comparison->target->drift, item->key, comparison->attempt->owner,
			      live);
		return;
	}
	Drifted *drifted = add_drifted(comparison->out, CHANGE_MODIFIED, item->object);
	autojson json_t *before = ignore_comparable(live, paths);
	autojson json_t *after = ignore_comparable(reply, paths);
	count_differences(before, after, drifted);
	if (!json_array_size(paths))
		return;
	json_decref(drifted->payload);
	drifted->payload = json_deep_copy(item->object);
	ignore_settle(&drifted->payload, live, reply, paths, HR_FIELD_MANAGER);
}

/* --- asking the server --- */

/* What Helm puts on what it makes (helm-engine.md 14): part of what was applied. */
static void put_helm_metadata(const HelmRecord *record, json_t *object)
{
	json_t *labels = json_make_at(object, "metadata", "labels", NULL);
	json_t *annotations = json_make_at(object, "metadata", "annotations", NULL);
	json_put_text(labels, "app.kubernetes.io/managed-by", "Helm");
	json_put_text(annotations, "meta.helm.sh/release-name", helm_record_name(record));
	json_put_text(annotations, "meta.helm.sh/release-namespace", helm_record_namespace(record));
}

static bool needs_look(const Comparison *comparison, const Compared *item)
{
	return !drift_is_clean(comparison->target->drift, item->key, comparison->attempt->owner,
			       object_api_version(item->object), object_kind(item->object));
}

/* Those that are not known to be as they should; *out_count of them, owned. */
static Compared *items_of(Comparison *comparison, size_t *out_count, Error *err)
{
	const HelmRecord *record = comparison->attempt->last;
	autojson json_t *objects = manifest_objects(comparison->target->client, record, err);
	if (!objects)
		return NULL;
	Compared *items = mem_zalloc(json_array_size(objects) + 1, sizeof(*items));
	size_t count = 0, i;
	json_t *object;
	json_array_foreach(objects, i, object)
	{
		if (is_left_out(comparison, object))
			continue;
		put_helm_metadata(record, object);
		Compared *item = &items[count];
		item->object = json_incref(object);
		item->key = drift_key(object);
		if (needs_look(comparison, item)) {
			count++;
			continue;
		}
		json_decref(item->object);
		free(item->key);
		*item = (Compared){0};
	}
	*out_count = count;
	return items;
}

/* The same request for all items, but for those `skip` says; replies go to the member at `offset`.
 */
typedef bool SkipFn(const Compared *item);

static void ask(const Comparison *comparison, Compared *items, size_t count,
		const KubeRequest *like, SkipFn *skip, size_t offset)
{
	KubeRequest *requests = mem_zalloc(count + 1, sizeof(*requests));
	KubeReply *replies = mem_zalloc(count + 1, sizeof(*replies));
	size_t *places = mem_zalloc(count + 1, sizeof(*places)), len = 0;
	for (size_t i = 0; i < count; i++) {
		if (skip && skip(&items[i]))
			continue;
		requests[len] = *like;
		requests[len].api_version = object_api_version(items[i].object);
		requests[len].kind = object_kind(items[i].object);
		requests[len].ns = object_namespace(items[i].object);
		requests[len].name = object_name(items[i].object);
		requests[len].body = like->verb == KUBE_APPLY ? items[i].object : NULL;
		places[len++] = i;
	}
	kube_do_all(comparison->target->client, requests, replies, len);
	for (size_t i = 0; i < len; i++)
		*(KubeReply *)(void *)((char *)&items[places[i]] + offset) = replies[i];
	free(requests);
	free(replies);
	free(places);
}

static bool is_absent(const Compared *item)
{
	return !item->live.object;
}

/* --override-manager: what such a manager owns becomes ours before anything is compared. */
static void take_over(const Comparison *comparison, Compared *item)
{
	autoerror Error ignored = {0};
	const char *const *managers =
		(const char *const *)comparison->context->targets.overridden.items;
	autojson json_t *patch =
		managers[0] ? fieldset_takeover_patch(item->live.object, HR_FIELD_MANAGER, managers)
			    : NULL;
	if (!patch)
		return;
	json_t *reply = kube_do(comparison->target->client,
				&(KubeRequest){.verb = KUBE_JSON_PATCH,
					       .api_version = object_api_version(item->object),
					       .kind = object_kind(item->object),
					       .ns = object_namespace(item->object),
					       .name = object_name(item->object),
					       .body = patch},
				&ignored);
	if (!reply)
		return;
	json_decref(item->live.object);
	item->live.object = reply;
}

static void note_error(Comparison *comparison, const Compared *item, const Error *err)
{
	autofree char *id = object_id(item->object);
	buf_printf(&comparison->errors, "%s%s: %s", comparison->errors.len ? ", " : "", id,
		   err_text(err));
}

static void judge(Comparison *comparison, const Compared *item)
{
	if (!item->live.object && item->live.err.code == ERR_NOT_FOUND)
		add_drifted(comparison->out, CHANGE_MISSING, item->object);
	else if (!item->live.object)
		note_error(comparison, item, &item->live.err);
	else if (is_left_out(comparison, item->live.object))
		return;
	else if (!item->dry.object)
		note_error(comparison, item, &item->dry.err);
	else
		compare(comparison, item);
}

static bool first_put_off(const Compared *items, size_t count, Error *err)
{
	for (size_t i = 0; i < count; i++) {
		const Error *causes[] = {&items[i].live.err, &items[i].dry.err};
		for (size_t k = 0; k < COUNT(causes); k++) {
			if (!causes[k]->not_yet)
				continue;
			err_copy(err, causes[k]);
			return true;
		}
	}
	return false;
}

bool drift_detect(Run *run, const Attempt *attempt, const Target *target, DriftedSet *out,
		  Error *err)
{
	autocomparison Comparison comparison = {
		.context = run_context(run), .attempt = attempt, .target = target, .out = out};
	size_t count = 0;
	if (!read_rules(&comparison, err))
		return false;
	Compared *items = items_of(&comparison, &count, err);
	if (!items)
		return false;
	KubeRequest get = {.verb = KUBE_GET};
	KubeRequest dry = {.verb = KUBE_APPLY, .force = true, .dry_run = true};
	ask(&comparison, items, count, &get, NULL, offsetof(Compared, live));
	for (size_t i = 0; i < count; i++)
		if (items[i].live.object)
			take_over(&comparison, &items[i]);
	ask(&comparison, items, count, &dry, is_absent, offsetof(Compared, dry));
	bool put_off = first_put_off(items, count, err);
	for (size_t i = 0; !put_off && i < count; i++)
		judge(&comparison, &items[i]);
	compared_dispose(items, count);
	if (put_off)
		return false;
	/* What was found counts, even when not everything could be looked at. */
	if (comparison.errors.len && !out->len)
		return err_set(err, ERR_UNAVAILABLE, "%s", buf_text(&comparison.errors));
	if (comparison.errors.len)
		log_info(run_log(run), "diff of release against cluster state completed with error",
			 "cause", buf_text(&comparison.errors), NULL);
	return true;
}

char *drift_summary(const DriftedSet *set)
{
	Buf out = {0};
	for (size_t i = 0; i < set->len; i++) {
		const Drifted *drifted = &set->items[i];
		autofree char *id = object_id(drifted->object);
		if (drifted->change == CHANGE_MISSING)
			buf_printf(&out, "%s%s removed", i ? "\n" : "", id);
		else
			buf_printf(&out, "%s%s changed (%zu additions, %zu changes, %zu removals)",
				   i ? "\n" : "", id, drifted->added, drifted->changed,
				   drifted->removed);
	}
	return buf_steal(&out);
}

void drift_forget_release(const Target *target, KubeClient *client, const HelmRecord *record)
{
	autoerror Error ignored = {0};
	autojson json_t *objects = manifest_objects(client, record, &ignored);
	size_t i;
	json_t *object;
	json_array_foreach(objects, i, object)
	{
		autofree char *key = drift_key(object);
		drift_forget(target->drift, key);
	}
}
