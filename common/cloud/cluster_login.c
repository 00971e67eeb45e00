/*
 * A row a provider. What only the cloud knows of a cluster is asked together with the token, and
 * kept as long as it.
 */
#include "cloud/cluster_login.h"

#include <string.h>

#include "cloud/azure_internal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cloud/aws.h"
#include "cloud/azure.h"
#include "cloud/gcp.h"
#include "cloud/sigv4.h"
#include "cloud/token.h"
#include "data/base64.h"
#include "data/regex.h"
#include "data/yaml.h"

#define EKS_PATTERN "^arn:aws[\\w-]*:eks:([^:]{1,100}):[0-9]{1,30}:cluster/(.{1,200})$"
#define AKS_PATTERN                                                                                \
	"(?i)^/subscriptions/([^/]{36})/resourceGroups/([^/]{1,200})/providers/"                   \
	"Microsoft\\.ContainerService/managedClusters/([^/]{1,200})$"
#define GKE_PATTERN "^projects/[^/]{1,200}/locations/[^/]{1,200}/clusters/[^/]{1,200}$"
#define AKS_SCOPE "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
#define AKS_API "api-version=2024-09-01"

enum {
	REPLY_MAX = 1 << 20,
	EKS_TOKEN_S = 900, /* what EKS takes at most */
	RESOURCE_MAX = 1024,
	PARTS_MAX = 4,
};

typedef struct {
	Cloud *cloud;
	const CloudCaller *caller;
	const CloudCluster *cluster;
} Ask;

/* --- what the providers have in common --- */

/* The resource's parts by the pattern's groups, owned. */
static bool parse_resource(const Ask *ask, const char *what, const char *pattern,
			   char *out_parts[PARTS_MAX], Error *err)
{
	const char *resource = ask->cluster->resource ? ask->cluster->resource : "";
	long spans[2 * PARTS_MAX] = {0};
	autoregex Regex *regex = regex_new(pattern, 0, err);
	if (!regex)
		return false;
	if (strlen(resource) > RESOURCE_MAX ||
	    !regex_find(regex, resource, strlen(resource), 0, spans, PARTS_MAX))
		return err_set(err, ERR_INVALID, "invalid %s: '%.200s'. must match %s", what,
			       resource, pattern);
	for (size_t i = 1; i < PARTS_MAX && spans[2 * i + 1] > 0; i++)
		out_parts[i] = mem_strndup(resource + spans[2 * i],
					   (size_t)(spans[2 * i + 1] - spans[2 * i]));
	return true;
}

static void free_parts(char *(*parts)[PARTS_MAX])
{
	for (size_t i = 0; i < PARTS_MAX; i++)
		free((*parts)[i]);
}
#define autoparts __attribute__((cleanup(free_parts)))

static bool is_known(const CloudCluster *cluster)
{
	return !cstr_empty(cluster->address) && !cstr_empty(cluster->ca_pem);
}

/* What was given beats what the cloud says (a base64 of PEM). */
static bool place(const CloudCluster *cluster, const char *address, const char *ca_base64,
		  Credential *out, Error *err)
{
	autobuf Buf pem = {0};
	if (cstr_empty(cluster->address) && cstr_empty(address))
		return err_set(err, ERR_INVALID, "the cloud names no address of the cluster");
	if (cstr_empty(cluster->ca_pem) && !cstr_empty(ca_base64) &&
	    !base64_decode(ca_base64, strlen(ca_base64), &pem, err))
		return err_wrap(err, "the cluster's certificate authority");
	out->user = mem_strdup(cstr_empty(cluster->address) ? address : cluster->address);
	if (!cstr_empty(cluster->ca_pem))
		out->session = mem_strdup(cluster->ca_pem);
	else if (pem.len)
		out->session = mem_strndup(pem.ptr, pem.len);
	return true;
}

