#include "../cmocka_all.h"

#include "base/mem.h"
#include "data/semver.h"

/* What Masterminds/semver 3.5.0 answers: 1 and 0, 'c' for a constraint it refuses. */
static const struct {
	const char *range, *version;
	char answer;
} rows[] = {
#include "semver_table.h"
};

static void ranges_match_as_masterminds_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autosemver Semver version = {0};
		assert_true(semver_parse(rows[i].version, &version));
		autosemverrange SemverRange *range = semver_range_new(rows[i].range, &err);
		char answer = 'c';
		if (range)
			answer = semver_range_matches(range, &version) ? '1' : '0';
		if (answer != rows[i].answer)
			print_message("\"%s\" on %s: %c\n", rows[i].range, rows[i].version, answer);
		assert_int_equal(answer, rows[i].answer);
	}
}

static void precedence_follows_semver_11(void **state)
{
	(void)state;
	static const char *const order[] = {"1.0.0-alpha",
					    "1.0.0-alpha.1",
					    "1.0.0-alpha.beta",
					    "1.0.0-beta",
					    "1.0.0-beta.2",
					    "1.0.0-beta.11",
					    "1.0.0-rc.1",
					    "1.0.0",
					    "1.0.1",
					    "1.1",
					    "2"};
	for (size_t i = 0; i + 1 < COUNT(order); i++) {
		autosemver Semver a = {0}, b = {0};
		assert_true(semver_parse(order[i], &a) && semver_parse(order[i + 1], &b));
		assert_true(semver_compare(&a, &b) < 0 && semver_compare(&b, &a) > 0);
	}
	autosemver Semver a = {0}, b = {0};
	assert_true(semver_parse("v1.2.3+a", &a) && semver_parse("1.02.3+b", &b));
	assert_int_equal(semver_compare(&a, &b), 0);
	assert_string_equal(a.build, "a");
}

static void S22_tags_need_three_parts(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",	"v",	  "1.2.3.4",	"1.2.3-", "1.2.3-01", "a.b.c",
		"1..2", "1.2.3+", "1.2.3-a..b", "-1.2.3", " 1.2.3",   "99999999999999999999.0.0"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autosemver Semver version = {0};
		assert_false(semver_parse(bad[i], &version));
		assert_false(semver_parse_tag(bad[i], &version));
	}
	autosemver Semver a = {0}, b = {0}, c = {0};
	assert_true(semver_parse("1.2", &a));
	assert_false(semver_parse_tag("1.2", &b));
	assert_true(semver_parse_tag("v01.2.3-rc.1", &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_match_as_masterminds_does),
		cmocka_unit_test(precedence_follows_semver_11),
		cmocka_unit_test(S22_tags_need_three_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
