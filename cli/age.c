#include "age.h"

#include "base/mem.h"

char *age_text(int64_t seconds)
{
	int64_t minutes = seconds / 60, hours = seconds / 3600, days = hours / 24,
		years = days / 365;
	long long rest;
	if (seconds < -1)
		return mem_strdup("<invalid>");
	if (seconds < 120)
		return mem_printf("%llds", (long long)(seconds < 0 ? 0 : seconds));
	if (minutes < 10 && (rest = seconds % 60))
		return mem_printf("%lldm%llds", (long long)minutes, rest);
	if (minutes < 180)
		return mem_printf("%lldm", (long long)minutes);
	if (hours < 8 && (rest = minutes % 60))
		return mem_printf("%lldh%lldm", (long long)hours, rest);
	if (hours < 48)
		return mem_printf("%lldh", (long long)hours);
	if (days < 8 && (rest = hours % 24))
		return mem_printf("%lldd%lldh", (long long)days, rest);
	if (days < 730)
		return mem_printf("%lldd", (long long)days);
	if (years < 8 && (rest = days % 365))
		return mem_printf("%lldy%lldd", (long long)years, rest);
	return mem_printf("%lldy", (long long)years);
}
