/*
 * Requests sent together and, those that failed in a way that another try may cure, again together
 * (client.h): 429 and 5xx that come with a Retry-After, a cut connection under a request that may
 * be repeated, and once a 401 after the credential was read again. All within the request's own
 * time, and for a client that yields only while the server takes some of them.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/client_internal.h"
#include "net/retry.h"

static const RetryPolicy policy = {
	.max_tries = 10, .base_ms = 100, .max_ms = 10000, .factor = 2, .jitter = 0.5};

enum {
	SHORT_WAIT_MS = 150, /* nobody is worth waking for it */
	LONG_WAIT_MS = 2000,
};

typedef struct {
	const KubeRequest *request;
	KubeReply *reply;
	Wire wire;
	int64_t deadline_ms, wait_ms;
	int failures;
	bool pending, renewed;
} Task;

static void pause_ms(int64_t ms)
{
	struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
	while (ms > 0 && nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;
}

static int64_t timeout_of(const KubeClient *client, const KubeRequest *request)
{
	const KubeConfig *config = &client->root->config;
	if (request->timeout_ms > 0)
		return request->timeout_ms;
	return config->timeout_ms > 0 ? config->timeout_ms : KUBE_TIMEOUT_MS;
}

static int max_tries(const KubeClient *client)
{
	int tries = client->root->config.max_tries;
	return tries > 0 ? tries : policy.max_tries;
}

static void prepare(KubeClient *client, Task *task, int limit, const char *continue_token)
{
	KubeReply *reply = task->reply;
	task->deadline_ms = clock_mono_ms() + timeout_of(client, task->request);
	task->pending =
		wire_make(client, task->request, limit, continue_token, &task->wire, &reply->err);
}

static HttpRequest http_of(const KubeClient *client, const Task *task)
{
	int64_t left_ms = task->deadline_ms - clock_mono_ms();
	bool reads = cstr_eq(task->wire.method, "GET");
	return (HttpRequest){.method = task->wire.method,
			     .url = task->wire.url,
			     .headers = (const char *const *)task->wire.headers,
			     .body = task->wire.body,
			     .body_len = task->wire.body ? strlen(task->wire.body) : 0,
			     .timeout_ms = left_ms > 1 ? left_ms : 1,
			     .begin_until_ms = reads ? 0 : atomic_load(&client->root->act_until_ms),
			     .at_most_once = true, /* what may be repeated we repeat ourselves */
			     .max_body = KUBE_MAX_REPLY};
}

/* --- whether to try again --- */

static bool is_worth_another(const Task *task, const Error *err)
{
	if (!err->http_status)
		return err->code == ERR_UNAVAILABLE && (task->wire.repeatable || err->unsent);
	/* The server says itself that it did nothing. */
	return err->retry_after_ms > 0 && (err->http_status == 429 || err->http_status >= 500);
}

/* Leaves the task pending with the time to wait, or ends it. */
static void plan_retry(KubeClient *client, Task *task, const Error *err)
{
	task->pending = false;
	if (err->http_status == 401 && !task->renewed) {
		task->renewed = true;
		task->wait_ms = 0;
		task->pending = credential_refresh(client, task->deadline_ms - clock_mono_ms());
		if (task->pending)
			wire_renew_headers(client, task->request, &task->wire);
		return;
	}
	if (!is_worth_another(task, err) || ++task->failures >= max_tries(client))
		return;
	task->wait_ms = retry_wait_ms(&policy, task->failures, err);
	task->pending = clock_mono_ms() + task->wait_ms < task->deadline_ms;
}

/* The kind was there when its path was looked up, and is no more. "404 page not found" names
 * nothing. */
static void name_lost_kind(const Wire *wire, Error *err)
{
	if (!wire->kind)
		return;
	int status = err->http_status;
	error_dispose(err);
	err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\"", wire->kind,
		wire->api_version);
	err->http_status = status;
}

static void take_reply(KubeClient *client, Task *task, const HttpResponse *response, Error *failure)
{
	KubeReply *reply = task->reply;
	error_dispose(&reply->err);
	reply->status = response->status;
	if (err_is_set(failure)) {
		reply->status = 0;
		err_move(&reply->err, failure);
	} else {
		reply->object =
			reply_object(response->status, http_response_retry_after_ms(response),
				     &response->body, &reply->err);
	}
	kube_count(client, task->wire.verb, reply->status, &reply->err);
	task->pending = false;
	if (reply->object)
		return;
	if (reply_is_no_path(reply->status, &response->body)) {
		discovery_forget(client, task->wire.api_version);
		name_lost_kind(&task->wire, &reply->err);
	}
	plan_retry(client, task, &reply->err);
}

/* --- rounds --- */

static size_t count_pending(const Task *tasks, size_t count, int64_t *out_wait_ms)
{
	size_t pending = 0;
	*out_wait_ms = 0;
	for (size_t i = 0; i < count; i++) {
		if (!tasks[i].pending)
			continue;
		pending++;
		if (tasks[i].wait_ms > *out_wait_ms)
			*out_wait_ms = tasks[i].wait_ms;
	}
	return pending;
}

