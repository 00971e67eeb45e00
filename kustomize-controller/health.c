/*
 * Health (facts 7) without holding a worker: one look at each object whose state is not known, all
 * of them together; when some are not Current, the run ends and watch events, or a timer as a net
 * below them, resume it. What an object was seen to be it is for as long as the watch for drift
 * tells of no newer version of it, so that a look costs requests for what has changed alone.
 */
#include "delivery/health_exprs.h"
#include "internal.h"
#include "kube/kstatus_live.h"
#include "kube/why.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/visible.h"
#include "data/duration.h"

enum {
	LOOK_AGAIN_MS = 5000,
	LOOK_CHUNK = 16, /* objects asked for at once: their replies are held whole */
};

typedef struct {
	const char *api_version, *kind, *ns, *name;
	const Item *item; /* or NULL for a healthChecks entry */
	char *key;	  /* drift_key; owned */
	bool expires;	  /* a Job that its own TTL deletes: gone is done (K82) */
	KstatusCode code; /* once looked at */
} Check;

typedef struct {
	Check *items;
	size_t len;
} Checks;

static void checks_dispose(Checks *checks)
{
	for (size_t i = 0; i < checks->len; i++)
		free(checks->items[i].key);
	free(checks->items);
}

static void checks_add(Checks *checks, Check check)
{
	check.key = drift_key_of(check.api_version, check.kind, check.ns, check.name);
	checks->items[checks->len++] = check;
}

static Check check_of(const Item *item)
{
	return (Check){.api_version = object_api_version(item->object),
		       .kind = object_kind(item->object),
		       .ns = object_namespace(item->object),
		       .name = object_name(item->object),
		       .item = item};
}

static bool applied_with_ttl(const ItemSet *set, const Check *check)
{
	if (!api_is_of(check->api_version, "batch") || !cstr_eq(check->kind, "Job"))
		return false;
	for (size_t i = 0; i < set->len; i++) {
		const json_t *object = set->items[i].object;
		if (object_expires(object) && cstr_eq(object_name(object), check->name) &&
		    cstr_eq(object_namespace(object), check->ns))
			return true;
	}
	return false;
}

/* wait: all applied objects that were not skipped; else healthChecks. Never the object itself
 * (K87). */
static void collect(Run *run, const Kustomization *ks, const ItemSet *set, Checks *out)
{
	const json_t *listed = json_list(ks->spec, "healthChecks");
	size_t max = ks->wait ? set->len : json_array_size(listed);
	out->items = mem_zalloc(max, sizeof(Check));
	for (size_t i = 0; i < max; i++) {
		Check check = {0};
		if (ks->wait) {
			const Item *item = &set->items[i];
			if (item->action == ITEM_SKIPPED)
				continue;
			check = check_of(item);
		} else {
			const json_t *entry = json_array_get(listed, i);
			check.api_version = json_text_or(entry, "apiVersion", "apps/v1");
			check.kind = json_text_or(entry, "kind", "");
			check.ns = json_text_or(entry, "namespace", "");
			check.name = json_text_or(entry, "name", "");
		}
		if (cstr_eq(check.kind, KS_KIND) && cstr_eq(check.ns, run_namespace(run)) &&
		    cstr_eq(check.name, run_name(run)))
			continue;
		check.expires = applied_with_ttl(set, &check);
		checks_add(out, check);
	}
}

typedef struct {
	const char *group, *kind;
} GroupKind;

static bool is_one_of(const Check *check, const GroupKind *kinds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cstr_eq(kinds[i].kind, check->kind) &&
		    api_is_of(check->api_version, kinds[i].group))
			return true;
	return false;
}

/* Kinds without any state to wait for: their existence is their health, and we have just applied
 * them. */
static bool is_always_current(const Check *check)
{
	static const GroupKind kinds[] = {
		{"", "ConfigMap"},
		{"", "LimitRange"},
		{"", "Secret"},
		{"", "ServiceAccount"},
		{"networking.k8s.io", "NetworkPolicy"},
		{"rbac.authorization.k8s.io", "ClusterRole"},
		{"rbac.authorization.k8s.io", "ClusterRoleBinding"},
		{"rbac.authorization.k8s.io", "Role"},
		{"rbac.authorization.k8s.io", "RoleBinding"},
		{"scheduling.k8s.io", "PriorityClass"},
		{"storage.k8s.io", "StorageClass"},
	};
	return check->item && is_one_of(check, kinds, COUNT(kinds));
}

