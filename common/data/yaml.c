#include "data/yaml.h"

#include <math.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/yaml_event.h"
#include "data/written_internal.h"
#include "data/yaml_internal.h"

/*
 * libyaml's events to JSON trees. An alias is a deep copy, so that a tree can be changed in place;
 * what copies may weigh is bounded (YAML_MAX_EXPANDED), and so is depth. Anchors end with their
 * document (B10). Errors never quote values, which may be secret.
 */

typedef struct {
	json_t *value; /* NULL while the anchored node is still open */
	size_t weight;
} Anchor;

typedef enum {
	READ_STRICT,
	READ_BY_YAML_1_1,  /* also: of a key given twice the last one wins; dates are text */
	READ_BY_GO_YAML_2, /* the same; only the first document is read */
	READ_OBJECTS,	   /* annotations are text */
	READ_WRITTEN,	   /* the same; scalars stay as written where JSON would lose it */
} ReadMode;

/* Where a node stands in an object of the Kubernetes API; only in READ_OBJECTS, READ_WRITTEN. */
typedef enum {
	PLACE_OTHER,
	PLACE_IDENTITY, /* what and which an object is, and the rest of its metadata */
	PLACE_OBJECT,
	PLACE_ITEMS, /* of a List */
	PLACE_METADATA,
	PLACE_ANNOTATIONS,
	PLACE_ANNOTATION,
} Place;

typedef struct {
	yaml_parser_t parser;
	const char *file;
	Map *anchors;
	size_t weight;	 /* of all read so far, copies included; a node weighs 1 + bytes / 64 */
	size_t expanded; /* of copies only */
	ReadMode mode;
	Place place;   /* of the node that is read next */
	json_t *twice; /* lines of yaml_parse_noting, or NULL */
	Error *err;
} Reader;

static bool is_strict(const Reader *reader)
{
	return reader->mode != READ_BY_YAML_1_1 && reader->mode != READ_BY_GO_YAML_2;
}

static void auto_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}
#define autoevent __attribute__((cleanup(auto_event)))

static json_t *read_node(Reader *reader, const yaml_event_t *event, int depth);

static void free_anchor(void *pointer)
{
	Anchor *anchor = pointer;
	json_decref(anchor->value);
	free(anchor);
}

static void *fail_at(Reader *reader, yaml_mark_t mark, ErrorCode code, const char *format, ...)
	PRINTF(4, 5);

static void *fail_at(Reader *reader, yaml_mark_t mark, ErrorCode code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *what = mem_vprintf(format, args);
	va_end(args);
	return err_null(reader->err, code, "%s:%zu:%zu: %s", reader->file, mark.line + 1,
			mark.column + 1, what);
}

static bool next_event(Reader *reader, yaml_event_t *out)
{
	if (yaml_parser_parse(&reader->parser, out))
		return true;
	const yaml_parser_t *parser = &reader->parser;
	*out = (yaml_event_t){.type = YAML_NO_EVENT};
	/* The reader's errors (bad UTF-8) have an offset, no mark. */
	yaml_mark_t mark = parser->problem_mark.line || parser->problem_mark.column
				   ? parser->problem_mark
				   : parser->mark;
	fail_at(reader, mark, ERR_INVALID, "%s%s%s", parser->context ? parser->context : "",
		parser->context ? ": " : "", parser->problem ? parser->problem : "not YAML");
	return false;
}

static bool add_weight(Reader *reader, yaml_mark_t mark, size_t weight, bool copied)
{
	reader->weight += weight;
	reader->expanded += copied ? weight : 0;
	if (reader->expanded <= YAML_MAX_EXPANDED)
		return true;
	fail_at(reader, mark, ERR_LIMIT, "aliases expand to more than %d nodes", YAML_MAX_EXPANDED);
	return false;
}

/* An anchor that is open until its node has been read: an alias to it would be a cycle. */
static Anchor *open_anchor(Reader *reader, const char *name)
{
	if (!name)
		return NULL;
	Anchor *anchor = mem_zalloc(1, sizeof(*anchor));
	anchor->weight = reader->weight;
	map_put(reader->anchors, name, anchor);
	return anchor;
}

static void close_anchor(Reader *reader, const char *name, Anchor *anchor, json_t *value)
{
	/* The same name may have been given again further in: the later one stays. */
	if (!anchor || !value || map_get(reader->anchors, name) != anchor)
		return;
	anchor->value = json_incref(value);
	anchor->weight = reader->weight - anchor->weight;
}

