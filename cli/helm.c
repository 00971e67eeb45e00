/*
 * sluice helm template [NAME] CHART: what `helm template` prints, byte for byte, for a chart in a
 * directory or a .tgz file. Nothing is fetched and no cluster is asked, so flags that mean either
 * are refused with the reason.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/fd.h"
#include "cli.h"
#include "helm_command.h"

typedef enum { TEXT, LIST, COMMAS, SWITCH, IGNORED, IGNORED_SWITCH, REFUSED, REFUSED_SWITCH } Kind;

typedef struct {
	const char *name, *letter;
	Kind kind;
	size_t offset;
	const char *help; /* or why it is refused */
} Row;

#define NO_FETCH "charts are not fetched here"
#define NO_CLUSTER "no cluster is asked here"
#define NO_PROGRAMS "programs are not run here"

static const Row rows[] = {
	{"--values", "-f", COMMAS, offsetof(HelmArguments, value_files),
	 "file with values, or - for standard input (can be given several times)"},
	{"--set", "", LIST, offsetof(HelmArguments, set), "key=value, values typed by their look"},
	{"--set-string", "", LIST, offsetof(HelmArguments, set_string), "key=value, values text"},
	{"--set-file", "", LIST, offsetof(HelmArguments, set_file), "key=FILE, the file's content"},
	{"--set-json", "", LIST, offsetof(HelmArguments, set_json), "key=JSON, or a JSON object"},
	{"--set-literal", "", LIST, offsetof(HelmArguments, set_literal),
	 "key=text, nothing in the text is special"},
	{"--namespace", "-n", TEXT, offsetof(HelmArguments, ns), "namespace of the release"},
	{"--show-only", "-s", LIST, offsetof(HelmArguments, show_only),
	 "only manifests of these templates"},
	{"--api-versions", "-a", COMMAS, offsetof(HelmArguments, api_versions),
	 "more API versions for .Capabilities.APIVersions"},
	{"--kube-version", "", TEXT, offsetof(HelmArguments, kube_version),
	 "version for .Capabilities.KubeVersion"},
	{"--include-crds", "", SWITCH, offsetof(HelmArguments, include_crds),
	 "print the chart's crds too"},
	{"--skip-tests", "", SWITCH, offsetof(HelmArguments, skip_tests), "leave tests away"},
	{"--no-hooks", "", SWITCH, offsetof(HelmArguments, no_hooks), "leave hooks away"},
	{"--is-upgrade", "", SWITCH, offsetof(HelmArguments, is_upgrade),
	 ".Release.IsUpgrade instead of .Release.IsInstall"},
	{"--skip-schema-validation", "", SWITCH, offsetof(HelmArguments, skip_schema),
	 "values need not fit the charts' schemas"},
	{"--generate-name", "-g", SWITCH, offsetof(HelmArguments, generate_name),
	 "a made-up release name"},
	{"--debug", "", SWITCH, offsetof(HelmArguments, debug),
	 "print manifests that are no YAML too"},
	{"--help", "-h", SWITCH, offsetof(HelmArguments, help), "this text"},
	{"--skip-crds", "", IGNORED_SWITCH, 0, ""},
	{"--dependency-update", "", REFUSED_SWITCH, 0, NO_FETCH},
	{"--repo", "", REFUSED, 0, NO_FETCH},
	{"--version", "", IGNORED, 0, ""},
	{"--devel", "", IGNORED_SWITCH, 0, ""},
	{"--verify", "", REFUSED_SWITCH, 0, NO_FETCH},
	{"--validate", "", REFUSED_SWITCH, 0, NO_CLUSTER},
	{"--enable-dns", "", REFUSED_SWITCH, 0, "names are not looked up here"},
	{"--post-renderer", "", REFUSED, 0, NO_PROGRAMS},
	{"--post-renderer-args", "", REFUSED, 0, NO_PROGRAMS},
	{"--output-dir", "", REFUSED, 0, "manifests go to standard output"},
	{"--name-template", "", REFUSED, 0, "give the name"},
	{"--atomic", "", IGNORED_SWITCH, 0, ""},
	{"--create-namespace", "", IGNORED_SWITCH, 0, ""},
	{"--disable-openapi-validation", "", IGNORED_SWITCH, 0, ""},
	{"--description", "", IGNORED, 0, ""},
	{"--timeout", "", IGNORED, 0, ""},
	{"--wait", "", IGNORED_SWITCH, 0, ""},
	{"--wait-for-jobs", "", IGNORED_SWITCH, 0, ""},
	{"--replace", "", IGNORED_SWITCH, 0, ""},
	{"--render-subchart-notes", "", IGNORED_SWITCH, 0, ""},
	{"--kube-context", "", IGNORED, 0, ""},
	{"--kubeconfig", "", IGNORED, 0, ""},
	{"--labels", "-l", IGNORED, 0, ""},
	{"--release-name", "", IGNORED_SWITCH, 0, ""},
};

