/*
 * CBOR (RFC 8949) as COSE uses it: read item by item from a view. Definite lengths only, texts
 * in UTF-8; containers nest 16 deep.
 */
#ifndef SIGN_CBOR_H
#define SIGN_CBOR_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef enum { /* in the order of the major types */
	       CBOR_UNSIGNED,
	       CBOR_NEGATIVE,
	       CBOR_BYTES,
	       CBOR_TEXT,
	       CBOR_ARRAY,
	       CBOR_MAP,
	       CBOR_TAG,
	       CBOR_SIMPLE, /* false, true, null, floats */
} CborKind;

typedef struct {
	CborKind kind;
	uint64_t number; /* value; -1 - value; items of an array; pairs of a map; a tag's number */
	Str bytes;	 /* of BYTES and TEXT, borrowed */
} CborItem;

/* Takes a head, with the bytes of a string, off *rest. What an array, a map or a tag holds follows.
 * ERR_INVALID. */
bool cbor_next(Str *rest, CborItem *out, Error *err) MUST_USE;

/* Takes a whole item with all that it holds; *out (may be NULL) is what was taken. ERR_INVALID,
 * ERR_LIMIT. */
bool cbor_skip(Str *rest, Str *out, Error *err) MUST_USE;

/* An integer of either sign; false for other kinds and beyond int64. */
bool cbor_integer(const CborItem *item, int64_t *out);

/* Writes a head: of a string or an array before what it holds. */
void cbor_put(Buf *out, CborKind kind, uint64_t number);

#endif
