/* An index to find versions in: charts by name, their versions one after the other in few blocks
 * of memory. */
#include "helm/index.h"

#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "data/semver.h"
#include "helm/index_internal.h"

typedef struct {
	int64_t created_ms;
	uint32_t version, url; /* offsets of their texts */
} Entry;

typedef struct {
	uint32_t first, count;
} Chart;

struct HelmIndex {
	Map *charts; /* name -> Chart, owned */
	Entry *entries;
	size_t count, cap;
	Buf texts;
};

void helm_index_free(HelmIndex *index)
{
	map_free(index->charts);
	free(index->entries);
	buf_dispose(&index->texts);
	free(index);
}

size_t helm_index_bytes(const HelmIndex *index)
{
	enum { CHART_BYTES = 160 }; /* of the map, its name included */
	return sizeof(*index) + map_len(index->charts) * CHART_BYTES + index->cap * sizeof(Entry) +
	       index->texts.cap;
}

typedef struct {
	HelmIndex *index;
	Chart *chart;
} Loading;

static bool add_chart(void *arg, const char *name, Error *err)
{
	Loading *loading = arg;
	HelmIndex *index = loading->index;
	if (map_has(index->charts, name))
		return err_set(err, ERR_INVALID, "key \"%.100s\" already set in map", name);
	if (map_len(index->charts) >= HELM_INDEX_MAX_CHARTS)
		return err_set(err, ERR_LIMIT, "the index has more than %d charts",
			       HELM_INDEX_MAX_CHARTS);
	uint32_t ignored;
	if (!index_add_text(&index->texts, name, &ignored, err))
		return false;
	loading->chart = mem_zalloc(1, sizeof(*loading->chart));
	loading->chart->first = (uint32_t)index->count;
	map_put(index->charts, name, loading->chart);
	return true;
}

bool index_add_text(Buf *texts, const char *text, uint32_t *out_at, Error *err)
{
	size_t len = strlen(text) + 1;
	if (texts->len + len > HELM_INDEX_MAX_TEXTS)
		return err_set(err, ERR_LIMIT, "names and versions of the index are too large");
	*out_at = (uint32_t)texts->len;
	buf_append(texts, text, len);
	return true;
}

static bool add_version(void *arg, const json_t *version, Error *err)
{
	Loading *loading = arg;
	HelmIndex *index = loading->index;
	if (index->count >= HELM_INDEX_MAX_VERSIONS)
		return err_set(err, ERR_LIMIT, "the index has more than %d versions",
			       HELM_INDEX_MAX_VERSIONS);
	if (index->count == index->cap) {
		index->cap = index->cap ? index->cap * 2 : 64;
		index->entries = mem_realloc(index->entries, index->cap * sizeof(Entry));
	}
	Entry *entry = &index->entries[index->count++];
	*entry = (Entry){0};
	const char *created = json_text(version, "created");
	const json_t *url = json_array_get(json_list(version, "urls"), 0);
	if (created && !clock_parse(created, &entry->created_ms))
		entry->created_ms = 0;
	loading->chart->count++;
	return index_add_text(&index->texts, json_text_or(version, "version", ""), &entry->version,
			      err) &&
	       index_add_text(&index->texts, url ? json_string_value(url) : "", &entry->url, err);
}

HelmIndex *helm_index_load(int fd, Error *err)
{
	autohelmindex HelmIndex *index = mem_zalloc(1, sizeof(*index));
	index->charts = map_new(free);
	Loading loading = {.index = index};
	const IndexVisitor visitor = {add_chart, add_version, &loading};
	autojson json_t *top = NULL;
	return index_walk(fd, &visitor, &top, err) ? steal(&index) : NULL;
}

static const char *text_at(const HelmIndex *index, uint32_t offset)
{
	return buf_text(&index->texts) + offset;
}

static void fill(const HelmIndex *index, const Entry *entry, HelmIndexEntry *out)
{
	*out = (HelmIndexEntry){text_at(index, entry->version), text_at(index, entry->url)};
}

static const Entry *find_exact(const HelmIndex *index, const Chart *chart, const char *version)
{
	for (uint32_t i = 0; *version && i < chart->count; i++) {
		const Entry *entry = &index->entries[chart->first + i];
		if (cstr_eq(text_at(index, entry->version), version))
			return entry;
	}
	return NULL;
}

/* Three parts are needed, as everywhere in Flux. */
static const Entry *find_newest(const HelmIndex *index, const Chart *chart,
				const SemverRange *range)
{
	const Entry *best = NULL;
	autosemver Semver best_version = {0};
	for (uint32_t i = 0; i < chart->count; i++) {
		const Entry *entry = &index->entries[chart->first + i];
		autosemver Semver version = {0};
		if (!semver_parse_tag(text_at(index, entry->version), &version) ||
		    !semver_range_matches(range, &version))
			continue;
		int order = best ? semver_compare(&version, &best_version) : 1;
		if (order < 0 || (order == 0 && entry->created_ms <= best->created_ms))
			continue;
		semver_dispose(&best_version);
		best_version = version;
		version = (Semver){0};
		best = entry;
	}
	return best;
}

bool helm_index_find(const HelmIndex *index, const char *name, const char *version,
		     HelmIndexEntry *out, Error *err)
{
	const Chart *chart = map_get(index->charts, name);
	if (!chart)
		return err_set(err, ERR_NOT_FOUND, "no chart name found: the index has no '%s'",
			       name);
	if (chart->count == 0)
		return err_set(err, ERR_NOT_FOUND, "no chart version found");
	const Entry *found = find_exact(index, chart, version);
	if (!found) {
		autosemverrange SemverRange *range =
			semver_range_new(*version ? version : "*", err);
		if (!range)
			return false;
		found = find_newest(index, chart, range);
	}
	if (!found)
		return err_set(err, ERR_NOT_FOUND, "no '%s' chart with version matching '%s' found",
			       name, version);
	fill(index, found, out);
	return true;
}

bool helm_index_has_url(const HelmIndex *index, const char *url)
{
	for (size_t i = 0; i < index->count; i++)
		if (cstr_eq(text_at(index, index->entries[i].url), url))
			return true;
	return false;
}
