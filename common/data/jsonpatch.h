/* RFC 6902 patches and RFC 6901 pointers. */
#ifndef DATA_JSONPATCH_H
#define DATA_JSONPATCH_H

#include "data/json.h"

enum { JSONPATCH_MAX_OPS = 10000 };

/*
 * Applies the operation list to *document (an owned reference that may be replaced). On failure the
 * document is as before. Errors: ERR_INVALID for a malformed patch, ERR_CONFLICT for a failed test,
 * ERR_NOT_FOUND for a path that is not there; the text names the operation's index and path.
 * `go_rules`: as the Go library does that kustomize and the API server use. Negative list indexes
 * count from the end; "replace" also makes a map's key; a map's absent key and an absent "value"
 * are null for "test", "copy" and the rest; the whole document can only be replaced, by a map or
 * list.
 */
bool jsonpatch_apply(json_t **document, const json_t *operations, bool go_rules,
		     Error *err) MUST_USE;

/* The value a pointer names; NULL when absent or malformed. Borrowed. */
json_t *jsonpointer_get(const json_t *document, const char *pointer);

/* Appends "/TOKEN" to a pointer with `~` and `/` escaped. */
void jsonpointer_push(Buf *pointer, const char *token);

#endif
