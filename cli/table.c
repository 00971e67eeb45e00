#include "table.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/rune.h"
#include "base/str.h"

/* Code points of no width, and of two columns (East Asian wide, emoji). */
static const struct {
	unsigned from, to, width;
} ranges[] = {
	{0x00, 0x1f, 0},       {0x7f, 0x9f, 0},	      {0x300, 0x36f, 0},     {0x1100, 0x115f, 2},
	{0x200b, 0x200f, 0},   {0x2e80, 0x303e, 2},   {0x3041, 0xa4cf, 2},   {0xac00, 0xd7a3, 2},
	{0xf900, 0xfaff, 2},   {0xfe00, 0xfe0f, 0},   {0xfe30, 0xfe6f, 2},   {0xff00, 0xff60, 2},
	{0xffe0, 0xffe6, 2},   {0x1f300, 0x1f64f, 2}, {0x1f680, 0x1f6ff, 2}, {0x1f900, 0x1f9ff, 2},
	{0x20000, 0x3fffd, 2},
};

size_t table_width(const char *text, size_t len)
{
	size_t width = 0;
	for (Str rest = str_sized(text, len); rest.len;) {
		size_t bytes;
		uint32_t code = rune_decode(rest, &bytes);
		rest = str_slice(rest, bytes, rest.len);
		unsigned columns = 1;
		for (size_t i = 0; i < COUNT(ranges); i++)
			if (code >= ranges[i].from && code <= ranges[i].to)
				columns = ranges[i].width;
		width += columns;
	}
	return width;
}

void table_add_take(Table *table, char *take_text)
{
	for (char *c = take_text; *c; c++)
		if (((unsigned char)*c < ' ' && *c != '\n' && *c != '\t') || *c == 0x7f)
			*c = '?';
	vec_push(&table->cells, take_text);
}

void table_add(Table *table, const char *text)
{
	table_add_take(table, mem_strdup(text ? text : ""));
}

/* Line `number` of a cell; false past its last one. */
static bool line_of(const char *cell, size_t number, Str *out)
{
	Str rest = str_of(cell);
	for (size_t i = 0;; i++) {
		bool more = str_cut(rest, '\n', out, &rest);
		if (i == number)
			return true;
		if (!more)
			return false;
	}
}

static void measure(Table *table)
{
	for (size_t i = 0; i < table->cells.len; i++) {
		size_t *width = &table->widths[i % table->columns];
		Str line;
		for (size_t n = 0; line_of(table->cells.items[i], n, &line); n++) {
			size_t columns = table_width(line.ptr, line.len);
			if (columns > *width)
				*width = columns;
		}
	}
}

static void print_cell(const Table *table, size_t column, Str text, bool head, FILE *out)
{
	size_t width = table_width(text.ptr, text.len);
	size_t gap = table->widths[column] > width ? table->widths[column] - width : 0;
	bool last = column + 1 == table->columns;
	fprintf(out, "%.*s%*s%c", (int)text.len, text.ptr, (int)gap, "", head && last ? ' ' : '\t');
}

/* Cells with fewer lines than the tallest are filled up with blanks, two at least. */
static void print_row(const Table *table, size_t at, bool head, FILE *out)
{
	for (size_t n = 0;; n++) {
		Str lines[TABLE_COLUMNS];
		bool any = false;
		for (size_t i = 0; i < table->columns; i++) {
			if (line_of(table->cells.items[at + i], n, &lines[i]))
				any = true;
			else
				lines[i] = STR("  ");
		}
		if (!any)
			return;
		for (size_t i = 0; i < table->columns; i++)
			print_cell(table, i, lines[i], head, out);
		fputc('\n', out);
	}
}

void table_print(Table *table, FILE *out)
{
	measure(table);
	for (size_t at = 0; at < table->cells.len; at += table->columns)
		print_row(table, at, table->has_head && at == 0, out);
}

bool table_print_now(Table *table, FILE *out, int *out_errno)
{
	table_print(table, out);
	table_clear(table);
	*out_errno = fflush(out) == 0 ? 0 : errno;
	return *out_errno == 0;
}

bool table_check_written(int write_errno, Error *err)
{
	errno = write_errno;
	return write_errno == 0 || write_errno == EPIPE || err_errno(err, "write to stdout");
}

void table_clear(Table *table)
{
	vec_dispose_strings(&table->cells);
	table->has_head = false;
}

void table_dispose(Table *table)
{
	vec_dispose_strings(&table->cells);
}
