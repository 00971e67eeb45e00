/* Parsed files of one immutable source, shared by builds. */
#ifndef KUSTOMIZE_CACHE_H
#define KUSTOMIZE_CACHE_H

#include "data/yaml.h"
#include "kustomize/kustomize.h"

/* The stream parsed from a path earlier and how many bytes its text had; borrowed until the cache
 * is freed, never to be changed. NULL when there is none. */
const YamlStream *kcache_get(KustomizeCache *cache, const char *path, size_t *out_bytes);

/* Keeps *stream, which is empty afterwards, and returns the kept one; NULL (nothing taken) when the
 * cache is full, or nobody but `builder` (NULL: anybody) has had this file. When another thread was
 * first, its stream is returned. */
const YamlStream *kcache_put(KustomizeCache *cache, const char *builder, const char *path,
			     size_t text_bytes, YamlStream *stream);

#endif
