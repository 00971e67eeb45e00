#include "../cmocka_all.h"

#include "base/clock.h"
#include "sealer.h"
#include "sops/crypt.h"

/* Trees and what of them is opened; the formats are in tests/differential/sops. */

#define MODIFIED "2026-01-02T03:04:05Z"

static json_t *metadata_of(const char *rule, const char *value)
{
	json_t *metadata = json_pack("{s:[{s:s, s:s}], s:s}", "age", "recipient", "age1x", "enc",
				     "zero", "lastmodified", MODIFIED);
	json_put_text(metadata, "mac", "ENC[x]");
	if (rule)
		json_put_text(metadata, rule, value);
	return metadata;
}

static json_t *open_tree(json_t *object, Error *err)
{
	const SopsKeyService service = {"age", zero_decrypt, NULL};
	SopsOptions options = {.services = &service, .service_count = 1, .ignore_mac = true};
	bool matches;
	return sops_decrypt_tree(object, &options, &matches, err);
}

static void put_sealed(json_t *object, const char *key, const char *plain, const char *type,
		       const char *aad)
{
	autofree char *text = seal(plain, type, aad);
	json_put_text(object, key, text);
}

static void K40_values_of_every_type(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *object = json_pack("{s:o}", "sops", metadata_of(NULL, NULL));
	put_sealed(object, "s", "text", "str", "s:");
	put_sealed(object, "i", "-42", "int", "i:");
	put_sealed(object, "f", "1.5", "float", "f:");
	put_sealed(object, "b", "True", "bool", "b:");
	put_sealed(object, "y", "bytes", "bytes", "y:");
	put_sealed(object, "t", "2020-01-02T03:04:05Z", "time", "t:");
	json_put_text(object, "empty", "");
	json_object_set_new(object, "null", json_null());
	autojson json_t *open = open_tree(object, &err);
	autojson json_t *wanted = json_pack("{s:s, s:i, s:f, s:b, s:s, s:s, s:s, s:n}", "s", "text",
					    "i", -42, "f", 1.5, "b", 1, "y", "bytes", "t",
					    "2020-01-02T03:04:05Z", "empty", "", "null");
	assert_true(json_same(open, wanted));
}

/* The type is not authenticated: one that the text does not fit is refused. */
static void K41_types_that_do_not_fit(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *type;
	} rows[] = {
		{"x", "int"},
		{"", "int"},
		{"1 ", "int"},
		{" 1", "int"},
		{"1.5", "int"},
		{"x", "float"},
		{" 1.5", "float"},
		{"TRUE ", "bool"},
		{"yes", "bool"},
		{"today", "time"},
		{"x", "comment"},
		{"x", "text"},
		{"99999999999999999999", "int"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojson json_t *object = json_pack("{s:o}", "sops", metadata_of(NULL, NULL));
		put_sealed(object, "k", rows[i].plain, rows[i].type, "k:");
		assert_null(open_tree(object, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err_text(&err), "'k'"));
	}
}

