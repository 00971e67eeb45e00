#include "charts/tags.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/visible.h"
#include "data/semver.h"

#define CONFIG_TYPE "application/vnd.cncf.helm.config.v1+json"
#define LAYER_TYPE "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
#define LEGACY_LAYER_TYPE "application/tar+gzip"

/* As tags are taken for versions: SemVer 2.0 in full, without "v" and leading zeros. */
static bool parse_strict(const char *text, Semver *out)
{
	const char *at = text;
	for (int part = 0; part < 3; part++) {
		if (!isdigit((unsigned char)*at) || (*at == '0' && isdigit((unsigned char)at[1])))
			return false;
		at += strspn(at, "0123456789");
		at += part < 2 && *at == '.';
	}
	return semver_parse_tag(text, out);
}

typedef struct {
	const char *wanted;
	const SemverRange *range; /* NULL: `wanted` is no range */
	Semver best;
	char *best_text;
	bool any, exact;
} Search;

static void search_dispose(Search *search)
{
	semver_dispose(&search->best);
	free(search->best_text);
}

static void take(Search *search, Semver *version, char *take_text)
{
	semver_dispose(&search->best);
	free(search->best_text);
	search->best = *version;
	search->best_text = take_text;
	*version = (Semver){0};
}

static void replace(char *text, char from, char to)
{
	for (; *text; text++)
		if (*text == from)
			*text = to;
}

static bool consider(void *arg, const char *tag)
{
	Search *search = arg;
	autofree char *text = mem_strdup(tag);
	replace(text, '_', '+');
	autosemver Semver version = {0};
	if (!parse_strict(text, &version))
		return true;
	search->any = true;
	search->exact = cstr_eq(text, search->wanted);
	bool better = !search->best_text || semver_compare(&version, &search->best) > 0;
	if (search->exact ||
	    (search->range && better && semver_range_matches(search->range, &version)))
		take(search, &version, steal(&text));
	return !search->exact;
}

char *chart_tags_find(const ChartTags *tags, const char *wanted, Error *err)
{
	autoerror Error no_range = {0};
	autosemverrange SemverRange *range = semver_range_new(*wanted ? wanted : "*", &no_range);
	__attribute__((cleanup(search_dispose))) Search search = {.wanted = wanted, .range = range};
	if (!registry_tags(tags->registry, consider, &search, err))
		return err_wrap_null(err,
				     "could not get tags for \"%s\": could not fetch tags "
				     "for \"%s\"",
				     tags->name, tags->url);
	if (!search.any)
		return err_null(err, ERR_NOT_FOUND,
				"could not get tags for \"%s\": unable to locate any tags in "
				"provided repository: %s",
				tags->name, tags->url);
	if (search.best_text)
		return steal(&search.best_text);
	if (!range) {
		err_move(err, &no_range);
		return NULL;
	}
	return err_null(
		err, ERR_NOT_FOUND,
		"could not locate a version matching provided version string %s in the tags "
		"of '%s'",
		wanted, tags->url);
}

char *chart_tag_of(const char *version)
{
	char *tag = mem_strdup(version);
	replace(tag, '+', '_');
	return tag;
}

static const OciDescriptor *no_chart(const OciManifest *manifest, Error *err)
{
	enum { SHOWN_MAX = 100 };
	autofree char *type = visible_text(manifest->config.media_type, SHOWN_MAX);
	err_set(err, ERR_INVALID, "could not load config with mediatype " CONFIG_TYPE);
	if (type)
		err_add(err, ": it is of '%s'", type);
	return NULL;
}

const OciDescriptor *chart_layer(const OciManifest *manifest, Error *err)
{
	if (!cstr_eq(manifest->config.media_type, CONFIG_TYPE))
		return no_chart(manifest, err);
	const OciDescriptor *layer = oci_manifest_layer(manifest, LAYER_TYPE);
	if (!layer)
		layer = oci_manifest_layer(manifest, LEGACY_LAYER_TYPE);
	return layer ? layer
		     : err_null(err, ERR_INVALID,
				"manifest does not contain a layer with mediatype " LAYER_TYPE);
}
