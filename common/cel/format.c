/* Named formats (library/format.go; texts of apimachinery's util/validation). */
#include "cel/format.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/url.h"
#include "data/base64.h"
#include "data/regex.h"

enum { KUBE = CEL_LIB_KUBERNETES, LABEL_MAX = 63, SUBDOMAIN_MAX = 253 };

typedef void (*Check)(CelRun *run, const CelFormat *format, Str text, CelList *problems);

struct CelFormat {
	const char *name;
	size_t pattern_length;
	Check check;
	const char *pattern;
	const char *wrong;
	size_t longest;
	bool prefix; /* the start of a name: a last "-" may be followed by more */
};

static void complain(CelRun *run, CelList *problems, const char *text)
{
	CelValue value = cel_text_value(run, text, strlen(text));
	if (!cel_is_error(&value))
		(void)cel_list_add(run, problems, value);
}

static bool fits(const char *pattern, Str text)
{
	autoerror Error err = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_ANCHORED, &err);
	return regex && regex_matches(regex, text.ptr, text.len);
}

static void check_length(CelRun *run, size_t longest, Str text, CelList *problems)
{
	if (text.len <= longest)
		return;
	autofree char *wrong = mem_printf("must be no more than %zu characters", longest);
	complain(run, problems, wrong);
}

static void check_name(CelRun *run, const CelFormat *format, Str text, CelList *problems)
{
	autobuf Buf masked = {0};
	buf_add(&masked, text);
	if (format->prefix && text.len > 1 && text.ptr[text.len - 1] == '-')
		masked.ptr[text.len - 1] = 'a';
	check_length(run, format->longest, text, problems);
	if (!fits(format->pattern, buf_str(&masked)))
		complain(run, problems, format->wrong);
}

#define SUBDOMAIN "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
#define NAME_PART "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
static const char label_wrong[] =
	"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
	"must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
	"used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
static const char subdomain_wrong[] =
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
	"used "
	"for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char dns1035_wrong[] =
	"a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
	"alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
	"'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
static const char value_wrong[] =
	"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
	"'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or "
	"'my_value',  or '12345', regex used for validation is "
	"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
#define NAME_PART_WRONG                                                                            \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "   \
	"an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "  \
	"validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
static const char qualified_wrong[] =
	"a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start "
	"and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
	"regex "
	"used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS "
	"subdomain prefix and '/' (e.g. 'example.com/MyName')";

static void check_prefix(CelRun *run, Str prefix, CelList *problems)
{
	if (prefix.len == 0) {
		complain(run, problems, "prefix part must be non-empty");
		return;
	}
	if (prefix.len > SUBDOMAIN_MAX)
		complain(run, problems, "prefix part must be no more than 253 characters");
	if (fits(SUBDOMAIN, prefix))
		return;
	autofree char *wrong = mem_printf("prefix part %s", subdomain_wrong);
	complain(run, problems, wrong);
}

static void check_qualified(CelRun *run, const CelFormat *format, Str text, CelList *problems)
{
	Str prefix, name;
	bool has_prefix = str_cut(text, '/', &prefix, &name);
	if (has_prefix && memchr(name.ptr, '/', name.len)) {
		complain(run, problems, format->wrong);
		return;
	}
	if (has_prefix)
		check_prefix(run, prefix, problems);
	name = has_prefix ? name : text;
	if (name.len == 0)
		complain(run, problems, "name part must be non-empty");
	else if (name.len > LABEL_MAX)
		complain(run, problems, "name part must be no more than 63 characters");
	if (!fits(NAME_PART, name))
		complain(run, problems, "name part " NAME_PART_WRONG);
}

static void check_uri(CelRun *run, const CelFormat *format UNUSED, Str text, CelList *problems)
{
	autoerror Error err = {0};
	if (!url_check(text, &err))
		complain(run, problems, err_text(&err));
}

static void check_pattern(CelRun *run, const CelFormat *format, Str text, CelList *problems)
{
	if (!fits(format->pattern, text))
		complain(run, problems, format->wrong);
}

static void check_byte(CelRun *run, const CelFormat *format, Str text, CelList *problems)
{
	if (text.len == 0 || text.len % 4 || !fits(format->pattern, text))
		complain(run, problems, format->wrong);
}

