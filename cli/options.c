/* Command lines: flags of every verb and of one, anywhere; short letters alone or bundled. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli.h"

#define AT(member) offsetof(Options, member)

/* kubectl's flags for the connection, and ours. No -s for --server: it means silence upstream. */
static const Option common[] = {
	{{"namespace", FLAG_TEXT, AT(ns), NULL, NULL,
	  "Namespace to work in (default flux-system, or $FLUX_SYSTEM_NAMESPACE)."},
	 'n',
	 "NAME"},
	{{"ns-follows-kube-context", FLAG_BOOL, AT(ns_follows_context), "false",
	  "FLUX_NS_FOLLOWS_KUBE_CONTEXT", "Take the namespace of the kubeconfig's context."},
	 0,
	 NULL},
	{{"timeout", FLAG_DURATION, AT(timeout_ms), "5m", NULL, "How long to wait."}, 0, "TIME"},
	{{"kubeconfig", FLAG_TEXT, AT(kubeconfig), NULL, NULL,
	  "Kubeconfig file (default $KUBECONFIG, then ~/.kube/config)."},
	 0,
	 "FILE"},
	{{"context", FLAG_TEXT, AT(context), NULL, NULL, "Context of the kubeconfig."}, 0, "NAME"},
	{{"cluster", FLAG_TEXT, AT(cluster), NULL, NULL,
	  "Cluster of the kubeconfig, in place of the context's."},
	 0,
	 "NAME"},
	{{"user", FLAG_TEXT, AT(user), NULL, NULL,
	  "User of the kubeconfig, in place of the context's."},
	 0,
	 "NAME"},
	{{"server", FLAG_TEXT, AT(server), NULL, NULL, "Address of the API server."}, 0, "URL"},
	{{"token", FLAG_TEXT, AT(token), NULL, NULL, "Bearer token for the API server."},
	 0,
	 "TOKEN"},
	{{"as", FLAG_TEXT, AT(as_user), NULL, NULL, "User to impersonate."}, 0, "NAME"},
	{{"certificate-authority", FLAG_TEXT, AT(ca_file), NULL, NULL,
	  "File with the authorities that the API server's certificate may come from."},
	 0,
	 "FILE"},
	{{"client-certificate", FLAG_TEXT, AT(cert_file), NULL, NULL,
	  "File with the client certificate."},
	 0,
	 "FILE"},
	{{"client-key", FLAG_TEXT, AT(key_file), NULL, NULL, "File with its key."}, 0, "FILE"},
	{{"tls-server-name", FLAG_TEXT, AT(tls_server_name), NULL, NULL,
	  "Name that the API server's certificate must have."},
	 0,
	 "NAME"},
	{{"insecure-skip-tls-verify", FLAG_BOOL, AT(insecure), "false", NULL,
	  "Do not verify the API server's certificate."},
	 0,
	 NULL},
	{{"kube-api-qps", FLAG_TEXT, AT(ignored), NULL, NULL,
	  "Accepted for compatibility; requests are not throttled here."},
	 0,
	 "N"},
	{{"kube-api-burst", FLAG_TEXT, AT(ignored), NULL, NULL, "As --kube-api-qps."}, 0, "N"},
	{{"cache-dir", FLAG_TEXT, AT(ignored), NULL, NULL,
	  "Accepted for compatibility; nothing is cached."},
	 0,
	 "DIR"},
	{{"disable-compression", FLAG_BOOL, AT(ignored_switch), "false", NULL,
	  "Accepted for compatibility."},
	 0,
	 NULL},
	{{"verbose", FLAG_BOOL, AT(ignored_switch), "false", NULL, "Accepted for compatibility."},
	 0,
	 NULL},
	{{"help", FLAG_BOOL, AT(help), "false", NULL, "Print help and exit."}, 'h', NULL},
	{{"help-man", FLAG_BOOL, AT(help_man), "false", NULL,
	  "Print the manual page's source and exit."},
	 0,
	 NULL},
	{{"version", FLAG_BOOL, AT(version), "false", NULL, "Print the version and exit."},
	 'v',
	 NULL},
};

const Option *options_common(size_t *out_count)
{
	*out_count = COUNT(common);
	return common;
}

const char *command_word(const Command *command, size_t at)
{
	return at < command->words.len ? command->words.items[at] : NULL;
}

static const Option *find_in(const Option *options, size_t count, Str name, char letter)
{
	for (size_t i = 0; i < count; i++)
		if (letter ? options[i].letter == letter
			   : str_eq(str_of(options[i].flag.name), name))
			return &options[i];
	return NULL;
}

