/* What a chart's templates gave: objects in the order of installation, and hooks. */
#ifndef HELM_MANIFEST_H
#define HELM_MANIFEST_H

#include "base/vec.h"
#include "helm/render.h"

/* An object or hook; all lives in the arena. */
typedef struct {
	const char *path; /* of its template */
	Str text;
	const char *kind, *name;
	json_t *annotations; /* of a hook, borrowed from the arena's trees; or NULL */
	const char *events;  /* of a hook: as written; NULL: no hook */
	int weight;
	size_t order; /* in which it was found */
} HelmManifest;

typedef struct {
	Vec objects, hooks; /* HelmManifest * */
	char *notes;	    /* owned; the root chart's NOTES.txt, or NULL */
} HelmManifests;

void helm_manifests_dispose(HelmManifests *manifests);
#define automanifests __attribute__((cleanup(helm_manifests_dispose)))

/* Splits a text at lines "---" into documents that are not blank. */
void helm_manifest_split(Arena *arena, Str text, Vec *out_texts); /* Str * */

/* Sorts the outputs of rendered templates. Hooks whose events Helm does not know are left out.
 * ERR_INVALID "YAML parse error on FILE: ...". */
bool helm_manifests_read(Arena *arena, const HelmTemplate *templates, size_t count,
			 const char *root, HelmManifests *out, Error *err) MUST_USE;

#endif
