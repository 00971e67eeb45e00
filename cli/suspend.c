/* sluice suspend and resume: stop and restart the reconciliation of objects. */
#include "base/str.h"
#include "cli.h"

static bool set_suspend(const Command *command, const KindRow *kind, const char *name, bool suspend,
			Error *err)
{
	fprintf(stderr, "► %s %s %s in %s namespace\n", suspend ? "suspending" : "resuming",
		kind->kind, name, command->ns);
	autojson json_t *patch = json_pack("{s:{s:b}}", "spec", "suspend", suspend);
	autojson json_t *done = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_MERGE_PATCH,
						       .api_version = kind->api_version,
						       .kind = kind->kind,
						       .ns = command->ns,
						       .name = name,
						       .body = patch},
					err);
	if (!done)
		return false;
	fprintf(stderr, "✔ %s %s\n", kind->kind, suspend ? "suspended" : "resumed");
	return true;
}

static bool for_each(Command *command, bool suspend, Error *err)
{
	size_t at = 0;
	const KindRow *kind = kind_of_words(command, &at, err);
	if (!kind)
		return false;
	if (command_word(command, at))
		return set_suspend(command, kind, command_word(command, at), suspend, err);
	if (!command->options.all)
		return err_set(err, ERR_INVALID, "%s name or --all is required", kind->kind);
	autojson json_t *list = kube_do(command->client,
					&(KubeRequest){.verb = KUBE_LIST,
						       .api_version = kind->api_version,
						       .kind = kind->kind,
						       .ns = command->ns},
					err);
	size_t i;
	json_t *object;
	json_array_foreach(json_list(list, "items"), i, object)
	{
		if (!set_suspend(command, kind, object_name(object), suspend, err))
			return false;
	}
	return list != NULL;
}

static bool run_suspend(Command *command, Error *err)
{
	return for_each(command, true, err);
}

static bool run_resume(Command *command, Error *err)
{
	return for_each(command, false, err);
}

#define AT(member) offsetof(Options, member)

static const Option options[] = {
	{{"all", FLAG_BOOL, AT(all), "false", NULL, "All objects of the namespace."}, 0, NULL},
};

const Verb verb_suspend = {
	.name = "suspend",
	.words = "KIND NAME",
	.summary = "Stop reconciling objects.",
	.run = run_suspend,
	.connects = true,
	.takes_kinds = true,
	.options = options,
	.option_count = COUNT(options),
};

const Verb verb_resume = {
	.name = "resume",
	.words = "KIND NAME",
	.summary = "Reconcile objects again.",
	.run = run_resume,
	.connects = true,
	.takes_kinds = true,
	.options = options,
	.option_count = COUNT(options),
};
