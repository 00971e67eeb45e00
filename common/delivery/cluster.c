/*
 * A cluster stays open while somebody (a Kustomization, a HelmRelease) uses it, running or not: its
 * watch is what tells of drift. Past the limit the one used longest ago that is idle is closed; its
 * users then look for drift by dry runs at their intervals.
 */
#include "delivery/cluster.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"

struct Cluster {
	Clusters *owner;
	char *key;
	KubeClient *client;
	Drift *drift;
	/* Guarded by the owner's lock. */
	size_t holders; /* runs that have it now */
	size_t users;	/* objects whose objects go to it */
	int64_t used_ms;
	int64_t token_until_ms; /* wall clock; 0: none was set */
};

struct Clusters {
	Loop *loop;
	DriftConfig drift;
	size_t max;
	pthread_mutex_t lock; /* guards both maps */
	Map *by_key;	      /* key -> Cluster, not owned */
	Map *of_user;	      /* "ns/name" -> key */
};

static void free_cluster(Cluster *cluster)
{
	if (!cluster)
		return;
	drift_free(cluster->drift);
	kube_client_free(cluster->client);
	free(cluster->key);
	free(cluster);
}

Clusters *clusters_new(Loop *loop, const DriftConfig *drift, size_t max)
{
	Clusters *clusters = mem_zalloc(1, sizeof(*clusters));
	clusters->loop = loop;
	clusters->drift = *drift;
	clusters->drift.watch_ns = NULL;
	clusters->max = max;
	pthread_mutex_init(&clusters->lock, NULL);
	clusters->by_key = map_new(NULL);
	clusters->of_user = map_new(free);
	return clusters;
}

void clusters_free(Clusters *clusters)
{
	if (!clusters)
		return;
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(clusters->by_key, &at, &key, &value))
		free_cluster(value);
	map_free(clusters->by_key);
	map_free(clusters->of_user);
	pthread_mutex_destroy(&clusters->lock);
	free(clusters);
}

/* --- with the lock held --- */

/* Takes a cluster that is of no use out of the table; the caller frees it without the lock. */
static Cluster *detach(Clusters *clusters, Cluster *cluster)
{
	map_remove(clusters->by_key, cluster->key);
	return cluster;
}

static Cluster *detach_if_unused(Clusters *clusters, Cluster *cluster)
{
	return cluster && !cluster->holders && !cluster->users ? detach(clusters, cluster) : NULL;
}

/* The user leaves the cluster it is known to use; returns that cluster when it is of no more use.
 */
static Cluster *leave(Clusters *clusters, const char *owner)
{
	const char *key = map_get(clusters->of_user, owner);
	Cluster *cluster = key ? map_get(clusters->by_key, key) : NULL;
	if (cluster)
		cluster->users--;
	map_remove(clusters->of_user, owner);
	return detach_if_unused(clusters, cluster);
}

static Cluster *enter(Clusters *clusters, Cluster *cluster, const char *owner)
{
	Cluster *left = NULL;
	cluster->holders++;
	cluster->used_ms = clock_mono_ms();
	if (!cstr_eq(map_get(clusters->of_user, owner), cluster->key)) {
		left = leave(clusters, owner);
		map_put(clusters->of_user, owner, mem_strdup(cluster->key));
		cluster->users++;
	}
	return left;
}

static void forget_users(Clusters *clusters, const char *cluster_key)
{
	autostrings Vec users = {0};
	size_t at = 0;
	const char *user;
	void *key;
	while (map_next(clusters->of_user, &at, &user, &key))
		if (cstr_eq(key, cluster_key))
			vec_push(&users, mem_strdup(user));
	for (size_t i = 0; i < users.len; i++)
		map_remove(clusters->of_user, users.items[i]);
}

