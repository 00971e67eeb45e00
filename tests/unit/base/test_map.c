#include "../cmocka_all.h"

#include <stdio.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"

static void survives_growth_and_removal(void **state)
{
	(void)state;
	automap Map *map = map_new(free);
	char key[32];
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		map_put(map, key, mem_strdup(key));
	}
	for (int i = 0; i < 5000; i += 2) {
		snprintf(key, sizeof(key), "key-%d", i);
		assert_true(map_remove(map, key));
		assert_false(map_remove(map, key));
	}
	assert_int_equal(map_len(map), 2500);
	for (int i = 0; i < 5000; i++) {
		snprintf(key, sizeof(key), "key-%d", i);
		const char *value = map_get(map, key);
		if (i % 2)
			assert_string_equal(value, key);
		else
			assert_null(value);
	}
}

static void iterates_in_insertion_order(void **state)
{
	(void)state;
	automap Map *map = map_new(NULL);
	map_put(map, "b", map);
	map_put(map, "a", map);
	map_put(map, "c", map);
	map_remove(map, "a");
	size_t at = 0;
	const char *key;
	assert_true(map_next(map, &at, &key, NULL));
	assert_string_equal(key, "b");
	assert_true(map_next(map, &at, &key, NULL));
	assert_string_equal(key, "c");
	assert_false(map_next(map, &at, &key, NULL));
}

/* A removed and re-added key many times over must not let the table fill with tombstones. */
static void churn_stays_bounded(void **state)
{
	(void)state;
	automap Map *map = map_new(free);
	for (int i = 0; i < 100000; i++) {
		map_put(map, "same", mem_strdup("x"));
		assert_true(map_remove(map, "same"));
	}
	assert_int_equal(map_len(map), 0);
}

static int compare_first(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void sort_is_stable(void **state)
{
	(void)state;
	autovec Vec vec = {0};
	static const char *const in[] = {"b1", "a1", "b2", "a2", "a3"};
	for (size_t i = 0; i < COUNT(in); i++)
		vec_push(&vec, mem_strdup(in[i]));
	vec_sort(&vec, compare_first);
	static const char *const want[] = {"a1", "a2", "a3", "b1", "b2"};
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(vec.items[i], want[i]);
		free(vec.items[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_growth_and_removal),
		cmocka_unit_test(iterates_in_insertion_order),
		cmocka_unit_test(churn_stays_bounded),
		cmocka_unit_test(sort_is_stable),
	};
	return cmocka_run_group_tests_name("base/map", tests, NULL, NULL);
}
