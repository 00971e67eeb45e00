/* The client itself: identities, headers, sending, retries. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "kube/client_internal.h"
#include "net/retry.h"
#include "net/url.h"

enum { TOKEN_AGE_MS = 60000, TOKEN_MAX = 64 << 10 };

static const RetryPolicy policy = {.max_tries = KUBE_TRIES,
				   .base_ms = 100,
				   .max_ms = 10000,
				   .jitter = 0.2};

static void free_client(void *client)
{
	kube_client_free(client);
}

static KubeShared *shared_new(void)
{
	KubeShared *shared = mem_zalloc(1, sizeof(*shared));
	pthread_mutex_init(&shared->lock, NULL);
	shared->groups = map_new(discovery_free);
	shared->counts = map_new(free);
	return shared;
}

static void shared_free(KubeShared *shared)
{
	map_free(shared->groups);
	map_free(shared->counts);
	pthread_mutex_destroy(&shared->lock);
	free(shared);
}

static void copy_config(const KubeConfig *from, KubeConfig *to)
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
			   .as_user = mem_strdup(from->as_user)};
}

static bool connect_http(KubeClient *client, Error *err)
{
	const KubeConfig *config = &client->config;
	client->http = httpc_new(client->loop,
				 &(HttpClientConfig){
					 .ca_pem = config->ca_pem,
					 .cert_pem = config->cert_pem,
					 .key_pem = config->key_pem,
					 .server_name = config->server_name,
					 .insecure_skip_verify = config->insecure_skip_verify,
					 .proxy = config->proxy_url,
					 .env_proxy = !config->proxy_url,
					 .user_agent = client->user_agent,
				 },
				 err);
	return client->http != NULL;
}

static KubeClient *client_make(Loop *loop, const KubeConfig *config, const char *field_manager,
			       KubeClient *parent, const char *as_user, Error *err)
{
	autokubeclient KubeClient *client = mem_zalloc(1, sizeof(*client));
	pthread_mutex_init(&client->lock, NULL);
	client->loop = loop;
	client->parent = parent;
	client->shared = parent ? parent->shared : shared_new();
	client->server = mem_strdup(config->server);
	client->field_manager = mem_strdup(field_manager);
	client->user_agent = mem_printf("%s/%s", field_manager, SLUICE_VERSION);
	client->as_user = mem_strdup(as_user ? as_user : config->as_user);
	client->impersonated = map_new(free_client);
	copy_config(config, &client->config);
	return connect_http(client, err) ? steal(&client) : NULL;
}

KubeClient *kube_client_new(Loop *loop, const KubeConfig *config, const char *field_manager,
			    Error *err)
{
	return client_make(loop, config, field_manager, NULL, NULL, err);
}

void kube_client_free(KubeClient *client)
{
	if (!client)
		return;
	map_free(client->impersonated);
	httpc_free(client->http);
	if (!client->parent)
		shared_free(client->shared);
	kube_config_dispose(&client->config);
	free(client->server);
	free(client->field_manager);
	free(client->user_agent);
	free(client->as_user);
	if (client->token)
		mem_wipe(client->token, strlen(client->token));
	free(client->token);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

KubeClient *kube_client_as(KubeClient *client, const char *user, Error *err)
{
	pthread_mutex_lock(&client->lock);
	KubeClient *other = map_get(client->impersonated, user);
	if (!other) {
		other = client_make(client->loop, &client->config, client->field_manager, client,
				    user, err);
		if (other)
			map_put(client->impersonated, user, other);
	}
	pthread_mutex_unlock(&client->lock);
	return other;
}

/* The bearer token as it is now: files are read again each minute, as they rotate. Owned. */
static char *token_now(KubeClient *client)
{
	const KubeConfig *config = &client->config;
	if (!config->token_file)
		return mem_strdup(config->token);
	pthread_mutex_lock(&client->lock);
	int64_t now = clock_mono_ms();
	if (!client->token || now - client->token_read_ms > TOKEN_AGE_MS) {
		autoerror Error ignored = {0};
		autobuf Buf text = {0};
		if (file_read(config->token_file, TOKEN_MAX, &text, &ignored)) {
			free(client->token);
			client->token = str_dup(str_trim(buf_str(&text)));
			client->token_read_ms = now;
		}
	}
	char *token = mem_strdup(client->token ? client->token : config->token);
	pthread_mutex_unlock(&client->lock);
	return token;
}

