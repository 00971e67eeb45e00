/* The forms that names, keys and values of labels must have, with the texts of a real server. */
#include "names.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

enum { SUBDOMAIN_MAX = 253, LABEL_MAX_LEN = 63 };

static bool lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_label(Str text)
{
	if (text.len == 0 || !lower_alnum(text.ptr[0]) || !lower_alnum(text.ptr[text.len - 1]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!lower_alnum(text.ptr[i]) && text.ptr[i] != '-')
			return false;
	return true;
}

static bool is_subdomain(const char *text)
{
	Str rest = str_of(text);
	Str piece;
	if (str_ends(rest, STR(".")))
		return false;
	while (str_next(&rest, '.', &piece))
		if (!is_label(piece))
			return false;
	return *text != '\0';
}

static const char subdomain_text[] =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
	"used "
	"for validation is "
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char label_text[] =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
	"must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
	"used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

static bool qualified_part(Str text)
{
	if (text.len == 0 || text.len > LABEL_MAX_LEN || !isalnum((unsigned char)text.ptr[0]) ||
	    !isalnum((unsigned char)text.ptr[text.len - 1]))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)text.ptr[i]) && !strchr("-_.", text.ptr[i]))
			return false;
	return true;
}

bool name_is_qualified(const char *key)
{
	Str prefix, name;
	if (!str_cut(str_of(key), '/', &prefix, &name))
		return qualified_part(prefix);
	autofree char *domain = str_dup(prefix);
	for (char *c = domain; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return is_subdomain(domain) && qualified_part(name);
}

#define QUALIFIED                                                                                  \
	" must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "  \
	"an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "  \
	"validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

const char *name_qualified_text(const char *key)
{
	const char *slash = strchr(key, '/');
	if (slash && strchr(slash + 1, '/'))
		return "a qualified name" QUALIFIED
		       " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
	return "name part" QUALIFIED;
}

static const char value_text[] =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
	"'my_value', "
	" or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

static void check_form(const char *text, size_t limit, bool fits, const char *form,
		       const char *path, FieldErrors *errors)
{
	if (strlen(text) > limit)
		field_error(errors, "Invalid value", path,
			    "\"%s\": must be no more than %zu characters", text, limit);
	else if (!fits)
		field_error(errors, "Invalid value", path, "\"%s\": %s", text, form);
}

void name_check_label(const char *text, const char *path, FieldErrors *errors)
{
	check_form(text, LABEL_MAX_LEN, is_label(str_of(text)), label_text, path, errors);
}

void name_check_subdomain(const char *text, const char *path, FieldErrors *errors)
{
	check_form(text, SUBDOMAIN_MAX, is_subdomain(text), subdomain_text, path, errors);
}

void name_check_labels(const json_t *labels, const char *path, FieldErrors *errors)
{
	const char *key;
	json_t *value;
	json_t *members = (json_t *)(uintptr_t)labels;
	json_object_foreach(members, key, value)
	{
		const char *text = json_string_value(value);
		if (!name_is_qualified(key))
			field_error(errors, "Invalid value", path, "\"%s\": %s", key,
				    name_qualified_text(key));
		if (!text || (*text && !qualified_part(str_of(text))))
			field_error(errors, "Invalid value", path, "\"%s\": %s", text ? text : "",
				    value_text);
	}
}

void name_check_word(const char *text, bool mixed, const char *path, FieldErrors *errors)
{
	static const char rule[] =
		"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
		"with an alphabetic character, and end with an alphanumeric character (e.g. "
		"'my-name',  or 'abc-123', regex used for validation is "
		"'[a-z]([-a-z0-9]*[a-z0-9])?')";
	autofree char *word = mem_strdup(text);
	for (char *c = word; mixed && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	size_t len = strlen(word);
	bool fits = len > 0 && word[0] >= 'a' && word[0] <= 'z' && word[len - 1] != '-' &&
		    strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
	const char *lead = mixed ? "may have mixed case, but should otherwise match: " : "";
	autojson json_t *given = json_string(text);
	autofree char *quoted = json_dump(given);
	if (!fits && len > 0)
		field_error(errors, "Invalid value", path, "%s: %s%s", quoted, lead, rule);
	if (len > LABEL_MAX_LEN)
		field_error(errors, "Invalid value", path,
			    "%s: %smust be no more than %d characters", quoted, lead,
			    LABEL_MAX_LEN);
}
