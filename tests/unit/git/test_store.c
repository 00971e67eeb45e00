/* Packs, commits, tags, trees and blobs of repositories that git made; and bytes that it never
 * would. */
#include "../cmocka_all.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "fixture.h"
#include "git/object.h"
#include "git/store_internal.h"

/* A store with everything that `revisions` of DIR/repo.git reach. */
static GitStore *store_of(const char *dir, const char *revisions)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, "store");
	autobuf Buf pack = {0};
	free(shell(dir, "git -C repo.git rev-list --objects %s | cut -d' ' -f1 > objects",
		   revisions));
	free(shell(dir, "git -C repo.git pack-objects --stdout -q < objects > pack"));
	autofree char *pack_path = path_join(dir, "pack");
	assert_true(file_read(pack_path, 1 << 20, &pack, &err));
	GitStore *store = git_store_open(path, &err);
	autogitpackwriter GitPackWriter *writer =
		git_pack_writer_new(store, &(GitPackLimits){0}, &err);
	/* In odd pieces, as a network gives them. */
	for (size_t at = 0; at < pack.len; at += 37) {
		size_t len = pack.len - at < 37 ? pack.len - at : 37;
		assert_true(git_pack_writer_put(writer, pack.ptr + at, len, &err));
	}
	if (!git_pack_writer_finish(writer, &(GitBoundary){0}, &err))
		fail_msg("%s", err_text(&err));
	assert_int_equal(git_pack_writer_bytes(writer), pack.len);
	return store;
}

/* --- trees --- */

static bool note_entry(void *arg, const GitEntry *entry, Error *err)
{
	(void)err;
	buf_printf(arg, "%06o %s\n", entry->mode, entry->path);
	return true;
}

static void walk_is_lexical_with_directories_first(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	make_repo(dir);
	autogitstore GitStore *store = store_of(dir, "main");
	autofree char *hash = rev(dir, "main");
	autobuf Buf seen = {0};
	autoerror Error err = {0};
	assert_true(git_store_walk(store, hash, note_entry, &seen, &err));
	/* git ls-tree has deploy-x and deploy.sh before deploy. */
	assert_string_equal(seen.ptr, "100644 README.md\n"
				      "040000 deploy\n"
				      "100644 deploy/app.yaml\n"
				      "040000 deploy-x\n"
				      "100644 deploy-x/y\n"
				      "100755 deploy.sh\n"
				      "120000 link\n");
}

static bool refuse_second(void *arg, const GitEntry *entry, Error *err)
{
	(void)entry;
	return ++*(int *)arg < 2 || err_set(err, ERR_CANCELLED, "enough");
}

static void walk_ends_when_the_caller_says_so(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	make_repo(dir);
	autogitstore GitStore *store = store_of(dir, "main");
	autofree char *hash = rev(dir, "main");
	autoerror Error err = {0};
	int count = 0;
	assert_false(git_store_walk(store, hash, refuse_second, &count, &err));
	assert_int_equal(err.code, ERR_CANCELLED);
	assert_int_equal(count, 2);
}

/* Makes a commit of a tree object with these bytes, in perl's notation. */
static char *commit_of_tree(const char *dir, const char *perl)
{
	return shell(
		dir,
		"cd repo.git && B=$(git rev-parse main:README.md) T=$(git rev-parse main^{tree})"
		" && export B T &&"
		"t=$(perl -e '$b = pack(\"H*\", $ENV{B}); $t = pack(\"H*\", $ENV{T}); print %s'"
		" | git hash-object -t tree --literally -w --stdin) &&"
		"git commit-tree -m x $t",
		perl);
}

