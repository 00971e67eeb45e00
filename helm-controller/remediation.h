/*
 * What is to be done about failures (helm-controller.md 8): counters in status, what spec says of
 * retries, and strategies. Pure; `status` is the object's.
 */
#ifndef HELM_CONTROLLER_REMEDIATION_H
#define HELM_CONTROLLER_REMEDIATION_H

#include "release_spec.h"

typedef struct {
	bool is_install;
	int64_t retries; /* below 0: no end */
	int64_t failures;
	bool ignore_test_failures, remediate_last;
	bool uninstalls; /* else it rolls back */
} Remediation;

Remediation remediation_of_install(const ReleaseSpec *spec, const json_t *status);
Remediation remediation_of_upgrade(const ReleaseSpec *spec, const json_t *status);
/* That of the last attempted action; false when none is recorded. */
bool remediation_active(const ReleaseSpec *spec, const json_t *status, Remediation *out);
bool remediation_exhausted(const Remediation *remediation);
/* One more failure of the remediation's action. */
void remediation_count(const Remediation *remediation, json_t *status);

/* The interval of strategy RetryOnFailure of an action's spec (which may be NULL); -1: another
 * strategy. `by_default`: the gate DefaultToRetryOnFailure. */
int64_t retry_interval(const json_t *action, bool by_default);
/* The same of the last attempted action. */
int64_t retry_interval_active(const ReleaseSpec *spec, const json_t *status, bool by_default);

/* status.failures, installFailures, upgradeFailures. */
void failures_clear(json_t *status);
void failures_add(json_t *status, const char *counter);

#endif
