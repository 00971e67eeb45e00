/* Protobuf bodies: a ConfigMap by hand, zero values, malformed bytes. */
#include "../cmocka_all.h"

#include <string.h>

#include "proto.h"

/* Unknown{1: {1 "v1", 2 "ConfigMap"}, 2: {1: {1 name "a", 8 {}}, 2: {"k": "v"}, 4: immutable 0}} */
static const unsigned char config_map[] = {
	'k',  '8',  's',  0,	0x0a, 0x0f, 0x0a, 0x02, 'v',  '1',  0x12, 0x09, 'C',  'o',
	'n',  'f',  'i',  'g',	'M',  'a',  'p',  0x12, 0x11, 0x0a, 0x05, 0x0a, 0x01, 'a',
	0x42, 0x00, 0x12, 0x06, 0x0a, 0x01, 'k',  0x12, 0x01, 'v',  0x20, 0x00};

static void A85_config_map(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	autoerror Error err = {0};
	autojson json_t *object = proto_decode(definitions, config_map, sizeof(config_map), &err);
	assert_non_null(object);
	autofree char *text = json_dump(object);
	/* The zero time vanishes; immutable is a pointer in Go, so its false stays. */
	assert_string_equal(text,
			    "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":"
			    "\"a\"},\"data\":{\"k\":\"v\"},\"immutable\":false}");
	definitions_free(definitions);
}

/* The same with metadata {1 name "a", 2 generateName "", 5 uid "", 7 generation 0}. */
static const unsigned char zeroes[] = {
	'k', '8', 's', 0,   0x0a, 0x0f, 0x0a, 0x02, 'v',  '1',	0x12, 0x09, 'C', 'o', 'n', 'f', 'i',
	'g', 'M', 'a', 'p', 0x12, 0x0b, 0x0a, 0x09, 0x0a, 0x01, 'a',  0x12, 0,	 '*', 0,   '8', 0};

static void A85_zero_values_are_absent(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	autoerror Error err = {0};
	autojson json_t *object = proto_decode(definitions, zeroes, sizeof(zeroes), &err);
	assert_non_null(object);
	autofree char *text = json_dump(object);
	assert_string_equal(text, "{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":"
				  "{\"name\":\"a\"}}");
	definitions_free(definitions);
}

static void every_cut_is_refused_or_read(void **state)
{
	(void)state;
	Definitions *definitions = definitions_new();
	for (size_t len = 0; len < sizeof(config_map); len++) {
		autoerror Error err = {0};
		autojson json_t *object = proto_decode(definitions, config_map, len, &err);
		assert_true(object || err_is_set(&err));
	}
	unsigned char copy[sizeof(config_map)];
	for (size_t at = 4; at < sizeof(copy); at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, config_map, sizeof(copy));
			copy[at] ^= (unsigned char)(1U << bit);
			autoerror Error err = {0};
			autojson json_t *object =
				proto_decode(definitions, copy, sizeof(copy), &err);
			assert_true(object || err_is_set(&err));
		}
	definitions_free(definitions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A85_config_map),
		cmocka_unit_test(A85_zero_values_are_absent),
		cmocka_unit_test(every_cut_is_refused_or_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
