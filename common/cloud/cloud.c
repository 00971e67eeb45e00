/*
 * The process's cloud identity: environment, HTTP clients, and the credentials that are kept. A
 * credential being fetched is a Flight that those who want the same one wait for.
 */
#include "cloud/cloud.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/digest.h"

typedef struct {
	CloudCredential credential;
	int64_t until_ms; /* monotonic */
} Kept;

/* Someone's fetch under way. Guarded by the Cloud's lock, as long as it is in the map or `waiting`
 * is not 0; the result is written once, before `done`. */
typedef struct {
	size_t waiting; /* who fetches counts */
	bool done;
	CloudCredential credential;
	Error err;
} Flight;

struct Cloud {
	Loop *loop;
	size_t cache_max;
	int64_t cache_max_ms;
	char **env; /* NULL: the process's */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t landed;
	Map *kept;		   /* key -> Kept, oldest first */
	Map *flights;		   /* key -> Flight, not owned */
	CloudStats stats;	   /* but for items */
	HttpClient *http, *direct; /* made when first needed */
};

void cloud_credential_dispose(CloudCredential *credential)
{
	char *const parts[] = {credential->user, credential->secret, credential->session};
	for (size_t i = 0; i < COUNT(parts); i++) {
		if (parts[i])
			mem_wipe(parts[i], strlen(parts[i]));
		free(parts[i]);
	}
	*credential = (CloudCredential){0};
}

static void credential_copy(const CloudCredential *from, CloudCredential *out)
{
	*out = (CloudCredential){.user = mem_strdup(from->user),
				 .secret = mem_strdup(from->secret),
				 .session = mem_strdup(from->session),
				 .expires_ms = from->expires_ms};
}

static void free_kept(void *value)
{
	Kept *kept = value;
	cloud_credential_dispose(&kept->credential);
	free(kept);
}

static char **copy_env(const char *const *env)
{
	if (!env)
		return NULL;
	size_t count = 0;
	while (env[count])
		count++;
	char **copy = mem_zalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = mem_strdup(env[i]);
	return copy;
}

Cloud *cloud_new(const CloudConfig *config)
{
	Cloud *cloud = mem_zalloc(1, sizeof(*cloud));
	cloud->loop = config->loop;
	cloud->cache_max = config->cache_max;
	cloud->cache_max_ms = config->cache_max_ms;
	cloud->env = copy_env(config->env);
	pthread_mutex_init(&cloud->lock, NULL);
	pthread_cond_init(&cloud->landed, NULL);
	cloud->kept = map_new(free_kept);
	cloud->flights = map_new(NULL);
	return cloud;
}

void cloud_free(Cloud *cloud)
{
	if (!cloud)
		return;
	if (cloud->http)
		httpc_free(cloud->http);
	if (cloud->direct)
		httpc_free(cloud->direct);
	map_free(cloud->kept);
	map_free(cloud->flights);
	for (char **line = cloud->env; line && *line; line++)
		free(*line);
	free(cloud->env);
	pthread_cond_destroy(&cloud->landed);
	pthread_mutex_destroy(&cloud->lock);
	free(cloud);
}

const char *cloud_env(const Cloud *cloud, const char *name)
{
	const char *value = NULL;
	size_t len = strlen(name);
	if (!cloud->env)
		value = getenv(name);
	for (char **line = cloud->env; line && *line; line++)
		if (strncmp(*line, name, len) == 0 && (*line)[len] == '=')
			value = *line + len + 1;
	return cstr_empty(value) ? NULL : value;
}

static HttpClient *shared_client(Cloud *cloud, HttpClient **slot, bool env_proxy, Error *err)
{
	pthread_mutex_lock(&cloud->lock);
	if (!*slot)
		*slot = httpc_new(cloud->loop, &(HttpClientConfig){.env_proxy = env_proxy}, err);
	HttpClient *http = *slot;
	pthread_mutex_unlock(&cloud->lock);
	return http;
}

HttpClient *cloud_http(Cloud *cloud, const CloudCaller *caller, Error *err)
{
	return caller->http ? caller->http : shared_client(cloud, &cloud->http, true, err);
}

HttpClient *cloud_http_direct(Cloud *cloud, Error *err)
{
	return shared_client(cloud, &cloud->direct, false, err);
}

