/* Merkle proofs, checkpoints, log entries and trusted roots: known answers, and what is refused.
 * The verdicts on whole signatures are compared with the real verifiers' in
 * tests/differential/sign. */
#include "../cmocka_all.h"

#include "base/buf.h"
#include "data/base64.h"
#include "data/digest.h"
#include "sign/checkpoint.h"
#include "sign/merkle.h"
#include "sign/rekor.h"
#include "sign/trusted_root.h"

typedef unsigned char Hash[MERKLE_HASH];

/* The tree of RFC 6962 2.1.3 with leaves "0" to "6", hashed here leaf by leaf. */
static void node(const Hash left, const Hash right, Hash out)
{
	unsigned char raw[DIGEST_MAX_BYTES];
	static const unsigned char prefix = 1;
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	digest_update(digest, &prefix, 1);
	digest_update(digest, left, MERKLE_HASH);
	digest_update(digest, right, MERKLE_HASH);
	digest_final_raw(digest, raw);
	memcpy(out, raw, MERKLE_HASH);
}

typedef struct {
	Hash leaves[7], a, b, c, d, root;
	Hash left;
} Tree;

static void tree_new(Tree *out)
{
	for (size_t i = 0; i < COUNT(out->leaves); i++) {
		const char text[] = {(char)('0' + i)};
		merkle_leaf(str_sized(text, 1), out->leaves[i]);
	}
	node(out->leaves[0], out->leaves[1], out->a);
	node(out->leaves[2], out->leaves[3], out->b);
	node(out->leaves[4], out->leaves[5], out->c);
	node(out->a, out->b, out->left);
	node(out->c, out->leaves[6], out->d);
	node(out->left, out->d, out->root);
}

static bool includes(const Tree *tree, uint64_t index, uint64_t size, const Hash *const *path,
		     size_t count)
{
	Hash proof[8];
	for (size_t i = 0; i < count; i++)
		memcpy(proof[i], path[i], MERKLE_HASH);
	return merkle_includes(tree->leaves[index % 7], index, size,
			       (const unsigned char(*)[MERKLE_HASH])proof, count, tree->root);
}

static void S57_inclusion_proofs(void **state)
{
	(void)state;
	Tree tree;
	tree_new(&tree);
	const Hash *first[] = {&tree.leaves[1], &tree.b, &tree.d};
	const Hash *fourth[] = {&tree.leaves[2], &tree.a, &tree.d};
	const Hash *fifth[] = {&tree.leaves[5], &tree.leaves[6], &tree.left};
	const Hash *last[] = {&tree.c, &tree.left};
	assert_true(includes(&tree, 0, 7, first, 3));
	assert_true(includes(&tree, 3, 7, fourth, 3));
	assert_true(includes(&tree, 4, 7, fifth, 3));
	assert_true(includes(&tree, 6, 7, last, 2));
	assert_false(includes(&tree, 0, 7, first, 2));
	assert_false(includes(&tree, 0, 7, fourth, 3));
	assert_false(includes(&tree, 1, 7, first, 3));
	assert_false(includes(&tree, 6, 6, last, 2));
	assert_false(includes(&tree, 7, 7, last, 2));
	assert_false(includes(&tree, 6, UINT64_MAX, last, 2));
	assert_false(includes(&tree, 0, 0, first, 0));
}

static void S57_a_tree_of_one(void **state)
{
	(void)state;
	Hash leaf;
	const unsigned char(*none)[MERKLE_HASH] = NULL;
	/* SHA-256 of one zero byte: the leaf of an empty entry (RFC 6962 2.1). */
	autobuf Buf known = {0};
	autoerror Error err = {0};
	static const char text[] = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=";
	merkle_leaf(STR(""), leaf);
	assert_true(base64_decode(text, sizeof(text) - 1, &known, &err));
	assert_memory_equal(leaf, known.ptr, MERKLE_HASH);
	assert_true(merkle_includes(leaf, 0, 1, none, 0, leaf));
	assert_false(merkle_includes(leaf, 0, 2, none, 0, leaf));
}

/* --- checkpoints --- */

#define ROOT "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
#define LINE "\n\xe2\x80\x94 log AAAAAAAA\n"

