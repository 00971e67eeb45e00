/*
 * libyaml's events as tokens. What an anchor names is kept as a tape of its tokens, which an alias
 * plays again; tapes and what is played are bounded.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "data/tokens_internal.h"

/* Tokens of a node: kind (1 byte), length (4 bytes), text. */
typedef struct {
	Buf tokens;
	int depth; /* of what is open in it */
	bool done;
} Tape;

typedef struct {
	yaml_parser_t parser;
	int fd, read_errno;
	size_t silent; /* bytes read since the last event: what libyaml holds of a scalar */
	TokenSink *sink;
	void *arg;
	Map *anchors;	/* name -> Tape; those that a later anchor of the name replaced are gone */
	Vec recording;	/* Tape *, open ones, borrowed */
	size_t kept;	/* bytes of all tapes */
	size_t aliased; /* tokens played */
	int depth;
	Error *err;
} Reader;

static void tape_free(void *value)
{
	Tape *tape = value;
	buf_dispose(&tape->tokens);
	free(tape);
}

static void reader_dispose(Reader *reader)
{
	yaml_parser_delete(&reader->parser);
	vec_dispose(&reader->recording);
	map_free(reader->anchors);
}

static void auto_event(yaml_event_t *event)
{
	yaml_event_delete(event);
}

enum { MAX_SILENT = 4 * TOKENS_MAX_SCALAR };

static int read_file(void *arg, unsigned char *buffer, size_t size, size_t *out_len)
{
	Reader *reader = arg;
	ssize_t got;
	do {
		got = read(reader->fd, buffer, size);
	} while (got < 0 && errno == EINTR);
	reader->read_errno = got < 0 ? errno : 0;
	*out_len = got > 0 ? (size_t)got : 0;
	reader->silent += *out_len;
	return got >= 0 && reader->silent <= MAX_SILENT;
}

static bool fail_parse(const Reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	if (reader->read_errno) {
		errno = reader->read_errno;
		return err_errno(reader->err, "read");
	}
	if (reader->silent > MAX_SILENT)
		return err_set(reader->err, ERR_LIMIT, "yaml: a scalar or comment is too long");
	size_t line = parser->problem_mark.line ? parser->problem_mark.line : parser->mark.line;
	return err_set(reader->err, ERR_INVALID, "yaml: line %zu: %s", line + 1,
		       parser->problem ? parser->problem : "not YAML");
}

static int depth_change(TokenKind kind)
{
	return (kind == TOKEN_MAP || kind == TOKEN_LIST) -
	       (kind == TOKEN_MAP_END || kind == TOKEN_LIST_END);
}

static bool record(Reader *reader, const Token *token)
{
	uint32_t len = (uint32_t)token->text.len;
	for (size_t i = 0; i < reader->recording.len; i++) {
		Tape *tape = reader->recording.items[i];
		reader->kept += 1 + sizeof(len) + len;
		if (reader->kept > TOKENS_MAX_ANCHORED)
			return err_set(reader->err, ERR_LIMIT, "yaml: anchors name too much");
		buf_putc(&tape->tokens, (char)token->kind);
		buf_append(&tape->tokens, &len, sizeof(len));
		buf_add(&tape->tokens, token->text);
		tape->depth += depth_change(token->kind);
		tape->done = tape->depth == 0;
	}
	/* The innermost end first: a tape that is done is the last ones. */
	while (reader->recording.len &&
	       ((Tape *)reader->recording.items[reader->recording.len - 1])->done)
		vec_pop(&reader->recording);
	return true;
}

static bool emit(Reader *reader, const Token *token)
{
	reader->depth += depth_change(token->kind);
	if (reader->depth > TOKENS_MAX_DEPTH)
		return err_set(reader->err, ERR_LIMIT, "yaml: nested too deeply");
	return record(reader, token) && reader->sink(reader->arg, token, reader->err);
}

