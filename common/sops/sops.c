#include "sops/sops.h"

#include <string.h>

#include "base/mem.h"
#include "sops/crypt.h"
#include "data/digest.h"
#include "sops/keys.h"
#include "sops/stores.h"

/* How metadata lies in a document. */
typedef enum {
	META_NESTED,  /* under "sops" */
	META_SECTION, /* a section "sops" of flat names */
	META_PREFIX,  /* flat names with "sops_" in front */
} MetadataForm;

typedef struct {
	const char *name;
	const char *marker;
	MetadataForm form;
	bool (*read)(Str text, Tree *out, Error *err);
	bool (*write)(const Tree *tree, Buf *out, Error *err);
} Store;

static const Store stores[] = {
	[SOPS_BINARY] = {"binary", "\"mac\": \"ENC[", META_NESTED, json_store_read,
			 binary_store_write},
	[SOPS_JSON] = {"JSON", "\"mac\": \"ENC[", META_NESTED, json_store_read, json_store_write},
	[SOPS_YAML] = {"YAML", "mac: ENC[", META_NESTED, yaml_store_read, yaml_store_write},
	[SOPS_DOTENV] = {"dotenv", "sops_mac=ENC[", META_PREFIX, dotenv_store_read,
			 dotenv_store_write},
	[SOPS_INI] = {"INI", "[sops]", META_SECTION, ini_store_read, ini_store_write},
};

static const char prefix[] = "sops_";

SopsFormat sops_format_of_path(const char *path)
{
	static const struct {
		const char *ending;
		SopsFormat format;
	} rows[] = {
		{".yaml", SOPS_YAML},  {".yml", SOPS_YAML}, {".json", SOPS_JSON},
		{".env", SOPS_DOTENV}, {".ini", SOPS_INI},  {".dockerconfigjson", SOPS_JSON},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_ends(path, rows[i].ending))
			return rows[i].format;
	return SOPS_BINARY;
}

bool sops_has_marker(Str text, SopsFormat format)
{
	return str_find(text, str_of(stores[format].marker)) >= 0;
}

bool sops_detect(Str text, SopsFormat *out)
{
	/* INI last: its marker may stand in a text of another format. */
	static const SopsFormat order[] = {SOPS_JSON, SOPS_DOTENV, SOPS_YAML, SOPS_INI};
	for (size_t i = 0; i < COUNT(order); i++) {
		if (!sops_has_marker(text, order[i]))
			continue;
		*out = order[i];
		return true;
	}
	return false;
}

static bool is_nested(const Node *item)
{
	return cstr_eq(item->key, "sops");
}

static bool is_prefixed(const Node *item)
{
	return item->key && cstr_starts(item->key, prefix);
}

/* Moves the members that are metadata out of a document into a map. Owned. */
static Node *take_members(Node *document, bool (*wanted)(const Node *item))
{
	Node *taken = sops_node_new(NODE_MAP);
	Vec *items = &document->items;
	size_t kept = 0;
	for (size_t i = 0; i < items->len; i++) {
		if (wanted(items->items[i]))
			vec_push(&taken->items, items->items[i]);
		else
			items->items[kept++] = items->items[i];
	}
	items->len = kept;
	return taken;
}

/* The metadata of a document, taken out of it; NULL when it has none. Owned. */
static Node *take_metadata(Node *document, MetadataForm form)
{
	autonode Node *taken =
		take_members(document, form == META_PREFIX ? is_prefixed : is_nested);
	if (taken->items.len == 0)
		return NULL;
	if (form != META_PREFIX)
		return taken->items.len == 1 ? vec_pop(&taken->items) : NULL;
	for (size_t i = 0; i < taken->items.len; i++) {
		Node *item = taken->items.items[i];
		char *key = mem_strdup(item->key + sizeof(prefix) - 1);
		free(item->key);
		item->key = key;
	}
	return steal(&taken);
}

/* INI files have newlines of metadata as `\n` on top of the format's own quoting. */
static void unescape(Node *flat)
{
	for (size_t i = 0; i < flat->items.len; i++) {
		Node *item = flat->items.items[i];
		Buf plain = {0};
		for (size_t at = 0; at < item->text.len; at++) {
			bool escape = item->text.ptr[at] == '\\' && item->text.ptr[at + 1] == 'n';
			buf_putc(&plain, escape ? '\n' : item->text.ptr[at]);
			at += escape;
		}
		sops_buf_wipe(&item->text);
		item->text = plain;
	}
}

