/* What the parts of the CEL engine share: values, types, the syntax tree, functions. */
#ifndef CEL_CEL_INTERNAL_H
#define CEL_CEL_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "cel/cel.h"

enum {
	CEL_TEXT_MAX = 100000, /* code points, as cel-go */
	CEL_DEPTH_MAX = 250,   /* of nested expressions, as cel-go */
	CEL_HEIGHT_MAX = 400,  /* of its tree: threads have small stacks */
	CEL_ERRORS_MAX = 100,
	CEL_VALUE_DEPTH_MAX = 400, /* of values within values */
};

typedef struct {
	const char *name;
	const char *member;
	const CelType *type;
} CelField;

struct CelType {
	CelKind kind;
	const char *name;      /* of objects and opaque types */
	const CelType *first;  /* items, keys, what an optional holds, what a type is of */
	const CelType *second; /* values of a map */
	Map *fields;	       /* of an object: name -> CelField */
	bool is_set;
	const char *const *keys; /* of a list of kind "map" */
	size_t key_count;
	unsigned param;	   /* number of a type parameter */
	uint64_t max_size; /* of a value, as its schema has it: for estimates */
};

typedef struct CelList CelList;
typedef struct CelMap CelMap;
typedef struct CelQuantity CelQuantity;
typedef struct CelNet CelNet;
typedef struct CelUrl CelUrl;
typedef struct CelSemver CelSemver;
typedef struct CelFormat CelFormat;
typedef struct CelValue CelValue;

typedef struct {
	int64_t seconds; /* since 1970 */
	int32_t nanos;	 /* 0..999999999 */
	int32_t offset;	 /* seconds east of UTC as it was written */
} CelTime;

/* A value is small and copied; what it points to lives in the evaluation's or program's arena. */
struct CelValue {
	CelKind kind;
	union {
		bool flag;
		int64_t integer; /* also nanoseconds of a duration */
		uint64_t natural;
		double real;
		Str text; /* string, bytes, message of an error */
		CelTime time;
		CelList *list;
		CelMap *map; /* map and object */
		const CelType *type;
		const CelValue *inner; /* optional; NULL when it has none */
		const CelQuantity *quantity;
		const CelNet *net; /* IP and CIDR */
		const CelUrl *url;
		const CelSemver *semver;
		const CelFormat *format;
	};
};

/* Items of its own, or a JSON array read as it is asked for. */
struct CelList {
	size_t len, cap;
	CelValue *items;
	const json_t *json;
	const CelType *type; /* of the list, for JSON */
	bool growing;	     /* belongs to a running comprehension, which may add in place */
};

struct CelMap {
	size_t len, cap;
	CelValue *keys, *values;
	uint32_t *slots; /* open addressing over keys, index + 1; NULL for small maps */
	size_t slot_count;
	json_t *json;
	const CelType *type;
	bool growing;
};

/* The state of one evaluation. */
typedef struct CelFrame CelFrame;
typedef struct CelNode CelNode;
typedef struct {
	Arena *arena;
	const CelProgram *program;
	const CelVariable *variables;
	size_t variable_count;
	CelFrame *frame;
	uint64_t cost, cost_max;
	size_t memory_max;
	int64_t deadline_ms;
	unsigned ticks;
	bool stopped; /* a limit was passed: everything ends in an error */
	const char *stop_text;
	bool over_cost;
	int depth;
	const CelNode *call; /* the one whose implementation runs */
} CelRun;

/* Syntax tree */
typedef enum {
	NODE_CONST,
	NODE_IDENT,
	NODE_SELECT,
	NODE_CALL,
	NODE_LIST,
	NODE_MAP,
	NODE_FOLD
} NodeKind;

typedef struct CelFold CelFold;
typedef struct CelEstimate CelEstimate;

enum { FUNCTION_NONE = -1, FUNCTION_MANY = -2 };
typedef struct CelFunction CelFunction;
struct CelNode {
	NodeKind kind;
	int offset;	     /* code points from the start, for messages */
	int id;		     /* order of the error among those at the same place */
	const CelType *type; /* set by the checker */
	CelValue value;	     /* const */
	const char *name;    /* identifier, field, function */
	CelNode *target;     /* operand of a select, receiver of a call */
	CelNode **args;	     /* of a call, items of a list, keys and values of a map in turn */
	size_t arg_count;
	bool *optional;	    /* of a list's items and a map's entries; NULL when none is */
	const int *offsets; /* of a map's colons */
	bool test_only;	    /* has(a.b) */
	CelFold *fold;
	int height;		  /* of the tree below */
	const CelFunction **rows; /* of a call: the overloads of that name and style */
	size_t row_count;
	int function;	       /* the checker's row, FUNCTION_NONE or FUNCTION_MANY */
	uint64_t fitting;      /* a bit for each of `rows` that the checker found to fit */
	CelEstimate *estimate; /* by estimate.c */
	bool is_type_name;     /* identifier that the checker found to be a type's name */
	bool settled;	       /* by check.c */
	bool visited;	       /* by literals.c */
	bool constant;	       /* an empty list or map that costs nothing */
	void *regex;	       /* a pattern that is a literal, compiled once */
};