/* A call with a bearer token that replies JSON. Owned. */
static json_t *ask_with_token(const Ask *ask, const char *method, const char *url,
			      const char *token, Error *err)
{
	HttpClient *http = cloud_http(ask->cloud, ask->caller, err);
	if (!http)
		return NULL;
	autosecrettext char *login = mem_printf("Authorization: Bearer %s", token);
	const char *const headers[] = {login, NULL};
	const HttpRequest request = {.method = method,
				     .url = url,
				     .headers = headers,
				     .body = "",
				     .timeout_ms = ask->caller->timeout_ms};
	autobuf Buf reply = {0};
	if (!cloud_call(http, &request, &reply, err))
		return NULL;
	json_t *answer = json_parse(buf_text(&reply), reply.len, REPLY_MAX, err);
	buf_wipe(&reply); /* AKS' has credentials */
	return answer;
}

/* --- Amazon --- */

static json_t *describe_eks(const Ask *ask, const char *region, const char *name,
			    const Credential *key, Error *err)
{
	autofree char *endpoint = aws_endpoint(ask->cloud, "eks", region);
	autofree char *url = mem_printf("%s/clusters/%s", endpoint, name);
	const SigV4Request sign = {.credential = key,
				   .region = region,
				   .service = "eks",
				   .now_ms = clock_wall_ms(),
				   .method = "GET",
				   .url = url,
				   .payload_hash = SIGV4_EMPTY};
	__attribute__((cleanup(sigv4_headers_dispose))) Vec lines = {0};
	HttpClient *http = cloud_http(ask->cloud, ask->caller, err);
	if (!http || !sigv4_sign(&sign, &lines, err))
		return NULL;
	vec_push(&lines, NULL);
	const HttpRequest request = {.method = "GET",
				     .url = url,
				     .headers = (const char *const *)lines.items,
				     .timeout_ms = ask->caller->timeout_ms};
	autobuf Buf reply = {0};
	bool ok = cloud_call(http, &request, &reply, err);
	lines.len--;
	return ok ? json_parse(buf_text(&reply), reply.len, REPLY_MAX, err) : NULL;
}

/* A signed question for who we are, which the cluster sends to STS in our place. */
static char *eks_token(const Ask *ask, const char *region, const char *name, const Credential *key,
		       Error *err)
{
	autofree char *endpoint = aws_endpoint(ask->cloud, "sts", region);
	autofree char *url =
		mem_printf("%s/?Action=GetCallerIdentity&Version=2011-06-15", endpoint);
	autofree char *whose = mem_printf("x-k8s-aws-id: %s", name);
	const char *const headers[] = {whose, NULL};
	const SigV4Request sign = {.credential = key,
				   .region = region,
				   .service = "sts",
				   .now_ms = clock_wall_ms(),
				   .method = "GET",
				   .url = url,
				   .headers = headers,
				   .payload_hash = SIGV4_EMPTY};
	autosecrettext char *signed_url = sigv4_presign(&sign, EKS_TOKEN_S, err);
	if (!signed_url)
		return NULL;
	autosecrettext char *text = base64url_encode(signed_url, strlen(signed_url));
	return mem_printf("k8s-aws-v1.%s", text);
}

static bool login_eks(const Ask *ask, Credential *out, Error *err)
{
	autoparts char *parts[PARTS_MAX] = {0};
	autocredential Credential key = {0};
	autojson json_t *reply = NULL;
	int64_t expires_ms = clock_wall_ms() + EKS_TOKEN_S * (int64_t)1000;
	if (!parse_resource(ask, "EKS cluster ARN", EKS_PATTERN, parts, err) ||
	    !aws_credentials(ask->cloud, ask->caller, parts[1], NULL, &key, err))
		return false;
	if (!is_known(ask->cluster)) {
		reply = describe_eks(ask, parts[1], parts[2], &key, err);
		if (!reply)
			return err_wrap(err, "failed to describe EKS cluster '%s'",
					ask->cluster->resource);
	}
	const json_t *found = json_map(reply, "cluster");
	if (!place(ask->cluster, json_text(found, "endpoint"),
		   json_text_at(found, "certificateAuthority", "data", NULL), out, err))
		return false;
	out->secret = eks_token(ask, parts[1], parts[2], &key, err);
	out->expires_ms = expires_ms;
	return out->secret != NULL;
}

