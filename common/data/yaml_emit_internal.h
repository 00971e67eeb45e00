/* The YAML writer's state and the pieces that its files share. */
#ifndef DATA_YAML_EMIT_INTERNAL_H
#define DATA_YAML_EMIT_INTERNAL_H

#include "data/yaml_internal.h"

typedef enum { AT_ROOT, IN_SEQUENCE, IN_MAPPING } Context;

typedef struct {
	Buf *out;
	int indent; /* -1 before the root */
	int column; /* in characters */
	int step;   /* of yaml.v3's style, which indents by steps, keeps long lines and takes tabs
		       into blocks; 0: that of sigs.k8s.io/yaml */
	bool by_bytes;	  /* keys are sorted by their bytes */
	bool long_lines;  /* nothing is folded, step or not */
	bool in_sequence; /* with a step: an item of a list is being written */
	Str behind;	  /* a comment, with its "#", for the head of a block; empty when written */
	bool whitespace;  /* the last character was white space */
	bool indentation; /* the line has only indentation, "-", "?" and ":" so far */
} Emitter;

/* Starts a line, unless the current one is empty up to the indent already. */
void emit_indent(Emitter *emitter);

/* libyaml's rules: flow nodes at the root are indented, lists below a key are not. */
void emit_increase_indent(Emitter *emitter, bool flow, bool indentless);

/* "-", ":" and so on. `spaced`: with a space in front; the others are the state that follows. */
void emit_indicator(Emitter *emitter, const char *text, bool spaced, bool whitespace,
		    bool indentation);

/* A scalar that needs no quotes. */
void emit_plain(Emitter *emitter, Str text);

/* A string in the style it needs; as a key it stays on its line. */
void emit_string(Emitter *emitter, Str text, bool key);

/* The code point at `at` of UTF-8 text. */
uint32_t emit_decode(Str text, size_t at);

/* True when a key can stand before ":" on one line: up to 128 bytes, no line break. */
bool emit_is_simple_key(Str text);

#endif
