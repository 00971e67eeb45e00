/*
 * The tables of functions. Each family is a file with a table that ends in a row without a name.
 * Those that need a library for large numbers or for secrets are far: `sluice` loads them when a
 * template names one, because linking that library takes longer than rendering most charts.
 */
#ifndef GOTMPL_FUNCTIONS_H
#define GOTMPL_FUNCTIONS_H

#include "gotmpl/value.h"

extern const GoFn functions_builtin[], functions_compare[], functions_strings[], functions_case[],
	functions_math[], functions_lists[], functions_dicts[], functions_merge[],
	functions_defaults[], functions_dates[], functions_regex[], functions_encoding[],
	functions_paths[], functions_urls[], functions_json[], functions_yaml[], functions_toml[],
	functions_helm[];
extern const GoFn functions_crypto[], functions_certs[], functions_decimals[], functions_digests[];

/* All of the first, near ones. */
extern const GoFn *const function_tables[];
extern const size_t function_table_count;

/* Of the far ones. */
typedef struct {
	const GoFn *const *tables;
	size_t count;
} GoFarFunctions;

/*
 * The far tables, alive as long as the process. A program has one of two: far_linked.c, or what
 * loads them. NULL when they cannot be loaded.
 */
const GoFarFunctions *functions_far(Error *err);

/* All of them, where they are linked. */
extern const GoFarFunctions functions_linked;

/* `and` and `or` are special: their operands are evaluated one by one. */
extern const GoFn *const function_and;
extern const GoFn *const function_or;
/* `call` names its first argument in errors. */
extern const GoFn *const function_call;

/* The methods of a type that is no struct, or NULL. */
const GoFn *methods_of(GoType type);

#endif