/* --- Azure --- */

typedef struct {
	char *endpoint, *scope; /* owned */
} AzureManager;

static void manager_dispose(AzureManager *manager)
{
	free(manager->endpoint);
	free(manager->scope);
}

/* Who manages resources: of a private cloud by file, of a sovereign one by its authority. */
static bool azure_manager(const Ask *ask, AzureManager *out, Error *err)
{
	autojson json_t *file = azure_environment(ask->cloud, err);
	const char *endpoint = json_text(file, "resourceManagerEndpoint");
	const char *audience = json_text(file, "tokenAudience");
	if (err_is_set(err))
		return false;
	if (file && (cstr_empty(endpoint) || cstr_empty(audience)))
		return err_set(err, ERR_INVALID,
			       "resourceManagerEndpoint and tokenAudience must be set in the "
			       "environment file");
	if (!file) {
		const AzureCloud *azure = azure_cloud(ask->cloud);
		endpoint = azure->manager;
		audience = azure->manager_audience;
	}
	*out = (AzureManager){.endpoint = mem_strdup(endpoint),
			      .scope = mem_printf("%s/.default", audience)};
	return true;
}

/* The cluster of the current context of a kubeconfig. Borrowed from it. */
static const json_t *current_cluster(const json_t *config)
{
	const char *current = json_text_or(config, "current-context", ""), *name = NULL;
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(config, "contexts"), i, entry)
	{
		if (cstr_eq(json_text(entry, "name"), current))
			name = json_text_at(entry, "context", "cluster", NULL);
	}
	json_array_foreach(json_list(config, "clusters"), i, entry)
	{
		if (name && cstr_eq(json_text(entry, "name"), name))
			return json_map(entry, "cluster");
	}
	return NULL;
}

/* Host and port, that "https://H:443" and "h" be the same place. Owned. */
static char *canonical(const char *address)
{
	const char *host =
		cstr_starts(address, "https://") ? address + strlen("https://") : address;
	size_t len = strcspn(host, "/");
	const char *bracket = memchr(host, ']', len);
	const char *port = bracket ? memchr(bracket, ':', len - (size_t)(bracket - host))
				   : memchr(host, ':', len);
	char *text = mem_printf("%.*s%s", (int)len, host, port ? "" : ":443");
	for (char *c = text; *c; c++)
		*c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
	return text;
}

/* The first of the kubeconfigs that leads to the address, if one is given. */
static bool place_aks(const Ask *ask, const json_t *credentials, Credential *out, Error *err)
{
	const char *address = ask->cluster->address;
	autofree char *wanted = cstr_empty(address) ? NULL : canonical(address);
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(credentials, "kubeconfigs"), i, entry)
	{
		const char *value = json_text_or(entry, "value", "");
		autobuf Buf text = {0};
		if (!base64_decode(value, strlen(value), &text, err))
			return err_wrap(err, "kubeconfig[%zu]", i);
		autojson json_t *config =
			yaml_parse(buf_text(&text), text.len, REPLY_MAX, "kubeconfig", err);
		buf_wipe(&text);
		if (!config)
			return err_wrap(err, "failed to parse kubeconfig[%zu]", i);
		const json_t *found = current_cluster(config);
		const char *server = json_text_or(found, "server", "");
		autofree char *theirs = canonical(server);
		if (!wanted || cstr_eq(wanted, theirs))
			return place(ask->cluster, server,
				     json_text(found, "certificate-authority-data"), out, err);
	}
	return err_set(err, ERR_NOT_FOUND, "no kubeconfig found for AKS cluster %s%s%s%s",
		       ask->cluster->resource, wanted ? " matching the specified address '" : "",
		       wanted ? address : "", wanted ? "'" : "");
}

