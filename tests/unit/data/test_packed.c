#include "../cmocka_all.h"

#include "data/packed.h"

#include <string.h>

#include "base/mem.h"

static void round_trip(const char *text, size_t len)
{
	size_t got;
	Packed *packed = packed_new(text, len);
	assert_non_null(packed);
	autofree char *back = packed_text(packed, &got);
	assert_int_equal(got, len);
	assert_memory_equal(back, text, len);
	assert_int_equal(back[len], '\0');
	packed_free(packed);
}

static void packs_and_unpacks(void **state)
{
	(void)state;
	char bytes[4096];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 2654435761U >> 13);
	round_trip("", 0);
	round_trip("a\0b", 3);
	round_trip(bytes, sizeof(bytes));
}

static void repeated_text_takes_little(void **state)
{
	(void)state;
	enum { LEN = 1 << 20 };
	autofree char *text = mem_alloc(LEN);
	memset(text, 'x', LEN);
	Packed *packed = packed_new(text, LEN);
	assert_true(packed_size(packed) < LEN / 100);
	packed_free(packed);
	round_trip(text, LEN);
	packed_free(NULL);
}

static void more_than_the_limit_is_not_packed(void **state)
{
	(void)state;
	assert_null(packed_new("", PACKED_MAX + (size_t)1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_and_unpacks),
		cmocka_unit_test(repeated_text_takes_little),
		cmocka_unit_test(more_than_the_limit_is_not_packed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
