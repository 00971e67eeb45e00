#include "helm/schema_internal.h"

#include <math.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/json.h"
#include "gotmpl/strconv.h"

/* What holds for values of any type: type, const, enum, $ref, allOf and its kin, if. */

static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "object",  [JSON_ARRAY] = "array", [JSON_STRING] = "string",
		[JSON_INTEGER] = "number", [JSON_REAL] = "number", [JSON_TRUE] = "boolean",
		[JSON_FALSE] = "boolean",  [JSON_NULL] = "null"};
	return names[json_typeof(value)];
}

static void free_list(void *list)
{
	vec_dispose(list);
}

void schema_keep(Validator *v, Vec *list)
{
	Vec *kept = arena_alloc(v->arena, sizeof(*kept));
	*kept = *list;
	arena_defer(v->arena, free_list, kept);
}

static Breach *breach_new(Check *check, const char *text)
{
	Breach *breach = arena_alloc(check->v->arena, sizeof(*breach));
	breach->text = text;
	breach->at = check->place.at;
	check->v->breaches++;
	return breach;
}

void schema_report(Check *check, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	vec_push(&check->found, breach_new(check, arena_strdup(check->v->arena, text)));
}

void schema_report_causes(Check *check, const char *text, const Vec *causes)
{
	Breach *breach = breach_new(check, text);
	breach->causes = *causes;
	schema_keep(check->v, &breach->causes);
	vec_push(&check->found, breach);
}

void schema_apply(Check *check, const json_t *schema, Place place)
{
	Breach *breach = schema_validate(check->v, schema, place);
	if (breach)
		vec_push(&check->found, breach);
}

void schema_write_part(const char *key, Buf *out)
{
	buf_putc(out, '/');
	for (; *key; key++) {
		if (*key == '~' || *key == '/')
			buf_puts(out, *key == '~' ? "~0" : "~1");
		else
			buf_putc(out, *key);
	}
}

Place schema_member(Validator *v, Place place, const char *key, const json_t *value)
{
	autobuf Buf at = {0};
	buf_puts(&at, place.at);
	schema_write_part(key, &at);
	return (Place){value, arena_strdup(v->arena, buf_text(&at))};
}

static bool is_whole(const json_t *value)
{
	if (json_is_integer(value))
		return true;
	double real = json_real_value(value);
	return json_is_real(value) && floor(real) >= real && isfinite(real);
}

static bool has_type(const json_t *value, const char *type)
{
	return cstr_eq(type_name(value), type) || (cstr_eq(type, "integer") && is_whole(value));
}

/* Whether "type" names it, alone or among others. */
static bool names_type(const json_t *types, const char *name)
{
	json_t *type;
	size_t index;
	if (json_is_string(types))
		return cstr_eq(json_string_value(types), name);
	json_array_foreach(types, index, type)
	{
		if (cstr_eq(json_string_value(type), name))
			return true;
	}
	return false;
}

static bool check_type(Check *check, const json_t *schema)
{
	/* In the order in which they are told. */
	static const char *const names[] = {"null",   "boolean", "number", "integer",
					    "string", "array",	 "object"};
	const json_t *types = json_object_get(schema, "type");
	autobuf Buf wanted = {0};
	for (size_t i = 0; i < COUNT(names); i++) {
		if (!names_type(types, names[i]))
			continue;
		if (has_type(check->place.value, names[i]))
			return true;
		buf_printf(&wanted, "%s%s", wanted.len > 0 ? " or " : "", names[i]);
	}
	if (wanted.len == 0)
		return true;
	schema_report(check, "got %s, want %s", type_name(check->place.value), buf_text(&wanted));
	return false;
}

const char *schema_quote(Validator *v, const char *text)
{
	autobuf Buf quoted = {0}, out = {0};
	quote_append(v->unicode, str_of(text), false, &quoted);
	buf_putc(&out, '\'');
	for (size_t i = 1; i + 1 < quoted.len; i++) {
		bool escaped_quote = quoted.ptr[i] == '\\' && quoted.ptr[i + 1] == '"';
		if (quoted.ptr[i] == '\'')
			buf_putc(&out, '\\');
		if (escaped_quote)
			continue;
		buf_putc(&out, quoted.ptr[i]);
		if (quoted.ptr[i] == '\\')
			buf_putc(&out, quoted.ptr[++i]);
	}
	buf_putc(&out, '\'');
	return arena_strdup(v->arena, buf_text(&out));
}

