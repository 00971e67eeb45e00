/* sluice: commands for people. Flags may stand anywhere behind the verb. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli.h"
#include "data/duration.h"

static const struct {
	const char *name;
	VerbFn *run;
	bool connects;
	const char *usage, *help;
} verbs[] = {
	{"get", verb_get, true, "get KIND [NAME]", "Show objects and their state."},
	{"reconcile", verb_reconcile, true, "reconcile KIND NAME [--with-source]",
	 "Ask for a run now and wait for its outcome."},
	{"suspend", verb_suspend, true, "suspend KIND NAME | --all", "Stop reconciling objects."},
	{"resume", verb_resume, true, "resume KIND NAME | --all", "Reconcile objects again."},
	{"events", verb_events, true, "events", "Show what the controllers said of late."},
	{"version", verb_version, false, "version", "Print the version."},
};

/* Flags with a value go to a text, the others to a switch. */
typedef struct {
	const char *name, *letter;
	const char **text;
	bool *on;
} Option;

static void print_help(FILE *out)
{
	fputs("Usage: sluice VERB [KIND] [NAME] [flags]\n\nVerbs:\n", out);
	for (size_t i = 0; i < COUNT(verbs); i++)
		fprintf(out, "  %-40s %s\n", verbs[i].usage, verbs[i].help);
	fputs("\nKinds: source git|oci|helm|chart|bucket, kustomization (ks), alert, "
	      "alert-provider\n"
	      "\nFlags:\n"
	      "  -n, --namespace NAME      namespace (default flux-system)\n"
	      "  -A, --all-namespaces      all namespaces\n"
	      "      --all                 all objects of the namespace\n"
	      "      --with-source         reconcile the source first\n"
	      "      --no-header           leave the table's head out\n"
	      "      --timeout DURATION    how long to wait (default 5m)\n"
	      "      --kubeconfig PATH     kubeconfig file\n"
	      "      --context NAME        context in it\n",
	      out);
}

bool verb_version(Command *command, Error *err)
{
	(void)command;
	(void)err;
	printf("sluice: v%s\n", SLUICE_VERSION);
	return true;
}

static bool take_option(const Option *options, size_t count, int argc, char **argv, int *at,
			Error *err)
{
	Str name, value;
	bool has_value = str_cut(str_of(argv[*at]), '=', &name, &value);
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(name, str_of(options[i].name)) &&
		    !str_eq(name, str_of(options[i].letter)))
			continue;
		if (options[i].on) {
			*options[i].on = !has_value || str_eq(value, STR("true"));
			return true;
		}
		if (!has_value && *at + 1 >= argc)
			return err_set(err, ERR_INVALID, "flag needs a value: %s", argv[*at]);
		*options[i].text = has_value ? value.ptr : argv[++*at];
		return true;
	}
	return err_set(err, ERR_INVALID, "unknown flag: %s", argv[*at]);
}

static bool parse(int argc, char **argv, Command *command, Error *err)
{
	const char *timeout = "5m";
	const Option options[] = {
		{"--namespace", "-n", &command->ns, NULL},
		{"--kubeconfig", "", &command->kubeconfig, NULL},
		{"--context", "", &command->context, NULL},
		{"--timeout", "", &timeout, NULL},
		{"--all-namespaces", "-A", NULL, &command->all_namespaces},
		{"--all", "", NULL, &command->all},
		{"--with-source", "", NULL, &command->with_source},
		{"--no-header", "", NULL, &command->no_header},
		{"--client", "", NULL, &command->client_only},
	};
	for (int at = 2; at < argc; at++) {
		if (argv[at][0] == '-') {
			if (!take_option(options, COUNT(options), argc, argv, &at, err))
				return false;
		} else if (command->word_count == COUNT(command->words)) {
			return err_set(err, ERR_INVALID, "too many arguments: %s", argv[at]);
		} else {
			command->words[command->word_count++] = argv[at];
		}
	}
	if (!duration_parse(timeout, &command->timeout_ms))
		return err_set(err, ERR_INVALID, "invalid --timeout \"%s\"", timeout);
	return true;
}

static bool run(Command *command, VerbFn *verb, bool connects, Error *err)
{
	if (!connects)
		return verb(command, err);
	autokubeconfig KubeConfig config = {0};
	autoloop Loop *loop = loop_new(err);
	if (!loop || !kube_config_find(command->kubeconfig, command->context, &config, err))
		return false;
	autokubeclient KubeClient *client = kube_client_new(loop, &config, "sluice", err);
	command->client = client;
	return client && verb(command, err);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(mem_alloc, free);
	Command command = {.ns = "flux-system"};
	autoerror Error err = {0};
	if (argc < 2 || cstr_eq(argv[1], "--help") || cstr_eq(argv[1], "-h") ||
	    cstr_eq(argv[1], "help")) {
		print_help(argc < 2 ? stderr : stdout);
		return argc < 2 ? 1 : 0;
	}
	command.verb = argv[1];
	for (size_t i = 0; i < COUNT(verbs); i++) {
		if (!cstr_eq(verbs[i].name, command.verb))
			continue;
		if (parse(argc, argv, &command, &err) &&
		    run(&command, verbs[i].run, verbs[i].connects, &err))
			return 0;
		fprintf(stderr, "✗ %s\n", err_text(&err));
		return 1;
	}
	fprintf(stderr, "✗ unknown verb \"%s\"; see sluice --help\n", command.verb);
	return 1;
}