static void expire_token(KubeClient *client)
{
	pthread_mutex_lock(&client->lock);
	client->token_read_ms = 0;
	free(client->token);
	client->token = NULL;
	pthread_mutex_unlock(&client->lock);
}

char **kube_headers(KubeClient *client, const char *accept, const char *content_type)
{
	enum { MAX = 5 };
	char **headers = mem_zalloc(MAX, sizeof(char *));
	size_t n = 0;
	autofree char *token = token_now(client);
	if (accept)
		headers[n++] = mem_printf("Accept: %s", accept);
	if (content_type)
		headers[n++] = mem_printf("Content-Type: %s", content_type);
	if (!cstr_empty(token))
		headers[n++] = mem_printf("Authorization: Bearer %s", token);
	if (!cstr_empty(client->as_user))
		headers[n++] = mem_printf("Impersonate-User: %s", client->as_user);
	return headers;
}

void kube_headers_free(char **headers)
{
	for (size_t i = 0; headers && headers[i]; i++)
		free(headers[i]);
	free(headers);
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

void client_count(KubeClient *client, const char *verb, int code)
{
	autofree char *key = mem_printf("%s %d", verb, code);
	pthread_mutex_lock(&client->shared->lock);
	uint64_t *count = map_get(client->shared->counts, key);
	if (!count) {
		count = mem_zalloc(1, sizeof(*count));
		map_put(client->shared->counts, key, count);
	}
	++*count;
	pthread_mutex_unlock(&client->shared->lock);
}

void kube_client_counts(KubeClient *client,
			void (*each)(void *arg, const char *verb, int code, uint64_t count),
			void *arg)
{
	pthread_mutex_lock(&client->shared->lock);
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(client->shared->counts, &at, &key, &value)) {
		Str verb, code;
		unsigned long long number = 0;
		str_cut(str_of(key), ' ', &verb, &code);
		str_to_u64(code, &number);
		autofree char *name = str_dup(verb);
		each(arg, name, (int)number, *(const uint64_t *)value);
	}
	pthread_mutex_unlock(&client->shared->lock);
}

void kube_reply_dispose(KubeReply *reply)
{
	json_decref(reply->object);
	error_dispose(&reply->err);
	*reply = (KubeReply){0};
}

/* What one exchange came to: the reply's object, or an error. */
static void take_response(KubeClient *client, const BuiltRequest *built, HttpResponse *response,
			  Error *transport, KubeReply *out)
{
	if (err_is_set(transport)) {
		err_move(&out->err, transport);
		client_count(client, built->verb, 0);
		return;
	}
	client_count(client, built->verb, response->status);
	out->status = response->status;
	if (response->status >= 400)
		status_to_error(response->status, response, &out->err);
	else
		out->object = json_parse(buf_text(&response->body), response->body.len,
					 KUBE_REPLY_MAX, &out->err);
}

/* Whether another try may follow: the server asked for one, or the request changes nothing by being
 * repeated and the connection was cut. */
static bool may_retry(const BuiltRequest *built, const Error *err)
{
	if (err->http_status == 429 || (err->http_status == 503 && err->retry_after_ms))
		return true;
	return built->repeatable && !err->http_status && err->code == ERR_UNAVAILABLE;
}

static void pause_ms(int64_t ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
	nanosleep(&ts, NULL);
}

static HttpRequest http_of(const KubeRequest *request, const BuiltRequest *built)
{
	return (HttpRequest){.method = built->method,
			     .url = built->url,
			     .headers = (const char *const *)built->headers,
			     .body = built->body,
			     .body_len = built->body ? strlen(built->body) : 0,
			     .timeout_ms = request->timeout_ms ? request->timeout_ms
							       : KUBE_TIMEOUT_MS,
			     .max_body = KUBE_REPLY_MAX};
}

