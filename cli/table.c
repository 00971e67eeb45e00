#include <string.h>

#include "base/mem.h"
#include "cli.h"

void table_add(Table *table, const char *cell)
{
	vec_push(&table->cells, mem_strdup(cell ? cell : ""));
}

void table_print(Table *table, FILE *out)
{
	enum { GAP = 3 };
	autofree size_t *widths = mem_zalloc(table->columns, sizeof(size_t));
	for (size_t i = 0; i < table->cells.len; i++) {
		size_t len = strlen(table->cells.items[i]);
		if (len > widths[i % table->columns])
			widths[i % table->columns] = len;
	}
	for (size_t i = 0; i < table->cells.len; i++) {
		bool last = (i + 1) % table->columns == 0;
		const char *cell = table->cells.items[i];
		fprintf(out, "%-*s%s", last ? 0 : (int)(widths[i % table->columns] + GAP), cell,
			last ? "\n" : "");
	}
}

void table_dispose(Table *table)
{
	vec_dispose_strings(&table->cells);
}
