#include "../cmocka_all.h"

#include "memory_files.h"

#include <stdio.h>

#include "base/mem.h"

void assert_builds(const MemoryFile *files, const char *text)
{
	autoerror Error err = {0};
	autofree char *built = memory_build(files, &err);
	if (!built)
		fprintf(stderr, "error: %s\n", err_text(&err));
	assert_non_null(built);
	assert_string_equal(built, text);
}

void assert_fails(const MemoryFile *files, const char *part)
{
	autoerror Error err = {0};
	autofree char *built = memory_build(files, &err);
	assert_null(built);
	if (!strstr(err_text(&err), part))
		fprintf(stderr, "error: %s\nwanted: %s\n", err_text(&err), part);
	assert_non_null(strstr(err_text(&err), part));
}
