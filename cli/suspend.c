/* sluice suspend and resume: stop and restart the reconciliation of objects. */
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "settle.h"

#define AT(member) offsetof(Options, member)

/* The objects that a word names, or all of the namespace (NULL); an owned list. */
static json_t *find(const Command *command, const KindRow *row, const char *name, Error *err)
{
	autofree char *fields = name ? mem_printf("metadata.name=%s", name) : NULL;
	return kube_do(command->client,
		       &(KubeRequest){.verb = KUBE_LIST,
				      .api_version = row->api_version,
				      .kind = row->kind,
				      .ns = command->ns,
				      .field_selector = fields,
				      .timeout_ms = command->options.timeout_ms},
		       err);
}

/* Resuming takes the field away, as who never suspended would have it. */
static bool set_suspend(const Command *command, const KindRow *row, const json_t *object,
			bool suspend, Error *err)
{
	fprintf(stderr, "► %s %s %s in %s namespace\n", suspend ? "suspending" : "resuming",
		row->human, object_name(object), command->ns);
	autojson json_t *patch =
		json_pack("{s:{s:o}}", "spec", "suspend", suspend ? json_true() : json_null());
	autojson json_t *done = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_MERGE_PATCH,
						       .api_version = row->api_version,
						       .kind = row->kind,
						       .ns = command->ns,
						       .name = object_name(object),
						       .body = patch},
					err);
	if (done)
		fprintf(stderr, "✔ %s %s\n", row->human, suspend ? "suspended" : "resumed");
	return done != NULL;
}

/* Patches what `name` names; those that were are added to done (a JSON array). */
static bool patch_named(const Command *command, const KindRow *row, const char *name, bool suspend,
			json_t *done, Error *err)
{
	autojson json_t *list = find(command, row, name, err);
	if (!list)
		return false;
	const json_t *items = json_list(list, "items");
	if (!json_array_size(items))
		return err_set(err, ERR_NOT_FOUND, "no objects found");
	size_t i;
	json_t *object;
	json_array_foreach(items, i, object)
	{
		if (!set_suspend(command, row, object, suspend, err))
			return false;
		json_array_append(done, object);
	}
	return true;
}

static bool suspend_named(const Command *command, const KindRow *row, const char *name)
{
	autoerror Error err = {0};
	autojson json_t *done = json_array();
	if (patch_named(command, row, name, true, done, &err))
		return true;
	if (err.code == ERR_NOT_FOUND)
		fprintf(stderr, "✗ %s %s not found in %s namespace\n", row->kind, name,
			command->ns);
	else
		fprintf(stderr, "✗ failed suspending %s %s in %s namespace: %s\n", row->kind, name,
			command->ns, err_text(&err));
	return false;
}

/* The kind, and the names without repetition; none is fine only with --all. */
static const KindRow *parse_words(const Command *command, Vec *names, Error *err)
{
	size_t at = 0;
	const KindRow *row = kind_of_words(command, KIND_SUSPEND, &at, err);
	if (!row)
		return NULL;
	automap Map *seen = map_new(NULL);
	for (const char *name; (name = command_word(command, at)); at++) {
		if (map_has(seen, name))
			continue;
		map_put(seen, name, NULL);
		vec_push(names, command->words.items[at]);
	}
	if (!names->len && !command->options.all)
		return err_null(err, ERR_INVALID, "%s name is required", row->human);
	return row;
}

static bool run_suspend(Command *command, Error *err)
{
	autovec Vec names = {0};
	const KindRow *row = parse_words(command, &names, err);
	if (!row)
		return false;
	autojson json_t *done = json_array();
	if (!names.len)
		return patch_named(command, row, NULL, true, done, err);
	/* A name that is not there is told and the rest is done. */
	for (size_t i = 0; i < names.len; i++)
		suspend_named(command, row, names.items[i]);
	return true;
}

/* --- resume --- */

static bool resume_named(const Command *command, const KindRow *row, const char *name, json_t *done,
			 Error *err)
{
	autoerror Error failure = {0};
	if (patch_named(command, row, name, false, done, &failure))
		return true;
	if (failure.code != ERR_NOT_FOUND)
		return err_move(err, &failure);
	if (name)
		fprintf(stderr, "✗ %s object '%s' not found in %s namespace\n", row->kind, name,
			command->ns);
	else
		fprintf(stderr, "✗ no %s objects found in %s namespace\n", row->kind, command->ns);
	return true;
}

static Settle *watch(const Command *command, const KindRow *row, const json_t *object)
{
	fprintf(stderr, "◎ waiting for %s reconciliation\n", row->kind);
	return settle_start(&(SettleConfig){.client = command->client,
					    .row = row,
					    .ns = command->ns,
					    .name = object_name(object),
					    .rule = {.is_static = kind_is_static(row, object)}});
}

static bool report(const KindRow *row, const char *name, Settle *take_settle, int64_t deadline_ms)
{
	autoerror Error err = {0};
	autojson json_t *after = settle_finish(take_settle, deadline_ms, &err);
	if (!after) {
		fprintf(stderr, "✗ %s %s reconciliation failed: %s\n", row->kind, name,
			err_text(&err));
		return false;
	}
	autofree char *success = row->success(after);
	fprintf(stderr, "✔ %s %s reconciliation completed\n✔ %s\n", row->kind, name, success);
	return true;
}

/* All at once, told in the order of their names. */
static bool wait_for(const Command *command, const KindRow *row, const json_t *objects, Error *err)
{
	int64_t deadline_ms = clock_mono_ms() + command->options.timeout_ms;
	autovec Vec settles = {0};
	size_t i, failed = 0;
	const json_t *object;
	json_array_foreach(objects, i, object) vec_push(&settles, watch(command, row, object));
	json_array_foreach(objects, i, object)
	{
		if (!report(row, object_name(object), settles.items[i], deadline_ms))
			failed++;
	}
	return !failed ||
	       err_set(err, ERR_INVALID, "reconciliation failed for %zu %s(s)", failed, row->kind);
}

static bool run_resume(Command *command, Error *err)
{
	autovec Vec names = {0};
	const KindRow *row = parse_words(command, &names, err);
	if (!row)
		return false;
	vec_sort(&names, vec_compare_strings);
	autojson json_t *done = json_array();
	if (!names.len && !resume_named(command, row, NULL, done, err))
		return false;
	for (size_t i = 0; i < names.len; i++)
		if (!resume_named(command, row, names.items[i], done, err))
			return false;
	bool one = names.len == 1 && !command_gave(command, "wait");
	return !(command->options.wait || one) || wait_for(command, row, done, err);
}

static const Option suspend_options[] = {
	{{"all", FLAG_BOOL, AT(all), "false", NULL, "All objects of the namespace."}, 0, NULL},
};

static const Option resume_options[] = {
	{{"all", FLAG_BOOL, AT(all), "false", NULL, "All objects of the namespace."}, 0, NULL},
	{{"wait", FLAG_BOOL, AT(wait), "false", NULL,
	  "Wait until they are Ready; so by itself for a single name."},
	 0,
	 NULL},
};

const Verb verb_suspend = {
	.name = "suspend",
	.words = "KIND NAME... | KIND --all",
	.summary = "Stop reconciling objects.",
	.run = run_suspend,
	.connects = true,
	.kinds = true,
	.options = suspend_options,
	.option_count = COUNT(suspend_options),
};

const Verb verb_resume = {
	.name = "resume",
	.words = "KIND NAME... | KIND --all",
	.summary = "Reconcile objects again.",
	.run = run_resume,
	.connects = true,
	.kinds = true,
	.options = resume_options,
	.option_count = COUNT(resume_options),
};
