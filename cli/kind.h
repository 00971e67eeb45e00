/*
 * The kinds that the command line knows: one row each, with the words people call it by, what its
 * table shows, and what is said when a reconcile went well. A verb is a loop over rows.
 */
#ifndef CLI_KIND_H
#define CLI_KIND_H

#include "cli.h"

/* A cell's text, owned. */
typedef char *CellFn(const json_t *object);

typedef struct {
	const char *title;
	CellFn *cell;
	bool source; /* only with --show-source */
} Column;

typedef enum {
	KIND_GET = 1,
	KIND_RECONCILE = 2,
	KIND_SUSPEND = 4, /* and resume */
	KIND_ALL = 8,	  /* shown by "get all" */
	KIND_EVENTS = 32, /* "events" shows what is said of it */
	KIND_STATIC = 16, /* has no status: always Ready, nothing to wait for */
} KindTraits;

typedef struct {
	const char *family; /* "source|sources" or NULL: the word before */
	const char *words;  /* alternatives, separated by "|" */
	const char *api_version, *kind;
	const char *human; /* in messages */
	unsigned traits;
	const Column *columns;
	size_t column_count;
	CellFn *success; /* what to say after a reconcile */
} KindRow;

/* In the order of "get all". */
const KindRow *kinds_all(size_t *out_count);

/* The row of a kind such as "GitRepository", in any case; NULL when there is none. */
const KindRow *kind_by_name(const char *kind);

/* The kind with all of `traits` that words[*at...] name; *at moves behind them. NULL and err when
 * there is none. */
const KindRow *kind_of_words(const Command *command, unsigned traits, size_t *at, Error *err);

/* True when words[*at...] say "all", or "sources all", "images all"; *out_family is the family's
 * words or NULL for everything. */
bool kind_words_are_all(const Command *command, const char **out_family, size_t *at);

/* How a kind is called on the command line: "source git", "kustomizations, kustomization, ks".
 * Owned. */
char *kind_words(const KindRow *row);

/* Whether a word is one of "a|b|c". */
bool kind_has_word(const char *alternatives, const char *word);

/* A kind whose every object is Ready as it is: `type: oci` of a HelmRepository, or a static kind.
 */
bool kind_is_static(const KindRow *row, const json_t *object);

/* --- kind_cells.c --- */

CellFn cell_artifact, cell_chart_artifact, cell_applied, cell_release, cell_external_source,
	cell_source, cell_release_source, cell_suspended, cell_ready, cell_helm_ready, cell_true,
	cell_message, cell_short_message, cell_helm_message, cell_alert_message,
	cell_provider_message, cell_image, cell_tag, cell_last_scan, cell_last_run;

CellFn success_fetched, success_helm, success_applied, success_released, success_receiver,
	success_alert, success_provider, success_scan, success_policy, success_update;

#endif
