/*
 * The flags of `helm template`: those that mean something here, and those of installing, which the
 * real tool takes and a render does nothing with.
 */
#include <stdio.h>

#include "base/mem.h"
#include "helm_command.h"
#include "tool_flags.h"

#define AT(member) offsetof(HelmArguments, member)

static const ToolFlag rows[] = {
	{"--values", "-f", TOOL_COMMAS, AT(value_files),
	 "file or URL with values, or - for standard input (can be given several times)"},
	{"--set", "", TOOL_LIST, AT(set), "key=value, values typed by their look"},
	{"--set-string", "", TOOL_LIST, AT(set_string), "key=value, values text"},
	{"--set-file", "", TOOL_LIST, AT(set_file), "key=FILE, the file's content"},
	{"--set-json", "", TOOL_LIST, AT(set_json), "key=JSON, or a JSON object"},
	{"--set-literal", "", TOOL_LIST, AT(set_literal),
	 "key=text, nothing in the text is special"},
	{"--namespace", "-n", TOOL_TEXT, AT(ns), "namespace of the release"},
	{"--show-only", "-s", TOOL_LIST, AT(show_only), "only manifests of these templates"},
	{"--api-versions", "-a", TOOL_COMMAS, AT(api_versions),
	 "more API versions for .Capabilities.APIVersions"},
	{"--kube-version", "", TOOL_TEXT, AT(kube_version),
	 "version for .Capabilities.KubeVersion"},
	{"--include-crds", "", TOOL_SWITCH, AT(include_crds), "print the chart's crds too"},
	{"--skip-tests", "", TOOL_SWITCH, AT(skip_tests), "leave tests away"},
	{"--no-hooks", "", TOOL_SWITCH, AT(no_hooks), "leave hooks away"},
	{"--is-upgrade", "", TOOL_SWITCH, AT(is_upgrade),
	 ".Release.IsUpgrade instead of .Release.IsInstall"},
	{"--skip-schema-validation", "", TOOL_SWITCH, AT(skip_schema),
	 "values need not fit the charts' schemas"},
	{"--generate-name", "-g", TOOL_SWITCH, AT(generate_name), "a made-up release name"},
	{"--name-template", "", TOOL_TEXT, AT(name_template), "template of the release name"},
	{"--output-dir", "", TOOL_TEXT, AT(output_dir), "write files below this directory"},
	{"--release-name", "", TOOL_SWITCH, AT(release_name),
	 "the release name is part of their paths"},
	{"--post-renderer", "", TOOL_ONCE, AT(post_renderer),
	 "plugin of Helm that changes what was rendered"},
	{"--post-renderer-args", "", TOOL_LIST, AT(post_renderer_args), "an argument of its"},
	{"--enable-dns", "", TOOL_SWITCH, AT(enable_dns), "getHostByName asks DNS"},
	{"--repo", "", TOOL_TEXT, AT(source.repo), "URL of the chart's repository"},
	{"--version", "", TOOL_TEXT, AT(source.version), "version, or range of versions"},
	{"--devel", "", TOOL_SWITCH, AT(source.devel), "prereleases too, as --version '>0.0.0-0'"},
	{"--username", "", TOOL_TEXT, AT(source.username), "user of the repository or registry"},
	{"--password", "", TOOL_TEXT, AT(source.password), "its password"},
	{"--pass-credentials", "", TOOL_SWITCH, AT(source.pass_credentials),
	 "other hosts are shown them, too"},
	{"--ca-file", "", TOOL_TEXT, AT(source.ca_file), "authorities of the server's certificate"},
	{"--cert-file", "", TOOL_TEXT, AT(source.cert_file), "client certificate"},
	{"--key-file", "", TOOL_TEXT, AT(source.key_file), "its key"},
	{"--insecure-skip-tls-verify", "", TOOL_SWITCH, AT(source.insecure),
	 "do not verify the server's certificate"},
	{"--plain-http", "", TOOL_SWITCH, AT(source.plain_http), "registries by plain HTTP"},
	{"--verify", "", TOOL_SWITCH, AT(source.verify), "the chart's .prov file must verify it"},
	{"--keyring", "", TOOL_TEXT, AT(source.keyring),
	 "public keys for that (default ~/.gnupg/pubring.gpg)"},
	{"--dependency-update", "", TOOL_SWITCH, AT(source.dependency_update),
	 "fetch missing dependencies into charts/"},
	{"--repository-config", "", TOOL_TEXT, AT(source.repository_config),
	 "names and URLs of repositories"},
	{"--repository-cache", "", TOOL_TEXT, AT(source.repository_cache),
	 "directory of their indexes"},
	{"--registry-config", "", TOOL_TEXT, AT(source.registry_config),
	 "credentials of registries"},
	{"--dry-run", "", TOOL_OPTIONAL, AT(dry_run),
	 "=client (default), or =server: ask a cluster"},
	{"--kubeconfig", "", TOOL_TEXT, AT(cluster.kubeconfig), "how to reach the cluster"},
	{"--kube-context", "", TOOL_TEXT, AT(cluster.context), "context of the kubeconfig"},
	{"--kube-apiserver", "", TOOL_TEXT, AT(cluster.server), "address of the API server"},
	{"--kube-token", "", TOOL_TEXT, AT(cluster.token), "bearer token"},
	{"--kube-as-user", "", TOOL_TEXT, AT(cluster.as_user), "user to impersonate"},
	{"--kube-as-group", "", TOOL_LIST, AT(cluster.as_groups), "group to impersonate"},
	{"--kube-ca-file", "", TOOL_TEXT, AT(cluster.ca_file),
	 "authorities of the API server's certificate"},
	{"--kube-tls-server-name", "", TOOL_TEXT, AT(cluster.tls_server_name),
	 "name in that certificate"},
	{"--kube-insecure-skip-tls-verify", "", TOOL_SWITCH, AT(cluster.insecure),
	 "do not verify the API server's certificate"},
	{"--disable-openapi-validation", "", TOOL_SWITCH, AT(skip_openapi),
	 "with =server: objects need not fit the cluster's schemas"},
	{"--take-ownership", "", TOOL_SWITCH, AT(take_ownership),
	 "with =server: objects may be another release's"},
	{"--max-output", "", TOOL_TEXT, AT(limits.max_output),
	 "bytes that a template may give (default 64 MiB)"},
	{"--max-memory", "", TOOL_TEXT, AT(limits.max_memory),
	 "bytes of values while rendering (default 512 MiB)"},
	{"--max-steps", "", TOOL_TEXT, AT(limits.max_steps),
	 "actions and calls of a render (default 100 million)"},
	{"--max-depth", "", TOOL_TEXT, AT(limits.max_depth),
	 "templates within templates (default: as Helm)"},
	{"--max-time", "", TOOL_TEXT, AT(limits.max_time),
	 "time that a render may take (default 1m)"},
	{"--debug", "", TOOL_SWITCH, AT(debug), "print manifests that are no YAML too"},
	{"--help", "-h", TOOL_SWITCH, AT(help), "this text"},
	/* Older names, as the real tool has them. */
	{"--validate", "", TOOL_SWITCH, AT(validate), ""},
	{"--force", "", TOOL_SWITCH, AT(force), ""},
	/* Of installing: nothing comes of them, but what makes no sense is told. */
	{"--force-replace", "", TOOL_SWITCH, AT(force_replace), ""},
	{"--force-conflicts", "", TOOL_SWITCH, AT(force_conflicts), ""},
	{"--labels", "-l", TOOL_COMMAS, AT(labels), ""},
	{"--wait", "", TOOL_OPTIONAL, AT(wait), ""},
	{"--color", "", TOOL_TEXT, AT(color), ""},
	{"--colour", "", TOOL_TEXT, AT(color), ""},
	{"--atomic", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--burst-limit", "", TOOL_IGNORED_INT, 0, ""},
	{"--content-cache", "", TOOL_IGNORED, 0, ""},
	{"--create-namespace", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--description", "", TOOL_IGNORED, 0, ""},
	{"--hide-notes", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--qps", "", TOOL_IGNORED_REAL, 0, ""},
	{"--render-subchart-notes", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--replace", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--rollback-on-failure", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--server-side", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--skip-crds", "", TOOL_IGNORED_SWITCH, 0, ""},
	{"--timeout", "", TOOL_IGNORED_DURATION, 0, ""},
	{"--wait-for-jobs", "", TOOL_IGNORED_SWITCH, 0, ""},
};

const ToolFlags helm_flags = {rows, COUNT(rows), "an argument"};

void helm_command_help(FILE *out)
{
	fputs("Usage: sluice helm template [NAME] CHART [flags]\n\n"
	      "Renders a chart and prints its manifests. CHART is a directory, a .tgz file, a "
	      "URL,\n"
	      "oci://HOST/REPOSITORY, REPOSITORY/NAME of Helm's repositories, or with --repo a "
	      "name.\n\nFlags:\n",
	      out);
	tool_flags_help(&helm_flags, out);
}

void helm_command_dispose(HelmArguments *arguments)
{
	tool_flags_dispose(&helm_flags, arguments);
	vec_dispose(&arguments->words);
	free(arguments->own_name);
	free(arguments->own_ns);
}

/* --- what fits no row --- */

static bool take_words(HelmArguments *out, Error *err)
{
	const Vec *words = &out->words;
	if (words->len == 0)
		return err_set(err, ERR_INVALID,
			       "\"helm template\" requires at least 1 argument\n\nUsage:  sluice "
			       "helm template [NAME] CHART [flags]");
	if (words->len > 2)
		return err_set(err, ERR_INVALID,
			       "expected at most two arguments, unexpected arguments: %s",
			       (const char *)words->items[2]);
	out->chart = words->items[words->len - 1];
	out->name = words->len == 2 ? words->items[0] : "release-name";
	if (words->len == 2 && out->generate_name)
		return err_set(err, ERR_INVALID,
			       "cannot set --generate-name and also specify a name");
	if (words->len == 2 && out->name_template)
		return err_set(err, ERR_INVALID,
			       "cannot set --name-template and also specify a name");
	if (out->name_template) {
		out->own_name = helm_command_name(out->name_template, err);
		out->name = out->own_name;
	}
	return out->name != NULL;
}

static bool is_one_of(const char *value, const char *const *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cstr_eq(known[i], value))
			return true;
	return false;
}

static bool check_dry_run(const HelmArguments *arguments, Error *err)
{
	static const char *const known[] = {"",	    "client", "server", "true", "TRUE",
					    "True", "t",      "T",	"1",	"unset"};
	const char *value = arguments->dry_run;
	if (value && arguments->validate)
		return err_set(err, ERR_INVALID,
			       "if any flags in the group [validate dry-run] are set none of the "
			       "others can be; [dry-run validate] were all set");
	if (!value || is_one_of(value, known, COUNT(known)))
		return true;
	return err_set(err, ERR_INVALID,
		       "invalid dry-run value (\"%s\"). Must be \"server\" or \"client\"", value);
}

static bool check_force(const HelmArguments *arguments, Error *err)
{
	if (!arguments->force_conflicts || !(arguments->force || arguments->force_replace))
		return true;
	return arguments->force
		       ? err_set(err, ERR_INVALID,
				 "if any flags in the group [force force-conflicts] are set none "
				 "of the others can be; [force force-conflicts] were all set")
		       : err_set(err, ERR_INVALID,
				 "if any flags in the group [force-replace force-conflicts] are "
				 "set none of the others can be; [force-conflicts force-replace] "
				 "were all set");
}

/* Only their form: a render has no labels. What Helm keeps for itself it finds later. */
static bool check_labels(const HelmArguments *arguments, Error *err)
{
	for (size_t i = 0; i < arguments->labels.len; i++) {
		const char *label = arguments->labels.items[i];
		if (*label && !strchr(label, '='))
			return err_set(err, ERR_INVALID,
				       "invalid argument \"%s\" for \"-l, --labels\" flag: %s must "
				       "be formatted as key=value",
				       label, label);
	}
	return true;
}

static bool check_choices(const HelmArguments *arguments, Error *err)
{
	static const char *const waits[] = {"", "watcher", "hookOnly", "legacy", "true", "false"};
	static const char *const colors[] = {"never", "auto", "always"};
	if (arguments->wait && !is_one_of(arguments->wait, waits, COUNT(waits)))
		return err_set(err, ERR_INVALID,
			       "invalid argument \"%s\" for \"--wait\" flag: invalid wait input "
			       "\"%s\". Valid inputs are watcher, hookOnly, and legacy",
			       arguments->wait, arguments->wait);
	if (arguments->color && !is_one_of(arguments->color, colors, COUNT(colors)))
		return err_set(err, ERR_INVALID,
			       "invalid color mode \"%s\": must be one of: never, auto, always",
			       arguments->color);
	return true;
}

bool helm_command_check_labels(const HelmArguments *arguments, Error *err)
{
	static const char *const own[] = {"name",    "owner",	  "status",
					  "version", "createdAt", "modifiedAt"};
	for (size_t i = 0; i < arguments->labels.len; i++) {
		Str name, value;
		str_cut(str_of(arguments->labels.items[i]), '=', &name, &value);
		autofree char *text = str_dup(name);
		if (is_one_of(text, own, COUNT(own)))
			return err_set(err, ERR_INVALID,
				       "user supplied labels contains system reserved label name. "
				       "System labels: [name owner status version createdAt "
				       "modifiedAt]");
	}
	return true;
}

bool helm_command_parse(int argc, char **argv, HelmArguments *out, Error *err)
{
	bool help = argc >= 2 && (cstr_eq(argv[1], "--help") || cstr_eq(argv[1], "-h"));
	if (help) {
		out->help = true;
		return true;
	}
	if (argc < 2 || !cstr_eq(argv[1], "template"))
		return err_set(err, ERR_INVALID, "helm: the command is \"helm template\"");
	bool only_words = false;
	for (int at = 2; at < argc; at++) {
		if (only_words || argv[at][0] != '-' || !argv[at][1])
			vec_push(&out->words, argv[at]);
		else if (cstr_eq(argv[at], "--"))
			only_words = true;
		else if (!tool_flags_take(&helm_flags, argc, argv, &at, out, err))
			return false;
	}
	return out->help ||
	       (check_choices(out, err) && check_labels(out, err) && check_force(out, err) &&
		check_dry_run(out, err) && take_words(out, err));
}