static json_t *read_alias(Reader *reader, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const Anchor *anchor = map_get(reader->anchors, name);
	if (!anchor)
		return fail_at(reader, event->start_mark, ERR_INVALID, "unknown anchor \"%s\"",
			       name);
	if (!anchor->value)
		return fail_at(reader, event->start_mark, ERR_INVALID,
			       "anchor \"%s\" contains itself", name);
	if (!add_weight(reader, event->start_mark, anchor->weight, true))
		return NULL;
	return json_deep_copy(anchor->value);
}

/* "str" of "tag:yaml.org,2002:str"; NULL for no tag; the tag itself when it is another's. */
static const char *short_tag(const yaml_char_t *tag)
{
	static const char prefix[] = "tag:yaml.org,2002:";
	const char *text = (const char *)tag;
	if (cstr_eq(text, "!"))
		return NULL; /* what it would be without a tag */
	if (!text || strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return text;
	return text + sizeof(prefix) - 1;
}

static json_t *read_binary(Reader *reader, const yaml_event_t *event, Str text)
{
	autoerror Error cause = {0};
	autobuf Buf bytes = {0};
	if (!base64_decode(text.ptr, text.len, &bytes, &cause))
		return fail_at(reader, event->start_mark, ERR_INVALID, "!!binary is no base64");
	json_t *value = memchr(buf_text(&bytes), '\0', bytes.len)
				? NULL
				: json_stringn(buf_text(&bytes), bytes.len);
	return value ? value
		     : fail_at(reader, event->start_mark, ERR_INVALID, "!!binary is not text");
}

static json_t *real_of(Reader *reader, const yaml_event_t *event, double value)
{
	if (isfinite(value))
		return json_real(value);
	return fail_at(reader, event->start_mark, ERR_INVALID,
		       "infinity and NaN have no JSON form");
}

static json_t *value_of(Reader *reader, const yaml_event_t *event, Str text,
			const YamlScalar *scalar)
{
	switch (scalar->type) {
	case YAML_NULL:
		return json_null();
	case YAML_BOOL:
		return json_boolean(scalar->flag);
	case YAML_INT:
		return json_integer(scalar->integer);
	case YAML_FLOAT:
		return real_of(reader, event, scalar->real);
	case YAML_TIMESTAMP:
		return json_string(scalar->stamp);
	case YAML_STR:
	default:
		return json_stringn_nocheck(text.ptr, text.len);
	}
}

/* Whether a scalar that resolved to `type` may carry the tag. */
static bool tag_allows(const char *tag, YamlType type)
{
	static const struct {
		const char *tag;
		YamlType type;
	} rows[] = {
		{"null", YAML_NULL},   {"bool", YAML_BOOL},	      {"int", YAML_INT},
		{"float", YAML_FLOAT}, {"timestamp", YAML_TIMESTAMP},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(tag, rows[i].tag))
			return type == rows[i].type || (type == YAML_INT && cstr_eq(tag, "float"));
	return true;
}

static bool is_resolved_tag(const char *tag)
{
	return !tag_allows(tag, YAML_STR);
}

static json_t *read_scalar(Reader *reader, const yaml_event_t *event)
{
	Str text = str_sized((const char *)event->data.scalar.value, event->data.scalar.length);
	const char *tag = short_tag(event->data.scalar.tag);
	if (memchr(text.ptr, '\0', text.len))
		return fail_at(reader, event->start_mark, ERR_INVALID, "NUL in a string");
	if (!add_weight(reader, event->start_mark, 1 + text.len / 64, false))
		return NULL;
	if (cstr_eq(tag, "binary"))
		return read_binary(reader, event, text);
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
	bool written = reader->mode == READ_WRITTEN && reader->place == PLACE_OTHER && !tag;
	/* libyaml's texts end with a NUL: data/written.h. */
	if (!plain && !(tag && is_resolved_tag(tag)))
		return json_stringn_nocheck(text.ptr, text.len + (written ? 1 : 0));
	YamlScalar scalar;
	yaml_resolve(text, &scalar);
	if (!is_strict(reader))
		yaml_resolve_old(text, &scalar);
	if (reader->place == PLACE_ANNOTATION && !tag && scalar.type != YAML_NULL)
		scalar.type = YAML_STR;
	if (tag && !tag_allows(tag, scalar.type))
		return fail_at(reader, event->start_mark, ERR_INVALID, "not a !!%s", tag);
	autojson json_t *value = value_of(reader, event, text, &scalar);
	return written && value ? written_keep(value, text, &scalar) : steal(&value);
}

static json_t *read_sequence(Reader *reader, int depth)
{
	autojson json_t *list = json_array();
	Place place = reader->place == PLACE_ITEMS ? PLACE_OBJECT : PLACE_OTHER;
	for (;;) {
		autoevent yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			return steal(&list);
		reader->place = place;
		json_t *item = read_node(reader, &event, depth + 1);
		if (!item)
			return NULL;
		json_array_append_new(list, item);
	}
}

static bool is_merge_key(const yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	const char *tag = short_tag(event->data.scalar.tag);
	return cstr_eq((const char *)event->data.scalar.value, "<<") &&
	       (!tag || cstr_eq(tag, "merge"));
}

static void merge_one(json_t *map, const json_t *source)
{
	json_object_update_missing(map, json_borrow(source));
}

/* `<<`: a mapping or a list of mappings; explicit keys win, then earlier ones (B10). */
static bool merge_into(Reader *reader, yaml_mark_t mark, json_t *map, const json_t *source)
{
	if (json_is_object(source)) {
		merge_one(map, source);
		return true;
	}
	bool fits = json_is_array(source);
	for (size_t i = 0; fits && i < json_array_size(source); i++)
		fits = json_is_object(json_array_get(source, i));
	if (!fits) {
		fail_at(reader, mark, ERR_INVALID, "`<<` needs a mapping or a list of mappings");
		return false;
	}
	for (size_t i = 0; i < json_array_size(source); i++)
		merge_one(map, json_array_get(source, i));
	return true;
}

/* Numbers that JSON has no form for are keys all the same in go-yaml v2. NULL: it is none. */
static const char *odd_key(const Reader *reader, const yaml_event_t *event)
{
	YamlScalar scalar;
	if (reader->mode != READ_BY_GO_YAML_2 || event->data.scalar.tag ||
	    event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return NULL;
	yaml_resolve(str_sized((const char *)event->data.scalar.value, event->data.scalar.length),
		     &scalar);
	if (scalar.type != YAML_FLOAT || isfinite(scalar.real))
		return NULL;
	return isnan(scalar.real) ? ".nan" : scalar.real < 0 ? "-.inf" : ".inf";
}

/* A key's text, owned: non-string keys are the text they are written as. */
static char *read_key(Reader *reader, const yaml_event_t *event)
{
	autojson json_t *value = NULL;
	if (event->type == YAML_ALIAS_EVENT) {
		value = read_alias(reader, event);
		if (!value)
			return NULL;
		if (json_is_string(value))
			return mem_strdup(json_string_value(value));
	}
	if (value && !json_is_object(value) && !json_is_array(value))
		return json_dump(value);
	if (event->type != YAML_SCALAR_EVENT)
		return fail_at(reader, event->start_mark, ERR_INVALID, "a key must be a scalar");
	if (odd_key(reader, event))
		return mem_strdup(odd_key(reader, event));
	Anchor *anchor = open_anchor(reader, yaml_anchor_of(event));
	value = read_scalar(reader, event);
	if (!value)
		return NULL;
	close_anchor(reader, yaml_anchor_of(event), anchor, value);
	if (json_is_null(value) && reader->mode == READ_BY_GO_YAML_2)
		return fail_at(reader, event->start_mark, ERR_INVALID, "a key must not be null");
	if (json_is_null(value))
		return mem_strdup("null");
	if (!is_strict(reader) && !json_is_string(value))
		return json_dump(value);
	return mem_strndup((const char *)event->data.scalar.value, event->data.scalar.length);
}

static json_t *read_value(Reader *reader, int depth)
{
	autoevent yaml_event_t event;
	return next_event(reader, &event) ? read_node(reader, &event, depth + 1) : NULL;
}

/* Where the value of a key stands in a mapping at `place`. */
static Place place_below(Place place, const char *key)
{
	static const struct {
		Place in, out;
		const char *key;
	} rows[] = {
		{PLACE_OBJECT, PLACE_METADATA, "metadata"},
		{PLACE_OBJECT, PLACE_ITEMS, "items"},
		{PLACE_OBJECT, PLACE_IDENTITY, "kind"},
		{PLACE_OBJECT, PLACE_IDENTITY, "apiVersion"},
		{PLACE_METADATA, PLACE_ANNOTATIONS, "annotations"},
	};
	if (place == PLACE_ANNOTATIONS)
		return PLACE_ANNOTATION;
	for (size_t i = 0; place != PLACE_OTHER && i < COUNT(rows); i++)
		if (place == rows[i].in && cstr_eq(key, rows[i].key))
			return rows[i].out;
	return place == PLACE_METADATA || place == PLACE_IDENTITY ? PLACE_IDENTITY : PLACE_OTHER;
}

static bool read_merge(Reader *reader, yaml_mark_t mark, json_t **merged, int depth)
{
	if (*merged) {
		fail_at(reader, mark, ERR_INVALID, "a second `<<` in one mapping");
		return false;
	}
	*merged = read_value(reader, depth);
	return *merged != NULL;
}

static void note_twice(Reader *reader, yaml_mark_t mark, const char *key)
{
	if (json_array_size(reader->twice) >= YAML_MAX_TWICE)
		return;
	autofree char *line =
		mem_printf("line %zu: key \"%s\" already set in map", mark.line + 1, key);
	json_array_append_new(reader->twice, json_string(line));
}

static bool read_member(Reader *reader, const yaml_event_t *event, json_t *map, int depth)
{
	Place place = reader->place;
	reader->place = PLACE_OTHER;
	autofree char *key = read_key(reader, event);
	if (!key)
		return false;
	if (reader->twice && json_object_get(map, key))
		note_twice(reader, event->start_mark, key);
	if (json_object_get(map, key) && is_strict(reader)) {
		fail_at(reader, event->start_mark, ERR_INVALID, "key \"%s\" is already defined",
			key);
		return false;
	}
	reader->place = place_below(place, key);
	json_t *value = read_value(reader, depth);
	return value && json_object_set_new_nocheck(map, key, value) == 0;
}

static json_t *read_mapping(Reader *reader, int depth)
{
	autojson json_t *map = json_object();
	autojson json_t *merged = NULL;
	yaml_mark_t merge_mark = {0};
	Place place = reader->place;
	for (;;) {
		autoevent yaml_event_t event;
		if (!next_event(reader, &event))
			return NULL;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		bool merge = is_merge_key(&event);
		reader->place = place;
		if (merge ? !read_merge(reader, event.start_mark, &merged, depth)
			  : !read_member(reader, &event, map, depth))
			return NULL;
		if (merge)
			merge_mark = event.start_mark;
	}
	if (merged && !merge_into(reader, merge_mark, map, merged))
		return NULL;
	return steal(&map);
}

const char *yaml_anchor_of(const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT)
		return (const char *)event->data.scalar.anchor;
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return (const char *)event->data.sequence_start.anchor;
	return (const char *)event->data.mapping_start.anchor;
}

static json_t *read_node(Reader *reader, const yaml_event_t *event, int depth)
{
	if (depth > YAML_MAX_DEPTH)
		return fail_at(reader, event->start_mark, ERR_LIMIT, "nested deeper than %d",
			       YAML_MAX_DEPTH);
	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(reader, event);
	Anchor *anchor = open_anchor(reader, yaml_anchor_of(event));
	json_t *value;
	if (event->type == YAML_SCALAR_EVENT) {
		value = read_scalar(reader, event);
	} else {
		reader->weight++;
		value = event->type == YAML_SEQUENCE_START_EVENT ? read_sequence(reader, depth)
								 : read_mapping(reader, depth);
	}
	close_anchor(reader, yaml_anchor_of(event), anchor, value);
	return value;
}

static void push_document(YamlStream *stream, json_t *take_value, size_t line)
{
	if (json_is_null(take_value))
		return;
	/* Grows at powers of two: no capacity to keep. */
	if ((stream->len & (stream->len - 1)) == 0)
		stream->items = mem_realloc(stream->items, (stream->len ? stream->len * 2 : 1) *
								   sizeof(*stream->items));
	stream->items[stream->len++] = (YamlDocument){take_value, line};
}

static bool read_document(Reader *reader, YamlStream *out)
{
	autoevent yaml_event_t event;
	if (!next_event(reader, &event))
		return false;
	map_clear(reader->anchors);
	bool objects = reader->mode == READ_OBJECTS || reader->mode == READ_WRITTEN;
	reader->place = objects ? PLACE_OBJECT : PLACE_OTHER;
	json_t *value = read_node(reader, &event, 1);
	if (!value)
		return false;
	push_document(out, value, event.start_mark.line + 1);
	return true;
}

static bool read_stream(Reader *reader, YamlStream *out)
{
	for (;;) {
		autoevent yaml_event_t event;
		if (!next_event(reader, &event))
			return false;
		bool enough = reader->mode == READ_BY_GO_YAML_2 && reader->weight > 0;
		if (event.type == YAML_STREAM_END_EVENT || enough)
			return true;
		if (event.type == YAML_DOCUMENT_START_EVENT && !read_document(reader, out))
			return false;
	}
}

void yaml_stream_dispose(YamlStream *stream)
{
	for (size_t i = 0; i < stream->len; i++)
		json_decref(stream->items[i].value);
	free(stream->items);
	*stream = (YamlStream){0};
}

static bool parse_noting(Str text, size_t limit, const char *file, ReadMode mode, json_t *twice,
			 YamlStream *out, Error *err)
{
	if (text.len > limit)
		return err_set(err, ERR_LIMIT, "%s: %zu bytes are over the limit of %zu", file,
			       text.len, limit);
	Reader reader = {.file = file, .mode = mode, .twice = twice, .err = err};
	if (!yaml_parser_initialize(&reader.parser))
		return err_set(err, ERR_INTERNAL, "%s: no memory for a YAML parser", file);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.ptr, text.len);
	reader.anchors = map_new(free_anchor);
	autoyaml YamlStream stream = {0};
	bool done = read_stream(&reader, &stream);
	map_free(reader.anchors);
	yaml_parser_delete(&reader.parser);
	if (!done)
		return false;
	*out = stream;
	stream = (YamlStream){0};
	return true;
}

