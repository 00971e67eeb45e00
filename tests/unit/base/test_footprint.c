#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/footprint.h"

static long resident_kib(void)
{
	char line[256];
	long kib = -1;
	FILE *status = fopen("/proc/self/status", "r");
	assert_non_null(status);
	while (fgets(line, sizeof(line), status))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	fclose(status);
	return kib;
}

static void less_is_resident_afterwards(void **state)
{
	(void)state;
	enum { BLOCKS = 4000, SIZE = 4000 };
	static char *blocks[BLOCKS];
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(SIZE);
		assert_non_null(blocks[i]);
		memset(blocks[i], 1, SIZE);
	}
	char *last = blocks[BLOCKS - 1]; /* keeps the heap from shrinking by itself */
	for (size_t i = 0; i < BLOCKS - 1; i++)
		free(blocks[i]);
	long before = resident_kib();
	footprint_shrink();
	long after = resident_kib();
	free(last);
	assert_true(after > 0 && after < before);
}

static void constants_and_data_are_what_they_were(void **state)
{
	(void)state;
	static const char constant[] = "constant";
	static char data[] = "data";
	data[0] = 'D';
	footprint_shrink();
	footprint_shrink();
	assert_string_equal(constant, "constant");
	assert_string_equal(data, "Data");
	assert_int_equal(strtol("42", NULL, 10), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(less_is_resident_afterwards),
		cmocka_unit_test(constants_and_data_are_what_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
