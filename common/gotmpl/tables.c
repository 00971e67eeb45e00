#include "base/auto.h"
#include "gotmpl/functions.h"
#include "gotmpl/objects.h"

const GoFn *const function_tables[] = {
	functions_builtin,  functions_compare,	functions_strings, functions_case,
	functions_math,	    functions_lists,	functions_dicts,   functions_merge,
	functions_defaults, functions_json,	functions_yaml,	   functions_helm,
	functions_regex,    functions_encoding, functions_paths,   functions_dates,
	functions_urls,	    functions_toml,
};
const size_t function_table_count = COUNT(function_tables);

const GoFn *methods_of(GoType type)
{
	if (type == GO_FILES)
		return methods_files;
	if (type == GO_VALUES)
		return methods_values;
	if (type == GO_VERSIONS)
		return methods_versions;
	return type == GO_TIME ? methods_time : NULL;
}