/* By name, or by letter when that is not 0. The verb's own come first. */
static const Option *find(const Verb *verb, Str name, char letter)
{
	const Option *own = verb ? find_in(verb->options, verb->option_count, name, letter) : NULL;
	return own ? own : find_in(common, COUNT(common), name, letter);
}

const Option *option_find(const Verb *verb, const char *word)
{
	Str name;
	if (cstr_starts(word, "--")) {
		str_cut(str_of(word + 2), '=', &name, &(Str){0});
		return find(verb, name, 0);
	}
	return word[0] == '-' && word[1] && !word[2] ? find(verb, STR(""), word[1]) : NULL;
}

static bool set_fallbacks(const Option *options, size_t count, Command *command, Error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!flag_set_fallback(&options[i].flag, &command->options, err))
			return false;
	return true;
}

/* What is left of argv, and where the words go. */
typedef struct {
	int argc;
	char **argv;
	int at;
	Command *command;
} Scan;

bool command_gave(const Command *command, const char *flag)
{
	for (size_t i = 0; i < command->given.len; i++)
		if (cstr_eq(((const Option *)command->given.items[i])->flag.name, flag))
			return true;
	return false;
}

static bool take_value(Scan *scan, const Option *option, const char *value, Error *err)
{
	vec_push(&scan->command->given, (void *)(uintptr_t)option);
	Options *out = &scan->command->options;
	if (!value && option->flag.type == FLAG_BOOL)
		return flag_set(&option->flag, out, "true", err);
	if (!value && scan->at + 1 >= scan->argc)
		return err_set(err, ERR_INVALID, "flag needs an argument: --%s", option->flag.name);
	return flag_set(&option->flag, out, value ? value : scan->argv[++scan->at], err);
}

static bool take_long(Scan *scan, const char *arg, Error *err)
{
	Str name, value;
	bool has_value = str_cut(str_of(arg + 2), '=', &name, &value);
	const Option *option = find(scan->command->verb, name, 0);
	if (!option)
		return err_set(err, ERR_INVALID, "unknown flag: --%.*s", (int)name.len, name.ptr);
	return take_value(scan, option, has_value ? value.ptr : NULL, err);
}

/* "-A", "-Aw", "-n x", "-nx", "-n=x" */
static bool take_letters(Scan *scan, const char *arg, Error *err)
{
	for (const char *c = arg + 1; *c; c++) {
		const Option *option = find(scan->command->verb, STR(""), *c);
		if (!option)
			return err_set(err, ERR_INVALID, "unknown shorthand flag: '%c' in %s", *c,
				       arg);
		const char *rest = c[1] == '=' ? c + 2 : c[1] && option->value ? c + 1 : NULL;
		if (!take_value(scan, option, rest, err))
			return false;
		if (option->value || rest)
			return true;
	}
	return true;
}

static bool take_word(Scan *scan, char *word, Error *err)
{
	Command *command = scan->command;
	if (command->verb) {
		vec_push(&command->words, word);
		return true;
	}
	/* "help", "help get": as --help. */
	if (cstr_eq(word, "help")) {
		command->options.help = true;
		return true;
	}
	for (const Verb *const *verb = verbs_all(); *verb; verb++)
		if (cstr_eq((*verb)->name, word))
			command->verb = *verb;
	if (!command->verb)
		return err_set(err, ERR_INVALID, "unknown command \"%s\"; see sluice --help", word);
	return set_fallbacks(command->verb->options, command->verb->option_count, command, err);
}

static bool take(Scan *scan, Error *err)
{
	char *arg = scan->argv[scan->at];
	if (cstr_eq(arg, "--")) {
		while (++scan->at < scan->argc)
			if (!take_word(scan, scan->argv[scan->at], err))
				return false;
		return true;
	}
	if (cstr_starts(arg, "--"))
		return take_long(scan, arg, err);
	if (arg[0] == '-' && arg[1])
		return take_letters(scan, arg, err);
	return take_word(scan, arg, err);
}

bool options_parse(int argc, char **argv, Command *command, Error *err)
{
	if (!set_fallbacks(common, COUNT(common), command, err))
		return false;
	Scan scan = {.argc = argc, .argv = argv, .command = command};
	while (++scan.at < argc)
		if (!take(&scan, err))
			return false;
	return true;
}

void command_dispose(Command *command)
{
	for (size_t i = 0; i < COUNT(common); i++)
		flag_dispose(&common[i].flag, &command->options);
	const Verb *verb = command->verb;
	for (size_t i = 0; verb && i < verb->option_count; i++)
		flag_dispose(&verb->options[i].flag, &command->options);
	vec_dispose(&command->words);
	vec_dispose(&command->given);
}
