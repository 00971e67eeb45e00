/*
 * Post-rendering: what a chart's templates gave, changed before it is sorted into objects and
 * hooks. Objects go to the renderer with the name of their file in an annotation and come back in
 * any order, changed, fewer or more.
 */
#ifndef HELM_POSTRENDER_H
#define HELM_POSTRENDER_H

#include "helm/manifest.h"

/* Names the file that an object came from; the renderer keeps it, and it goes afterwards. */
#define HELM_FILENAME_ANNOTATION "postrenderer.helm.sh/postrender-filename"

/* Changes a stream: `objects` is an array, borrowed; *out an owned array. */
typedef bool (*HelmPostRender)(void *context, json_t *objects, json_t **out, Error *err);

typedef enum {
	HELM_POSTRENDER_COMBINED, /* hooks and objects in one stream */
	HELM_POSTRENDER_SEPARATE, /* two streams: an object may be in both */
	HELM_POSTRENDER_NOHOOKS,  /* hooks stay as they are */
} HelmPostRenderStrategy;

/* The same for text, which keeps the styles that the chart's author wrote in, and the order of
 * keys: for programs. Comments are gone. */
typedef bool (*HelmPostRenderText)(void *context, Str stream, Buf *out, Error *err);

typedef struct {
	HelmPostRender run;	     /* NULL: nothing is post-rendered */
	HelmPostRenderText run_text; /* or this one, all in one stream */
	void *context;
	HelmPostRenderStrategy strategy;
} HelmPostRenderer;

/*
 * Replaces `outputs` by what the renderer makes of them; texts and paths live in the arena. What
 * comes back without a file is of "generated-by-postrender-N.yaml". The texts are as
 * kustomize writes objects, but for long lines: comments are gone, keys sorted. ERR_INVALID in
 * Helm's words.
 */
bool helm_postrender(Arena *arena, const HelmPostRenderer *renderer, const HelmOutput *outputs,
		     size_t count, HelmOutput **out, size_t *out_count, Error *err) MUST_USE;

#endif