/* --- a look --- */

typedef struct {
	const Target *target;
	struct Memory *memory;
	const HealthExprs *exprs;
	const char *ks_key;
	int64_t generation;
	bool afresh; /* of all objects, whatever is known of them */
} Look;

static bool is_custom(const Look *look, const Check *check)
{
	return health_exprs_cover(look->exprs, check->api_version, check->kind);
}

/* Whether the state is all the object's own: others, or the time of day, may change that of pods
 * and of those that have some, with no word of the object. */
static bool is_lasting(const Check *check, KstatusCode code)
{
	static const GroupKind of_pods[] = {
		{"", "Pod"},
		{"apps", "StatefulSet"},
		{"apps", "ReplicaSet"},
	};
	return code != KSTATUS_IN_PROGRESS || !is_one_of(check, of_pods, COUNT(of_pods));
}

static void remember(const Look *look, const Check *check, uint64_t version, KstatusCode code)
{
	if (is_lasting(check, code) && code != KSTATUS_UNKNOWN)
		memory_set_seen(
			look->memory, look->ks_key, check->key,
			&(Seen){.version = version, .generation = look->generation, .code = code});
}

/* What the watch says is still so. */
static bool is_remembered(const Look *look, Check *check)
{
	Seen seen;
	bool known = !look->afresh &&
		     memory_seen(look->memory, look->ks_key, check->key, look->generation, &seen) &&
		     drift_is_at(look->target->drift, check->key, check->api_version, check->kind,
				 seen.version);
	if (known)
		check->code = seen.code;
	return known;
}

/* Whether check->code is known without a request. */
static bool is_known(const Look *look, Check *check)
{
	const Item *item = check->item;
	bool custom = is_custom(look, check);
	bool replied = !custom && item && item->status_known;
	if (replied && item->seen_version)
		remember(look, check, item->seen_version, item->status);
	check->code = KSTATUS_CURRENT;
	return (replied && item->status == KSTATUS_CURRENT) ||
	       (!custom && is_always_current(check)) || is_remembered(look, check);
}

static KstatusCode code_of_absent(const Check *check, const Error *err)
{
	if (err->code != ERR_NOT_FOUND)
		return KSTATUS_UNKNOWN;
	return check->expires ? KSTATUS_CURRENT : KSTATUS_NOT_FOUND;
}

static void judge_replies(const Look *look, Check *const *checks, const KubeReply *replies,
			  size_t count)
{
	const json_t *plain[LOOK_CHUNK];
	Check *judged[LOOK_CHUNK];
	KstatusCode codes[LOOK_CHUNK];
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		Check *check = checks[i];
		if (!replies[i].object) {
			check->code = code_of_absent(check, &replies[i].err);
		} else if (is_custom(look, check)) {
			check->code = health_exprs_status(look->exprs, replies[i].object, NULL);
		} else {
			plain[len] = replies[i].object;
			judged[len++] = check;
		}
	}
	kstatus_live_all(look->target->client, plain, codes, len);
	for (size_t i = 0; i < len; i++)
		judged[i]->code = codes[i];
}

static void ask(const Look *look, Check *const *checks, size_t count)
{
	KubeRequest requests[LOOK_CHUNK] = {0};
	KubeReply replies[LOOK_CHUNK] = {0};
	for (size_t i = 0; i < count; i++)
		requests[i] = (KubeRequest){.verb = KUBE_GET,
					    .api_version = checks[i]->api_version,
					    .kind = checks[i]->kind,
					    .ns = checks[i]->ns,
					    .name = checks[i]->name};
	kube_do_all(look->target->client, requests, replies, count);
	judge_replies(look, checks, replies, count);
	for (size_t i = 0; i < count; i++) {
		const json_t *live = replies[i].object;
		if (live)
			remember(look, checks[i], object_version(live), checks[i]->code);
		kube_reply_dispose(&replies[i]);
	}
}

