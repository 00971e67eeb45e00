#include "../cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "table.h"

static void expect(Table *table, const char *wanted)
{
	autofree char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	table_print(table, out);
	fclose(out);
	assert_string_equal(text, wanted);
}

static void C57_cells_are_padded_and_end_in_a_tab(void **state)
{
	(void)state;
	autotable Table table = {.columns = 3, .has_head = true};
	static const char *const cells[] = {"NAME", "A",  "MESSAGE", "x", "long value",
					    "",	    "yy", "",	     "é"};
	for (size_t i = 0; i < COUNT(cells); i++)
		table_add(&table, cells[i]);
	expect(&table, "NAME\tA         \tMESSAGE \n"
		       "x   \tlong value\t       \t\n"
		       "yy  \t          \té      \t\n");
}

static void C57_a_cell_of_several_lines_makes_a_row_of_several(void **state)
{
	(void)state;
	autotable Table table = {.columns = 2};
	table_add(&table, "a");
	table_add(&table, "one\n\nthree");
	expect(&table, "a\tone  \t\n  \t     \t\n  \tthree\t\n");
}

static void a_watch_keeps_the_widths_and_has_one_head(void **state)
{
	(void)state;
	autotable Table table = {.columns = 2, .has_head = true};
	table_add(&table, "NAME");
	table_add(&table, "X");
	table_add(&table, "a");
	table_add(&table, "wide");
	expect(&table, "NAME\tX    \na   \twide\t\n");
	table_clear(&table);
	table_add(&table, "b");
	table_add(&table, "y");
	expect(&table, "b   \ty   \t\n");
	table_clear(&table);
	expect(&table, "");
}

static void control_characters_are_replaced(void **state)
{
	(void)state;
	autotable Table table = {.columns = 1};
	table_add(&table, "a\033[31mb\rc\td\177\001");
	expect(&table, "a?[31mb?c\td??\t\n");
}

static void widths_are_those_of_a_terminal(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t width;
	} rows[] = {{"", 0},
		    {"abc", 3},
		    {"é", 1},
		    {"e\xcc\x81", 1},
		    {"日本", 4},
		    {"►✔", 2},
		    {"\xf0\x9f\x9a\x80", 2},
		    {"\xe2\x80\x8b", 0}};
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(table_width(rows[i].text, strlen(rows[i].text)), rows[i].width);
	/* Cut and broken sequences end with the text. */
	assert_true(table_width("\xf0\x9f", 2) <= 2);
	assert_true(table_width("\xff\xff", 2) <= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(C57_cells_are_padded_and_end_in_a_tab),
		cmocka_unit_test(C57_a_cell_of_several_lines_makes_a_row_of_several),
		cmocka_unit_test(a_watch_keeps_the_widths_and_has_one_head),
		cmocka_unit_test(control_characters_are_replaced),
		cmocka_unit_test(widths_are_those_of_a_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
