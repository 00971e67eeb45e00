#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "data/duration.h"
#include "data/quantity.h"

/* base64, durations and quantities: small readers of text. */

static void base64_follows_rfc_4648(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"", ""},	 {"f", "Zg=="},	       {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"\xff\xfe\xfd", "//79"}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *text = base64_encode(rows[i][0], strlen(rows[i][0]));
		assert_string_equal(text, rows[i][1]);
		autobuf Buf out = {0};
		autoerror Error err = {0};
		assert_true(base64_decode(text, strlen(text), &out, &err));
		assert_string_equal(buf_text(&out), rows[i][0]);
	}
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zg===", "Z===", "Zg==Zg==", "Z g=", "-_79"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autobuf Buf out = {0};
		autoerror Error err = {0};
		assert_false(base64_decode(bad[i], strlen(bad[i]), &out, &err));
		assert_int_equal(out.len, 0);
	}
	autobuf Buf out = {0};
	autoerror Error err = {0};
	assert_true(base64_decode("Zm\r\n9v\n", 7, &out, &err));
	assert_true(base64url_decode("__79Zg", 6, &out, &err));
	autofree char *url = base64url_encode("\xff\xfe\xfd"
					      "f",
					      4);
	assert_string_equal(url, "__79Zg");
}

static void durations_read_as_go_reads_them(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
		const char *back;
	} rows[] = {{"1m30s", 90000, "1m30s"}, {"1.5h", 5400000, "1h30m0s"},
		    {"500ms", 500, "500ms"},   {"0", 0, "0s"},
		    {"-1.5s", -1500, "-1.5s"}, {".5s", 500, "500ms"},
		    {"1h", 3600000, "1h0m0s"}, {"1000us", 1, "1ms"},
		    {"+2s", 2000, "2s"}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t ms;
		assert_true(duration_parse(rows[i].text, &ms));
		assert_int_equal(ms, rows[i].ms);
		char text[DURATION_TEXT_SIZE];
		duration_format(ms, text);
		assert_string_equal(text, rows[i].back);
	}
	static const char *const bad[] = {"",	 "1", "s",	     ".s",   "1d",
					  "1 s", "-", "9999999999h", "1m-1s"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(duration_ms_or(bad[i], -7), -7);
	assert_int_equal(duration_ms_or(NULL, 3), 3);
}

static void quantities_become_canonical(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{"0.5", "500m"},
		{"1000m", "1"},
		{"1024Mi", "1Gi"},
		{"1.5Gi", "1536Mi"},
		{"0.1Gi", "107374182400m"},
		{"1e3", "1e3"},
		{"1000", "1k"},
		{"0", "0"},
		{"-2000", "-2k"},
		{"512", "512"},
		{"1Ki", "1Ki"},
		{"0.5Ki", "512"},
		{"1E", "1E"},
		{"12e6", "12e6"},
		{"0.0000000001", "1n"},
		{"1.0", "1"},
		{"99999999999999999999", "9223372036854775807"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *text = quantity_canonical(rows[i][0]);
		assert_string_equal(text, rows[i][1]);
	}
	static const char *const bad[] = {"", "m", "1x", "1 Gi", "1e", "1.2.3", "Ki", "--1"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_null(quantity_canonical(bad[i]));
	int order;
	assert_true(quantity_compare("0.5", "500m", &order) && order == 0);
	assert_true(quantity_compare("-1", "1Ki", &order) && order < 0);
	assert_false(quantity_compare("x", "1", &order));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_follows_rfc_4648),
		cmocka_unit_test(durations_read_as_go_reads_them),
		cmocka_unit_test(quantities_become_canonical),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
