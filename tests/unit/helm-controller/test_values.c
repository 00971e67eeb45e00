#include "../cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "values.h"

/* ConfigMaps and Secrets by "Kind/name"; reads are counted. */
typedef struct {
	json_t *objects;
	int reads;
} Peer;

static json_t *parse(const char *text)
{
	autoerror Error err = {0};
	json_t *value = json_parse(text, strlen(text), 1 << 16, &err);
	if (!value)
		fail_msg("%s: %s", text, err_text(&err));
	return value;
}

static json_t *read_object(void *arg, const char *kind, const char *name, Error *err)
{
	Peer *peer = arg;
	char key[200];
	snprintf(key, sizeof(key), "%s/%s", kind, name);
	peer->reads++;
	json_t *data = json_object_get(peer->objects, key);
	if (!data)
		return err_null(err, ERR_NOT_FOUND, "%s not found", key);
	return json_pack("{s:O}", "data", data);
}

/* spec (with ' for ") and objects to values, or to the error. */
static void check(const char *objects, const char *spec, const char *want)
{
	autoerror Error err = {0};
	autofree char *text = strdup(spec), *stored = strdup(objects), *wanted = strdup(want);
	char *texts[] = {text, stored, wanted};
	for (size_t i = 0; i < COUNT(texts); i++)
		for (char *c = texts[i]; *c; c++)
			if (*c == '`')
				*c = '"';
	Peer peer = {.objects = parse(stored)};
	autojson json_t *tree = parse(text);
	autojson json_t *values = values_compose(tree, "ns", read_object, &peer, &err);
	autofree char *got = values ? json_dump_sorted(values) : strdup(err_text(&err));
	json_decref(peer.objects);
	if (*wanted == '{') {
		autojson json_t *expected = parse(wanted);
		if (!values || !json_same(values, expected))
			fail_msg("%s: %s, want %s", text, got, wanted);
	} else if (!strstr(got, wanted)) {
		fail_msg("%s: %s, want %s", text, got, wanted);
	}
}

#define FROM(rest) "{`valuesFrom`:[{`kind`:`ConfigMap`,`name`:`c`" rest "}]"

static void H32_later_beats_earlier_and_inline_beats_both(void **state)
{
	(void)state;
	check("{`ConfigMap/a`:{`values.yaml`:`x: 1\\nm: {a: 1, b: 1}`},"
	      "`ConfigMap/b`:{`values.yaml`:`x: 2\\nm: {b: 2}`}}",
	      "{`valuesFrom`:[{`kind`:`ConfigMap`,`name`:`a`},{`kind`:`ConfigMap`,`name`:`b`}],"
	      "`values`:{`m`:{`c`:3}}}",
	      "{`x`:2,`m`:{`a`:1,`b`:2,`c`:3}}");
	check("{`ConfigMap/c`:{`values.yaml`:`x: 1`}}", FROM("") ",`values`:{`x`:2}}", "{`x`:2}");
	check("{`ConfigMap/c`:{`other`:`x: null`}}", FROM(",`valuesKey`:`other`") "}",
	      "{`x`:null}");
}

static void H33_H34_what_is_missing(void **state)
{
	(void)state;
	check("{}", FROM("") "}",
	      "could not resolve ConfigMap chart values reference 'ns/c' with key 'values.yaml'");
	check("{}", FROM(",`optional`:true") "}", "{}");
	check("{`ConfigMap/c`:{`k`:`v`}}", FROM("") "}", "key not found");
	check("{`ConfigMap/c`:{`k`:`v`}}", FROM(",`optional`:true") "}", "{}");
	check("{}", "{`valuesFrom`:[{`kind`:`Pod`,`name`:`c`}]}",
	      "unsupported values reference kind");
	/* Missing once, and then not optional. */
	check("{}",
	      "{`valuesFrom`:[{`kind`:`ConfigMap`,`name`:`c`,`optional`:true},"
	      "{`kind`:`ConfigMap`,`name`:`c`}]}",
	      "resource not found");
}