static void print_help(FILE *out)
{
	fputs("Usage: sluice helm template [NAME] CHART [flags]\n\n"
	      "Renders the chart in a directory or .tgz file and prints its manifests.\n\nFlags:\n",
	      out);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].kind <= SWITCH)
			fprintf(out, "  %2s%s %-26s %s\n", rows[i].letter,
				*rows[i].letter ? "," : " ", rows[i].name, rows[i].help);
}

static bool take_switch(const Row *row, Str value, bool has_value, HelmArguments *out, Error *err)
{
	bool on = !has_value || str_eq(value, STR("true"));
	if (!on && !str_eq(value, STR("false")))
		return err_set(err, ERR_INVALID, "%s: true or false expected", row->name);
	if (row->kind == REFUSED_SWITCH)
		return !on || err_set(err, ERR_UNSUPPORTED, "%s: %s", row->name, row->help);
	if (row->kind == SWITCH)
		*(bool *)((char *)out + row->offset) = on;
	return true;
}

/* The values of a flag that may be given several times, or hold several. */
static void push_values(const Row *row, const char *text, Vec *list)
{
	Str piece, rest = str_of(text);
	if (row->kind == LIST) {
		vec_push(list, str_dup(rest));
		return;
	}
	while (str_next(&rest, ',', &piece))
		vec_push(list, str_dup(piece));
}

static bool take_value(const Row *row, const char *value, HelmArguments *out, Error *err)
{
	void *field = (char *)out + row->offset;
	if (row->kind == REFUSED)
		return err_set(err, ERR_UNSUPPORTED, "%s: %s", row->name, row->help);
	if (row->kind == TEXT)
		*(const char **)field = value;
	else if (row->kind != IGNORED)
		push_values(row, value, field);
	return true;
}

static bool is_switch(Kind kind)
{
	return kind == SWITCH || kind == IGNORED_SWITCH || kind == REFUSED_SWITCH;
}

static bool take_flag(int argc, char **argv, int *at, HelmArguments *out, Error *err)
{
	Str name, value;
	bool has_value = str_cut(str_of(argv[*at]), '=', &name, &value);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const Row *row = &rows[i];
		if (!str_eq(name, str_of(row->name)) &&
		    (!*row->letter || !str_eq(name, str_of(row->letter))))
			continue;
		if (is_switch(row->kind))
			return take_switch(row, value, has_value, out, err);
		if (!has_value && *at + 1 >= argc)
			return err_set(err, ERR_INVALID, "flag needs an argument: %s", argv[*at]);
		return take_value(row, has_value ? value.ptr : argv[++*at], out, err);
	}
	return err_set(err, ERR_INVALID, "unknown flag: %s", argv[*at]);
}

static bool take_words(HelmArguments *out, Error *err)
{
	const Vec *words = &out->words;
	if (words->len == 0 || words->len > 2)
		return err_set(err, ERR_INVALID,
			       "\"helm template\" requires at least 1 argument\n\nUsage:  sluice "
			       "helm template [NAME] CHART [flags]");
	out->chart = words->items[words->len - 1];
	out->name = words->len == 2 ? words->items[0] : "release-name";
	return true;
}

static bool parse(int argc, char **argv, HelmArguments *out, Error *err)
{
	*out = (HelmArguments){.ns = "default"};
	bool help = argc >= 2 && (cstr_eq(argv[1], "--help") || cstr_eq(argv[1], "-h"));
	if (help) {
		out->help = true;
		return true;
	}
	if (argc < 2 || !cstr_eq(argv[1], "template"))
		return err_set(err, ERR_INVALID, "helm: the command is \"helm template\"");
	for (int at = 2; at < argc; at++) {
		if (argv[at][0] != '-' || !argv[at][1])
			vec_push(&out->words, argv[at]);
		else if (!take_flag(argc, argv, &at, out, err))
			return false;
	}
	return out->help || take_words(out, err);
}

static void arguments_dispose(HelmArguments *arguments)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].kind == LIST || rows[i].kind == COMMAS)
			vec_dispose_strings((Vec *)((char *)arguments + rows[i].offset));
	vec_dispose(&arguments->words);
}

static int helm_main(int argc, char **argv)
{
	autoerror Error err = {0};
	__attribute__((cleanup(arguments_dispose))) HelmArguments arguments = {0};
	autobuf Buf text = {0};
	bool fine = parse(argc, argv, &arguments, &err);
	if (fine && arguments.help) {
		print_help(stdout);
		return 0;
	}
	if (fine)
		fine = helm_command_template(&arguments, &text, &err);
	bool written = fwrite(buf_text(&text), 1, text.len, stdout) == text.len;
	if (!written || fflush(stdout) != 0) {
		fprintf(stderr, "Error: writing to standard output\n");
		return 1;
	}
	if (!fine)
		fprintf(stderr, "Error: %s\n", err_text(&err));
	return fine ? 0 : 1;
}

const Verb verb_helm = {
	.name = "helm",
	.words = "template [NAME] CHART",
	.summary = "Print what a chart renders.",
	.main = helm_main,
};
