/* sluice build: what a reconcile would make of local files. */
#include "build_release.h"

#include "base/mem.h"
#include "data/yaml.h"
#include "local.h"

#define AT(member) offsetof(Options, member)

typedef struct {
	const Command *command;
	Map *visited;
	Buf *out;
} Build;

static bool build_one(const Build *build, const Local *ks, Error *err);

/* After all objects of the parent come those of its Kustomizations, as upstream has it. */
/* NOLINTNEXTLINE(misc-no-recursion): each Kustomization is visited once. */
static bool build_children(const Build *build, const Local *parent, const KustomizeResult *result,
			   Error *err)
{
	for (size_t i = 0; i < result->len; i++) {
		const json_t *object = result->items[i].object;
		if (!object_is_kustomization(object))
			continue;
		autolocal Local child = {.tree = NO_TREE};
		if (!local_open_child(build->command, parent, object, &child, err))
			return false;
		if (local_visit(build->visited, child.object) && !build_one(build, &child, err))
			return err_wrap(err, "Kustomization %s/%s", object_namespace(child.object),
					object_name(child.object));
	}
	return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): see above. */
static bool build_one(const Build *build, const Local *ks, Error *err)
{
	autokustomizeresult KustomizeResult result = {0};
	PlanInput input = local_input(build->command, ks);
	autobuf Buf unknown = {0};
	input.unknown = &unknown;
	bool ok = kustomization_build(&input, &result, err);
	local_warn_unknown(&unknown);
	if (!ok)
		return false;
	for (size_t i = 0; i < result.len; i++) {
		yaml_emit(result.items[i].object, build->out);
		buf_puts(build->out, "---\n");
	}
	return !build->command->options.recursive || build_children(build, ks, &result, err);
}

static bool check(Command *command, Error *err)
{
	return build_release_is_meant(command) ? build_release_check(command, err)
					       : local_check(command, err);
}

static bool run(Command *command, Error *err)
{
	if (build_release_is_meant(command))
		return build_release(command, err);
	autolocal Local ks = {.tree = NO_TREE};
	autobuf Buf out = {0};
	automap Map *visited = map_new(NULL);
	Build build = {command, visited, &out};
	if (!local_open(command, &ks, err))
		return false;
	local_visit(visited, ks.object);
	if (!build_one(&build, &ks, err)) {
		local_shorten(err);
		return false;
	}
	fwrite(buf_text(&out), 1, out.len, stdout);
	return true;
}

static const Option options[] = {
	LOCAL_OPTIONS,
	{{"helmrelease-file", FLAG_TEXT, AT(helmrelease_file), NULL, NULL,
	  "File that holds the HelmRelease, in place of the cluster's."},
	 0,
	 "FILE"},
	{{"dry-run", FLAG_BOOL, AT(dry_run), "false", NULL,
	  "Ask no API server: substituteFrom and valuesFrom are passed over."},
	 0,
	 NULL},
};

const Verb verb_build = {
	.name = "build",
	.words = "kustomization|helmrelease NAME",
	.summary = "Print what a Kustomization or a HelmRelease makes of local files.",
	.details = "Builds the files in --path as the controller would: with what the "
		   "Kustomization adds to them, and its variables. Nothing is written. Values "
		   "that SOPS encrypted are shown as **SOPS**.\nOf a HelmRelease --path is the "
		   "chart, a directory or a .tgz file: it is rendered with the values and the "
		   "post-renderers of the HelmRelease.",
	.check = check,
	.run = run,
	.connects = true,
	.options = options,
	.option_count = COUNT(options),
};
