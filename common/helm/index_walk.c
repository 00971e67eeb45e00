/*
 * Tokens to versions. Only one version is a tree at a time; places are told by `place`, what is
 * within a version, or within another member of the index, by a stack of open containers.
 */
#include "base/mem.h"
#include "base/vec.h"
#include "data/tokens.h"
#include "helm/index_internal.h"
#include "helm/metadata.h"

typedef enum {
	AT_DOCUMENT,
	AT_TOP,	     /* members of the index */
	AT_ENTRIES,  /* charts */
	AT_VERSIONS, /* of one chart */
	AT_END,
} Place;

typedef struct {
	json_t *value; /* owned */
	char *key;     /* of the member that is read next; owned, NULL: a key is next */
} Frame;

typedef struct {
	const IndexVisitor *visitor;
	bool strict;
	Place place;
	char *key;  /* of AT_TOP and AT_ENTRIES: owned, NULL: a key is next */
	Vec frames; /* Frame *, owned */
	size_t nodes, bytes;
	json_t *top;
} Walk;

static void frame_free(void *item)
{
	Frame *frame = item;
	json_decref(frame->value);
	free(frame->key);
	free(frame);
}

static void walk_dispose(Walk *walk)
{
	free(walk->key);
	vec_dispose_with(&walk->frames, frame_free);
	json_decref(walk->top);
}

static bool is_open(TokenKind kind)
{
	return kind == TOKEN_MAP || kind == TOKEN_LIST;
}

static bool is_scalar(TokenKind kind)
{
	return kind == TOKEN_STRING || kind == TOKEN_PLAIN;
}

static bool is_null(const Token *token)
{
	autojson json_t *value = is_scalar(token->kind) ? token_value(token) : NULL;
	return json_is_null(value);
}

static bool fail_shape(const char *what, const char *wanted, Error *err)
{
	return err_set(err, ERR_INVALID, "%s: %s expected", what, wanted);
}

/* --- trees --- */

static bool count(Walk *walk, const Token *token, Error *err)
{
	walk->nodes++;
	walk->bytes += token->text.len;
	if (walk->nodes <= HELM_INDEX_MAX_NODES && walk->bytes <= HELM_INDEX_MAX_ENTRY)
		return true;
	return err_set(err, ERR_LIMIT, "an entry of the index is too large");
}

static Frame *last_frame(const Walk *walk)
{
	return walk->frames.len ? walk->frames.items[walk->frames.len - 1] : NULL;
}

static bool take_key(Walk *walk, Frame *frame, const Token *token, Error *err)
{
	if (!is_scalar(token->kind))
		return fail_shape("key", "a scalar", err);
	frame->key = str_dup(token->text);
	if (walk->strict && json_object_get(frame->value, frame->key))
		return err_set(err, ERR_INVALID, "key \"%.100s\" already set in map", frame->key);
	return true;
}

static void put(Frame *frame, json_t *take_value)
{
	if (json_is_array(frame->value)) {
		json_array_append_new(frame->value, take_value);
		return;
	}
	json_object_set_new(frame->value, frame->key, take_value);
	free(steal(&frame->key));
}

/* `<<`: members of other maps that this one does not have. */
static void merge(json_t *map, const json_t *from)
{
	const char *key;
	json_t *value;
	size_t i;
	json_array_foreach(json_borrow(from), i, value) merge(map, value);
	json_object_foreach(json_borrow(from), key, value)
	{
		if (!json_object_get(map, key))
			json_object_set(map, key, value);
	}
}

static json_t *finished(json_t *take_value)
{
	autojson json_t *merged = json_incref(json_object_get(take_value, "<<"));
	if (merged) {
		json_object_del(take_value, "<<");
		merge(take_value, merged);
	}
	return take_value;
}

static bool take_tree(Walk *walk, json_t *take_value, Error *err);

static void open_frame(Walk *walk, const Token *token)
{
	Frame *frame = mem_zalloc(1, sizeof(*frame));
	frame->value = token->kind == TOKEN_MAP ? json_object() : json_array();
	vec_push(&walk->frames, frame);
}

static bool close_frame(Walk *walk, Error *err)
{
	Frame *frame = vec_pop(&walk->frames);
	json_t *value = finished(steal(&frame->value));
	frame_free(frame);
	return take_tree(walk, value, err);
}

static bool build(Walk *walk, const Token *token, Error *err)
{
	Frame *frame = last_frame(walk);
	if (!count(walk, token, err))
		return false;
	if (token->kind == TOKEN_MAP_END || token->kind == TOKEN_LIST_END)
		return close_frame(walk, err);
	if (frame && json_is_object(frame->value) && !frame->key)
		return take_key(walk, frame, token, err);
	if (!is_open(token->kind))
		return take_tree(walk, token_value(token), err);
	open_frame(walk, token);
	return true;
}

/* --- places --- */

