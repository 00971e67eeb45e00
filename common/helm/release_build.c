#include "helm/release_build.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "data/yaml.h"
#include "helm/hooks.h"
#include "helm/metadata.h"
#include "helm/template.h"

enum { LOCK_MAX = 5 << 20, SECOND_NS = 1000000000, MILLISECOND_NS = 1000000 };

static const char zero_time[] = "0001-01-01T00:00:00Z";

void helm_time_now(char out[CLOCK_TEXT_SIZE])
{
	helm_time_text(clock_wall_ns(), out);
}

void helm_time_text(int64_t wall_ns, char out[CLOCK_TEXT_SIZE])
{
	clock_format(wall_ns / MILLISECOND_NS, out);
	size_t len = strlen(out) - 1; /* the Z */
	char fraction[16];
	snprintf(fraction, sizeof(fraction), ".%09lld", (long long)(wall_ns % SECOND_NS));
	size_t end = strlen(fraction);
	while (end > 1 && fraction[end - 1] == '0')
		end--;
	if (end == 1)
		end = 0;
	snprintf(out + len, CLOCK_TEXT_SIZE - len, "%.*sZ", (int)end, fraction);
}

static json_t *files_of(const Vec *files)
{
	json_t *list = json_array();
	for (size_t i = 0; i < files->len; i++) {
		const HelmFile *file = files->items[i];
		autofree char *data = base64_encode(file->data.ptr, file->data.len);
		json_t *row = json_object();
		json_object_set_new(row, "name", json_text_new(file->name, strlen(file->name)));
		json_object_set_new(row, "data", json_string(data));
		json_array_append_new(list, row);
	}
	return list;
}

/* Of the types that Helm's own reader wants: one that is not, and it reads no record at all. */
static json_t *read_lock(Str text)
{
	int64_t ignored_ms;
	autoerror Error ignored = {0}, unread = {0};
	autojson json_t *tree = yaml_parse_old(text.ptr, text.len, LOCK_MAX, "lock", &ignored);
	autojson json_t *fields = json_object();
	if (!json_is_object(tree) || !metadata_read(fields, text, &unread))
		return json_null();
	const char *generated = json_text_or(tree, "generated", "");
	bool dated = clock_parse(generated, &ignored_ms);
	return json_pack("{s:s,s:s,s:O?}", "generated", dated ? generated : zero_time, "digest",
			 json_text_or(tree, "digest", ""), "dependencies",
			 json_list(fields, "dependencies"));
}

/* Chart.lock, or requirements.lock of a chart of the first kind; null without one, or when it is no
 * lock: it is for people. */
static json_t *lock_of(const HelmChart *chart)
{
	const HelmFile *found = NULL;
	for (size_t i = 0; i < chart->raw.len; i++) {
		const HelmFile *file = chart->raw.items[i];
		if (cstr_eq(file->name, "Chart.lock") || cstr_eq(file->name, "requirements.lock"))
			found = file;
	}
	return found ? read_lock(found->data) : json_null();
}

/* Charts within it are not stored. */
static json_t *chart_of(const HelmChart *chart)
{
	json_t *tree = json_object();
	json_object_set(tree, "metadata", chart->metadata);
	json_object_set_new(tree, "lock", lock_of(chart));
	json_object_set_new(tree, "templates", files_of(&chart->templates));
	json_object_set(tree, "values", chart->values);
	autofree char *schema = base64_encode(chart->schema.ptr, chart->schema.len);
	json_object_set_new(tree, "schema", chart->schema.len ? json_string(schema) : json_null());
	json_object_set_new(tree, "schemamodtime", json_string(zero_time));
	json_object_set_new(tree, "files", files_of(&chart->files));
	return tree;
}

static json_t *info_of(const HelmRecordInput *input)
{
	char now[CLOCK_TEXT_SIZE];
	helm_time_now(now);
	json_t *info = json_object();
	json_put_text(info, "first_deployed", input->first_deployed ? input->first_deployed : now);
	json_put_text(info, "last_deployed", now);
	json_put_text(info, "description", input->description);
	json_put_text(info, "status", input->status);
	const char *notes = input->manifests->notes;
	if (!cstr_empty(notes))
		json_object_set_new(info, "notes", json_text_new(notes, strlen(notes)));
	return info;
}

static json_t *manifest_of(const HelmManifests *manifests)
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < manifests->objects.len; i++) {
		const HelmManifest *manifest = manifests->objects.items[i];
		helm_manifest_write(manifest->path, manifest->text, &text);
	}
	return json_text_new(buf_text(&text), text.len);
}

static json_t *hooks_of(const HelmManifests *manifests)
{
	json_t *hooks = json_array();
	for (size_t i = 0; i < manifests->hooks.len; i++)
		json_array_append_new(hooks, helm_hook_new(manifests->hooks.items[i]));
	return hooks;
}

HelmRecord *helm_record_build(const HelmRecordInput *input, Error *err)
{
	json_t *tree = json_object();
	json_put_text(tree, "name", input->name);
	json_object_set_new(tree, "info", info_of(input));
	json_object_set_new(tree, "chart", chart_of(input->chart));
	if (json_object_size(input->config))
		json_object_set(tree, "config", json_borrow(input->config));
	if (input->manifests->objects.len)
		json_object_set_new(tree, "manifest", manifest_of(input->manifests));
	if (input->manifests->hooks.len)
		json_object_set_new(tree, "hooks", hooks_of(input->manifests));
	json_object_set_new(tree, "version", json_integer(input->version));
	json_put_text(tree, "namespace", input->ns);
	json_put_text(tree, "apply_method", input->server_side ? "ssa" : "csa");
	return helm_record_new(tree, err);
}
