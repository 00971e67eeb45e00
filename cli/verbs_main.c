/* sluice-verbs: commands for people. Progress goes to stderr, data to stdout; any error exits 1. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "complete.h"
#include "connect.h"
#include "net/proxy_env.h"

static bool connect_and_run(Command *command, Error *err)
{
	autoconnection Connection connection = {0};
	bool ok = command_connect(command, &connection, err) && command->verb->run(command, err);
	command->client = NULL;
	return ok;
}

static bool run(Command *command, Error *err)
{
	command->ns = command->options.ns ? command->options.ns : namespace_default();
	if (!namespace_is_valid(command->ns))
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
	for (const Verb *const *verb = verbs_all(); *verb; verb++)
		if ((*verb)->main && cstr_eq((*verb)->name, name))
			return *verb;
	return NULL;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	proxy_env_settle();
	json_set_alloc_funcs(mem_alloc, free);
	const Verb *foreign = foreign_verb(argc > 1 ? argv[1] : NULL);
	if (foreign)
		return foreign->main(argc - 1, argv + 1);
	/* What the shells' scripts of "sluice completion" call. */
	if (argc > 2 && cstr_eq(argv[1], "__complete")) {
		complete_print(argc - 2, argv + 2, stdout);
		return 0;
	}
	Command command = {0};
	autoerror Error err = {0};
	bool ok = options_parse(argc, argv, &command, &err);
	int code = command.verb && command.verb->error_code ? command.verb->error_code : 1;
	if (ok && command.options.version) {
		printf("sluice version %s\n", SLUICE_VERSION);
		code = 0;
	} else if (ok && command.options.help_man) {
		help_print_man(stdout);
		code = 0;
	} else if (ok && !command.verb) {
		code = print_general_help(&command);
	} else if (ok && command.options.help) {
		help_print(command.verb, stdout);
		code = 0;
	} else if (ok && run(&command, &err)) {
		code = command.exit_code;
	}
	/* A full disk must not look like success; a reader that went away has had what it wanted.
	 */
	if (fflush(stdout) != 0 && errno != EPIPE && !err_is_set(&err))
		err_errno(&err, "write to stdout");
	if (ferror(stdout))
		code = 1;
	if (err_is_set(&err))
		fprintf(stderr, "✗ %s\n", err_text(&err));
	command_dispose(&command);
	return code;
}
