/*
 * sluice kustomize build [DIR]: what `kustomize build` prints, byte for byte. Files are read by the
 * caller's rights from anywhere that the tree's bases lead to; nothing is fetched and no program is
 * run, so flags that ask for either are refused with the reason.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "data/bound.h"
#include "base/str.h"
#include "kustomize_command.h"
#include "tool_flags.h"
#include "tree.h"

typedef struct {
	const char *dir;
	const char *load_restrictor, *output, *reorder;
	const char *max_file_bytes, *max_bytes, *max_objects, *timeout;
	bool managed_by_label, help;
} Arguments;

#define NO_HELM "charts are not inflated here"
#define NO_PROGRAMS "plugins and functions are not run here"

static const ToolFlag rows[] = {
	{"--load-restrictor", "", TOOL_TEXT, offsetof(Arguments, load_restrictor),
	 "LoadRestrictionsRootOnly (default) or LoadRestrictionsNone: may files lie outside their "
	 "kustomization's directory"},
	{"--output", "-o", TOOL_TEXT, offsetof(Arguments, output),
	 "file to write to, or a directory for a file per object"},
	{"--reorder", "", TOOL_TEXT, offsetof(Arguments, reorder),
	 "legacy (default) or none; sortOptions in the file beat it"},
	{"--enable-managedby-label", "", TOOL_SWITCH, offsetof(Arguments, managed_by_label),
	 "add the label app.kubernetes.io/managed-by"},
	{"--build-max-file-bytes", "", TOOL_TEXT, offsetof(Arguments, max_file_bytes),
	 "size of one file (default and most 52428800)"},
	{"--build-max-bytes", "", TOOL_TEXT, offsetof(Arguments, max_bytes),
	 "size of all files that are read (default 536870912)"},
	{"--build-max-objects", "", TOOL_TEXT, offsetof(Arguments, max_objects),
	 "objects (default 200000)"},
	{"--build-timeout", "", TOOL_TEXT, offsetof(Arguments, timeout),
	 "how long it may take (default 2m)"},
	{"--help", "-h", TOOL_SWITCH, offsetof(Arguments, help), "this text"},
	{"--enable-helm", "", TOOL_REFUSED_SWITCH, 0, NO_HELM},
	{"--helm-command", "", TOOL_REFUSED, 0, NO_HELM},
	{"--helm-api-versions", "", TOOL_REFUSED, 0, NO_HELM},
	{"--helm-kube-version", "", TOOL_REFUSED, 0, NO_HELM},
	{"--helm-debug", "", TOOL_REFUSED_SWITCH, 0, NO_HELM},
	{"--enable-alpha-plugins", "", TOOL_REFUSED_SWITCH, 0, NO_PROGRAMS},
	{"--enable-exec", "", TOOL_REFUSED_SWITCH, 0, NO_PROGRAMS},
	{"--network", "", TOOL_REFUSED_SWITCH, 0, NO_PROGRAMS},
	{"--network-name", "", TOOL_REFUSED, 0, NO_PROGRAMS},
	{"--mount", "", TOOL_REFUSED, 0, NO_PROGRAMS},
	{"--env", "-e", TOOL_REFUSED, 0, NO_PROGRAMS},
	{"--as-current-user", "", TOOL_REFUSED_SWITCH, 0, NO_PROGRAMS},
};

const ToolFlags kustomize_flags = {rows, COUNT(rows), "a value"};

static void print_help(FILE *out)
{
	fputs("Usage: sluice kustomize build [DIR] [flags]\n\n"
	      "Builds the kustomization in DIR (default .) and prints its objects.\n\nFlags:\n",
	      out);
	tool_flags_help(&kustomize_flags, out);
}

static bool is_one_of(const char *flag, const char *value, const char *one, const char *other,
		      Error *err)
{
	return cstr_eq(value, one) || cstr_eq(value, other) ||
	       err_set(err, ERR_INVALID, "illegal flag value %s %s; legal values: %s, %s", flag,
		       value, one, other);
}

static bool parse(int argc, char **argv, Arguments *out, Error *err)
{
	*out = (Arguments){.load_restrictor = "LoadRestrictionsRootOnly"};
	if (argc < 2 || !cstr_eq(argv[1], "build")) {
		out->help = argc >= 2 && (cstr_eq(argv[1], "--help") || cstr_eq(argv[1], "-h"));
		return out->help ||
		       err_set(err, ERR_INVALID, "kustomize: the command is \"kustomize build\"");
	}
	for (int at = 2; at < argc; at++) {
		if (argv[at][0] == '-' && argv[at][1]) {
			if (!tool_flags_take(&kustomize_flags, argc, argv, &at, out, err))
				return false;
		} else if (out->dir) {
			return err_set(err, ERR_INVALID, "one directory expected, not also %s",
				       argv[at]);
		} else {
			out->dir = argv[at];
		}
	}
	if (!out->dir)
		out->dir = ".";
	return is_one_of("--load-restrictor", out->load_restrictor, "LoadRestrictionsRootOnly",
			 "LoadRestrictionsNone", err) &&
	       (!out->reorder || is_one_of("--reorder", out->reorder, "legacy", "none", err));
}

static bool read_limits(const Arguments *arguments, KustomizeLimits *out, Error *err)
{
	return bound_bytes("--build-max-file-bytes", arguments->max_file_bytes,
			   &out->max_file_bytes, err) &&
	       bound_bytes("--build-max-bytes", arguments->max_bytes, &out->max_bytes, err) &&
	       bound_bytes("--build-max-objects", arguments->max_objects, &out->max_objects, err) &&
	       bound_time("--build-timeout", arguments->timeout, &out->max_ms, err);
}

typedef struct {
	KustomizeBuilder run;
	void *arg;
} Builder;

static bool build(const Arguments *arguments, const Builder *builder, KustomizeResult *out,
		  Error *err)
{
	if (strstr(arguments->dir, "://") || cstr_starts(arguments->dir, "git@"))
		return err_set(err, ERR_UNSUPPORTED, "%s: remote directories are not fetched here",
			       arguments->dir);
	autotree Tree tree = NO_TREE;
	if (!local_tree_open(arguments->dir, "/", &tree, err))
		return false;
	__attribute__((cleanup(auto_kustomize_dir_files))) KustomizeDirFiles *files =
		kustomize_dir_files_new(tree.root_fd);
	KustomizeOptions options = {
		.files = kustomize_dir_files(files),
		.keep_written = true,
		.load_anywhere = cstr_eq(arguments->load_restrictor, "LoadRestrictionsNone"),
		.legacy_order = !cstr_eq(arguments->reorder, "none"),
		.managed_by_label = arguments->managed_by_label ||
				    cstr_eq(getenv("KUSTOMIZE_ENABLE_MANAGEDBY_LABEL"), "on")};
	if (!read_limits(arguments, &options.limits, err))
		return false;
	return builder->run(builder->arg, tree.dir, &options, out, err);
}

static bool run(const Arguments *arguments, const Builder *builder, Error *err)
{
	autokustomizeresult KustomizeResult result = {0};
	if (!build(arguments, builder, &result, err))
		return false;
	if (arguments->output)
		return kustomize_write(&result, arguments->output, err);
	autobuf Buf text = {0};
	kustomize_emit(&result, &text);
	bool done = fwrite(buf_text(&text), 1, text.len, stdout) == text.len;
	return (fflush(stdout) == 0 && done) || err_errno(err, "writing to standard output");
}

int kustomize_command(int argc, char **argv, KustomizeBuilder builder, void *arg)
{
	autoerror Error err = {0};
	Arguments arguments;
	if (!parse(argc, argv, &arguments, &err)) {
		fprintf(stderr, "Error: %s\n", err_text(&err));
		return 1;
	}
	if (arguments.help) {
		print_help(stdout);
		return 0;
	}
	if (run(&arguments, &(Builder){builder, arg}, &err))
		return 0;
	autofree char *text = local_tree_shorten(err_text(&err));
	fprintf(stderr, "Error: %s\n", text);
	return 1;
}
