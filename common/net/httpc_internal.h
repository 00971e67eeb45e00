/* What the files of the HTTP client share: httpc.c (client, curl multi), httpc_call.c (a call's
 * life), httpc_wait.c (blocking forms), httpc_guard.c (where redirects may lead),
 * httpc_error.c (what went wrong). */
#ifndef NET_HTTPC_INTERNAL_H
#define NET_HTTPC_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/vec.h"
#include "net/httpc.h"
#include "net/tls.h"

enum { MAX_HEADER_BYTES = 256 * 1024, DEFAULT_MAX_BODY = 64 * 1024 * 1024 };

/*
 * A client's fields after `lock` belong to the loop's thread, those before it never change.
 * Everything curl is done there.
 */
struct HttpClient {
	Loop *loop;
	TlsIdentity *tls;
	char *proxy, *proxy_user, *proxy_password, *user_agent;
	long proxy_type;
	bool env_proxy, insecure, has_server_name;
	long connect_timeout_ms;
	int64_t keep_ms;

	pthread_mutex_t lock;	  /* guards all up to closing */
	char *cert_pem, *key_pem; /* of httpc_set_certificate, or NULL */
	Vec incoming;		  /* calls to start */
	bool posted, closing;

	CURLM *multi; /* NULL: no connection is kept */
	LoopTimer timer, keep_timer;
	int64_t idle_since_ms; /* when a call ended last */
	HttpCall *calls;       /* started, not ended */
	HttpCall *dead; /* ended while curl was at work: their handles wait to be taken out */
	Vec idle_handles;
	int in_curl;	   /* depth of calls into curl, which must not be entered again */
	bool speaks_http2; /* the last reply did */
	bool replied;	   /* there was one */
};

/*
 * A call's life: queued (incoming) -> running (in client->calls, has `easy`) -> ended (on_end ran).
 * The loop's thread owns all but `refs`.
 */
struct HttpCall {
	HttpClient *client; /* NULL when it was closed before the call was queued */
	Loop *loop;	    /* the client may be gone when a late cancel comes */
	HttpCall *prev, *next;
	atomic_uint refs; /* the client's until on_end, and one for each posted cancel */

	HttpRequest request;
	char **owned_headers; /* copies behind request.headers; NULL when request is borrowed */
	bool borrowed;
	size_t max_body;
	HttpHandler handler;
	void *arg;

	CURL *easy;
	struct curl_slist *headers;
	char errbuf[CURL_ERROR_SIZE];

	HttpResponse response;
	bool collect; /* body into response.body; else handler.on_data */
	bool queued, ended;
	size_t sent;			   /* of an at_most_once body */
	bool head_ended, head_done;	   /* its empty line came; the caller was told */
	int64_t deadline_ms, last_byte_ms; /* monotonic */
	LoopTimer timer;
	Error failure; /* why we, not curl, broke it off */
};

/* --- httpc_call.c --- */

/* A queued call with one reference. A borrowed request must outlive on_end. */
HttpCall *httpc_call_new(HttpClient *client, const HttpRequest *request, bool borrowed,
			 const HttpHandler *handler, void *arg);
void httpc_call_unref(HttpCall *call);

/* Gives curl the call; on the loop's thread and not inside curl. */
void httpc_call_start(HttpCall *call);

/* Ends the call with curl's result, or call->failure when that is set. */
void httpc_call_finish(HttpCall *call, CURLcode result);

/* Ends the call with ERR_CANCELLED unless it has ended. */
void httpc_call_cancel(HttpCall *call, const char *why);

/* --- httpc.c --- */

/* Queues calls to be started, with at most one message to the loop. Any thread. */
void httpc_enqueue(HttpClient *client, HttpCall *const *calls, size_t count);

/* A handle with the client's options set. */
CURL *httpc_handle_take(HttpClient *client);

/* Takes the ended call's handle out of curl and back into the pool, now or after curl is done. */
void httpc_handle_release(HttpCall *call);

/* Of the environment's proxies: what NO_PROXY says of the URL's host at the URL's port. */
void httpc_set_exempt(const HttpCall *call, const char *url);

/* --- httpc_guard.c --- */

/* False, with call->failure, when another host named the request's URL, which is inside. */
bool httpc_guard_url(HttpCall *call);

/* Has curl ask before it connects, where the request needs that. */
void httpc_guard_set(HttpCall *call);

/* False, with call->failure, when a redirect must not be followed to `location`. */
bool httpc_guard_location(HttpCall *call, const char *location);

/* False, with call->failure, when the request must not go to that numeric address. */
bool httpc_guard_peer(HttpCall *call, const char *address, int port);

/* --- httpc_error.c --- */

/* Fills err from curl's result and text. */
void httpc_classify(const HttpCall *call, CURLcode result, Error *err);

/* "METHOD URL" without secrets; owned. */
char *httpc_call_name(const HttpCall *call);

#endif
