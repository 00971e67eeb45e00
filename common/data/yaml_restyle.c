#include "data/yaml_restyle.h"

#include <string.h>
#include <yaml.h>

typedef yaml_node_pair_t Pair;

static void auto_parser(yaml_parser_t *parser)
{
	yaml_parser_delete(parser);
}

static void auto_emitter(yaml_emitter_t *emitter)
{
	yaml_emitter_delete(emitter);
}

static bool is_key(yaml_document_t *document, int id, const char *name)
{
	const yaml_node_t *node = yaml_document_get_node(document, id);
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == strlen(name) &&
	       memcmp(node->data.scalar.value, name, strlen(name)) == 0;
}

/* The pair of a mapping; NULL when there is none, or no mapping. */
static Pair *find(yaml_document_t *document, int mapping, const char *name)
{
	yaml_node_t *node = yaml_document_get_node(document, mapping);
	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	for (Pair *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top;
	     pair++)
		if (is_key(document, pair->key, name))
			return pair;
	return NULL;
}

/* --- changes; 0 is no node --- */

static int add_scalar(yaml_document_t *document, const char *text, yaml_scalar_style_t style)
{
	return yaml_document_add_scalar(document, NULL, (const yaml_char_t *)text,
					(int)strlen(text), style);
}

static bool is_empty(yaml_document_t *document, int mapping)
{
	const yaml_node_t *node = yaml_document_get_node(document, mapping);
	return node->data.mapping.pairs.start == node->data.mapping.pairs.top;
}

/* "{}" is flow because it is empty, not because somebody likes it. */
static bool add_pair(yaml_document_t *document, int mapping, const char *name, int value)
{
	int key = add_scalar(document, name, YAML_PLAIN_SCALAR_STYLE);
	if (is_empty(document, mapping))
		yaml_document_get_node(document, mapping)->data.mapping.style =
			YAML_BLOCK_MAPPING_STYLE;
	return key && value && yaml_document_append_mapping_pair(document, mapping, key, value);
}

/* The mapping at a key, made where there is none. */
static int mapping_at(yaml_document_t *document, int parent, const char *name)
{
	Pair *pair = find(document, parent, name);
	const yaml_node_t *node = pair ? yaml_document_get_node(document, pair->value) : NULL;
	if (node && node->type == YAML_MAPPING_NODE)
		return pair->value;
	int made = yaml_document_add_mapping(document, NULL, YAML_ANY_MAPPING_STYLE);
	if (!made)
		return 0;
	/* The nodes have moved. */
	pair = find(document, parent, name);
	if (!pair)
		return add_pair(document, parent, name, made) ? made : 0;
	pair->value = made;
	return made;
}

static bool set(yaml_document_t *document, int root, const char *name, const char *value)
{
	int metadata = mapping_at(document, root, "metadata");
	int annotations = metadata ? mapping_at(document, metadata, "annotations") : 0;
	int text = annotations ? add_scalar(document, value, YAML_SINGLE_QUOTED_SCALAR_STYLE) : 0;
	Pair *pair = text ? find(document, annotations, name) : NULL;
	if (!pair)
		return text && add_pair(document, annotations, name, text);
	pair->value = text;
	return true;
}

static void take_away(yaml_document_t *document, int mapping, Pair *pair)
{
	yaml_node_t *node = yaml_document_get_node(document, mapping);
	size_t behind = (size_t)(node->data.mapping.pairs.top - pair - 1);
	memmove(pair, pair + 1, behind * sizeof(*pair));
	node->data.mapping.pairs.top--;
}

static void unset(yaml_document_t *document, int root, const char *name)
{
	Pair *metadata = find(document, root, "metadata");
	Pair *annotations = metadata ? find(document, metadata->value, "annotations") : NULL;
	Pair *pair = annotations ? find(document, annotations->value, name) : NULL;
	if (!pair)
		return;
	take_away(document, annotations->value, pair);
	if (is_empty(document, annotations->value))
		take_away(document, metadata->value, annotations);
	if (is_empty(document, metadata->value))
		take_away(document, root, metadata);
}

/* --- writing --- */

static int append(void *out, unsigned char *bytes, size_t len)
{
	buf_append(out, (const char *)bytes, len);
	return 1;
}

/* Takes the document, also on failure. */
static bool dump(yaml_document_t *take_document, Buf *out, Error *err)
{
	__attribute__((cleanup(auto_emitter))) yaml_emitter_t emitter;
	if (!yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(take_document);
		return err_set(err, ERR_LIMIT, "no memory for YAML");
	}
	yaml_emitter_set_output(&emitter, append, out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	if (!yaml_emitter_open(&emitter)) {
		yaml_document_delete(take_document);
		return err_set(err, ERR_INVALID, "yaml: %s", emitter.problem);
	}
	return (yaml_emitter_dump(&emitter, take_document) && yaml_emitter_close(&emitter)) ||
	       err_set(err, ERR_INVALID, "yaml: %s", emitter.problem);
}

bool yaml_restyle(Str text, const char *name, const char *value, Buf *out, Error *err)
{
	enum { ROOT = 1 };
	__attribute__((cleanup(auto_parser))) yaml_parser_t parser;
	yaml_document_t document;
	if (!yaml_parser_initialize(&parser))
		return err_set(err, ERR_LIMIT, "no memory for YAML");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
	if (!yaml_parser_load(&parser, &document))
		return err_set(err, ERR_INVALID, "yaml: %s", parser.problem);
	const yaml_node_t *root = yaml_document_get_root_node(&document);
	bool fine = root && root->type == YAML_MAPPING_NODE;
	document.start_implicit = document.end_implicit = 1;
	if (fine && value)
		fine = set(&document, ROOT, name, value);
	else if (fine)
		unset(&document, ROOT, name);
	if (fine)
		return dump(&document, out, err);
	yaml_document_delete(&document);
	return err_set(err, ERR_INVALID, "yaml: an object is expected");
}
