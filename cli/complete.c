/*
 * Completion. The shells' scripts (completion.c) only ask; all that is known of verbs, kinds and
 * flags comes from their tables here, names of objects and namespaces from the cluster, contexts
 * from the kubeconfig.
 */
#include "complete.h"

#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "connect.h"
#include "data/yaml.h"
#include "kind.h"

enum { ASK_MS = 3000, KUBECONFIG_MAX = 4 * 1024 * 1024 };

/* What is asked for, and where the answers go. */
typedef struct {
	const char *partial;
	const char *prefix; /* "--flag=" where the shell has it and the value in one word */
	FILE *out;
	/* for names in the cluster */
	const char *api_version, *kind;
	bool namespaced;
} Ask;

static void offer(const Ask *ask, Str candidate, const char *what)
{
	Str partial = str_of(ask->partial);
	if (!str_starts(candidate, partial))
		return;
	fprintf(ask->out, "%s%.*s%s%s\n", ask->prefix, (int)candidate.len, candidate.ptr,
		what ? "\t" : "", what ? what : "");
}

/* --- words --- */

static void offer_verbs(const Ask *ask)
{
	for (const Verb *const *verb = verbs_all(); *verb; verb++)
		offer(ask, str_of((*verb)->name), (*verb)->summary);
}

static void offer_options(const Ask *ask, const Option *options, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		autofree char *text = mem_printf("--%s", options[i].flag.name);
		offer(ask, str_of(text), options[i].flag.help);
	}
}

static void offer_tool_flags(const Ask *ask, const ToolFlags *flags)
{
	for (size_t i = 0; i < flags->count; i++)
		if (flags->rows[i].kind <= TOOL_SWITCH)
			offer(ask, str_of(flags->rows[i].name), flags->rows[i].help);
}

/* Each alternative of "a|b". */
static void offer_words(const Ask *ask, const char *words, const char *what)
{
	Str rest = str_of(words), piece;
	while (str_next(&rest, '|', &piece))
		offer(ask, piece, what);
}

/* The traits that a verb asks of a kind. */
static unsigned traits_of(const Verb *verb)
{
	if (verb == &verb_reconcile)
		return KIND_RECONCILE;
	return verb == &verb_get ? KIND_GET : KIND_SUSPEND;
}

/* The first word of a kind, or behind a family its second. */
static void offer_kinds(const Ask *ask, const Verb *verb, const char *family)
{
	size_t count;
	const KindRow *rows = kinds_all(&count);
	const char *offered = NULL;
	bool known = !family;
	for (size_t i = 0; i < count; i++) {
		const KindRow *row = &rows[i];
		if ((row->traits & traits_of(verb)) != traits_of(verb))
			continue;
		if (family && row->family && kind_has_word(row->family, family)) {
			offer_words(ask, row->words, row->kind);
			known = true;
		}
		if (family)
			continue;
		if (!row->family)
			offer_words(ask, row->words, row->kind);
		else if (!cstr_eq(offered, row->family))
			offer_words(ask, row->family, NULL);
		offered = row->family;
	}
	if (known && verb == &verb_get)
		offer(ask, STR("all"), "a table for each kind");
}

/* --- from the cluster --- */

static bool list_names(Command *command, const Ask *ask, Error *err)
{
	autojson json_t *list = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_LIST,
						       .api_version = ask->api_version,
						       .kind = ask->kind,
						       .ns = ask->namespaced ? command->ns : NULL,
						       .metadata_only = true,
						       .timeout_ms = ASK_MS},
					err);
	size_t i;
	const json_t *object;
	json_array_foreach(json_list(list, "items"), i, object)
		offer(ask, str_of(object_name(object)), NULL);
	return list != NULL;
}

static void offer_names(Ask *ask, Command *command, const char *api_version, const char *kind)
{
	autoerror Error err = {0};
	autoconnection Connection connection = {0};
	ask->api_version = api_version;
	ask->kind = kind;
	ask->namespaced = !cstr_eq(kind, "Namespace");
	command->ns = command->options.ns ? command->options.ns : namespace_default();
	/* Whatever fails: there is nothing to offer, and no place to say why. */
	if (command_connect(command, &connection, &err))
		(void)!list_names(command, ask, &err);
	command->client = NULL;
}

/* --- from the kubeconfig --- */

static void offer_contexts(const Ask *ask, const Command *command)
{
	const char *variable = getenv("KUBECONFIG");
	const char *home = getenv("HOME");
	Str paths = str_of(variable), first;
	str_cut(paths, ':', &first, &paths);
	autofree char *path = command->options.kubeconfig ? mem_strdup(command->options.kubeconfig)
			      : first.len		  ? str_dup(first)
					  : path_join(home ? home : "", ".kube/config");
	autobuf Buf text = {0};
	autoerror Error err = {0};
	if (!file_read(path, KUBECONFIG_MAX, &text, &err))
		return;
	autojson json_t *config = yaml_parse(buf_text(&text), text.len, KUBECONFIG_MAX, path, &err);
	size_t i;
	const json_t *context;
	json_array_foreach(json_list(config, "contexts"), i, context)
		offer(ask, str_of(json_text_or(context, "name", "")), NULL);
}

