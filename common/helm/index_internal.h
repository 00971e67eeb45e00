/* What the files of the index share: index_walk.c reads, index_convert.c stores, index.c finds. */
#ifndef HELM_INDEX_INTERNAL_H
#define HELM_INDEX_INTERNAL_H

#include "data/json.h"
#include "helm/index.h"

/* False and err end the walk. */
typedef struct {
	bool (*chart)(void *arg, const char *name, Error *err);
	bool (*version)(void *arg, const json_t *version, Error *err); /* of the last chart */
	void *arg;
} IndexVisitor;

/* Visits each version, an object in the shape of Helm's ChartVersion, of an index in fd. *out_top
 * (owned) has the index's other members. */
bool index_walk(int fd, const IndexVisitor *visitor, json_t **out_top, Error *err) MUST_USE;

/* Adds a text with its NUL; *out_at is where it lies. ERR_LIMIT past HELM_INDEX_MAX_TEXTS. */
bool index_add_text(Buf *texts, const char *text, uint32_t *out_at, Error *err) MUST_USE;

#endif
