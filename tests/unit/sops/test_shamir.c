#include "../cmocka_all.h"

#include "base/mem.h"
#include "sops/keys.h"

/* Multiplication in AES's field, by shifting: not as the product has it. */
static unsigned char times(unsigned char a, unsigned char b)
{
	unsigned char product = 0;
	while (b) {
		if (b & 1)
			product ^= a;
		a = (unsigned char)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
		b >>= 1;
	}
	return product;
}

enum { LEN = 5 };

static const unsigned char secret[LEN] = {0, 1, 0x80, 0xff, 42};

/* A part of the secret for x, of polynomials of the second degree. */
static Buf part_of(unsigned char x)
{
	Buf part = {0};
	for (unsigned char i = 0; i < LEN; i++) {
		unsigned char first = (unsigned char)(i * 37 + 1),
			      second = (unsigned char)(i + 200);
		unsigned char value = secret[i] ^ times(first, x) ^ times(second, times(x, x));
		buf_putc(&part, (char)value);
	}
	buf_putc(&part, (char)x);
	return part;
}

static void K40_any_parts_enough_make_the_secret(void **state)
{
	(void)state;
	static const unsigned char xs[][3] = {{1, 2, 3}, {3, 1, 2}, {255, 7, 128}, {2, 4, 9}};
	for (size_t i = 0; i < COUNT(xs); i++) {
		autoerror Error err = {0};
		autobuf Buf a = part_of(xs[i][0]), b = part_of(xs[i][1]), c = part_of(xs[i][2]);
		autobuf Buf out = {0};
		autovec Vec parts = {0};
		vec_push(&parts, &a);
		vec_push(&parts, &b);
		vec_push(&parts, &c);
		assert_true(shamir_join(&parts, &out, &err));
		assert_int_equal(out.len, LEN);
		assert_memory_equal(out.ptr, secret, LEN);
		/* Two are not enough, and do not look so. */
		vec_pop(&parts);
		buf_clear(&out);
		assert_true(shamir_join(&parts, &out, &err));
		assert_memory_not_equal(out.ptr, secret, LEN);
	}
}

static void K41_parts_that_do_not_belong_together(void **state)
{
	(void)state;
	autobuf Buf a = part_of(1), same = part_of(1), zero = part_of(0), shorter = {0};
	autobuf Buf out = {0};
	buf_puts(&shorter, "xy");
	Buf *seconds[] = {&same, &zero, &shorter};
	for (size_t i = 0; i < COUNT(seconds); i++) {
		autoerror Error err = {0};
		autovec Vec parts = {0};
		vec_push(&parts, &a);
		vec_push(&parts, seconds[i]);
		assert_false(shamir_join(&parts, &out, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	autoerror Error err = {0};
	autovec Vec one = {0};
	vec_push(&one, &a);
	assert_false(shamir_join(&one, &out, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K40_any_parts_enough_make_the_secret),
		cmocka_unit_test(K41_parts_that_do_not_belong_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
