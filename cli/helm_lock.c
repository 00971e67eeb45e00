/* Chart.lock: which versions the dependencies of a chart were resolved to, and a digest of both. */
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/digest.h"
#include "data/yaml.h"
#include "helm/package.h"
#include "helm_update.h"

/* As Go writes its struct: fields in their order, without empty ones but name and repository. */
static void put_dependency(const json_t *dependency, Buf *out)
{
	static const struct {
		const char *name;
		bool always;
	} fields[] = {{"name", true},		{"version", false}, {"repository", true},
		      {"condition", false},	{"tags", false},    {"enabled", false},
		      {"import-values", false}, {"alias", false}};
	const char *between = "";
	buf_putc(out, '{');
	for (size_t i = 0; i < COUNT(fields); i++) {
		const json_t *value = json_object_get(dependency, fields[i].name);
		const char *text = json_string_value(value);
		bool empty = !value || json_is_null(value) || json_is_false(value) ||
			     (text && !*text) || (json_is_array(value) && !json_array_size(value));
		if (empty && !fields[i].always)
			continue;
		autofree char *written = empty ? mem_strdup("\"\"") : json_dump_go(value);
		buf_printf(out, "%s\"%s\":%s", between, fields[i].name, written);
		between = ",";
	}
	buf_putc(out, '}');
}

static void put_list(const json_t *list, Buf *out)
{
	size_t i;
	json_t *dependency;
	buf_putc(out, '[');
	json_array_foreach(json_borrow(list), i, dependency)
	{
		buf_puts(out, i ? "," : "");
		put_dependency(dependency, out);
	}
	buf_putc(out, ']');
}

static void digest_both(const json_t *wanted, const json_t *locked, char out[DIGEST_TEXT_SIZE])
{
	autobuf Buf text = {0};
	buf_putc(&text, '[');
	put_list(wanted, &text);
	buf_putc(&text, ',');
	put_list(locked, &text);
	buf_puts(&text, "]\n");
	/* Go's Marshal ends no line. */
	digest_of(DIGEST_SHA256, text.ptr, text.len - 1, out);
}

static bool is_same(const HelmChart *chart, const char *name, const char *digest)
{
	const HelmFile *file = helm_chart_raw(chart, name);
	autoerror Error ignored = {0};
	autojson json_t *lock = file ? yaml_parse_old(file->data.ptr, file->data.len,
						      HELM_MAX_FILE_BYTES, "yaml", &ignored)
				     : NULL;
	return lock && cstr_eq(json_text(lock, "digest"), digest);
}

bool helm_lock_write(const char *dir, const HelmChart *chart, const json_t *wanted,
		     const json_t *locked, Error *err)
{
	char digest[DIGEST_TEXT_SIZE], now[CLOCK_TEXT_SIZE];
	bool is_v1 = cstr_eq(helm_chart_field(chart, "apiVersion"), "v1");
	const char *name = is_v1 ? "requirements.lock" : "Chart.lock";
	struct stat status;
	digest_both(wanted, locked, digest);
	if (is_same(chart, name, digest))
		return true;
	autofree char *path = path_join(dir, name);
	if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
		return err_set(err, ERR_INVALID, "the %s file is a symlink", name);
	clock_format_ms(clock_wall_ms(), now);
	autojson json_t *lock = json_pack("{sssOss}", "digest", digest, "dependencies",
					  json_borrow(locked), "generated", now);
	autobuf Buf text = {0};
	yaml_emit(lock, &text);
	return file_write_atomic(path, text.ptr, text.len, 0644, err);
}
