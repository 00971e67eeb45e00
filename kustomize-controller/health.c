/*
 * Health (facts 7) without holding a worker: one look at each object that is not known to be
 * Current; when some are not, the run ends and watch events, or a timer as a net below them, resume
 * it.
 */
#include "delivery/health_exprs.h"
#include "internal.h"
#include "kube/kstatus_live.h"

#include "base/mem.h"
#include "data/duration.h"

enum { LOOK_AGAIN_MS = 5000 };

typedef struct {
	const char *api_version, *kind, *ns, *name;
	Item *item;   /* or NULL for a healthChecks entry */
	bool expires; /* a Job that its own TTL deletes: gone is done (K82) */
} Check;

typedef struct {
	Check *items;
	size_t len;
} Checks;

static void checks_dispose(Checks *checks)
{
	free(checks->items);
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
			Item *item = &set->items[i];
			if (item->action == ITEM_SKIPPED)
				continue;
			check = (Check){.api_version = object_api_version(item->object),
					.kind = object_kind(item->object),
					.ns = object_namespace(item->object),
					.name = object_name(item->object),
					.item = item};
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
		out->items[out->len++] = check;
	}
}

/* Kinds without any state to wait for: their existence is their health, and we have just applied
 * them. */
static bool is_always_current(const Check *check)
{
	static const struct {
		const char *group, *kind;
	} kinds[] = {
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
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (check->item && cstr_eq(kinds[i].kind, check->kind) &&
		    api_is_of(check->api_version, kinds[i].group))
			return true;
	return false;
}

static KstatusCode look(KubeClient *client, const HealthExprs *exprs, const Check *check)
{
	bool custom = health_exprs_cover(exprs, check->api_version, check->kind);
	bool known =
		check->item && check->item->status_known && check->item->status == KSTATUS_CURRENT;
	if (!custom && (known || is_always_current(check)))
		return KSTATUS_CURRENT;
	autoerror Error err = {0};
	autojson json_t *live =
		kube_get(client, check->api_version, check->kind, check->ns, check->name, &err);
	if (live)
		return custom ? health_exprs_status(exprs, live) : kstatus_live(client, live);
	if (err.code != ERR_NOT_FOUND)
		return KSTATUS_UNKNOWN;
	return check->expires ? KSTATUS_CURRENT : KSTATUS_NOT_FOUND;
}

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

static void judge(KubeClient *client, const HealthExprs *exprs, const Checks *checks, Verdict *out)
{
	for (size_t i = 0; i < checks->len; i++) {
		KstatusCode code = look(client, exprs, &checks->items[i]);
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

/* True: all Current. Else err is set, or *out_wait_ms. */
static bool decide(Run *run, const Kustomization *ks, const Verdict *verdict, const char *revision,
		   int64_t waited_ms, int64_t *out_wait_ms, Error *err)
{
	if (!verdict->not_ready)
		return true;
	/* Without failing fast, only when nobody is left who could still get ready (K79). */
	bool fail_fast = !manager_gate(run_manager(run), "DisableFailFastBehavior");
	if (verdict->failed && (fail_fast || verdict->failed == verdict->not_ready)) {
		err_set(err, ERR_UNAVAILABLE, "failed early due to stalled resources: [%s]",
			buf_text(&verdict->failed_text));
		return fail(run, err);
	}
	if (waited_ms >= ks->timeout_ms) {
		err_set(err, ERR_TIMEOUT, "timeout waiting for: [%s]", buf_text(&verdict->text));
		return fail(run, err);
	}
	show_waiting(run, ks, revision);
	int64_t left = ks->timeout_ms - waited_ms;
	*out_wait_ms = left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS;
	return false;
}

static bool check(Run *run, const Kustomization *ks, KubeClient *client, const Checks *checks,
		  const RunFacts *facts, Before *before, int64_t *out_wait_ms, Error *err)
{
	const KustomizeContext *context = run_context(run);
	autohealthexprs HealthExprs *exprs =
		health_exprs_new(json_list(ks->spec, "healthCheckExprs"), err);
	if (!exprs)
		return fail(run, err);
	__attribute__((cleanup(verdict_dispose))) Verdict verdict = {0};
	autofree char *key = run_key(run);
	autofree char *what = mem_printf("health of %s", facts->revision);
	int64_t waited = run_waited_ms(memory_waiting_since(context->memory, key, what));
	*before = before_wait(run, key, before->changed);
	judge(client, exprs, checks, &verdict);
	bool ok = decide(run, ks, &verdict, facts->revision, waited, out_wait_ms, err);
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
		out->items[out->len++] = (Check){.api_version = json_text_or(row, "apiVersion", ""),
						 .kind = json_text_or(row, "kind", ""),
						 .ns = json_text_or(row, "namespace", ""),
						 .name = json_text_or(row, "name", ""),
						 .expires = json_flag(row, "expires", false)};
	}
}

bool health_check(Run *run, const Kustomization *ks, KubeClient *client, const ItemSet *set,
		  const RunFacts *facts, int64_t *out_wait_ms, json_t **out_kept, Error *err)
{
	Before before = {.changed = has_changes(set)};
	__attribute__((cleanup(checks_dispose))) Checks checks = {0};
	collect(run, ks, set, &checks);
	if (!checks.len) {
		condition_remove(run_object(run), "Healthy");
		return true;
	}
	bool ok = check(run, ks, client, &checks, facts, &before, out_wait_ms, err);
	if (!ok && !err_is_set(err))
		*out_kept = json_pack("{s:o,s:b,s:b}", "checks", checks_to_json(&checks),
				      "wasHealthy", before.was_healthy, "changed", before.changed);
	return ok;
}

bool health_check_again(Run *run, const Kustomization *ks, KubeClient *client, const json_t *kept,
			const RunFacts *facts, int64_t *out_wait_ms, Error *err)
{
	Before before = {0};
	__attribute__((cleanup(checks_dispose))) Checks checks = {0};
	checks_of_json(kept, &checks);
	return check(run, ks, client, &checks, facts, &before, out_wait_ms, err);
}
