#include "../cmocka_all.h"

#include <string.h>

#include "base/buf.h"
#include "data/xml.h"

/* "path=text;" for each element's end, "path@name=value;" for each attribute. */
static bool on_start(void *arg, const char *path, const char *const *attributes, Error *err)
{
	(void)err;
	for (; *attributes; attributes += 2)
		buf_printf(arg, "%s@%s=%s;", path, attributes[0], attributes[1]);
	return true;
}

static bool on_end(void *arg, const char *path, Str text, Error *err)
{
	if (str_eq(text, STR("stop")))
		return err_set(err, ERR_CANCELLED, "stopped");
	buf_printf(arg, "%s=%.*s;", path, (int)text.len, text.ptr);
	return true;
}

static ErrorCode parse(Str text, Buf *out)
{
	autoerror Error err = {0};
	const XmlHandler handler = {.on_start = on_start, .on_end = on_end, .arg = out};
	bool ok = xml_parse(text, &handler, &err);
	assert_true(ok != err_is_set(&err));
	return err.code;
}

static void S82_elements_come_with_path_text_and_attributes(void **state)
{
	(void)state;
	autobuf Buf out = {0};
	assert_int_equal(parse(STR("<?xml version=\"1.0\"?><a xmlns=\"u\"><x:b k=\"v\">1&lt;2</x:b>"
				   "<c/><![CDATA[ & ]]></a>"),
			       &out),
			 ERR_NONE);
	assert_string_equal(buf_text(&out), "a@xmlns=u;a/b@k=v;a/b=1<2;a/c=;a= & ;");
}

static void S83_what_is_no_plain_xml_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"text",
		"<a>",
		"<a></b>",
		"<a>&unknown;</a>",
		"<a/><b/>",
		"<!DOCTYPE a><a/>",
		("<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>"),
		"<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
		"<a>\xff</a>",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autobuf Buf out = {0};
		assert_int_equal(parse(str_of(bad[i]), &out), ERR_INVALID);
		assert_null(strstr(buf_text(&out), "root:"));
	}
}

static void S83_depth_names_and_text_have_limits(void **state)
{
	(void)state;
	autobuf Buf deep = {0}, name = {0}, text = {0}, out = {0};
	for (int i = 0; i < 65; i++)
		buf_puts(&deep, "<a>");
	assert_int_equal(parse(buf_str(&deep), &out), ERR_LIMIT);
	for (int i = 0; i < 5000; i++)
		buf_putc(&name, i ? 'n' : '<');
	buf_puts(&name, "/>");
	assert_int_equal(parse(buf_str(&name), &out), ERR_LIMIT);
	buf_puts(&text, "<a>");
	for (int i = 0; i < (1 << 20) + 1; i++)
		buf_putc(&text, 't');
	buf_puts(&text, "</a>");
	assert_int_equal(parse(buf_str(&text), &out), ERR_LIMIT);
}

static void S82_a_callback_ends_the_parse(void **state)
{
	(void)state;
	autobuf Buf out = {0};
	assert_int_equal(parse(STR("<a><b>stop</b><c>more</c></a>"), &out), ERR_CANCELLED);
	assert_string_equal(buf_text(&out), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S82_elements_come_with_path_text_and_attributes),
		cmocka_unit_test(S83_what_is_no_plain_xml_is_refused),
		cmocka_unit_test(S83_depth_names_and_text_have_limits),
		cmocka_unit_test(S82_a_callback_ends_the_parse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
