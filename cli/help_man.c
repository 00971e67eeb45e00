/* sluice.1 from the tables of verbs, kinds and options. */
#include "base/mem.h"
#include "base/roff.h"
#include "base/str.h"
#include "kind.h"

static void print_options(const Option *options, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		const Flag *flag = &options[i].flag;
		bool told = options[i].value && !cstr_empty(flag->fallback);
		autofree char *text =
			told ? mem_printf("%s (default %s)", flag->help, flag->fallback)
			     : mem_strdup(flag->help);
		roff_flag(options[i].letter, flag->name, options[i].value, text, out);
	}
}

static void print_tool_flags(const ToolFlags *flags, FILE *out)
{
	for (size_t i = 0; i < flags->count; i++) {
		const ToolFlag *row = &flags->rows[i];
		if (row->kind <= TOOL_SWITCH)
			roff_flag(row->letter[0] ? row->letter[1] : 0, row->name + 2,
				  row->kind == TOOL_SWITCH ? NULL : "value", row->help, out);
	}
}

static void print_verb(const Verb *verb, FILE *out)
{
	autofree char *title = mem_printf("sluice %s %s", verb->name, verb->words);
	fputs(".SS ", out);
	roff_text(title, out);
	roff_text(verb->summary, out);
	if (verb->details) {
		fputs(".PP\n", out);
		roff_text(verb->details, out);
	}
	print_options(verb->options, verb->option_count, out);
	if (verb->tool_flags)
		print_tool_flags(verb->tool_flags, out);
}

static void print_kinds(FILE *out)
{
	size_t count;
	const KindRow *kinds = kinds_all(&count);
	roff_section("KINDS", out);
	for (size_t i = 0; i < count; i++) {
		autofree char *words = kind_words(&kinds[i]);
		fputs(".TP\n.B ", out);
		roff_text(words, out);
		roff_text(kinds[i].kind, out);
	}
}

static void print_environment(FILE *out)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{"KUBECONFIG", "Kubeconfig files, separated by colons."},
		{"FLUX_SYSTEM_NAMESPACE", "The namespace to work in, in place of flux-system."},
		{"FLUX_NS_FOLLOWS_KUBE_CONTEXT", "Sets --ns-follows-kube-context."},
		{"TMPDIR", "Where sluice up makes its directory without --data-dir."},
	};
	roff_section("ENVIRONMENT", out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		fprintf(out, ".TP\n.B %s\n", rows[i].name);
		roff_text(rows[i].text, out);
	}
}

void help_print_man(FILE *out)
{
	size_t count;
	const Option *common = options_common(&count);
	roff_title("sluice", 1, out);
	roff_section("NAME", out);
	fputs("sluice \\- look at and steer a GitOps toolkit\n", out);
	roff_section("SYNOPSIS", out);
	fputs(".B sluice\n\\fIcommand\\fR [\\fIwords\\fR] [\\fIflags\\fR]\n", out);
	roff_section("DESCRIPTION", out);
	roff_text("Tables go to stdout, progress to stderr. Flags may stand anywhere.", out);
	roff_section("COMMANDS", out);
	for (const Verb *const *verb = verbs_all(); *verb; verb++)
		print_verb(*verb, out);
	print_kinds(out);
	roff_section("OPTIONS OF EVERY COMMAND", out);
	print_options(common, count, out);
	print_environment(out);
	roff_section("EXIT STATUS", out);
	roff_text("0, or 1 after any error, which is the last line of stderr.", out);
	roff_section("SEE ALSO", out);
	fputs(".BR source-controller (8),\n.BR kustomize-controller (8),\n.BR helm-controller "
	      "(8),\n"
	      ".BR notification-controller (8),\n.BR sluice-apiserver (8),\n.BR kubectl (1)\n",
	      out);
}