struct CelFold {
	const char *iter, *iter2, *accu; /* iter2 NULL for one variable */
	CelNode *range, *init, *condition, *step, *result;
};

typedef struct {
	int offset;
	char *text;
} CelProblem;

/* Source text with what is wrong in it. */
typedef struct {
	Arena *arena;
	const char *text;
	Vec problems; /* CelProblem, in the arena */
} CelSource;

struct CelEnv {
	Arena *arena;
	unsigned flags;
	Map *variables; /* name -> CelType */
};

struct CelProgram {
	Arena *arena;
	const CelEnv *env;
	CelNode *root;
	const CelType *type;
	char *type_text;
	Map *used; /* names of variables */
	uint64_t cost_max;
};

/* source.c. An offset below 0 is no place in the text: PLACE_NONE is told as one that is unknown,
 * PLACE_PLAIN is told without a word about places. */
enum { PLACE_NONE = -1, PLACE_PLAIN = -2 };
void cel_problem(CelSource *source, int offset, const char *format, ...) PRINTF(3, 4);
/* The problems as cel-go writes them; owned. */
char *cel_source_report(CelSource *source);

/* parse.c; NULL when there were problems. */
CelNode *cel_parse(CelSource *source, unsigned flags);

/* macro.c: the expansion of a call, or NULL when it is no macro. */
typedef struct {
	CelSource *source;
	unsigned flags;
	int next_id;
	bool too_high; /* has been told */
} CelMaker;
CelNode *cel_node(CelMaker *maker, NodeKind kind, int offset);
/* Sets the height of a node whose parts are there; too much of it is a problem. */
void cel_node_measure(CelMaker *maker, CelNode *node);
CelNode *cel_node_call(CelMaker *maker, int offset, const char *name, size_t count, ...);
CelNode *cel_macro(CelMaker *maker, int offset, const char *name, CelNode *target, CelNode **args,
		   size_t count);

/* type.c */
/* As cel-go's FormatCELType, and as its Type.String(). */
void cel_type_text(const CelType *type, Buf *out);
void cel_type_full_text(const CelType *type, Buf *out);
bool cel_type_same(const CelType *a, const CelType *b);
/* A type's name as an expression spells it, such as "int"; NULL when there is none. */
const CelType *cel_type_named(const char *name);
const char *cel_type_name(const CelType *type);
CelType *cel_type_make(Arena *arena, CelKind kind, const CelType *first, const CelType *second);
const CelField *cel_type_field(const CelType *type, const char *name);
const CelField *cel_type_member(const CelType *type, const char *member);

/* check.c: fills types and functions; problems in source. */
void cel_check(CelProgram *program, CelSource *source);

/* estimate.c: the most that a checked expression may cost. `root`: the type of self, or NULL. */
uint64_t cel_estimate(const CelProgram *program, const CelType *root);

/* function table */
typedef CelValue (*CelImpl)(CelRun *run, const CelValue *args, size_t count);
struct CelFunction {
	const char *name;
	bool member;
	unsigned libraries;
	/* A letter a type: i int, u uint, d double, s string, y bytes, b bool, n null, t timestamp,
	 * D duration, * dyn; A and B stand for any type; L, O, T before the type that a list, an
	 * optional, a type is of, M before those of keys and values; Q quantity, I IP, C CIDR, W
	 * URL, V version, F format. Then ">" and the result. */
	const char *signature;
	CelImpl impl; /* NULL: the evaluator's own */
};

typedef struct {
	const CelFunction *rows;
	size_t count;
} CelFunctions;
extern const CelFunctions cel_functions_operators, cel_functions_standard, cel_functions_strings,
	cel_functions_time, cel_functions_lists, cel_functions_optional, cel_functions_quantity,
	cel_functions_net, cel_functions_url, cel_functions_semver, cel_functions_format,
	cel_functions_regex;
/* Row `index` of all tables in turn, or NULL past the end. */
const CelFunction *cel_function_at(size_t index);
/* The next row at or after *at with that name in the libraries of `flags`; NULL at the end. *at is
 * then its index. */
