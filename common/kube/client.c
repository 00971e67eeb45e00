/* Identities of one API server: their connections, headers and counts. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "kube/capabilities.h"
#include "kube/client_internal.h"

static HttpClient *connect_as(const KubeClient *root, const char *field_manager, Error *err)
{
	const KubeConfig *config = &root->config;
	autofree char *agent = mem_printf("%s/%s", field_manager, SLUICE_VERSION);
	return httpc_new(root->loop,
			 &(HttpClientConfig){.ca_pem = config->ca_pem,
					     .cert_pem = config->cert_pem,
					     .key_pem = config->key_pem,
					     .server_name = config->server_name,
					     .insecure_skip_verify = config->insecure_skip_verify,
					     .proxy = config->proxy_url,
					     .env_proxy = true,
					     .user_agent = agent},
			 err);
}

static void copy_config(KubeConfig *to, const KubeConfig *from)
{
	*to = (KubeConfig){.server = mem_strdup(from->server),
			   .ca_pem = mem_strdup(from->ca_pem),
			   .insecure_skip_verify = from->insecure_skip_verify,
			   .server_name = mem_strdup(from->server_name),
			   .proxy_url = mem_strdup(from->proxy_url),
			   .token = mem_strdup(from->token),
			   .token_file = mem_strdup(from->token_file),
			   .cert_pem = mem_strdup(from->cert_pem),
			   .key_pem = mem_strdup(from->key_pem),
			   .as_user = mem_strdup(from->as_user),
			   .as_groups = json_incref(from->as_groups),
			   .user = mem_strdup(from->user),
			   .ns = mem_strdup(from->ns),
			   .exec = json_incref(from->exec),
			   .timeout_ms = from->timeout_ms,
			   .max_tries = from->max_tries};
}

/* The certificate that a command gave, if it gave one, for the connections of an identity. */
static bool use_certificate(const KubeClient *client, Error *err)
{
	ExecCredential *exec = client->root->exec;
	autofree char *cert = NULL, *key = NULL;
	if (!exec || !exec_credential_certificate(exec, &cert, &key))
		return true;
	bool ok = httpc_set_certificate(client->http, cert, key, err);
	mem_wipe(key, strlen(key));
	return ok;
}

/* On the thread of the credential. */
static void certificate_changed(void *arg)
{
	KubeClient *root = arg;
	autoerror Error ignored = {0}; /* exec.c has tried it */
	size_t at = 0;
	const char *user;
	void *client;
	pthread_mutex_lock(&root->lock);
	bool ok = use_certificate(root, &ignored);
	while (ok && map_next(root->users, &at, &user, &client))
		ok = use_certificate(client, &ignored);
	pthread_mutex_unlock(&root->lock);
}

