/* What each action does, in order. */
#include "action_internal.h"

static const char crds_failed[] = "failed to apply CustomResourceDefinitions";

static const Step install_steps[] = {
	{step_load_install, NULL},
	{step_crds, crds_failed},
	{step_apply_crds, crds_failed},
	{step_await_crds, crds_failed},
	{step_name, "release name check failed"},
	{step_render, NULL},
	{step_build, NULL},
	{step_adopt, NULL},
	{step_namespace, NULL},
	{step_supersede_replaced, NULL},
	{step_store_pending, NULL},
	{step_hooks_before, "failed pre-install"},
	{step_apply, NULL},
	{step_wait, NULL},
	{step_hooks_after, "failed post-install"},
	{step_store_done, NULL},
	{0},
};

static const Step install_failure[] = {
	{step_store_failed, NULL},
	{0},
};

static const Step upgrade_steps[] = {
	{step_load_upgrade, NULL},
	{step_crds, crds_failed},
	{step_apply_crds, crds_failed},
	{step_await_crds, crds_failed},
	{step_render, NULL},
	{step_build, NULL},
	{step_build_present, NULL},
	{step_adopt, NULL},
	{step_prune, NULL},
	{step_store_pending, NULL},
	{step_hooks_before, "pre-upgrade hooks failed"},
	{step_apply, NULL},
	{step_remove, NULL},
	{step_wait, NULL},
	{step_hooks_after, "post-upgrade hooks failed"},
	{step_supersede_base, NULL},
	{step_store_done, NULL},
	{0},
};

static const Step upgrade_failure[] = {
	{step_store_failed, NULL},
	{step_cleanup, NULL},
	{0},
};

static const Step rollback_steps[] = {
	{step_load_rollback, NULL},
	{step_prune, NULL},
	{step_store_pending, NULL},
	{step_build_present, NULL},
	{step_build, NULL},
	{step_hooks_before, NULL},
	{step_apply, NULL},
	{step_remove, NULL},
	{step_wait, NULL},
	{step_hooks_after, NULL},
	{step_supersede_deployed, NULL},
	{step_store_done, NULL},
	{0},
};

static const Step rollback_failure[] = {
	{step_supersede_current, NULL},
	{step_store_failed, NULL},
	{step_cleanup, NULL},
	{0},
};

static const Step uninstall_steps[] = {
	{step_load_uninstall, NULL},
	{step_begin_uninstall, NULL},
	{step_hooks_before, NULL},
	{step_store_uninstalling, NULL},
	{step_delete_all, NULL},
	{step_await_deletion, NULL},
	{step_hooks_after_uninstall, NULL},
	{step_store_uninstalled, NULL},
	{step_supersede_deployed, NULL},
	{step_end_uninstall, NULL},
	{0},
};

/* The release stays "uninstalling": the next try goes on from there. */
static const Step uninstall_failure[] = {
	{0},
};

static const Step test_steps[] = {
	{step_load_test, NULL},
	{step_test, NULL},
	{step_store_tested, NULL},
	{0},
};

static const Step test_failure[] = {
	{step_store_tested, NULL},
	{0},
};

typedef struct {
	const Step *steps, *failure;
} ActionTable;

static const ActionTable tables[] = {
	[ACTION_INSTALL] = {install_steps, install_failure},
	[ACTION_UPGRADE] = {upgrade_steps, upgrade_failure},
	[ACTION_ROLLBACK] = {rollback_steps, rollback_failure},
	[ACTION_UNINSTALL] = {uninstall_steps, uninstall_failure},
	[ACTION_TEST] = {test_steps, test_failure},
};

const Step *action_steps(ActionKind kind)
{
	return tables[kind].steps;
}

const Step *action_failure_steps(ActionKind kind)
{
	return tables[kind].failure;
}

bool action_leaves_pending(ActionKind kind)
{
	return kind == ACTION_INSTALL || kind == ACTION_UPGRADE || kind == ACTION_ROLLBACK;
}