static bool parse(Str text, size_t limit, const char *file, ReadMode mode, YamlStream *out,
		  Error *err)
{
	return parse_noting(text, limit, file, mode, NULL, out, err);
}

bool yaml_parse_all(const char *text, size_t len, size_t limit, const char *file, YamlStream *out,
		    Error *err)
{
	return parse(str_sized(text, len), limit, file, READ_STRICT, out, err);
}

bool yaml_parse_objects(const char *text, size_t len, size_t limit, const char *file,
			YamlStream *out, Error *err)
{
	return parse(str_sized(text, len), limit, file, READ_OBJECTS, out, err);
}

bool yaml_parse_written(const char *text, size_t len, size_t limit, const char *file,
			YamlStream *out, Error *err)
{
	return parse(str_sized(text, len), limit, file, READ_WRITTEN, out, err);
}

static json_t *only_document(const YamlStream *stream, const char *file, Error *err)
{
	if (stream->len == 0)
		return json_null();
	if (stream->len > 1)
		return err_null(err, ERR_INVALID,
				"%s:%zu:1: one document expected, here is another", file,
				stream->items[1].line);
	return json_incref(stream->items[0].value);
}

static json_t *parse_one(Str text, size_t limit, const char *file, ReadMode mode, Error *err)
{
	autoyaml YamlStream stream = {0};
	return parse(text, limit, file, mode, &stream, err) ? only_document(&stream, file, err)
							    : NULL;
}

json_t *yaml_parse(const char *text, size_t len, size_t limit, const char *file, Error *err)
{
	return parse_one(str_sized(text, len), limit, file, READ_STRICT, err);
}

json_t *yaml_parse_last_wins(const char *text, size_t len, size_t limit, const char *file,
			     Error *err)
{
	return parse_one(str_sized(text, len), limit, file, READ_BY_YAML_1_1, err);
}

json_t *yaml_parse_noting(const char *text, size_t len, size_t limit, const char *file,
			  json_t *out_twice, Error *err)
{
	autoyaml YamlStream stream = {0};
	bool done = parse_noting(str_sized(text, len), limit, file, READ_BY_YAML_1_1, out_twice,
				 &stream, err);
	return done ? only_document(&stream, file, err) : NULL;
}

bool yaml_parse_all_last_wins(const char *text, size_t len, size_t limit, const char *file,
			      YamlStream *out, Error *err)
{
	return parse(str_sized(text, len), limit, file, READ_BY_YAML_1_1, out, err);
}

json_t *yaml_parse_old(const char *text, size_t len, size_t limit, const char *file, Error *err)
{
	return parse_one(str_sized(text, len), limit, file, READ_BY_GO_YAML_2, err);
}
