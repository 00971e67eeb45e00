#include "state.h"

#include "base/auto.h"
#include "base/str.h"

bool release_is_unfinished(const char *status)
{
	static const char *const unfinished[] = {"pending-install", "pending-upgrade",
						 "pending-rollback", "uninstalling"};
	for (size_t i = 0; i < COUNT(unfinished); i++)
		if (cstr_eq(unfinished[i], status))
			return true;
	return false;
}

/* A deployed release that is ours: is it what is wanted? */
static ReleaseState deployed_state(const ReleaseSight *sight, const char **out_reason)
{
	const struct {
		bool differs;
		const char *reason;
	} wanted[] = {
		{!sight->same_chart, "release chart changed"},
		{!sight->same_values, "release config values changed"},
		{sight->is_new_generation && !sight->same_post_renderers,
		 "postrenderers digest has changed"},
		{sight->is_new_generation && !sight->same_common_metadata,
		 "common metadata digest has changed"},
	};
	for (size_t i = 0; i < COUNT(wanted); i++) {
		if (wanted[i].differs) {
			*out_reason = wanted[i].reason;
			return STATE_OUT_OF_SYNC;
		}
	}
	if (sight->tests && !sight->tested)
		return STATE_UNTESTED;
	if (sight->tests && sight->tests_failed) {
		*out_reason = "release has test in failed phase";
		return STATE_FAILED;
	}
	return sight->drifted ? STATE_DRIFTED : STATE_IN_SYNC;
}

ReleaseState release_state(const ReleaseSight *sight, const char **out_reason)
{
	bool uninstalled = cstr_eq(sight->stored, "uninstalled");
	*out_reason = NULL;
	if (!sight->stored) {
		*out_reason = "no release in storage for object";
		return STATE_ABSENT;
	}
	if (release_is_unfinished(sight->stored)) {
		*out_reason = sight->stored;
		return STATE_LOCKED;
	}
	if (uninstalled && (!sight->has_history || sight->matches)) {
		*out_reason = "found uninstalled release in storage";
		return STATE_ABSENT;
	}
	if (!sight->has_history) {
		*out_reason = "found existing release in storage";
		return STATE_UNMANAGED;
	}
	if (!sight->matches) {
		*out_reason = "release not observed to be made for object";
		return STATE_UNMANAGED;
	}
	if (cstr_eq(sight->stored, "failed"))
		return STATE_FAILED;
	if (cstr_eq(sight->stored, "deployed"))
		return deployed_state(sight, out_reason);
	return STATE_UNKNOWN;
}

const char *release_state_name(ReleaseState state)
{
	static const char *const names[] = {
		[STATE_ABSENT] = "Absent",	   [STATE_LOCKED] = "Locked",
		[STATE_UNMANAGED] = "Unmanaged",   [STATE_FAILED] = "Failed",
		[STATE_OUT_OF_SYNC] = "OutOfSync", [STATE_UNTESTED] = "Untested",
		[STATE_DRIFTED] = "Drifted",	   [STATE_IN_SYNC] = "InSync",
		[STATE_UNKNOWN] = "Unknown"};
	return names[state];
}

static ReleaseStep failed_step(const ReleaseSituation *situation)
{
	/* Without a count something has changed since: try it again. */
	if (situation->retries_on_failure || !situation->has_remediation ||
	    situation->failures <= 0 || situation->force)
		return DO_UPGRADE;
	if (situation->exhausted && !situation->remediate_last)
		return DO_STALL;
	return situation->uninstalls ? DO_UNINSTALL : DO_ROLLBACK;
}

ReleaseStep release_next_step(const ReleaseSituation *situation)
{
	switch (situation->state) {
	case STATE_ABSENT:
		return situation->install_exhausted && !situation->force ? DO_STALL : DO_INSTALL;
	case STATE_LOCKED:
		return DO_UNLOCK;
	case STATE_UNMANAGED:
		return DO_UPGRADE;
	case STATE_FAILED:
		return failed_step(situation);
	case STATE_OUT_OF_SYNC:
		return situation->upgrade_exhausted && !situation->force ? DO_STALL : DO_UPGRADE;
	case STATE_UNTESTED:
		return DO_TEST;
	case STATE_DRIFTED:
		return situation->corrects_drift ? DO_CORRECT : DO_NOTHING;
	case STATE_IN_SYNC:
		return situation->force ? DO_UPGRADE : DO_NOTHING;
	case STATE_UNKNOWN:
		break;
	}
	return DO_GIVE_UP;
}

static const struct {
	StepType type;
	const char *name;
} steps[] = {
	[DO_INSTALL] = {STEP_RELEASE, "install"},
	[DO_UPGRADE] = {STEP_RELEASE, "upgrade"},
	[DO_TEST] = {STEP_TEST, "test"},
	[DO_ROLLBACK] = {STEP_REMEDIATE, "rollback"},
	[DO_UNINSTALL] = {STEP_REMEDIATE, "uninstall"},
	[DO_UNLOCK] = {STEP_UNLOCK, "unlock"},
	[DO_CORRECT] = {STEP_DRIFT, "correct cluster drift"},
};

StepType release_step_type(ReleaseStep step)
{
	return steps[step].type;
}

const char *release_step_name(ReleaseStep step)
{
	return steps[step].name;
}
