/* The head of a rendered manifest: what sorting needs of it. */
#ifndef HELM_HEAD_H
#define HELM_HEAD_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef enum {
	HEAD_API_VERSION,
	HEAD_KIND,
	HEAD_NAME,
	HEAD_HOOK, /* annotations, from here on */
	HEAD_WEIGHT,
	HEAD_DELETE_POLICY,
	HEAD_LOG_POLICY,
	HEAD_COUNT,
} HeadField;

typedef struct {
	bool found;
	Str text;
} HeadText;

typedef struct {
	HeadText fields[HEAD_COUNT];
} HelmHead;

/*
 * Reads the head of one document as sigs.k8s.io/yaml would decode it, scalars made texts; the whole
 * document must be YAML. Texts are borrowed from `text` or in the arena. ERR_INVALID "error
 * converting YAML to JSON: ..." or "error unmarshaling JSON: ...".
 */
bool helm_head_read(Arena *arena, Str text, HelmHead *out, Error *err) MUST_USE;

/*
 * The same without a tree, for documents of the form that nearly all templates give: true when the
 * text is certainly YAML and this is its head, which borrows from it; false when that is not
 * certain. For helm_head_read, and for tests that compare the two.
 */
bool helm_head_scan(Str text, HelmHead *out);
/* The same, by a tree. */
bool helm_head_parse(Arena *arena, Str text, HelmHead *out, Error *err) MUST_USE;

/* "metadata.name" and the like: what a field is called, below which map. */
extern const char *const head_names[HEAD_COUNT];

#endif
