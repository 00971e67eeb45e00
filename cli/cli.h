/* What the verbs of `sluice` share: options from tables, kinds by name, tables on stdout. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/vec.h"
#include "ctrl/flags.h"
#include "kube/client.h"

/* The values of all flags, those of every verb first. A verb reads only those in its table. */
typedef struct {
	char *ns, *kubeconfig, *context, *cluster, *user, *server, *token, *as_user;
	char *ca_file, *tls_server_name;
	bool insecure, ns_follows_context, help, version;
	int64_t timeout_ms;

	bool all_namespaces, no_header, watch, show_source; /* get, events */
	char *status_selector, *label_selector;
	bool with_source; /* reconcile */
	bool all, wait;	  /* suspend, resume */
	char *for_object; /* events */
	Vec types;
	bool client_only; /* version */
	char *output;
	char *data_dir, *bind, *log_level; /* up */
	int port;
} Options;

/* One flag: how it is parsed, and what --help, completion and the manual page say of it. */
typedef struct {
	Flag flag;
	char letter;	   /* 0: none */
	const char *value; /* what the value is called; NULL for a switch */
} Option;

typedef struct Command Command;
typedef struct Verb Verb;

struct Verb {
	const char *name;
	const char *words;   /* what follows the name, as in "KIND [NAME]"; "" for nothing */
	const char *summary; /* one line */
	const char *details; /* paragraphs for the manual page, or NULL */
	bool (*run)(Command *command, Error *err);
	bool connects;	  /* needs an API server */
	bool takes_kinds; /* completion offers kinds, then names */
	const Option *options;
	size_t option_count;
	/* Instead of all that: a command with another tool's arguments; argv[0] is its name. */
	int (*main)(int argc, char **argv);
};

/* A parsed command line. */
struct Command {
	const Verb *verb;
	Options options;
	Vec words;	    /* borrowed from argv: what is no flag, behind the verb */
	const char *ns;	    /* the namespace to work in */
	KubeClient *client; /* NULL unless the verb connects */
	int exit_code;	    /* of a verb that succeeded otherwise */
};

extern const Verb verb_up, verb_kustomize;
extern const Verb verb_get, verb_reconcile, verb_suspend, verb_resume, verb_events, verb_version;
extern const Verb verb_completion;

/* All verbs, in the order of --help; NULL ends. */
const Verb *const *verbs_all(void);

/* The flags that every verb has. */
const Option *options_common(size_t *out_count);

/* Fills command from argv: verb NULL when there is none. ERR_INVALID names the bad word. */
bool options_parse(int argc, char **argv, Command *command, Error *err) MUST_USE;
void command_dispose(Command *command);

/* --help of all, or of one verb. */
void help_print(const Verb *verb, FILE *out);

/* sluice.1 from the same tables. */
void help_print_man(FILE *out);

/* The word at a place, or NULL. Borrowed. */
const char *command_word(const Command *command, size_t at);

/* A kind by what people call it ("source git", "kustomization", "ks"). */
typedef struct {
	const char *family; /* "source" or NULL: the word before */
	const char *words;  /* alternatives, separated by "|" */
	const char *api_version, *kind;
} KindRow;

const KindRow *kinds_all(size_t *out_count);

/* The kind that words[*at...] name; *at moves behind them. NULL and err when there is none. */
const KindRow *kind_of_words(const Command *command, size_t *at, Error *err);

/* How a kind is called on the command line: "source git", "kustomization, ks". Owned. */
char *kind_words(const KindRow *row);

/* A table as kubectl prints it: columns by tabs of their widest cell. Cells are copied. */
typedef struct {
	Vec cells; /* owned strings, row by row */
	size_t columns;
} Table;

void table_add(Table *table, const char *cell);
void table_print(Table *table, FILE *out);
void table_dispose(Table *table);

#endif