static char *shown(Validator *v, const json_t *value)
{
	if (json_is_string(value))
		return mem_strdup(schema_quote(v, json_string_value(value)));
	if (json_is_null(value))
		return mem_strdup("<nil>");
	char *text = json_dump(value);
	if (!json_is_real(value) || strpbrk(text, ".eE"))
		return text;
	autofree char *whole = text; /* 3.0 is not told as 3 */
	return mem_printf("%s.0", whole);
}

static bool check_const(Check *check, const json_t *schema)
{
	json_t *wanted = json_object_get(schema, "const");
	if (!wanted || check->v->draft < 6 || json_same(wanted, check->place.value))
		return true;
	autofree char *text = shown(check->v, wanted);
	if (json_is_object(wanted) || json_is_array(wanted))
		schema_report(check, "'const' failed");
	else
		schema_report(check, "value must be %s", text);
	return false;
}

static bool check_enum(Check *check, const json_t *schema)
{
	json_t *wanted = json_list(schema, "enum"), *item;
	size_t index;
	bool plain = true;
	autobuf Buf list = {0};
	json_array_foreach(wanted, index, item)
	{
		if (json_same(item, check->place.value))
			return true;
		autofree char *text = shown(check->v, item);
		plain &= !json_is_object(item) && !json_is_array(item);
		buf_printf(&list, "%s%s", index ? ", " : "", text);
	}
	if (!wanted)
		return true;
	if (!plain)
		schema_report(check, "'enum' failed");
	else
		schema_report(check, "value must be %s%s",
			      json_array_size(wanted) > 1 ? "one of " : "", buf_text(&list));
	return false;
}

/* ---- references ---- */

/* A part of a JSON pointer in a URL: "%25", "~1". Owned. */
static char *decode_part(Str part)
{
	Buf out = {0};
	for (size_t i = 0; i < part.len; i++) {
		unsigned code;
		char byte = part.ptr[i];
		if (byte == '%' && i + 2 < part.len &&
		    sscanf((char[3]){part.ptr[i + 1], part.ptr[i + 2], '\0'}, "%2x", &code) == 1) {
			byte = (char)code;
			i += 2;
		}
		if (byte == '~' && i + 1 < part.len) {
			byte = part.ptr[i + 1] == '1' ? '/' : '~';
			i++;
		}
		buf_putc(&out, byte);
	}
	return buf_steal(&out);
}

static const json_t *follow_pointer(const json_t *root, Str pointer)
{
	Str part;
	const json_t *at = root;
	while (at && str_next(&pointer, '/', &part)) {
		autofree char *key = decode_part(part);
		unsigned long long index;
		if (json_is_array(at))
			at = str_to_u64(str_of(key), &index) ? json_array_get(at, (size_t)index)
							     : NULL;
		else
			at = json_object_get(at, key);
	}
	return at;
}

/* The subschema that calls itself so ($anchor, $id, id). */
static const json_t *find_named(const Validator *v, const json_t *schema, const char *name,
				int depth)
{
	static const struct {
		const char *word;
		int from, to; /* drafts */
	} words[] = {{"$anchor", 2019, 2020},
		     {"$dynamicAnchor", 2020, 2020},
		     {"$id", 6, 2020},
		     {"id", 4, 4}};
	const char *key;
	json_t *item;
	size_t index;
	const json_t *found = NULL;
	if (depth > SCHEMA_MAX_DEPTH)
		return NULL;
	for (size_t i = 0; i < COUNT(words); i++) {
		const char *own = json_text(schema, words[i].word);
		bool known = v->draft >= words[i].from && v->draft <= words[i].to;
		if (own && known &&
		    (strcmp(own, name) == 0 || (*own == '#' && strcmp(own + 1, name) == 0)))
			return schema;
	}
	json_object_foreach(json_borrow(schema), key, item)
	{
		found = found ? found : find_named(v, item, name, depth + 1);
	}
	json_array_foreach(schema, index, item)
	{
		found = found ? found : find_named(v, item, name, depth + 1);
	}
	return found;
}

const json_t *schema_resolve(Validator *v, const char *ref)
{
	Str text = str_of(ref), base, fragment;
	str_cut(text, '#', &base, &fragment);
	const json_t *root = v->root;
	if (base.len > 0) {
		autofree char *name = str_dup(base);
		root = find_named(v, v->root, name, 0);
	}
	if (!root || fragment.len == 0)
		return root;
	if (fragment.ptr[0] == '/')
		return follow_pointer(root, str_slice(fragment, 1, fragment.len));
	autofree char *name = str_dup(fragment);
	return find_named(v, root, name, 0);
}

static Breach *validate(Validator *v, const json_t *schema, Place place, const char *keyword);