static void look_at_all(const Look *look, const Checks *checks)
{
	autovec Vec unknown = {0};
	for (size_t i = 0; i < checks->len; i++)
		if (!is_known(look, &checks->items[i]))
			vec_push(&unknown, &checks->items[i]);
	for (size_t from = 0; from < unknown.len; from += LOOK_CHUNK) {
		size_t left = unknown.len - from;
		ask(look, (Check *const *)unknown.items + from,
		    left < LOOK_CHUNK ? left : LOOK_CHUNK);
	}
}

/* --- why it is so --- */

/* Asks for one object and its pods, as whom the target is. Owned; NULL: nothing is to be told. */
static char *ask_why(KubeClient *client, const HealthExprs *exprs, const Check *check)
{
	autoerror Error err = {0};
	const KubeRequest request = {.verb = KUBE_GET,
				     .api_version = check->api_version,
				     .kind = check->kind,
				     .ns = check->ns,
				     .name = check->name,
				     .timeout_ms = WHY_TIMEOUT_MS};
	autojson json_t *live = kube_do(client, &request, &err);
	if (live) {
		autofree char *said = health_exprs_why(exprs, live, check->code);
		return why_with_pods(client, live, said);
	}
	return check->code == KSTATUS_UNKNOWN ? visible_text(err_text(&err), WHY_TEXT_MAX) : NULL;
}

/* One that is not there says all by that. */
static bool is_asked_why(const Check *check, bool failed)
{
	return failed ? check->code == KSTATUS_FAILED
		      : check->code != KSTATUS_CURRENT && check->code != KSTATUS_NOT_FOUND;
}

/* ": WHY" of the only one in trouble, else ": ID: WHY; ID: WHY" of the first few. */
static void put_whys(const Look *look, const Checks *checks, bool failed, bool only, Buf *out)
{
	size_t asked = 0;
	for (size_t i = 0; i < checks->len && asked < WHY_ASKED_MAX; i++) {
		const Check *check = &checks->items[i];
		if (!is_asked_why(check, failed))
			continue;
		asked++;
		autofree char *why = ask_why(look->target->client, look->exprs, check);
		if (cstr_empty(why))
			continue;
		buf_puts(out, out->len ? "; " : ": ");
		if (!only)
			buf_printf(out, "%s/%s%s%s: ", check->kind, check->ns,
				   *check->ns ? "/" : "", check->name);
		buf_puts(out, why);
	}
}

char *health_why(KubeClient *client, const Item *item)
{
	Check check = check_of(item);
	check.code = item->status;
	autofree char *why = ask_why(client, NULL, &check);
	return mem_printf("%s%s", cstr_empty(why) ? "" : ": ", why ? why : "");
}

/* --- what it means --- */

typedef struct {
	size_t not_ready, failed;
	Buf text; /* "Kind/ns/name status: 'S'" of those not Current */
	Buf failed_text;
} Verdict;

static void verdict_dispose(Verdict *verdict)
{
	buf_dispose(&verdict->text);
	buf_dispose(&verdict->failed_text);
}

static void put_status(Buf *out, const Check *check, KstatusCode code)
{
	buf_printf(out, "%s%s/%s%s%s status: '%s'", out->len ? ", " : "", check->kind, check->ns,
		   *check->ns ? "/" : "", check->name, kstatus_name(code));
}

static void judge(const Checks *checks, Verdict *out)
{
	for (size_t i = 0; i < checks->len; i++) {
		KstatusCode code = checks->items[i].code;
		if (code == KSTATUS_CURRENT)
			continue;
		out->not_ready++;
		put_status(&out->text, &checks->items[i], code);
		if (code == KSTATUS_FAILED) {
			out->failed++;
			put_status(&out->failed_text, &checks->items[i], code);
		}
	}
}

static bool fail(Run *run, Error *err)
{
	condition_set(run_object(run), "Healthy", "False", "HealthCheckFailed", err_text(err));
	err_wrap(err, "health check failed");
	return err_reason(err, "HealthCheckFailed");
}

/* As it was before the wait, however many runs that took (K98). */
typedef struct {
	bool was_healthy, changed;
} Before;

