/*
 * The file has the contents one after the other. The index is sorted by path; directories are in it
 * where the archive names them, and else known by what lies below. What is written is gathered, so
 * that small files do not cost a call each.
 */
#include "archive/file_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/unpack_internal.h"
#include "base/fd.h"
#include "base/mem.h"

enum { GATHERED_BYTES = 64 << 10, MAX_NAMES = 64 << 20 };

typedef struct {
	uint64_t offset, size; /* of its contents */
	uint32_t name;	       /* where it begins in `names`: those of the archive come in order */
	bool is_dir;
} Entry;

struct FileTree {
	int fd;
	Entry *entries;
	size_t count, cap;
	Buf names; /* each with its NUL */
};

/* While it is made. */
typedef struct {
	FileTree *tree;
	Buf gathered;
	uint64_t written;
} Writer;

void file_tree_free(FileTree *tree)
{
	if (!tree)
		return;
	auto_close(&tree->fd);
	free(tree->entries);
	buf_dispose(&tree->names);
	free(tree);
}

/* --- what the archive has --- */

static bool add_entry(FileTree *tree, const char *path, uint64_t offset, bool is_dir, Error *err)
{
	if (tree->names.len + strlen(path) >= MAX_NAMES)
		return err_set(err, ERR_LIMIT, "archive whose names have more than %d bytes",
			       MAX_NAMES);
	if (tree->count == tree->cap) {
		tree->cap = tree->cap ? tree->cap * 2 : 64;
		tree->entries = mem_realloc(tree->entries, tree->cap * sizeof(*tree->entries));
	}
	tree->entries[tree->count++] =
		(Entry){.offset = offset, .name = (uint32_t)tree->names.len, .is_dir = is_dir};
	buf_append(&tree->names, path, strlen(path) + 1);
	return true;
}

static bool take_dir(void *arg, const char *path, unsigned mode, Error *err)
{
	const Writer *writer = arg;
	(void)mode;
	return add_entry(writer->tree, path, 0, true, err);
}

static bool take_file(void *arg, const char *path, unsigned mode, uint64_t size, Error *err)
{
	const Writer *writer = arg;
	(void)mode;
	(void)size;
	return add_entry(writer->tree, path, writer->written + writer->gathered.len, false, err);
}

static bool write_gathered(Writer *writer, Error *err)
{
	if (!fd_write_all(writer->tree->fd, writer->gathered.ptr, writer->gathered.len, err))
		return false;
	writer->written += writer->gathered.len;
	buf_clear(&writer->gathered);
	return true;
}

static bool take_data(void *arg, const void *bytes, size_t len, Error *err)
{
	Writer *writer = arg;
	buf_append(&writer->gathered, bytes, len);
	return writer->gathered.len < GATHERED_BYTES || write_gathered(writer, err);
}

static bool end_file(void *arg, Error *err)
{
	const Writer *writer = arg;
	Entry *entry = &writer->tree->entries[writer->tree->count - 1];
	(void)err;
	entry->size = writer->written + writer->gathered.len - entry->offset;
	return true;
}

/* --- the index --- */

static const char *name_of(const FileTree *tree, const Entry *entry)
{
	return tree->names.ptr + entry->name;
}

/* As paths are ordered name by name: what lies below a directory follows it at once, and the names
 * in it come sorted. */
static int order_of(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	int one = *a == '/' ? 1 : *a ? (unsigned char)*a + 1 : 0;
	int other = *b == '/' ? 1 : *b ? (unsigned char)*b + 1 : 0;
	return one - other;
}

/* Of one path the later one behind the earlier. */
static int compare(const void *a, const void *b, void *arg)
{
	const Entry *one = a, *other = b;
	int order = order_of(name_of(arg, one), name_of(arg, other));
	return order ? order : (one->name > other->name) - (one->name < other->name);
}

static const char *name_at(const FileTree *tree, size_t index)
{
	return index < tree->count ? name_of(tree, &tree->entries[index]) : "";
}

