#include "../cmocka_all.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "internal.h"

static Map *values(void)
{
	Map *map = map_new(NULL);
	static char v[] = "value", empty[] = "", path[] = "a/b/c.tar.gz", mixed[] = "heLLo";
	static char number[] = "1";
	map_put(map, "v", v);
	map_put(map, "empty", empty);
	map_put(map, "path", path);
	map_put(map, "mixed", mixed);
	map_put(map, "n", number);
	return map;
}

static SubstituteVars vars_of(Map *map, bool strict)
{
	enum { MINUTE_MS = 60000 };
	return (SubstituteVars){.values = map,
				.strict = strict,
				.max_bytes = 1 << 20,
				.max_ms = MINUTE_MS,
				.until_ms = clock_mono_ms() + MINUTE_MS};
}

static void expands(const char *text, const char *want, bool strict)
{
	automap Map *map = values();
	SubstituteVars vars = vars_of(map, strict);
	autobuf Buf out = {0};
	autoerror Error err = {0};
	if (!substitute_expand(text, &vars, &out, &err))
		fail_msg("%s: %s", text, err_text(&err));
	if (!cstr_eq(buf_text(&out), want))
		fail_msg("%s gives %s, not %s", text, buf_text(&out), want);
}

static void fails(const char *text, bool strict)
{
	automap Map *map = values();
	SubstituteVars vars = vars_of(map, strict);
	autobuf Buf out = {0};
	autoerror Error err = {0};
	if (substitute_expand(text, &vars, &out, &err))
		fail_msg("%s gives %s, not an error", text, buf_text(&out));
	assert_int_equal(err.code, ERR_INVALID);
}

static void K29_unset_fails_when_strict_else_is_empty(void **state)
{
	(void)state;
	fails("${u}", true);
	expands("[${u}]", "[]", false);
	expands("${u:=d}", "d", true);
	expands("${v}", "value", true);
	expands("${empty}", "", true);
	fails("${u^^}", true);
	fails("${#u}", true);
}

static void K35_dollar_forms(void **state)
{
	(void)state;
	expands("$${x}", "${x}", true);
	expands("$$", "$", true);
	expands("$x $(x) $", "$x $(x) $", true);
}

static void K38_defaults_and_slices(void **state)
{
	(void)state;
	expands("${u:-1}", "1", true);
	expands("${v: -1}", "value", true);
	expands("${v:?x}", "value", true);
	expands("${u:?x}", "x", true);
	expands("${u:+x}", "x", true);
	expands("${u=d}", "d", true);
	expands("${empty:=d}", "d", true);
	expands("${u:=a${v}b}", "avalueb", true);
	expands("${v:1}", "alue", true);
	expands("${v:1:2}", "al", true);
	expands("${v:-3:2}", "value", true);
	expands("${v:x}", "value", true);
	expands("${#v}", "5", true);
}

static void forms_that_transform(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"${v^}", "Value"},
		{"${v^^}", "VALUE"},
		{"${mixed,}", "heLLo"},
		{"${mixed,,}", "hello"},
		{"${v/a/X}", "vXlue"},
		{"${path//\\//-}", "a-b-c.tar.gz"},
		{"${v/#va/X}", "Xlue"},
		{"${v/%ue/X}", "valX"},
		{"${path/${path}/${v}}", "value"},
		{"${v:-9}", "value"},
		{"${v/#va/}", "value"},
		{"${v/l/}", "vaue"},
		{"${path#*/}", "b/c.tar.gz"},
		{"${path##*/}", "c.tar.gz"},
		{"${path%.*}", "a/b/c.tar"},
		{"${path%%.*}", "a/b/c"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expands(rows[i].text, rows[i].want, true);
}

static void what_does_not_parse_fails(void **state)
{
	(void)state;
	static const char *const bad[] = {"${v-d}", "${v+d}",	"${}",	 "${a.b}",   "${v",
					  "${v/a}", "${path#}", "${ v}", "${v:=${v}"};
	for (size_t i = 0; i < COUNT(bad); i++)
		fails(bad[i], false);
}

