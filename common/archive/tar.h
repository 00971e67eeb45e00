/*
 * Reproducible tar.gz (source.md 2, S4): gzip level 6 without name or time; first entry "."; modes
 * 0750, 0600 and, with any execute bit, 0700; uid and gid 0; epoch-0 times; no links, no specials.
 */
#ifndef ARCHIVE_TAR_H
#define ARCHIVE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/ignore.h"
#include "base/auto.h"
#include "base/error.h"

typedef struct TarWriter TarWriter;

/* Where the archive's bytes go. False and err stop the writer. */
typedef bool TarSink(void *arg, const void *bytes, size_t len, Error *err);

/* The sink's arg is borrowed. Writes the "." entry at once. */
TarWriter *tar_writer_new(TarSink *sink, void *arg, Error *err) MUST_USE;

/* As tar_writer_new, but files have mode 0644 and there is no "." entry: what Helm packs. */
TarWriter *tar_writer_new_chart(TarSink *sink, void *arg, Error *err) MUST_USE;
void tar_writer_free(TarWriter *tar);
AUTO_POINTER(TarWriter, tar_writer_free, auto_tar_writer);
#define autotarwriter __attribute__((cleanup(auto_tar_writer)))

/* Entries in lexical order of a walk: a directory before what is in it. `path` is relative, without
 * "./". */
bool tar_writer_dir(TarWriter *tar, const char *path, Error *err) MUST_USE;
bool tar_writer_file(TarWriter *tar, const char *path, bool executable, const void *bytes,
		     size_t len, Error *err) MUST_USE;

/* As tar_writer_file, streamed from fd. */
bool tar_writer_file_fd(TarWriter *tar, const char *path, bool executable, int fd, uint64_t size,
			Error *err) MUST_USE;

/* Writes the end of the archive. */
bool tar_writer_finish(TarWriter *tar, Error *err) MUST_USE;

/* Walks dir_fd in lexical order and writes what the rules leave (rules may be NULL). */
bool tar_writer_tree(TarWriter *tar, int dir_fd, const IgnoreRules *rules, Error *err) MUST_USE;

#endif
