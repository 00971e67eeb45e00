#include "../cmocka_all.h"
#include "../descriptors.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "archive/unpack.h"
#include "base/mem.h"
#include "base/path.h"
#include "tar_bytes.h"
#include "tree.h"

static bool unpack_bytes(const Buf *bytes, const char *dir, const UnpackLimits *limits, size_t step,
			 Error *err)
{
	autofd int fd = tree_fd(dir);
	autounpacker Unpacker *unpacker = unpacker_new(fd, limits);
	for (size_t at = 0; at < bytes->len; at += step) {
		size_t part = bytes->len - at < step ? bytes->len - at : step;
		if (!unpacker_feed(unpacker, bytes->ptr + at, part, err))
			return false;
	}
	return unpacker_finish(unpacker, err);
}

/* The end mark is added; what was unpacked before the refusal may stay. */
static void refuses(Buf *tar, const UnpackLimits *limits, ErrorCode code, const char *text)
{
	autoerror Error err = {0};
	autotempdir char *base = tree_new();
	tree_make_dir(base, "in");
	autofree char *dir = path_join(base, "in");
	tar_add_end(tar);
	bool ok = tar_unpack(tar, dir, limits, &err);
	if (ok || err.code != code || !strstr(err_text(&err), text))
		fail_msg("wanted \"%s\", got %s \"%s\"", text, err_code_name(err.code),
			 err_text(&err));
	/* Nothing came to lie beside the directory. */
	autofree char *list = tree_list(base);
	assert_true(cstr_starts(list, "in/\n"));
	assert_null(strstr(list, "evil"));
}

/* --- what is accepted --- */

static void good_archive(Buf *tar)
{
	tar_add(tar, ".", '5', "");
	tar_add(tar, "dir", '5', "");
	tar_add(tar, "dir/a.yaml", '0', "a: 1\n");
	tar_add(tar, "./deep/er/b", '\0', "no directory entries");
	tar_add(tar, "old/", '\0', "");
	tar_add(tar, "empty", '0', "");
	tar_add(tar, "dots..in..name", '7', "x");
	tar_add_end(tar);
}

static const char good_list[] = "deep/\ndeep/er/\ndeep/er/b\ndir/\ndir/a.yaml\ndots..in..name\n"
				"empty\nold/\n";

static void unpacks_whatever_the_pieces(void **state)
{
	(void)state;
	static const size_t steps[] = {1, 7, 64, 1 << 20};
	autobuf Buf tar = {0}, bytes = {0};
	good_archive(&tar);
	tar_gzip(&tar, &bytes);
	for (size_t i = 0; i < COUNT(steps); i++) {
		autoerror Error err = {0};
		autotempdir char *dir = tree_new();
		assert_true(unpack_bytes(&bytes, dir, NULL, steps[i], &err));
		autofree char *list = tree_list(dir);
		assert_string_equal(list, good_list);
		autofree char *path = path_join(dir, "deep/er/b");
		autobuf Buf text = {0};
		assert_true(file_read(path, 100, &text, &err));
		assert_string_equal(buf_text(&text), "no directory entries");
	}
}

