/* What objects say of themselves when somebody waited for them in vain. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "kube/why.h"

static void says(const char *text, KstatusCode code, const char *wanted)
{
	autoerror Error err = {0};
	autojson json_t *object = json_parse(text, strlen(text), SIZE_MAX, &err);
	assert_non_null(object);
	autofree char *why = why_of(object, code);
	if (!wanted) {
		assert_null(why);
		return;
	}
	assert_non_null(why);
	assert_string_equal(why, wanted);
}

#define CONDITIONS(list) "{\"kind\":\"W\",\"status\":{\"conditions\":[" list "]}}"
#define CONDITION(type, status, message)                                                           \
	"{\"type\":\"" type "\",\"status\":\"" status "\",\"reason\":\"R\",\"message\":\"" message \
	"\"}"

static void test_conditions(void **state)
{
	(void)state;
	says(CONDITIONS(CONDITION("Ready", "False", "no licence")), KSTATUS_IN_PROGRESS,
	     "Ready is False: no licence");
	says(CONDITIONS(CONDITION("Ready", "False", "")), KSTATUS_IN_PROGRESS, "Ready is False: R");
	says(CONDITIONS("{\"type\":\"Ready\",\"status\":\"Unknown\"}"), KSTATUS_IN_PROGRESS,
	     "Ready is Unknown");
	says(CONDITIONS(CONDITION("Reconciling", "True", "again") "," CONDITION("Ready", "False",
										"no licence")),
	     KSTATUS_IN_PROGRESS, "Reconciling is True: again: Ready is False: no licence");
	/* Some write one message into both; what was is no news while somebody is at work. */
	says(CONDITIONS(CONDITION("Reconciling", "True", "again") "," CONDITION("Ready", "Unknown",
										"again")),
	     KSTATUS_IN_PROGRESS, "Reconciling is True: again");
	says(CONDITIONS(CONDITION("Reconciling", "True", "again") "," CONDITION("Ready", "True",
										"all is well")),
	     KSTATUS_IN_PROGRESS, "Reconciling is True: again");
}

/* Who judges otherwise than kstatus has the conditions alone. */
static void test_another_judge(void **state)
{
	(void)state;
	says(CONDITIONS(CONDITION("Ready", "False", "no licence")), KSTATUS_FAILED,
	     "Ready is False: no licence");
	says(CONDITIONS(CONDITION("Ready", "False", "no licence") "," CONDITION("Stalled", "True",
										"no plan")),
	     KSTATUS_UNKNOWN, "Stalled is True: no plan");
	says(CONDITIONS(CONDITION("Ready", "True", "all is well")), KSTATUS_FAILED, NULL);
	says("{\"kind\":\"W\"}", KSTATUS_IN_PROGRESS, NULL);
}

static void test_objects(void **state)
{
	(void)state;
	says("{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}", KSTATUS_TERMINATING,
	     "being deleted");
	says("{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\","
	     "\"finalizers\":[\"a/b\",7,\"c/d\"]}}",
	     KSTATUS_TERMINATING, "being deleted, held by finalizers: a/b, , c/d");
	says("{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"status\":{\"conditions\":["
	     "{\"type\":\"ReplicaFailure\",\"status\":\"True\",\"message\":\"over quota\"}]}}",
	     KSTATUS_IN_PROGRESS, "a replica failed: over quota");
}

static void test_it_is_bounded_and_harmless(void **state)
{
	(void)state;
	enum { LONG = 5000, BOUND = 500 };
	autobuf Buf text = {0};
	buf_puts(&text, "{\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\","
			"\"message\":\"\\u001b[2J");
	for (int i = 0; i < LONG; i++)
		buf_putc(&text, 'x');
	buf_puts(&text, "\"}]}}");
	autoerror Error err = {0};
	autojson json_t *object = json_parse(buf_text(&text), text.len, SIZE_MAX, &err);
	autofree char *why = why_of(object, KSTATUS_IN_PROGRESS);
	assert_int_equal(strlen(why), BOUND);
	assert_memory_equal(why, "Ready is False:  [2Jxxx", 23);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_another_judge),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_it_is_bounded_and_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
