/*
 * A commit's tree in lexical order. Trees are parsed here ("MODE NAME NUL HASH"), because Git sorts
 * "a/" behind "a.b" and a walk of files must not. Names that would leave or shadow a directory end
 * the walk. Bounds: depth, entries in all (a tree that holds itself many times over is small on
 * the wire), bytes of one tree, length of a path.
 */
#include "git/store_internal.h"

#include <strings.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "data/digest.h"

enum {
	MAX_TREE_BYTES = 64 << 20,
	MAX_DEPTH = 128,
	MAX_ENTRIES = 1000 * 1000,
	MAX_PATH = 4096,
	RAW_HASH = 20,
};

typedef struct {
	unsigned mode;
	Str name; /* in the tree's bytes */
	char hash[GIT_HASH_SIZE];
} TreeEntry;

typedef struct {
	GitStore *store;
	bool (*fn)(void *arg, const GitEntry *entry, Error *err);
	void *arg;
	size_t count;
} Walk;

/* --- one tree --- */

static bool name_is_safe(Str name)
{
	if (name.len == 0 || memchr(name.ptr, '/', name.len))
		return false;
	if (str_eq(name, STR(".")) || str_eq(name, STR("..")))
		return false;
	return !(name.len == 4 && strncasecmp(name.ptr, ".git", 4) == 0);
}

/* Git's canonical modes; old trees have 100664 and the like. 0 for anything else. */
static unsigned canonical_mode(unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return mode & S_IXUSR ? 0100755 : 0100644;
	case S_IFDIR:
	case S_IFLNK:
	case 0160000:
		return mode & S_IFMT;
	default:
		return 0;
	}
}

static bool parse_mode(Str digits, unsigned *out)
{
	unsigned mode = 0;
	if (digits.len == 0 || digits.len > 6)
		return false;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '7')
			return false;
		mode = mode * 8 + (unsigned)(digits.ptr[i] - '0');
	}
	*out = canonical_mode(mode);
	return *out != 0;
}

/* Takes one entry off *rest. */
static bool take_entry(Str *rest, TreeEntry *out, Error *err)
{
	Str digits, after;
	if (!str_cut(*rest, ' ', &digits, &after) || !parse_mode(digits, &out->mode))
		return err_set(err, ERR_INVALID, "tree entry with a bad mode");
	if (!str_cut(after, '\0', &out->name, &after) || after.len < RAW_HASH)
		return err_set(err, ERR_INVALID, "tree cut short");
	if (!name_is_safe(out->name))
		return err_set(err, ERR_INVALID, "tree entry with the name \"%.*s\"",
			       (int)(out->name.len < 64 ? out->name.len : 64), out->name.ptr);
	hex_encode((const unsigned char *)after.ptr, RAW_HASH, out->hash);
	*rest = str_slice(after, RAW_HASH, after.len);
	return true;
}

static int compare_entries(const void *a, const void *b)
{
	const TreeEntry *x = a, *y = b;
	size_t len = x->name.len < y->name.len ? x->name.len : y->name.len;
	int order = memcmp(x->name.ptr, y->name.ptr, len);
	if (order == 0 && x->name.len != y->name.len)
		return x->name.len < y->name.len ? -1 : 1;
	return order;
}

static bool parse_tree(Str bytes, TreeEntry **out, size_t *out_count, Error *err)
{
	autofree TreeEntry *entries = NULL;
	size_t count = 0, cap = 0;
	while (bytes.len) {
		if (count == cap) {
			cap = cap ? cap * 2 : 16;
			entries = mem_realloc(entries, cap * sizeof(TreeEntry));
		}
		if (count >= MAX_ENTRIES)
			return err_set(err, ERR_LIMIT, "more than %d entries", MAX_ENTRIES);
		if (!take_entry(&bytes, &entries[count++], err))
			return false;
	}
	if (count)
		qsort(entries, count, sizeof(TreeEntry), compare_entries);
	for (size_t i = 1; i < count; i++)
		if (compare_entries(&entries[i - 1], &entries[i]) == 0)
			return err_set(err, ERR_INVALID, "tree with a name twice");
	*out = steal(&entries);
	*out_count = count;
	return true;
}

/* --- the walk --- */

static bool walk_tree(Walk *walk, const char *hash, Buf *path, int depth, Error *err);

static bool visit(Walk *walk, const TreeEntry *entry, Buf *path, int depth, Error *err)
{
	if (++walk->count > MAX_ENTRIES)
		return err_set(err, ERR_LIMIT, "more than %d files and directories", MAX_ENTRIES);
	size_t before = path->len;
	if (before)
		buf_putc(path, '/');
	buf_add(path, entry->name);
	if (path->len > MAX_PATH)
		return err_set(err, ERR_LIMIT, "path of more than %d bytes", MAX_PATH);
	GitEntry given = {buf_text(path), entry->mode, entry->hash};
	if (!walk->fn(walk->arg, &given, err))
		return false;
	if (entry->mode == S_IFDIR && !walk_tree(walk, entry->hash, path, depth + 1, err))
		return false;
	path->len = before;
	path->ptr[before] = '\0';
	return true;
}

static bool walk_tree(Walk *walk, const char *hash, Buf *path, int depth, Error *err)
{
	if (depth > MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "directories deeper than %d", MAX_DEPTH);
	autogitobject git_odb_object *tree =
		git_store_read(walk->store, hash, GIT_OBJECT_TREE, MAX_TREE_BYTES, err);
	autofree TreeEntry *entries = NULL;
	size_t count = 0;
	if (!tree)
		return false;
	if (!parse_tree(git_object_bytes(tree), &entries, &count, err))
		return err_wrap(err, "tree %s", hash);
	for (size_t i = 0; i < count; i++)
		if (!visit(walk, &entries[i], path, depth, err))
			return false;
	return true;
}

bool git_store_walk(GitStore *store, const char *commit_hash,
		    bool (*fn)(void *arg, const GitEntry *entry, Error *err), void *arg, Error *err)
{
	autogitcommit GitCommit commit = {0};
	autobuf Buf path = {0};
	Walk walk = {.store = store, .fn = fn, .arg = arg};
	if (!git_store_commit(store, commit_hash, &commit, err))
		return false;
	return walk_tree(&walk, commit.tree, &path, 1, err);
}
