#include "../cmocka_all.h"

#include "base/mem.h"
#include "base/rand.h"
#include "data/base64.h"
#include "helm/digest.h"
#include "helm/hooks.h"
#include "helm/release_build.h"

static HelmRecord *record_of(const char *text)
{
	autoerror Error err = {0};
	json_t *tree = json_parse(text, strlen(text), 1 << 20, &err);
	assert_non_null(tree);
	HelmRecord *record = helm_record_new(tree, &err);
	if (!record)
		fail_msg("%s", err_text(&err));
	return record;
}

static const char small[] = "{\"name\":\"r\",\"version\":3,\"info\":{\"status\":\"deployed\"},"
			    "\"manifest\":\"a: b\\n\",\"apply_method\":\"ssa\"}";

static void E79_record_survives_its_encoding(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	autohelmrecord HelmRecord *record = record_of(small);
	assert_true(helm_record_encode(record, &text, &err));
	assert_memory_equal(buf_text(&text), "H4sI", 4); /* the mark of gzip */
	autohelmrecord HelmRecord *again = helm_record_decode(buf_text(&text), text.len, &err);
	assert_non_null(again);
	assert_true(json_same(helm_record_tree(record), helm_record_tree(again)));
	assert_int_equal(helm_record_version(again), 3);
	assert_true(helm_record_is_server_side(again));
}

static void E79_plain_json_is_read(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *text = base64_encode(small, strlen(small));
	autohelmrecord HelmRecord *record = helm_record_decode(text, strlen(text), &err);
	assert_non_null(record);
	assert_string_equal(helm_record_status(record), "deployed");
}

static void E79_without_a_method_it_is_client_side(void **state)
{
	(void)state;
	autohelmrecord HelmRecord *record =
		record_of("{\"name\":\"r\",\"version\":1,\"info\":{\"status\":\"failed\"}}");
	assert_false(helm_record_is_server_side(record));
}

static void refused(const char *text, size_t len, ErrorCode code)
{
	autoerror Error err = {0};
	assert_null(helm_record_decode(text, len, &err));
	assert_int_equal(err.code, code);
}

static void damaged_records_are_errors(void **state)
{
	(void)state;
	static const char *const plain[] = {
		"",
		"x",
		"[]",
		"{}",
		"{\"name\":\"r\"}",
		"{\"name\":\"r\",\"version\":0}",
		"{\"name\":\"r\",\"version\":1}",
		"{\"name\":\"r\",\"version\":1,\"info\":[]}",
	};
	for (size_t i = 0; i < COUNT(plain); i++) {
		autofree char *text = base64_encode(plain[i], strlen(plain[i]));
		refused(text, strlen(text), ERR_INVALID);
	}
	refused("!!", 2, ERR_INVALID);
}

static void cut_and_changed_records_are_errors(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	autohelmrecord HelmRecord *record = record_of(small);
	assert_true(helm_record_encode(record, &text, &err));
	for (size_t len = 8; len + 4 < text.len; len += 4)
		refused(buf_text(&text), len, ERR_INVALID);
	text.ptr[text.len / 2] ^= 1;
	refused(buf_text(&text), text.len, ERR_INVALID);
}

/* Random letters, which no compression makes small. */
static HelmRecord *large_record(size_t bytes)
{
	HelmRecord *record = record_of(small);
	autofree char *noise = mem_alloc(bytes);
	rand_bytes(noise, bytes);
	autofree char *text = base64_encode(noise, bytes);
	json_put_text(helm_record_tree(record), "manifest", text);
	return record;
}

static void a_record_above_a_mebibyte_is_refused(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	autohelmrecord HelmRecord *fits = large_record(700 << 10);
	assert_true(helm_record_encode(fits, &text, &err));
	autohelmrecord HelmRecord *large = large_record(800 << 10);
	buf_clear(&text);
	assert_false(helm_record_encode(large, &text, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err_text(&err), "release r.v3 takes 1"));
	assert_int_equal(text.len, 0);
}

/* Around each size that changes how it is compressed. */
static void E79_records_of_any_size_come_back(void **state)
{
	(void)state;
	for (size_t size = 512; size <= 65536; size *= 2) {
		for (size_t less = 0; less <= 300; less += 25) {
			autoerror Error err = {0};
			autobuf Buf text = {0};
			autohelmrecord HelmRecord *record = large_record((size - less) * 3 / 4);
			assert_true(helm_record_encode(record, &text, &err));
			autohelmrecord HelmRecord *back =
				helm_record_decode(buf_text(&text), text.len, &err);
			assert_non_null(back);
			assert_true(json_equal(helm_record_tree(record), helm_record_tree(back)));
		}
	}
}

