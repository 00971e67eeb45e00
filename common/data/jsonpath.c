#include "data/jsonpath.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

/* A path is a list of steps, each turning a list of values into another. Bounded by PATH_MAX_STEPS
 * and, since each step only selects, by the document. */

enum { PATH_MAX_STEPS = 64, PATH_MAX_BYTES = 4096 };

typedef enum { STEP_FIELD, STEP_INDEX, STEP_ALL, STEP_FILTER } StepKind;

typedef enum {
	TEST_EXISTS,
	TEST_EQUAL,
	TEST_NOT,
	TEST_AT_LEAST,
	TEST_AT_MOST,
	TEST_GREATER,
	TEST_LESS
} Test;

typedef struct {
	StepKind kind;
	char *name; /* FIELD */
	long index; /* INDEX; negative counts from the end */
	Vec inner;  /* FILTER: the steps behind "@" */
	Test test;
	json_t *literal; /* owned; NULL for TEST_EXISTS */
} Step;

struct JsonPath {
	Vec steps;
};

typedef struct {
	const char *at;
	size_t count; /* steps so far, of filters too */
	Error *err;
} Reader;

static void free_step(void *pointer)
{
	Step *step = pointer;
	free(step->name);
	vec_dispose_with(&step->inner, free_step);
	json_decref(step->literal);
	free(step);
}

void jsonpath_free(JsonPath *path)
{
	if (!path)
		return;
	vec_dispose_with(&path->steps, free_step);
	free(path);
}

static bool fail(Reader *reader, const char *what)
{
	return err_set(reader->err, ERR_INVALID, "JSONPath: %s at \"%.40s\"", what, reader->at);
}

static Step *add(Reader *reader, Vec *steps, StepKind kind)
{
	if (++reader->count > PATH_MAX_STEPS) {
		fail(reader, "too many steps");
		return NULL;
	}
	Step *step = mem_zalloc(1, sizeof(*step));
	step->kind = kind;
	vec_push(steps, step);
	return step;
}

static void skip_blanks(Reader *reader)
{
	reader->at += strspn(reader->at, " \t");
}

static bool expect(Reader *reader, const char *token)
{
	skip_blanks(reader);
	if (!cstr_starts(reader->at, token))
		return false;
	reader->at += strlen(token);
	return true;
}

/* A name behind ".", with "\." for a dot in it; owned. */
static char *read_name(Reader *reader)
{
	autobuf Buf name = {0};
	for (; *reader->at && !strchr(".[]() =!<>&|{}", *reader->at); reader->at++) {
		if (*reader->at == '\\' && reader->at[1])
			reader->at++;
		buf_putc(&name, *reader->at);
	}
	return buf_steal(&name);
}

/* What stands between quotes, either kind; owned, NULL when it does not end. */
static char *read_quoted(Reader *reader)
{
	char quote = *reader->at++;
	autobuf Buf text = {0};
	for (; *reader->at && *reader->at != quote; reader->at++) {
		if (*reader->at == '\\' && reader->at[1])
			reader->at++;
		buf_putc(&text, *reader->at);
	}
	if (*reader->at != quote)
		return NULL;
	reader->at++;
	return buf_steal(&text);
}

static json_t *read_literal(Reader *reader)
{
	skip_blanks(reader);
	if (*reader->at == '"' || *reader->at == '\'') {
		autofree char *text = read_quoted(reader);
		return text ? json_text_new(text, strlen(text)) : NULL;
	}
	size_t len = strcspn(reader->at, " \t)");
	autoerror Error ignored = {0};
	json_t *value = json_parse(reader->at, len, PATH_MAX_BYTES, &ignored);
	reader->at += value ? len : 0;
	return value;
}

static bool read_steps(Reader *reader, Vec *steps);

/* Behind "[?(": @.path, a comparison, ")]". */
static bool read_filter(Reader *reader, Vec *steps)
{
	static const struct {
		const char *token;
		Test test;
	} rows[] = {{"==", TEST_EQUAL},	  {"!=", TEST_NOT},    {">=", TEST_AT_LEAST},
		    {"<=", TEST_AT_MOST}, {">", TEST_GREATER}, {"<", TEST_LESS}};
	Step *step = add(reader, steps, STEP_FILTER);
	if (!step)
		return false;
	if (!expect(reader, "@"))
		return fail(reader, "\"@\" expected");
	if (!read_steps(reader, &step->inner))
		return false;
	for (size_t i = 0; i < COUNT(rows) && !step->literal; i++) {
		if (!expect(reader, rows[i].token))
			continue;
		step->test = rows[i].test;
		step->literal = read_literal(reader);
		if (!step->literal)
			return fail(reader, "a value expected");
	}
	return (expect(reader, ")") && expect(reader, "]")) || fail(reader, "\")]\" expected");
}

static bool read_bracket(Reader *reader, Vec *steps)
{
	if (expect(reader, "?("))
		return read_filter(reader, steps);
	Step *step = add(reader, steps, STEP_FIELD);
	if (!step)
		return false;
	if (expect(reader, "*")) {
		step->kind = STEP_ALL;
	} else if (*reader->at == '\'' || *reader->at == '"') {
		step->name = read_quoted(reader);
		if (!step->name)
			return fail(reader, "a quote is open");
	} else {
		char *end;
		step->kind = STEP_INDEX;
		step->index = strtol(reader->at, &end, 10);
		if (end == reader->at)
			return fail(reader, "an index expected");
		reader->at = end;
	}
	return expect(reader, "]") || fail(reader, "\"]\" expected");
}

