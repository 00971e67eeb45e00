/* Reading files for a kustomization: where it may reach, and what a resource file holds (facts 1,
 * 8). */
#ifndef KUSTOMIZE_LOAD_H
#define KUSTOMIZE_LOAD_H

#include "data/yaml.h"
#include "kustomize/target.h"

/* An entry's clean path within the source, owned, when the kustomization may read files there:
 * in or below its own directory, or anywhere with load_anywhere. ERR_FORBIDDEN. */
char *kload_path(const KTarget *target, const char *entry, Error *err) MUST_USE;

/* A file's bytes. */
bool kload_text(const KTarget *target, const char *entry, Buf *out, Error *err) MUST_USE;

/* A file of exactly one document as JSON; owned. */
json_t *kload_document(const KTarget *target, const char *entry, Error *err) MUST_USE;

/* The objects of a file, appended to out as owned KResource; takes them from the cache if it can.
 */
bool kload_resources(const KTarget *target, const char *path, Vec *out, Error *err) MUST_USE;

/* As kload_resources for text that came inline; `file` names it in errors. */
bool kload_resources_text(const KTarget *target, Str text, const char *file, Vec *out,
			  Error *err) MUST_USE;

/* True for an entry that names a remote file or repository. */
bool kload_is_remote(const char *entry);

/* vec_dispose_with for KResource. */
void kload_dispose_resources(Vec *resources);
#define autokresources __attribute__((cleanup(kload_dispose_resources)))

#endif
