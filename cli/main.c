/* sluice: commands for people. Progress goes to stderr, data to stdout; any error exits 1. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli.h"

enum { PEM_MAX = 1024 * 1024, LABEL_MAX = 63 };

static const Verb *const verbs[] = {
	&verb_up,     &verb_get,       &verb_reconcile, &verb_suspend, &verb_resume,
	&verb_events, &verb_kustomize, &verb_version,	NULL,
};

const Verb *const *verbs_all(void)
{
	return verbs;
}

/* RFC 1123 label. */
static bool is_label(const char *text)
{
	size_t len = strlen(text);
	return len && len <= LABEL_MAX && text[0] != '-' && text[len - 1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* A variable that holds no name of a namespace is told about and passed over. */
static const char *default_namespace(void)
{
	const char *ns = getenv("FLUX_SYSTEM_NAMESPACE");
	if (cstr_empty(ns))
		return "flux-system";
	if (is_label(ns))
		return ns;
	fprintf(stderr, "⚠️  ignoring invalid FLUX_SYSTEM_NAMESPACE: \"%s\"\n", ns);
	return "flux-system";
}

static void replace(char **text, const char *value)
{
	if (!value)
		return;
	free(*text);
	*text = mem_strdup(value);
}

static bool replace_by_file(char **text, const char *path, Error *err)
{
	autobuf Buf pem = {0};
	if (!path)
		return true;
	if (!file_read(path, PEM_MAX, &pem, err))
		return false;
	replace(text, buf_text(&pem));
	return true;
}

/* What the command line says beats the kubeconfig. */
static bool override(const Options *options, KubeConfig *config, Error *err)
{
	replace(&config->server, options->server);
	replace(&config->as_user, options->as_user);
	replace(&config->server_name, options->tls_server_name);
	config->insecure_skip_verify |= options->insecure;
	if (options->token) {
		replace(&config->token, options->token);
		free(steal(&config->token_file));
	}
	return replace_by_file(&config->ca_pem, options->ca_file, err) &&
	       replace_by_file(&config->cert_pem, options->cert_file, err) &&
	       replace_by_file(&config->key_pem, options->key_file, err);
}

static bool find_server(const Options *options, KubeConfig *config, Error *err)
{
	if (!kube_config_find(options->kubeconfig, options->context, config, err)) {
		/* --server alone is enough. */
		if (!options->server || options->kubeconfig)
			return false;
		error_dispose(err);
	}
	return override(options, config, err);
}

static bool connect_and_run(Command *command, Error *err)
{
	autokubeconfig KubeConfig config = {0};
	autoloop Loop *loop = loop_new(err);
	if (!loop || !find_server(&command->options, &config, err))
		return false;
	if (command->options.ns_follows_context && !command->options.ns && config.ns)
		command->ns = config.ns;
	autokubeclient KubeClient *client = kube_client_new(loop, &config, "flux", err);
	command->client = client;
	bool ok = client && command->verb->run(command, err);
	command->client = NULL;
	return ok;
}

static bool run(Command *command, Error *err)
{
	command->ns = command->options.ns ? command->options.ns : default_namespace();
	if (!is_label(command->ns))
		return err_set(err, ERR_INVALID, "namespace must be a valid DNS label: \"%s\"",
			       command->ns);
	if (command->verb->check && !command->verb->check(command, err))
		return false;
	return command->verb->connects && !command->offline ? connect_and_run(command, err)
							    : command->verb->run(command, err);
}

/* No verb: help, wanted or not. */
static int print_general_help(const Command *command)
{
	bool wanted = command->options.help;
	help_print(NULL, wanted ? stdout : stderr);
	return wanted ? 0 : 1;
}

/* A command that has another tool's arguments; NULL when it is none of these. */
static const Verb *foreign_verb(const char *name)
{
	for (const Verb *const *verb = verbs; *verb; verb++)
		if ((*verb)->main && cstr_eq((*verb)->name, name))
			return *verb;
	return NULL;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(mem_alloc, free);
	const Verb *foreign = foreign_verb(argc > 1 ? argv[1] : NULL);
	if (foreign)
		return foreign->main(argc - 1, argv + 1);
	Command command = {0};
	autoerror Error err = {0};
	bool ok = options_parse(argc, argv, &command, &err);
	int code = 1;
	if (ok && command.options.version) {
		printf("sluice version %s\n", SLUICE_VERSION);
		code = 0;
	} else if (ok && !command.verb) {
		code = print_general_help(&command);
	} else if (ok && command.options.help) {
		help_print(command.verb, stdout);
		code = 0;
	} else if (ok && run(&command, &err)) {
		code = 0;
	}
	if (err_is_set(&err))
		fprintf(stderr, "✗ %s\n", err_text(&err));
	command_dispose(&command);
	return code;
}
