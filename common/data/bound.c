#include "data/bound.h"

#include "base/str.h"
#include "data/duration.h"

bool bound_count(const char *flag, const char *text, uint64_t *out, Error *err)
{
	unsigned long long number;
	if (cstr_empty(text))
		return true;
	if (!str_to_u64(str_of(text), &number) || number == 0)
		return err_set(err, ERR_INVALID, "%s: a number above 0 expected", flag);
	*out = number;
	return true;
}

bool bound_bytes(const char *flag, const char *text, size_t *out, Error *err)
{
	uint64_t number = *out;
	bool fine = bound_count(flag, text, &number, err);
	*out = (size_t)number;
	return fine;
}

bool bound_time(const char *flag, const char *text, int64_t *out_ms, Error *err)
{
	int64_t time_ms;
	if (cstr_empty(text))
		return true;
	if (!duration_parse(text, &time_ms) || time_ms <= 0)
		return err_set(err, ERR_INVALID, "%s: a duration above 0 expected, as in 5s", flag);
	*out_ms = time_ms;
	return true;
}
