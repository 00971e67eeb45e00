#include "base/mem.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
	static const char line[] =
		"{\"level\":\"error\",\"msg\":\"out of memory, the process ends\"}\n";
	ssize_t written = write(STDERR_FILENO, line, sizeof(line) - 1);
	(void)written;
	abort();
}

void *mem_alloc(size_t size)
{
	void *bytes = malloc(size ? size : 1);
	if (!bytes)
		out_of_memory();
	return bytes;
}

void *mem_zalloc(size_t count, size_t size)
{
	void *bytes = calloc(count ? count : 1, size ? size : 1);
	if (!bytes)
		out_of_memory();
	return bytes;
}

void *mem_realloc(void *take_old, size_t size)
{
	void *bytes = realloc(take_old, size ? size : 1);
	if (!bytes)
		out_of_memory();
	return bytes;
}

char *mem_strdup(const char *text)
{
	return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void *mem_dup(const void *bytes, size_t len)
{
	void *copy = mem_alloc(len);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

char *mem_vprintf(const char *format, va_list args)
{
	char *text = NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (vasprintf(&text, format, args) < 0)
		out_of_memory();
#pragma GCC diagnostic pop
	return text;
}

char *mem_printf(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = mem_vprintf(format, args);
	va_end(args);
	return text;
}

void *mem_try_alloc(size_t size, size_t limit, Error *err)
{
	if (size > limit)
		return err_null(err, ERR_LIMIT, "%zu bytes are more than the limit of %zu", size,
				limit);
	void *bytes = malloc(size ? size : 1);
	if (!bytes)
		return err_null(err, ERR_INTERNAL, "no memory for %zu bytes", size);
	return bytes;
}

void mem_wipe(void *bytes, size_t len)
{
	explicit_bzero(bytes, len);
}

void text_wipe(char **text)
{
	if (*text)
		mem_wipe(*text, strlen(*text));
	free(*text);
}
