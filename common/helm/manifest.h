/* What a chart's templates gave: objects in the order of installation, and hooks. */
#ifndef HELM_MANIFEST_H
#define HELM_MANIFEST_H

#include "base/vec.h"
#include "helm/render.h"

/* Words of a list, trimmed and in lower case. */
typedef struct {
	const char **items;
	size_t len;
} HelmWords;

bool helm_words_have(const HelmWords *words, const char *word);

/* An object or hook; all lives in the arena. */
typedef struct {
	const char *path; /* of its template */
	Str text;
	const char *api_version, *kind, *name; /* "" where the text has none */
	bool is_hook;
	/* of a hook, as annotated: */
	HelmWords events;	   /* "pre-install"...; what is written "test-success" is "test" */
	HelmWords delete_policies; /* "hook-succeeded"...; none means before-hook-creation */
	HelmWords log_policies;	   /* helm.sh/hook-output-log-policy */
	int64_t weight;
} HelmManifest;

typedef struct {
	Vec objects, hooks; /* HelmManifest *, in the order of installation */
	char *notes;	    /* owned; the root chart's NOTES.txt, or NULL */
} HelmManifests;

void helm_manifests_dispose(HelmManifests *manifests);
#define automanifests __attribute__((cleanup(helm_manifests_dispose)))

/* Splits a text at lines "---" into documents that are not blank. */
void helm_manifest_split(Arena *arena, Str text, Vec *out_texts); /* Str * */

/* A text and the path of what made it. */
typedef struct {
	const char *path;
	Str text;
} HelmOutput;

/*
 * Sorts texts, given by path, into objects and hooks. Hooks that have an event that Helm does not
 * know are left out. ERR_INVALID "YAML parse error on FILE: ...".
 */
bool helm_manifests_read(Arena *arena, const HelmOutput *outputs, size_t count, HelmManifests *out,
			 Error *err) MUST_USE;

#endif