static bool read_field(Reader *reader, Vec *steps)
{
	if (*reader->at == '[' || !*reader->at)
		return true; /* ".[0]", and "." for the whole */
	Step *step = add(reader, steps, STEP_FIELD);
	if (!step)
		return false;
	if (*reader->at == '*') {
		reader->at++;
		step->kind = STEP_ALL;
		return true;
	}
	step->name = read_name(reader);
	return *step->name || fail(reader, "a field name expected");
}

static bool read_steps(Reader *reader, Vec *steps)
{
	for (bool fine = true; fine;) {
		if (*reader->at == '.') {
			reader->at++;
			fine = read_field(reader, steps);
		} else if (*reader->at == '[') {
			reader->at++;
			fine = read_bracket(reader, steps);
		} else {
			return true;
		}
	}
	return false;
}

JsonPath *jsonpath_new(const char *text, Error *err)
{
	Str whole = str_trim(str_of(text));
	if (whole.len > PATH_MAX_BYTES)
		return err_null(err, ERR_INVALID, "JSONPath longer than %d bytes", PATH_MAX_BYTES);
	if (str_starts(whole, STR("{")) && str_ends(whole, STR("}")))
		whole = str_trim(str_slice(whole, 1, whole.len - 1));
	if (str_starts(whole, STR("$")))
		whole = str_slice(whole, 1, whole.len);
	bool dot = whole.len > 0 && whole.ptr[0] != '.' && whole.ptr[0] != '[';
	autofree char *path_text = mem_printf("%s%.*s", dot ? "." : "", (int)whole.len, whole.ptr);
	Reader reader = {path_text, 0, err};
	autojsonpath JsonPath *path = mem_zalloc(1, sizeof(*path));
	if (!read_steps(&reader, &path->steps))
		return NULL;
	if (*reader.at) {
		fail(&reader, "unexpected text");
		return NULL;
	}
	return steal(&path);
}

static json_t *run(const Vec *steps, const json_t *document);

static int order_of(const json_t *a, const json_t *b)
{
	if (json_is_number(a) && json_is_number(b)) {
		double x = json_number_value(a), y = json_number_value(b);
		return x < y ? -1 : x > y;
	}
	const char *x = json_string_value(a), *y = json_string_value(b);
	return x && y ? strcmp(x, y) : 0;
}

static bool test_value(const Step *step, const json_t *value)
{
	bool ordered = json_is_number(value)
			       ? json_is_number(step->literal)
			       : json_is_string(value) && json_is_string(step->literal);
	switch (step->test) {
	case TEST_EXISTS:
		return true;
	case TEST_EQUAL:
		return json_same(value, step->literal);
	case TEST_NOT:
		return !json_same(value, step->literal);
	case TEST_AT_LEAST:
		return ordered && order_of(value, step->literal) >= 0;
	case TEST_AT_MOST:
		return ordered && order_of(value, step->literal) <= 0;
	case TEST_GREATER:
		return ordered && order_of(value, step->literal) > 0;
	case TEST_LESS:
	default:
		return ordered && order_of(value, step->literal) < 0;
	}
}

static bool passes(const Step *step, const json_t *item)
{
	autojson json_t *found = run(&step->inner, item);
	for (size_t i = 0; i < json_array_size(found); i++)
		if (test_value(step, json_array_get(found, i)))
			return true;
	return false;
}

static void select_children(const Step *step, json_t *value, json_t *out)
{
	for (size_t i = 0; i < json_array_size(value); i++)
		if (step->kind == STEP_ALL || passes(step, json_array_get(value, i)))
			json_array_append(out, json_array_get(value, i));
	const char *key;
	json_t *member;
	json_object_foreach(value, key, member)
	{
		if (step->kind == STEP_ALL || passes(step, member))
			json_array_append(out, member);
	}
}

static void select_from(const Step *step, json_t *value, json_t *out)
{
	json_t *found = NULL;
	long size = (long)json_array_size(value);
	if (step->kind == STEP_ALL || step->kind == STEP_FILTER)
		select_children(step, value, out);
	else if (step->kind == STEP_FIELD)
		found = json_object_get(value, step->name);
	else if (step->index >= -size && step->index < size)
		found = json_array_get(
			value, (size_t)(step->index < 0 ? step->index + size : step->index));
	if (found)
		json_array_append(out, found);
}

static json_t *run(const Vec *steps, const json_t *document)
{
	autojson json_t *now = json_array();
	json_array_append(now, json_borrow(document));
	for (size_t s = 0; s < steps->len; s++) {
		json_t *next = json_array();
		for (size_t i = 0; i < json_array_size(now); i++)
			select_from(steps->items[s], json_array_get(now, i), next);
		json_decref(now);
		now = next;
	}
	return steal(&now);
}

json_t *jsonpath_find(const JsonPath *path, const json_t *document)
{
	return run(&path->steps, document);
}
