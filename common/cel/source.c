/* Messages about an expression: each with line, column and a pointer, as cel-go writes them. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"

enum { SNIPPET_MAX = 16384 };

void cel_problem(CelSource *source, int offset, const char *format, ...)
{
	if (source->problems.len >= CEL_ERRORS_MAX)
		return;
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	CelProblem *problem = arena_alloc(source->arena, sizeof(*problem));
	problem->offset = offset;
	problem->text = arena_strdup(source->arena, text);
	vec_push(&source->problems, problem);
}

static int compare_problems(const void *a, const void *b)
{
	int x = ((const CelProblem *)a)->offset, y = ((const CelProblem *)b)->offset;
	return x < y ? -1 : x > y;
}

static bool starts_rune(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* The line that holds code point `offset`; its number and the column are from 1 and 0. */
static Str find_line(const char *text, int offset, int *line, int *column)
{
	const char *start = text, *at = text;
	*line = 1;
	*column = 0;
	for (int count = 0; *at && count < offset; count++) {
		bool newline = *at == '\n';
		at++;
		while (*at && !starts_rune(*at))
			at++;
		*column = newline ? 0 : *column + 1;
		*line += newline;
		start = newline ? at : start;
	}
	return str_sized(start, strcspn(start, "\n"));
}

static void report_one(const CelSource *source, const CelProblem *problem, Buf *out)
{
	if (problem->offset == PLACE_PLAIN) {
		buf_puts(out, problem->text);
		return;
	}
	if (problem->offset < 0) {
		buf_printf(out, "ERROR: <input>:-1:0: %s", problem->text);
		return;
	}
	int line, column;
	Str snippet = find_line(source->text, problem->offset, &line, &column);
	buf_printf(out, "ERROR: <input>:%d:%d: %s", line, column + 1, problem->text);
	if (snippet.len > SNIPPET_MAX)
		return;
	buf_puts(out, "\n | ");
	for (size_t i = 0; i < snippet.len; i++)
		buf_putc(out, snippet.ptr[i] == '\t' ? ' ' : snippet.ptr[i]);
	buf_puts(out, "\n | ");
	/* A wide character in the line gets a wide dot. */
	const char *at = snippet.ptr;
	for (int i = 0; i < column; i++) {
		bool wide = at < snippet.ptr + snippet.len && (unsigned char)*at >= 0x80;
		buf_puts(out, wide ? "\xef\xbc\x8e" : ".");
		at++;
		while (at < snippet.ptr + snippet.len && !starts_rune(*at))
			at++;
	}
	bool wide = at < snippet.ptr + snippet.len && (unsigned char)*at >= 0x80;
	buf_puts(out, wide ? "\xef\xbc\xbe" : "^");
}

char *cel_source_report(CelSource *source)
{
	autobuf Buf out = {0};
	vec_sort(&source->problems, compare_problems);
	for (size_t i = 0; i < source->problems.len; i++) {
		if (i > 0)
			buf_putc(&out, '\n');
		report_one(source, source->problems.items[i], &out);
	}
	return buf_steal(&out);
}
