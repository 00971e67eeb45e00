#include "helm/package.h"

#include "archive/tar.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "data/yaml.h"
#include "helm/metadata.h"

HelmFile *helm_chart_raw(const HelmChart *chart, const char *name)
{
	for (size_t i = 0; i < chart->raw.len; i++) {
		HelmFile *file = chart->raw.items[i];
		if (cstr_eq(file->name, name))
			return file;
	}
	return NULL;
}

static bool sink(void *arg, const void *bytes, size_t len, Error *err)
{
	const int *fd = arg;
	return fd_write_all(*fd, bytes, len, err);
}

static bool put(TarWriter *tar, const char *base, const char *name, Str data, Error *err)
{
	autofree char *path = path_join(base, name);
	return tar_writer_file(tar, path, false, data.ptr, data.len, err);
}

static bool put_raw(TarWriter *tar, const char *base, const HelmChart *chart, const char *name,
		    Error *err)
{
	const HelmFile *file = helm_chart_raw(chart, name);
	return !file || put(tar, base, name, file->data, err);
}

static bool put_files(TarWriter *tar, const char *base, const Vec *files, Error *err)
{
	for (size_t i = 0; i < files->len; i++) {
		const HelmFile *file = files->items[i];
		if (!put(tar, base, file->name, file->data, err))
			return false;
	}
	return true;
}

static bool is_v1(const HelmChart *chart)
{
	return cstr_eq(helm_chart_field(chart, "apiVersion"), "v1");
}

/* A v1 chart's dependencies are in requirements.yaml, one of its files. */
static bool put_metadata(TarWriter *tar, const char *base, const HelmChart *chart, Error *err)
{
	autojson json_t *metadata = json_copy(chart->metadata);
	autobuf Buf text = {0};
	if (is_v1(chart))
		json_object_del(metadata, "dependencies");
	yaml_emit(metadata, &text);
	return put(tar, base, "Chart.yaml", buf_str(&text), err);
}

static bool put_schema(TarWriter *tar, const char *base, const HelmChart *chart, Error *err)
{
	autoerror Error no_json = {0};
	if (chart->schema.len == 0)
		return true;
	autojson json_t *schema =
		json_parse(chart->schema.ptr, chart->schema.len, HELM_MAX_FILE_BYTES, &no_json);
	if (!schema)
		return err_set(err, ERR_INVALID, "invalid JSON in values.schema.json");
	return put(tar, base, "values.schema.json", chart->schema, err);
}

static bool put_chart(TarWriter *tar, const char *prefix, const HelmChart *chart, int depth,
		      Error *err)
{
	const char *name = helm_chart_name(chart);
	if (depth > HELM_MAX_DEPTH)
		return err_set(err, ERR_LIMIT, "charts are nested too deeply");
	if (!*name || !cstr_eq(path_base(name), name))
		return err_set(err, ERR_INVALID, "\"%.100s\" is not a valid chart name", name);
	autofree char *base = path_join(prefix, name);
	if (!put_metadata(tar, base, chart, err) ||
	    (!is_v1(chart) && !put_raw(tar, base, chart, "Chart.lock", err)) ||
	    !put_raw(tar, base, chart, "values.yaml", err) || !put_schema(tar, base, chart, err) ||
	    !put_files(tar, base, &chart->templates, err) ||
	    !put_files(tar, base, &chart->files, err))
		return false;
	autofree char *charts = path_join(base, "charts");
	for (size_t i = 0; i < chart->charts.len; i++)
		if (!put_chart(tar, charts, chart->charts.items[i], depth + 1, err))
			return false;
	return true;
}

bool helm_chart_package(const HelmChart *chart, int fd, Error *err)
{
	autoerror Error invalid = {0};
	autojson json_t *metadata = json_deep_copy(chart->metadata);
	if (!metadata_check(metadata, &invalid)) {
		err_move(err, &invalid);
		return err_wrap(err, "chart validation");
	}
	autotarwriter TarWriter *tar = tar_writer_new_chart(sink, &fd, err);
	return tar && put_chart(tar, "", chart, 0, err) && tar_writer_finish(tar, err);
}
