#include "data/selector.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"

/*
 * Requirements joined by AND, as k8s.io/apimachinery/pkg/labels reads them. A text is at most
 * SELECTOR_MAX bytes, so counts and sizes are bounded by it.
 */

enum { SELECTOR_MAX = 64 * 1024 };

typedef enum { OP_IN, OP_NOT_IN, OP_EXISTS, OP_ABSENT, OP_GREATER, OP_LESS } Operator;

typedef struct {
	char *key;
	Operator op;
	Vec values; /* owned strings */
} Requirement;

struct Selector {
	Vec requirements;
};

static void free_requirement(void *pointer)
{
	Requirement *requirement = pointer;
	free(requirement->key);
	vec_dispose_strings(&requirement->values);
	free(requirement);
}

void selector_free(Selector *selector)
{
	if (!selector)
		return;
	vec_dispose_with(&selector->requirements, free_requirement);
	free(selector);
}

static Requirement *add(Selector *selector, Str key, Operator op)
{
	Requirement *requirement = mem_zalloc(1, sizeof(*requirement));
	requirement->key = str_dup(key);
	requirement->op = op;
	vec_push(&selector->requirements, requirement);
	return requirement;
}

/* What is left to read. */
typedef struct {
	const char *at;
	const char *whole;
	Error *err;
} Scan;

static bool fail(Scan *scan, const char *what)
{
	return err_set(scan->err, ERR_INVALID, "selector \"%.200s\": %s", scan->whole, what);
}

static void skip_blanks(Scan *scan)
{
	scan->at += strspn(scan->at, " \t\r\n");
}

/* A key, value or word; empty at an operator. */
static Str word(Scan *scan)
{
	skip_blanks(scan);
	size_t len = strcspn(scan->at, " \t\r\n,()=!<>");
	Str found = str_sized(scan->at, len);
	scan->at += len;
	skip_blanks(scan);
	return found;
}

static bool take(Scan *scan, const char *token)
{
	skip_blanks(scan);
	if (!cstr_starts(scan->at, token))
		return false;
	scan->at += strlen(token);
	return true;
}

/* [prefix/]name: letters, digits, "-_.", 63 at most for the name and 253 for the prefix. */
static bool is_name(Str text, size_t max)
{
	if (text.len == 0 || text.len > max)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!isalnum((unsigned char)text.ptr[i]) && !strchr("-_.", text.ptr[i]))
			return false;
	return isalnum((unsigned char)text.ptr[0]) &&
	       isalnum((unsigned char)text.ptr[text.len - 1]);
}

static bool is_key(Str key)
{
	Str prefix, name;
	if (!str_cut(key, '/', &prefix, &name))
		return is_name(key, 63);
	return is_name(prefix, 253) && is_name(name, 63);
}

static bool is_number(Str text)
{
	unsigned long long value;
	if (text.len > 1 && text.ptr[0] == '-')
		text = str_slice(text, 1, text.len);
	return str_to_u64(text, &value) && value <= INT64_MAX;
}

static bool read_set(Scan *scan, Requirement *requirement)
{
	if (!take(scan, "("))
		return fail(scan, "\"(\" expected");
	do {
		Str value = word(scan);
		if (value.len > 0 && !is_name(value, 63))
			return fail(scan, "a value is not valid");
		vec_push(&requirement->values, str_dup(value));
	} while (take(scan, ","));
	return take(scan, ")") || fail(scan, "\")\" expected");
}

/* What follows a key: an operator with its value, a set, or nothing. */
static bool read_rest(Scan *scan, Selector *selector, Str key)
{
	static const struct {
		const char *token;
		Operator op;
	} rows[] = {
		{"==", OP_IN}, {"=", OP_IN}, {"!=", OP_NOT_IN}, {">", OP_GREATER}, {"<", OP_LESS}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!take(scan, rows[i].token))
			continue;
		Str value = word(scan);
		bool number = rows[i].op == OP_GREATER || rows[i].op == OP_LESS;
		if (number ? !is_number(value) : value.len > 0 && !is_name(value, 63))
			return fail(scan, "a value is not valid");
		vec_push(&add(selector, key, rows[i].op)->values, str_dup(value));
		return true;
	}
	if (!*scan->at || *scan->at == ',') {
		add(selector, key, OP_EXISTS);
		return true;
	}
	Str op = word(scan);
	if (str_eq(op, STR("in")))
		return read_set(scan, add(selector, key, OP_IN));
	if (str_eq(op, STR("notin")))
		return read_set(scan, add(selector, key, OP_NOT_IN));
	return fail(scan, "unknown operator");
}

static bool read_requirement(Scan *scan, Selector *selector)
{
	bool negated = take(scan, "!");
	Str key = word(scan);
	if (!is_key(key))
		return fail(scan, "a key is not valid");
	if (!negated)
		return read_rest(scan, selector, key);
	add(selector, key, OP_ABSENT);
	return true;
}