static void a_copy_has_its_own_status(void **state)
{
	(void)state;
	autohelmrecord HelmRecord *record = record_of(small);
	autohelmrecord HelmRecord *copy = helm_record_copy(record);
	helm_record_set_status(copy, "superseded", "over");
	assert_string_equal(helm_record_status(record), "deployed");
	assert_string_equal(helm_record_status(copy), "superseded");
}

static void H41_no_values_are_the_digest_of_nothing(void **state)
{
	(void)state;
	char none[DIGEST_TEXT_SIZE], empty[DIGEST_TEXT_SIZE];
	autojson json_t *object = json_object();
	helm_values_digest(NULL, DIGEST_SHA256, none);
	helm_values_digest(object, DIGEST_SHA256, empty);
	assert_string_equal(none, "sha256:e3b0c44298fc1c149afbf4c8996fb924"
				  "27ae41e4649b934ca495991b7852b855");
	assert_string_equal(none, empty);
}

static void same_digest(const char *a, const char *b)
{
	autoerror Error err = {0};
	char first[DIGEST_TEXT_SIZE], second[DIGEST_TEXT_SIZE];
	autojson json_t *left = json_parse(a, strlen(a), 1 << 20, &err);
	autojson json_t *right = json_parse(b, strlen(b), 1 << 20, &err);
	helm_values_digest(left, DIGEST_SHA256, first);
	helm_values_digest(right, DIGEST_SHA256, second);
	assert_string_equal(first, second);
}

static void H39_order_of_keys_does_not_count(void **state)
{
	(void)state;
	same_digest("{\"a\":1,\"b\":{\"c\":2,\"d\":3}}", "{\"b\":{\"d\":3,\"c\":2},\"a\":1}");
}

static void H40_one_is_one_point_zero(void **state)
{
	(void)state;
	same_digest("{\"a\":1,\"b\":[2]}", "{\"a\":1.0,\"b\":[2.0]}");
}

static void E75_hooks_are_selected_by_weight_then_name(void **state)
{
	(void)state;
	autoerror Error err = {0};
	static const char text[] =
		"[{\"name\":\"b\",\"events\":[\"test\"]},"
		"{\"name\":\"c\",\"events\":[\"pre-install\",\"test\"],\"weight\":-1},"
		"{\"name\":\"a\",\"events\":[\"test\"],\"delete_policies\":[\"hook-failed\"]},"
		"{\"name\":\"d\",\"events\":[\"pre-install\"]}]";
	autojson json_t *hooks = json_parse(text, strlen(text), 1 << 20, &err);
	autovec Vec selected = {0};
	helm_hooks_select(hooks, "test", &selected);
	assert_int_equal(selected.len, 3);
	assert_string_equal(json_text(selected.items[0], "name"), "c");
	assert_string_equal(json_text(selected.items[1], "name"), "a");
	assert_string_equal(json_text(selected.items[2], "name"), "b");
	assert_true(helm_hook_has(selected.items[2], "delete_policies", "before-hook-creation"));
	assert_false(helm_hook_has(selected.items[1], "delete_policies", "before-hook-creation"));
}

static void now_has_no_zeros_at_its_end(void **state)
{
	(void)state;
	char now[CLOCK_TEXT_SIZE];
	int64_t ignored;
	for (int i = 0; i < 2000; i++) {
		helm_time_now(now);
		size_t len = strlen(now);
		assert_true(clock_parse(now, &ignored));
		assert_true(now[len - 1] == 'Z' && now[len - 2] != '.');
		assert_true(!strchr(now, '.') || now[len - 2] != '0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(E79_record_survives_its_encoding),
		cmocka_unit_test(E79_plain_json_is_read),
		cmocka_unit_test(E79_without_a_method_it_is_client_side),
		cmocka_unit_test(damaged_records_are_errors),
		cmocka_unit_test(cut_and_changed_records_are_errors),
		cmocka_unit_test(a_record_above_a_mebibyte_is_refused),
		cmocka_unit_test(E79_records_of_any_size_come_back),
		cmocka_unit_test(a_copy_has_its_own_status),
		cmocka_unit_test(H39_order_of_keys_does_not_count),
		cmocka_unit_test(H40_one_is_one_point_zero),
		cmocka_unit_test(H41_no_values_are_the_digest_of_nothing),
		cmocka_unit_test(E75_hooks_are_selected_by_weight_then_name),
		cmocka_unit_test(now_has_no_zeros_at_its_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
