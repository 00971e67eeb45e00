/*
 * What the parts of the unpacker share: unpack.c inflates, unpack_tar.c reads records, unpack_pax.c
 * reads what precedes an entry, unpack_write.c makes files and directories.
 */
#ifndef ARCHIVE_UNPACK_INTERNAL_H
#define ARCHIVE_UNPACK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "archive/tar_internal.h"
#include "archive/unpack.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

enum {
	UNPACK_MAX_DEPTH = 256,
	UNPACK_MAX_NAME = 4095,
	UNPACK_MAX_META = 1 << 20, /* one pax or long-name record */
};

/* --- unpack_write.c: below one directory --- */

typedef struct {
	int root_fd;  /* borrowed */
	char *parent; /* directory that parent_fd is open on, "" is the root; NULL: none */
	int parent_fd;
	int file_fd; /* the file being written, or -1 */
} TreeWriter;

void tree_writer_init(TreeWriter *tree, int root_fd);
void tree_writer_dispose(TreeWriter *tree);

/* Entries into the tree; `tree` is borrowed. */
UnpackTarget tree_writer_target(TreeWriter *tree);

/* --- unpack_pax.c --- */

/* What pax and GNU records said about the entry that follows them. */
typedef struct {
	char *path; /* NULL: the header's */
	bool has_size;
	uint64_t size;
	bool is_sparse; /* GNU.sparse.*: not understood */
} EntryMeta;

void entry_meta_dispose(EntryMeta *meta);

/* Reads pax records ("LEN key=value\n") into *meta. */
bool entry_meta_pax(EntryMeta *meta, Str records, Error *err) MUST_USE;

/* A GNU long name ('L'). */
bool entry_meta_long_name(EntryMeta *meta, Str text, Error *err) MUST_USE;

/* A number field: octal, or base-256 when the first bit is set; false when negative or too large.
 */
bool tar_number(const char *field, size_t width, uint64_t *out);

/* True when the header's checksum is right. */
bool tar_checksum_is_right(const TarHeader *header);

/* The name as a clean relative path, "" for the root itself; NULL and err when it is refused (K9,
 * S60). Owned. */
char *unpack_name(const char *name, Error *err) MUST_USE;

/* --- unpack_tar.c --- */

typedef enum {
	AT_HEADER, /* collects a record */
	AT_DATA,   /* bytes of a file, or of an entry that is skipped */
	AT_META,   /* bytes of a pax or GNU record */
	AT_PAD,	   /* zeros up to the next record */
	AT_END,	   /* behind the end mark */
} TarState;

typedef struct {
	TarState state;
	UnpackLimits limits;
	UnpackTarget target;
	bool is_open; /* a file, in the target */
	EntryMeta meta;
	TarHeader header;
	size_t header_len; /* bytes of `header` that are there */
	uint64_t left;	   /* of the entry's data */
	size_t pad;	   /* bytes of padding behind it */
	Buf text;	   /* of AT_META */
	char meta_type;
	uint64_t total; /* bytes of all entries so far */
	uint64_t entries;
} TarReader;

void tar_reader_init(TarReader *tar, const UnpackTarget *target, const UnpackLimits *limits);
void tar_reader_dispose(TarReader *tar);
bool tar_reader_feed(TarReader *tar, const char *bytes, size_t len, Error *err) MUST_USE;

#endif
