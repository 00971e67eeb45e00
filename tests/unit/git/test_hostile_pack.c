/*
 * Packs that no git makes: lengths that lie, deltas that explode, point at themselves or past what
 * there is. Each is refused, in little time and memory, and leaves nothing in the store; or, where
 * the indexer does not look, nothing of it can be read.
 */
#include "../cmocka_all.h"

#include <git2/oid.h>
#include <openssl/sha.h>
#include <zlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "fixture.h"
#include "git/store_internal.h"

enum { BLOB = 3, OFS_DELTA = 6, REF_DELTA = 7, MIB = 1 << 20 };

/* --- a pack, byte by byte --- */

static void begin(Buf *pack, unsigned count)
{
	const char header[] = {'P', 'A', 'C', 'K', 0, 0, 0, 2, 0, 0, 0, (char)count};
	buf_clear(pack);
	buf_append(pack, header, sizeof(header));
}

/* Type and claimed size (gitformat-pack). Returns where the object begins. */
static size_t put_head(Buf *pack, unsigned type, uint64_t size)
{
	size_t at = pack->len;
	unsigned byte = type << 4 | (unsigned)(size & 15);
	for (size >>= 4; size; size >>= 7) {
		buf_putc(pack, (char)(byte | 0x80));
		byte = (unsigned)(size & 0x7f);
	}
	buf_putc(pack, (char)byte);
	return at;
}

static void put_deflated(Buf *pack, const void *bytes, size_t len)
{
	uLongf room = compressBound(len);
	autofree unsigned char *out = mem_alloc(room);
	assert_int_equal(compress2(out, &room, bytes, len, 9), Z_OK);
	buf_append(pack, out, room);
}

static void put_offset(Buf *pack, uint64_t distance)
{
	char bytes[10];
	size_t at = sizeof(bytes);
	bytes[--at] = (char)(distance & 0x7f);
	while (distance >>= 7)
		bytes[--at] = (char)(--distance & 0x7f) | (char)0x80;
	buf_append(pack, bytes + at, sizeof(bytes) - at);
}

static void put_varint(Buf *delta, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buf_putc(delta, (char)((value & 0x7f) | 0x80));
	buf_putc(delta, (char)value);
}

/* Copies `len` (under 16 MiB) bytes from the base's `from`. */
static void put_copy(Buf *delta, uint32_t from, uint32_t len)
{
	buf_putc(delta, (char)0xff);
	for (int shift = 0; shift < 32; shift += 8)
		buf_putc(delta, (char)(from >> shift));
	for (int shift = 0; shift < 24; shift += 8)
		buf_putc(delta, (char)(len >> shift));
}

static void finish(Buf *pack)
{
	unsigned char hash[SHA_DIGEST_LENGTH];
	SHA1((const unsigned char *)pack->ptr, pack->len, hash);
	buf_append(pack, hash, sizeof(hash));
}

/* --- */

enum { MAX_READ = 256 * MIB };

static bool take(GitStore *store, const Buf *pack)
{
	autoerror Error err = {0};
	autogitpackwriter GitPackWriter *writer =
		git_pack_writer_new(store, &(GitPackLimits){0}, &err);
	return git_pack_writer_put(writer, pack->ptr, pack->len, &err) &&
	       git_pack_writer_finish(writer, &(GitBoundary){0}, &err);
}

/* A git_odb_foreach_cb: 1 when the object can be read. */
static int try_read(const git_oid *oid, void *arg)
{
	char hash[GIT_HASH_SIZE];
	autoerror Error err = {0};
	git_oid_tostr(hash, sizeof(hash), oid);
	autogitblob GitBlob *blob = git_store_blob(arg, hash, MAX_READ, &err);
	return blob ? 1 : 0;
}

static void is_useless(const char *what, const Buf *pack, bool may_be_taken)
{
	autoerror Error err = {0};
	autotempdir char *dir = temp_dir();
	int64_t start_ms = clock_mono_ms();
	autogitstore GitStore *store = git_store_open(dir, &err);
	if (take(store, pack)) {
		if (!may_be_taken)
			fail_msg("%s: accepted", what);
		if (git_odb_foreach(store->odb, try_read, store) != 0)
			fail_msg("%s: can be read", what);
	} else {
		autofree char *left = shell(dir, "ls objects/pack");
		if (left[0])
			fail_msg("%s: leaves %s", what, left);
	}
	if (clock_mono_ms() - start_ms > 20 * 1000)
		fail_msg("%s: took too long", what);
}

static void is_refused(const char *what, const Buf *pack)
{
	is_useless(what, pack, false);
}

static void an_honest_pack_is_taken(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = temp_dir();
	autobuf Buf pack = {0}, delta = {0};
	begin(&pack, 2);
	size_t base = put_head(&pack, BLOB, 6);
	put_deflated(&pack, "hello\n", 6);
	put_varint(&delta, 6);
	put_varint(&delta, 12);
	put_copy(&delta, 0, 6);
	put_copy(&delta, 0, 6);
	size_t at = put_head(&pack, OFS_DELTA, delta.len);
	put_offset(&pack, at - base);
	put_deflated(&pack, delta.ptr, delta.len);
	finish(&pack);
	autogitstore GitStore *store = git_store_open(dir, &err);
	assert_true(take(store, &pack));
	assert_int_equal(git_odb_foreach(store->odb, try_read, store), 1);
}

