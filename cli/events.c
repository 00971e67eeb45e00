/* sluice events: what the controllers said of late, oldest first. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "age.h"
#include "await.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "kind.h"
#include "table.h"

#define AT(member) offsetof(Options, member)

enum { MAX_REFS = 2 };

/* Events of one kind, or of one object, in a namespace (NULL: all). Owned. */
typedef struct {
	char *kind, *name, *ns;
} About;

typedef struct {
	const Command *command;
	About about[1 +
		    MAX_REFS]; /* the first is what was asked for, the others what it refers to */
	size_t about_count;
	bool show_ns;
	bool head;
	int write_errno; /* of a watch whose output failed; read when the watch is over */
	Table table;
} View;

static void view_dispose(View *view)
{
	for (size_t i = 0; i < view->about_count; i++) {
		free(view->about[i].kind);
		free(view->about[i].name);
		free(view->about[i].ns);
	}
	table_dispose(&view->table);
}
#define autoview __attribute__((cleanup(view_dispose)))

static void add_about(View *view, const char *kind, const char *name, const char *ns)
{
	view->about[view->about_count++] =
		(About){mem_strdup(kind), mem_strdup(name), mem_strdup(ns)};
}

/* --- time --- */

static char *since(const char *time)
{
	int64_t at_ms;
	if (cstr_empty(time) || !clock_parse(time, &at_ms))
		return mem_strdup("<unknown>");
	return age_text((clock_wall_ms() - at_ms) / 1000);
}

/* "5s", or "5s (x3 over 2m)" for an event that repeats. */
static char *last_seen(const json_t *event)
{
	const char *event_time = json_text(event, "eventTime");
	const json_t *series = json_map(event, "series");
	int64_t count = json_int(series ? series : event, "count", 0);
	autofree char *first = since(event_time ? event_time : json_text(event, "firstTimestamp"));
	if (!series && count <= 1)
		return steal(&first);
	autofree char *last = since(series ? json_text(series, "lastObservedTime")
					   : json_text(event, "lastTimestamp"));
	return mem_printf("%s (x%lld over %s)", last, (long long)count, first);
}

/* Milliseconds for sorting. */
static int64_t event_ms(const json_t *event)
{
	const json_t *series = json_map(event, "series");
	const char *last = json_text(event, "lastTimestamp");
	const char *text = series ? json_text(series, "lastObservedTime")
			   : last ? last
				  : json_text(event, "eventTime");
	int64_t at_ms;
	return text && clock_parse(text, &at_ms) ? at_ms : 0;
}

static int compare(const void *a, const void *b)
{
	int64_t left = event_ms(a), right = event_ms(b);
	return left < right ? -1 : left > right;
}

/* --- which events --- */

static bool has_type(const Vec *types, const char *type)
{
	for (size_t i = 0; i < types->len; i++)
		if (strcasecmp(types->items[i], type) == 0)
			return true;
	return !types->len;
}

static bool check_types(const Vec *types, Error *err)
{
	for (size_t i = 0; i < types->len; i++)
		if (strcasecmp(types->items[i], "Normal") != 0 &&
		    strcasecmp(types->items[i], "Warning") != 0)
			return err_set(
				err, ERR_INVALID,
				"type '%s' not supported. Supported types are Normal, Warning",
				(const char *)types->items[i]);
	return true;
}

/* Only about kinds of the toolkit. */
static bool is_shown(const View *view, const json_t *event)
{
	const KindRow *row =
		kind_by_name(json_text_or(json_map(event, "involvedObject"), "kind", ""));
	return row && (row->traits & KIND_EVENTS) &&
	       has_type(&view->command->options.types, json_text_or(event, "type", ""));
}

static char *selector_of(const About *about)
{
	if (!about->kind)
		return NULL;
	if (!about->name)
		return mem_printf("involvedObject.kind=%s", about->kind);
	return mem_printf("involvedObject.kind=%s,involvedObject.name=%s", about->kind,
			  about->name);
}

