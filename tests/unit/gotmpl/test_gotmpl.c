/* Sets, runs and limits. What templates print is compared with Helm's engine in
 * tests/differential/helm. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "gotmpl/gotmpl.h"

static char *render(const char *text, const GotmplLimits *limits, Error *err)
{
	autogotmpl GotmplSet *set = gotmpl_new();
	if (!gotmpl_parse(set, "t", str_of(text), err))
		return NULL;
	autoarena Arena *arena = arena_new();
	autobuf Buf out = {0};
	GoRun *run = gotmpl_run_new(set, arena, limits);
	if (!gotmpl_execute(run, "t", go_nil(), &out, err))
		return NULL;
	return buf_steal(&out);
}

static void assert_fails(const char *text, const GotmplLimits *limits, const char *part)
{
	autoerror Error err = {0};
	autofree char *out = render(text, limits, &err);
	assert_null(out);
	assert_non_null(strstr(err_text(&err), part));
}

static void a_set_is_parsed_once_and_run_twice(void **state)
{
	(void)state;
	autogotmpl GotmplSet *set = gotmpl_new();
	autoerror Error err = {0};
	assert_true(gotmpl_parse(set, "t", STR("{{ .a }}-{{ template \"x\" .a }}"), &err));
	assert_true(gotmpl_parse(set, "u", STR("{{ define \"x\" }}<{{ . }}>{{ end }}"), &err));
	for (int i = 0; i < 2; i++) {
		autoarena Arena *arena = arena_new();
		autobuf Buf out = {0};
		autojson json_t *data = json_pack("{s:i}", "a", i);
		GoRun *run = gotmpl_run_new(set, arena, NULL);
		assert_true(gotmpl_execute(run, "t", go_from_json(arena, data), &out, &err));
		assert_string_equal(buf_text(&out), i ? "1-<1>" : "0-<0>");
	}
}

static void output_has_a_limit(void **state)
{
	(void)state;
	GotmplLimits limits = {.output_bytes = 1000};
	assert_fails("{{ range until 100 }}0123456789{{ end }}!", &limits, "1000 bytes of output");
	assert_fails("{{ repeat 100 \"0123456789ab\" }}", &limits, "too large");
	assert_fails("{{ printf \"%2000d\" 1 }}", &limits, "too large");
}

static void steps_have_a_limit(void **state)
{
	(void)state;
	GotmplLimits limits = {.steps = 5000};
	assert_fails("{{ range 1000000000 }}{{ end }}", &limits, "limit of 5000 steps");
	assert_fails("{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}", &limits,
		     "limit of 5000 steps");
}

static void time_has_a_limit(void **state)
{
	(void)state;
	GotmplLimits limits = {.time_ms = 100};
	assert_fails("{{ range 1000000000 }}{{ end }}", &limits, "limit of 100 ms");
	/* Few steps, each of them long. */
	assert_fails("{{ range 20 }}{{ $x := bcrypt \"x\" }}{{ end }}", &limits, "limit of 100 ms");
}

static void memory_has_a_limit(void **state)
{
	(void)state;
	GotmplLimits limits = {.memory_bytes = 1 << 20};
	assert_fails("{{ until 9999999 }}", &limits, "too large");
	assert_fails("{{ $l := list 1 }}{{ range 100000 }}{{ $l = concat $l $l }}{{ end }}",
		     &limits, "too large");
}

static void nesting_has_a_limit(void **state)
{
	(void)state;
	autobuf Buf text = {0};
	assert_fails("{{ define \"r\" }}{{ template \"r\" }}{{ end }}{{ template \"r\" }}", NULL,
		     "exceeded maximum template depth");
	buf_puts(&text, "{{ ");
	for (int i = 0; i < 100000; i++)
		buf_putc(&text, '(');
	assert_fails(buf_text(&text), NULL, "max expression depth");
	buf_clear(&text);
	for (int i = 0; i < 100000; i++)
		buf_puts(&text, "{{ if 1 }}");
	assert_fails(buf_text(&text), NULL, "max expression depth");
}

static void a_map_in_itself_does_no_harm(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *out =
		render("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ len (print $d) }}"
		       "{{ toJson $d }}",
		       NULL, &err);
	assert_non_null(out);
	assert_fails("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ mustToJson $d }}", NULL,
		     "cycle");
	assert_fails("{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepCopy $d }}", NULL,
		     "deeply");
}

static void E47_include_recursion_over_1000_fails(void **state)
{
	(void)state;
	assert_fails("{{ define \"r\" }}{{ include \"r\" . }}{{ end }}{{ include \"r\" . }}", NULL,
		     "rendering template has a nested reference name: r");
}

static bool look_up(void *context, const char *version, const char *kind, const char *ns,
		    const char *name, json_t **out, Error *err)
{
	(void)context;
	(void)ns;
	if (strcmp(kind, "Unknown") == 0)
		return err_set(err, ERR_NOT_FOUND, "no kind %s in %s", kind, version);
	if (*name)
		*out = json_pack("{s:{s:s}, s:i}", "metadata", "name", name, "n", 7);
	return true;
}

static void E51_lookup_asks_the_caller(void **state)
{
	(void)state;
	GotmplLimits limits = {.lookup = look_up};
	autoerror Error err = {0};
	autofree char *out = render(
		"{{ $o := lookup \"v1\" \"Pod\" \"ns\" \"p\" }}{{ $o.metadata.name }} {{ typeOf "
		"$o.n }} {{ lookup \"v1\" \"Pod\" \"ns\" \"\" }}",
		&limits, &err);
	assert_string_equal(out, "p int64 map[]");
	assert_fails("{{ lookup \"v1\" \"Unknown\" \"\" \"\" }}", &limits, "no kind Unknown");
}

static void times_are_formatted_in_zones(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *out = render(
		"{{ dateInZone \"Mon Jan _2 15:04:05 MST 2006 -07:00\" 1700000000 \"UTC\" }}|{{ "
		"dateInZone \"2006-01-02T15:04:05Z07:00\" 1720000000 \"Europe/Berlin\" }}|{{ "
		"dateInZone "
		"\"3:04PM\" 1700000000 \"nowhere\" }}",
		NULL, &err);
	assert_string_equal(out, "Tue Nov 14 22:13:20 UTC 2023 +00:00|2024-07-03T11:46:40+02:00|"
				 "10:13PM");
}

static void passwords_are_derived(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *out =
		render("{{ derivePassword 1 \"long\" \"password\" \"user\" \"example.com\" "
		       "}} {{ encryptAES \"key\" \"text\" | decryptAES \"key\" }}",
		       NULL, &err);
	assert_string_equal(out, "ZedaFaxcZaso9* text");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_parsed_once_and_run_twice),
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(steps_have_a_limit),
		cmocka_unit_test(time_has_a_limit),
		cmocka_unit_test(memory_has_a_limit),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(a_map_in_itself_does_no_harm),
		cmocka_unit_test(E47_include_recursion_over_1000_fails),
		cmocka_unit_test(E51_lookup_asks_the_caller),
		cmocka_unit_test(times_are_formatted_in_zones),
		cmocka_unit_test(passwords_are_derived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
