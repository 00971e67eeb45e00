/* What the files of object health share: kstatus.c (the order of rules), kstatus_workload.c (apps,
 * Job, Pod). */
#ifndef KUBE_KSTATUS_INTERNAL_H
#define KUBE_KSTATUS_INTERNAL_H

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "kube/kstatus.h"

/* A kind's rule: the code, and why appended to `why`. KSTATUS_UNKNOWN: the rule has no opinion. */
typedef KstatusCode KstatusRule(const json_t *object, Buf *why);

KstatusRule kstatus_deployment, kstatus_stateful_set, kstatus_replica_set, kstatus_daemon_set,
	kstatus_job, kstatus_pod;

bool kstatus_condition_is(const json_t *object, const char *type, const char *status);

#endif