/* An Alert's Provider, an ImagePolicy's ImageRepository, a Kustomization's source, a HelmRelease's
 * chart and source: their events belong to the story. */
static bool add_refs(View *view, const KindRow *row, const char *name, const char *ns, Error *err)
{
	static const struct {
		const char *kind, *path[4];
		const char *ref_kind; /* NULL: the reference names it */
	} refs[] = {
		{"Kustomization", {"spec", "sourceRef"}, NULL},
		{"HelmRelease", {"spec", "chart", "spec", "sourceRef"}, NULL},
		{"HelmChart", {"spec", "sourceRef"}, NULL},
		{"Alert", {"spec", "providerRef"}, "Provider"},
		{"ImagePolicy", {"spec", "imageRepositoryRef"}, "ImageRepository"},
	};
	size_t i = 0;
	while (i < COUNT(refs) && !cstr_eq(refs[i].kind, row->kind))
		i++;
	if (i == COUNT(refs))
		return true;
	autojson json_t *object =
		kube_get(view->command->client, row->api_version, row->kind, ns, name, err);
	const json_t *ref = object;
	for (size_t n = 0; ref && n < COUNT(refs[i].path) && refs[i].path[n]; n++)
		ref = json_map(ref, refs[i].path[n]);
	if (!object || !ref)
		return object != NULL;
	const char *ref_ns = json_text_or(ref, "namespace", ns);
	const char *kind = refs[i].ref_kind ? refs[i].ref_kind : json_text_or(ref, "kind", "");
	add_about(view, kind, json_text_or(ref, "name", ""), ref_ns);
	if (cstr_eq(row->kind, "HelmRelease")) {
		autofree char *chart = mem_printf("%s-%s", ns, name);
		add_about(view, "HelmChart", chart, ref_ns);
	}
	return true;
}

/* --for KIND[/NAME] */
static bool parse_for(View *view, Error *err)
{
	const Command *command = view->command;
	const char *ns = command->options.all_namespaces ? NULL : command->ns;
	view->show_ns = !ns;
	if (!command->options.for_object) {
		add_about(view, NULL, NULL, ns);
		return true;
	}
	Str kind, name;
	bool has_name = str_cut(str_of(command->options.for_object), '/', &kind, &name);
	autofree char *kind_text = str_dup(kind);
	const KindRow *row = kind_by_name(kind_text);
	if (!kind.len)
		return err_set(err, ERR_INVALID,
			       "--for selector must be of format <kind>[/<name>]");
	if (!row || !(row->traits & KIND_EVENTS))
		return err_set(err, ERR_INVALID, "'%s' is not a recognized Flux kind", kind_text);
	has_name = has_name && name.len;
	add_about(view, row->kind, has_name ? name.ptr : NULL, ns);
	if (has_name && !add_refs(view, row, name.ptr, command->ns, err))
		return false;
	for (size_t i = 1; i < view->about_count; i++)
		view->show_ns |= !cstr_eq(view->about[i].ns, ns);
	return true;
}

/* --- showing --- */

static void add_row(View *view, const json_t *event)
{
	static const char *const head[] = {"NAMESPACE", "LAST SEEN", "TYPE",
					   "REASON",	"OBJECT",    "MESSAGE"};
	for (size_t i = view->show_ns ? 0 : 1; view->head && i < COUNT(head); i++)
		table_add(&view->table, head[i]);
	view->table.has_head |= view->head;
	view->head = false;
	const json_t *object = json_map(event, "involvedObject");
	if (view->show_ns)
		table_add(&view->table, object_namespace(event));
	table_add_take(&view->table, last_seen(event));
	table_add(&view->table, json_text(event, "type"));
	table_add(&view->table, json_text(event, "reason"));
	table_add_take(&view->table, mem_printf("%s/%s", json_text_or(object, "kind", ""),
						json_text_or(object, "name", "")));
	table_add(&view->table, json_text(event, "message"));
}

