/*
 * An index as it is stored. Each version is written to the spool as it comes; what is held is where
 * it lies there and its version. At the end each chart's versions are sorted and copied over, as
 * Go's json.MarshalIndent(index, "", "  ") would have them.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "data/semver.h"
#include "helm/index_internal.h"
#include "helm/metadata.h"

enum { WRITE_BYTES = 64 * 1024, VERSION_INDENT = 6 };

typedef struct {
	uint64_t offset; /* in the spool */
	uint32_t len;
	uint32_t version; /* offset of its text in `texts` */
} Record;

typedef struct {
	char *name;
	size_t first, count; /* of its records, which follow each other */
} Chart;

typedef struct {
	int spool_fd;
	Buf pending; /* of the spool, not yet written */
	uint64_t spooled;
	Buf texts; /* of versions, and of names to be counted */
	Record *records;
	size_t count, cap;
	Vec charts; /* Chart *, owned */
	Map *names;
	HelmIndexSummary summary;
} Conversion;

static void chart_free(void *item)
{
	Chart *chart = item;
	free(chart->name);
	free(chart);
}

static void conversion_dispose(Conversion *conversion)
{
	buf_dispose(&conversion->pending);
	buf_dispose(&conversion->texts);
	free(conversion->records);
	vec_dispose_with(&conversion->charts, chart_free);
	map_free(conversion->names);
}

/* --- reading --- */

static bool add_chart(void *arg, const char *name, Error *err)
{
	Conversion *conversion = arg;
	if (map_has(conversion->names, name))
		return err_set(err, ERR_INVALID, "key \"%.100s\" already set in map", name);
	if (conversion->charts.len >= HELM_INDEX_MAX_CHARTS)
		return err_set(err, ERR_LIMIT, "the index has more than %d charts",
			       HELM_INDEX_MAX_CHARTS);
	uint32_t ignored;
	if (!index_add_text(&conversion->texts, name, &ignored, err))
		return false;
	Chart *chart = mem_zalloc(1, sizeof(*chart));
	chart->name = mem_strdup(name);
	chart->first = conversion->count;
	vec_push(&conversion->charts, chart);
	map_put(conversion->names, name, NULL);
	return true;
}

static bool flush(int fd, Buf *buf, Error *err)
{
	bool ok = fd_write_all(fd, buf_text(buf), buf->len, err);
	buf_clear(buf);
	return ok;
}

/* With `indent` blanks before each line but the first: line ends are layout only. */
static void write_indented(const json_t *value, size_t indent, Buf *out)
{
	autofree char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
	for (const char *line = text; line;) {
		const char *end = strchr(line, '\n');
		buf_append(out, line, end ? (size_t)(end - line) + 1 : strlen(line));
		for (size_t i = 0; end && i < indent; i++)
			buf_putc(out, ' ');
		line = end ? end + 1 : NULL;
	}
}

static bool add_record(Conversion *conversion, const json_t *version, Error *err)
{
	const char *text = json_text_or(version, "version", "");
	if (conversion->count >= HELM_INDEX_MAX_VERSIONS)
		return err_set(err, ERR_LIMIT, "the index has more than %d versions",
			       HELM_INDEX_MAX_VERSIONS);
	if (conversion->count == conversion->cap) {
		conversion->cap = conversion->cap ? conversion->cap * 2 : 256;
		conversion->records =
			mem_realloc(conversion->records, conversion->cap * sizeof(Record));
	}
	Record *record = &conversion->records[conversion->count++];
	size_t before = conversion->pending.len;
	if (!index_add_text(&conversion->texts, text, &record->version, err))
		return false;
	record->offset = conversion->spooled;
	write_indented(version, VERSION_INDENT, &conversion->pending);
	record->len = (uint32_t)(conversion->pending.len - before);
	conversion->spooled += record->len;
	((Chart *)conversion->charts.items[conversion->charts.len - 1])->count++;
	return conversion->pending.len < WRITE_BYTES ||
	       flush(conversion->spool_fd, &conversion->pending, err);
}

/* Repositories that drop aliases list charts that seem to depend on one twice. */
static bool is_valid(json_t *version)
{
	autoerror Error err = {0};
	return metadata_check(version, &err) ||
	       cstr_starts(err_text(&err),
			   "validation: more than one dependency with name or alias");
}

static bool check_time(const json_t *version, Error *err)
{
	int64_t ignored;
	const char *created = json_text(version, "created");
	return !created || clock_parse(created, &ignored) ||
	       err_set(err, ERR_INVALID, "created: \"%.100s\" is no time", created);
}

