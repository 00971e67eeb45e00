#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "settle.h"

/* An object at generation 3, with a status. */
static json_t *object(const char *status)
{
	autofree char *text = mem_printf("{\"kind\":\"GitRepository\",\"apiVersion\":"
					 "\"source.toolkit.fluxcd.io/v1\",\"metadata\":{"
					 "\"generation\":3},\"status\":%s}",
					 status);
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 65536, &err);
	assert_non_null(value);
	return value;
}

static void expect(const SettleRule *rule, const char *status, SettleState wanted, const char *why)
{
	autojson json_t *value = object(status);
	autofree char *said = NULL;
	assert_int_equal(settle_judge(rule, value, &said), wanted);
	if (why)
		assert_string_equal(said, why);
	else
		assert_null(said);
}

#define READY(status)                                                                              \
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"" status "\",\"message\":\"m\"}]"
#define STALLED                                                                                    \
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"},"                               \
	"{\"type\":\"Stalled\",\"status\":\"True\",\"message\":\"bad spec\"}]"

static void C61_C62_a_request_is_handled(void **state)
{
	(void)state;
	const SettleRule rule = {.handled_before = "old"};
	expect(&rule, "{\"lastHandledReconcileAt\":\"old\"," READY("True") "}", SETTLE_WAITING,
	       NULL);
	expect(&rule, "{\"lastHandledReconcileAt\":\"new\"," READY("True") "}", SETTLE_AT_REST,
	       NULL);
	expect(&rule,
	       "{\"lastHandledReconcileAt\":\"new\",\"observedGeneration\":2," READY("True") "}",
	       SETTLE_WAITING, NULL);
	expect(&rule, "{\"lastHandledReconcileAt\":\"new\"," READY("False") "}", SETTLE_WAITING,
	       NULL);
	expect(&rule, "{\"lastHandledReconcileAt\":\"new\"," READY("Unknown") "}", SETTLE_WAITING,
	       NULL);
	expect(&rule, "{\"lastHandledReconcileAt\":\"new\"," STALLED "}", SETTLE_FAILED,
	       "bad spec");
	const SettleRule first = {.handled_before = ""};
	expect(&first, "{" READY("True") "}", SETTLE_WAITING, NULL);
	expect(&first, "{\"lastHandledReconcileAt\":\"new\"," READY("True") "}", SETTLE_AT_REST,
	       NULL);
}

static void C65_resumed_is_ready_at_its_generation(void **state)
{
	(void)state;
	const SettleRule rule = {0};
	expect(&rule, "{}", SETTLE_WAITING, NULL);
	expect(&rule, "{\"observedGeneration\":3}", SETTLE_WAITING, NULL);
	expect(&rule, "{\"observedGeneration\":2," READY("True") "}", SETTLE_WAITING, NULL);
	expect(&rule, "{\"observedGeneration\":3," READY("True") "}", SETTLE_AT_REST, NULL);
	expect(&rule, "{\"observedGeneration\":3," READY("False") "}", SETTLE_WAITING, NULL);
	/* The condition's own generation counts where it is there. */
	expect(&rule,
	       "{\"observedGeneration\":3,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\","
	       "\"observedGeneration\":2}]}",
	       SETTLE_WAITING, NULL);
	expect(&rule, "{\"observedGeneration\":3," STALLED "}", SETTLE_FAILED, "bad spec");
}

static void C65_static_kinds_have_nothing_to_wait_for(void **state)
{
	(void)state;
	const SettleRule rule = {.is_static = true};
	expect(&rule, "{}", SETTLE_AT_REST, NULL);
	expect(&rule, "{\"observedGeneration\":-1}", SETTLE_WAITING, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C61_C62_a_request_is_handled),
		cmocka_unit_test(C65_resumed_is_ready_at_its_generation),
		cmocka_unit_test(C65_static_kinds_have_nothing_to_wait_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
