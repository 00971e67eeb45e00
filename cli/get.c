/* sluice get: what is there and how it is. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "await.h"
#include "base/mem.h"
#include "base/str.h"
#include "kind.h"
#include "table.h"

#define AT(member) offsetof(Options, member)

/* --status-selector: TYPE=STATUS, or TYPE!=STATUS. */
typedef struct {
	Str type, status;
	bool set, negated;
} Selector;

static bool parse_selector(const char *text, Selector *out, Error *err)
{
	if (cstr_empty(text))
		return true;
	const char *negated = strstr(text, "!=");
	Str rest = str_of(text);
	out->set = true;
	out->negated = negated != NULL;
	if (negated) {
		out->type = str_sized(text, (size_t)(negated - text));
		out->status = str_of(negated + 2);
		return true;
	}
	return str_cut(rest, '=', &out->type, &out->status) ||
	       err_set(err, ERR_INVALID,
		       "expected status selector in type=status or type!=status format, but found: "
		       "%s",
		       text);
}

static bool same(Str a, const char *b)
{
	return a.len == strlen(b) && strncasecmp(a.ptr, b, a.len) == 0;
}

/* A condition that is absent has no status. Static kinds are Ready, and nothing else. */
static bool has_status(const KindRow *row, const json_t *object, const Selector *selector)
{
	if (row->traits & KIND_STATIC)
		return same(selector->type, "Ready") && same(selector->status, "True");
	size_t i;
	const json_t *condition;
	json_array_foreach(json_list(json_map(object, "status"), "conditions"), i, condition)
	{
		if (same(selector->type, json_text_or(condition, "type", "")))
			return same(selector->status, json_text_or(condition, "status", ""));
	}
	return false;
}

static bool is_selected(const KindRow *row, const json_t *object, const Selector *selector)
{
	return !selector->set || has_status(row, object, selector) != selector->negated;
}

/* One kind to show, and how. */
typedef struct {
	const Command *command;
	const KindRow *row;
	const char *name; /* or NULL: all */
	Selector selector;
	bool all;	 /* of several kinds: names are KIND/NAME, nothing is no error */
	bool head;	 /* to be printed before the next row */
	int write_errno; /* of a watch whose output failed; read when the watch is over */
	Table table;
} View;

static bool shows(const View *view, const Column *column)
{
	return !column->source || view->command->options.show_source;
}

static void view_open(View *view)
{
	view->head = !view->command->options.no_header;
	view->table.columns = view->command->options.all_namespaces ? 1 : 0;
	for (size_t i = 0; i < view->row->column_count; i++)
		view->table.columns += shows(view, &view->row->columns[i]);
}

static void add_head(View *view)
{
	view->table.has_head = true;
	if (view->command->options.all_namespaces)
		table_add(&view->table, "NAMESPACE");
	for (size_t i = 0; i < view->row->column_count; i++)
		if (shows(view, &view->row->columns[i]))
			table_add(&view->table, view->row->columns[i].title);
	view->head = false;
}