static void unpacks_what_tar_writes(void **state)
{
	(void)state;
	static const char *const formats[] = {"--format=gnu", "--format=pax", "--format=ustar",
					      "--format=v7"};
	autotempdir char *from = tree_new();
	autofree char *tail = mem_printf("%090d/%090d", 1, 2);
	for (size_t i = 0; i < COUNT(formats); i++) {
		autoerror Error err = {0};
		autotempdir char *to = tree_new();
		tree_put(from, "src/run", "#!/bin/sh\n", 0755);
		tree_put(from, "src/n\xc3\xa4me", "x", 0640);
		autofree char *name = path_join("src", tail);
		if (i < 3)
			tree_put(from, name, "long", 0600);
		autofree char *file = path_join(from, "x.tgz");
		const char *const argv[] = {"tar", "czf", file, formats[i], "src", NULL};
		autobuf Buf none = {0};
		if (i == 3) {
			autofree char *src = path_join(from, "src");
			dir_remove(src, &err);
			tree_put(from, "src/run", "#!/bin/sh\n", 0755);
		}
		assert_int_equal(tree_run(from, argv, "", &none), 0);
		autofd int fd = fd_open(file, O_RDONLY, 0, &err);
		autofd int to_fd = tree_fd(to);
		assert_true(unpack_fd(fd, to_fd, NULL, &err));
		struct stat st;
		assert_int_equal(fstatat(to_fd, "src/run", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0755);
		assert_int_equal(fstatat(to_fd, i < 3 ? name : "src/run", &st, 0), 0);
	}
}

static void members_and_global_records_are_understood(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf one = {0}, two = {0}, bytes = {0};
	tar_add(&one, "pax_global_header", 'g', "20 comment=abcdefgh\n");
	tar_add(&one, "a", '0', "first");
	tar_add(&two, "b", '0', "second");
	tar_add_end(&two);
	tar_gzip(&one, &bytes);
	tar_gzip(&two, &bytes);
	autotempdir char *dir = tree_new();
	assert_true(unpack_bytes(&bytes, dir, NULL, 3, &err));
	autofree char *list = tree_list(dir);
	assert_string_equal(list, "a\nb\n");
}

static void a_prefix_of_one_letter_is_a_directory(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	TarHeader header = tar_header_of("f", '0', 0);
	memcpy(header.prefix, "d", 1);
	tar_seal(&header);
	tar_add_header(&tar, &header);
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_true(tar_unpack(&tar, dir, NULL, &err));
	autofree char *list = tree_list(dir);
	assert_string_equal(list, "d/\nd/f\n");
}

static void data_of_a_skipped_link_goes_nowhere(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0}, text = {0};
	tar_add(&tar, "a", '0', "first");
	tar_add(&tar, "link", '2', "data that no link has");
	tar_add(&tar, "b", '0', "second");
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_true(tar_unpack(&tar, dir, NULL, &err));
	autofree char *list = tree_list(dir);
	assert_string_equal(list, "a\nb\n");
	autofree char *path = path_join(dir, "a");
	assert_true(file_read(path, 100, &text, &err));
	assert_string_equal(buf_text(&text), "first");
}

static void a_record_of_a_mebibyte_is_read(void **state)
{
	enum { RECORD_MAX = 1 << 20 };
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0}, record = {0};
	buf_printf(&record, "%d comment=", RECORD_MAX);
	while (record.len < RECORD_MAX - 1)
		buf_putc(&record, 'c');
	buf_putc(&record, '\n');
	tar_add(&tar, "pax", 'x', buf_text(&record));
	tar_add(&tar, "a", '0', "");
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_true(tar_unpack(&tar, dir, NULL, &err));
}

/* --- what is refused --- */

static void K9_S60_names_that_lead_out_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"/evil", "absolute"},		 {"../evil", "leading out"},
		{"a/../../evil", "leading out"}, {"..", "leading out"},
		{"a/..", "leading out"},	 {"a/../b", "leading out"},
		{"a\\..\\evil", "backslash"},	 {"", "empty"},
		{"//evil", "absolute"},		 {"./../evil", "leading out"},
		{"../../x", "leading out"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (const char *type = "052"; *type; type++) {
			autobuf Buf tar = {0};
			tar_add(&tar, rows[i].name, *type, "");
			refuses(&tar, NULL, ERR_INVALID, rows[i].text);
		}
	}
}

static void K9_a_symlink_is_skipped_or_refused(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf tar = {0};
	tar_add(&tar, "a", '0', "a");
	TarHeader link = tar_header_of("link", '2', 0);
	memcpy(link.link, "/etc", 4);
	tar_seal(&link);
	tar_add_header(&tar, &link);
	tar_add(&tar, "link/passwd", '0', "not outside");
	autobuf Buf copy = {0};
	buf_add(&copy, buf_str(&tar));
	tar_add_end(&tar);
	autotempdir char *dir = tree_new();
	assert_true(tar_unpack(&tar, dir, NULL, &err));
	autofree char *list = tree_list(dir);
	assert_string_equal(list, "a\nlink/\nlink/passwd\n");
	const UnpackLimits strict = {.refuse_links = true};
	refuses(&copy, &strict, ERR_INVALID, "symbolic link");
}

