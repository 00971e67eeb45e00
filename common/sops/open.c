#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sops/crypt.h"
#include "data/digest.h"
#include "sops/sops.h"

/*
 * The walk over a tree's leaves in order. The path is the additional data of each value: map keys
 * with ":" behind each, lists add nothing. The MAC covers the open leaves, comments left out. Rules
 * may look at any part of the path, or at the comments in front of the leaf and of what it is in.
 */

enum { WALK_DEPTH = 512 };

typedef struct {
	const Metadata *metadata;
	const unsigned char *key;
	Digest *mac;
	Buf aad;
	Vec path;	 /* Str's text, const char *: map keys, borrowed */
	Vec comments;	 /* Vec *: the comments in front, a list for each open map or list */
	size_t matching; /* of the path's keys, those that the rule is about */
	int depth;
	const OpenOptions *options;
	Error *err;
} Walk;

static bool walk_value(Walk *walk, Node **slot);

/* What a rule by keys says of one of them. */
static bool key_matches(const Metadata *rules, const char *key)
{
	if (rules->suffix)
		return cstr_ends(key, rules->suffix);
	bool by_comment = rules->rule == RULE_UNENCRYPTED_COMMENT_REGEX ||
			  rules->rule == RULE_ENCRYPTED_COMMENT_REGEX;
	return !by_comment && regex_matches(rules->regex, key, strlen(key));
}

/* `skip_last`: the last comment of the innermost list is the leaf itself. */
static bool comments_match(const Walk *walk, bool skip_last)
{
	for (size_t i = 0; i < walk->comments.len; i++) {
		const Vec *list = walk->comments.items[i];
		bool innermost = i + 1 == walk->comments.len;
		for (size_t j = 0; j < list->len; j++) {
			const char *text = list->items[j];
			if (skip_last && innermost && j + 1 == list->len)
				continue;
			if (regex_matches(walk->metadata->regex, text, strlen(text)))
				return true;
		}
	}
	return false;
}

static bool looks_sealed(const Node *leaf)
{
	return leaf->type == NODE_STR && str_starts(buf_str(&leaf->text), STR("ENC[AES256_GCM,"));
}

static bool is_sealed(const Walk *walk, const Node *leaf)
{
	bool is_comment = leaf->type == NODE_COMMENT;
	switch (walk->metadata->rule) {
	case RULE_ENCRYPTED_SUFFIX:
	case RULE_ENCRYPTED_REGEX:
		return walk->matching > 0;
	case RULE_UNENCRYPTED_COMMENT_REGEX:
		return walk->options->no_comments ? looks_sealed(leaf)
						  : !comments_match(walk, false);
	case RULE_ENCRYPTED_COMMENT_REGEX:
		return walk->options->no_comments ? looks_sealed(leaf)
						  : comments_match(walk, is_comment);
	case RULE_UNENCRYPTED_SUFFIX:
	case RULE_UNENCRYPTED_REGEX:
	default:
		return walk->matching == 0;
	}
}

static void add_to_mac(Walk *walk, const Node *node)
{
	autosecretbuf Buf text = {0};
	if (node->type == NODE_COMMENT)
		return;
	if (node->type == NODE_INT)
		buf_printf(&text, "%lld", (long long)node->integer);
	else if (node->type == NODE_FLOAT)
		float_text(node->real, 'f', &text);
	else if (node->type == NODE_BOOL)
		buf_puts(&text, node->flag ? "True" : "False");
	else
		buf_add(&text, buf_str(&node->text));
	digest_update(walk->mac, buf_text(&text), text.len);
}

static bool fail_at(Walk *walk)
{
	autobuf Buf where = {0};
	for (size_t i = 0; i < walk->path.len; i++)
		buf_printf(&where, "%s%s", i ? "." : "", (const char *)walk->path.items[i]);
	return err_wrap(walk->err, "'%s'", buf_text(&where));
}

/* Puts the open node in the sealed one's place. A comment's place on its line is not sealed. */
static void replace(Node **slot, Node *take_open)
{
	take_open->key = steal(&(*slot)->key);
	node_free(*slot);
	*slot = take_open;
}

/* At the top of a document, where only comments stand: ":" all the same. */
static Str aad_of(const Walk *walk)
{
	return walk->path.len ? buf_str(&walk->aad) : STR(":");
}

static bool open_leaf(Walk *walk, Node **slot)
{
	if ((*slot)->type != NODE_STR) {
		err_set(walk->err, ERR_INVALID, "is to be encrypted and is not");
		return fail_at(walk);
	}
	Node *open = seal_open(buf_str(&(*slot)->text), walk->key, aad_of(walk), walk->err);
	if (!open)
		return fail_at(walk);
	/* Comments of a list are items of it while they are sealed. */
	if (open->type == NODE_COMMENT && (*slot)->key) {
		node_free(open);
		err_set(walk->err, ERR_INVALID, "a comment stands in place of a value");
		return fail_at(walk);
	}
	replace(slot, open);
	return true;
}

