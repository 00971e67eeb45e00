#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "data/yaml_internal.h"

/* Where in a YAML text a value stands: parsed again with libyaml's node trees, which have marks. */

static bool load(yaml_parser_t *parser, yaml_document_t *out)
{
	if (!yaml_parser_load(parser, out))
		return false;
	if (yaml_document_get_root_node(out))
		return true;
	yaml_document_delete(out);
	return false;
}

static bool is_empty(yaml_document_t *document)
{
	const yaml_node_t *root = yaml_document_get_root_node(document);
	if (root->type != YAML_SCALAR_NODE || root->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	YamlScalar value;
	yaml_resolve(str_sized((const char *)root->data.scalar.value, root->data.scalar.length),
		     &value);
	return value.type == YAML_NULL;
}

/* One token of a pointer with ~0 and ~1 read back, owned. */
static char *unescape(Str token)
{
	autobuf Buf out = {0};
	for (size_t i = 0; i < token.len; i++) {
		bool escape = token.ptr[i] == '~' && i + 1 < token.len;
		if (escape)
			buf_putc(&out, token.ptr[++i] == '1' ? '/' : '~');
		else
			buf_putc(&out, token.ptr[i]);
	}
	return buf_steal(&out);
}

static const yaml_node_pair_t *member(yaml_document_t *document, const yaml_node_t *map,
				      const char *key)
{
	yaml_node_t *merged = NULL;
	for (const yaml_node_pair_t *pair = map->data.mapping.pairs.start;
	     pair < map->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(document, pair->key);
		if (name->type != YAML_SCALAR_NODE)
			continue;
		const char *text = (const char *)name->data.scalar.value;
		if (cstr_eq(text, key))
			return pair;
		if (cstr_eq(text, "<<"))
			merged = yaml_document_get_node(document, pair->value);
	}
	/* One level of `<<` is enough for a message. */
	if (!merged || merged->type != YAML_MAPPING_NODE || merged == map)
		return NULL;
	for (const yaml_node_pair_t *pair = merged->data.mapping.pairs.start;
	     pair < merged->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(document, pair->key);
		if (name->type == YAML_SCALAR_NODE &&
		    cstr_eq((const char *)name->data.scalar.value, key))
			return pair;
	}
	return NULL;
}

/* *out_name is the key's node, where it is a map's. */
static yaml_node_t *step(yaml_document_t *document, const yaml_node_t *node, const char *token,
			 const yaml_node_t **out_name)
{
	*out_name = NULL;
	if (node->type == YAML_MAPPING_NODE) {
		const yaml_node_pair_t *pair = member(document, node, token);
		*out_name = pair ? yaml_document_get_node(document, pair->key) : NULL;
		return pair ? yaml_document_get_node(document, pair->value) : NULL;
	}
	unsigned long long index;
	if (node->type != YAML_SEQUENCE_NODE || !str_to_u64(str_of(token), &index))
		return NULL;
	const yaml_node_item_t *start = node->data.sequence.items.start;
	if (index >= (size_t)(node->data.sequence.items.top - start))
		return NULL;
	return yaml_document_get_node(document, start[index]);
}

static size_t line_in(yaml_document_t *document, const char *pointer, bool of_key)
{
	const yaml_node_t *node = yaml_document_get_root_node(document), *name = NULL;
	Str rest = str_of(pointer), piece;
	if (rest.len > 0)
		rest = str_slice(rest, 1, rest.len);
	bool more = *pointer != '\0';
	while (node && more) {
		more = str_cut(rest, '/', &piece, &rest);
		autofree char *token = unescape(piece);
		node = step(document, node, token, &name);
	}
	if (node && name && of_key)
		return name->start_mark.line + 1;
	return node ? node->start_mark.line + 1 : 0;
}

static size_t find_line(const char *text, size_t len, size_t index, const char *pointer,
			bool of_key)
{
	if (pointer[0] && pointer[0] != '/')
		return 0;
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return 0;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	size_t line = 0;
	yaml_document_t document;
	for (bool found = false; !found && load(&parser, &document);) {
		if (!is_empty(&document) && index-- == 0) {
			found = true;
			line = line_in(&document, pointer, of_key);
		}
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return line;
}

size_t yaml_line_of(const char *text, size_t len, size_t index, const char *pointer)
{
	return find_line(text, len, index, pointer, false);
}

size_t yaml_line_of_key(const char *text, size_t len, size_t index, const char *pointer)
{
	return find_line(text, len, index, pointer, true);
}