static void links_already_in_the_tree_are_not_followed(void **state)
{
	(void)state;
	autotempdir char *dir = tree_new();
	autotempdir char *outside = tree_new();
	tree_put(outside, "f", "keep", 0600);
	autofree char *dir_link = path_join(dir, "d");
	autofree char *file_link = path_join(dir, "f");
	autofree char *target = path_join(outside, "f");
	assert_int_equal(symlink(outside, dir_link), 0);
	assert_int_equal(symlink(target, file_link), 0);
	/* Nor one that stays inside. */
	autofree char *inner = path_join(dir, "inner");
	assert_int_equal(symlink("g", inner), 0);
	static const char *const names[] = {"d/f", "f", "d/new/f", "inner"};
	for (size_t i = 0; i < COUNT(names); i++) {
		autoerror Error err = {0};
		autobuf Buf tar = {0}, text = {0};
		tar_add(&tar, names[i], '0', "evil");
		tar_add_end(&tar);
		assert_false(tar_unpack(&tar, dir, NULL, &err));
		autoerror Error read_err = {0};
		assert_true(file_read(target, 100, &text, &read_err));
		assert_string_equal(buf_text(&text), "keep");
	}
	autofree char *list = tree_list(outside);
	assert_string_equal(list, "f\n");
}

static void other_types_are_refused(void **state)
{
	(void)state;
	for (const char *type = "1346SDMNVXZ8\x01"; *type; type++) {
		autobuf Buf tar = {0};
		tar_add(&tar, "a", '0', "a");
		tar_add(&tar, "b", *type, "");
		refuses(&tar, NULL, ERR_INVALID, "unsupported type");
	}
}

