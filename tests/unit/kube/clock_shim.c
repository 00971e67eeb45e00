/*
 * Preloaded into a daemon, shifts its wall clock by what stands in the file $CLOCK_SHIM
 * (nanoseconds, an int64_t that the test changes while the daemon runs):
 * tests/faults/test_clock_jumps.py. Monotonic clocks stay as they are, as when an operator or NTP
 * sets the time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int ClockFn(clockid_t id, struct timespec *out);

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int clock_gettime(clockid_t id, struct timespec *out);
EXPORTED int gettimeofday(struct timeval *restrict out, void *restrict zone);
EXPORTED time_t time(time_t *out);

static const _Atomic int64_t *map_shift(void)
{
	static const _Atomic int64_t none;
	const char *path = getenv("CLOCK_SHIM");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	return page == MAP_FAILED ? &none : page;
}

static int64_t shift_ns(void)
{
	static const _Atomic int64_t *_Atomic shift;
	if (!atomic_load(&shift))
		atomic_store(&shift, map_shift());
	return atomic_load(atomic_load(&shift));
}

static int real_clock(clockid_t id, struct timespec *out)
{
	static ClockFn *_Atomic real;
	ClockFn *fn = atomic_load(&real);
	if (!fn) {
		void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
		memcpy(&fn, &symbol, sizeof(fn)); /* ISO C knows no such cast */
		atomic_store(&real, fn);
	}
	return fn(id, out);
}

static int64_t wall_ns(void)
{
	struct timespec now;
	real_clock(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + shift_ns();
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
		return real_clock(id, out);
	int64_t now = wall_ns();
	*out = (struct timespec){.tv_sec = now / 1000000000, .tv_nsec = now % 1000000000};
	return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	(void)zone;
	int64_t now = wall_ns();
	*out = (struct timeval){.tv_sec = now / 1000000000, .tv_usec = now % 1000000000 / 1000};
	return 0;
}

time_t time(time_t *out)
{
	time_t now = (time_t)(wall_ns() / 1000000000);
	if (out)
		*out = now;
	return now;
}
