/*
 * What all registries of a process share. An identity is kept for a while after its last user, so
 * that the next reconcile finds its connections; bounded: the idle ones by count, hosts of each by
 * count, tokens by count.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "data/digest.h"
#include "oci/registry_internal.h"

enum { MAX_IDLE = 8, MAX_HOSTS = 256, MAX_TOKENS = 2000, TOKEN_MAX_MS = 3600000 };

typedef struct {
	const char *scheme; /* static; NULL: not known yet */
	Challenge challenge;
} HostFacts;

static void host_facts_free(void *value)
{
	HostFacts *facts = value;
	challenge_dispose(&facts->challenge);
	free(facts);
}

static void identity_free(void *item)
{
	RegistryIdentity *identity = item;
	httpc_free(identity->http);
	map_free(identity->hosts);
	free(identity->key);
	free(identity);
}

RegistryHub *registry_hub_new(Loop *loop)
{
	RegistryHub *hub = mem_zalloc(1, sizeof(*hub));
	hub->loop = loop;
	hub->tokens = token_cache_new(MAX_TOKENS, TOKEN_MAX_MS);
	pthread_mutex_init(&hub->lock, NULL);
	return hub;
}

void registry_hub_free(RegistryHub *hub)
{
	if (!hub)
		return;
	vec_dispose_with(&hub->identities, identity_free);
	token_cache_free(hub->tokens);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

uint64_t registry_hub_requests(RegistryHub *hub)
{
	return atomic_load(&hub->requests);
}

/* --- identities --- */

static char *identity_key(const RegistryConfig *config, bool allow_http)
{
	const char *const parts[] = {
		config->ca_pem,
		config->cert_pem,
		config->key_pem,
		config->proxy,
		config->proxy_user,
		config->proxy_password,
		allow_http ? "http" : NULL,
		config->skip_verify ? "skip" : NULL,
	};
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	for (size_t i = 0; i < COUNT(parts); i++) {
		digest_update(digest, parts[i] ? "1" : "0", 1);
		if (parts[i])
			digest_update(digest, parts[i], strlen(parts[i]) + 1);
	}
	char text[DIGEST_TEXT_SIZE];
	digest_final(digest, text);
	return mem_strdup(text);
}

static RegistryIdentity *identity_new(RegistryHub *hub, const RegistryConfig *config, Error *err)
{
	const HttpClientConfig http = {
		.ca_pem = config->ca_pem,
		.add_system_roots = config->ca_pem != NULL,
		.cert_pem = config->cert_pem,
		.key_pem = config->key_pem,
		.insecure_skip_verify = config->skip_verify,
		.proxy = config->proxy,
		.proxy_user = config->proxy_user,
		.proxy_password = config->proxy_password,
		.env_proxy = config->proxy == NULL,
		.user_agent = "flux/v2",
	};
	HttpClient *client = httpc_new(hub->loop, &http, err);
	if (!client)
		return NULL;
	RegistryIdentity *identity = mem_zalloc(1, sizeof(*identity));
	identity->http = client;
	identity->hosts = map_new(host_facts_free);
	return identity;
}

/* With the lock held. */
static RegistryIdentity *find(RegistryHub *hub, const char *key)
{
	for (size_t i = 0; i < hub->identities.len; i++) {
		RegistryIdentity *identity = hub->identities.items[i];
		if (cstr_eq(identity->key, key)) {
			identity->users++;
			return identity;
		}
	}
	return NULL;
}

RegistryIdentity *hub_identity_take(RegistryHub *hub, const RegistryConfig *config, bool allow_http,
				    Error *err)
{
	autofree char *key = identity_key(config, allow_http);
	pthread_mutex_lock(&hub->lock);
	RegistryIdentity *found = find(hub, key);
	pthread_mutex_unlock(&hub->lock);
	if (found)
		return found;
	RegistryIdentity *made = identity_new(hub, config, err);
	if (!made)
		return NULL;
	pthread_mutex_lock(&hub->lock);
	found = find(hub, key); /* somebody may have been faster */
	if (!found) {
		made->key = steal(&key);
		made->users = 1;
		vec_push(&hub->identities, made);
	}
	pthread_mutex_unlock(&hub->lock);
	if (!found)
		return made;
	identity_free(made);
	return found;
}

/* Takes out the one that nobody has used for longest when too many are idle; lock held. */
static RegistryIdentity *take_oldest_idle(RegistryHub *hub)
{
	size_t idle = 0, oldest = 0;
	int64_t since_ms = INT64_MAX;
	for (size_t i = 0; i < hub->identities.len; i++) {
		const RegistryIdentity *identity = hub->identities.items[i];
		if (identity->users)
			continue;
		idle++;
		if (identity->idle_since_ms < since_ms) {
			since_ms = identity->idle_since_ms;
			oldest = i;
		}
	}
	return idle > MAX_IDLE ? vec_remove(&hub->identities, oldest) : NULL;
}

void hub_identity_release(RegistryHub *hub, RegistryIdentity *identity)
{
	pthread_mutex_lock(&hub->lock);
	identity->idle_since_ms = clock_mono_ms();
	identity->users--;
	RegistryIdentity *gone = take_oldest_idle(hub);
	pthread_mutex_unlock(&hub->lock);
	if (gone)
		identity_free(gone);
}

/* --- hosts --- */

/* The facts of a host, made when absent; lock held. */
static HostFacts *host_facts(RegistryIdentity *identity, const char *host)
{
	HostFacts *facts = map_get(identity->hosts, host);
	if (facts)
		return facts;
	if (map_len(identity->hosts) >= MAX_HOSTS)
		map_clear(identity->hosts);
	facts = mem_zalloc(1, sizeof(*facts));
	map_put(identity->hosts, host, facts);
	return facts;
}

const char *hub_host_facts(RegistryHub *hub, RegistryIdentity *identity, const char *host,
			   Challenge *out)
{
	pthread_mutex_lock(&hub->lock);
	const HostFacts *facts = map_get(identity->hosts, host);
	const char *scheme = facts ? facts->scheme : NULL;
	if (facts)
		challenge_copy(out, &facts->challenge);
	pthread_mutex_unlock(&hub->lock);
	return scheme;
}

void hub_host_set_scheme(RegistryHub *hub, RegistryIdentity *identity, const char *host,
			 const char *scheme)
{
	pthread_mutex_lock(&hub->lock);
	host_facts(identity, host)->scheme = scheme;
	pthread_mutex_unlock(&hub->lock);
}

void hub_host_set_challenge(RegistryHub *hub, RegistryIdentity *identity, const char *host,
			    const Challenge *challenge)
{
	pthread_mutex_lock(&hub->lock);
	HostFacts *facts = host_facts(identity, host);
	challenge_dispose(&facts->challenge);
	challenge_copy(&facts->challenge, challenge);
	free(steal(&facts->challenge.scope)); /* that of one repository */
	pthread_mutex_unlock(&hub->lock);
}
