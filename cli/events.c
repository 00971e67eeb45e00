/* sluice events: what the controllers said of late, oldest first. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli.h"

static const char *when(const json_t *event)
{
	return json_text_or(event, "lastTimestamp", "");
}

static int compare(const void *a, const void *b)
{
	return strcmp(when(a), when(b));
}

static void add_age(Table *table, const json_t *event)
{
	int64_t at_ms;
	if (!clock_parse(when(event), &at_ms)) {
		table_add(table, "<unknown>");
		return;
	}
	int64_t seconds = (clock_wall_ms() - at_ms) / 1000;
	const char *unit = seconds < 120 ? "s" : seconds < 7200 ? "m" : "h";
	int64_t value = seconds < 120 ? seconds : seconds < 7200 ? seconds / 60 : seconds / 3600;
	autofree char *text = mem_printf("%lld%s", (long long)value, unit);
	table_add(table, text);
}

static bool run_events(Command *command, Error *err)
{
	autojson json_t *list =
		kube_do(command->client,
			&(KubeRequest){.verb = KUBE_LIST,
				       .api_version = "v1",
				       .kind = "Event",
				       .ns = command->options.all_namespaces ? NULL : command->ns},
			err);
	if (!list)
		return false;
	autovec Vec events = {0};
	size_t i;
	json_t *event;
	json_array_foreach(json_list(list, "items"), i, event)
	{
		const char *version = json_text_at(event, "involvedObject", "apiVersion", NULL);
		if (version && strstr(version, ".toolkit.fluxcd.io/"))
			vec_push(&events, event);
	}
	vec_sort(&events, compare);
	static const char *const head[] = {"LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"};
	__attribute__((cleanup(table_dispose))) Table table = {.columns = COUNT(head)};
	for (i = 0; i < COUNT(head) && !command->options.no_header; i++)
		table_add(&table, head[i]);
	for (i = 0; i < events.len; i++) {
		event = events.items[i];
		const json_t *object = json_map(event, "involvedObject");
		autofree char *what = mem_printf("%s/%s", json_text_or(object, "kind", ""),
						 json_text_or(object, "name", ""));
		autofree char *message = mem_strdup(json_text_or(event, "message", ""));
		message[strcspn(message, "\n")] = '\0';
		add_age(&table, event);
		table_add(&table, json_text_or(event, "type", ""));
		table_add(&table, json_text_or(event, "reason", ""));
		table_add(&table, what);
		table_add(&table, message);
	}
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

const Verb verb_events = {
	.name = "events",
	.words = "",
	.summary = "Show what the controllers said of late.",
	.run = run_events,
	.connects = true,
	.takes_kinds = false,
	.options = options,
	.option_count = COUNT(options),
};
