/* spec.ref to a tag or digest. Tags are looked at as they come: no list of them is held. */
#include "ocirepository.h"

#include <string.h>

#include "base/mem.h"
#include "data/regex.h"
#include "data/semver.h"

#define CHART_LAYER_TYPE "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

typedef struct {
	const SemverRange *range;
	const Regex *filter; /* or NULL */
	bool chart;	     /* "_" in tags stands for "+", which they cannot have */
	Semver best;
	char *best_tag;
} Search;

static void search_dispose(Search *search)
{
	semver_dispose(&search->best);
	free(search->best_tag);
}

static bool consider(void *arg, const char *tag)
{
	Search *search = arg;
	if (search->filter && !regex_matches(search->filter, tag, strlen(tag)))
		return true;
	autofree char *text = mem_strdup(tag);
	for (char *at = text; search->chart && *at; at++)
		if (*at == '_')
			*at = '+';
	autosemver Semver version = {0};
	if (!semver_parse_tag(text, &version) || !semver_range_matches(search->range, &version) ||
	    (search->best_tag && semver_compare(&version, &search->best) <= 0))
		return true;
	semver_dispose(&search->best);
	free(search->best_tag);
	search->best = version;
	search->best_tag = mem_strdup(tag);
	version = (Semver){0};
	return true;
}

static char *no_match(const OCIRepository *repo, Error *err)
{
	err_set(err, ERR_NOT_FOUND, "no match found for semver: %s", repo->semver);
	if (!cstr_empty(repo->semver_filter))
		err_add(err, " among the tags that match '%s'", repo->semver_filter);
	return NULL;
}

static char *by_semver(Registry *registry, const OCIRepository *repo, Error *err)
{
	autoregex Regex *filter = NULL;
	if (!cstr_empty(repo->semver_filter) &&
	    !(filter = regex_new(repo->semver_filter, REGEX_SEARCH, err)))
		return NULL;
	autosemverrange SemverRange *range = semver_range_new(repo->semver, err);
	if (!range)
		return err_wrap_null(err, "semver '%s' parse error", repo->semver);
	__attribute__((cleanup(search_dispose)))
	Search search = {.range = range,
			 .filter = filter,
			 .chart = cstr_eq(repo->media_type, CHART_LAYER_TYPE)};
	if (!registry_tags(registry, consider, &search, err))
		return NULL;
	if (!search.best_tag)
		return no_match(repo, err);
	return steal(&search.best_tag);
}

char *ocirepository_reference(Registry *registry, const OCIRepository *repo, Error *err)
{
	if (!cstr_empty(repo->digest))
		return mem_strdup(repo->digest);
	if (!cstr_empty(repo->semver))
		return by_semver(registry, repo, err);
	return mem_strdup(cstr_empty(repo->tag) ? OCI_DEFAULT_TAG : repo->tag);
}
