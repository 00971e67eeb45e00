/*
 * JSON trees are jansson's json_t; this header adds what Sluice says over and over: typed reads by
 * path, canonical text, comparison. Reads never fail: what is absent or of another type is the
 * stated default, because the API server has validated the types already.
 */
#ifndef DATA_JSON_H
#define DATA_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"

static inline void auto_json(json_t **pointer)
{
	json_decref(*pointer);
}
/* `autojson json_t *x = ...`: an owned reference, dropped when x leaves its scope. */
#define autojson __attribute__((cleanup(auto_json)))

/* Limits on text from outside: nesting depth, and bytes. */
enum { JSON_MAX_NESTING = 512 };

/*
 * Parses one JSON value. Duplicate keys: the last wins, as in Go. Errors are ERR_INVALID with line
 * and column, ERR_LIMIT above limit bytes. NULL on failure; otherwise an owned reference.
 */
json_t *json_parse(const char *text, size_t len, size_t limit, Error *err) MUST_USE;

/* As json_parse, and strings (not keys) may have NULs in them: for who reads them with their length
 * only. */
json_t *json_parse_with_nul(const char *text, size_t len, size_t limit, Error *err) MUST_USE;

/*
 * An object whose text is JSON that YAML parsers read the same: ASCII, integers only, no key twice,
 * no `<<`. NULL for all else, be it right or wrong: then a parser of YAML is to be asked. Owned.
 */
json_t *json_parse_plain(const char *text, size_t len);

/*
 * jansson's iterators and setters want a json_t that is not const though they do not write to it.
 * Only for those; never to change a value that came in as const.
 */
static inline json_t *json_borrow(const json_t *value)
{
	return (json_t *)(uintptr_t)value;
}

/* A string value of bytes from anywhere: what is not UTF-8 becomes U+FFFD, as in Go. Owned. */
json_t *json_text_new(const char *text, size_t len);

/*
 * The value at a path of object keys: json_at(o, "spec", "ref", "branch", NULL). NULL when a part
 * is absent or on the way is no object; JSON null counts as absent. Borrowed.
 */
json_t *json_at(const json_t *object, ...) SENTINEL;

/* Direct members; borrowed. json_text: NULL unless a string. */
const char *json_text(const json_t *object, const char *key);
const char *json_text_or(const json_t *object, const char *key, const char *fallback);
bool json_flag(const json_t *object, const char *key, bool fallback);
int64_t json_int(const json_t *object, const char *key, int64_t fallback);
json_t *json_map(const json_t *object, const char *key);  /* NULL unless an object */
json_t *json_list(const json_t *object, const char *key); /* NULL unless an array */

/* As json_at, as text; NULL unless a string. */
const char *json_text_at(const json_t *object, ...) SENTINEL;

/* The object at a path, made (with the objects on the way) when it is absent; what stands in the
 * way and is no object is replaced. Borrowed. */
json_t *json_make_at(json_t *object, ...) SENTINEL;

/* Sets a member to a string, or removes it when value is NULL. */
void json_put_text(json_t *object, const char *key, const char *value);

/* Compact text; json_dump_sorted has keys sorted by bytes, so that equal trees give equal text.
 * Owned by the caller. Neither escapes `<>&` nor "/". */
char *json_dump(const json_t *value);
char *json_dump_sorted(const json_t *value);

/* Appends what json_dump gives. */
void json_write(const json_t *value, Buf *out);

/* Appends what json_dump gives, and tells where in `out` the text of the node `noted` (one of
 * value's, found by address) begins. *out_at stays as it was when it is none of them. */
void json_write_noting(const json_t *value, const json_t *noted, Buf *out, size_t *out_at);

/* As Go's encoding/json writes: keys sorted, compact, `<`, `>`, `&`, U+2028 and U+2029 as \u....
 * Owned. */
char *json_dump_go(const json_t *value);

/*
 * A finite number's shortest digits that read back as the same value, without sign, point and
 * trailing zeros: value = 0.DIGITS * 10^*out_point. Returns their count; `0` for zero.
 */
enum { JSON_DIGITS_SIZE = 24 };
size_t json_real_digits(double value, char digits[JSON_DIGITS_SIZE], int *out_point);

/* Appends such digits without an exponent: "0.0012", "120", "1.2". */
void json_write_decimal(const char *digits, size_t count, int point, Buf *out);

/* Equal in value: 1 and 1.0 are equal, object order does not count. An integer equals a real that
 * is its nearest double. */
bool json_same(const json_t *a, const json_t *b);

/* A copy whose objects and arrays are its own, and whose texts and numbers are the value's: for
 * those who replace them and never set them in place. json_deep_copy prints a text at each step in
 * search of loops, which no tree of ours has. Owned; NULL of NULL. */
json_t *json_clone(const json_t *value);

/* RFC 7386: changes *target (an owned reference, which may be replaced) by patch. */
void json_merge_patch(json_t **target, const json_t *patch);

/* The RFC 7386 patch that turns `from` into `to`, both objects; an empty object when they are the
 * same. Owned. */
json_t *json_merge_diff(const json_t *from, const json_t *to);

#endif