static void S57_checkpoints(void **state)
{
	(void)state;
	static const struct {
		const char *note;
		bool good, has_id;
	} cases[] = {
		{"log - 12\n7\n" ROOT "\n" LINE, true, true},
		{"log\n7\n" ROOT "\n" LINE, true, false},
		{"log - x\n7\n" ROOT "\nmore\n" LINE, true, false},
		{"log - \n7\n" ROOT "\n" LINE, true, false},
		{"\n7\n" ROOT "\n" LINE, false, false},
		{"log\nx\n" ROOT "\n" LINE, false, false},
		{"log\n-7\n" ROOT "\n" LINE, false, false},
		{"log\n7\nAAAA\n" LINE, false, false},
		{"log\n7\n***\n" LINE, false, false},
		{"log\n7\n" ROOT "\n", false, false},
		{"log\n7\n" ROOT "\n\n", false, false},
		{"", false, false},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		Checkpoint out;
		assert_int_equal(checkpoint_parse(str_of(cases[i].note), &out, &err),
				 cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(out.size, 7);
		assert_int_equal(checkpoint_has_tree_id(&out), cases[i].has_id);
	}
}

static void S57_checkpoints_have_a_limit(void **state)
{
	(void)state;
	autobuf Buf note = {0};
	autoerror Error err = {0};
	Checkpoint out;
	buf_puts(&note, "log\n7\n" ROOT "\n");
	while (note.len <= CHECKPOINT_MAX)
		buf_puts(&note, "more\n");
	buf_puts(&note, LINE);
	assert_false(checkpoint_parse(buf_str(&note), &out, &err));
}

/* --- entries and roots: limits --- */

/* {"canonicalizedBody": ..., "inclusionProof": {"hashes": [...]}} with so many hashes. */
static json_t *entry_with_hashes(size_t count)
{
	json_t *hashes = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(hashes, json_string(ROOT));
	return json_pack("{s:{s:s}, s:{s:s, s:s}, s:s, s:{s:s, s:{s:s}, s:o}}", "logId", "keyId",
			 "AAAA", "kindVersion", "kind", "x", "version", "1", "canonicalizedBody",
			 "eyJraW5kIjoieCIsImFwaVZlcnNpb24iOiIxIn0=", "inclusionProof", "rootHash",
			 ROOT, "checkpoint", "envelope", "x", "hashes", hashes);
}

static void S57_proofs_have_a_limit(void **state)
{
	(void)state;
	autoerror Error good_err = {0}, err = {0};
	autojson json_t *longest = entry_with_hashes(MERKLE_MAX_PROOF);
	autojson json_t *longer = entry_with_hashes(MERKLE_MAX_PROOF + 1);
	autorekorentry RekorEntry good = {0}, bad = {0};
	assert_true(rekor_entry_parse(longest, &good, &good_err));
	assert_int_equal(good.proof_len, MERKLE_MAX_PROOF);
	assert_false(rekor_entry_parse(longer, &bad, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

static void S57_numbers_of_entries(void **state)
{
	(void)state;
	static const char *const bad[] = {"-1", "x", "", "9223372036854775808", " 1"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		autojson json_t *object = entry_with_hashes(1);
		autorekorentry RekorEntry entry = {0};
		json_object_set_new(object, "logIndex", json_string(bad[i]));
		assert_false(rekor_entry_parse(object, &entry, &err));
	}
}

static void S58_roots_have_limits(void **state)
{
	(void)state;
	static const char *const lists[] = {"tlogs", "ctlogs", "certificateAuthorities",
					    "timestampAuthorities"};
	for (size_t l = 0; l < COUNT(lists); l++) {
		autoerror Error err = {0};
		autojson json_t *root = json_pack(
			"{s:s, s:[]}", "mediaType",
			"application/vnd.dev.sigstore.trustedroot+json;version=0.1", lists[l]);
		for (int i = 0; i <= TRUSTED_ROOT_MAX_ITEMS; i++)
			json_array_append_new(json_list(root, lists[l]), json_object());
		autofree char *text = json_dump(root);
		assert_null(trusted_root_parse(str_of(text), &err));
		assert_int_equal(err.code, ERR_LIMIT);
	}
}

static void S58_no_root(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "{", "[]", "{}", "null", "{\"mediaType\": 1}"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		assert_null(trusted_root_parse(str_of(bad[i]), &err));
		assert_true(cstr_starts(err_text(&err), "unable to parse trusted root"));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(S57_inclusion_proofs),
		cmocka_unit_test(S57_a_tree_of_one),
		cmocka_unit_test(S57_checkpoints),
		cmocka_unit_test(S57_checkpoints_have_a_limit),
		cmocka_unit_test(S57_proofs_have_a_limit),
		cmocka_unit_test(S57_numbers_of_entries),
		cmocka_unit_test(S58_roots_have_limits),
		cmocka_unit_test(S58_no_root),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
