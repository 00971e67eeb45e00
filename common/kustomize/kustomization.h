/*
 * A kustomization file as checked JSON: keys in their canonical spelling, each value of the type
 * that the field table says, deprecated fields moved to those that replaced them (facts 2).
 */
#ifndef KUSTOMIZE_KUSTOMIZATION_H
#define KUSTOMIZE_KUSTOMIZATION_H

#include "data/json.h"

typedef enum {
	K_ANY_FIELDS,	    /* unknown ones are left out; a number or bool will do for a string */
	K_ANY_FIELDS_TYPED, /* unknown ones are left out */
	K_KNOWN_FIELDS,
} KStrictness;

/*
 * The checked form of a parsed file; owned. `file` names it in errors. K_ANY_FIELDS leaves out what
 * the table does not know (K19) in place of failing. Errors: ERR_INVALID.
 */
json_t *kustomization_check(const json_t *raw, const char *file, KStrictness strictness,
			    Error *err) MUST_USE;

/* The fields that the table knows, by their canonical keys; what they replace stays as it is, and
 * so does what is missing. Owned. Errors: as kustomization_check. */
json_t *kustomization_known(const json_t *raw, const char *file, Error *err) MUST_USE;

/* Tells each field that the table does not know, and K_ANY_FIELDS leaves out: its JSON pointer, and
 * how people name it ("patches[0].targetz"); both borrowed for the call. */
typedef void KUnknownField(void *arg, const char *pointer, const char *name);
void kustomization_each_unknown(const json_t *raw, KUnknownField *each, void *arg);

/* A pipeline step's own document (a plugin's config, a replacements file) against one named list's
 * element type, such as "patches" or "replacements"; owned. */
json_t *kustomization_check_element(const json_t *raw, const char *field, Error *err) MUST_USE;

/* True for kind Component. */
bool kustomization_is_component(const json_t *spec);

#endif
