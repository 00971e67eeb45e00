/* Semantic versions as blang/semver v4 reads them (library/semverlib.go). */
#include "data/semver.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"

enum { KUBE = CEL_LIB_KUBERNETES };

struct CelSemver {
	Semver version; /* pre and build in the arena */
};

bool cel_semver_equal(const CelSemver *a, const CelSemver *b)
{
	return semver_compare(&a->version, &b->version) == 0;
}

static bool all_digits(Str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!isdigit((unsigned char)text.ptr[i]))
			return false;
	return text.len > 0;
}

static const char *check_number(Str text)
{
	unsigned long long value;
	if (!all_digits(text))
		return "Invalid character(s) found in version number";
	if (text.len > 1 && *text.ptr == '0')
		return "Version number must not contain leading zeroes";
	return str_to_u64(text, &value) ? NULL : "Version number out of range";
}

static const char *check_labels(Str labels, bool pre)
{
	Str label;
	bool more = true;
	while (more) {
		more = str_cut(labels, '.', &label, &labels);
		if (label.len == 0)
			return pre ? "Prerelease is empty" : "Build meta data is empty";
		for (size_t i = 0; i < label.len; i++)
			if (!isalnum((unsigned char)label.ptr[i]) && label.ptr[i] != '-')
				return "Invalid character(s) found in label";
		if (pre && all_digits(label) && label.len > 1 && *label.ptr == '0')
			return "Numeric PreRelease version must not contain leading zeroes";
	}
	return NULL;
}

/* What is wrong, or NULL. */
static const char *check(Str text)
{
	Str major, minor, rest, core, build, pre, patch;
	if (text.len == 0)
		return "Version string empty";
	if (!str_cut(text, '.', &major, &rest) || !str_cut(rest, '.', &minor, &rest))
		return "No Major.Minor.Patch elements found";
	bool has_build = str_cut(rest, '+', &core, &build);
	bool has_pre = str_cut(core, '-', &patch, &pre);
	const Str numbers[] = {major, minor, patch};
	const char *wrong = NULL;
	for (size_t i = 0; i < COUNT(numbers) && !wrong; i++)
		wrong = check_number(numbers[i]);
	if (!wrong && has_pre)
		wrong = check_labels(pre, true);
	return !wrong && has_build ? check_labels(build, false) : wrong;
}

static void add_stripped(Str part, Buf *out)
{
	if (part.len > 1) {
		while (part.len > 0 && *part.ptr == '0')
			part = str_slice(part, 1, part.len);
		if (part.len == 0 || !isdigit((unsigned char)*part.ptr))
			buf_putc(out, '0');
	}
	buf_add(out, part);
}

/* "v1.02" to "1.2.0": no "v", three parts, no leading zeros. */
static void normalize(Str text, Buf *out)
{
	Str parts[3], rest = text;
	size_t count = 0;
	if (str_starts(rest, STR("v")))
		rest = str_slice(rest, 1, rest.len);
	while (count < 2 && str_cut(rest, '.', &parts[count], &rest))
		count++;
	if (count < 2)
		rest = parts[count];
	parts[count++] = rest;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_putc(out, '.');
		add_stripped(parts[i], out);
	}
	bool plain = !memchr(buf_text(out), '+', out->len) && !memchr(buf_text(out), '-', out->len);
	for (; count < 3 && plain; count++)
		buf_puts(out, ".0");
}

static const char *parse(const CelValue *args, size_t count, Buf *out)
{
	if (count > 1 && args[1].flag)
		normalize(args[0].text, out);
	else
		buf_add(out, args[0].text);
	return check(buf_str(out));
}

static CelValue semver(CelRun *run, const CelValue *args, size_t count)
{
	autobuf Buf text = {0};
	autosemver Semver version = {0};
	CelSemver *value = cel_alloc(run, sizeof(*value));
	const char *wrong = parse(args, count, &text);
	if (!value)
		return cel_error(run, "memory limit exceeded");
	if (wrong || !semver_parse_long(buf_text(&text), &version))
		return cel_error(run, "%s", wrong ? wrong : "Invalid version");
	value->version = version;
	value->version.pre = arena_strdup(run->arena, version.pre);
	value->version.build = arena_strdup(run->arena, version.build);
	return (CelValue){.kind = CEL_SEMVER, .semver = value};
}

static CelValue is_semver(CelRun *run UNUSED, const CelValue *args, size_t count)
{
	autobuf Buf text = {0};
	return cel_bool(parse(args, count, &text) == NULL);
}

static CelValue part(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const Semver *version = &args[0].semver->version;
	const char *name = run->call->name;
	if (strcmp(name, "patch") == 0)
		return cel_int((int64_t)version->patch);
	return cel_int((int64_t)(strcmp(name, "major") == 0 ? version->major : version->minor));
}

static int order(const CelValue *args)
{
	return semver_compare(&args[0].semver->version, &args[1].semver->version);
}

static CelValue greater(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(order(args) > 0);
}

static CelValue less(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(order(args) < 0);
}

static CelValue compare_to(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_int(order(args) < 0 ? -1 : order(args) > 0);
}

static const CelFunction rows[] = {
	{"semver", false, KUBE, "s>V", semver},	     {"semver", false, KUBE, "sb>V", semver},
	{"isSemver", false, KUBE, "s>b", is_semver}, {"isSemver", false, KUBE, "sb>b", is_semver},
	{"major", true, KUBE, "V>i", part},	     {"minor", true, KUBE, "V>i", part},
	{"patch", true, KUBE, "V>i", part},	     {"isGreaterThan", true, KUBE, "VV>b", greater},
	{"isLessThan", true, KUBE, "VV>b", less},    {"compareTo", true, KUBE, "VV>i", compare_to},
};

const CelFunctions cel_functions_semver = {rows, COUNT(rows)};
