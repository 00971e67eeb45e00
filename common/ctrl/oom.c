/* A timer of the loop reads one small file; kernel files do not block. */
#include "ctrl/oom.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"

enum { INTERVAL_MIN_MS = 50, MAX_NUMBER = 64 };

struct OomWatch {
	Loop *loop;
	OomWatchConfig config;
	char *current_path;
	unsigned long long limit;
	/* Loop's thread. */
	LoopTimer timer;
};

static bool read_bytes(const char *path, unsigned long long *out, Error *err)
{
	autobuf Buf text = {0};
	if (!file_read(path, MAX_NUMBER, &text, err))
		return false;
	return str_to_u64(str_trim(buf_str(&text)), out) ||
	       err_set(err, ERR_INVALID, "%s: '%.*s' is no number of bytes", path,
		       (int)str_trim(buf_str(&text)).len, str_trim(buf_str(&text)).ptr);
}

/* The path said, or the one of control groups version 2, or version 1. Owned. */
static char *find_path(const char *root, const char *said, const char *const names[2],
		       const char *what, Error *err)
{
	if (!cstr_empty(said))
		return mem_strdup(said);
	for (size_t i = 0; i < 2; i++) {
		autofree char *path = path_join(root, names[i]);
		if (access(path, F_OK) == 0)
			return steal(&path);
	}
	return err_null(err, ERR_NOT_FOUND,
			"failed to discover %s memory path, please specify it manually", what);
}

static bool check_ranges(const OomWatchConfig *config, Error *err)
{
	if (config->threshold_percent < 1 || config->threshold_percent > 100)
		return err_set(err, ERR_INVALID,
			       "memory usage percent threshold must be between 1 and 100, got %d",
			       config->threshold_percent);
	if (config->interval_ms < INTERVAL_MIN_MS)
		return err_set(err, ERR_INVALID,
			       "interval must be at least %dms, got %" PRId64 "ms", INTERVAL_MIN_MS,
			       config->interval_ms);
	return true;
}

static void look(void *arg)
{
	OomWatch *watch = arg;
	autoerror Error err = {0};
	unsigned long long current = 0;
	watch->timer = 0;
	if (!read_bytes(watch->current_path, &current, &err)) {
		log_error(watch->config.log, &err,
			  "Failed to read current memory usage, skipping check", NULL);
	} else if ((double)current * 100 >=
		   (double)watch->limit * watch->config.threshold_percent) {
		autofree char *used = mem_printf("%llu", current);
		autofree char *limit = mem_printf("%llu", watch->limit);
		log_info(watch->config.log, "Memory usage is near OOM, shutting down", "bytes",
			 used, "limit", limit, NULL);
		watch->config.near_limit(watch->config.arg);
		return;
	}
	watch->timer = loop_after(watch->loop, watch->config.interval_ms, look, watch);
}

static void begin(void *arg)
{
	OomWatch *watch = arg;
	watch->timer = loop_after(watch->loop, watch->config.interval_ms, look, watch);
}

OomWatch *oom_watch_start(Loop *loop, const OomWatchConfig *config, Error *err)
{
	static const char *const limits[2] = {"memory.max", "memory/memory.limit_in_bytes"};
	static const char *const usages[2] = {"memory.current", "memory/memory.usage_in_bytes"};
	const char *root = config->root ? config->root : "/sys/fs/cgroup";
	unsigned long long limit, current;
	if (!check_ranges(config, err))
		return NULL;
	autofree char *max_path = find_path(root, config->max_path, limits, "max", err);
	autofree char *current_path =
		max_path ? find_path(root, config->current_path, usages, "current", err) : NULL;
	if (!current_path)
		return NULL;
	if (!read_bytes(max_path, &limit, err))
		return err_wrap_null(err, "failed to read memory usage limit");
	if (!read_bytes(current_path, &current, err))
		return err_wrap_null(err, "failed to read current memory usage");
	OomWatch *watch = mem_zalloc(1, sizeof(*watch));
	watch->loop = loop;
	watch->config = *config;
	watch->config.root = watch->config.max_path = watch->config.current_path = NULL;
	watch->current_path = steal(&current_path);
	watch->limit = limit;
	loop_call(loop, begin, watch);
	return watch;
}

static void end(void *arg)
{
	OomWatch *watch = arg;
	loop_cancel(watch->loop, watch->timer);
}

void oom_watch_stop(OomWatch *watch)
{
	if (!watch)
		return;
	loop_call(watch->loop, end, watch);
	free(watch->current_path);
	free(watch);
}
