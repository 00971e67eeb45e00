/* buildMetadata (facts 7): where objects came from and what changed them, as annotations. */
#ifndef KUSTOMIZE_METADATA_H
#define KUSTOMIZE_METADATA_H

#include "kustomize/target.h"

/* An entry's path as the root sees it; owned. */
char *metadata_join(const KTarget *target, const char *entry);

/* Records a file, a generator, a transformer that touched the whole set. Nothing happens unless
 * the root asks for buildMetadata. `kind` is the builtin plugin's. */
void metadata_from_file(const KTarget *target, const char *entry, KResource *res);
void metadata_generated(const KTarget *target, const char *kind, KResource *res);
void metadata_transformed(const KTarget *target, const char *kind, KSet *set);

/* The same for a plugin configured by an object, which names it. */
void metadata_plugin(const KTarget *target, const KResource *plugin, KSet *set);

/* Writes the annotations and the label that the root asks for; the label also if `managed`. */
bool metadata_finish(KSet *set, const json_t *options, bool managed, Error *err) MUST_USE;

/* The same of a generator's config: for what it has added, from index `from` on. */
void metadata_plugin_generated(const KResource *plugin, KSet *set, size_t from);

#endif