static bool play(Reader *reader, const char *name)
{
	const Tape *tape = map_get(reader->anchors, name);
	if (!tape)
		return err_set(reader->err, ERR_INVALID, "yaml: unknown anchor '%.100s'", name);
	if (!tape->done)
		return err_set(reader->err, ERR_INVALID, "yaml: anchor '%.100s' contains itself",
			       name);
	Str rest = buf_str(&tape->tokens);
	while (rest.len) {
		uint32_t len;
		memcpy(&len, rest.ptr + 1, sizeof(len));
		const Token token = {(TokenKind)rest.ptr[0],
				     str_slice(rest, 1 + sizeof(len), 1 + sizeof(len) + len)};
		rest = str_slice(rest, 1 + sizeof(len) + len, rest.len);
		if (++reader->aliased > TOKENS_MAX_ALIASED)
			return err_set(reader->err, ERR_LIMIT, "yaml: aliases stand for too much");
		if (!emit(reader, &token))
			return false;
	}
	return true;
}

/* What is being recorded stays: only a tape that is done can be replaced. */
static bool start_tape(Reader *reader, const yaml_char_t *anchor)
{
	const char *name = (const char *)anchor;
	if (!anchor)
		return true;
	const Tape *old = map_get(reader->anchors, name);
	if (old && !old->done)
		return err_set(reader->err, ERR_INVALID, "yaml: anchor '%.100s' within itself",
			       name);
	Tape *tape = mem_zalloc(1, sizeof(*tape));
	map_put(reader->anchors, name, tape);
	vec_push(&reader->recording, tape);
	return true;
}

static bool take_scalar(Reader *reader, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !tag;
	const Token token = {
		plain ? TOKEN_PLAIN : TOKEN_STRING,
		str_sized((const char *)event->data.scalar.value, event->data.scalar.length)};
	if (token.text.len > TOKENS_MAX_SCALAR)
		return err_set(reader->err, ERR_LIMIT, "yaml: a scalar is too long");
	if (memchr(token.text.ptr, '\0', token.text.len))
		return err_set(reader->err, ERR_INVALID, "yaml: NUL in a scalar");
	return start_tape(reader, event->data.scalar.anchor) && emit(reader, &token);
}

static bool take_event(Reader *reader, const yaml_event_t *event)
{
	static const Token map = {TOKEN_MAP, {"", 0}}, map_end = {TOKEN_MAP_END, {"", 0}};
	static const Token list = {TOKEN_LIST, {"", 0}}, list_end = {TOKEN_LIST_END, {"", 0}};
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return play(reader, (const char *)event->data.alias.anchor);
	case YAML_SCALAR_EVENT:
		return take_scalar(reader, event);
	case YAML_MAPPING_START_EVENT:
		return start_tape(reader, event->data.mapping_start.anchor) && emit(reader, &map);
	case YAML_MAPPING_END_EVENT:
		return emit(reader, &map_end);
	case YAML_SEQUENCE_START_EVENT:
		return start_tape(reader, event->data.sequence_start.anchor) && emit(reader, &list);
	case YAML_SEQUENCE_END_EVENT:
		return emit(reader, &list_end);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return true;
}

static bool read_document(Reader *reader)
{
	for (;;) {
		__attribute__((cleanup(auto_event))) yaml_event_t event = {0};
		if (!yaml_parser_parse(&reader->parser, &event))
			return fail_parse(reader);
		reader->silent = 0;
		if (event.type == YAML_STREAM_END_EVENT || event.type == YAML_DOCUMENT_END_EVENT)
			return true;
		if (!take_event(reader, &event))
			return false;
	}
}

bool tokens_read_yaml(int fd, TokenSink *sink, void *arg, Error *err)
{
	__attribute__((cleanup(reader_dispose)))
	Reader reader = {.fd = fd, .sink = sink, .arg = arg, .err = err};
	reader.anchors = map_new(tape_free);
	if (!yaml_parser_initialize(&reader.parser))
		return err_set(err, ERR_INTERNAL, "yaml: cannot start");
	yaml_parser_set_input(&reader.parser, read_file, &reader);
	return read_document(&reader);
}