const CelFunction *cel_function_next(size_t *at, const char *name, unsigned flags);
bool cel_function_exists(const char *name, unsigned flags);

/* literals.c: what can be told wrong of literals: durations, timestamps, patterns, formats.
 * Patterns are compiled for the program. */
void cel_validate_literals(CelProgram *program, CelSource *source);

/* value.c */
CelValue cel_error(CelRun *run, const char *format, ...) PRINTF(2, 3);
CelValue cel_no_overload(CelRun *run);
void *cel_alloc(CelRun *run, size_t size); /* NULL when the memory limit is passed */
CelValue cel_text_value(CelRun *run, const char *text, size_t len);
CelValue cel_value_of_json(CelRun *run, const json_t *json, const CelType *type);
bool cel_is_error(const CelValue *value);
const CelType *cel_type_of(const CelValue *value);
CelValue cel_list_new(CelRun *run, size_t cap);
bool cel_list_add(CelRun *run, CelList *list, CelValue item);
CelValue cel_list_at(CelRun *run, const CelList *list, size_t index);
CelValue cel_map_new(CelRun *run);
/* Puts; false when the key was there already and has got the new value. */
bool cel_map_put(CelRun *run, CelMap *map, CelValue key, CelValue value);
bool cel_map_find(CelRun *run, const CelMap *map, CelValue key, CelValue *out);
CelValue cel_map_key(CelRun *run, const CelMap *map, size_t index);
/* The value of entry `index`. */
CelValue cel_map_value(CelRun *run, const CelMap *map, size_t index);
size_t cel_text_length(Str text); /* code points */

static inline CelValue cel_bool(bool flag)
{
	return (CelValue){.kind = CEL_BOOL, .flag = flag};
}
static inline CelValue cel_int(int64_t integer)
{
	return (CelValue){.kind = CEL_INT, .integer = integer};
}
static inline CelValue cel_uint(uint64_t natural)
{
	return (CelValue){.kind = CEL_UINT, .natural = natural};
}
static inline CelValue cel_double(double real)
{
	return (CelValue){.kind = CEL_DOUBLE, .real = real};
}
static inline CelValue cel_null(void)
{
	return (CelValue){.kind = CEL_NULL};
}
static inline CelValue cel_duration(int64_t nanos)
{
	return (CelValue){.kind = CEL_DURATION, .integer = nanos};
}

/* compare.c */
bool cel_equal(CelRun *run, const CelValue *a, const CelValue *b);
/* <0, 0, >0 in *out; false when they cannot be ordered. */
bool cel_compare(const CelValue *a, const CelValue *b, int *out);
uint64_t cel_hash(const CelValue *value);

/* convert.c */
CelValue cel_to_string(CelRun *run, const CelValue *value);
void cel_write_double(double real, Buf *out);

/* show.c */
json_t *cel_value_to_json(CelRun *run, const CelValue *value);
void cel_show(CelRun *run, const CelValue *value, Buf *out);

/* time.c */
bool cel_time_parse(Str text, CelTime *out);
void cel_time_write(CelTime time, Buf *out);
bool cel_duration_parse(Str text, int64_t *out_nanos);
void cel_duration_write(int64_t nanos, Buf *out);

/* quantity.c, net.c, url.c, semver.c, format.c: equality of their values */
bool cel_quantity_equal(const CelQuantity *a, const CelQuantity *b);
/* Bytes of a range's prefix. */
uint64_t cel_net_size(const CelNet *net);
bool cel_net_equal(const CelNet *a, const CelNet *b);
bool cel_url_equal(const CelUrl *a, const CelUrl *b);
bool cel_semver_equal(const CelSemver *a, const CelSemver *b);
CelValue cel_net_to_string(CelRun *run, const CelValue *value);

/* eval.c */
CelValue cel_eval_node(CelRun *run, const CelNode *node);
bool cel_charge(CelRun *run, uint64_t cost);
/* Looks at the clock now and then; false when the run is stopped. */
bool cel_tick(CelRun *run);
/* The member or item of a value at a key: optional.none (kind CEL_OPTIONAL) when it is absent and
 * `if_present`, else an error. */
CelValue cel_qualify(CelRun *run, const CelValue *value, const CelValue *key, bool if_present);

/* call.c */
/* Calls the overload that fits the arguments, a receiver in front. */
CelValue cel_call(CelRun *run, const CelNode *node, const CelValue *args, size_t count);

/* cost.c: what a call has cost, given what it was called with and gave. */
uint64_t cel_call_cost(const CelNode *node, const CelValue *args, size_t count,
		       const CelValue *result, bool kubernetes);

#endif
