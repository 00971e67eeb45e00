/* What `sluice build kustomization` and `sluice diff kustomization` share: the Kustomization, where
 * its files are, and the flags that say so. */
#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include "base/map.h"
#include "cli.h"
#include "kustomize-controller/controller.h"
#include "tree.h"

/* Flags of both. */
#define LOCAL_OPTIONS                                                                              \
	{{"path", FLAG_TEXT, offsetof(Options, path), NULL, NULL,                                  \
	  "Directory with what spec.path names in the source."},                                   \
	 0,                                                                                        \
	 "DIR"},                                                                                   \
		{{"kustomization-file", FLAG_TEXT, offsetof(Options, kustomization_file), NULL,    \
		  NULL, "File that holds the Kustomization, in place of the cluster's."},          \
		 0,                                                                                \
		 "FILE"},                                                                          \
		{{"strict-substitute", FLAG_BOOL, offsetof(Options, strict), "false", NULL,        \
		  "Fail where a variable has neither value nor default."},                         \
		 0,                                                                                \
		 NULL},                                                                            \
		{{"recursive", FLAG_BOOL, offsetof(Options, recursive), "false", NULL,             \
		  "Go on with the Kustomizations among the objects."},                             \
		 'r',                                                                              \
		 NULL},                                                                            \
		{{"local-sources", FLAG_LIST, offsetof(Options, local_sources), NULL, NULL,        \
		  "Where their sources are: Kind/namespace/name=path, comma-separated."},          \
		 0,                                                                                \
		 "LIST"},                                                                          \
		{{"ignore-paths", FLAG_LIST, offsetof(Options, ignore_paths), NULL, NULL,          \
		  "Patterns as in .gitignore of files to leave out, comma-separated."},            \
		 0,                                                                                \
		 "LIST"},                                                                          \
		{{"build-max-file-bytes", FLAG_INT, offsetof(Options, build_max_file_bytes),       \
		  "52428800", NULL, "Size of one file; 52428800 is the most."},                    \
		 0,                                                                                \
		 "NUMBER"},                                                                        \
		{{"build-max-bytes", FLAG_INT, offsetof(Options, build_max_bytes), "536870912",    \
		  NULL,                                                                            \
		  "Size of all files that one build reads, and of what substitution writes."},     \
		 0,                                                                                \
		 "NUMBER"},                                                                        \
		{{"build-max-objects", FLAG_INT, offsetof(Options, build_max_objects), "200000",   \
		  NULL, "Objects in one build."},                                                  \
		 0,                                                                                \
		 "NUMBER"},                                                                        \
		{{"build-timeout", FLAG_DURATION, offsetof(Options, build_timeout_ms), "2m", NULL, \
		  "How long one build may take, and then substitution."},                          \
		 0,                                                                                \
		 "DURATION"},                                                                      \
	{                                                                                          \
		{"in-memory-build",                                                                \
		 FLAG_BOOL,                                                                        \
		 offsetof(Options, in_memory),                                                     \
		 "false",                                                                          \
		 NULL,                                                                             \
		 "Read no file outside of the working directory (nothing is ever written)."},      \
			0, NULL                                                                    \
	}

/* One Kustomization and its files. */
typedef struct {
	json_t *object; /* owned; status is the cluster's */
	Tree tree;
	char *ignore; /* owned, or NULL */
} Local;

void local_dispose(Local *self);
#define autolocal __attribute__((cleanup(local_dispose)))

typedef struct {
	const char *group, *kind;
} LocalKind;

/* The file's object of a kind, with the name that the second word says, in the command's namespace
 * or without one. Owned; ERR_NOT_FOUND. */
json_t *local_object_of_file(const Command *command, const LocalKind *kind, const char *file,
			     Error *err) MUST_USE;

/* The words "kustomization NAME" (or "ks NAME") and the flags, before anything is asked for. */
bool local_check(Command *command, Error *err) MUST_USE;

/* That of the command line: from --kustomization-file or the cluster, files in --path. */
bool local_open(const Command *command, Local *out, Error *err) MUST_USE;

/* One among the objects of `parent`; its files are where --local-sources says. */
bool local_open_child(const Command *command, const Local *parent, const json_t *object, Local *out,
		      Error *err) MUST_USE;

/* What the controller's functions take; borrows both. */
PlanInput local_input(const Command *command, const Local *self);

/* Warns of the fields that a build (PlanInput.unknown) has ignored; nothing where there are none.
 */
void local_warn_unknown(const Buf *unknown);

/* Paths in an error as the caller would write them. */
void local_shorten(Error *err);

/* Whether an object is a Kustomization (the reconciled kind). */
bool object_is_kustomization(const json_t *object);

/* "ns/name" of those visited, for recursion that ends: false for one that was there before or when
 * there are too many. */
bool local_visit(Map *visited, const json_t *object);

#endif