/* Sends all that are pending. */
static void send_round(KubeClient *client, Task *tasks, size_t count, size_t pending)
{
	HttpRequest *requests = mem_zalloc(pending, sizeof(*requests));
	HttpResponse *responses = mem_zalloc(pending, sizeof(*responses));
	Error *errors = mem_zalloc(pending, sizeof(*errors));
	Task **sent = mem_zalloc(pending, sizeof(*sent));
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (!tasks[i].pending)
			continue;
		sent[n] = &tasks[i];
		requests[n++] = http_of(client, &tasks[i]);
	}
	httpc_do_all(client->http, requests, responses, errors, n);
	for (size_t i = 0; i < n; i++) {
		take_reply(client, sent[i], &responses[i], &errors[i]);
		http_response_dispose(&responses[i]);
		error_dispose(&errors[i]);
	}
	free(requests);
	free(responses);
	free(errors);
	free(sent);
}

/* What the server asked to wait for goes back to the caller. */
static void give_back(Task *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Error *err = &tasks[i].reply->err;
		if (!tasks[i].pending || !err_is_set(err))
			continue;
		tasks[i].pending = false;
		err->not_yet = true;
		if (err->retry_after_ms < tasks[i].wait_ms)
			err->retry_after_ms = tasks[i].wait_ms;
	}
}

/* `left` of the `sent` requests of a round are to be tried again. */
static bool must_yield(const KubeClient *client, size_t left, size_t sent, int64_t wait_ms)
{
	if (!atomic_load(&client->root->yields) || wait_ms <= SHORT_WAIT_MS)
		return false;
	return left == sent || wait_ms > LONG_WAIT_MS;
}

/* They wait for a server, not for a time that one asked for. */
static bool is_unanswered(const Task *tasks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (tasks[i].pending && tasks[i].reply->err.http_status)
			return false;
	return true;
}

static void run(KubeClient *client, Task *tasks, size_t count)
{
	int64_t wait_ms;
	size_t sent = 0;
	for (size_t n; (n = count_pending(tasks, count, &wait_ms)) > 0; sent = n) {
		if (must_yield(client, n, sent, wait_ms)) {
			give_back(tasks, count);
			break;
		}
		if (is_unanswered(tasks, count))
			reach_wait(client, wait_ms);
		else
			pause_ms(wait_ms);
		send_round(client, tasks, count, n);
	}
	for (size_t i = 0; i < count; i++)
		wire_dispose(&tasks[i].wire);
}

size_t batch_do(KubeClient *client, const KubeRequest *requests, KubeReply *replies, size_t count,
		int limit, const char *continue_token)
{
	autofree Task *tasks = mem_zalloc(count, sizeof(*tasks));
	for (size_t i = 0; i < count; i++) {
		tasks[i].request = &requests[i];
		tasks[i].reply = &replies[i];
		prepare(client, &tasks[i], limit, continue_token);
	}
	run(client, tasks, count);
	size_t done = 0;
	for (size_t i = 0; i < count; i++)
		done += replies[i].object != NULL;
	return done;
}

json_t *batch_get(KubeClient *client, const char *path, const char *accept, int64_t timeout_ms,
		  Error *err)
{
	const KubeRequest request = {.verb = KUBE_GET, .timeout_ms = timeout_ms};
	autokubereply KubeReply reply = {0};
	Task task = {.request = &request,
		     .reply = &reply,
		     .deadline_ms = clock_mono_ms() + timeout_of(client, &request),
		     .pending = true,
		     .wire = {.method = "GET",
			      .verb = "GET",
			      .url = mem_printf("%s%s", client->server, path),
			      .repeatable = true}};
	if (accept)
		task.wire.headers = kube_headers(client, accept, NULL);
	else
		wire_renew_headers(client, &request, &task.wire);
	run(client, &task, 1);
	if (!reply.object)
		err_move(err, &reply.err);
	return steal(&reply.object);
}

/* --- the public forms --- */

void kube_reply_dispose(KubeReply *reply)
{
	json_decref(reply->object);
	error_dispose(&reply->err);
	*reply = (KubeReply){0};
}

size_t kube_do_all(KubeClient *client, const KubeRequest *requests, KubeReply *replies,
		   size_t count)
{
	size_t done = batch_do(client, requests, replies, count, KUBE_PAGE, NULL);
	for (size_t i = 0; i < count; i++) {
		if (requests[i].verb != KUBE_LIST || !replies[i].object)
			continue;
		replies[i].object =
			list_finish(client, &requests[i], replies[i].object, &replies[i].err);
		done -= replies[i].object == NULL;
	}
	return done;
}

json_t *kube_do(KubeClient *client, const KubeRequest *request, Error *err)
{
	autokubereply KubeReply reply = {0};
	if (kube_do_all(client, request, &reply, 1) == 1)
		return steal(&reply.object);
	err_move(err, &reply.err);
	return NULL;
}

json_t *kube_list_some(KubeClient *client, const KubeRequest *request, int most, Error *err)
{
	autokubereply KubeReply reply = {0};
	if (batch_do(client, request, &reply, 1, most, NULL) == 1)
		return steal(&reply.object);
	err_move(err, &reply.err);
	return NULL;
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