static void H35_H36_H37_target_paths(void **state)
{
	(void)state;
#define AT_PATH(value, more) "{`ConfigMap/c`:{`values.yaml`:`" value "`}}", FROM(more) "}"
	check(AT_PATH("v", ",`targetPath`:`a.b[0]`"), "{`a`:{`b`:[`v`]}}");
	check(AT_PATH("{x,z}", ",`targetPath`:`a`"), "{`a`:[`x`,`z`]}");
	check(AT_PATH("true", ",`targetPath`:`a`"), "{`a`:true}");
	check(AT_PATH("'true'", ",`targetPath`:`a`"), "{`a`:`true`}");
	check(AT_PATH("\\\"12\\\"", ",`targetPath`:`a`"), "{`a`:`12`}");
	check(AT_PATH("a,b={c}[d]\\\\e", ",`targetPath`:`a`,`literal`:true"),
	      "{`a`:`a,b={c}[d]\\\\e`}");
	check(AT_PATH("'x'", ",`targetPath`:`a`,`literal`:true"), "{`a`:`'x'`}");
	check(AT_PATH("a,b", ",`targetPath`:`a`"), "has no value");
#undef AT_PATH
}

static void H38_who_wins(void **state)
{
	(void)state;
	const char *value = "{`ConfigMap/c`:{`values.yaml`:`new`}}";
	check(value, FROM(",`targetPath`:`a`") ",`values`:{`a`:`inline`}}", "{`a`:`inline`}");
	check(value, FROM(",`targetPath`:`a.b`") ",`values`:{`a`:{`b`:`inline`}}}",
	      "{`a`:{`b`:`new`}}");
	/* A map that an earlier reference brought is a map of its own: inline wins again. */
	check("{`ConfigMap/c`:{`values.yaml`:`new`},`ConfigMap/d`:{`values.yaml`:`a: {x: 1}`}}",
	      "{`valuesFrom`:[{`kind`:`ConfigMap`,`name`:`d`},"
	      "{`kind`:`ConfigMap`,`name`:`c`,`targetPath`:`a.b`}],"
	      "`values`:{`a`:{`b`:`inline`}}}",
	      "{`a`:{`b`:`inline`,`x`:1}}");
}

static void secrets_are_not_told(void **state)
{
	(void)state;
	autoerror Error err = {0};
	/* base64 of "a: [s3cr3t" and of "x,s3cr3t" */
	Peer peer = {.objects = parse("{\"Secret/s\":{\"values.yaml\":\"YTogW3MzY3IzdA==\","
				      "\"k\":\"eCxzM2NyM3Q=\"}}")};
	const char *specs[] = {
		"{\"valuesFrom\":[{\"kind\":\"Secret\",\"name\":\"s\"}]}",
		"{\"valuesFrom\":[{\"kind\":\"Secret\",\"name\":\"s\",\"valuesKey\":\"k\","
		"\"targetPath\":\"a\"}]}"};
	for (size_t i = 0; i < COUNT(specs); i++) {
		autojson json_t *spec = parse(specs[i]);
		assert_null(values_compose(spec, "ns", read_object, &peer, &err));
		assert_null(strstr(err_text(&err), "s3cr3t"));
		assert_non_null(strstr(err_text(&err), "could not resolve Secret"));
		error_dispose(&err);
	}
	json_decref(peer.objects);
}

static void each_object_is_read_once(void **state)
{
	(void)state;
	autoerror Error err = {0};
	Peer peer = {.objects = parse("{\"ConfigMap/c\":{\"a\":\"x: 1\",\"b\":\"y: 2\"}}")};
	autojson json_t *spec = parse(
		"{\"valuesFrom\":[{\"kind\":\"ConfigMap\",\"name\":\"c\",\"valuesKey\":\"a\"},"
		"{\"kind\":\"ConfigMap\",\"name\":\"c\",\"valuesKey\":\"b\"}],"
		"\"values\":{\"z\":3}}");
	autofree char *before = json_dump_sorted(spec);
	autojson json_t *values = values_compose(spec, "ns", read_object, &peer, &err);
	autofree char *after = json_dump_sorted(spec);
	assert_non_null(values);
	assert_int_equal(peer.reads, 1);
	assert_string_equal(before, after);
	json_decref(peer.objects);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(H32_later_beats_earlier_and_inline_beats_both),
		cmocka_unit_test(H33_H34_what_is_missing),
		cmocka_unit_test(H35_H36_H37_target_paths),
		cmocka_unit_test(H38_who_wins),
		cmocka_unit_test(secrets_are_not_told),
		cmocka_unit_test(each_object_is_read_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