static bool find_aks(const Ask *ask, Credential *out, Error *err)
{
	autoparts char *parts[PARTS_MAX] = {0};
	autocredential Credential token = {0};
	__attribute__((cleanup(manager_dispose))) AzureManager manager = {0};
	if (!parse_resource(ask, "AKS cluster ID", AKS_PATTERN, parts, err) ||
	    !azure_manager(ask, &manager, err) ||
	    !azure_token(ask->cloud, ask->caller, NULL, manager.scope, &token, err))
		return false;
	autofree char *base = mem_printf("%s/subscriptions/%s/resourceGroups/%s/providers/"
					 "Microsoft.ContainerService/managedClusters/%s",
					 manager.endpoint, parts[1], parts[2], parts[3]);
	autofree char *get = mem_printf("%s?" AKS_API, base);
	autofree char *list = mem_printf("%s/listClusterUserCredential?" AKS_API, base);
	autojson json_t *found = ask_with_token(ask, "GET", get, token.secret, err);
	if (!found)
		return err_wrap(err, "failed to describe AKS cluster");
	if (!json_map(json_map(found, "properties"), "aadProfile"))
		return err_set(
			err, ERR_UNSUPPORTED,
			"AKS cluster %s does not have Microsoft Entra ID integration enabled",
			ask->cluster->resource);
	autojson json_t *credentials = ask_with_token(ask, "POST", list, token.secret, err);
	return credentials && place_aks(ask, credentials, out, err);
}

static bool login_aks(const Ask *ask, Credential *out, Error *err)
{
	autocredential Credential token = {0};
	if (!azure_token(ask->cloud, ask->caller, NULL, AKS_SCOPE, &token, err))
		return false;
	out->secret = steal(&token.secret);
	out->expires_ms = token.expires_ms;
	return is_known(ask->cluster) ? place(ask->cluster, NULL, NULL, out, err)
				      : find_aks(ask, out, err);
}

/* --- Google --- */

static bool login_gke(const Ask *ask, Credential *out, Error *err)
{
	autoparts char *parts[PARTS_MAX] = {0};
	autojson json_t *found = NULL;
	if (!gcp_token(ask->cloud, ask->caller, out, err))
		return false;
	if (!is_known(ask->cluster)) {
		const char *own = cloud_env(ask->cloud, "GOOGLE_CONTAINER_ENDPOINT");
		if (!parse_resource(ask, "GKE cluster ID", GKE_PATTERN, parts, err))
			return false;
		autofree char *url =
			mem_printf("%s/v1/%s", own ? own : "https://container.googleapis.com",
				   ask->cluster->resource);
		found = ask_with_token(ask, "GET", url, out->secret, err);
		if (!found)
			return err_wrap(err, "failed to describe GKE cluster '%s'",
					ask->cluster->resource);
	}
	return place(ask->cluster, json_text(found, "endpoint"),
		     json_text_at(found, "masterAuth", "clusterCaCertificate", NULL), out, err);
}

/* --- all --- */

static bool fetch(void *arg, Credential *out, Error *err)
{
	static const struct {
		const char *provider;
		bool (*login)(const Ask *ask, Credential *out, Error *err);
	} rows[] = {{"aws", login_eks}, {"azure", login_aks}, {"gcp", login_gke}};
	const Ask *ask = arg;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cstr_eq(rows[i].provider, ask->cluster->provider))
			return rows[i].login(ask, out, err);
	return err_set(err, ERR_INVALID, "provider '%.64s' has no clusters",
		       ask->cluster->provider);
}

bool cloud_cluster_login(Cloud *cloud, const CloudCaller *caller, const CloudCluster *cluster,
			 Credential *out, Error *err)
{
	const CloudCaller within = cloud_caller_within(caller);
	Ask ask = {.cloud = cloud, .caller = &within, .cluster = cluster};
	autofree char *identity = cloud_caller_key(caller);
	const char *const parts[] = {"cluster",
				     cluster->provider,
				     cluster->resource ? cluster->resource : "",
				     cluster->address ? cluster->address : "",
				     cluster->ca_pem ? cluster->ca_pem : "",
				     identity,
				     NULL};
	return cloud_cached(cloud, caller, parts, fetch, &ask, out, err);
}
