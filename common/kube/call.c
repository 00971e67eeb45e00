/*
 * One request from those who must not block: events, leases, informers. The reply's body is
 * collected on the loop's thread, parsed there and given to `done`. No retries: the callers have
 * their own.
 */
#include <string.h>

#include "base/mem.h"
#include "kube/client_internal.h"

struct KubeCall {
	KubeClient *client;
	const char *verb;
	HttpCall *http;
	KubeCallDone *done; /* NULL: cancelled */
	void *arg;
	int status;
	int64_t retry_after_ms;
	size_t max_reply;
	Buf body;
};

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	KubeCall *call = arg;
	call->status = status;
	call->retry_after_ms = http_response_retry_after_ms(head);
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	KubeCall *call = arg;
	autoerror Error limit = {0};
	return buf_append_limited(&call->body, bytes, len, call->max_reply, &limit);
}

static void on_end(void *arg, const Error *failure)
{
	KubeCall *call = arg;
	autoerror Error err = {0};
	autojson json_t *object = NULL;
	if (err_is_set(failure))
		err_copy(&err, failure);
	else
		object = reply_object(call->status, call->retry_after_ms, &call->body, &err);
	kube_count(call->client, call->verb, err_is_set(failure) ? 0 : call->status, failure);
	if (err.http_status == 401)
		credential_refresh(call->client, 0);
	if (call->done)
		call->done(call->arg, object, &err);
	buf_dispose(&call->body);
	free(call);
}

KubeCall *kube_call_start(KubeClient *client, const KubeCallSpec *spec, KubeCallDone *done,
			  void *arg)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	KubeCall *call = mem_zalloc(1, sizeof(*call));
	call->client = client;
	call->verb = spec->verb;
	call->done = done;
	call->arg = arg;
	call->max_reply = spec->max_reply ? spec->max_reply : KUBE_MAX_REPLY;
	autofree char *url = mem_printf("%s%s", client->server, spec->path);
	autofree char *body = spec->body ? json_dump(spec->body) : NULL;
	char **headers = kube_headers(client, spec->accept, spec->content_type);
	call->http = httpc_start(client->http,
				 &(HttpRequest){.method = spec->method,
						.url = url,
						.headers = (const char *const *)headers,
						.body = body,
						.body_len = body ? strlen(body) : 0,
						.at_most_once = true,
						.timeout_ms = spec->timeout_ms},
				 &handler, call);
	kube_headers_free(headers);
	return call;
}

void kube_call_cancel(KubeCall *call)
{
	call->done = NULL;
	httpc_cancel(call->http);
}