static Cluster *detach_oldest(Clusters *clusters)
{
	Cluster *oldest = NULL;
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(clusters->by_key, &at, &key, &value)) {
		Cluster *cluster = value;
		if (!cluster->holders && (!oldest || cluster->used_ms < oldest->used_ms))
			oldest = cluster;
	}
	if (!oldest)
		return NULL;
	forget_users(clusters, oldest->key);
	return detach(clusters, oldest);
}

/* --- */

static Cluster *make(Clusters *clusters, const char *key, const KubeConfig *config, Error *err)
{
	KubeClient *client =
		kube_client_new(clusters->loop, config, clusters->drift.field_manager, err);
	if (!client)
		return NULL;
	Cluster *cluster = mem_zalloc(1, sizeof(*cluster));
	cluster->owner = clusters;
	cluster->key = mem_strdup(key);
	cluster->client = client;
	cluster->drift = drift_new(client, &clusters->drift);
	return cluster;
}

/* Finds or adds, and notes the user; what is to be closed for that goes to close[0..1]. */
static Cluster *take(Clusters *clusters, const char *key, const char *owner, Cluster *made,
		     Cluster *close[2])
{
	pthread_mutex_lock(&clusters->lock);
	Cluster *cluster = map_get(clusters->by_key, key);
	if (!cluster && made) {
		if (map_len(clusters->by_key) >= clusters->max)
			close[0] = detach_oldest(clusters);
		map_put(clusters->by_key, key, made);
		cluster = made;
	}
	if (cluster)
		close[1] = enter(clusters, cluster, owner);
	pthread_mutex_unlock(&clusters->lock);
	return cluster;
}

Cluster *cluster_get(Clusters *clusters, const char *key, const KubeConfig *config,
		     const char *owner, Error *err)
{
	Cluster *close[2] = {NULL, NULL};
	Cluster *cluster = take(clusters, key, owner, NULL, close);
	Cluster *made = NULL;
	if (!cluster) {
		made = make(clusters, key, config, err);
		if (!made)
			return NULL;
		cluster = take(clusters, key, owner, made, close);
	}
	free_cluster(close[0]);
	free_cluster(close[1]);
	if (made && made != cluster) /* another run was faster */
		free_cluster(made);
	return cluster;
}

void cluster_put(Cluster *cluster)
{
	Clusters *clusters = cluster->owner;
	pthread_mutex_lock(&clusters->lock);
	cluster->holders--;
	cluster->used_ms = clock_mono_ms();
	Cluster *unused = detach_if_unused(clusters, cluster);
	pthread_mutex_unlock(&clusters->lock);
	free_cluster(unused);
}

void clusters_leave(Clusters *clusters, const char *owner)
{
	pthread_mutex_lock(&clusters->lock);
	Cluster *unused = leave(clusters, owner);
	pthread_mutex_unlock(&clusters->lock);
	free_cluster(unused);
}

size_t clusters_count(Clusters *clusters)
{
	pthread_mutex_lock(&clusters->lock);
	size_t count = map_len(clusters->by_key);
	pthread_mutex_unlock(&clusters->lock);
	return count;
}

bool cluster_token_due(const Cluster *cluster)
{
	enum { SPARE_MS = 10 * 60 * 1000 };
	pthread_mutex_lock(&cluster->owner->lock);
	int64_t until = cluster->token_until_ms;
	pthread_mutex_unlock(&cluster->owner->lock);
	return until - clock_wall_ms() < SPARE_MS;
}

bool cluster_set_token(Cluster *cluster, const char *token, int64_t expires_wall_ms, Error *err)
{
	if (!kube_client_set_token(cluster->client, token, err))
		return false;
	pthread_mutex_lock(&cluster->owner->lock);
	cluster->token_until_ms = expires_wall_ms;
	pthread_mutex_unlock(&cluster->owner->lock);
	return true;
}

KubeClient *cluster_client(const Cluster *cluster)
{
	return cluster->client;
}

Drift *cluster_drift(const Cluster *cluster)
{
	return cluster->drift;
}
