/* What the verbs of `sluice` share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/vec.h"
#include "kube/client.h"

/* A parsed command line: verb, its words, the global flags. */
typedef struct {
	const char *verb;
	const char *words[4]; /* what follows the verb, flags left out */
	size_t word_count;
	const char *kubeconfig, *context, *ns;
	int64_t timeout_ms;
	bool all_namespaces, no_header, all, with_source, client_only;
	KubeClient *client; /* NULL until connected */
} Command;

/* A kind by what people call it ("source git", "kustomization", "ks"). */
typedef struct {
	const char *group_word; /* "source" or NULL */
	const char *words;	/* alternatives, separated by "|" */
	const char *api_version, *kind;
	const char *plural_word; /* in messages */
} KindWord;

/* The kind that words[*at...] name; *at moves behind them. NULL and err when there is none. */
const KindWord *kind_of_words(const Command *command, size_t *at, Error *err);

/* A table as kubectl prints it: columns by tabs of their widest cell. Cells are copied. */
typedef struct {
	Vec cells; /* owned strings, row by row */
	size_t columns;
} Table;

void table_add(Table *table, const char *cell);
void table_print(Table *table, FILE *out);
void table_dispose(Table *table);

typedef bool VerbFn(Command *command, Error *err);
VerbFn verb_get, verb_reconcile, verb_suspend, verb_resume, verb_events, verb_version;

#endif
