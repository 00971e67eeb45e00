#include "helm_etags.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"

enum { ETAG_MAX = 1024 };

typedef struct {
	char *url, *revision, *etag;
} Entry;

struct HelmEtags {
	pthread_mutex_t lock; /* guards what follows */
	Map *entries;	      /* by uid */
};

static void entry_free(void *value)
{
	Entry *entry = value;
	free(entry->url);
	free(entry->revision);
	free(entry->etag);
	free(entry);
}

HelmEtags *helm_etags_new(void)
{
	HelmEtags *etags = mem_zalloc(1, sizeof(*etags));
	pthread_mutex_init(&etags->lock, NULL);
	etags->entries = map_new(entry_free);
	return etags;
}

void helm_etags_free(HelmEtags *etags)
{
	if (!etags)
		return;
	map_free(etags->entries);
	pthread_mutex_destroy(&etags->lock);
	free(etags);
}

char *helm_etags_get(HelmEtags *etags, const char *uid, const char *url, const char *revision)
{
	pthread_mutex_lock(&etags->lock);
	const Entry *entry = map_get(etags->entries, uid);
	bool fits = entry && cstr_eq(entry->url, url) && cstr_eq(entry->revision, revision);
	char *etag = fits ? mem_strdup(entry->etag) : NULL;
	pthread_mutex_unlock(&etags->lock);
	return etag;
}

void helm_etags_put(HelmEtags *etags, const char *uid, const char *url, const char *revision,
		    const char *etag)
{
	Entry *entry = NULL;
	if (!cstr_empty(etag) && strlen(etag) <= ETAG_MAX) {
		entry = mem_zalloc(1, sizeof(*entry));
		*entry = (Entry){mem_strdup(url), mem_strdup(revision), mem_strdup(etag)};
	}
	pthread_mutex_lock(&etags->lock);
	if (entry)
		map_put(etags->entries, uid, entry);
	else
		map_remove(etags->entries, uid);
	pthread_mutex_unlock(&etags->lock);
}
