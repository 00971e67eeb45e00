#include "helm/scalar.h"

#include "gotmpl/strconv.h"

/* strconv.FormatFloat(real, 'g', -1, 32): the shortest digits that read back as that float. */
static void write_real(double real, Buf *out)
{
	char text[32];
	double shortest = real;
	for (int digits = 0; digits < 9; digits++) {
		snprintf(text, sizeof(text), "%.*e", digits, (double)(float)real);
		shortest = strtod(text, NULL);
		if ((float)shortest >= (float)real && (float)shortest <= (float)real)
			break;
	}
	format_float(shortest, 'g', -1, out);
}

bool helm_scalar_text(const json_t *value, Buf *out)
{
	if (json_is_object(value) || json_is_array(value))
		return false;
	if (json_is_string(value))
		buf_append(out, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
		buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		write_real(json_real_value(value), out);
	else if (json_is_boolean(value))
		buf_puts(out, json_is_true(value) ? "true" : "false");
	return true;
}

json_t *helm_reals(json_t *value)
{
	const char *key;
	json_t *item;
	void *next;
	size_t index;
	if (json_is_integer(value))
		return json_real((double)json_integer_value(value));
	json_object_foreach_safe(value, next, key, item)
		json_object_set_new_nocheck(value, key, helm_reals(item));
	json_array_foreach(value, index, item) json_array_set_new(value, index, helm_reals(item));
	return json_incref(value);
}
