/*
 * Looks at the memory of the process's control group, and tells once when it comes near the limit:
 * a daemon that stops by itself leaves nothing half done, one that the kernel kills does.
 */
#ifndef CTRL_OOM_H
#define CTRL_OOM_H

#include "base/log.h"
#include "net/loop.h"

typedef struct {
	const char *root; /* of the control group's files; NULL: /sys/fs/cgroup */
	const char *max_path, *current_path; /* "" or NULL: found below root, version 2 first */
	int threshold_percent;		     /* 1 to 100 */
	int64_t interval_ms;		     /* at least 50 */
	const Log *log;
	LoopFn *near_limit; /* once, on the loop's thread */
	void *arg;
} OomWatchConfig;

typedef struct OomWatch OomWatch;

/* ERR_INVALID for a threshold or an interval out of range, ERR_NOT_FOUND where no files were found,
 * ERR_INVALID for a limit that is no number ("max": there is none). The config's texts are
 * copied. */
OomWatch *oom_watch_start(Loop *loop, const OomWatchConfig *config, Error *err) MUST_USE;

/* After it returns near_limit is not called any more. NULL is allowed. */
void oom_watch_stop(OomWatch *watch);

#endif