/* A header's value: nothing that would end it. */
static bool check_header(const char *what, const char *value, Error *err)
{
	for (const char *c = value; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return err_set(err, ERR_INVALID, "%s holds a control character", what);
	return true;
}

/* The server takes groups only of a user. */
static bool check_groups(const KubeConfig *config, Error *err)
{
	size_t i;
	json_t *group;
	if (cstr_empty(config->as_user) && json_array_size(config->as_groups))
		return err_set(err, ERR_INVALID,
			       "requesting uid, groups or user-extra without impersonating a user");
	json_array_foreach(config->as_groups, i, group)
	{
		if (!check_header("a group to impersonate", json_string_value(group), err))
			return false;
	}
	return true;
}

static void free_client(void *value)
{
	KubeClient *client = value;
	if (!client)
		return;
	if (client->root == client) /* its thread reaches for all that follows */
		exec_credential_stop(client->exec);
	if (client->users)
		map_free(client->users);
	if (client->http)
		httpc_free(client->http);
	if (client->root == client) {
		map_free(client->counts);
		discovery_free(client->discovery);
		reach_free(client->reach);
		kube_capabilities_unref(client->capabilities);
		kube_config_dispose(&client->config);
		pthread_mutex_destroy(&client->lock);
	}
	free(client->server);
	free(client->field_manager);
	free(client->as_user);
	free(client->token_file);
	free(client);
}

void kube_client_free(KubeClient *client)
{
	free_client(client);
}

/* The lock keeps a certificate that changes just now from getting lost in between. */
static bool connect_client(KubeClient *client, Error *err)
{
	pthread_mutex_lock(&client->lock);
	client->http = connect_as(client, client->field_manager, err);
	bool ok = client->http && use_certificate(client, err);
	pthread_mutex_unlock(&client->lock);
	return ok;
}

KubeClient *kube_client_new(Loop *loop, const KubeConfig *config, const char *field_manager,
			    Error *err)
{
	if (!check_header("the user to impersonate", config->as_user, err) ||
	    !check_groups(config, err) || !check_header("the token", config->token, err))
		return NULL;
	autokubeclient KubeClient *client = mem_zalloc(1, sizeof(*client));
	client->root = client;
	client->loop = loop;
	pthread_mutex_init(&client->lock, NULL);
	copy_config(&client->config, config);
	client->users = map_new(free_client);
	client->counts = map_new(free);
	client->discovery = discovery_new();
	client->reach = reach_new(loop);
	client->server = mem_strdup(config->server);
	client->field_manager = mem_strdup(field_manager);
	client->as_user = mem_strdup(config->as_user);
	client->token_file = mem_strdup(config->token_file);
	if (config->exec) {
		client->exec = exec_credential_start(config, certificate_changed, client, err);
		if (!client->exec)
			return NULL;
	}
	if (!connect_client(client, err))
		return err_wrap_null(err, "API server");
	return steal(&client);
}

void kube_client_close(KubeClient *client)
{
	KubeClient *root = client->root;
	size_t at = 0;
	const char *name;
	void *user;
	pthread_mutex_lock(&root->lock);
	httpc_close(root->http);
	while (map_next(root->users, &at, &name, &user))
		httpc_close(((KubeClient *)user)->http);
	pthread_mutex_unlock(&root->lock);
}

void kube_client_act_until(KubeClient *client, int64_t until_ms)
{
	atomic_store(&client->root->act_until_ms, until_ms);
}

bool kube_client_set_token(KubeClient *client, const char *token, Error *err)
{
	KubeClient *root = client->root;
	if (!check_header("the token", token, err))
		return false;
	pthread_mutex_lock(&root->lock);
	char *old = root->config.token;
	root->config.token = mem_strdup(token);
	pthread_mutex_unlock(&root->lock);
	if (old)
		mem_wipe(old, strlen(old));
	free(old);
	return true;
}

static KubeClient *make_user(KubeClient *root, const char *user, Error *err)
{
	autokubeclient KubeClient *client = mem_zalloc(1, sizeof(*client));
	client->root = root;
	client->loop = root->loop;
	client->server = mem_strdup(root->server);
	client->field_manager = mem_strdup(root->field_manager);
	client->as_user = mem_strdup(user);
	client->http = connect_as(root, root->field_manager, err);
	return client->http && use_certificate(client, err) ? steal(&client) : NULL;
}

KubeClient *kube_client_as(KubeClient *client, const char *user, Error *err)
{
	KubeClient *root = client->root;
	if (cstr_empty(user))
		return err_null(err, ERR_INVALID, "no user to impersonate");
	if (!check_header("the user to impersonate", user, err))
		return NULL;
	pthread_mutex_lock(&root->lock);
	KubeClient *found = map_get(root->users, user);
	if (!found) {
		found = make_user(root, user, err);
		if (found)
			map_put(root->users, user, found);
	}
	pthread_mutex_unlock(&root->lock);
	return found;
}

void kube_client_yield(KubeClient *client)
{
	atomic_store(&client->root->yields, true);
}

HttpClient *kube_http(KubeClient *client)
{
	return client->http;
}

const char *kube_server(const KubeClient *client)
{
	return client->server;
}

Loop *kube_loop(KubeClient *client)
{
	return client->loop;
}

/* --- headers --- */

/* Those of the kubeconfig belong to its user, not to whom a controller impersonates. */
static void add_groups(const KubeClient *client, Vec *lines)
{
	size_t i;
	json_t *group;
	if (client->root != client)
		return;
	json_array_foreach(client->config.as_groups, i, group)
		vec_push(lines, mem_printf("Impersonate-Group: %s", json_string_value(group)));
}

char **kube_headers(KubeClient *client, const char *accept, const char *content_type)
{
	autovec Vec lines = {0};
	vec_push(&lines, mem_printf("Accept: %s", accept ? accept : "application/json"));
	if (content_type)
		vec_push(&lines, mem_printf("Content-Type: %s", content_type));
	char *credential = credential_header(client);
	if (credential)
		vec_push(&lines, credential);
	if (client->as_user)
		vec_push(&lines, mem_printf("Impersonate-User: %s", client->as_user));
	add_groups(client, &lines);
	vec_push(&lines, NULL);
	char **headers = (char **)lines.items;
	lines = (Vec){0};
	return headers;
}

void kube_headers_free(char **headers)
{
	if (!headers)
		return;
	for (size_t i = 0; headers[i]; i++) {
		mem_wipe(headers[i], strlen(headers[i]));
		free(headers[i]);
	}
	free(headers);
}

/* --- counts --- */

void kube_count(KubeClient *client, const char *verb, int code, const Error *failure)
{
	KubeClient *root = client->root;
	reach_note(client, code, failure);
	char key[48];
	snprintf(key, sizeof(key), "%s %d", verb, code);
	pthread_mutex_lock(&root->lock);
	uint64_t *count = map_get(root->counts, key);
	if (!count) {
		count = mem_zalloc(1, sizeof(*count));
		map_put(root->counts, key, count);
	}
	++*count;
	pthread_mutex_unlock(&root->lock);
}

typedef struct {
	char verb[32];
	int code;
	uint64_t count;
} Count;

/* Copies under the lock, so that the caller's function runs without it. */
static Count *copy_counts(KubeClient *root, size_t *out_len)
{
	pthread_mutex_lock(&root->lock);
	Count *copies = mem_zalloc(map_len(root->counts) + 1, sizeof(*copies));
	size_t at = 0, n = 0;
	const char *key;
	void *value;
	while (map_next(root->counts, &at, &key, &value)) {
		Str verb, code;
		unsigned long long number = 0;
		str_cut(str_of(key), ' ', &verb, &code);
		str_to_u64(code, &number);
		snprintf(copies[n].verb, sizeof(copies[n].verb), "%.*s", (int)verb.len, verb.ptr);
		copies[n].code = (int)number;
		copies[n++].count = *(const uint64_t *)value;
	}
	pthread_mutex_unlock(&root->lock);
	*out_len = n;
	return copies;
}

void kube_client_counts(KubeClient *client,
			void (*each)(void *arg, const char *verb, int code, uint64_t count),
			void *arg)
{
	size_t len;
	autofree Count *counts = copy_counts(client->root, &len);
	for (size_t i = 0; i < len; i++)
		each(arg, counts[i].verb, counts[i].code, counts[i].count);
}