static void K41_a_value_is_bound_to_its_path(void **state)
{
	(void)state;
	autofree char *sealed = seal("v", "str", "a:b:");
	static const struct {
		const char *format;
		bool ok;
	} rows[] = {
		{"{s:{s:s},s:O}", true},
		{"{s:{s:[s]},s:O}", true}, /* a list adds nothing */
		{"{s:[{s:s}],s:O}", true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojson json_t *meta = metadata_of(NULL, NULL);
		autojson json_t *object = json_pack(rows[i].format, "a", "b", sealed, "sops", meta);
		autojson json_t *open = open_tree(object, &err);
		assert_true((open != NULL) == rows[i].ok);
		error_dispose(&err);
		autojson json_t *moved = json_pack(rows[i].format, "a", "c", sealed, "sops", meta);
		assert_null(open_tree(moved, &err));
		assert_non_null(strstr(err_text(&err), "'a.c'"));
	}
}

/* Which of the leaves a rule seals; the others must be in clear. */
static void K40_rules(void **state)
{
	(void)state;
	static const struct {
		const char *rule, *value;
		bool data, plain_unencrypted, meta_data;
	} rows[] = {
		{NULL, NULL, true, false, true},
		{"unencrypted_suffix", "ta", false, true, false},
		{"encrypted_suffix", "ta", true, false, true},
		{"unencrypted_regex", "^meta$", true, true, false},
		{"encrypted_regex", "^data$", true, false, true},
		{"encrypted_regex", "^m", false, false, true},
		{"unencrypted_regex", "nothing", true, true, true},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autofree char *data = rows[i].data ? seal("1", "str", "data:") : mem_strdup("1");
		autofree char *plain = rows[i].plain_unencrypted
					       ? seal("2", "str", "plain_unencrypted:")
					       : mem_strdup("2");
		autofree char *nested =
			rows[i].meta_data ? seal("3", "str", "meta:data:") : mem_strdup("3");
		autojson json_t *object = json_pack(
			"{s:s, s:s, s:{s:s}, s:o}", "data", data, "plain_unencrypted", plain,
			"meta", "data", nested, "sops", metadata_of(rows[i].rule, rows[i].value));
		autojson json_t *wanted = json_pack("{s:s, s:s, s:{s:s}}", "data", "1",
						    "plain_unencrypted", "2", "meta", "data", "3");
		autojson json_t *open = open_tree(object, &err);
		assert_true(open && json_same(open, wanted));
	}
}

static void K41_metadata_that_is_none(void **state)
{
	(void)state;
	static const struct {
		const char *key, *value, *text;
	} rows[] = {
		{"lastmodified", "yesterday", "lastmodified"},
		{"lastmodified", NULL, "lastmodified"},
		{"encrypted_regex", "(", "sops.encrypted_regex"},
		{"encrypted_regex", "(?=x)", "sops.encrypted_regex"},
		{"encrypted_suffix", "x", "more than one rule"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autojson json_t *meta = metadata_of("unencrypted_regex", "x");
		if (strcmp(rows[i].key, "encrypted_regex") == 0)
			json_object_del(meta, "unencrypted_regex");
		json_put_text(meta, rows[i].key, rows[i].value);
		autojson json_t *object = json_pack("{s:O}", "sops", meta);
		assert_null(open_tree(object, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_non_null(strstr(err_text(&err), rows[i].text));
	}
}

static void K41_a_leaf_in_clear(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *object =
		json_pack("{s:{s:s}, s:o}", "a", "b", "hunter2", "sops", metadata_of(NULL, NULL));
	assert_null(open_tree(object, &err));
	assert_non_null(strstr(err_text(&err), "'a.b'"));
	assert_null(strstr(err_text(&err), "hunter2"));
}

/* Each master key is asked once for files under one data key. */
static void K40_known_keys(void **state)
{
	(void)state;
	int asked = 0;
	const SopsKeyService service = {"age", zero_decrypt, &asked};
	automap Map *known = sops_known_new();
	SopsOptions options = {
		.services = &service, .service_count = 1, .known = known, .ignore_mac = true};
	for (int i = 0; i < 3; i++) {
		autoerror Error err = {0};
		bool matches;
		autojson json_t *object = json_pack("{s:o}", "sops", metadata_of(NULL, NULL));
		put_sealed(object, "k", "v", "str", "k:");
		autojson json_t *open = sops_decrypt_tree(object, &options, &matches, &err);
		assert_non_null(open);
	}
	assert_int_equal(asked, 1);
}

/* A file of many keys whose services do not answer does not hold a worker for ever. */
static void K48_no_service_is_asked_when_time_is_up(void **state)
{
	(void)state;
	int asked = 0;
	const SopsKeyService service = {"age", zero_decrypt, &asked};
	automap Map *known = sops_known_new();
	SopsOptions options = {.services = &service,
			       .service_count = 1,
			       .known = known,
			       .until_ms = clock_mono_ms(),
			       .ignore_mac = true};
	autojson json_t *object = json_pack("{s:o}", "sops", metadata_of(NULL, NULL));
	put_sealed(object, "k", "v", "str", "k:");
	autoerror Error err = {0};
	bool matches;
	assert_null(sops_decrypt_tree(object, &options, &matches, &err));
	assert_int_equal(asked, 0);
	assert_non_null(strstr(err_text(&err), "time is up"));
	error_dispose(&err);
	options.until_ms = 0;
	autojson json_t *open = sops_decrypt_tree(object, &options, &matches, &err);
	assert_non_null(open);
	/* With the key at hand the values' rules are what takes time. */
	options.until_ms = clock_mono_ms();
	assert_null(sops_decrypt_tree(object, &options, &matches, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_int_equal(asked, 1);
}

static void K40_flat_metadata(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *flat = json_pack("{s:s, s:s, s:s, s:s}", "age__list_1__map_enc", "b",
					  "age__list_0__map_enc", "a", "mac", "m",
					  "kms__list_0__map_context__map_k", "v");
	autojson json_t *wanted =
		json_pack("{s:[{s:s},{s:s}], s:s, s:[{s:{s:s}}]}", "age", "enc", "a", "enc", "b",
			  "mac", "m", "kms", "context", "k", "v");
	autojson json_t *nested = metadata_unflatten(flat, &err);
	assert_true(nested && json_same(nested, wanted));
	static const char *const bad[] = {"mac__map_x", "mac__list_0", "age__list_x",
					  "age__list_99999999", "age__map_a"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autojson json_t *more = json_deep_copy(flat);
		json_put_text(more, bad[i], "x");
		assert_null(metadata_unflatten(more, &err));
		error_dispose(&err);
	}
}

static void K41_deep_trees(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autojson json_t *object = json_pack("{s:o}", "sops", metadata_of(NULL, NULL));
	json_t *at = object;
	for (int i = 0; i < 600; i++) {
		json_t *next = json_object();
		json_object_set_new(at, "a", next);
		at = next;
	}
	assert_null(open_tree(object, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K40_values_of_every_type),
		cmocka_unit_test(K41_types_that_do_not_fit),
		cmocka_unit_test(K41_a_value_is_bound_to_its_path),
		cmocka_unit_test(K40_rules),
		cmocka_unit_test(K41_metadata_that_is_none),
		cmocka_unit_test(K41_a_leaf_in_clear),
		cmocka_unit_test(K40_known_keys),
		cmocka_unit_test(K48_no_service_is_asked_when_time_is_up),
		cmocka_unit_test(K40_flat_metadata),
		cmocka_unit_test(K41_deep_trees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
