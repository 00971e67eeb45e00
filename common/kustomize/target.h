/*
 * The state of a build: what the whole run shares (KBuild), one kustomization while it is being
 * accumulated (KTarget), and what has been accumulated so far (KAccumulator).
 */
#ifndef KUSTOMIZE_TARGET_H
#define KUSTOMIZE_TARGET_H

#include "base/arena.h"
#include "kustomize/config.h"
#include "kustomize/kustomize.h"
#include "kustomize/set.h"
#include "kustomize/smp_schema.h"

/* Bounds of one build, far above real ones. */
enum {
	K_MAX_DEPTH = 100,
	K_MAX_TARGETS = 20000,
	K_MAX_OBJECTS = 200000,		 /* by default, as the next two */
	K_MAX_BYTES = 512 * 1024 * 1024, /* read */
	K_MAX_MS = 120000,
	K_MAX_TEXT = 50 * 1024 * 1024,
	K_MAX_COPIED = 64 * 1024 * 1024, /* copied by replacements and vars */
	K_MAX_NAME = 4096,		 /* of what goes into every object: prefixes, namespaces */
};

typedef struct {
	const KustomizeOptions *options;
	KustomizeLimits limits; /* none 0 */
	int64_t until_ms;	/* by the monotonic clock */
	Arena *arena;
	KSchema schema;
	bool origins;		 /* any buildMetadata: origins are recorded */
	size_t targets, objects; /* loaded so far */
	size_t bytes, copied;	 /* read, and copied, so far */
} KBuild;

/* Counts the bytes of a file that was read; ERR_LIMIT, with its name, past max_file_bytes and
 * max_bytes. */
bool kbuild_charge(KBuild *build, const char *path, size_t bytes, Error *err) MUST_USE;

/* ERR_LIMIT when the build's time is up. */
bool kbuild_check_time(const KBuild *build, Error *err) MUST_USE;

/* Counts an object; ERR_LIMIT past max_objects. */
bool kbuild_count_object(KBuild *build, Error *err) MUST_USE;

/* Counts bytes copied within the build; ERR_LIMIT past K_MAX_COPIED. */
bool kbuild_charge_copy(KBuild *build, size_t bytes, Error *err) MUST_USE;

/* Text that a transformer puts into every object must be short: ERR_LIMIT past K_MAX_NAME. */
bool kbuild_check_name(const char *field, const char *text, Error *err) MUST_USE;

typedef struct {
	KSet *set;
	KConfig *config; /* what configurations added */
	Vec vars;	 /* of json_t: checked vars, borrowed from the specs (arena) */
} KAccumulator;

typedef struct KTarget {
	KBuild *build;
	const struct KTarget *parent; /* the kustomization that refers to this one */
	const char *dir;	      /* clean path within the source */
	const char *file;	      /* its file's name, "kustomization.yaml" */
	const char *confine;	      /* the clone it lies in and must not leave; NULL: none */
	const char *origin;	      /* dir as the root sees it: "../base" */
	const json_t *spec;	      /* checked; of the arena */
	size_t depth;
} KTarget;

KAccumulator *kaccumulator_new(void);
void kaccumulator_free(KAccumulator *acc);
AUTO_POINTER(KAccumulator, kaccumulator_free, auto_kaccumulator);
#define autokaccumulator __attribute__((cleanup(auto_kaccumulator)))

/* The specs of a category: built-in and added. */
KSpecs kaccumulator_specs(const KAccumulator *acc, KCategory category);

/* What errors call an entry of the list `patches`, `components`, ...: "DIR/FILE: patches[2]", or
 * "spec.patches[0]" of one that the caller added behind the file's own so many. Owned. */
char *ktarget_entry_name(const KTarget *target, const char *list, size_t own, size_t index);

/* Puts the line into an error that names the kustomization's file and then a field, as in
 * "DIR/FILE: patches[2]: ...": "DIR/FILE:7: patches[2]: ...". Reads the file once more. */
void ktarget_tell_line(const KTarget *target, Error *err);

/* Runs a kustomization's pipeline (facts 3) on acc. */
bool ktarget_accumulate(const KTarget *target, KAccumulator *acc, Error *err) MUST_USE;

/* Accumulates a list of files and directories; `field` is the kustomization's that has it, for
 * errors, or NULL. */
bool ktarget_resources(const KTarget *target, KAccumulator *acc, const json_t *paths,
		       const char *field, Error *err) MUST_USE;

#endif
