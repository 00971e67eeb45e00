#include "settle.h"

#include "await.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/kstatus.h"

/* Filled on the loop's thread; read once the watch has ended. */
struct Settle {
	Await *await;
	char *what; /* "Kind/name" */
	SettleRule rule;
	char *handled_before; /* what rule borrows */
	SettleState state;
	json_t *last;  /* newest state, owned */
	char *failure; /* why it never will be at rest, owned */
};

static bool was_handled(const SettleRule *rule, const json_t *object)
{
	const char *handled =
		json_text_or(json_map(object, "status"), "lastHandledReconcileAt", "");
	return !rule->handled_before || !cstr_eq(handled, rule->handled_before);
}

/* Ready speaks of the present generation. Some kinds do not say so per condition. */
static bool ready_is_fresh(const json_t *object)
{
	const json_t *ready = object_condition(object, "Ready");
	int64_t observed = json_int(json_map(object, "status"), "observedGeneration", 0);
	int64_t of_ready = json_int(ready, "observedGeneration", 0);
	return ready && observed >= 1 &&
	       (of_ready ? of_ready : observed) == object_generation(object);
}

/* The Stalled or Ready message, which a person can act on. */
static const char *reason_of(const json_t *object)
{
	const json_t *stalled = object_condition(object, "Stalled");
	const json_t *ready = object_condition(object, "Ready");
	if (cstr_eq(json_text(stalled, "status"), "True"))
		return json_text_or(stalled, "message", "stalled");
	return json_text_or(ready, "message", "");
}

SettleState settle_judge(const SettleRule *rule, const json_t *object, char **out_why)
{
	if (!was_handled(rule, object))
		return SETTLE_WAITING;
	if (!rule->is_static && !rule->handled_before && !ready_is_fresh(object))
		return SETTLE_WAITING;
	KstatusCode code = kstatus_of(object, NULL);
	if (code == KSTATUS_IN_PROGRESS)
		return SETTLE_WAITING;
	if (code == KSTATUS_CURRENT)
		return SETTLE_AT_REST;
	*out_why =
		mem_strdup(code == KSTATUS_TERMINATING ? "it is being deleted" : reason_of(object));
	return SETTLE_FAILED;
}

/* AwaitFn */
static bool see(void *arg, InformerEvent event, const json_t *object)
{
	Settle *settle = arg;
	if (event == INFORMER_SYNCED)
		return false;
	if (event == INFORMER_DELETED) {
		settle->failure = mem_strdup("it was deleted");
		settle->state = SETTLE_FAILED;
		return true;
	}
	json_decref(settle->last);
	settle->last = json_deep_copy(object);
	settle->state = settle_judge(&settle->rule, object, &settle->failure);
	return settle->state != SETTLE_WAITING;
}

Settle *settle_start(const SettleConfig *config)
{
	Settle *settle = mem_zalloc(1, sizeof(*settle));
	settle->what = mem_printf("%s/%s", config->row->kind, config->name);
	settle->rule = config->rule;
	settle->handled_before = mem_strdup(config->rule.handled_before);
	settle->rule.handled_before = settle->handled_before;
	settle->await = await_start(config->client, &(AwaitConfig){
							    .api_version = config->row->api_version,
							    .kind = config->row->kind,
							    .ns = config->ns,
							    .name = config->name,
							    .fn = see,
							    .arg = settle,
						    });
	return settle;
}

static json_t *outcome(Settle *settle, Error *err)
{
	if (settle->state == SETTLE_AT_REST)
		return steal(&settle->last);
	if (settle->state == SETTLE_FAILED)
		return err_null(err, ERR_INVALID, "%s", settle->failure);
	const char *why = reason_of(settle->last);
	return err_null(err, ERR_TIMEOUT, "timed out waiting for %s%s%s", settle->what,
			*why ? ": " : "", why);
}

json_t *settle_finish(Settle *take_settle, int64_t deadline_ms, Error *err)
{
	Settle *settle = take_settle;
	int64_t left = deadline_ms - clock_mono_ms();
	await_done(settle->await, left > 0 ? left : 0);
	await_stop(settle->await);
	json_t *object = outcome(settle, err);
	json_decref(settle->last);
	free(settle->what);
	free(settle->handled_before);
	free(settle->failure);
	free(settle);
	return object;
}