static void a_bomb_by_ratio_is_refused(void **state)
{
	(void)state;
	/* Zeros inflate a thousandfold; made without holding them. */
	autoerror Error err = {0};
	autobuf Buf bytes = {0};
	size_t size = (size_t)200 << 20;
	TarHeader header = tar_header_of("zeros", '0', size);
	buf_reserve(&bytes, 1 << 20);
	z_stream zip = {0};
	assert_int_equal(deflateInit2(&zip, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	zip.next_out = (unsigned char *)bytes.ptr;
	zip.avail_out = (uInt)(bytes.cap - 1);
	zip.next_in = (unsigned char *)&header;
	zip.avail_in = sizeof(header);
	assert_int_equal(deflate(&zip, Z_NO_FLUSH), Z_OK);
	autofree char *zeros = mem_zalloc(1, 1 << 20);
	for (size_t done = 0; done < size; done += 1 << 20) {
		zip.next_in = (unsigned char *)zeros;
		zip.avail_in = 1 << 20;
		assert_int_equal(deflate(&zip, Z_NO_FLUSH), Z_OK);
	}
	zip.next_in = (unsigned char *)zeros;
	zip.avail_in = 1024;
	assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
	bytes.len = bytes.cap - 1 - zip.avail_out;
	deflateEnd(&zip);
	autotempdir char *dir = tree_new();
	assert_false(unpack_bytes(&bytes, dir, NULL, bytes.len, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err_text(&err), "400 times"));
}

static void limits_on_bytes_and_entries_hold(void **state)
{
	(void)state;
	autobuf Buf many = {0}, fits = {0}, large = {0}, sum = {0}, whole = {0}, hidden = {0};
	const UnpackLimits few = {.max_entries = 100, .max_bytes = 1000};
	for (int i = 0; i <= 100; i++)
		tar_add(i < 100 ? &fits : &many, "f", '0', "x");
	buf_add(&many, buf_str(&fits));
	refuses(&many, &few, ERR_LIMIT, "entries");
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	tar_add_end(&fits);
	assert_true(tar_unpack(&fits, dir, &few, &err));
	autofree char *text = mem_printf("%01001d", 0);
	tar_add(&large, "f", '0', text);
	refuses(&large, &few, ERR_LIMIT, "1000 bytes");
	text[501] = '\0';
	tar_add(&sum, "f", '0', text);
	tar_add(&sum, "g", '0', text);
	refuses(&sum, &few, ERR_LIMIT, "1000 bytes");
	text[500] = '\0';
	tar_add(&whole, "f", '0', text);
	tar_add(&whole, "g", '0', text);
	tar_add_end(&whole);
	assert_true(tar_unpack(&whole, dir, &few, &err));
	text[500] = '0';
	/* The data of a skipped link counts too. */
	tar_add(&hidden, "f", '2', text);
	tar_add(&hidden, "g", '2', text);
	refuses(&hidden, &few, ERR_LIMIT, "1000 bytes");
}

static void depth_and_record_limits_hold(void **state)
{
	(void)state;
	autobuf Buf path = {0}, deep = {0}, record = {0};
	buf_puts(&path, "a");
	for (int i = 0; i < 300; i++)
		buf_puts(&path, "/a");
	tar_add(&deep, "x", 'L', buf_text(&path));
	tar_add(&deep, "x", '0', "");
	refuses(&deep, NULL, ERR_LIMIT, "directories");
	TarHeader big = tar_header_of("x", 'x', (2 << 20));
	tar_add_header(&record, &big);
	refuses(&record, NULL, ERR_LIMIT, "record of more than");
	autobuf Buf name = {0}, long_tar = {0};
	for (int i = 0; i < 5000; i++)
		buf_puts(&name, "n");
	tar_add(&long_tar, "x", 'L', buf_text(&name));
	tar_add(&long_tar, "x", '0', "");
	refuses(&long_tar, NULL, ERR_INVALID, "impossible name");
}

static void cut_at_every_record_is_truncated(void **state)
{
	(void)state;
	autobuf Buf tar = {0}, whole = {0};
	good_archive(&tar);
	tar_gzip(&tar, &whole);
	/* The tar cut and compressed whole; the last record of the end mark may lack. */
	for (size_t len = 0; len < tar.len - TAR_RECORD; len += TAR_RECORD) {
		autoerror Error err = {0};
		autobuf Buf part = {0};
		buf_append(&part, tar.ptr, len);
		bool is_end = len == tar.len - TAR_RECORD;
		autotempdir char *dir = tree_new();
		assert_int_equal(tar_unpack(&part, dir, NULL, &err), is_end);
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err_text(&err), "truncated"));
	}
	/* The compressed bytes cut anywhere. */
	for (size_t len = 0; len < whole.len; len++) {
		autoerror Error err = {0};
		autobuf Buf part = {0};
		buf_append(&part, whole.ptr, len);
		autotempdir char *dir = tree_new();
		assert_false(unpack_bytes(&part, dir, NULL, 4096, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void damage_is_found(void **state)
{
	(void)state;
	autobuf Buf tar = {0}, whole = {0};
	good_archive(&tar);
	tar_gzip(&tar, &whole);
	/* The trailer: checksum and length. */
	for (size_t back = 1; back <= 8; back++) {
		autoerror Error err = {0};
		autotempdir char *dir = tree_new();
		whole.ptr[whole.len - back] ^= 0x40;
		assert_false(unpack_bytes(&whole, dir, NULL, 4096, &err));
		assert_int_equal(err.code, ERR_INVALID);
		whole.ptr[whole.len - back] ^= 0x40;
	}
	autoerror Error err = {0};
	autotempdir char *dir = tree_new();
	buf_puts(&whole, "garbage");
	assert_false(unpack_bytes(&whole, dir, NULL, 4096, &err));
	assert_int_equal(err.code, ERR_INVALID);
	/* A bit of a header. */
	for (size_t at = 0; at < TAR_RECORD; at += 37) {
		autobuf Buf bad = {0};
		tar_add(&bad, "a", '0', "a");
		bad.ptr[at] ^= 4;
		refuses(&bad, NULL, ERR_INVALID, "");
	}
	/* A second archive behind the end mark. */
	autobuf Buf twice = {0};
	tar_add(&twice, "a", '0', "a");
	tar_add_end(&twice);
	tar_add(&twice, "b", '0', "b");
	refuses(&twice, NULL, ERR_INVALID, "after its end");
	autobuf Buf more = {0};
	tar_add_end(&more);
	buf_putc(&more, 'x');
	refuses(&more, NULL, ERR_INVALID, "after its end");
}

static void impossible_sizes_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		ErrorCode code;
	} rows[] = {
		{"-0000000001", ERR_INVALID},
		{"00000000008", ERR_INVALID},
		{"77777777777", ERR_LIMIT},
		{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ERR_INVALID},
		{"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ERR_INVALID},
		{"\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", ERR_INVALID},
		{"0x000000010", ERR_INVALID},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autobuf Buf tar = {0};
		TarHeader header = tar_header_of("f", '0', 0);
		memcpy(header.size, rows[i].field, strnlen(rows[i].field, sizeof(header.size)));
		tar_seal(&header);
		tar_add_header(&tar, &header);
		refuses(&tar, NULL, rows[i].code, "");
	}
	autobuf Buf dir = {0};
	TarHeader header = tar_header_of("d", '5', 10);
	tar_add_header(&dir, &header);
	refuses(&dir, NULL, ERR_INVALID, "directory with data");
}

static void S60_pax_records_cannot_smuggle_names(void **state)
{
	(void)state;
	static const struct {
		const char *records;
		ErrorCode code;
		const char *text;
	} rows[] = {
		{"16 path=../evil\n", ERR_INVALID, "leading out"},
		{"14 path=/evil\n", ERR_INVALID, "absolute"},
		{"8 path=\n", ERR_INVALID, "empty"},
		{"99 path=x\n", ERR_INVALID, "pax record"},
		{"path=x\n", ERR_INVALID, "pax record"},
		{"9 path=xx\n", ERR_INVALID, "pax record"},
		{"10 path=xx", ERR_INVALID, "pax record"},
		{"1 \n", ERR_INVALID, "pax record"},
		{"0 path=x\n", ERR_INVALID, "pax record"},
		{"-9 path=x\n", ERR_INVALID, "pax record"},
		{"6 a=b\n5 =b\n", ERR_INVALID, "pax record"},
		{"11 size=-1\n", ERR_INVALID, "impossible size"},
		{"20 size=99999999999\n", ERR_LIMIT, "bytes unpacked"},
		{"29 size=18446744073709551616\n", ERR_INVALID, "impossible size"},
		{"22 GNU.sparse.major=1\n", ERR_INVALID, "sparse"},
		{"99999999999999999999 path=x\n", ERR_INVALID, "pax record"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autobuf Buf tar = {0};
		tar_add(&tar, "pax", 'x', rows[i].records);
		tar_add(&tar, "innocent", '0', "evil");
		refuses(&tar, NULL, rows[i].code, rows[i].text);
	}
	autobuf Buf gnu = {0};
	tar_add(&gnu, "long", 'L', "../evil");
	tar_add(&gnu, "innocent", '0', "evil");
	refuses(&gnu, NULL, ERR_INVALID, "leading out");
	autobuf Buf prefix = {0};
	TarHeader header = tar_header_of("evil", '0', 0);
	memcpy(header.prefix, "..", 2);
	tar_seal(&header);
	tar_add_header(&prefix, &header);
	refuses(&prefix, NULL, ERR_INVALID, "leading out");
	autobuf Buf nul = {0};
	TarHeader pax = tar_header_of("pax", 'x', 12);
	tar_add_header(&nul, &pax);
	tar_add_data(&nul, "12 path=a\0b\n", 12);
	tar_add(&nul, "x", '0', "");
	refuses(&nul, NULL, ERR_INVALID, "impossible name");
}

static void a_file_and_a_directory_of_one_name_fail(void **state)
{
	(void)state;
	autobuf Buf one = {0}, two = {0}, root = {0};
	tar_add(&one, "x", '0', "file");
	tar_add(&one, "x/y", '0', "below a file");
	refuses(&one, NULL, ERR_IO, "");
	tar_add(&two, "x", '5', "");
	tar_add(&two, "x", '0', "over a directory");
	refuses(&two, NULL, ERR_IO, "");
	tar_add(&root, ".", '0', "over the root");
	refuses(&root, NULL, ERR_INVALID, "root");
}

static void what_is_no_gzip_fails(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "x", "\x1f", "\x1f\x8b\x08",
					    "<html>not found</html>"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		autoerror Error err = {0};
		autobuf Buf bytes = {0};
		buf_puts(&bytes, texts[i]);
		autotempdir char *dir = tree_new();
		assert_false(unpack_bytes(&bytes, dir, NULL, 100, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

int main(void)
{
	umask(022);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks_whatever_the_pieces),
		cmocka_unit_test(unpacks_what_tar_writes),
		cmocka_unit_test(members_and_global_records_are_understood),
		cmocka_unit_test(a_prefix_of_one_letter_is_a_directory),
		cmocka_unit_test(data_of_a_skipped_link_goes_nowhere),
		cmocka_unit_test(a_record_of_a_mebibyte_is_read),
		cmocka_unit_test(K9_S60_names_that_lead_out_are_refused),
		cmocka_unit_test(K9_a_symlink_is_skipped_or_refused),
		cmocka_unit_test(links_already_in_the_tree_are_not_followed),
		cmocka_unit_test(other_types_are_refused),
		cmocka_unit_test(a_bomb_by_ratio_is_refused),
		cmocka_unit_test(limits_on_bytes_and_entries_hold),
		cmocka_unit_test(depth_and_record_limits_hold),
		cmocka_unit_test(cut_at_every_record_is_truncated),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(S60_pax_records_cannot_smuggle_names),
		cmocka_unit_test(a_file_and_a_directory_of_one_name_fail),
		cmocka_unit_test(what_is_no_gzip_fails),
		cmocka_unit_test(no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, descriptors_count, NULL);
}
