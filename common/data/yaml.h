/*
 * YAML to JSON trees and back. Reading follows what Kubernetes users see through kubectl and
 * kustomize (facts B5-B12): YAML 1.2 core scalars as Go's yaml.v3 resolves them (yes/no/on/off are
 * strings; 0777, 0o777 octal; 0x hex; `_` in integers), anchors, aliases and `<<` within a
 * document, duplicate keys refused, non-string keys as their text. Limits: bytes, depth 100,
 * aliases expand to at most a million nodes ("billion laughs").
 */
#ifndef DATA_YAML_H
#define DATA_YAML_H

#include "data/json.h"

/* One document of a stream. */
typedef struct {
	json_t *value; /* owned; NULL never (empty documents are dropped) */
	size_t line;   /* 1-based line in the file where its content starts */
} YamlDocument;

typedef struct {
	YamlDocument *items;
	size_t len;
} YamlStream;

void yaml_stream_dispose(YamlStream *stream);
#define autoyaml __attribute__((cleanup(yaml_stream_dispose)))

/*
 * Reads all documents of a stream (also JSON, which is YAML). `file` names it in errors, which read
 * "FILE:LINE:COLUMN: what". Comment-only and empty documents are dropped; a document that is a bare
 * null too. ERR_INVALID, or ERR_LIMIT above `limit` bytes.
 */
bool yaml_parse_all(const char *text, size_t len, size_t limit, const char *file, YamlStream *out,
		    Error *err) MUST_USE;

/* As yaml_parse_all for objects of the Kubernetes API: in metadata.annotations, also of a List's
 * items, what is written plain is text as it is written ("1.50", "0x10"), but for null. The API
 * takes nothing else there, and kustomize keeps what people wrote. */
bool yaml_parse_objects(const char *text, size_t len, size_t limit, const char *file,
			YamlStream *out, Error *err) MUST_USE;

/* As yaml_parse_objects, but what is written plain outside metadata stays as it is written where
 * JSON would lose that (data/written.h). */
bool yaml_parse_written(const char *text, size_t len, size_t limit, const char *file,
			YamlStream *out, Error *err) MUST_USE;

/* Reads a text that must hold exactly one document (or, when it is empty, gives JSON null). Owned.
 */
json_t *yaml_parse(const char *text, size_t len, size_t limit, const char *file,
		   Error *err) MUST_USE;

/* As yaml_parse, but as where Go goes through JSON by YAML 1.1 (kustomization files): of a key
 * given twice the last one wins, plain y, yes, on, n, no, off are booleans, and dates are text.
 * Owned. */
json_t *yaml_parse_last_wins(const char *text, size_t len, size_t limit, const char *file,
			     Error *err) MUST_USE;

/* As yaml_parse_last_wins; appends to `out_twice` a line for each key that a mapping has more than
 * once, in Go's words ("line 7: key \"a\" already set in map"), at most YAML_MAX_TWICE. */
enum { YAML_MAX_TWICE = 100 };
json_t *yaml_parse_noting(const char *text, size_t len, size_t limit, const char *file,
			  json_t *out_twice, Error *err) MUST_USE;

/* As yaml_parse_last_wins, all documents: what people hand to kubectl and its kind. */
bool yaml_parse_all_last_wins(const char *text, size_t len, size_t limit, const char *file,
			      YamlStream *out, Error *err) MUST_USE;

/* As yaml_parse_last_wins, but YAML 1.1 as go-yaml v2 reads it, where Helm reads values and its
 * templates read text: keys are what they resolve to, and only the first document counts. Owned. */
json_t *yaml_parse_old(const char *text, size_t len, size_t limit, const char *file,
		       Error *err) MUST_USE;

/*
 * The 1-based line of the value at a JSON pointer (RFC 6901) within document `index` of a stream,
 * found by parsing again: for error messages only. 0 when it is not there.
 */
size_t yaml_line_of(const char *text, size_t len, size_t index, const char *pointer);

/* As yaml_line_of, but of a map's member the line that its key is on. */
size_t yaml_line_of_key(const char *text, size_t len, size_t index, const char *pointer);

/*
 * Appends one document as sigs.k8s.io/yaml writes it: keys sorted, two-space indent, lists not
 * indented below their key, strings quoted only where YAML 1.1 or 1.2 would read another type,
 * multi-line strings as `|` blocks. No `---`.
 */
void yaml_emit(const json_t *value, Buf *out);

/* As yaml_emit, but nothing is folded: what kyaml writes of a text that yaml_emit wrote. */
void yaml_emit_long(const json_t *value, Buf *out);

/* As yaml_emit, but as yaml.v3 writes with an indent of 2: lists are indented below their key, long
 * lines stay, whole reals from a million on have an exponent. */
void yaml_emit_pretty(const json_t *value, Buf *out);

/* As yaml_emit, but with keys sorted by their bytes. */
void yaml_emit_by_bytes(const json_t *value, Buf *out);

#endif