static Before before_wait(Run *run, const char *key, bool changed)
{
	const KustomizeContext *context = run_context(run);
	autojson json_t *kept = memory_kept_wait(context->memory, key);
	bool is = condition_is(run_object(run), "Healthy", "True");
	return (Before){.was_healthy = kept ? json_flag(kept, "wasHealthy", false) : is,
			.changed = changed || json_flag(kept, "changed", false)};
}

static void healthy(Run *run, int64_t waited_ms, const RunFacts *facts, Before before)
{
	const char *last = json_text_at(run_object(run), "status", "lastAppliedRevision", NULL);
	bool new_revision = !cstr_eq(last, facts->revision);
	char took[DURATION_TEXT_SIZE];
	duration_format(waited_ms, took);
	autofree char *message = mem_printf("Health check passed in %s", took);
	if (!before.was_healthy || (new_revision && before.changed))
		run_event(run, EVENT_NORMAL, "Progressing", facts->metadata, "%s", message);
	/* A steady state keeps its message: nothing happened, nothing is written. */
	if (before.changed || !condition_is(run_object(run), "Healthy", "True"))
		condition_set(run_object(run), "Healthy", "True", "Succeeded", message);
}

static void show_waiting(Run *run, const Kustomization *ks, const char *revision)
{
	char timeout[DURATION_TEXT_SIZE];
	duration_format(ks->timeout_ms, timeout);
	autofree char *message = mem_printf(
		"Running health checks for revision %s with a timeout of %s", revision, timeout);
	condition_set(run_object(run), "Reconciling", "True", "Progressing", message);
	condition_set(run_object(run), "Ready", "Unknown", "Progressing", message);
	condition_set(run_object(run), "Healthy", "Unknown", "Progressing", message);
}

static bool has_changes(const ItemSet *set)
{
	for (size_t i = 0; i < set->len; i++)
		if (set->items[i].change != CHANGE_NONE)
			return true;
	return false;
}

/* The texts are upstream's, what they do not say follows. */
static bool fail_of(Run *run, const Look *look, const Checks *checks, const Verdict *verdict,
		    bool early, Error *err)
{
	autobuf Buf whys = {0};
	size_t count = early ? verdict->failed : verdict->not_ready;
	put_whys(look, checks, early, count == 1, &whys);
	if (early)
		err_set(err, ERR_UNAVAILABLE, "failed early due to stalled resources: [%s]%s",
			buf_text(&verdict->failed_text), buf_text(&whys));
	else
		err_set(err, ERR_TIMEOUT, "timeout waiting for: [%s]%s", buf_text(&verdict->text),
			buf_text(&whys));
	return fail(run, err);
}

/* True: all Current. Else err is set, or *out_wait_ms. */
static bool decide(Run *run, const Kustomization *ks, const Look *look, const Checks *checks,
		   const char *revision, int64_t waited_ms, int64_t *out_wait_ms, Error *err)
{
	__attribute__((cleanup(verdict_dispose))) Verdict verdict = {0};
	judge(checks, &verdict);
	if (!verdict.not_ready)
		return true;
	/* Without failing fast, only when nobody is left who could still get ready (K79). */
	bool fail_fast = !manager_gate(run_manager(run), "DisableFailFastBehavior");
	bool early = verdict.failed && (fail_fast || verdict.failed == verdict.not_ready);
	if (early || waited_ms >= ks->timeout_ms)
		return fail_of(run, look, checks, &verdict, early, err);
	show_waiting(run, ks, revision);
	int64_t left = ks->timeout_ms - waited_ms;
	*out_wait_ms = left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS;
	return false;
}

static bool check(Run *run, const Kustomization *ks, const Target *target, const Checks *checks,
		  const RunFacts *facts, Before *before, int64_t *out_wait_ms, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autohealthexprs HealthExprs *exprs =
		health_exprs_new(json_list(ks->spec, "healthCheckExprs"), err);
	if (!exprs)
		return fail(run, err);
	autofree char *key = run_key(run);
	autofree char *what = mem_printf("health of %s", facts->revision);
	int64_t waited = run_waited_ms(memory_waiting_since(context->memory, key, what));
	*before = before_wait(run, key, before->changed);
	/* Nobody is told of a time-out that the objects themselves do not bear out, nor answered
	 * from a watch that may not yet tell what they saw before they asked. */
	bool afresh = waited >= ks->timeout_ms || run_requested_at(run);
	const Look look = {.target = target,
			   .memory = context->memory,
			   .exprs = exprs,
			   .ks_key = key,
			   .generation = object_generation(run_object(run)),
			   .afresh = afresh};
	look_at_all(&look, checks);
	bool ok = decide(run, ks, &look, checks, facts->revision, waited, out_wait_ms, err);
	if (ok || err_is_set(err))
		memory_stop_waiting(context->memory, key);
	if (ok)
		healthy(run, waited, facts, *before);
	return ok;
}

