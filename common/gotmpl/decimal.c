#include "gotmpl/decimal.h"

#include <math.h>
#include <openssl/bn.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/json.h"

enum { QUOTIENT_DIGITS = 16 };

static void auto_bn(BIGNUM **number)
{
	BN_free(*number);
}
#define autobn __attribute__((cleanup(auto_bn)))

static void auto_context(BN_CTX **context)
{
	BN_CTX_free(*context);
}

/* OpenSSL's numbers fail for want of memory only. */
static void need(bool fine)
{
	if (!fine)
		abort();
}

void decimal_dispose(Decimal *decimal)
{
	BN_free(decimal->digits);
	*decimal = (Decimal){0};
}

bool decimal_set(Decimal *decimal, double real)
{
	char digits[JSON_DIGITS_SIZE];
	int point;
	if (!isfinite(real))
		return false;
	size_t count = json_real_digits(fabs(real), digits, &point);
	digits[count] = '\0';
	need(BN_dec2bn(&decimal->digits, digits) > 0);
	BN_set_negative(decimal->digits, real < 0);
	decimal->exponent = BN_is_zero(decimal->digits) ? 0 : point - (int)count;
	return true;
}

double decimal_real(const Decimal *decimal)
{
	autobuf Buf text = {0};
	char *digits = BN_bn2dec(decimal->digits);
	need(digits != NULL);
	buf_printf(&text, "%se%d", digits, decimal->exponent);
	OPENSSL_free(digits);
	return strtod(buf_text(&text), NULL);
}

/* number *= 10^power */
static void scale(BIGNUM *number, int power)
{
	for (; power > 0; power--)
		need(BN_mul_word(number, 10) == 1);
}

/* Brings both to the smaller exponent. */
static BIGNUM *align(Decimal *sum, const Decimal *operand)
{
	BIGNUM *other = BN_dup(operand->digits);
	need(other != NULL);
	if (sum->exponent > operand->exponent) {
		scale(sum->digits, sum->exponent - operand->exponent);
		sum->exponent = operand->exponent;
	} else {
		scale(other, operand->exponent - sum->exponent);
	}
	return other;
}

bool decimal_add(Decimal *sum, const Decimal *operand)
{
	autobn BIGNUM *other = align(sum, operand);
	need(BN_add(sum->digits, sum->digits, other) == 1);
	return true;
}

bool decimal_sub(Decimal *sum, const Decimal *operand)
{
	autobn BIGNUM *other = align(sum, operand);
	need(BN_sub(sum->digits, sum->digits, other) == 1);
	return true;
}

bool decimal_mul(Decimal *sum, const Decimal *operand)
{
	__attribute__((cleanup(auto_context))) BN_CTX *context = BN_CTX_new();
	need(context && BN_mul(sum->digits, sum->digits, operand->digits, context) == 1);
	sum->exponent += operand->exponent;
	return true;
}

bool decimal_div(Decimal *sum, const Decimal *operand)
{
	if (BN_is_zero(operand->digits))
		return false;
	__attribute__((cleanup(auto_context))) BN_CTX *context = BN_CTX_new();
	autobn BIGNUM *divisor = BN_dup(operand->digits);
	autobn BIGNUM *rest = BN_new();
	need(context && divisor && rest);
	bool negative = BN_is_negative(sum->digits) != BN_is_negative(divisor);
	BN_set_negative(sum->digits, 0);
	BN_set_negative(divisor, 0);
	int power = sum->exponent - operand->exponent + QUOTIENT_DIGITS;
	scale(sum->digits, power);
	scale(divisor, -power);
	need(BN_div(sum->digits, rest, sum->digits, divisor, context) == 1);
	need(BN_lshift1(rest, rest) == 1);
	if (BN_cmp(rest, divisor) >= 0)
		need(BN_add_word(sum->digits, 1) == 1);
	BN_set_negative(sum->digits, negative);
	sum->exponent = -QUOTIENT_DIGITS;
	return true;
}