static bool visit_version(Walk *walk, json_t *tree, Error *err)
{
	if (json_is_null(tree))
		return true;
	autojson json_t *version = json_object();
	return metadata_read_version(version, tree, walk->strict, err) &&
	       walk->visitor->version(walk->visitor->arg, version, err);
}

/* A whole value: into what is open, or where the index has it. */
static bool take_tree(Walk *walk, json_t *take_value, Error *err)
{
	Frame *frame = last_frame(walk);
	if (frame) {
		put(frame, take_value);
		return true;
	}
	walk->nodes = walk->bytes = 0;
	autojson json_t *value = take_value;
	if (walk->place == AT_VERSIONS)
		return visit_version(walk, value, err);
	json_object_set(walk->top, walk->key, value);
	free(steal(&walk->key));
	return true;
}

static bool start_document(Walk *walk, const Token *token, Error *err)
{
	walk->place = token->kind == TOKEN_MAP ? AT_TOP : AT_END;
	return walk->place == AT_TOP || is_null(token) || fail_shape("index", "a map", err);
}

static bool known_member(const Walk *walk, const char *key)
{
	static const char *const members[] = {"serverInfo", "apiVersion", "generated",
					      "entries",    "publicKeys", "annotations"};
	for (size_t i = 0; i < COUNT(members); i++)
		if (cstr_eq(key, members[i]))
			return true;
	return !walk->strict;
}

static bool take_top_key(Walk *walk, const Token *token, Error *err)
{
	if (!is_scalar(token->kind))
		return fail_shape("key", "a scalar", err);
	walk->key = str_dup(token->text);
	if (json_object_get(walk->top, walk->key))
		return err_set(err, ERR_INVALID, "key \"%.100s\" already set in map", walk->key);
	if (!known_member(walk, walk->key))
		return err_set(err, ERR_INVALID, "unknown field \"%.100s\"", walk->key);
	return true;
}

static bool take_top(Walk *walk, const Token *token, Error *err)
{
	if (token->kind == TOKEN_MAP_END) {
		walk->place = AT_END;
		return true;
	}
	if (!walk->key)
		return take_top_key(walk, token, err);
	if (!cstr_eq(walk->key, "entries"))
		return build(walk, token, err);
	/* A second one is then known for one. */
	json_object_set_new(walk->top, walk->key, json_null());
	free(steal(&walk->key));
	walk->place = token->kind == TOKEN_MAP ? AT_ENTRIES : AT_TOP;
	return walk->place == AT_ENTRIES || is_null(token) || fail_shape("entries", "a map", err);
}

static bool take_entry(Walk *walk, const Token *token, Error *err)
{
	if (token->kind == TOKEN_MAP_END) {
		walk->place = AT_TOP;
		return true;
	}
	if (!walk->key) {
		walk->key = is_scalar(token->kind) ? str_dup(token->text) : NULL;
		return walk->key ? walk->visitor->chart(walk->visitor->arg, walk->key, err)
				 : fail_shape("key", "a scalar", err);
	}
	free(steal(&walk->key));
	if (token->kind == TOKEN_LIST)
		walk->place = AT_VERSIONS;
	return token->kind == TOKEN_LIST || is_null(token) ||
	       fail_shape("versions of a chart", "a list", err);
}

static bool take_version(Walk *walk, const Token *token, Error *err)
{
	if (token->kind == TOKEN_LIST_END) {
		walk->place = AT_ENTRIES;
		return true;
	}
	if (token->kind == TOKEN_MAP || is_null(token))
		return build(walk, token, err);
	return fail_shape("version of a chart", "a map", err);
}

static bool take(void *arg, const Token *token, Error *err)
{
	Walk *walk = arg;
	if (walk->frames.len)
		return build(walk, token, err);
	switch (walk->place) {
	case AT_DOCUMENT:
		return start_document(walk, token, err);
	case AT_TOP:
		return take_top(walk, token, err);
	case AT_ENTRIES:
		return take_entry(walk, token, err);
	case AT_VERSIONS:
		return take_version(walk, token, err);
	case AT_END:
		break;
	}
	return true;
}

bool index_walk(int fd, const IndexVisitor *visitor, json_t **out_top, Error *err)
{
	__attribute__((cleanup(walk_dispose))) Walk walk = {.visitor = visitor};
	walk.top = json_object();
	bool is_json = false;
	if (!tokens_are_json(fd, &is_json, err))
		return false;
	walk.strict = !is_json;
	if (!tokens_read(fd, is_json, take, &walk, err))
		return false;
	if (walk.place == AT_DOCUMENT)
		return err_set(err, ERR_INVALID, "empty index.yaml file");
	if (cstr_empty(json_text(walk.top, "apiVersion")))
		return err_set(err, ERR_INVALID, "no API version specified");
	*out_top = steal(&walk.top);
	return true;
}
