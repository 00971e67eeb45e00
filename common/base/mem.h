/*
 * Allocation. Small allocations, whose size our own code chose, end the process with one line when
 * memory is out: a restart loses nothing, and no caller needs a path that no test walks. A size
 * that input chose goes through mem_try_alloc, which has a limit and fails as an ordinary error.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

/* Memory of `size` bytes (at least 1), owned by the caller, freed with free(). Never NULL. */
void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));

/* As mem_alloc for count * size bytes, zeroed; an overflow of the product ends the process. */
void *mem_zalloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull, alloc_size(1, 2)));

/* Resizes; never NULL. */
void *mem_realloc(void *take_old, size_t size) __attribute__((returns_nonnull));

/* Copies, owned by the caller. mem_strdup of NULL is NULL. */
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len) __attribute__((returns_nonnull));
void *mem_dup(const void *bytes, size_t len) __attribute__((returns_nonnull));

/* A formatted string, owned by the caller. */
char *mem_printf(const char *format, ...) PRINTF(1, 2) __attribute__((returns_nonnull));
char *mem_vprintf(const char *format, va_list args) __attribute__((returns_nonnull));

/*
 * Memory of a size that input chose. Fails with ERR_LIMIT above `limit` bytes and with ERR_INTERNAL
 * when memory is out. The result is owned by the caller.
 */
void *mem_try_alloc(size_t size, size_t limit, Error *err) MUST_USE;

/* Overwrites `len` bytes with zeros in a way no compiler removes: for keys and passwords. */
void mem_wipe(void *bytes, size_t len);

/* `autosecrettext char *token = ...`: wiped and freed when it leaves its scope. */
void text_wipe(char **text);
#define autosecrettext __attribute__((cleanup(text_wipe)))

#endif