Selector *selector_parse(const char *text, Error *err)
{
	if (strlen(text) > SELECTOR_MAX)
		return err_null(err, ERR_INVALID, "selector longer than %d bytes", SELECTOR_MAX);
	autoselector Selector *selector = mem_zalloc(1, sizeof(*selector));
	Scan scan = {text, text, err};
	skip_blanks(&scan);
	while (*scan.at) {
		if (!read_requirement(&scan, selector))
			return NULL;
		skip_blanks(&scan);
		if (!*scan.at)
			break;
		if (!take(&scan, ",") || (skip_blanks(&scan), !*scan.at)) {
			fail(&scan, "\",\" and a requirement expected");
			return NULL;
		}
	}
	return steal(&selector);
}

static bool add_expression(Selector *selector, const json_t *expression, Error *err)
{
	static const struct {
		const char *name;
		Operator op;
		bool values;
	} rows[] = {{"In", OP_IN, true},
		    {"NotIn", OP_NOT_IN, true},
		    {"Exists", OP_EXISTS, false},
		    {"DoesNotExist", OP_ABSENT, false}};
	const char *key = json_text_or(expression, "key", "");
	const char *op = json_text_or(expression, "operator", "");
	const json_t *values = json_list(expression, "values");
	if (!is_key(str_of(key)))
		return err_set(err, ERR_INVALID, "label selector: key \"%.64s\" is not valid", key);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!cstr_eq(op, rows[i].name))
			continue;
		if (rows[i].values != (json_array_size(values) > 0))
			return err_set(err, ERR_INVALID,
				       "label selector: values of operator %s: %s", op,
				       rows[i].values ? "at least one" : "none may be given");
		Requirement *requirement = add(selector, str_of(key), rows[i].op);
		for (size_t v = 0; v < json_array_size(values); v++) {
			const char *text = json_string_value(json_array_get(values, v));
			if (text)
				vec_push(&requirement->values, mem_strdup(text));
		}
		return true;
	}
	return err_set(err, ERR_INVALID, "label selector: unknown operator \"%.32s\"", op);
}

Selector *selector_of_json(const json_t *label_selector, Error *err)
{
	autoselector Selector *selector = mem_zalloc(1, sizeof(*selector));
	const char *key;
	json_t *value;
	json_object_foreach(json_map(label_selector, "matchLabels"), key, value)
	{
		const char *text = json_string_value(value);
		if (!is_key(str_of(key)) || !text)
			return err_null(err, ERR_INVALID,
					"label selector: matchLabels \"%.64s\" is not valid", key);
		vec_push(&add(selector, str_of(key), OP_IN)->values, mem_strdup(text));
	}
	const json_t *expressions = json_list(label_selector, "matchExpressions");
	for (size_t i = 0; i < json_array_size(expressions); i++)
		if (!add_expression(selector, json_array_get(expressions, i), err))
			return NULL;
	return steal(&selector);
}

static bool has_value(const Requirement *requirement, const char *value)
{
	for (size_t i = 0; i < requirement->values.len; i++)
		if (cstr_eq(requirement->values.items[i], value))
			return true;
	return false;
}

static bool compare_number(const Requirement *requirement, const char *value)
{
	if (!value || !is_number(str_of(value)))
		return false;
	long long have = strtoll(value, NULL, 10);
	long long limit = strtoll(requirement->values.items[0], NULL, 10);
	return requirement->op == OP_GREATER ? have > limit : have < limit;
}

static bool requirement_matches(const Requirement *requirement, const char *value)
{
	switch (requirement->op) {
	case OP_IN:
		return value && has_value(requirement, value);
	case OP_NOT_IN:
		return !value || !has_value(requirement, value);
	case OP_EXISTS:
		return value != NULL;
	case OP_ABSENT:
		return value == NULL;
	case OP_GREATER:
	case OP_LESS:
	default:
		return compare_number(requirement, value);
	}
}

bool selector_matches(const Selector *selector, const json_t *labels)
{
	for (size_t i = 0; i < selector->requirements.len; i++) {
		const Requirement *requirement = selector->requirements.items[i];
		if (!requirement_matches(requirement, json_text(labels, requirement->key)))
			return false;
	}
	return true;
}

bool selector_is_empty(const Selector *selector)
{
	return selector->requirements.len == 0;
}

static void put_requirement(const Requirement *requirement, Buf *out)
{
	static const char *const words[] = {
		[OP_IN] = " in ", [OP_NOT_IN] = " notin ", [OP_EXISTS] = "",
		[OP_ABSENT] = "", [OP_GREATER] = ">",	   [OP_LESS] = "<",
	};
	bool listed = requirement->op == OP_IN || requirement->op == OP_NOT_IN;
	buf_printf(out, "%s%s%s%s%s", out->len ? "," : "", requirement->op == OP_ABSENT ? "!" : "",
		   requirement->key, words[requirement->op], listed ? "(" : "");
	for (size_t i = 0; i < requirement->values.len; i++)
		buf_printf(out, "%s%s", i ? "," : "", (const char *)requirement->values.items[i]);
	if (listed)
		buf_puts(out, ")");
}

char *selector_format(const Selector *selector)
{
	autobuf Buf out = {0};
	for (size_t i = 0; i < selector->requirements.len; i++)
		put_requirement(selector->requirements.items[i], &out);
	return buf_steal(&out);
}
