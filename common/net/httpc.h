/*
 * HTTP client on libcurl's multi interface, driven by the Loop's thread: HTTP/2 multiplexed over
 * TLS, keep-alive otherwise. An HttpClient is one TLS identity, one proxy and their connections.
 * Workers block in httpc_do and httpc_do_all; httpc_start is for those who must not.
 */
#ifndef NET_HTTPC_H
#define NET_HTTPC_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "net/loop.h"

typedef struct HttpClient HttpClient;

/* All strings are copied. PEM texts are NUL-terminated. */
typedef struct {
	const char *ca_pem;    /* trusted roots; NULL: the system's */
	bool add_system_roots; /* trust the system's beside ca_pem */
	const char *cert_pem;  /* client certificate chain; with key_pem or both NULL */
	const char *key_pem;
	const char *server_name; /* SNI and verification; NULL: the URL's host */
	bool insecure_skip_verify;
	const char *proxy; /* http, https or socks5 URL; NULL: none */
	const char *proxy_user;
	const char *proxy_password;
	bool env_proxy;		    /* take HTTPS_PROXY etc. when proxy is NULL */
	const char *user_agent;	    /* NULL: "sluice/VERSION" */
	int64_t connect_timeout_ms; /* 0: 10 s */
	int64_t keep_ms; /* connections are closed so long after the last call; 0: 30 s */
} HttpClientConfig;

/* ERR_INVALID for unusable PEM, half a pair or a proxy of another scheme (text says which). */
HttpClient *httpc_new(Loop *loop, const HttpClientConfig *config, Error *err) MUST_USE;

/* Cancels what is under way (callers get ERR_CANCELLED), then frees. Any thread. */
void httpc_free(HttpClient *client);
AUTO_POINTER(HttpClient, httpc_free, auto_httpc);
#define autohttpc __attribute__((cleanup(auto_httpc)))

/* Cancels what is under way, and refuses what comes (ERR_CANCELLED); httpc_free is still to be
 * called. Any thread, while no other frees the client. */
void httpc_close(HttpClient *client);

/* Another client certificate with its key (PEM, copied) in place of the configuration's: calls that
 * start from now on use connections made with it. ERR_INVALID as httpc_new. Any thread, while no
 * other frees the client. */
bool httpc_set_certificate(HttpClient *client, const char *cert_pem, const char *key_pem,
			   Error *err) MUST_USE;

typedef struct {
	const char *method; /* "GET" when NULL */
	const char *url;
	const char *const *headers; /* "Name: value" strings, NULL-terminated; NULL for none */
	const void *body;
	size_t body_len;
	int64_t timeout_ms;	 /* whole call; 0: none */
	int64_t begin_until_ms;	 /* clock_boot_ms() from which on nothing of it is sent any more but
				    ERR_CANCELLED, though it was asked for before; 0: any time. A
				    body's next piece is held back only with at_most_once */
	int64_t idle_timeout_ms; /* without a byte received for so long: ERR_TIMEOUT; 0: none */
	size_t max_body;	 /* reply bytes, more is ERR_LIMIT; 0: 64 MiB. Not for streams */
	const char *user;	 /* Basic authentication when not NULL */
	const char *password;
	bool follow_redirects; /* up to 10; credentials only to the same host; not into internal
				  addresses, unless the URL is of one (net/address.h) */
	bool no_internal;      /* another host named the URL: it must not resolve to such ones */
	bool at_most_once;     /* a body that may have reached the peer is not sent again; else a
				  kept connection that turns out dead is, whatever the method */
	bool path_as_is;       /* "." and ".." in the path go out as they stand: names of objects */
	const char *unix_socket; /* connect there instead of TCP; NULL: no */
} HttpRequest;

typedef struct {
	int status;
	Buf body;
	Buf headers; /* "name: value\r\n" lines of the last reply, names in lower case */
} HttpResponse;

void http_response_dispose(HttpResponse *response);
#define autohttpresponse __attribute__((cleanup(http_response_dispose)))

/* The value of the first header of that name (given in lower case) copied, or NULL. Owned. */
char *http_response_header(const HttpResponse *response, const char *name);

/* For what a peer said and may have echoed: puts "***" in place of a password, and of what Basic
 * authentication makes of it. Either may be NULL. */
void http_hide_login(Error *err, const char *user, const char *password);

/* A status's usual phrase ("Not Found"), or "". Static. */
const char *http_status_text(int status);

/* Retry-After in milliseconds (seconds or HTTP date), or 0. */
int64_t http_response_retry_after_ms(const HttpResponse *response);

/*
 * Sends and waits. Not on the loop's thread. True when a reply came, whatever its status; false for
 * transport failures: ERR_UNAVAILABLE (refused, cut, DNS), ERR_TIMEOUT, ERR_LIMIT, ERR_CANCELLED,
 * ERR_UNAUTHORIZED (certificate refused: text starts "tls: "), ERR_FORBIDDEN (a redirect into an
 * internal address). Error texts hold no credentials.
 */
bool httpc_do(HttpClient *client, const HttpRequest *request, HttpResponse *out,
	      Error *err) MUST_USE;

/* All at once over as few connections as the peer allows; replies[i] or errors[i] answers
 * requests[i]. Returns the number of requests that got a reply. */
size_t httpc_do_all(HttpClient *client, const HttpRequest *requests, HttpResponse *replies,
		    Error *errors, size_t count);

/* A streaming call. Callbacks run on the loop's thread. */
typedef struct HttpCall HttpCall;
typedef struct {
	/* Once, when the final reply's headers are there. False ends the call (on_end: CANCELLED).
	 */
	bool (*on_head)(void *arg, int status, const HttpResponse *head);
	/* Bytes as they come. False ends the call. */
	bool (*on_data)(void *arg, const char *bytes, size_t len);
	/* Once, last: err->code is ERR_NONE after a clean end. The call is freed behind it. */
	void (*on_end)(void *arg, const Error *err);
} HttpHandler;

/* Starts a call (everything in request is copied); any thread. The handle stays valid until on_end
 * returns. */
HttpCall *httpc_start(HttpClient *client, const HttpRequest *request, const HttpHandler *handler,
		      void *arg);

/* Ends the call: on_end comes with ERR_CANCELLED, unless it has come already. Any thread, while the
 * handle is valid. On the loop's thread on_end runs before it returns. */
void httpc_cancel(HttpCall *call);

/* Blocking form of a stream for workers: on_data runs on the loop's thread; returns at the end.
 * *out_status is set once headers came. */
bool httpc_stream(HttpClient *client, const HttpRequest *request,
		  bool (*on_data)(void *arg, const char *bytes, size_t len), void *arg,
		  HttpResponse *out_head, Error *err) MUST_USE;

#endif