/* --- where we are --- */

static void offer_value(Ask *ask, Command *command, const Option *option)
{
	static const struct {
		const char *flag, *words;
	} choices[] = {
		{"output", "yaml|json"},
		{"types", "Normal|Warning"},
		{"log-level", "trace|debug|info|error"},
	};
	const char *name = option->flag.name;
	for (size_t i = 0; i < COUNT(choices); i++)
		if (cstr_eq(choices[i].flag, name))
			offer_words(ask, choices[i].words, NULL);
	if (cstr_eq(name, "namespace"))
		offer_names(ask, command, "v1", "Namespace");
	else if (cstr_eq(name, "context"))
		offer_contexts(ask, command);
	else if (cstr_eq(option->value, "FILE") || cstr_eq(option->value, "DIR"))
		fputs(":file\n", ask->out);
}

static void offer_flags(const Ask *ask, const Verb *verb)
{
	size_t count;
	const Option *common = options_common(&count);
	if (verb && verb->tool_flags) {
		offer_tool_flags(ask, verb->tool_flags);
		return;
	}
	if (verb)
		offer_options(ask, verb->options, verb->option_count);
	offer_options(ask, common, count);
}

/* The tool's command, then what it takes: files and directories. */
static void offer_tool_words(const Ask *ask, const Verb *verb, const char *first)
{
	Str command, rest;
	str_cut(str_of(verb->words), ' ', &command, &rest);
	if (first)
		fputs(":file\n", ask->out);
	else
		offer(ask, command, NULL);
}

/* Kinds, then names of objects. */
static void offer_arguments(Ask *ask, Command *command)
{
	const Verb *verb = command->verb;
	const char *first = command_word(command, 0);
	if (verb == &verb_completion && !first)
		offer_words(ask, "bash|zsh|fish", NULL);
	if (verb->tool_flags)
		offer_tool_words(ask, verb, first);
	if (!verb->kinds)
		return;
	size_t at = 0;
	autoerror Error err = {0};
	const KindRow *row = first ? kind_of_words(command, traits_of(verb), &at, &err) : NULL;
	if (row)
		offer_names(ask, command, row->api_version, row->kind);
	else if (command->words.len < 2)
		offer_kinds(ask, verb, first);
}

/* bash takes "--flag=value" apart at "=": puts it together again. Owned strings. */
static void join_words(int argc, char **argv, Vec *out)
{
	vec_push(out, mem_strdup("sluice"));
	for (int i = 0; i < argc; i++) {
		bool joins = cstr_eq(argv[i], "=") && out->len > 1;
		bool joined = i > 0 && cstr_eq(argv[i - 1], "=") && out->len > 1;
		if (!joins && !joined) {
			vec_push(out, mem_strdup(argv[i]));
			continue;
		}
		char *before = vec_pop(out);
		vec_push(out, mem_printf("%s%s", before, argv[i]));
		free(before);
	}
}

/* The last of the words, `before` the one in front of it; split: the shell has taken the last
 * apart. */
static void offer_for(Command *command, char *last, const char *before, bool split, FILE *out)
{
	Ask ask = {.partial = last, .prefix = "", .out = out};
	const char *equals = strchr(last, '=');
	const Option *own = equals ? option_find(command->verb, last) : NULL;
	const Option *previous = option_find(command->verb, before);
	size_t prefix_len = equals ? (size_t)(equals - last) + 1 : 0;
	autofree char *prefix = mem_strndup(last, prefix_len);
	if (own && own->value) {
		ask.partial = last + prefix_len;
		ask.prefix = split ? "" : prefix;
		offer_value(&ask, command, own);
	} else if (previous && previous->value && !strchr(before, '=')) {
		offer_value(&ask, command, previous);
	} else if (last[0] == '-') {
		offer_flags(&ask, command->verb);
	} else if (command->verb) {
		offer_arguments(&ask, command);
	} else {
		offer_verbs(&ask);
	}
}

void complete_print(int argc, char **argv, FILE *out)
{
	autostrings Vec words = {0};
	join_words(argc, argv, &words);
	char *last = words.items[words.len - 1];
	const char *before = words.len > 2 ? words.items[words.len - 2] : "";
	Command command = {0};
	autoerror Error err = {0};
	/* An error is of the unfinished line; what was understood until then is enough. */
	(void)!options_parse((int)words.len - 1, (char **)words.items, &command, &err);
	offer_for(&command, last, before, !cstr_eq(last, argv[argc - 1]), out);
	command_dispose(&command);
}
