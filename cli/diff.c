/*
 * sluice diff kustomization: what a reconcile of local files would change. The exit code says it
 * too: 0 nothing, 1 something, 2 that it is not known.
 */
#include <unistd.h>

#include "base/mem.h"
#include "diff_report.h"
#include "local.h"

#define AT(member) offsetof(Options, member)

typedef struct {
	const Command *command;
	const Local *ks;
	Map *visited;
	DiffStyle style;
	FILE *out;
	bool changed;
	Buf failures;
} Diff;

static bool diff_one(Diff *diff, const Local *ks, Error *err);

/* What changes below a child comes under a line that names it, as upstream has it. */
/* NOLINTNEXTLINE(misc-no-recursion): each Kustomization is visited once. */
static bool diff_below(Diff *diff, const char *id, const Local *child, Error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	FILE *outer = diff->out;
	bool changed = diff->changed;
	diff->out = open_memstream(&text, &len);
	if (!diff->out) {
		diff->out = outer;
		return err_errno(err, "%s", id);
	}
	diff->changed = false;
	bool ok = diff_one(diff, child, err);
	fclose(diff->out);
	diff->out = outer;
	if (diff->changed) {
		diff_print_heading(outer, &diff->style, id, "changed");
		fwrite(text, 1, len, outer);
	}
	diff->changed = diff->changed || changed;
	return ok;
}

/* NOLINTNEXTLINE(misc-no-recursion): each Kustomization is visited once. */
static void diff_child(Diff *diff, const PlannedObject *planned)
{
	autoerror Error err = {0};
	autolocal Local child = {.tree = NO_TREE};
	if (json_at(planned->object, "spec", "kubeConfig", NULL)) {
		diff_print_line(diff->out, &diff->style, DIFF_NOTE, planned->id,
				"skipped: its objects are on another cluster");
		return;
	}
	if (!local_open_child(diff->command, diff->ks, planned->object, &child, &err)) {
		buf_printf(&diff->failures, "%s%s", diff->failures.len ? "\n" : "", err_text(&err));
		return;
	}
	if (local_visit(diff->visited, child.object) &&
	    !diff_below(diff, planned->id, &child, &err))
		buf_printf(&diff->failures, "%s%s: %s", diff->failures.len ? "\n" : "", planned->id,
			   err_text(&err));
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static void on_object(void *arg, const PlannedObject *planned)
{
	Diff *diff = arg;
	static const struct {
		DiffColor color;
		const char *text;
	} lines[] = {
		[PLANNED_SKIPPED] = {DIFF_NOTE, "skipped"},
		[PLANNED_CREATED] = {DIFF_ADDED, "created"},
		[PLANNED_DRIFTED] = {DIFF_CHANGED, "drifted"},
		[PLANNED_DELETED] = {DIFF_REMOVED, "deleted"},
	};
	if (planned->change != PLANNED_UNCHANGED)
		diff_print_line(diff->out, &diff->style, lines[planned->change].color, planned->id,
				lines[planned->change].text);
	if (planned->takeover)
		diff_put(diff->out, &diff->style, DIFF_NOTE, "  ",
			 STR("fields that kubectl wrote become kustomize-controller's; those that "
			     "the manifest does not have go"));
	if (planned->change == PLANNED_DRIFTED)
		diff_print(diff->out, &diff->style, planned->before, planned->after);
	diff->changed = diff->changed || (planned->change != PLANNED_UNCHANGED &&
					  planned->change != PLANNED_SKIPPED);
	if (diff->command->options.recursive && planned->object &&
	    object_is_kustomization(planned->object) && planned->change != PLANNED_CREATED)
		diff_child(diff, planned);
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static bool diff_one(Diff *diff, const Local *ks, Error *err)
{
	const Local *parent = diff->ks;
	PlanInput input = local_input(diff->command, ks);
	diff->ks = ks;
	autobuf Buf unknown = {0};
	input.unknown = &unknown;
	bool ok = kustomization_plan(&input, on_object, diff, err);
	local_warn_unknown(&unknown);
	diff->ks = parent;
	return ok;
}

static bool run(Command *command, Error *err)
{
	autolocal Local ks = {.tree = NO_TREE};
	automap Map *visited = map_new(NULL);
	Diff diff = {.command = command, .visited = visited, .out = stdout};
	diff.style.colors = isatty(STDOUT_FILENO) && cstr_empty(getenv("NO_COLOR"));
	if (!local_open(command, &ks, err))
		return false;
	local_visit(visited, ks.object);
	bool ok = diff_one(&diff, &ks, err);
	autobuf Buf failures = diff.failures;
	if (ok && failures.len)
		ok = err_set(err, ERR_INVALID, "%s", buf_text(&failures));
	if (!ok) {
		local_shorten(err);
		return false;
	}
	if (diff.changed) {
		fflush(stdout);
		fputs("⚠️ identified at least one change, exiting with non-zero exit code\n",
		      stderr);
	}
	command->exit_code = diff.changed ? 1 : 0;
	return true;
}

static const Option options[] = {
	LOCAL_OPTIONS,
	{{"ignore-not-found", FLAG_BOOL, AT(ignore_not_found), "false", NULL,
	  "With --kustomization-file: the cluster need not have the Kustomization yet."},
	 0,
	 NULL},
	{{"progress-bar", FLAG_BOOL, AT(ignored_switch), "true", NULL,
	  "Accepted for compatibility; lines come as they are known."},
	 0,
	 NULL},
};

const Verb verb_diff = {
	.name = "diff",
	.words = "kustomization NAME",
	.summary = "Show what a reconcile of local files would change.",
	.details = "Takes the steps of the controller up to the point of writing: builds the "
		   "files in --path, asks the API server by dry runs, compares. Values of Secrets "
		   "are not shown. The exit code is 0 when nothing would change, 1 when something "
		   "would, 2 when that could not be found out.",
	.check = local_check,
	.run = run,
	.connects = true,
	.error_code = 2,
	.options = options,
	.option_count = COUNT(options),
};
