#include "../cmocka_all.h"

#include "age.h"
#include "base/auto.h"

static void spans_read_as_kubectl_shows_them(void **state)
{
	(void)state;
	enum { MINUTE = 60, HOUR = 3600, DAY = 86400, YEAR = 365 * 86400 };
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{-2, "<invalid>"},
		{-1, "0s"},
		{0, "0s"},
		{119, "119s"},
		{2 * MINUTE, "2m"},
		{2 * MINUTE + 1, "2m1s"},
		{9 * MINUTE + 59, "9m59s"},
		{10 * MINUTE + 1, "10m"},
		{179 * MINUTE, "179m"},
		{3 * HOUR, "3h"},
		{3 * HOUR + 60, "3h1m"},
		{7 * HOUR + 59 * MINUTE, "7h59m"},
		{8 * HOUR + 59 * MINUTE, "8h"},
		{47 * HOUR, "47h"},
		{2 * DAY, "2d"},
		{2 * DAY + HOUR, "2d1h"},
		{8 * DAY + HOUR, "8d"},
		{2 * YEAR - DAY, "729d"},
		{2 * YEAR, "2y"},
		{2 * YEAR + DAY, "2y1d"},
		{8LL * YEAR + DAY, "8y"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *text = age_text(rows[i].seconds);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(spans_read_as_kubectl_shows_them)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
