/* Unpacking into what is no directory. */
#include "../cmocka_all.h"

#include <string.h>

#include "archive/unpack.h"
#include "base/mem.h"
#include "tar_bytes.h"

typedef struct {
	Buf seen;
	bool is_open;
	const char *breaks_at; /* "open", "data" or "close" */
} Shelf;

static bool shelf_works(const Shelf *shelf, const char *step, Error *err)
{
	return !cstr_eq(shelf->breaks_at, step) || err_set(err, ERR_IO, "no %s", step);
}

static char *shelf_name(void *arg, const char *raw, Error *err)
{
	(void)arg;
	(void)err;
	return mem_strdup(raw);
}

static bool shelf_open(void *arg, const char *path, unsigned mode, uint64_t size, Error *err)
{
	Shelf *shelf = arg;
	(void)mode;
	assert_false(shelf->is_open);
	shelf->is_open = true;
	buf_printf(&shelf->seen, "%s %d ", path, (int)size);
	return shelf_works(shelf, "open", err);
}

static bool shelf_data(void *arg, const void *bytes, size_t len, Error *err)
{
	Shelf *shelf = arg;
	assert_true(shelf->is_open);
	buf_append(&shelf->seen, bytes, len);
	return shelf_works(shelf, "data", err);
}

static bool shelf_close(void *arg, Error *err)
{
	Shelf *shelf = arg;
	shelf->is_open = false;
	buf_putc(&shelf->seen, '\n');
	return shelf_works(shelf, "close", err);
}

static UnpackTarget shelf_target(Shelf *shelf)
{
	return (UnpackTarget){.arg = shelf,
			      .name = shelf_name,
			      .open = shelf_open,
			      .data = shelf_data,
			      .close = shelf_close};
}

static void what_the_target_says_ends_it(void **state)
{
	(void)state;
	static const char *const steps[] = {"open", "data", "close"};
	autobuf Buf tar = {0}, bytes = {0};
	tar_add(&tar, "a", '0', "text");
	tar_add(&tar, "empty", '0', "");
	tar_add_end(&tar);
	tar_gzip(&tar, &bytes);
	for (size_t i = 0; i < COUNT(steps); i++) {
		autoerror Error err = {0};
		Shelf shelf = {.breaks_at = steps[i]};
		const UnpackTarget target = shelf_target(&shelf);
		autounpacker Unpacker *unpacker = unpacker_new_for(&target, NULL);
		assert_false(unpacker_feed(unpacker, bytes.ptr, bytes.len, &err));
		assert_int_equal(err.code, ERR_IO);
		assert_non_null(strstr(err_text(&err), steps[i]));
		buf_dispose(&shelf.seen);
	}
}

static void a_target_for_files_is_given_only_files(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		char type;
	} rows[] = {{"zero", '0'}, {"seven", '7'}, {"old", '\0'}, {"old-dir/", '\0'},
		    {"d/", '0'},   {"dir", '5'},   {"fifo", '6'}, {"link", '2'},
		    {"node", '3'}, {"last", '0'}};
	autoerror Error err = {0};
	autobuf Buf tar = {0}, bytes = {0};
	tar_add(&tar, "x", 'L', "name/of/what/is/passed/over");
	tar_add(&tar, "y", '5', "");
	for (size_t i = 0; i < COUNT(rows); i++)
		tar_add(&tar, rows[i].name, rows[i].type, rows[i].name);
	tar_add_end(&tar);
	tar_gzip(&tar, &bytes);
	Shelf shelf = {0};
	const UnpackTarget target = shelf_target(&shelf);
	autounpacker Unpacker *unpacker = unpacker_new_for(&target, NULL);
	assert_true(unpacker_feed(unpacker, bytes.ptr, bytes.len, &err));
	assert_true(unpacker_finish(unpacker, &err));
	assert_string_equal(buf_text(&shelf.seen),
			    "zero 4 zero\nseven 5 seven\nold 3 old\nlast 4 last\n");
	assert_false(shelf.is_open);
	buf_dispose(&shelf.seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_target_says_ends_it),
		cmocka_unit_test(a_target_for_files_is_given_only_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
