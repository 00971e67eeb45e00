/* --help from the tables of verbs and options. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "kind.h"

static void print_option(const Option *option, FILE *out)
{
	autobuf Buf left = {0};
	if (option->letter)
		buf_printf(&left, "-%c, ", option->letter);
	else
		buf_puts(&left, "    ");
	buf_printf(&left, "--%s", option->flag.name);
	if (option->value)
		buf_printf(&left, " %s", option->value);
	fprintf(out, "  %-34s %s", buf_text(&left), option->flag.help);
	if (option->value && !cstr_empty(option->flag.fallback))
		fprintf(out, " (default %s)", option->flag.fallback);
	fputc('\n', out);
}

static void print_options(const char *title, const Option *options, size_t count, FILE *out)
{
	if (!count)
		return;
	fprintf(out, "\n%s:\n", title);
	for (size_t i = 0; i < count; i++)
		print_option(&options[i], out);
}

static void print_verbs(FILE *out)
{
	fputs("Usage: sluice COMMAND [WORDS] [flags]\n\nCommands:\n", out);
	for (const Verb *const *verb = verbs_all(); *verb; verb++)
		fprintf(out, "  %-14s %s\n", (*verb)->name, (*verb)->summary);
	fputs("\nKinds:\n", out);
	size_t count;
	const KindRow *kinds = kinds_all(&count);
	for (size_t i = 0; i < count; i++) {
		autofree char *words = kind_words(&kinds[i]);
		fprintf(out, "  %-34s %s\n", words, kinds[i].kind);
	}
	fputs("\n\"sluice COMMAND --help\" shows a command's own flags.\n", out);
}

void help_print(const Verb *verb, FILE *out)
{
	size_t count;
	const Option *common = options_common(&count);
	if (verb) {
		fprintf(out, "%s\n\nUsage: sluice %s%s%s [flags]\n", verb->summary, verb->name,
			*verb->words ? " " : "", verb->words);
		if (verb->details)
			fprintf(out, "\n%s\n", verb->details);
		print_options("Flags", verb->options, verb->option_count, out);
	} else {
		print_verbs(out);
	}
	print_options("Flags of every command", common, count, out);
}