static bool add_version(void *arg, const json_t *version, Error *err)
{
	Conversion *conversion = arg;
	autojson json_t *own = json_deep_copy(version);
	if (!check_time(version, err))
		return false;
	if (!is_valid(own)) {
		conversion->summary.skipped++;
		return true;
	}
	return add_record(conversion, own, err);
}

/* --- writing --- */

typedef struct {
	const Record *record;
	Semver version;
} Sorted;

static void sorted_free(void *item)
{
	Sorted *sorted = item;
	semver_dispose(&sorted->version);
	free(sorted);
}

static int newest_first(const void *a, const void *b)
{
	return semver_compare(&((const Sorted *)b)->version, &((const Sorted *)a)->version);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const Chart *)a)->name, ((const Chart *)b)->name);
}

static void sort_versions(const Conversion *conversion, const Chart *chart, Vec *out)
{
	for (size_t i = 0; i < chart->count; i++) {
		Sorted *sorted = mem_zalloc(1, sizeof(*sorted));
		sorted->record = &conversion->records[chart->first + i];
		/* It parses: metadata_check has seen it. */
		(void)semver_parse(buf_text(&conversion->texts) + sorted->record->version,
				   &sorted->version);
		vec_push(out, sorted);
	}
	vec_sort(out, newest_first);
}

static bool copy_span(const Conversion *conversion, const Record *record, Buf *out, Error *err)
{
	return fd_read_at(conversion->spool_fd, record->offset, record->len, out, err) ||
	       err_wrap(err, "what was spooled of the index");
}

static void write_key(const char *key, size_t indent, Buf *out)
{
	autojson json_t *text = json_text_new(key, strlen(key));
	for (size_t i = 0; i < indent; i++)
		buf_putc(out, ' ');
	write_indented(text, 0, out);
	buf_puts(out, ": ");
}

static bool write_chart(const Conversion *conversion, const Chart *chart, int fd, Buf *out,
			Error *err)
{
	autovec Vec sorted = {0};
	sort_versions(conversion, chart, &sorted);
	write_key(chart->name, 4, out);
	buf_puts(out, sorted.len ? "[\n      " : "[");
	bool ok = true;
	for (size_t i = 0; ok && i < sorted.len; i++) {
		const Sorted *item = sorted.items[i];
		buf_puts(out, i ? ",\n      " : "");
		ok = copy_span(conversion, item->record, out, err) &&
		     (out->len < WRITE_BYTES || flush(fd, out, err));
	}
	buf_puts(out, sorted.len ? "\n    ]" : "]");
	vec_dispose_with(&sorted, sorted_free);
	return ok;
}

static bool write_entries(const Conversion *conversion, int fd, Buf *out, Error *err)
{
	buf_puts(out, conversion->charts.len ? "{\n" : "{");
	for (size_t i = 0; i < conversion->charts.len; i++) {
		buf_puts(out, i ? ",\n" : "");
		if (!write_chart(conversion, conversion->charts.items[i], fd, out, err))
			return false;
	}
	buf_puts(out, conversion->charts.len ? "\n  }" : "}");
	return true;
}

static bool write_index(Conversion *conversion, const json_t *top, int fd, Error *err)
{
	static const char *const members[] = {"serverInfo", "apiVersion", "generated",
					      "entries",    "publicKeys", "annotations"};
	autobuf Buf out = {0};
	buf_puts(&out, "{\n");
	bool first = true;
	for (size_t i = 0; i < COUNT(members); i++) {
		const json_t *value = json_object_get(top, members[i]);
		bool entries = cstr_eq(members[i], "entries");
		if (!entries && (!value || json_is_null(value)))
			continue;
		buf_puts(&out, first ? "" : ",\n");
		first = false;
		write_key(members[i], 2, &out);
		if (!entries)
			write_indented(value, 2, &out);
		else if (!write_entries(conversion, fd, &out, err))
			return false;
	}
	buf_puts(&out, "\n}");
	return flush(fd, &out, err);
}

bool helm_index_convert(int fd, int spool_fd, int out_fd, HelmIndexSummary *out_summary, Error *err)
{
	__attribute__((cleanup(conversion_dispose))) Conversion conversion = {.spool_fd = spool_fd};
	conversion.names = map_new(NULL);
	autojson json_t *top = NULL;
	const IndexVisitor visitor = {add_chart, add_version, &conversion};
	if (!index_walk(fd, &visitor, &top, err) || !flush(spool_fd, &conversion.pending, err))
		return false;
	vec_sort(&conversion.charts, by_name);
	if (!write_index(&conversion, top, out_fd, err))
		return err_wrap(err, "write the index");
	conversion.summary.charts = conversion.charts.len;
	conversion.summary.versions = conversion.count;
	*out_summary = conversion.summary;
	return true;
}
