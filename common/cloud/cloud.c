/* The process's cloud identity: environment, HTTP clients, and the credentials that are kept. */
#include "cloud/cloud.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/digest.h"

struct Cloud {
	Loop *loop;
	TokenCache *tokens;
	char **env; /* NULL: the process's */

	pthread_mutex_t lock;	   /* guards what follows */
	HttpClient *http, *direct; /* made when first needed */
};

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
	cloud->tokens = token_cache_new(config->cache_max, config->cache_max_ms);
	cloud->env = copy_env(config->env);
	pthread_mutex_init(&cloud->lock, NULL);
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
	token_cache_free(cloud->tokens);
	for (char **line = cloud->env; line && *line; line++)
		free(*line);
	free(cloud->env);
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

bool cloud_cached(Cloud *cloud, const CloudCaller *caller, const char *const *parts,
		  TokenFetch *fetch, void *arg, Credential *out, Error *err)
{
	autofree char *key = token_cache_key(parts);
	return token_cache_fetch(cloud->tokens, key, &caller->user, fetch, arg, out, err);
}

CloudCaller cloud_caller_within(const CloudCaller *caller)
{
	CloudCaller within = *caller;
	within.user = (TokenUser){0};
	return within;
}

TokenCache *cloud_tokens(Cloud *cloud)
{
	return cloud->tokens;
}