static void nesting_is_limited(void **state)
{
	(void)state;
	automap Map *map = values();
	SubstituteVars vars = vars_of(map, true);
	autobuf Buf text = {0}, out = {0};
	autoerror Error err = {0};
	for (int i = 0; i < 5000; i++)
		buf_puts(&text, "${u:=");
	assert_false(substitute_expand(buf_text(&text), &vars, &out, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

/* n times a byte; owned. */
static char *filled(size_t n, char byte)
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < n; i++)
		buf_putc(&text, byte);
	return buf_steal(&text);
}

/* What arguments write counts as well, and one replacement can be more than all memory. */
static void what_is_written_is_limited_over_all_texts(void **state)
{
	(void)state;
	static const char *const texts[] = {"${many//a/${many}}", "${u:=${many}${many}}",
					    "${many}${many}"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		automap Map *map = map_new(free);
		map_put(map, "many", filled(1 << 16, 'a'));
		SubstituteVars vars = vars_of(map, true);
		vars.max_bytes = 100000;
		autobuf Buf out = {0};
		autoerror Error err = {0};
		assert_false(substitute_expand(texts[i], &vars, &out, &err));
		assert_int_equal(err.code, ERR_LIMIT);
		assert_true(out.len <= vars.max_bytes && vars.used <= vars.max_bytes);
		assert_non_null(strstr(err_text(&err), "writes more than 100000 bytes"));
	}
	automap Map *map = values();
	SubstituteVars vars = vars_of(map, true);
	vars.max_bytes = 12;
	for (int i = 0; i < 3; i++) {
		autobuf Buf out = {0};
		autoerror Error err = {0};
		assert_int_equal(substitute_expand("${v}", &vars, &out, &err), i < 2);
	}
}

static void time_is_limited(void **state)
{
	(void)state;
	automap Map *map = values();
	SubstituteVars vars = vars_of(map, true);
	vars.until_ms = clock_mono_ms();
	autobuf Buf out = {0};
	autoerror Error err = {0};
	assert_false(substitute_expand("${v}", &vars, &out, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err_text(&err), "takes longer than 60000 ms"));
}

/* Quadratic, these would be minutes. */
static void trimming_is_linear(void **state)
{
	(void)state;
	static const char *const texts[] = {"${many##*zzz}", "${many%%zzz*}", "${many#*zzz}",
					    "${many%z*}", "${many##*a*b*a}"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		automap Map *map = map_new(free);
		map_put(map, "many", filled(900000, 'a'));
		SubstituteVars vars = vars_of(map, true);
		vars.max_ms = 5000;
		vars.until_ms = clock_mono_ms() + vars.max_ms;
		autobuf Buf out = {0};
		autoerror Error err = {0};
		if (!substitute_expand(texts[i], &vars, &out, &err))
			fail_msg("%s: %s", texts[i], err_text(&err));
		assert_int_equal(out.len, 900000);
	}
}

/* Not that `no` is not set: nobody asked for that. */
static void K29_what_is_no_form_is_told_as_that(void **state)
{
	(void)state;
	static const struct {
		const char *text, *said;
	} rows[] = {
		{"${no-where}", "\"-\" cannot follow \"${no\""},
		{"${no.where}", "\".\" cannot follow \"${no\""},
		{"${no\xc2\xb7}", "\"\xc2\xb7\" cannot follow \"${no\""},
		{"${no", "missing closing brace"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		automap Map *map = values();
		SubstituteVars vars = vars_of(map, true);
		autobuf Buf out = {0};
		autoerror Error err = {0};
		assert_false(substitute_expand(rows[i].text, &vars, &out, &err));
		assert_non_null(strstr(err_text(&err), rows[i].said));
		assert_null(strstr(err_text(&err), "not set"));
	}
}

static void globs(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"${path#?/}", "b/c.tar.gz"},
		{"${path#[a-c]*/}", "b/c.tar.gz"},
		{"${path##[^x]*/}", "c.tar.gz"},
		{"${path##*}", ""},
		{"${path#*b*.}", "tar.gz"},
		{"${path##*b*.}", "gz"},
		{"${path#*}", "/b/c.tar.gz"},
		{"${path%?}", "a/b/c.tar.g"},
		{"${path%%*}", ""},
		{"${path#x*}", "a/b/c.tar.gz"},
		{"${path#[}", "a/b/c.tar.gz"},
		{"${path#[a-]}", "a/b/c.tar.gz"},
		{"${path#[!x]}", "a/b/c.tar.gz"},
		{"${path#\\a}", "/b/c.tar.gz"},
		{"${path##*/*/*.tar.gz}", ""},
		{"${path##*z}", ""},
		{"${empty#*}", ""},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		expands(rows[i].text, rows[i].want, true);
}

static void K31_names(void **state)
{
	(void)state;
	assert_true(substitute_valid_name("_a1"));
	assert_false(substitute_valid_name("my-key"));
	assert_false(substitute_valid_name("1a"));
	assert_false(substitute_valid_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K29_unset_fails_when_strict_else_is_empty),
		cmocka_unit_test(K35_dollar_forms),
		cmocka_unit_test(K38_defaults_and_slices),
		cmocka_unit_test(forms_that_transform),
		cmocka_unit_test(what_does_not_parse_fails),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(what_is_written_is_limited_over_all_texts),
		cmocka_unit_test(time_is_limited),
		cmocka_unit_test(trimming_is_linear),
		cmocka_unit_test(K29_what_is_no_form_is_told_as_that),
		cmocka_unit_test(globs),
		cmocka_unit_test(K31_names),
	};
	return cmocka_run_group_tests_name("kustomize-controller/substitute", tests, NULL, NULL);
}
