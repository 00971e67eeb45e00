/* A version and a range, separated by a NUL: no crash; order is the same from both sides, and a
 * version equals itself. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static int sign(int number)
{
	return (number > 0) - (number < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	Str head, rest;
	autoerror Error err = {0};
	str_cut(str_sized((const char *)bytes, size), '\0', &head, &rest);
	autofree char *first = str_dup(head);
	autofree char *second = str_dup(rest);
	autosemver Semver a = {0}, b = {0};
	bool has_first = semver_parse(first, &a), has_second = semver_parse(second, &b);
	if (has_first && semver_compare(&a, &a) != 0)
		abort();
	if (has_first && has_second &&
	    sign(semver_compare(&a, &b)) != -sign(semver_compare(&b, &a)))
		abort();
	autosemverrange SemverRange *range = semver_range_new(second, &err);
	if (!range && !err_is_set(&err))
		abort();
	if (range && has_first &&
	    semver_range_matches(range, &a) != semver_range_matches(range, &a))
		abort();
	return 0;
}
