/*
 * Plugins of Helm that post-render: a folder with plugin.yaml in $HELM_PLUGINS, and a program. Of
 * Helm's runtimes only "subprocess" is here: no WebAssembly is run.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/child.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "helm_far.h"

enum {
	PLUGIN_FILE_MAX = 1 << 20,
	PLUGINS_MAX = 10000,
	OUTPUT_MAX = 64 << 20,
	TIMEOUT_MS = 10 * 60 * 1000,
};

struct HelmPlugin {
	char *dir, *name;
	json_t *metadata;
	const Vec *arguments; /* borrowed */
};

void helm_plugin_free(HelmPlugin *plugin)
{
	if (!plugin)
		return;
	free(plugin->dir);
	free(plugin->name);
	json_decref(plugin->metadata);
	free(plugin);
}

/* --- finding --- */

/* plugin.yaml; what cannot be read is passed over, as Helm does. Owned, or NULL. */
static json_t *load_metadata(const char *dir)
{
	autofree char *path = path_join(dir, "plugin.yaml");
	autobuf Buf text = {0};
	autoerror Error ignored = {0};
	if (!file_read(path, PLUGIN_FILE_MAX, &text, &ignored))
		return NULL;
	return yaml_parse(buf_text(&text), text.len, PLUGIN_FILE_MAX, path, &ignored);
}

static HelmPlugin *try_dir(const char *dir, const char *name)
{
	autojson json_t *metadata = load_metadata(dir);
	if (!cstr_eq(json_text(metadata, "apiVersion"), "v1") ||
	    !cstr_eq(json_text(metadata, "type"), "postrenderer/v1") ||
	    !cstr_eq(json_text(metadata, "name"), name) ||
	    cstr_empty(json_text(metadata, "version")) ||
	    cstr_empty(json_text(metadata, "runtime")))
		return NULL;
	HelmPlugin *plugin = mem_zalloc(1, sizeof(*plugin));
	plugin->dir = mem_strdup(dir);
	plugin->name = mem_strdup(name);
	plugin->metadata = steal(&metadata);
	return plugin;
}

static HelmPlugin *search(const char *dir, const char *name)
{
	autoerror Error ignored = {0};
	autostrings Vec names = {0};
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, &ignored);
	if (fd < 0 || !dir_names(fd, PLUGINS_MAX, &names, &ignored))
		return NULL;
	for (size_t i = 0; i < names.len; i++) {
		autofree char *path = path_join(dir, names.items[i]);
		HelmPlugin *plugin = try_dir(path, name);
		if (plugin)
			return plugin;
	}
	return NULL;
}

HelmPlugin *helm_plugin_find(const char *name, const Vec *arguments, Error *err)
{
	autofree char *dirs = helm_home_plugins();
	HelmPlugin *plugin = NULL;
	Str rest = str_of(dirs), piece;
	while (!plugin && str_next(&rest, ':', &piece)) {
		autofree char *dir = str_dup(piece);
		plugin = search(dir, name);
	}
	if (!plugin)
		return err_null(err, ERR_NOT_FOUND,
				"invalid argument \"%s\" for \"--post-renderer\" flag: plugin: "
				"{Name:%s Type:postrenderer/v1} not found",
				name, name);
	plugin->arguments = arguments;
	return plugin;
}

/* --- its program --- */

/* As Go names machines. */
static const char *architecture(const struct utsname *machine)
{
	static const char *const names[][2] = {
		{"x86_64", "amd64"}, {"aarch64", "arm64"}, {"armv7l", "arm"}, {"i686", "386"}};
	for (size_t i = 0; i < COUNT(names); i++)
		if (cstr_eq(machine->machine, names[i][0]))
			return names[i][1];
	return machine->machine;
}

/* How well a command fits this machine: 0 not at all; of equal ones the first counts. */
static int rank(const json_t *command, const char *arch)
{
	const char *os = json_text_or(command, "os", "");
	const char *own = json_text_or(command, "arch", "");
	bool is_os = strcasecmp(os, "linux") == 0;
	if (is_os && *own && strcasecmp(own, arch) == 0)
		return 3;
	if (*own || (*os && !is_os))
		return 0;
	return is_os ? 2 : 1;
}

static const json_t *choose(const json_t *commands)
{
	struct utsname machine;
	const json_t *best = NULL;
	size_t i;
	json_t *command;
	int found = 0;
	uname(&machine);
	json_array_foreach(json_borrow(commands), i, command)
	{
		int own = rank(command, architecture(&machine));
		if (own > found) {
			best = command;
			found = own;
		}
	}
	return best;
}