/* --- the cache; `lock` is held in what follows --- */

static bool take_kept(Cloud *cloud, const char *key, CloudCredential *out)
{
	const Kept *kept = map_get(cloud->kept, key);
	if (!kept)
		return false;
	if (kept->until_ms <= clock_mono_ms()) {
		map_remove(cloud->kept, key);
		return false;
	}
	credential_copy(&kept->credential, out);
	return true;
}

static void drop_oldest(Cloud *cloud)
{
	size_t at = 0;
	const char *key;
	void *value;
	if (!map_next(cloud->kept, &at, &key, &value))
		return;
	map_remove(cloud->kept, key);
	cloud->stats.evicted++;
}

/* Kept for 80 % of its life, as upstream keeps tokens, so that nobody starts with one that ends
 * before the work does. */
static void keep(Cloud *cloud, const char *key, const CloudCredential *credential)
{
	int64_t keep_ms = (credential->expires_ms - clock_wall_ms()) / 5 * 4;
	if (keep_ms > cloud->cache_max_ms)
		keep_ms = cloud->cache_max_ms;
	if (!cloud->cache_max || !credential->expires_ms || keep_ms <= 0)
		return;
	Kept *kept = mem_zalloc(1, sizeof(*kept));
	credential_copy(credential, &kept->credential);
	kept->until_ms = clock_mono_ms() + keep_ms;
	if (!map_has(cloud->kept, key) && map_len(cloud->kept) >= cloud->cache_max)
		drop_oldest(cloud);
	map_put(cloud->kept, key, kept);
}

static void leave(Flight *flight)
{
	if (--flight->waiting)
		return;
	cloud_credential_dispose(&flight->credential);
	error_dispose(&flight->err);
	free(flight);
}

static bool take_result(Flight *flight, CloudCredential *out, Error *err)
{
	bool ok = !err_is_set(&flight->err);
	if (ok)
		credential_copy(&flight->credential, out);
	else
		err_copy(err, &flight->err);
	leave(flight);
	return ok;
}

static bool wait_for(Cloud *cloud, Flight *flight, CloudCredential *out, Error *err)
{
	flight->waiting++;
	while (!flight->done)
		pthread_cond_wait(&cloud->landed, &cloud->lock);
	return take_result(flight, out, err);
}

static bool fly(Cloud *cloud, const char *key, CloudFetch *fetch, void *arg, CloudCredential *out,
		Error *err)
{
	Flight *flight = mem_zalloc(1, sizeof(*flight));
	flight->waiting = 1;
	map_put(cloud->flights, key, flight);
	pthread_mutex_unlock(&cloud->lock);
	autocredential CloudCredential got = {0};
	autoerror Error why = {0};
	bool ok = fetch(arg, &got, &why);
	pthread_mutex_lock(&cloud->lock);
	if (ok) {
		flight->credential = got;
		got = (CloudCredential){0};
		keep(cloud, key, &flight->credential);
	} else {
		err_move(&flight->err, &why);
	}
	flight->done = true;
	map_take(cloud->flights, key);
	pthread_cond_broadcast(&cloud->landed);
	return take_result(flight, out, err);
}

bool cloud_cached(Cloud *cloud, const char *const *parts, CloudFetch *fetch, void *arg,
		  CloudCredential *out, Error *err)
{
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	for (; *parts; parts++)
		digest_update(digest, *parts, strlen(*parts) + 1);
	char key[DIGEST_TEXT_SIZE];
	digest_final(digest, key);
	pthread_mutex_lock(&cloud->lock);
	Flight *flight = map_get(cloud->flights, key);
	bool ok = take_kept(cloud, key, out) || (flight ? wait_for(cloud, flight, out, err)
							: fly(cloud, key, fetch, arg, out, err));
	if (ok)
		cloud->stats.succeeded++;
	else
		cloud->stats.failed++;
	pthread_mutex_unlock(&cloud->lock);
	return ok;
}

CloudStats cloud_stats(Cloud *cloud)
{
	pthread_mutex_lock(&cloud->lock);
	CloudStats stats = cloud->stats;
	stats.items = map_len(cloud->kept);
	pthread_mutex_unlock(&cloud->lock);
	return stats;
}
