#include "base/roff.h"

#include <ctype.h>
#include <stdbool.h>

/* '-' would be a hyphen that cannot be pasted into a shell; a dot or quote starts a request. */
static void escaped(const char *text, FILE *out)
{
	for (const char *c = text; *c; c++) {
		bool starts_line = c == text || c[-1] == '\n';
		if (starts_line && (*c == '.' || *c == '\''))
			fputs("\\&", out);
		if (*c == '\\')
			fputs("\\e", out);
		else if (*c == '-')
			fputs("\\-", out);
		else
			fputc(*c, out);
	}
}

void roff_title(const char *name, int section, FILE *out)
{
	fputs(".TH ", out);
	for (const char *c = name; *c; c++)
		fputc(toupper((unsigned char)*c), out);
	fprintf(out, " %d \"\" \"Sluice %s\" \"Sluice\"\n", section, SLUICE_VERSION);
}

void roff_section(const char *title, FILE *out)
{
	fprintf(out, ".SH %s\n", title);
}

void roff_text(const char *text, FILE *out)
{
	escaped(text, out);
	fputc('\n', out);
}

void roff_flag(char letter, const char *flag, const char *value, const char *text, FILE *out)
{
	fputs(".TP\n", out);
	if (letter)
		fprintf(out, "\\fB\\-%c\\fR, ", letter);
	fputs("\\fB\\-\\-", out);
	escaped(flag, out);
	fputs("\\fR", out);
	if (value) {
		fputs(" \\fI", out);
		escaped(value, out);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	roff_text(text, out);
}
