#include "data/written.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "data/written_internal.h"

/* Recursion is as deep as the parsers allow trees to be. */

enum { WRITTEN_LEAD = 0xff, SHORT_DIGITS = 18 };

const char *written_text(const json_t *value)
{
	const char *text = json_string_value(value);
	return text && (unsigned char)*text == WRITTEN_LEAD ? text + 1 : NULL;
}

const char *written_string(const json_t *value)
{
	return written_text(value) ? NULL : json_string_value(value);
}

static json_t *value_of(const char *text, const YamlScalar *scalar)
{
	switch (scalar->type) {
	case YAML_BOOL:
		return json_boolean(scalar->flag);
	case YAML_INT:
		return json_integer(scalar->integer);
	case YAML_FLOAT:
		return isfinite(scalar->real) ? json_real(scalar->real) : json_string_nocheck(text);
	case YAML_TIMESTAMP:
		return json_string_nocheck(scalar->stamp);
	case YAML_NULL:
		return json_null();
	case YAML_STR:
	default:
		return json_string_nocheck(text);
	}
}

json_t *written_value(const json_t *value)
{
	const char *text = written_text(value);
	if (!text)
		return json_incref(json_borrow(value));
	YamlScalar scalar;
	yaml_resolve(str_of(text), &scalar);
	return value_of(text, &scalar);
}

bool written_is_large(const json_t *value, uint64_t *out)
{
	const char *text = written_text(value);
	YamlScalar scalar = {0};
	if (text)
		yaml_resolve(str_of(text), &scalar);
	*out = scalar.large;
	return scalar.large > 0;
}

/* Most numbers are: no need to write them to see that nothing is lost. */
static bool is_short_decimal(Str text)
{
	if (text.len == 0 || text.len > SHORT_DIGITS || (text.len > 1 && *text.ptr == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return true;
}

static bool says_more(const json_t *value, Str text, const YamlScalar *scalar)
{
	if (scalar->type == YAML_STR || scalar->type == YAML_NULL || is_short_decimal(text))
		return false;
	/* Also where it is its own text: its type would be lost. */
	if (scalar->type == YAML_TIMESTAMP)
		return true;
	autofree char *plain = json_dump(value);
	return !str_eq(text, str_of(plain));
}

json_t *written_keep(json_t *value, Str text, const YamlScalar *scalar)
{
	if (!says_more(value, text, scalar))
		return json_incref(value);
	autobuf Buf whole = {0};
	buf_putc(&whole, (char)WRITTEN_LEAD);
	buf_add(&whole, text);
	return json_stringn_nocheck(buf_text(&whole), whole.len);
}

json_t *written_of(const char *text)
{
	YamlScalar scalar;
	yaml_resolve(str_of(text), &scalar);
	autojson json_t *value = value_of(text, &scalar);
	return written_keep(value, str_of(text), &scalar);
}

bool written_is_quoted(const json_t *value)
{
	size_t len = json_string_length(value);
	return len > 0 && json_string_value(value)[len - 1] == '\0';
}

void written_quote(json_t *string)
{
	if (written_is_quoted(string))
		return;
	autofree char *text = mem_strdup(json_string_value(string));
	json_string_setn_nocheck(string, text, strlen(text) + 1);
}

void written_set_text(json_t *string, const char *text)
{
	bool quoted = written_is_quoted(string);
	json_string_setn_nocheck(string, text, strlen(text) + (quoted ? 1 : 0));
}

Str written_str(const json_t *string)
{
	size_t len = json_string_length(string);
	return str_sized(json_string_value(string), len - (written_is_quoted(string) ? 1 : 0));
}

void written_settle(json_t **tree)
{
	if (written_text(*tree)) {
		json_t *value = written_value(*tree);
		json_decref(*tree);
		*tree = value;
		return;
	}
	if (written_is_quoted(*tree)) {
		autofree char *text = str_dup(written_str(*tree));
		json_string_set_nocheck(*tree, text);
		return;
	}
	const char *key;
	size_t index;
	json_t *member;
	json_object_foreach(*tree, key, member)
	{
		if (written_text(member))
			json_object_set_new_nocheck(*tree, key, written_value(member));
		else
			written_settle(&member);
	}
	json_array_foreach(*tree, index, member)
	{
		if (written_text(member))
			json_array_set_new(*tree, index, written_value(member));
		else
			written_settle(&member);
	}
}
