#include "../cmocka_all.h"

#include "base/error.h"
#include "base/mem.h"

static void hiding_takes_every_copy_of_a_secret_out(void **state)
{
	(void)state;
	static const struct {
		const char *message, *secret, *want;
	} rows[] = {
		{"login tess:hunter2 refused", "hunter2", "login tess:*** refused"},
		{"hunter2hunter2", "hunter2", "******"},
		{"hunter2", "hunter2", "***"},
		{"aaaaaaaaa", "aaaa", "******a"},
		{"nothing here", "hunter2", "nothing here"},
		{"a short one", "ort", "a short one"},
		{"none", NULL, "none"},
		{"empty", "", "empty"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		err_set(&err, ERR_INVALID, "%s", rows[i].message);
		err_hide(&err, rows[i].secret);
		assert_string_equal(err_text(&err), rows[i].want);
	}
	autoerror Error unset = {0};
	err_hide(&unset, "hunter2");
	assert_false(err_is_set(&unset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hiding_takes_every_copy_of_a_secret_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
