#include "../cmocka_all.h"

#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "ctrl/oom.h"

typedef struct {
	Loop *loop;
	Log *log;
	char *root;
	sem_t told;
} Group;

static int set_up(void **state)
{
	autoerror Error err = {0};
	Group *group = mem_zalloc(1, sizeof(*group));
	group->loop = loop_new(&err);
	group->log = log_new(STDERR_FILENO, LOG_ERROR, LOG_JSON, NULL);
	group->root = dir_make_temp(dir_temp(), "oom", &err);
	sem_init(&group->told, 0, 0);
	*state = group;
	return group->loop && group->root ? 0 : -1;
}

static int tear_down(void **state)
{
	Group *group = *state;
	autoerror Error err = {0};
	loop_free(group->loop);
	log_free(group->log);
	dir_remove(group->root, &err);
	free(group->root);
	sem_destroy(&group->told);
	free(group);
	return 0;
}

static void put(const Group *group, const char *name, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = path_join(group->root, name);
	if (!file_write_atomic(path, text, strlen(text), 0600, &err))
		fail_msg("%s", err_text(&err));
}

static void tell(void *arg)
{
	sem_post(&((Group *)arg)->told);
}

static bool is_told(Group *group, int wait_ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return sem_timedwait(&group->told, &until) == 0;
}

static OomWatchConfig config_of(Group *group)
{
	return (OomWatchConfig){.root = group->root,
				.threshold_percent = 95,
				.interval_ms = 50,
				.log = group->log,
				.near_limit = tell,
				.arg = group};
}

static void refused(const Group *group, const OomWatchConfig *config, const char *why)
{
	autoerror Error err = {0};
	assert_null(oom_watch_start(group->loop, config, &err));
	if (!strstr(err_text(&err), why))
		fail_msg("%s, want %s", err_text(&err), why);
}

static void tells_once_when_usage_reaches_the_threshold(void **state)
{
	Group *group = *state;
	autoerror Error err = {0};
	OomWatchConfig config = config_of(group);
	put(group, "memory.max", "1000\n");
	put(group, "memory.current", "949\n");
	OomWatch *watch = oom_watch_start(group->loop, &config, &err);
	assert_non_null(watch);
	assert_false(is_told(group, 200));
	put(group, "memory.current", "nonsense");
	assert_false(is_told(group, 150));
	put(group, "memory.current", "950\n");
	assert_true(is_told(group, 10000));
	assert_false(is_told(group, 200));
	oom_watch_stop(watch);
}

static void files_of_version_1_and_files_said(void **state)
{
	Group *group = *state;
	autoerror Error err = {0};
	autofree char *old = path_join(group->root, "memory"), *max = path_join(group->root, "m");
	OomWatchConfig config = config_of(group);
	refused(group, &config, "max memory path");
	put(group, "m", "10");
	config.max_path = max;
	refused(group, &config, "current memory path");
	assert_true(dir_make(old, 0700, &err));
	put(group, "memory/memory.usage_in_bytes", "10");
	put(group, "memory/memory.limit_in_bytes", "1000");
	OomWatch *watch = oom_watch_start(group->loop, &config, &err);
	assert_true(is_told(group, 10000));
	oom_watch_stop(watch);
	config.max_path = "";
	watch = oom_watch_start(group->loop, &config, &err);
	assert_false(is_told(group, 200));
	oom_watch_stop(watch);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	Group *group = *state;
	OomWatchConfig config = config_of(group);
	put(group, "memory.current", "1");
	put(group, "memory.max", "max\n");
	refused(group, &config, "'max' is no number of bytes");
	put(group, "memory.max", "100");
	config.threshold_percent = 0;
	refused(group, &config, "between 1 and 100, got 0");
	config.threshold_percent = 101;
	refused(group, &config, "between 1 and 100, got 101");
	config.threshold_percent = 100;
	config.interval_ms = 49;
	refused(group, &config, "at least 50ms, got 49ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_once_when_usage_reaches_the_threshold, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files_of_version_1_and_files_said, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_watched_is_refused, set_up,
						tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
