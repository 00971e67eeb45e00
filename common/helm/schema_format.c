#include <arpa/inet.h>

#include "base/mem.h"
#include "data/regex.h"
#include "helm/schema_internal.h"

/* Texts that claim a format. What is not known fits. */

static bool is_ipv4(const char *text)
{
	struct in_addr address;
	return inet_pton(AF_INET, text, &address) == 1;
}

static bool is_ipv6(const char *text)
{
	struct in6_addr address;
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool has_form(const char *text, const char *pattern)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_SEARCH, &err);
	return regex && regex_matches(regex, text, strlen(text));
}

static bool is_hostname(const char *text)
{
	return strlen(text) <= 253 &&
	       has_form(text, "^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)"
			      "(\\.([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?))*\\.?$");
}

static bool is_email(const char *text)
{
	const char *at = strrchr(text, '@');
	if (!at || at - text > 64 || strlen(text) > 254)
		return false;
	if (at[1] == '[') {
		autofree char *address = mem_strndup(at + 2, strlen(at + 2));
		size_t len = strlen(address);
		bool closed = len > 0 && address[len - 1] == ']';
		address[closed ? len - 1 : 0] = '\0';
		return cstr_starts(address, "IPv6:") ? is_ipv6(address + 5) : is_ipv4(address);
	}
	return is_hostname(at + 1) &&
	       has_form(text,
			"^(([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*)?"
			"|\"[^\"\\\\]*\"?)@");
}

static int number_at(const char *text, size_t at, size_t count)
{
	int number = 0;
	for (size_t i = 0; i < count; i++)
		number = number * 10 + (text[at + i] - '0');
	return number;
}

static bool is_date(const char *text)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (!has_form(text, "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))
		return false;
	int year = number_at(text, 0, 4), month = number_at(text, 5, 2);
	int day = number_at(text, 8, 2);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (month == 2 && leap);
}

/* A second of 60 is one at the end of a day in UTC only. */
static bool is_time(const char *text)
{
	if (!has_form(text, "^[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})$"))
		return false;
	int hour = number_at(text, 0, 2), minute = number_at(text, 3, 2);
	int second = number_at(text, 6, 2), offset = 0;
	const char *zone = text + strcspn(text, "zZ+-");
	if (*zone == '+' || *zone == '-') {
		int hours = number_at(zone, 1, 2), minutes = number_at(zone, 4, 2);
		if (hours > 23 || minutes > 59)
			return false;
		offset = (*zone == '+' ? -1 : 1) * (hours * 60 + minutes);
	}
	int utc = ((hour * 60 + minute + offset) % 1440 + 1440) % 1440;
	return hour <= 23 && minute <= 59 && (second <= 59 || (second == 60 && utc == 1439));
}

static bool is_date_time(const char *text)
{
	if (strlen(text) < 20 || (text[10] != 'T' && text[10] != 't'))
		return false;
	autofree char *date = mem_strndup(text, 10);
	return is_date(date) && is_time(text + 11);
}

/* As net/url parses: control characters nowhere, escapes whole but in the query, hosts and ports of
 * their characters, no colon in the first part of a path. */
static bool parses_as_url(const char *text)
{
	static const char *const wrong[] = {
		"[\\x00-\\x1f\\x7f]",
		"^[^?#]*%([^0-9A-Fa-f]|[0-9A-Fa-f]([^0-9A-Fa-f]|$)|$)",
		"^:",
		"^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*[ \\\\^`{|}]",
		"^([A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*:[0-9]*[^0-9/?#\\]][^]/?#]*([/?#]|$)",
	};
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (has_form(text, wrong[i]))
			return false;
	return has_form(text, "^[A-Za-z][A-Za-z0-9+.-]*:") || !has_form(text, "^[^/?#]*:");
}

static bool is_uri_reference(const char *text)
{
	return !strchr(text, '\\') && parses_as_url(text);
}

static bool is_uri(const char *text)
{
	return parses_as_url(text) && has_form(text, "^[A-Za-z][A-Za-z0-9+.-]*:");
}

static bool is_uuid(const char *text)
{
	return has_form(text, "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$");
}

static bool is_regex(const char *text)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(text, REGEX_SEARCH, &err);
	return regex != NULL;
}

static bool is_json_pointer(const char *text)
{
	return has_form(text, "^(/([^~/]|~[01])*)*$");
}

bool schema_check_format(Check *check, const json_t *schema)
{
	static const struct {
		const char *name;
		bool (*fits)(const char *text);
	} rows[] = {
		{"date", is_date},
		{"date-time", is_date_time},
		{"email", is_email},
		{"hostname", is_hostname},
		{"ipv4", is_ipv4},
		{"ipv6", is_ipv6},
		{"json-pointer", is_json_pointer},
		{"regex", is_regex},
		{"time", is_time},
		{"uri", is_uri},
		{"uri-reference", is_uri_reference},
		{"uuid", is_uuid},
	};
	const char *format = json_text(schema, "format");
	const char *text = json_string_value(check->place.value);
	if (!format || !text || check->v->draft > 7)
		return true;
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!cstr_eq(rows[i].name, format) || rows[i].fits(text))
			continue;
		schema_report(check, "%s is not valid %s", schema_quote(check->v, text), format);
		return false;
	}
	return true;
}