/* Further tries for one request whose first came to nothing. */
static void retry(KubeClient *client, const KubeRequest *request, BuiltRequest *built,
		  KubeReply *reply)
{
	bool refreshed = false;
	for (int failures = 1; failures < KUBE_TRIES && err_is_set(&reply->err); failures++) {
		bool expired = reply->err.code == ERR_UNAUTHORIZED && reply->err.http_status == 401 &&
			       client->config.token_file && !refreshed;
		if (!expired && !may_retry(built, &reply->err))
			return;
		if (expired) {
			refreshed = true;
			expire_token(client);
			autoerror Error err = {0};
			built_request_dispose(built);
			if (!request_build(client, request, built, &err))
				return;
		} else {
			pause_ms(retry_wait_ms(&policy, failures, &reply->err));
		}
		kube_reply_dispose(reply);
		autohttpresponse HttpResponse response = {0};
		autoerror Error transport = {0};
		HttpRequest http = http_of(request, built);
		if (httpc_do(client->http, &http, &response, &transport))
			error_dispose(&transport);
		take_response(client, built, &response, &transport, reply);
	}
}

size_t kube_do_all(KubeClient *client, const KubeRequest *requests, KubeReply *replies, size_t count)
{
	BuiltRequest *built = mem_zalloc(count, sizeof(*built));
	HttpRequest *http = mem_zalloc(count, sizeof(*http));
	HttpResponse *responses = mem_zalloc(count, sizeof(*responses));
	Error *errors = mem_zalloc(count, sizeof(*errors));
	size_t *index = mem_zalloc(count, sizeof(*index));
	size_t sent = 0, succeeded = 0;
	for (size_t i = 0; i < count; i++) {
		if (!request_build(client, &requests[i], &built[i], &replies[i].err))
			continue;
		index[sent] = i;
		http[sent++] = http_of(&requests[i], &built[i]);
	}
	httpc_do_all(client->http, http, responses, errors, sent);
	for (size_t n = 0; n < sent; n++) {
		size_t i = index[n];
		take_response(client, &built[i], &responses[n], &errors[n], &replies[i]);
		http_response_dispose(&responses[n]);
		error_dispose(&errors[n]);
	}
	for (size_t n = 0; n < sent; n++)
		retry(client, &requests[index[n]], &built[index[n]], &replies[index[n]]);
	for (size_t i = 0; i < count; i++) {
		succeeded += replies[i].object != NULL;
		built_request_dispose(&built[i]);
	}
	free(built);
	free(http);
	free(responses);
	free(errors);
	free(index);
	return succeeded;
}

/* The pages behind the first, appended to it (kube-api.md 1.4.1). */
static bool follow_pages(KubeClient *client, const KubeRequest *request, json_t *list, Error *err)
{
	for (;;) {
		const char *token = json_text_at(list, "metadata", "continue", NULL);
		if (cstr_empty(token))
			return true;
		__attribute__((cleanup(built_request_dispose))) BuiltRequest built = {0};
		autokubereply KubeReply reply = {0};
		if (!request_build(client, request, &built, err))
			return false;
		autofree char *escaped = url_escape(token, false);
		autofree char *url = mem_printf("%s&continue=%s", built.url, escaped);
		HttpRequest http = http_of(request, &built);
		http.url = url;
		autohttpresponse HttpResponse response = {0};
		autoerror Error transport = {0};
		if (httpc_do(client->http, &http, &response, &transport))
			error_dispose(&transport);
		take_response(client, &built, &response, &transport, &reply);
		if (!reply.object)
			return err_move(err, &reply.err);
		json_array_extend(json_list(list, "items"), json_list(reply.object, "items"));
		json_object_set(list, "metadata", json_map(reply.object, "metadata"));
	}
}

json_t *kube_do(KubeClient *client, const KubeRequest *request, Error *err)
{
	autokubereply KubeReply reply = {0};
	kube_do_all(client, request, &reply, 1);
	if (!reply.object) {
		err_move(err, &reply.err);
		return NULL;
	}
	if (request->verb == KUBE_LIST && !follow_pages(client, request, reply.object, err))
		return NULL;
	return steal(&reply.object);
}

json_t *kube_get(KubeClient *client, const char *api_version, const char *kind, const char *ns,
		 const char *name, Error *err)
{
	return kube_do(client,
		       &(KubeRequest){.verb = KUBE_GET,
				      .api_version = api_version,
				      .kind = kind,
				      .ns = ns,
				      .name = name},
		       err);
}
