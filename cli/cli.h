/* What the verbs of `sluice` share: options from tables, kinds by name, tables on stdout. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/vec.h"
#include "ctrl/flags.h"
#include "kube/client.h"
#include "tool_flags.h"

/* The values of all flags, those of every verb first. A verb reads only those in its table. */
typedef struct {
	char *ns, *kubeconfig, *context, *cluster, *user, *server, *token, *as_user;
	Vec as_groups; /* borrowed */
	char *ca_file, *cert_file, *key_file, *tls_server_name;
	char *ignored; /* flags that scripts pass and that change nothing here */
	bool ignored_switch;
	bool insecure, ns_follows_context, help, help_man, version;
	int64_t timeout_ms;

	bool all_namespaces, no_header, watch, show_source; /* get, events */
	char *status_selector, *label_selector;
	bool with_source, force, reset; /* reconcile */
	bool all, wait;			/* suspend, resume */
	char *for_object;		/* events */
	Vec types;
	bool client_only; /* version */
	char *output;
	char *data_dir, *bind, *log_level; /* up */
	int port;
	char *path, *kustomization_file; /* build, diff */
	char *helmrelease_file;		 /* build */
	Vec ignore_paths, local_sources;
	int build_max_file_bytes, build_max_bytes, build_max_objects; /* build, diff */
	int64_t build_timeout_ms;
	bool dry_run, strict, recursive, in_memory, ignore_not_found;
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
	bool (*check)(Command *command, Error *err); /* before connecting; or NULL */
	bool (*run)(Command *command, Error *err);
	bool connects;	/* needs an API server */
	bool kinds;	/* completion offers kinds */
	int error_code; /* exit code of an error; 0: 1 */
	const Option *options;
	size_t option_count;
	/* Instead of all that: a command with another tool's arguments; argv[0] is its name. */
	int (*main)(int argc, char **argv);
	const ToolFlags *tool_flags; /* its flags */
};

/* A parsed command line. */
struct Command {
	const Verb *verb;
	Options options;
	Vec words;	    /* borrowed from argv: what is no flag, behind the verb */
	const char *ns;	    /* the namespace to work in */
	KubeClient *client; /* NULL unless the verb connects */
	Vec given;	    /* Option *: the flags that were on the command line */
	bool offline;	    /* set by check: this time no API server is needed */
	int exit_code;	    /* set by run: of a success */
};

extern const Verb verb_up, verb_kustomize, verb_build, verb_diff, verb_helm;
extern const Verb verb_get, verb_reconcile, verb_suspend, verb_resume, verb_events, verb_version;
extern const Verb verb_completion;

/* All verbs, in the order of --help; NULL ends. */
const Verb *const *verbs_all(void);

/* The flags that every verb has. */
const Option *options_common(size_t *out_count);

/* The flag that a word such as "--timeout", "--timeout=1m" or "-n" is; NULL when there is none. */
const Option *option_find(const Verb *verb, const char *word);

/* Fills command from argv: verb NULL when there is none. ERR_INVALID names the bad word. */
bool options_parse(int argc, char **argv, Command *command, Error *err) MUST_USE;
void command_dispose(Command *command);

/* True when the flag was on the command line, whatever its value. */
bool command_gave(const Command *command, const char *flag);

/* RFC 1123 label. */
bool namespace_is_valid(const char *text);

/* $FLUX_SYSTEM_NAMESPACE, or flux-system. */
const char *namespace_default(void);

/* --help of all, or of one verb. */
void help_print(const Verb *verb, FILE *out);

/* sluice.1 from the same tables. */
void help_print_man(FILE *out);

/* The word at a place, or NULL. Borrowed. */
const char *command_word(const Command *command, size_t at);

#endif
