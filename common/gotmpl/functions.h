/* The tables of functions. Each family is a file with a table that ends in a row without a name. */
#ifndef GOTMPL_FUNCTIONS_H
#define GOTMPL_FUNCTIONS_H

#include "gotmpl/value.h"

extern const GoFn functions_builtin[], functions_compare[], functions_strings[], functions_case[],
	functions_math[], functions_lists[], functions_dicts[], functions_merge[],
	functions_defaults[], functions_dates[], functions_regex[], functions_encoding[],
	functions_crypto[], functions_certs[], functions_paths[], functions_urls[],
	functions_json[], functions_yaml[], functions_toml[], functions_helm[];

/* All of them. */
extern const GoFn *const function_tables[];
extern const size_t function_table_count;

/* `and` and `or` are special: their operands are evaluated one by one. */
extern const GoFn *const function_and;
extern const GoFn *const function_or;
/* `call` names its first argument in errors. */
extern const GoFn *const function_call;

/* The methods of a type that is no struct, or NULL. */
const GoFn *methods_of(GoType type);

#endif
