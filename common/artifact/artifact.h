/*
 * Artifacts (source.md 2): packed reproducibly by source-controller, stored on disk, served by
 * HTTP; fetched, verified and unpacked by consumers.
 */
#ifndef ARTIFACT_ARTIFACT_H
#define ARTIFACT_ARTIFACT_H

#include <stdint.h>

#include "data/json.h"

/* status.artifact. All strings owned. */
typedef struct {
	char *path; /* KIND/NAMESPACE/NAME/FILE below the storage root */
	char *url;
	char *revision;
	char *digest;		/* "algo:hex" */
	int64_t last_update_ms; /* wall clock */
	int64_t size;
	json_t *metadata; /* string map or NULL */
} Artifact;

void artifact_dispose(Artifact *artifact);
#define autoartifact __attribute__((cleanup(artifact_dispose)))

/* Reads an object's status.artifact (borrowed, may be NULL); false when it is absent or lacks path,
 * url, revision or digest.
 */
bool artifact_of_json(const json_t *object, Artifact *out);

/* The host that a source's spec.url, or a Bucket's endpoint, which may be a bare host, names; ""
 * where that is none. Owned. */
char *artifact_source_host(const json_t *source);

/* status.artifact as JSON. Owned. */
json_t *artifact_to_json(const Artifact *artifact);

#endif