static void check_ref(Check *check, const char *keyword, const char *ref)
{
	const json_t *target = schema_resolve(check->v, ref);
	if (cstr_starts(ref, "urn:") && !target)
		return; /* what nobody knows allows everything, as upstream */
	Breach *breach = target ? validate(check->v, target, check->place, keyword) : NULL;
	if (breach && !breach->text)
		breach->text = "validation failed"; /* never taken apart, other than a plain list */
	if (breach)
		vec_push(&check->found, breach);
	if (!target)
		check->v->problem = arena_printf(check->v->arena,
						 "reference \"%s\" leads out of the schema", ref);
}

/* ---- combinations ---- */

static void check_all_of(Check *check, const json_t *schemas)
{
	Vec causes = {0};
	json_t *schema;
	size_t index;
	json_array_foreach(schemas, index, schema)
	{
		Breach *breach = schema_validate(check->v, schema, check->place);
		if (breach)
			vec_push(&causes, breach);
	}
	if (causes.len > 0)
		schema_report_causes(check, "'allOf' failed", &causes);
}

static void check_any_of(Check *check, const json_t *schemas)
{
	Vec causes = {0};
	json_t *schema;
	size_t index;
	bool fits = !schemas;
	json_array_foreach(schemas, index, schema)
	{
		Breach *breach = fits ? NULL : schema_validate(check->v, schema, check->place);
		fits |= !breach;
		if (breach)
			vec_push(&causes, breach);
	}
	if (!fits)
		schema_report_causes(check, "'anyOf' failed", &causes);
	else
		vec_dispose(&causes);
}

static void check_one_of(Check *check, const json_t *schemas)
{
	Vec causes = {0};
	json_t *schema;
	size_t index, first = 0, fits = 0;
	json_array_foreach(schemas, index, schema)
	{
		Breach *breach = fits > 1 ? NULL : schema_validate(check->v, schema, check->place);
		if (breach && fits == 0)
			vec_push(&causes, breach);
		if (breach || fits > 1)
			continue;
		if (++fits == 1)
			first = index;
		else
			schema_report(check, "'oneOf' failed, subschemas %zu, %zu matched", first,
				      index);
	}
	if (schemas && fits == 0)
		schema_report_causes(check, "'oneOf' failed, none matched", &causes);
	else
		vec_dispose(&causes);
}

static void check_conditions(Check *check, const json_t *schema)
{
	const json_t *not_schema = json_object_get(schema, "not");
	const json_t *condition = json_object_get(schema, "if");
	if (not_schema && !schema_validate(check->v, not_schema, check->place))
		schema_report(check, "'not' failed");
	check_all_of(check, json_list(schema, "allOf"));
	check_any_of(check, json_list(schema, "anyOf"));
	check_one_of(check, json_list(schema, "oneOf"));
	if (!condition || check->v->draft < 7)
		return;
	bool fits = !schema_validate(check->v, condition, check->place);
	const json_t *next = json_object_get(schema, fits ? "then" : "else");
	if (next)
		schema_apply(check, next, check->place);
}

static void check_by_type(Check *check, const json_t *schema)
{
	const json_t *value = check->place.value;
	if (json_is_object(value))
		schema_check_object(check, schema);
	else if (json_is_array(value))
		schema_check_array(check, schema);
	else if (json_is_string(value))
		schema_check_string(check, schema);
	else if (json_is_number(value))
		schema_check_number(check, schema);
}

static void check_schema(Check *check, const json_t *schema)
{
	const char *ref = json_text(schema, "$ref");
	const char *dynamic = json_text(schema, "$dynamicRef");
	const char *recursive = json_text(schema, "$recursiveRef");
	if (ref && check->v->draft < 2019) { /* alone, but for "const", as upstream */
		if (check_const(check, schema))
			check_ref(check, "$ref", ref);
		return;
	}
	if (!check_type(check, schema) || !check_const(check, schema) ||
	    !check_enum(check, schema) || !schema_check_format(check, schema))
		return;
	if (ref)
		check_ref(check, "$ref", ref);
	if (recursive && check->v->draft >= 2019)
		check_ref(check, "$recursiveRef", recursive);
	check_by_type(check, schema);
	if (dynamic && check->v->draft >= 2020)
		check_ref(check, "$dynamicRef", dynamic);
	check_conditions(check, schema);
	schema_check_unevaluated(check, schema);
}

static void check_limits(Validator *v)
{
	enum { LOOK_AT_CLOCK = 1024 };
	if (v->depth >= SCHEMA_MAX_DEPTH || ++v->steps > SCHEMA_MAX_STEPS)
		v->problem = "schema is too deep";
	else if (v->breaches > SCHEMA_MAX_BREACHES)
		v->problem = "schema has too many choices";
	else if (v->steps % LOOK_AT_CLOCK == 0 && clock_mono_ms() > v->until_ms)
		v->problem = "schema takes too long";
}

