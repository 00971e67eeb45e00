#include <fcntl.h>

#include "base/fd.h"
#include "base/mem.h"
#include "helm/strvals.h"
#include "helm/values.h"
#include "helm_command.h"

enum { VALUES_MAX = 5 << 20 };

static bool read_file(const HelmArguments *arguments, const char *path, Buf *out, Error *err)
{
	if (cstr_eq(path, "-"))
		return fd_read_all(STDIN_FILENO, VALUES_MAX, out, err);
	if (arguments->far && helm_command_is_url(path))
		return arguments->far->read_url(arguments->far_state, path, out, err);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "open %s", path);
	autofd int open_fd = fd;
	return fd_read_all(open_fd, VALUES_MAX, out, err);
}

static bool add_file(json_t *values, const HelmArguments *arguments, const char *path, Error *err)
{
	autobuf Buf text = {0};
	if (!read_file(arguments, path, &text, err))
		return false;
	autojson json_t *more = helm_values_parse(buf_str(&text), err);
	if (!more)
		return err_wrap(err, "failed to parse %s", path);
	helm_values_merge(values, more);
	return true;
}

static json_t *read_content(void *context, const char *path, Error *err)
{
	autobuf Buf text = {0};
	if (!read_file(context, path, &text, err))
		return NULL;
	return json_text_new(buf_text(&text), text.len);
}

/* A whole JSON object in place of key=value. */
static bool add_object(json_t *values, const char *text, Error *err)
{
	autoerror Error cause = {0};
	autojson json_t *object = json_parse(text, strlen(text), VALUES_MAX, &cause);
	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, "failed parsing --set-json data JSON: %s", text);
	/* YAML reads JSON too, and gives numbers as values have them. */
	autojson json_t *reals = helm_values_parse(str_of(text), err);
	if (!reals)
		return false;
	helm_values_merge(values, reals);
	return true;
}

static bool add_flag(json_t *values, const char *flag, const char *text,
		     const StrvalsOptions *options, Error *err)
{
	Str trimmed = str_trim(str_of(text));
	if (options->mode == STRVALS_JSON && str_starts(trimmed, STR("{")))
		return add_object(values, text, err);
	if (helm_strvals(values, str_of(text), options, err))
		return true;
	if (options->mode != STRVALS_JSON)
		return err_wrap(err, "failed parsing %s data", flag);
	error_dispose(err);
	return err_set(err, ERR_INVALID, "failed parsing --set-json data %s", text);
}

json_t *helm_command_values(const HelmArguments *arguments, Error *err)
{
	const struct {
		const char *flag;
		const Vec *texts;
		StrvalsOptions options;
	} rows[] = {
		{"--set-json", &arguments->set_json, {.mode = STRVALS_JSON}},
		{"--set", &arguments->set, {.mode = STRVALS_TYPED}},
		{"--set-string", &arguments->set_string, {.mode = STRVALS_STRING}},
		{"--set-file",
		 &arguments->set_file,
		 {STRVALS_FILE, read_content, (void *)(uintptr_t)arguments}},
		{"--set-literal", &arguments->set_literal, {.mode = STRVALS_LITERAL}},
	};
	autojson json_t *values = json_object();
	for (size_t i = 0; i < arguments->value_files.len; i++)
		if (!add_file(values, arguments, arguments->value_files.items[i], err))
			return NULL;
	for (size_t row = 0; row < COUNT(rows); row++)
		for (size_t i = 0; i < rows[row].texts->len; i++)
			if (!add_flag(values, rows[row].flag, rows[row].texts->items[i],
				      &rows[row].options, err))
				return NULL;
	return steal(&values);
}