/* --- a wait that outlives its run (K88) --- */

static json_t *checks_to_json(const Checks *checks)
{
	json_t *list = json_array();
	for (size_t i = 0; i < checks->len; i++) {
		const Check *check = &checks->items[i];
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:b}", "apiVersion",
						      check->api_version, "kind", check->kind,
						      "namespace", check->ns, "name", check->name,
						      "expires", check->expires));
	}
	return list;
}

static void checks_of_json(const json_t *list, Checks *out)
{
	size_t i;
	json_t *row;
	out->items = mem_zalloc(json_array_size(list), sizeof(Check));
	json_array_foreach(json_borrow(list), i, row)
	{
		checks_add(out, (Check){.api_version = json_text_or(row, "apiVersion", ""),
					.kind = json_text_or(row, "kind", ""),
					.ns = json_text_or(row, "namespace", ""),
					.name = json_text_or(row, "name", ""),
					.expires = json_flag(row, "expires", false)});
	}
}

bool health_check(Run *run, const Kustomization *ks, const Target *target, const ItemSet *set,
		  const RunFacts *facts, int64_t *out_wait_ms, json_t **out_kept, Error *err)
{
	Before before = {.changed = has_changes(set)};
	__attribute__((cleanup(checks_dispose))) Checks checks = {0};
	collect(run, ks, set, &checks);
	if (!checks.len) {
		condition_remove(run_object(run), "Healthy");
		return true;
	}
	bool ok = check(run, ks, target, &checks, facts, &before, out_wait_ms, err);
	if (!ok && !err_is_set(err))
		*out_kept = json_pack("{s:o,s:b,s:b}", "checks", checks_to_json(&checks),
				      "wasHealthy", before.was_healthy, "changed", before.changed);
	return ok;
}

bool health_check_again(Run *run, const Kustomization *ks, const Target *target, const json_t *kept,
			const RunFacts *facts, int64_t *out_wait_ms, bool *out_gone, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	Before before = {0};
	__attribute__((cleanup(checks_dispose))) Checks checks = {0};
	checks_of_json(kept, &checks);
	bool ok = check(run, ks, target, &checks, facts, &before, out_wait_ms, err);
	for (size_t i = 0; i < checks.len; i++)
		*out_gone =
			*out_gone || (checks.items[i].code == KSTATUS_NOT_FOUND &&
				      memory_desired(context->memory, key, checks.items[i].key));
	return ok;
}

json_t *health_stage_keep(Item *const *items, size_t count, const char *stage)
{
	__attribute__((cleanup(checks_dispose)))
	Checks checks = {.items = mem_zalloc(count, sizeof(Check))};
	for (size_t i = 0; i < count; i++)
		if (items[i]->action != ITEM_SKIPPED)
			checks_add(&checks, check_of(items[i]));
	return json_pack("{s:s,s:o}", "stage", stage, "checks", checks_to_json(&checks));
}

bool health_stage_is_ready(Run *run, const Target *target, const json_t *kept)
{
	const KustomizeContext *context = run_context(run);
	autofree char *key = run_key(run);
	autoerror Error none = {0};
	autohealthexprs HealthExprs *exprs = health_exprs_new(NULL, &none);
	__attribute__((cleanup(checks_dispose))) Checks checks = {0};
	__attribute__((cleanup(verdict_dispose))) Verdict verdict = {0};
	checks_of_json(kept, &checks);
	look_at_all(&(Look){.target = target,
			    .memory = context->memory,
			    .exprs = exprs,
			    .ks_key = key,
			    .generation = object_generation(run_object(run))},
		    &checks);
	judge(&checks, &verdict);
	return !verdict.not_ready;
}
