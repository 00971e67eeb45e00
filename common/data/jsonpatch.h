/* RFC 6902 patches and RFC 6901 pointers. */
#ifndef DATA_JSONPATCH_H
#define DATA_JSONPATCH_H

#include "data/json.h"

enum { JSONPATCH_MAX_OPS = 10000 };

/*
 * Applies the operation list to *document (an owned reference that may be replaced). On failure the
 * document is as before. Errors: ERR_INVALID for a malformed patch, ERR_CONFLICT for a failed test,
 * ERR_NOT_FOUND for a path that is not there; the text names the operation's index and path.
 * Negative list indexes count from the end when `allow_negative` (kustomize), else are refused.
 */
bool jsonpatch_apply(json_t **document, const json_t *operations, bool allow_negative,
		     Error *err) MUST_USE;

/* The value a pointer names; NULL when absent or malformed. Borrowed. */
json_t *jsonpointer_get(const json_t *document, const char *pointer);

/* Appends "/TOKEN" to a pointer with `~` and `/` escaped. */
void jsonpointer_push(Buf *pointer, const char *token);

#endif