static char *name_cell(const View *view, const json_t *object)
{
	if (!view->all)
		return mem_strdup(object_name(object));
	char *text = mem_printf("%s/%s", view->row->kind, object_name(object));
	for (char *c = text; *c != '/'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return text;
}

static void add_row(View *view, const json_t *object)
{
	if (view->head)
		add_head(view);
	if (view->command->options.all_namespaces)
		table_add(&view->table, object_namespace(object));
	for (size_t i = 0; i < view->row->column_count; i++) {
		const Column *column = &view->row->columns[i];
		if (shows(view, column))
			table_add_take(&view->table, column->cell ? column->cell(object)
								  : name_cell(view, object));
	}
}

static const char *in_namespace(const Command *command)
{
	return command->options.all_namespaces ? NULL : command->ns;
}

static bool nothing_found(const View *view, Error *err)
{
	const Command *command = view->command;
	autofree char *where = command->options.all_namespaces ? mem_strdup("any")
							       : mem_printf("\"%s\"", command->ns);
	if (view->name)
		return err_set(err, ERR_NOT_FOUND, "%s object '%s' not found in %s namespace",
			       view->row->kind, view->name, where);
	return err_set(err, ERR_NOT_FOUND, "no %s objects found in %s namespace", view->row->kind,
		       where);
}

static json_t *list(const View *view, Error *err)
{
	autofree char *fields = view->name ? mem_printf("metadata.name=%s", view->name) : NULL;
	return kube_do(view->command->client,
		       &(KubeRequest){.verb = KUBE_LIST,
				      .api_version = view->row->api_version,
				      .kind = view->row->kind,
				      .ns = in_namespace(view->command),
				      .field_selector = fields,
				      .label_selector = view->command->options.label_selector,
				      .timeout_ms = view->command->options.timeout_ms},
		       err);
}

static bool show_once(View *view, Error *err)
{
	autojson json_t *found = list(view, err);
	if (!found)
		return false;
	const json_t *items = json_list(found, "items");
	if (!json_array_size(items))
		return view->all || nothing_found(view, err);
	size_t i;
	const json_t *object;
	json_array_foreach(items, i, object)
	{
		if (is_selected(view->row, object, &view->selector))
			add_row(view, object);
	}
	if (view->all && !view->table.cells.len)
		return true;
	if (view->head)
		add_head(view);
	table_print(&view->table, stdout);
	if (view->all)
		putchar('\n');
	return true;
}

/* AwaitFn: a row for each change, until the time is up. */
static bool show_change(void *arg, InformerEvent event, const json_t *object)
{
	View *view = arg;
	if (event == INFORMER_SYNCED || !is_selected(view->row, object, &view->selector))
		return false;
	add_row(view, object);
	return !table_print_now(&view->table, stdout, &view->write_errno);
}

static bool show_changes(View *view, Error *err)
{
	/* An informer asks for ever; a kind that is not served should be said at once. */
	KubeResource resource;
	const Command *command = view->command;
	if (!kube_resource(command->client, view->row->api_version, view->row->kind, &resource,
			   err))
		return false;
	autoawait Await *await =
		await_start(command->client, &(AwaitConfig){
						     .api_version = view->row->api_version,
						     .kind = view->row->kind,
						     .ns = in_namespace(command),
						     .name = view->name,
						     .labels = command->options.label_selector,
						     .fn = show_change,
						     .arg = view,
					     });
	/* Done before the time: it could not be written. */
	if (await_done(await, command->options.timeout_ms))
		return table_check_written(view->write_errno, err);
	return err_set(err, ERR_TIMEOUT, "timed out waiting for the condition");
}

static bool show(View *view, Error *err)
{
	view_open(view);
	bool ok = view->command->options.watch ? show_changes(view, err) : show_once(view, err);
	table_dispose(&view->table);
	return ok;
}

/* A kind whose CRD is not installed is passed over; other failures are told and the rest is shown.
 */
static void show_all(const Command *command, const char *family, const Selector *selector)
{
	size_t count;
	const KindRow *rows = kinds_all(&count);
	for (size_t i = 0; i < count; i++) {
		if (!(rows[i].traits & KIND_ALL) || (family && !cstr_eq(rows[i].family, family)))
			continue;
		autoerror Error err = {0};
		View view = {
			.command = command, .row = &rows[i], .selector = *selector, .all = true};
		if (!show(&view, &err) && err.code != ERR_NOT_FOUND)
			fprintf(stderr, "✗ %s\n", err_text(&err));
	}
}

static bool run(Command *command, Error *err)
{
	size_t at = 0;
	Selector selector = {0};
	const char *family;
	if (!parse_selector(command->options.status_selector, &selector, err))
		return false;
	if (kind_words_are_all(command, &family, &at)) {
		if (command->options.watch)
			return err_set(err, ERR_INVALID,
				       "expected a single resource type, but found all");
		show_all(command, family, &selector);
		return true;
	}
	const KindRow *row = kind_of_words(command, KIND_GET, &at, err);
	View view = {.command = command,
		     .row = row,
		     .name = command_word(command, at),
		     .selector = selector};
	return row && show(&view, err);
}

static const Option options[] = {
	{{"all-namespaces", FLAG_BOOL, AT(all_namespaces), "false", NULL,
	  "Show objects of all namespaces."},
	 'A',
	 NULL},
	{{"no-header", FLAG_BOOL, AT(no_header), "false", NULL, "Leave the head of the table out."},
	 0,
	 NULL},
	{{"watch", FLAG_BOOL, AT(watch), "false", NULL, "Go on with a row for each change."},
	 'w',
	 NULL},
	{{"status-selector", FLAG_TEXT, AT(status_selector), NULL, NULL,
	  "Only objects with this condition: ready=false, or stalled!=true."},
	 0,
	 "TYPE=STATUS"},
	{{"label-selector", FLAG_TEXT, AT(label_selector), NULL, NULL,
	  "Only objects with these labels."},
	 'l',
	 "SELECTOR"},
	{{"show-source", FLAG_BOOL, AT(show_source), "false", NULL,
	  "Show the source of Kustomizations and HelmReleases."},
	 0,
	 NULL},
};

const Verb verb_get = {
	.name = "get",
	.words = "KIND|all [NAME]",
	.summary = "Show objects and their state.",
	.details = "\"get all\", \"get sources all\" and \"get images all\" show a table for each "
		   "kind.",
	.run = run,
	.connects = true,
	.kinds = true,
	.options = options,
	.option_count = COUNT(options),
};
