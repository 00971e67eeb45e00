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
#include "tool_flags.h"

#define NO_FETCH "charts are not fetched here"
#define NO_CLUSTER "no cluster is asked here"
#define NO_PROGRAMS "programs are not run here"

static const ToolFlag rows[] = {
	{"--values", "-f", TOOL_COMMAS, offsetof(HelmArguments, value_files),
	 "file with values, or - for standard input (can be given several times)"},
	{"--set", "", TOOL_LIST, offsetof(HelmArguments, set),
	 "key=value, values typed by their look"},
	{"--set-string", "", TOOL_LIST, offsetof(HelmArguments, set_string),
	 "key=value, values text"},
	{"--set-file", "", TOOL_LIST, offsetof(HelmArguments, set_file),
	 "key=FILE, the file's content"},
	{"--set-json", "", TOOL_LIST, offsetof(HelmArguments, set_json),
	 "key=JSON, or a JSON object"},
	{"--set-literal", "", TOOL_LIST, offsetof(HelmArguments, set_literal),
	 "key=text, nothing in the text is special"},
	{"--namespace", "-n", TOOL_TEXT, offsetof(HelmArguments, ns), "namespace of the release"},
	{"--show-only", "-s", TOOL_LIST, offsetof(HelmArguments, show_only),
	 "only manifests of these templates"},
	{"--api-versions", "-a", TOOL_COMMAS, offsetof(HelmArguments, api_versions),
	 "more API versions for .Capabilities.APIVersions"},
	{"--kube-version", "", TOOL_TEXT, offsetof(HelmArguments, kube_version),
	 "version for .Capabilities.KubeVersion"},
	{"--include-crds", "", TOOL_SWITCH, offsetof(HelmArguments, include_crds),
	 "print the chart's crds too"},
	{"--skip-tests", "", TOOL_SWITCH, offsetof(HelmArguments, skip_tests), "leave tests away"},
	{"--no-hooks", "", TOOL_SWITCH, offsetof(HelmArguments, no_hooks), "leave hooks away"},
	{"--is-upgrade", "", TOOL_SWITCH, offsetof(HelmArguments, is_upgrade),
	 ".Release.IsUpgrade instead of .Release.IsInstall"},
	{"--skip-schema-validation", "", TOOL_SWITCH, offsetof(HelmArguments, skip_schema),
	 "values need not fit the charts' schemas"},
	{"--generate-name", "-g", TOOL_SWITCH, offsetof(HelmArguments, generate_name),
	 "a made-up release name"},
	{"--debug", "", TOOL_SWITCH, offsetof(HelmArguments, debug),
	 "print manifests that are no YAML too"},
	{"--help", "-h", TOOL_SWITCH, offsetof(HelmArguments, help), "this text"},
	{"--skip-crds", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--dependency-update", "", TOOL_REFUSED_SWITCH, 0, NO_FETCH},
	{"--repo", "", TOOL_REFUSED_VALUE, 0, NO_FETCH},
	{"--version", "", TOOL_IGNORED, 0, ""},
	{"--devel", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--verify", "", TOOL_REFUSED_SWITCH, 0, NO_FETCH},
	{"--validate", "", TOOL_REFUSED_SWITCH, 0, NO_CLUSTER},
	{"--enable-dns", "", TOOL_REFUSED_SWITCH, 0, "names are not looked up here"},
	{"--post-renderer", "", TOOL_REFUSED_VALUE, 0, NO_PROGRAMS},
	{"--post-renderer-args", "", TOOL_REFUSED_VALUE, 0, NO_PROGRAMS},
	{"--output-dir", "", TOOL_REFUSED_VALUE, 0, "manifests go to standard output"},
	{"--name-template", "", TOOL_REFUSED_VALUE, 0, "give the name"},
	{"--atomic", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--create-namespace", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--disable-openapi-validation", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--description", "", TOOL_IGNORED, 0, ""},
	{"--timeout", "", TOOL_IGNORED, 0, ""},
	{"--wait", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--wait-for-jobs", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--replace", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--render-subchart-notes", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--kube-context", "", TOOL_IGNORED, 0, ""},
	{"--kubeconfig", "", TOOL_IGNORED, 0, ""},
	{"--labels", "-l", TOOL_IGNORED, 0, ""},
	{"--release-name", "", TOOL_IGNORED_SWITCH, 0, ""},
};

static const ToolFlags flags = {rows, COUNT(rows), "an argument"};

static void print_help(FILE *out)
{
	fputs("Usage: sluice helm template [NAME] CHART [flags]\n\n"
	      "Renders the chart in a directory or .tgz file and prints its manifests.\n\nFlags:\n",
	      out);
	tool_flags_help(&flags, out);
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
		else if (!tool_flags_take(&flags, argc, argv, &at, out, err))
			return false;
	}
	return out->help || take_words(out, err);
}

static void arguments_dispose(HelmArguments *arguments)
{
	tool_flags_dispose(&flags, arguments);
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
