/*
 * Numbers, checksums, names and the records that precede an entry (POSIX.1-2017 pax; GNU tar's
 * base-256 numbers and long names). All strict: what is not understood is refused, not guessed.
 */
#include "archive/unpack_internal.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

void entry_meta_dispose(EntryMeta *meta)
{
	free(meta->path);
	*meta = (EntryMeta){0};
}

static bool number_of_octal(Str text, uint64_t *out)
{
	/* Blanks and NULs stand around the digits. */
	while (text.len && *text.ptr == ' ')
		text = str_slice(text, 1, text.len);
	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\0'))
		text.len--;
	uint64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '7' || value >> 60)
			return false;
		value = value << 3 | (uint64_t)(text.ptr[i] - '0');
	}
	*out = value;
	return true;
}

bool tar_number(const char *field, size_t width, uint64_t *out)
{
	const unsigned char *bytes = (const unsigned char *)field;
	if (!(bytes[0] & 0x80))
		return number_of_octal(str_sized(field, width), out);
	if (bytes[0] & 0x40)
		return false; /* negative */
	uint64_t value = bytes[0] & 0x3f;
	for (size_t i = 1; i < width; i++) {
		if (value >> 55)
			return false;
		value = value << 8 | bytes[i];
	}
	*out = value;
	return true;
}

bool tar_checksum_is_right(const TarHeader *header)
{
	uint64_t want;
	if (!tar_number(header->checksum, sizeof(header->checksum), &want))
		return false;
	TarHeader blank = *header;
	memset(blank.checksum, ' ', sizeof(blank.checksum));
	const unsigned char *bytes = (const unsigned char *)&blank;
	/* Old tars added signed bytes. */
	int64_t sum = 0, signed_sum = 0;
	for (size_t i = 0; i < sizeof(blank); i++) {
		sum += bytes[i];
		signed_sum += (signed char)bytes[i];
	}
	return (int64_t)want == sum || (int64_t)want == signed_sum;
}

/* A name from a record: without NUL, not longer than a path can be. */
static bool set_path(EntryMeta *meta, Str value, Error *err)
{
	if (value.len > UNPACK_MAX_NAME || memchr(value.ptr, '\0', value.len))
		return err_set(err, ERR_INVALID, "archive entry with an impossible name");
	free(meta->path);
	meta->path = str_dup(value);
	return true;
}

static bool set_size(EntryMeta *meta, Str value, Error *err)
{
	unsigned long long size;
	if (!str_to_u64(value, &size))
		return err_set(err, ERR_INVALID, "archive entry with an impossible size");
	meta->has_size = true;
	meta->size = size;
	return true;
}

static bool pax_record(EntryMeta *meta, Str record, Error *err)
{
	Str key, value;
	if (!str_cut(record, '=', &key, &value) || key.len == 0)
		return err_set(err, ERR_INVALID, "archive is damaged: pax record");
	if (str_eq(key, STR("path")))
		return set_path(meta, value, err);
	if (str_eq(key, STR("size")))
		return set_size(meta, value, err);
	if (str_starts(key, STR("GNU.sparse.")))
		meta->is_sparse = true;
	return true; /* times, owners and comments are not used */
}

bool entry_meta_pax(EntryMeta *meta, Str records, Error *err)
{
	while (records.len) {
		Str digits, rest;
		unsigned long long len = 0;
		bool ok = str_cut(records, ' ', &digits, &rest) && str_to_u64(digits, &len) &&
			  len <= records.len && len > digits.len + 1 &&
			  records.ptr[len - 1] == '\n';
		if (!ok)
			return err_set(err, ERR_INVALID, "archive is damaged: pax record");
		if (!pax_record(meta, str_slice(records, digits.len + 1, (size_t)len - 1), err))
			return false;
		records = str_slice(records, (size_t)len, records.len);
	}
	return true;
}

bool entry_meta_long_name(EntryMeta *meta, Str text, Error *err)
{
	while (text.len && text.ptr[text.len - 1] == '\0')
		text.len--;
	return set_path(meta, text, err);
}

/* Why a name is refused, or NULL. Upstream refuses "../" anywhere, also behind other letters. */
static const char *name_fault(const char *name)
{
	if (!*name)
		return "empty";
	if (*name == '/')
		return "absolute";
	if (strchr(name, '\\'))
		return "with a backslash";
	if (strstr(name, "../") || cstr_eq(name, "..") || cstr_ends(name, "/.."))
		return "leading out of the archive";
	if (strlen(name) > UNPACK_MAX_NAME)
		return "too long";
	return NULL;
}

char *unpack_name(const char *name, Error *err)
{
	const char *fault = name_fault(name);
	if (fault)
		return err_null(err, ERR_INVALID, "archive entry name is %s: \"%.200s\"", fault,
				name);
	autofree char *clean = path_clean(name);
	if (cstr_eq(clean, "."))
		return mem_strdup("");
	size_t depth = 1;
	for (const char *c = clean; *c; c++)
		depth += *c == '/';
	if (depth > UNPACK_MAX_DEPTH)
		return err_null(err, ERR_LIMIT, "archive entry in more than %d directories",
				UNPACK_MAX_DEPTH);
	return steal(&clean);
}
