/*
 * Reads tar records pushed in pieces of any size. States: HEADER -> (META | DATA) -> PAD -> HEADER,
 * until a record of zeros: END. Each entry's size, whatever its type, counts against max_bytes.
 */
#include "archive/unpack_internal.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

void tar_reader_init(TarReader *tar, const UnpackTarget *target, const UnpackLimits *limits)
{
	*tar = (TarReader){.limits = *limits, .target = *target};
}

void tar_reader_dispose(TarReader *tar)
{
	entry_meta_dispose(&tar->meta);
	buf_dispose(&tar->text);
}

/* The name of the entry at hand: of a pax or GNU record, else "prefix/name". Owned. */
static char *entry_name(const TarReader *tar)
{
	const TarHeader *h = &tar->header;
	if (tar->meta.path)
		return mem_strdup(tar->meta.path);
	autofree char *name = mem_strndup(h->name, strnlen(h->name, sizeof(h->name)));
	/* GNU's own format ("ustar  ") keeps other things where the prefix is. */
	bool has_prefix = memcmp(h->magic, "ustar", sizeof(h->magic)) == 0 && h->prefix[0];
	if (!has_prefix)
		return steal(&name);
	return mem_printf("%.*s/%s", (int)strnlen(h->prefix, sizeof(h->prefix)), h->prefix, name);
}

/* Counts the entry and tells its size. */
static bool entry_size(TarReader *tar, uint64_t *out, Error *err)
{
	uint64_t size;
	if (!tar_number(tar->header.size, sizeof(tar->header.size), &size))
		return err_set(err, ERR_INVALID, "archive entry with an impossible size");
	if (tar->meta.has_size)
		size = tar->meta.size;
	if (++tar->entries > tar->limits.max_entries)
		return err_set(err, ERR_LIMIT, "archive of more than %llu entries",
			       (unsigned long long)tar->limits.max_entries);
	if (size > tar->limits.max_bytes - tar->total)
		return err_set(err, ERR_LIMIT, "archive of more than %llu bytes unpacked",
			       (unsigned long long)tar->limits.max_bytes);
	tar->total += size;
	*out = size;
	return true;
}

static void expect_data(TarReader *tar, TarState state, uint64_t size)
{
	tar->left = size;
	tar->pad = (size_t)((TAR_RECORD - size % TAR_RECORD) % TAR_RECORD);
	tar->state = size ? state : AT_HEADER;
}

static bool close_file(TarReader *tar, Error *err)
{
	bool was_open = tar->is_open;
	tar->is_open = false;
	return !was_open || tar->target.close(tar->target.arg, err);
}

static bool start_file(TarReader *tar, const char *path, uint64_t size, Error *err)
{
	uint64_t mode;
	if (!*path)
		return err_set(err, ERR_INVALID, "archive entry for the root is not a directory");
	if (!tar_number(tar->header.mode, sizeof(tar->header.mode), &mode))
		return err_set(err, ERR_INVALID, "archive is damaged: mode");
	if (!tar->target.open(tar->target.arg, path, (unsigned)(mode & 0777), size, err))
		return false;
	tar->is_open = true;
	expect_data(tar, AT_DATA, size);
	return size || close_file(tar, err);
}

static bool start_dir(TarReader *tar, const char *path, uint64_t size, Error *err)
{
	uint64_t mode;
	if (!tar_number(tar->header.mode, sizeof(tar->header.mode), &mode))
		return err_set(err, ERR_INVALID, "archive is damaged: mode");
	if (size)
		return err_set(err, ERR_INVALID, "archive directory with data");
	tar->state = AT_HEADER;
	return !*path || tar->target.dir(tar->target.arg, path, (unsigned)(mode & 0777), err);
}

static bool start_link(TarReader *tar, const char *name, uint64_t size, Error *err)
{
	if (tar->limits.refuse_links)
		return err_set(err, ERR_INVALID, "archive entry \"%.200s\" is a symbolic link",
			       name);
	expect_data(tar, AT_DATA, size); /* no file is open: what follows is dropped */
	return true;
}

static bool start_typed(TarReader *tar, const char *name, const char *path, uint64_t size,
			Error *err)
{
	size_t len = strlen(name);
	bool has_slash = len && name[len - 1] == '/';
	switch (tar->header.type) {
	case '\0': /* V7: a directory is told by its slash */
		return has_slash ? start_dir(tar, path, size, err)
				 : start_file(tar, path, size, err);
	case '0':
	case '7':
		return start_file(tar, path, size, err);
	case '5':
		return start_dir(tar, path, size, err);
	case '2':
		return start_link(tar, name, size, err);
	default:
		return err_set(err, ERR_INVALID,
			       "archive entry \"%.200s\" is of unsupported type 0x%02x", name,
			       (unsigned char)tar->header.type);
	}
}