static void hostile_trees_are_refused(void **state)
{
	(void)state;
	static const char *const trees[] = {
		"\"100644 .git\\0$b\"",	 "\"40000 .GIT\\0$t\"", "\"100644 ..\\0$b\"",
		"\"100644 .\\0$b\"",	 "\"100644 a/b\\0$b\"", "\"100644 \\0$b\"",
		"\"100644 a\\0$b\" x 2", "\"100644 a\\0abc\"",	"\"10064x a\\0$b\"",
		"\"60644 a\\0$b\"",	 "\"100644 a\"",	"\"100644\"",
		"\"40000 a\\0$b\"", /* a blob as a directory */
	};
	autotempdir char *dir = temp_dir();
	make_repo(dir);
	for (size_t i = 0; i < COUNT(trees); i++) {
		autofree char *hash = commit_of_tree(dir, trees[i]);
		free(shell(
			dir,
			"rm -rf store && cd repo.git && { echo %s && git rev-parse %s^{tree}"
			" main^{tree} main:README.md; } | git pack-objects -q --stdout > ../pack",
			hash, hash));
		autoerror Error err = {0};
		autofree char *path = path_join(dir, "store"), *pack_path = path_join(dir, "pack");
		autobuf Buf pack = {0}, seen = {0};
		assert_true(file_read(pack_path, 1 << 20, &pack, &err));
		autogitstore GitStore *store = git_store_open(path, &err);
		autogitpackwriter GitPackWriter *writer =
			git_pack_writer_new(store, &(GitPackLimits){0}, &err);
		assert_true(git_pack_writer_put(writer, pack.ptr, pack.len, &err));
		assert_true(git_pack_writer_finish(writer, &(GitBoundary){0}, &err));
		if (git_store_walk(store, hash, note_entry, &seen, &err))
			fail_msg("%s: %s", trees[i], buf_text(&seen));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

static void tree_that_multiplies_is_limited(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	make_repo(dir);
	/* Ten names a level, ten levels: 10^10 files in 1 KiB. */
	autofree char *hash = shell(
		dir, "cd repo.git && b=$(echo x | git hash-object -w --stdin) && t=\n"
		     "for n in 0 1 2 3 4 5 6 7 8 9; do printf \"100644 blob $b\\t$n\\n\"; done"
		     " | git mktree > ../t && for l in 1 2 3 4 5 6 7 8 9; do\n"
		     "t=$(cat ../t); for n in 0 1 2 3 4 5 6 7 8 9; do"
		     " printf \"040000 tree $t\\t$n\\n\"; done | git mktree > ../t2;"
		     " mv ../t2 ../t; done; git commit-tree -m bomb $(cat ../t)");
	autogitstore GitStore *store = store_of(dir, hash);
	autoerror Error err = {0};
	autobuf Buf seen = {0};
	assert_false(git_store_walk(store, hash, note_entry, &seen, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

/* --- blobs and packs --- */

static void blobs_have_a_limit(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	make_repo(dir);
	autogitstore GitStore *store = store_of(dir, "main");
	autofree char *hash = rev(dir, "main:README.md"), *tree = rev(dir, "main^{tree}");
	autoerror Error err = {0}, small = {0}, wrong = {0}, absent = {0};
	size_t len;
	autogitblob GitBlob *blob = git_store_blob(store, hash, 6, &err);
	assert_memory_equal(git_blob_bytes(blob, &len), "hello\n", 6);
	assert_int_equal(len, 6);
	assert_null(git_store_blob(store, hash, 5, &small));
	assert_int_equal(small.code, ERR_LIMIT);
	assert_null(git_store_blob(store, tree, 1000, &wrong));
	assert_int_equal(wrong.code, ERR_INVALID);
	assert_null(git_store_blob(store, "0000000000000000000000000000000000000001", 9, &absent));
	assert_int_equal(absent.code, ERR_NOT_FOUND);
	assert_false(git_store_has(store, "no hash"));
}

static bool take_pack(GitStore *store, const char *bytes, size_t len, Error *err)
{
	autogitpackwriter GitPackWriter *writer =
		git_pack_writer_new(store, &(GitPackLimits){0}, err);
	return git_pack_writer_put(writer, bytes, len, err) &&
	       git_pack_writer_finish(writer, &(GitBoundary){0}, err);
}

static void damaged_packs_leave_nothing(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	autoerror Error err = {0};
	autobuf Buf pack = {0};
	read_whole_pack(dir, &pack);
	autofree char *path = path_join(dir, "store");
	autogitstore GitStore *store = git_store_open(path, &err);
	for (size_t at = 0; at < pack.len; at += 11) {
		autoerror Error bad = {0}, cut = {0};
		assert_false(take_pack(store, pack.ptr, at, &cut));
		pack.ptr[at] ^= 0x55;
		assert_false(take_pack(store, pack.ptr, pack.len, &bad));
		pack.ptr[at] ^= 0x55;
	}
	autofree char *left = shell(dir, "ls -A store/objects/pack | wc -l");
	assert_string_equal(left, "0"); /* S102 */
	assert_true(take_pack(store, pack.ptr, pack.len, &err));
}

static void S38_unpacking_has_a_deadline(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	autoerror Error err = {0};
	autobuf Buf pack = {0};
	read_whole_pack(dir, &pack);
	autofree char *path = path_join(dir, "store");
	autogitstore GitStore *store = git_store_open(path, &err);
	autogitpackwriter GitPackWriter *writer =
		git_pack_writer_new(store, &(GitPackLimits){.deadline_ms = 1}, &err);
	assert_false(git_pack_writer_put(writer, pack.ptr, pack.len, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
}

static void empty_pack_is_fine(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	autoerror Error err = {0};
	autogitstore GitStore *store = git_store_open(dir, &err);
	autofree char *made = shell(dir, "git init -q x && cd x && git pack-objects -q --stdout "
					 "< /dev/null > ../empty; wc -c < ../empty");
	assert_string_equal(made, "32");
	autobuf Buf pack = {0};
	autofree char *path = path_join(dir, "empty");
	assert_true(file_read(path, 100, &pack, &err));
	assert_true(take_pack(store, pack.ptr, pack.len, &err));
}

static void boundaries_are_kept_as_git_keeps_them(void **state)
{
	(void)state;
	static char a[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	static char b[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
	autotempdir char *dir = temp_dir();
	autoerror Error err = {0};
	{
		autogitstore GitStore *store = git_store_open(dir, &err);
		autovec Vec both = {0};
		vec_push(&both, a);
		vec_push(&both, b);
		vec_push(&both, a);
		assert_true(git_store_save_shallow(store, &(GitBoundary){.shallow = both}, &err));
	}
	autogitstore GitStore *store = git_store_open(dir, &err);
	assert_int_equal(store->shallow.len, 2);
	autovec Vec gone = {0};
	vec_push(&gone, a);
	assert_true(git_store_save_shallow(store, &(GitBoundary){.unshallow = gone}, &err));
	autofree char *text = read_file(dir, "shallow");
	assert_string_equal(text, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n");
}

/* --- commits and tags --- */

static void commits_and_tags_are_read(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	make_repo(dir);
	autogitstore GitStore *store = store_of(dir, "main v1.0.0");
	autofree char *hash = rev(dir, "main~1"), *tag_hash = rev(dir, "v1.0.0");
	autofree char *tree = rev(dir, "main~1^{tree}");
	autofree char *time = shell(dir, "git -C repo.git log -1 --format=%%ct main~1");
	autoerror Error err = {0}, no_tag = {0}, no_commit = {0};
	autogitcommit GitCommit commit = {0}, tag = {0}, none = {0};
	assert_true(git_store_commit(store, hash, &commit, &err));
	assert_string_equal(commit.hash, hash);
	assert_string_equal(commit.tree, tree);
	assert_string_equal(commit.message, "second one\n\nwith a body\n");
	assert_string_equal(commit.author, "Ann Author <ann@example.org>");
	assert_string_equal(commit.committer, "Con Mit <con@example.org>");
	assert_int_equal(commit.time_s, strtoll(time, NULL, 10));
	assert_null(commit.signature);
	assert_null(commit.signed_payload);
	assert_true(git_store_tag(store, tag_hash, &tag, &err));
	assert_string_equal(tag.target, hash);
	assert_true(tag.target_is_commit);
	assert_string_equal(tag.name, "v1.0.0");
	assert_string_equal(tag.message, "release one\n");
	assert_string_equal(tag.committer, "Con Mit <con@example.org>");
	assert_null(tag.signature);
	assert_false(git_store_tag(store, hash, &none, &no_tag));
	assert_int_equal(no_tag.code, ERR_INVALID);
	assert_false(git_store_commit(store, tag_hash, &none, &no_commit));
	assert_int_equal(no_commit.code, ERR_INVALID);
}

static void verify_with_ssh_keygen(const char *dir, const GitCommit *object)
{
	assert_non_null(object->signature);
	assert_non_null(object->signed_payload);
	write_file(dir, "signature", object->signature);
	write_file(dir, "payload", object->signed_payload);
	free(shell(dir,
		   "ssh-keygen -q -Y verify -f signers -I me@x -n git -s signature < payload"));
}

static void S39_ssh_signatures_cover_the_payload(void **state)
{
	(void)state;
	autotempdir char *dir = temp_dir();
	free(shell(dir, "ssh-keygen -q -t ed25519 -N '' -f key &&"
			"echo \"me@x $(cat key.pub)\" > signers && git init -q -b main w && cd w &&"
			"git config gpg.format ssh && git config user.signingkey ../key.pub &&"
			"echo x > f && git add . && git commit -qm base && git checkout -qb side &&"
			"git commit -qS --allow-empty -m 'signed\n\nbody\n' &&"
			"git tag -s -m 'signed tag' st && git checkout -q main &&"
			"git merge -qS --no-ff -m merge st && git clone -q --bare . ../repo.git"));
	autogitstore GitStore *store = store_of(dir, "main st");
	static const char *const commits[] = {"side", "main"};
	autofree char *tag_hash = rev(dir, "st");
	autoerror Error err = {0};
	for (size_t i = 0; i < COUNT(commits); i++) {
		/* main has a mergetag header with an armor inside, before its own. */
		autofree char *hash = rev(dir, commits[i]);
		autogitcommit GitCommit commit = {0};
		assert_true(git_store_commit(store, hash, &commit, &err));
		assert_true(cstr_starts(commit.signature, "-----BEGIN SSH SIGNATURE-----\n"));
		verify_with_ssh_keygen(dir, &commit);
		bool merged = strstr(commit.signed_payload, "mergetag object") != NULL;
		assert_int_equal(merged, i);
	}
	autogitcommit GitCommit tag = {0};
	assert_true(git_store_tag(store, tag_hash, &tag, &err));
	assert_string_equal(tag.message, "signed tag\n");
	verify_with_ssh_keygen(dir, &tag);
}

#define TREE "tree aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
#define PEOPLE "author A <a> 1 +0000\ncommitter C <c> 2 +0000\n"

static void signature_headers_are_taken_out_exactly(void **state)
{
	(void)state;
	static const char raw[] = TREE PEOPLE "gpgsig-sha256 other\n more\n"
					      "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n"
					      " -----END PGP SIGNATURE-----\n"
					      "encoding x\n\ngpgsig in the text\n";
	autogitcommit GitCommit commit = {0};
	autoerror Error err = {0};
	assert_true(git_commit_parse(str_of(raw), &commit, &err));
	assert_string_equal(commit.signature, "-----BEGIN PGP SIGNATURE-----\n\nabc\n"
					      "-----END PGP SIGNATURE-----\n");
	assert_string_equal(commit.signed_payload,
			    TREE PEOPLE "encoding x\n\ngpgsig in the text\n");
	assert_string_equal(commit.message, "gpgsig in the text\n");
	assert_int_equal(commit.time_s, 2);
}

static void a_signature_behind_a_nul_does_not_count(void **state)
{
	(void)state;
	static const char raw[] = TREE PEOPLE "gpgsig x\n\nmessage\0hidden\n";
	autogitcommit GitCommit commit = {0};
	autoerror Error err = {0};
	assert_true(git_commit_parse(str_sized(raw, sizeof(raw) - 1), &commit, &err));
	assert_null(commit.signature);
	assert_null(commit.signed_payload);
}

static void bad_objects_are_refused(void **state)
{
	(void)state;
	static const char *const commits[] = {
		"",
		"tree\n",
		"tree abc\n" PEOPLE "\nx",
		PEOPLE TREE "\nx",
		TREE "author A <a> 1 +0000\n\nx",
		TREE PEOPLE "gpgsig a\ngpgsig b\n\nx",
	};
	static const char *const tags[] = {
		"",
		"object abc\ntype commit\ntag x\n\nm",
		"type commit\ntag x\n\nm",
		"object aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\ntype commit\n\ntag x\n",
	};
	for (size_t i = 0; i < COUNT(commits); i++) {
		autogitcommit GitCommit commit = {0};
		autoerror Error err = {0};
		assert_false(git_commit_parse(str_of(commits[i]), &commit, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	for (size_t i = 0; i < COUNT(tags); i++) {
		autogitcommit GitCommit tag = {0};
		autoerror Error err = {0};
		assert_false(git_tag_parse(str_of(tags[i]), &tag, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_is_lexical_with_directories_first),
		cmocka_unit_test(walk_ends_when_the_caller_says_so),
		cmocka_unit_test(hostile_trees_are_refused),
		cmocka_unit_test(tree_that_multiplies_is_limited),
		cmocka_unit_test(blobs_have_a_limit),
		cmocka_unit_test(damaged_packs_leave_nothing),
		cmocka_unit_test(S38_unpacking_has_a_deadline),
		cmocka_unit_test(empty_pack_is_fine),
		cmocka_unit_test(boundaries_are_kept_as_git_keeps_them),
		cmocka_unit_test(commits_and_tags_are_read),
		cmocka_unit_test(S39_ssh_signatures_cover_the_payload),
		cmocka_unit_test(signature_headers_are_taken_out_exactly),
		cmocka_unit_test(a_signature_behind_a_nul_does_not_count),
		cmocka_unit_test(bad_objects_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
