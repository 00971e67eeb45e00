/*
 * Which fields the transformers touch: the built-in tables (facts 4, 7) and what `configurations`
 * and `crds` add. The built-in half is static; the added half belongs to an accumulation and moves
 * outward with its objects.
 */
#ifndef KUSTOMIZE_CONFIG_H
#define KUSTOMIZE_CONFIG_H

#include "base/arena.h"
#include "kustomize/fieldspec.h"

typedef enum {
	K_NAME_PREFIX,
	K_NAME_SUFFIX,
	K_NAMESPACE,
	K_COMMON_LABELS,
	K_LABELS,
	K_TEMPLATE_LABELS,
	K_COMMON_ANNOTATIONS,
	K_IMAGES,
	K_REPLICAS,
	K_VAR_REFERENCE,
	K_CATEGORY_COUNT,
} KCategory;

/* An object of this kind is named from these fields. */
typedef struct {
	const char *group, *version, *kind;
	Vec referrers; /* const FieldSpec, of the arena */
} KBackRef;

typedef struct {
	Vec specs[K_CATEGORY_COUNT];
	Vec back_refs; /* owned KBackRef */
} KConfig;

KConfig *kconfig_new(void);
void kconfig_free(KConfig *config);
AUTO_POINTER(KConfig, kconfig_free, auto_kconfig);
#define autokconfig __attribute__((cleanup(auto_kconfig)))

/* The built-in specs of a category; static. */
FieldSpecs kconfig_builtin(KCategory category);

/* Adds what `more` has and neither `config` nor the built-in tables have; the same field with
 * another `create` is an error. */
bool kconfig_merge(KConfig *config, const KConfig *more, Error *err) MUST_USE;

/* Reads one file of `configurations`; texts go to the arena. */
bool kconfig_read(KConfig *config, const json_t *document, Arena *arena, Error *err) MUST_USE;

/* A list of fieldSpecs as JSON into `out`; texts go to the arena. */
bool kconfig_read_specs(const json_t *list, Arena *arena, Vec *out, Error *err) MUST_USE;

/* Adds one spec to a list unless it is there; conflicting `create` is an error. */
bool kconfig_add_spec(Vec *list, const FieldSpec *spec, Error *err) MUST_USE;

/* The back reference list for a target kind, made when absent. */
KBackRef *kconfig_back_ref(KConfig *config, const char *group, const char *version,
			   const char *kind);

#endif