/* An entry that a target for files alone has no use for. */
static bool is_passed_over(const TarReader *tar, const char *name)
{
	size_t len = strlen(name);
	char type = tar->header.type;
	bool is_file = type == '0' || type == '7' || type == '\0';
	return !tar->target.dir && (!is_file || (len && name[len - 1] == '/'));
}

static bool start_entry(TarReader *tar, uint64_t size, Error *err)
{
	autofree char *name = entry_name(tar);
	if (tar->meta.is_sparse)
		return err_set(err, ERR_INVALID, "archive entry \"%.200s\" is sparse", name);
	if (is_passed_over(tar, name)) {
		expect_data(tar, AT_DATA, size);
		entry_meta_dispose(&tar->meta);
		return true;
	}
	autofree char *path = tar->target.name ? tar->target.name(tar->target.arg, name, err)
					       : unpack_name(name, err);
	if (!path)
		return false;
	bool ok = start_typed(tar, name, path, size, err);
	entry_meta_dispose(&tar->meta);
	return ok;
}

static bool start_meta(TarReader *tar, uint64_t size, Error *err)
{
	if (size > UNPACK_MAX_META)
		return err_set(err, ERR_LIMIT, "archive record of more than %d bytes",
			       UNPACK_MAX_META);
	tar->meta_type = tar->header.type;
	buf_clear(&tar->text);
	expect_data(tar, AT_META, size);
	return true;
}

static bool is_zero(const TarHeader *header)
{
	static const TarHeader zero = {0};
	return memcmp(header, &zero, sizeof(zero)) == 0;
}

static bool take_header(TarReader *tar, Error *err)
{
	tar->header_len = 0;
	if (is_zero(&tar->header)) {
		tar->state = AT_END;
		return true;
	}
	if (!tar_checksum_is_right(&tar->header))
		return err_set(err, ERR_INVALID, "archive is damaged: header checksum");
	/* Sizes of the records before an entry are their own headers'. */
	bool is_meta = memchr("xgLK", tar->header.type, 4) != NULL;
	uint64_t size = 0;
	EntryMeta kept = tar->meta;
	if (is_meta)
		tar->meta = (EntryMeta){0};
	bool ok = entry_size(tar, &size, err);
	tar->meta = kept;
	if (!ok)
		return false;
	return is_meta ? start_meta(tar, size, err) : start_entry(tar, size, err);
}

static bool end_meta(TarReader *tar, Error *err)
{
	if (tar->meta_type == 'x')
		return entry_meta_pax(&tar->meta, buf_str(&tar->text), err);
	if (tar->meta_type == 'L')
		return entry_meta_long_name(&tar->meta, buf_str(&tar->text), err);
	return true; /* global records and names of links are not used */
}

/* Data of the entry at hand. *used bytes are taken. */
static bool take_data(TarReader *tar, const char *bytes, size_t len, size_t *used, Error *err)
{
	size_t part = len < tar->left ? len : (size_t)tar->left;
	*used = part;
	tar->left -= part;
	if (tar->state == AT_META)
		buf_append(&tar->text, bytes, part);
	else if (tar->is_open && !tar->target.data(tar->target.arg, bytes, part, err))
		return false;
	if (tar->left)
		return true;
	bool ok = tar->state == AT_META ? end_meta(tar, err) : close_file(tar, err);
	tar->state = tar->pad ? AT_PAD : AT_HEADER;
	return ok;
}

static bool take_header_part(TarReader *tar, const char *bytes, size_t len, size_t *used,
			     Error *err)
{
	size_t room = sizeof(tar->header) - tar->header_len;
	*used = len < room ? len : room;
	memcpy((char *)&tar->header + tar->header_len, bytes, *used);
	tar->header_len += *used;
	return tar->header_len < sizeof(tar->header) || take_header(tar, err);
}

static bool take_pad(TarReader *tar, size_t len, size_t *used)
{
	*used = len < tar->pad ? len : tar->pad;
	tar->pad -= *used;
	if (!tar->pad)
		tar->state = AT_HEADER;
	return true;
}

/* Behind the end mark only zeros may come: whatever else would be unseen by other readers. */
static bool take_end(const TarReader *tar, const char *bytes, size_t len, size_t *used, Error *err)
{
	(void)tar;
	*used = len;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return err_set(err, ERR_INVALID, "archive is damaged: bytes after its end");
	}
	return true;
}

static bool take_some(TarReader *tar, const char *bytes, size_t len, size_t *used, Error *err)
{
	switch (tar->state) {
	case AT_HEADER:
		return take_header_part(tar, bytes, len, used, err);
	case AT_DATA:
	case AT_META:
		return take_data(tar, bytes, len, used, err);
	case AT_PAD:
		return take_pad(tar, len, used);
	case AT_END:
		return take_end(tar, bytes, len, used, err);
	}
	return false;
}

bool tar_reader_feed(TarReader *tar, const char *bytes, size_t len, Error *err)
{
	while (len) {
		size_t used = 0;
		if (!take_some(tar, bytes, len, &used, err))
			return false;
		bytes += used;
		len -= used;
	}
	return true;
}