static bool extract(Tree *tree, MetadataForm form, Metadata *out, Error *err)
{
	if (tree->documents.len == 0)
		return err_set(err, ERR_INVALID, "sops metadata not found");
	autonode Node *meta = take_metadata(tree->documents.items[0], form);
	for (size_t i = 1; i < tree->documents.len; i++)
		node_free(take_metadata(tree->documents.items[i], form));
	if (!meta || meta->type != NODE_MAP)
		return err_set(err, ERR_INVALID, "sops metadata not found");
	if (form == META_SECTION)
		unescape(meta);
	autojson json_t *raw = node_to_json(meta, err);
	if (!raw)
		return false;
	if (form != META_NESTED) {
		json_t *nested = metadata_unflatten(raw, err);
		if (!nested)
			return false;
		json_decref(raw);
		raw = nested;
	}
	return sops_metadata_read(steal(&raw), out, err);
}

static bool mac_matches(const Metadata *metadata, const unsigned char *key, const char *mac,
			bool *out, Error *err)
{
	autonode Node *stored =
		seal_open(str_of(metadata->mac), key, str_of(metadata->last_modified), err);
	if (!stored)
		return err_wrap(err, "the file's MAC");
	*out = stored->type == NODE_STR && digest_equal(buf_text(&stored->text), mac);
	return true;
}

/* Opens a tree, metadata taken out. */
static bool open_tree(Tree *tree, const Metadata *metadata, const SopsOptions *options,
		      bool no_comments, bool *out_mac_matches, Error *err)
{
	unsigned char key[DATA_KEY_SIZE];
	char mac[MAC_TEXT_SIZE];
	if (!data_key_get(metadata, options, key, err))
		return false;
	OpenOptions open = {.no_comments = no_comments, .until_ms = options->until_ms};
	bool ok = tree_open(tree, metadata, key, &open, mac, err);
	*out_mac_matches = true;
	if (ok && !options->ignore_mac)
		ok = mac_matches(metadata, key, mac, out_mac_matches, err);
	mem_wipe(key, sizeof(key));
	return ok || err_wrap(err, "error decrypting sops tree");
}

static bool read_text(Str text, SopsFormat format, Tree *tree, Error *err)
{
	if (text.len > SOPS_MAX_BYTES)
		return err_set(err, ERR_LIMIT,
			       "cannot decrypt file with size (%zu bytes) exceeding limit (%d)",
			       text.len, SOPS_MAX_BYTES);
	return stores[format].read(text, tree, err) ||
	       err_wrap(err, "failed to load encrypted %s data", stores[format].name);
}

static bool open_documents(Tree *tree, SopsFormat format, const SopsOptions *options, Error *err)
{
	autometadata Metadata metadata = {0};
	bool matches;
	if (!extract(tree, stores[format].form, &metadata, err))
		return err_wrap(err, "failed to load encrypted %s data", stores[format].name);
	if (!open_tree(tree, &metadata, options, false, &matches, err))
		return false;
	return matches ||
	       err_set(err, ERR_INVALID,
		       "failed to verify sops data integrity: the MAC does not match, the file was "
		       "changed after it was encrypted and has to be encrypted again");
}

bool sops_decrypt(Str text, SopsFormat in, SopsFormat out_format, const SopsOptions *options,
		  Buf *out, Error *err)
{
	autotree Tree tree = {0};
	autosecretbuf Buf plain = {0};
	if (!read_text(text, in, &tree, err) || !open_documents(&tree, in, options, err))
		return false;
	/* Not grown piece by piece: that would leave copies behind. */
	buf_reserve(&plain, text.len);
	if (!stores[out_format].write(&tree, &plain, err))
		return err_wrap(err, "failed to emit encrypted %s file as decrypted %s",
				stores[in].name, stores[out_format].name);
	buf_add(out, buf_str(&plain));
	return true;
}

static bool has_mac(const Node *document, const char *mac)
{
	const Node *meta = node_get(document, "sops");
	const Node *own = meta && meta->type == NODE_MAP ? node_get(meta, "mac") : NULL;
	return own && cstr_eq(buf_text(&own->text), mac);
}

bool sops_verify(Str text, SopsFormat format, const char *mac, const SopsOptions *options,
		 Error *err)
{
	autotree Tree tree = {0};
	if (!read_text(text, format, &tree, err))
		return false;
	Vec *documents = &tree.documents;
	size_t kept = 0;
	for (size_t i = 0; i < documents->len; i++) {
		if (has_mac(documents->items[i], mac))
			documents->items[kept++] = documents->items[i];
		else
			node_free(documents->items[i]);
	}
	documents->len = kept;
	return open_documents(&tree, format, options, err);
}

json_t *sops_decrypt_tree(const json_t *object, const SopsOptions *options, bool *out_mac_matches,
			  Error *err)
{
	autotree Tree tree = {0};
	autometadata Metadata metadata = {0};
	vec_push(&tree.documents, node_of_json(object));
	if (!extract(&tree, META_NESTED, &metadata, err) ||
	    !open_tree(&tree, &metadata, options, true, out_mac_matches, err))
		return NULL;
	return node_to_json(tree.documents.items[0], err);
}
