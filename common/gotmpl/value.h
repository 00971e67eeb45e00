/*
 * Values as a Go template sees them: a type tag that keeps what Go's reflection shows (int beside
 * int64 and float64, []string beside []interface {}, a map's name), and the value. Scalars are in
 * the struct, everything else lives in the arena of a run. JSON trees are wrapped, not copied: a
 * map or list reads its members from jansson when it is first looked into. Integers of a JSON tree
 * are int64, reals float64, as Go's unstructured objects have them.
 */
#ifndef GOTMPL_VALUE_H
#define GOTMPL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "data/json.h"

typedef enum {
	GO_NIL, /* no value at all; with `boxed`, a nil interface {} */
	GO_BOOL,
	GO_INT,
	GO_INT64,
	GO_UINT8,
	GO_UINT32,
	GO_UINT64,
	GO_FLOAT64,
	GO_COMPLEX128,
	GO_STRING,
	GO_LIST,     /* []interface {} */
	GO_STRINGS,  /* []string */
	GO_INTS,     /* []int */
	GO_LISTS,    /* [][]interface {} */
	GO_BYTES,    /* []uint8 */
	GO_VERSIONS, /* common.VersionSet */
	GO_MAP,	     /* map[string]interface {} */
	GO_STRING_MAP,
	GO_VALUES, /* common.Values */
	GO_FILES,  /* engine.files */
	GO_TIME,
	GO_STRUCT,
	GO_TYPE_COUNT,
} GoType;

/* reflect.Kind, as far as it occurs. */
typedef enum {
	GO_KIND_INVALID,
	GO_KIND_BOOL,
	GO_KIND_INT,
	GO_KIND_UINT,
	GO_KIND_FLOAT,
	GO_KIND_COMPLEX,
	GO_KIND_STRING,
	GO_KIND_SLICE,
	GO_KIND_MAP,
	GO_KIND_STRUCT,
	GO_KIND_PTR,
} GoKind;

typedef struct GoList GoList;
typedef struct GoMap GoMap;
typedef struct GoStruct GoStruct;
typedef struct GoTime GoTime;

typedef struct {
	GoType type;
	bool boxed; /* its static type is interface {}: an element of a map or list */
	union {
		bool flag;
		int64_t integer;
		uint64_t natural;
		double real;
		double complex[2];
		Str text;	  /* GO_STRING, GO_BYTES */
		GoList *list;	  /* NULL is Go's nil slice */
		GoMap *map;	  /* NULL is Go's nil map */
		GoStruct *record; /* GO_STRUCT */
		const GoTime *time;
	};
} GoValue;

struct GoList {
	GoType type;
	GoValue *items;
	size_t len;
	const json_t *source; /* still to be read into items, or NULL */
};

typedef struct {
	Str key;
	GoValue value;
} GoMember;

/* Members are sorted by key, as Go ranges over and prints them. */
struct GoMap {
	GoType type;
	GoMember *members;
	size_t len, cap;
	const json_t *source; /* still to be read into members, or NULL */
};

struct GoTime {
	int64_t seconds; /* since 1970 UTC */
	int32_t nanos;
	int32_t offset;	  /* seconds east of UTC */
	const char *zone; /* abbreviation */
	bool monotonic;	  /* came from the clock: String() says so */
};

typedef struct GoRun GoRun;
typedef struct GoCall GoCall;

/* A method or function: parameters by one letter each (call.h), the code. */
typedef struct {
	const char *name, *params;
	bool (*run)(GoCall *call, GoValue *out);
} GoFn;

/* A struct type: what %T says, its fields in order and its methods. */
typedef struct {
	const char *name;
	bool pointer;
	const char *const *fields; /* ends in NULL */
	const GoFn *methods;	   /* ends in a row without a name; or NULL */
	Str (*string)(const GoStruct *record, Arena *arena); /* Stringer, or NULL */
	bool addressed; /* String is a method of the pointer: only {{ .Field }} itself finds it */
	const char *const
		*json; /* fields' names in JSON, where "" is left out; NULL: as they are */
} GoStructType;

struct GoStruct {
	const GoStructType *type;
	GoValue *fields;
};

/* What %T prints; static, or the struct's. */
const char *go_type_name(GoValue value);
/* As go_type_name, but a boxed value is an "interface {}": what errors of the template say. */
const char *go_static_type(GoValue value);
GoKind go_kind(GoValue value);
/* reflect.Kind.String(): "float64", "slice", "invalid", ... */
const char *go_kind_name(GoValue value);

static inline GoValue go_bool(bool flag)
{
	return (GoValue){.type = GO_BOOL, .flag = flag};
}
static inline GoValue go_int(int64_t integer)
{
	return (GoValue){.type = GO_INT, .integer = integer};
}
static inline GoValue go_int64(int64_t integer)
{
	return (GoValue){.type = GO_INT64, .integer = integer};
}
static inline GoValue go_real(double real)
{
	return (GoValue){.type = GO_FLOAT64, .real = real};
}
static inline GoValue go_text(Str text)
{
	return (GoValue){.type = GO_STRING, .text = text};
}
static inline GoValue go_cstr(const char *text)
{
	return go_text(str_of(text));
}
static inline GoValue go_nil(void)
{
	return (GoValue){.type = GO_NIL};
}
static inline GoValue go_boxed(GoValue value)
{
	value.boxed = true;
	return value;
}
static inline GoValue go_unboxed(GoValue value)
{
	value.boxed = false;
	return value;
}

/* A list of `len` items of a slice type, all nil until set; in the arena. */
GoList *go_list_new(Arena *arena, GoType type, size_t len);
GoValue go_list(GoList *list);
/* The item, boxed when the list's elements are interfaces. */
GoValue go_item(Arena *arena, GoValue list, size_t index);
/* Items of a slice, members of a map, bytes of a string; 0 for anything else. */
size_t go_len(GoValue value);
bool go_is_list(GoValue value); /* any slice type */
bool go_is_map(GoValue value);	/* any map type */

GoMap *go_map_new(Arena *arena, GoType type);
GoValue go_map(GoMap *map);
/* The member, unboxed; false when it is absent. Borrowed. */
bool go_map_get(Arena *arena, GoMap *map, Str key, GoValue *out);
/* Keys are borrowed: they must live as long as the arena. */
void go_map_put(Arena *arena, GoMap *map, Str key, GoValue value);
void go_map_remove(Arena *arena, GoMap *map, Str key);
/* Member `index` in key order; the map must have been looked into (go_map_load). */
void go_map_load(Arena *arena, GoMap *map);

/* A JSON tree as a value; `tree` is borrowed and must not change while the value is in use. */
GoValue go_from_json(Arena *arena, const json_t *tree);
/* As go_from_json for text in which every number is a float64 (encoding/json). */
GoValue go_from_json_reals(Arena *arena, json_t *tree);

/* The elements' type of a slice or map type: a nil of it is what a missing key gives. */
GoType go_element_type(GoType type);
/* reflect.Zero of a type. */
GoValue go_zero(GoType type);

/* Go's truth (text/template): empty, zero and nil are false. */
bool go_truth(GoValue value);
/* reflect.DeepEqual. */
bool go_deep_equal(Arena *arena, GoValue a, GoValue b);
int go_compare_str(Str a, Str b);

/* The field of a struct by name, or NULL. */
GoValue *go_struct_field(const GoStruct *record, Str name);
GoStruct *go_struct_new(Arena *arena, const GoStructType *type);

#endif
