#include "remediation.h"

#include "base/str.h"
#include "data/duration.h"

enum { DEFAULT_RETRY_MS = 300000 };

static Remediation common(const ReleaseSpec *spec, const json_t *remediation)
{
	return (Remediation){.retries = json_int(remediation, "retries", 0),
			     .ignore_test_failures = json_flag(remediation, "ignoreTestFailures",
							       spec->ignore_test_failures)};
}

Remediation remediation_of_install(const ReleaseSpec *spec, const json_t *status)
{
	const json_t *said = json_map(spec->install, "remediation");
	Remediation result = common(spec, said);
	result.is_install = result.uninstalls = true;
	result.failures = json_int(status, "installFailures", 0);
	result.remediate_last = json_flag(said, "remediateLastFailure", false);
	return result;
}

Remediation remediation_of_upgrade(const ReleaseSpec *spec, const json_t *status)
{
	const json_t *said = json_map(spec->upgrade, "remediation");
	Remediation result = common(spec, said);
	result.uninstalls = cstr_eq(json_text(said, "strategy"), "uninstall");
	result.failures = json_int(status, "upgradeFailures", 0);
	result.remediate_last = json_flag(said, "remediateLastFailure", result.retries > 0);
	return result;
}

bool remediation_active(const ReleaseSpec *spec, const json_t *status, Remediation *out)
{
	const char *action = json_text(status, "lastAttemptedReleaseAction");
	if (cstr_eq(action, "install"))
		*out = remediation_of_install(spec, status);
	else if (cstr_eq(action, "upgrade"))
		*out = remediation_of_upgrade(spec, status);
	else
		return false;
	return true;
}

bool remediation_exhausted(const Remediation *remediation)
{
	return remediation->retries >= 0 && remediation->failures > remediation->retries;
}

void remediation_count(const Remediation *remediation, json_t *status)
{
	failures_add(status, remediation->is_install ? "installFailures" : "upgradeFailures");
}

int64_t retry_interval(const json_t *action, bool by_default)
{
	const json_t *strategy = json_map(action, "strategy");
	if (!strategy)
		return by_default ? DEFAULT_RETRY_MS : -1;
	if (!cstr_eq(json_text(strategy, "name"), "RetryOnFailure"))
		return -1;
	return duration_ms_or(json_text(strategy, "retryInterval"), DEFAULT_RETRY_MS);
}

int64_t retry_interval_active(const ReleaseSpec *spec, const json_t *status, bool by_default)
{
	const char *action = json_text(status, "lastAttemptedReleaseAction");
	if (cstr_eq(action, "install"))
		return retry_interval(spec->install, by_default);
	return cstr_eq(action, "upgrade") ? retry_interval(spec->upgrade, by_default) : -1;
}

void failures_clear(json_t *status)
{
	static const char *const counters[] = {"failures", "installFailures", "upgradeFailures"};
	for (size_t i = 0; i < COUNT(counters); i++)
		json_object_del(status, counters[i]);
}

void failures_add(json_t *status, const char *counter)
{
	json_object_set_new(status, counter, json_integer(json_int(status, counter, 0) + 1));
}