static void lengths_that_lie_are_refused(void **state)
{
	(void)state;
	static const uint64_t claims[] = {5, 7, 0, 1ull << 40};
	for (size_t i = 0; i < COUNT(claims); i++) {
		autobuf Buf pack = {0};
		begin(&pack, 1);
		put_head(&pack, BLOB, claims[i]);
		put_deflated(&pack, "hello\n", 6);
		finish(&pack);
		is_useless("a blob's length", &pack, true);
	}
	autobuf Buf pack = {0};
	begin(&pack, 9);
	put_head(&pack, BLOB, 6);
	put_deflated(&pack, "hello\n", 6);
	finish(&pack);
	is_refused("fewer objects than claimed", &pack);
	pack.ptr[11] = 0;
	is_refused("more objects than claimed", &pack);
}

/* A kilobyte of pack that wants a gigabyte of memory. */
static void what_unpacks_too_large_is_refused(void **state)
{
	(void)state;
	enum { BASE = 8 * MIB };
	autofree char *zeros = mem_zalloc(1, BASE);
	autobuf Buf pack = {0}, delta = {0};
	begin(&pack, 2);
	size_t base = put_head(&pack, BLOB, BASE);
	put_deflated(&pack, zeros, BASE);
	put_varint(&delta, BASE);
	put_varint(&delta, 300ull * BASE);
	for (int i = 0; i < 300; i++)
		put_copy(&delta, 0, BASE);
	size_t at = put_head(&pack, OFS_DELTA, delta.len);
	put_offset(&pack, at - base);
	put_deflated(&pack, delta.ptr, delta.len);
	finish(&pack);
	is_refused("a delta that explodes", &pack);
	begin(&pack, 1);
	put_head(&pack, BLOB, 3ull << 30);
	put_deflated(&pack, zeros, BASE);
	finish(&pack);
	is_useless("a blob of gigabytes", &pack, true);
}

static void deltas_without_a_base_are_refused(void **state)
{
	(void)state;
	static const uint64_t distances[] = {0, 1, 5, 1000, 1ull << 40};
	autobuf Buf pack = {0}, delta = {0};
	put_varint(&delta, 6);
	put_varint(&delta, 6);
	put_copy(&delta, 0, 6);
	for (size_t i = 0; i < COUNT(distances); i++) {
		begin(&pack, 2);
		put_head(&pack, BLOB, 6);
		put_deflated(&pack, "hello\n", 6);
		put_head(&pack, OFS_DELTA, delta.len);
		put_offset(&pack, distances[i]);
		put_deflated(&pack, delta.ptr, delta.len);
		finish(&pack);
		is_refused("an offset to nowhere", &pack);
	}
	/* Two that name each other, as nobody can know what they would be. */
	begin(&pack, 2);
	for (int i = 0; i < 2; i++) {
		put_head(&pack, REF_DELTA, delta.len);
		buf_append(&pack, i ? "bbbbbbbbbbbbbbbbbbbb" : "aaaaaaaaaaaaaaaaaaaa", 20);
		put_deflated(&pack, delta.ptr, delta.len);
	}
	finish(&pack);
	is_refused("bases that are nowhere", &pack);
}

static void put_ofs_pack(Buf *pack, const Buf *delta)
{
	begin(pack, 2);
	size_t base = put_head(pack, BLOB, 6);
	put_deflated(pack, "hello\n", 6);
	size_t at = put_head(pack, OFS_DELTA, delta->len);
	put_offset(pack, at - base);
	put_deflated(pack, delta->ptr, delta->len);
	finish(pack);
}

static void deltas_that_do_not_fit_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		uint64_t base, result;
		uint32_t from, len;
	} rows[] = {
		{"another base", 7, 6, 0, 6},	     {"a longer result", 6, 7, 0, 6},
		{"a shorter result", 6, 5, 0, 6},    {"a copy past the end", 6, 7, 0, 7},
		{"a copy from beyond", 6, 6, 99, 6}, {"a copy that wraps", 6, 6, 0xffffffff, 6},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autobuf Buf pack = {0}, delta = {0};
		put_varint(&delta, rows[i].base);
		put_varint(&delta, rows[i].result);
		put_copy(&delta, rows[i].from, rows[i].len);
		put_ofs_pack(&pack, &delta);
		is_refused(rows[i].what, &pack);
	}
	autobuf Buf pack = {0}, delta = {0};
	put_varint(&delta, 6);
	put_varint(&delta, 6);
	buf_putc(&delta, 0); /* reserved */
	put_ofs_pack(&pack, &delta);
	is_refused("a reserved instruction", &pack);
}

static void unknown_types_and_sums_are_refused(void **state)
{
	(void)state;
	static const unsigned types[] = {0, 5};
	autobuf Buf pack = {0};
	for (size_t i = 0; i < COUNT(types); i++) {
		begin(&pack, 1);
		put_head(&pack, types[i], 6);
		put_deflated(&pack, "hello\n", 6);
		finish(&pack);
		is_useless("an unknown type", &pack, true);
	}
	begin(&pack, 1);
	put_head(&pack, BLOB, 6);
	put_deflated(&pack, "hello\n", 6);
	finish(&pack);
	pack.ptr[pack.len - 1] ^= 1;
	is_refused("a wrong checksum", &pack);
	pack.ptr[pack.len - 1] ^= 1;
	pack.ptr[7] = 9;
	is_refused("an unknown version", &pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_pack_is_taken),
		cmocka_unit_test(lengths_that_lie_are_refused),
		cmocka_unit_test(what_unpacks_too_large_is_refused),
		cmocka_unit_test(deltas_without_a_base_are_refused),
		cmocka_unit_test(deltas_that_do_not_fit_are_refused),
		cmocka_unit_test(unknown_types_and_sums_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
