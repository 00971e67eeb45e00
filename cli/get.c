/* sluice get: what is there and how it is. */
#include <ctype.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli.h"

static const char *revision_of(const json_t *object)
{
	const char *stored = json_text_at(object, "status", "artifact", "revision", NULL);
	const char *applied = json_text_at(object, "status", "lastAppliedRevision", NULL);
	return stored ? stored : applied ? applied : "";
}

static void add_head(Table *table, const Command *command)
{
	static const char *const names[] = {"NAMESPACE", "NAME",  "REVISION",
					    "SUSPENDED", "READY", "MESSAGE"};
	for (size_t i = command->options.all_namespaces ? 0 : 1; i < COUNT(names); i++)
		table_add(table, names[i]);
}

static void add_row(Table *table, const Command *command, const json_t *object)
{
	const json_t *ready = object_condition(object, "Ready");
	bool suspended = json_flag(json_map(object, "spec"), "suspend", false);
	if (command->options.all_namespaces)
		table_add(table, object_namespace(object));
	table_add(table, object_name(object));
	table_add(table, revision_of(object));
	table_add(table, suspended ? "True" : "False");
	table_add(table, json_text_or(ready, "status", "Unknown"));
	/* A message of several lines would break the table. */
	autofree char *message = mem_strdup(json_text_or(ready, "message", "waiting"));
	for (char *c = message; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	table_add(table, message);
}

static bool run_get(Command *command, Error *err)
{
	size_t at = 0;
	const KindRow *kind = kind_of_words(command, &at, err);
	if (!kind)
		return false;
	const char *name = command_word(command, at);
	autojson json_t *list =
		kube_do(command->client,
			&(KubeRequest){.verb = KUBE_LIST,
				       .api_version = kind->api_version,
				       .kind = kind->kind,
				       .ns = command->options.all_namespaces ? NULL : command->ns},
			err);
	if (!list)
		return false;
	__attribute__((cleanup(table_dispose)))
	Table table = {.columns = command->options.all_namespaces ? 6 : 5};
	if (!command->options.no_header)
		add_head(&table, command);
	size_t i, shown = 0;
	json_t *object;
	json_array_foreach(json_list(list, "items"), i, object)
	{
		if (name && !cstr_eq(object_name(object), name))
			continue;
		add_row(&table, command, object);
		shown++;
	}
	if (!shown)
		return err_set(err, ERR_NOT_FOUND, "no %s objects found in \"%s\" namespace",
			       kind->kind, command->options.all_namespaces ? "any" : command->ns);
	table_print(&table, stdout);
	return true;
}

#define AT(member) offsetof(Options, member)

static const Option options[] = {
	{{"all-namespaces", FLAG_BOOL, AT(all_namespaces), "false", NULL, "All namespaces."},
	 'A',
	 NULL},
	{{"no-header", FLAG_BOOL, AT(no_header), "false", NULL, "Leave the table's head out."},
	 0,
	 NULL},
};

const Verb verb_get = {
	.name = "get",
	.words = "KIND [NAME]",
	.summary = "Show objects and their state.",
	.run = run_get,
	.connects = true,
	.takes_kinds = true,
	.options = options,
	.option_count = COUNT(options),
};