/* Adds events to `all` (a JSON array). */
static bool list(const View *view, const About *about, json_t *all, Error *err)
{
	autofree char *fields = selector_of(about);
	autojson json_t *found =
		kube_do(view->command->client,
			&(KubeRequest){.verb = KUBE_LIST,
				       .api_version = "v1",
				       .kind = "Event",
				       .ns = about->ns,
				       .field_selector = fields,
				       .timeout_ms = view->command->options.timeout_ms},
			err);
	return found ? json_array_extend(all, json_list(found, "items")) == 0
		     : err_wrap(err, "error getting events");
}

static bool show_once(View *view, Error *err)
{
	autojson json_t *all = json_array();
	for (size_t i = 0; i < view->about_count; i++)
		if (!list(view, &view->about[i], all, err))
			return false;
	autovec Vec events = {0};
	size_t i;
	json_t *event;
	json_array_foreach(all, i, event)
	{
		if (is_shown(view, event))
			vec_push(&events, event);
	}
	if (!events.len && view->command->options.all_namespaces)
		fputs("✗ No events found.\n", stderr);
	else if (!events.len)
		fprintf(stderr, "✗ No events found in %s namespace.\n", view->command->ns);
	vec_sort(&events, compare);
	for (i = 0; i < events.len; i++)
		add_row(view, events.items[i]);
	table_print(&view->table, stdout);
	return true;
}

/* AwaitFn: a row for each event, until the time is up. */
static bool show_event(void *arg, InformerEvent event, const json_t *object)
{
	View *view = arg;
	if ((event != INFORMER_ADDED && event != INFORMER_MODIFIED) || !is_shown(view, object))
		return false;
	add_row(view, object);
	return !table_print_now(&view->table, stdout, &view->write_errno);
}

/* All handlers run on the loop's thread, so they may share the view. */
static bool watch(View *view, Error *err)
{
	Await *awaits[1 + MAX_REFS];
	for (size_t i = 0; i < view->about_count; i++) {
		autofree char *fields = selector_of(&view->about[i]);
		awaits[i] =
			await_start(view->command->client, &(AwaitConfig){.api_version = "v1",
									  .kind = "Event",
									  .ns = view->about[i].ns,
									  .fields = fields,
									  .fn = show_event,
									  .arg = view});
	}
	await_done(awaits[0], view->command->options.timeout_ms);
	for (size_t i = 0; i < view->about_count; i++)
		await_stop(awaits[i]);
	return table_check_written(view->write_errno, err);
}

static bool run(Command *command, Error *err)
{
	autoview View view = {.command = command, .head = !command->options.no_header};
	if (!check_types(&command->options.types, err) || !parse_for(&view, err))
		return false;
	view.table.columns = view.show_ns ? 6 : 5;
	return command->options.watch ? watch(&view, err) : show_once(&view, err);
}

static const Option options[] = {
	{{"all-namespaces", FLAG_BOOL, AT(all_namespaces), "false", NULL,
	  "Show events of all namespaces."},
	 'A',
	 NULL},
	{{"no-header", FLAG_BOOL, AT(no_header), "false", NULL, "Leave the head of the table out."},
	 0,
	 NULL},
	{{"watch", FLAG_BOOL, AT(watch), "false", NULL, "Go on with events as they come."},
	 'w',
	 NULL},
	{{"for", FLAG_TEXT, AT(for_object), NULL, NULL,
	  "Only of this kind or object, and of the object's source."},
	 0,
	 "KIND[/NAME]"},
	{{"types", FLAG_LIST, AT(types), NULL, NULL,
	  "Only events of these types: Normal, Warning."},
	 0,
	 "TYPES"},
};

const Verb verb_events = {
	.name = "events",
	.words = "",
	.summary = "Show what the controllers said of late.",
	.run = run,
	.connects = true,
	.options = options,
	.option_count = COUNT(options),
};
