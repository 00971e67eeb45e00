/* The function tables as one list. */
#include <string.h>

#include "cel/cel_internal.h"

static const CelFunctions *const tables[] = {
	&cel_functions_operators, &cel_functions_standard, &cel_functions_time,
	&cel_functions_optional,  &cel_functions_strings,  &cel_functions_lists,
	&cel_functions_regex,	  &cel_functions_quantity, &cel_functions_net,
	&cel_functions_url,	  &cel_functions_semver,   &cel_functions_format,
};

const CelFunction *cel_function_at(size_t index)
{
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (index < tables[i]->count)
			return &tables[i]->rows[index];
		index -= tables[i]->count;
	}
	return NULL;
}

const CelFunction *cel_function_next(size_t *at, const char *name, unsigned flags)
{
	const CelFunction *row;
	for (; (row = cel_function_at(*at)); ++*at)
		if ((row->libraries & flags) && strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

bool cel_function_exists(const char *name, unsigned flags)
{
	size_t at = 0;
	return cel_function_next(&at, name, flags) != NULL;
}