/* Comments that do not open were never sealed: older versions left them. */
static void open_comment(Walk *walk, Node **slot)
{
	autoerror Error ignored = {0};
	Node *open = seal_open(buf_str(&(*slot)->text), walk->key, aad_of(walk), &ignored);
	if (!open)
		return;
	open->type = NODE_COMMENT;
	replace(slot, open);
}

static bool walk_leaf(Walk *walk, Node **slot)
{
	bool is_comment = (*slot)->type == NODE_COMMENT;
	if ((*slot)->type == NODE_NULL)
		return true;
	int64_t until_ms = walk->options->until_ms;
	if (until_ms && clock_mono_ms() >= until_ms)
		return err_set(walk->err, ERR_TIMEOUT, "time is up");
	bool sealed = is_sealed(walk, *slot);
	if (sealed && is_comment)
		open_comment(walk, slot);
	else if (sealed && !open_leaf(walk, slot))
		return false;
	if (sealed || !walk->metadata->mac_only_encrypted)
		add_to_mac(walk, *slot);
	return true;
}

static bool walk_member(Walk *walk, Node **slot)
{
	size_t aad_len = walk->aad.len;
	bool matches = (*slot)->key && key_matches(walk->metadata, (*slot)->key);
	walk->matching += matches;
	if ((*slot)->key) {
		vec_push(&walk->path, (*slot)->key);
		buf_printf(&walk->aad, "%s:", (*slot)->key);
	}
	bool ok = walk_value(walk, slot);
	walk->matching -= matches;
	if ((*slot)->key) {
		vec_pop(&walk->path);
		walk->aad.len = aad_len;
		walk->aad.ptr[aad_len] = '\0';
	}
	return ok;
}

static void forget_comments(Vec *list)
{
	vec_dispose_strings(list);
	*list = (Vec){0};
}

static bool walk_items(Walk *walk, Vec *items)
{
	Vec comments = {0};
	vec_push(&walk->comments, &comments);
	bool ok = true;
	for (size_t i = 0; ok && i < items->len; i++) {
		Node **slot = (Node **)&items->items[i];
		bool is_comment = (*slot)->type == NODE_COMMENT;
		if (is_comment)
			vec_push(&comments, str_dup(buf_str(&(*slot)->text)));
		ok = walk_member(walk, slot);
		if (!is_comment)
			forget_comments(&comments);
	}
	vec_pop(&walk->comments);
	forget_comments(&comments);
	return ok;
}

static bool walk_value(Walk *walk, Node **slot)
{
	if ((*slot)->type != NODE_MAP && (*slot)->type != NODE_LIST)
		return walk_leaf(walk, slot);
	if (walk->depth >= WALK_DEPTH)
		return err_set(walk->err, ERR_LIMIT, "nested deeper than %d", WALK_DEPTH);
	walk->depth++;
	bool ok = walk_items(walk, &(*slot)->items);
	walk->depth--;
	return ok;
}

/* SHA-256 of "sops": a MAC over sealed leaves alone never equals one over all. */
static void prime_mac(Digest *mac)
{
	unsigned char bytes[DIGEST_MAX_BYTES];
	autodigest Digest *prefix = digest_new(DIGEST_SHA256);
	digest_update(prefix, "sops", 4);
	digest_update(mac, bytes, digest_final_raw(prefix, bytes));
}

static void mac_text(Digest *mac, char out[MAC_TEXT_SIZE])
{
	unsigned char bytes[DIGEST_MAX_BYTES];
	size_t len = digest_final_raw(mac, bytes);
	for (size_t i = 0; i < len; i++)
		snprintf(out + 2 * i, 3, "%02X", bytes[i]);
}

bool tree_open(Tree *tree, const Metadata *metadata, const unsigned char key[DATA_KEY_SIZE],
	       const OpenOptions *options, char mac[MAC_TEXT_SIZE], Error *err)
{
	autodigest Digest *digest = digest_new(DIGEST_SHA512);
	Walk walk = {
		.metadata = metadata, .key = key, .mac = digest, .options = options, .err = err};
	if (metadata->mac_only_encrypted)
		prime_mac(digest);
	bool ok = true;
	for (size_t i = 0; ok && i < tree->documents.len; i++)
		ok = walk_value(&walk, (Node **)&tree->documents.items[i]);
	buf_dispose(&walk.aad);
	vec_dispose(&walk.path);
	vec_dispose(&walk.comments);
	if (ok)
		mac_text(digest, mac);
	return ok;
}