/* The first entry that is not before the path. */
static size_t first_from(const FileTree *tree, const char *path)
{
	size_t low = 0, high = tree->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (order_of(name_at(tree, middle), path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* How what lies below a directory begins. Owned. */
static char *prefix_of(const char *dir)
{
	return cstr_eq(dir, ".") ? mem_strdup("") : mem_printf("%s/", dir);
}

static bool has_below(const FileTree *tree, const char *dir)
{
	autofree char *prefix = prefix_of(dir);
	return cstr_starts(name_at(tree, first_from(tree, prefix)), prefix);
}

static const Entry *find(const FileTree *tree, const char *path)
{
	size_t at = first_from(tree, path);
	return *path && cstr_eq(name_at(tree, at), path) ? &tree->entries[at] : NULL;
}

static bool contradicts(const char *path, Error *err)
{
	return err_set(err, ERR_INVALID, "archive entry \"%.200s\" is a file and a directory",
		       path);
}

/* What comes twice counts as it came last, as when files are written one over the other. */
static bool drop_repeated(FileTree *tree, Error *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < tree->count; i++) {
		const char *name = name_at(tree, i);
		bool again = kept && cstr_eq(name_at(tree, kept - 1), name);
		if (again && tree->entries[kept - 1].is_dir != tree->entries[i].is_dir)
			return contradicts(name, err);
		kept -= again;
		tree->entries[kept++] = tree->entries[i];
	}
	tree->count = kept;
	return true;
}

static bool make_index(FileTree *tree, Error *err)
{
	if (tree->count)
		qsort_r(tree->entries, tree->count, sizeof(*tree->entries), compare, tree);
	if (!drop_repeated(tree, err))
		return false;
	for (size_t i = 0; i < tree->count; i++) {
		const char *name = name_at(tree, i);
		if (!tree->entries[i].is_dir && has_below(tree, name))
			return contradicts(name, err);
	}
	tree->cap = tree->count ? tree->count : 1;
	tree->entries = mem_realloc(tree->entries, tree->cap * sizeof(*tree->entries));
	return true;
}

FileTree *file_tree_unpack(int fd, const char *dir, const UnpackLimits *limits, Error *err)
{
	autofiletree FileTree *tree = mem_zalloc(1, sizeof(*tree));
	tree->fd = fd_nameless(dir, err);
	if (tree->fd < 0)
		return NULL;
	Writer writer = {.tree = tree};
	const UnpackTarget target = {&writer, NULL, take_dir, take_file, take_data, end_file};
	bool ok = unpack_fd_for(fd, &target, limits, err) && write_gathered(&writer, err) &&
		  make_index(tree, err);
	buf_dispose(&writer.gathered);
	return ok ? steal(&tree) : NULL;
}

/* --- who reads --- */

FileTreeNode file_tree_stat(const FileTree *tree, const char *path)
{
	if (cstr_eq(path, "."))
		return FILE_TREE_DIR;
	const Entry *entry = find(tree, path);
	if (entry)
		return entry->is_dir ? FILE_TREE_DIR : FILE_TREE_FILE;
	return has_below(tree, path) ? FILE_TREE_DIR : FILE_TREE_NONE;
}

static bool absent(const char *path, Error *err)
{
	return err_set(err, ERR_NOT_FOUND, "open %s: %s", path, strerror(ENOENT));
}

bool file_tree_read(const FileTree *tree, const char *path, size_t limit, Buf *out, Error *err)
{
	const Entry *entry = find(tree, path);
	if (!entry && file_tree_stat(tree, path) == FILE_TREE_NONE)
		return absent(path, err);
	if (!entry || entry->is_dir)
		return err_set(err, ERR_INVALID, "%s: not a file", path);
	if (entry->size > limit)
		return err_set(err, ERR_LIMIT, "%s: over %zu bytes", path, limit);
	return fd_read_at(tree->fd, entry->offset, (size_t)entry->size, out, err) ||
	       err_wrap(err, "%s", path);
}

bool file_tree_list(const FileTree *tree, const char *path, size_t limit, Vec *out, Error *err)
{
	FileTreeNode node = file_tree_stat(tree, path);
	if (node == FILE_TREE_NONE)
		return absent(path, err);
	if (node == FILE_TREE_FILE)
		return err_set(err, ERR_INVALID, "%s: not a directory", path);
	autofree char *prefix = prefix_of(path);
	size_t skip = strlen(prefix), first = out->len;
	for (size_t at = first_from(tree, prefix); at < tree->count; at++) {
		const char *rest = name_at(tree, at) + skip;
		if (!cstr_starts(name_at(tree, at), prefix))
			break;
		size_t len = strcspn(rest, "/");
		const char *last = out->len > first ? out->items[out->len - 1] : "";
		if (strlen(last) == len && strncmp(last, rest, len) == 0)
			continue;
		if (out->len - first == limit)
			return err_set(err, ERR_LIMIT, "%s: more than %zu entries", path, limit);
		vec_push(out, mem_strndup(rest, len));
	}
	return true;
}
