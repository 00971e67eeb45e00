/* File descriptors that nobody closed: what a sanitizer does not look for. descriptors_count is a
 * group's set-up, no_descriptor_is_left its last test. */
#ifndef TESTS_DESCRIPTORS_H
#define TESTS_DESCRIPTORS_H

#include <dirent.h>

/* How many are open, this look's own among them. */
static inline size_t descriptors_open(void)
{
	size_t count = 0;
	DIR *dir = opendir("/proc/self/fd");
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static inline int descriptors_count(void **state)
{
	*state = (void *)(uintptr_t)descriptors_open();
	return 0;
}

static inline void no_descriptor_is_left(void **state)
{
	assert_int_equal(descriptors_open(), (uintptr_t)*state);
}

#endif