static const char *variable(const HelmPlugin *plugin, const char *name)
{
	if (cstr_eq(name, "HELM_PLUGIN_NAME"))
		return plugin->name;
	if (cstr_eq(name, "HELM_PLUGIN_DIR"))
		return plugin->dir;
	const char *value = getenv(name);
	return value ? value : "";
}

/* "$NAME" and "${NAME}", as Go's os.Expand. Owned. */
static char *expand(const HelmPlugin *plugin, Str text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_";
	autobuf Buf out = {0};
	for (size_t at = 0; at < text.len; at++) {
		Str rest = str_slice(text, at + 1, text.len);
		bool braced = rest.len && *rest.ptr == '{';
		ptrdiff_t end = braced ? str_find_char(rest, '}') : 0;
		while (!braced && (size_t)end < rest.len && strchr(letters, rest.ptr[end]))
			end++;
		if (text.ptr[at] != '$' || end <= 0) {
			buf_putc(&out, text.ptr[at]);
			continue;
		}
		autofree char *name = str_dup(str_slice(rest, braced, (size_t)end));
		buf_puts(&out, variable(plugin, name));
		at += (size_t)end + braced;
	}
	return buf_steal(&out);
}

/* The program, its own arguments, and those of the command line; *out holds owned texts. */
static bool words_of(const HelmPlugin *plugin, Vec *out, Error *err)
{
	const json_t *config = json_map(plugin->metadata, "runtimeConfig");
	const json_t *command = choose(json_list(config, "platformCommand"));
	Str rest = str_of(json_text_or(command, "command", "")), piece;
	if (rest.len == 0 || *rest.ptr == ' ')
		return err_set(err, ERR_INVALID,
			       "failed to prepare plugin command: no plugin command is applicable");
	while (str_next(&rest, ' ', &piece))
		vec_push(out, expand(plugin, piece));
	size_t i;
	json_t *word;
	json_array_foreach(json_list(command, "args"), i, word)
	{
		const char *text = json_string_value(word);
		vec_push(out, expand(plugin, str_of(text ? text : "")));
	}
	for (i = 0; i < plugin->arguments->len; i++)
		vec_push(out, mem_strdup(plugin->arguments->items[i]));
	vec_push(out, NULL);
	return true;
}

extern char **environ;

static void environment(const HelmPlugin *plugin, Vec *out)
{
	for (char **row = environ; *row; row++)
		if (!cstr_starts(*row, "HELM_PLUGIN_NAME=") &&
		    !cstr_starts(*row, "HELM_PLUGIN_DIR="))
			vec_push(out, mem_strdup(*row));
	vec_push(out, mem_printf("HELM_PLUGIN_NAME=%s", plugin->name));
	vec_push(out, mem_printf("HELM_PLUGIN_DIR=%s", plugin->dir));
	vec_push(out, NULL);
}

static bool run_program(const HelmPlugin *plugin, Str stream, Buf *out, Error *err)
{
	autostrings Vec words = {0}, env = {0};
	int code = 0;
	if (!words_of(plugin, &words, err))
		return false;
	environment(plugin, &env);
	const ChildSpec spec = {.argv = (const char *const *)words.items,
				.env = (const char *const *)env.items,
				.input = stream,
				.timeout_ms = TIMEOUT_MS,
				.max_output = OUTPUT_MAX};
	if (!child_run(&spec, out, NULL, &code, err))
		return false;
	return code == 0 ||
	       err_set(err, ERR_INVALID, "plugin \"%s\" exited with error", plugin->name);
}

bool helm_plugin_run(void *context, Str stream, Buf *out, Error *err)
{
	const HelmPlugin *plugin = context;
	const char *runtime = json_text_or(plugin->metadata, "runtime", "");
	bool fine = cstr_eq(runtime, "subprocess")
			    ? run_program(plugin, stream, out, err)
			    : err_set(err, ERR_UNSUPPORTED,
				      "unsupported plugin runtime type: \"%s\"", runtime);
	if (!fine)
		return err_wrap(err, "failed to invoke post-renderer plugin \"%s\"", plugin->name);
	return str_trim(buf_str(out)).len > 0 ||
	       err_set(err, ERR_INVALID, "post-renderer \"%s\" produced empty output",
		       plugin->name);
}