/* keyword: the reference that led here, or NULL. */
static Breach *validate(Validator *v, const json_t *schema, Place place, const char *keyword)
{
	Check check = {.v = v, .place = place};
	SchemaScope scope = {schema, place, keyword, v->scope};
	Breach *result = NULL;
	check_limits(v);
	if (v->problem)
		return NULL;
	v->depth++;
	v->scope = &scope;
	if (json_is_false(schema))
		schema_report(&check, "false schema");
	else if (json_is_object(schema) && !schema_is_cycle(&check))
		check_schema(&check, schema);
	v->scope = scope.parent;
	v->depth--;
	if (check.found.len == 1)
		result = check.found.items[0];
	if (check.found.len <= 1) {
		vec_dispose(&check.found);
		return result;
	}
	result = breach_new(&check, NULL);
	result->causes = check.found;
	schema_keep(v, &result->causes);
	return result;
}

Breach *schema_validate(Validator *v, const json_t *schema, Place place)
{
	return validate(v, schema, place, NULL);
}

static void write_breach(const Breach *breach, int indent, Buf *out)
{
	for (int i = 0; i < indent; i++)
		buf_puts(out, "  ");
	buf_printf(out, "- at '%s': %s\n", breach->at,
		   breach->text ? breach->text : "validation failed");
	for (size_t i = 0; i < breach->causes.len; i++)
		write_breach(breach->causes.items[i], indent + 1, out);
}

static int draft_of(const json_t *schema)
{
	static const struct {
		const char *part;
		int draft;
	} rows[] = {{"draft-04", 4}, {"draft-06", 6}, {"draft-07", 7}, {"2019-09", 2019}};
	const char *name = json_text_or(schema, "$schema", "");
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strstr(name, rows[i].part))
			return rows[i].draft;
	return 2020;
}

/* Nothing is fetched, so a draft that is not one of ours cannot be known. */
static bool knows_draft(const json_t *schema)
{
	const char *name = json_text(schema, "$schema");
	return !name || draft_of(schema) != 2020 || strstr(name, "2020-12") ||
	       strstr(name, "json-schema.org/schema");
}

/* One schema; appends the breaches to out. False when the schema itself is wrong. */
static bool validate_values(Str schema, const json_t *value, int64_t until_ms, Buf *out, Error *err)
{
	autoarena Arena *arena = arena_new();
	autojson json_t *root = json_parse(schema.ptr, schema.len, HELM_MAX_FILE_BYTES, err);
	if (!root)
		return err_wrap(err, "values.schema.json");
	Validator v = {.arena = arena, .root = root, .draft = draft_of(root), .until_ms = until_ms};
	v.unicode = unicode_new(arena);
	if (!knows_draft(root))
		return err_set(err, ERR_INVALID, "no metaschema found for the schema's draft");
	schema_check_itself(&v, root);
	if (v.problem)
		return err_set(err, ERR_INVALID, "%s", v.problem);
	const Breach *breach = schema_validate(&v, root, (Place){value, ""});
	if (v.problem)
		return err_set(err, ERR_INVALID, "%s", v.problem);
	if (breach && !breach->text)
		for (size_t i = 0; i < breach->causes.len; i++)
			write_breach(breach->causes.items[i], 0, out);
	else if (breach)
		write_breach(breach, 0, out);
	return true;
}

static bool check_chart(const HelmChart *chart, const json_t *values, int64_t until_ms, Buf *out)
{
	size_t before = out->len;
	if (chart->schema.ptr) {
		autobuf Buf breaches = {0};
		autoerror Error cause = {0};
		if (!validate_values(chart->schema, values, until_ms, &breaches, &cause))
			buf_puts(&breaches, err_text(&cause));
		if (breaches.len > 0)
			buf_printf(out, "%s:\n%s", helm_chart_name(chart), buf_text(&breaches));
	}
	for (size_t i = 0; i < chart->charts.len; i++) {
		const HelmChart *sub = chart->charts.items[i];
		const json_t *table = json_object_get(values, helm_chart_name(sub));
		if (json_is_object(table))
			check_chart(sub, table, until_ms, out);
	}
	return out->len == before;
}

bool helm_schema_check(const HelmChart *chart, const json_t *values, int64_t until_ms, Error *err)
{
	autobuf Buf out = {0};
	return check_chart(chart, values, until_ms, &out) ||
	       err_set(err, ERR_INVALID,
		       "values don't meet the specifications of the schema(s) in the following "
		       "chart(s):\n%s",
		       buf_text(&out));
}
