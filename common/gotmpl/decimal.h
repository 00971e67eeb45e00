/* Decimal numbers of any length, as github.com/shopspring/decimal computes: digits * 10^exponent.
 */
#ifndef GOTMPL_DECIMAL_H
#define GOTMPL_DECIMAL_H

#include <stdbool.h>

typedef struct {
	struct bignum_st *digits; /* NULL is 0 */
	int exponent;
} Decimal;

void decimal_dispose(Decimal *decimal);
#define autodecimal __attribute__((cleanup(decimal_dispose)))

/* The shortest decimal that reads back as `real`; false for NaN and infinities. */
bool decimal_set(Decimal *decimal, double real);
/* The nearest float. */
double decimal_real(const Decimal *decimal);

/* *sum = *sum OP *operand; false for a division by zero. Quotients have 16 digits behind the point,
 * rounded half away from zero. */
typedef bool (*DecimalOp)(Decimal *sum, const Decimal *operand);
bool decimal_add(Decimal *sum, const Decimal *operand);
bool decimal_sub(Decimal *sum, const Decimal *operand);
bool decimal_mul(Decimal *sum, const Decimal *operand);
bool decimal_div(Decimal *sum, const Decimal *operand);

#endif