static void check_date(CelRun *run, const CelFormat *format, Str text, CelList *problems)
{
	autobuf Buf full = {0};
	CelTime time;
	buf_add(&full, text);
	if (strcmp(format->name, "date") == 0)
		buf_puts(&full, "T00:00:00Z");
	for (size_t i = 0; i < full.len; i++)
		full.ptr[i] = (char)toupper((unsigned char)full.ptr[i]);
	if (!cel_time_parse(buf_str(&full), &time))
		complain(run, problems, format->wrong);
}

static const CelFormat formats[] = {
	{"dns1123Label", 30, check_name, "[a-z0-9]([-a-z0-9]*[a-z0-9])?", label_wrong, LABEL_MAX,
	 false},
	{"dns1123Subdomain", 60, check_name, SUBDOMAIN, subdomain_wrong, SUBDOMAIN_MAX, false},
	{"dns1035Label", 30, check_name, "[a-z]([-a-z0-9]*[a-z0-9])?", dns1035_wrong, LABEL_MAX,
	 false},
	{"qualifiedName", 60, check_qualified, NULL, qualified_wrong, 0, false},
	{"dns1123LabelPrefix", 30, check_name, "[a-z0-9]([-a-z0-9]*[a-z0-9])?", label_wrong,
	 LABEL_MAX, true},
	{"dns1123SubdomainPrefix", 60, check_name, SUBDOMAIN, subdomain_wrong, SUBDOMAIN_MAX, true},
	{"dns1035LabelPrefix", 30, check_name, "[a-z]([-a-z0-9]*[a-z0-9])?", dns1035_wrong,
	 LABEL_MAX, true},
	{"labelValue", 40, check_name, "(" NAME_PART ")?", value_wrong, LABEL_MAX, false},
	{"uri", 1103, check_uri, NULL, NULL, 0, false},
	{"uuid", 72, check_pattern,
	 "(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}",
	 "does not match the UUID format", 0, false},
	{"byte", 84, check_byte,
	 "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})",
	 "invalid base64", 0, false},
	{"date", 72, check_date, NULL, "invalid date", 0, false},
	{"datetime", 72, check_date, NULL, "invalid datetime", 0, false},
};

size_t format_pattern_length(const CelFormat *format)
{
	return format->pattern_length;
}

static const CelFormat *find_format(Str name)
{
	for (size_t i = 0; i < COUNT(formats); i++)
		if (str_eq(name, str_of(formats[i].name)))
			return &formats[i];
	return NULL;
}

static CelValue constant(CelRun *run, const CelValue *args UNUSED, size_t count UNUSED)
{
	Str name = str_of(run->call->name + strlen("format."));
	return (CelValue){.kind = CEL_FORMAT, .format = find_format(name)};
}

static CelValue named(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelFormat *format = find_format(args[0].text);
	CelValue *inner = format ? cel_alloc(run, sizeof(*inner)) : NULL;
	if (inner)
		*inner = (CelValue){.kind = CEL_FORMAT, .format = format};
	return (CelValue){.kind = CEL_OPTIONAL, .inner = inner};
}

static CelValue validate(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelValue list = cel_list_new(run, 0);
	CelValue *inner = cel_alloc(run, sizeof(*inner));
	if (cel_is_error(&list) || !inner)
		return cel_error(run, "memory limit exceeded");
	args[0].format->check(run, args[0].format, args[1].text, list.list);
	*inner = list;
	return (CelValue){.kind = CEL_OPTIONAL, .inner = list.list->len > 0 ? inner : NULL};
}

#define CONSTANT(name)                                                                             \
	{                                                                                          \
		"format." name, false, KUBE, ">F", constant                                        \
	}

static const CelFunction rows[] = {
	CONSTANT("dns1123Label"),
	CONSTANT("dns1123Subdomain"),
	CONSTANT("dns1035Label"),
	CONSTANT("qualifiedName"),
	CONSTANT("dns1123LabelPrefix"),
	CONSTANT("dns1123SubdomainPrefix"),
	CONSTANT("dns1035LabelPrefix"),
	CONSTANT("labelValue"),
	CONSTANT("uri"),
	CONSTANT("uuid"),
	CONSTANT("byte"),
	CONSTANT("date"),
	CONSTANT("datetime"),
	{"format.named", false, KUBE, "s>OF", named},
	{"validate", true, KUBE, "Fs>OLs", validate},
};

const CelFunctions cel_functions_format = {rows, COUNT(rows)};
