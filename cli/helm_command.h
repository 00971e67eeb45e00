/* The pieces of `sluice helm template`. */
#ifndef CLI_HELM_COMMAND_H
#define CLI_HELM_COMMAND_H

#include "base/buf.h"
#include "base/vec.h"
#include "data/json.h"

/* The command line; texts are borrowed from argv, lists own theirs. */
typedef struct {
	const char *name, *chart, *ns, *kube_version;
	Vec words; /* borrowed */
	Vec value_files, set, set_string, set_file, set_json, set_literal, show_only, api_versions;
	bool include_crds, skip_tests, no_hooks, is_upgrade, skip_schema, generate_name, debug,
		help;
} HelmArguments;

/* The values of all flags, in Helm's order: files, --set-json, --set, --set-string, --set-file,
 * --set-literal. Owned. */
json_t *helm_command_values(const HelmArguments *arguments, Error *err) MUST_USE;

/* Appends what is to be printed, which on failure may be something too (--debug). */
bool helm_command_template(const HelmArguments *arguments, Buf *out, Error *err) MUST_USE;

#endif
