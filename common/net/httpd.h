/*
 * HTTP server on libmicrohttpd. A handler gets the whole request and gives one reply: bytes, a
 * file, or a stream that other threads feed (watches). Limits: body, header bytes, connections,
 * time.
 */
#ifndef NET_HTTPD_H
#define NET_HTTPD_H

#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "base/vec.h"

typedef struct Httpd Httpd;
typedef struct HttpdRequest HttpdRequest;
typedef struct HttpdStream HttpdStream;

/* Runs on a server thread; must call exactly one httpd_reply... before it returns. Blocking calls
 * are allowed, they hold one of `threads`. */
typedef void HttpdHandler(void *arg, HttpdRequest *request);

/* Runs on a server thread when a request is over; `arg` is the handler's. Requests whose header is
 * no HTTP or too large are not told. */
typedef void HttpdObserver(void *arg, const HttpdRequest *request, int status, size_t body_bytes,
			   double seconds);

typedef struct {
	const char *address; /* ":9090", "127.0.0.1:0", "[::1]:8080"; port 0 picks a free one */
	HttpdHandler *handler;
	void *arg;
	size_t max_body;  /* 0: 3 MiB; more is answered 413 */
	unsigned threads; /* 0: 2 */
	bool thread_each; /* a thread for each connection instead, which gives the kernel 2 MiB
			   * of a file at once where a shared one gives 128 KiB; no streams */
	unsigned max_connections;  /* 0: 1024 */
	unsigned max_kept;	   /* while more than so many are open, a reply closes its own: each
				    * that is kept holds memory for the largest header; 0: no limit */
	unsigned idle_timeout_s;   /* 0: 30 */
	unsigned header_timeout_s; /* from connecting to the header's end; 0: 10 */
	size_t max_header; /* request line and header fields; 0: 32 KiB; more is answered 431 */
	HttpdObserver *observe; /* is told of each request that got a reply; may be NULL */
	const char *cert_pem;	/* TLS when not NULL, with key_pem */
	const char *key_pem;
	const char *client_ca_pem; /* asks for client certificates and verifies those that come: one
				    * that does not verify is answered 401 before any handler */
} HttpdConfig;

/* Binds and serves. ERR_IO names the address. Owned by the caller. */
Httpd *httpd_start(const HttpdConfig *config, Error *err) MUST_USE;

/* Stops taking connections, lets requests under way end for up to drain_ms, ends streams, frees. */
void httpd_stop(Httpd *httpd, int64_t drain_ms);

/* The bound port. */
int httpd_port(const Httpd *httpd);

/* The request; all borrowed until the reply. */
const char *httpd_method(const HttpdRequest *request);
const char *httpd_path(const HttpdRequest *request);  /* as sent, not decoded, without query */
const char *httpd_query(const HttpdRequest *request); /* as sent without "?", "" when none */
const char *httpd_header(const HttpdRequest *request, const char *name); /* any case; or NULL */

/* Calls visit for each header of the request, in the order sent: one that comes twice is seen
 * twice. */
typedef void HttpdHeaderVisit(void *arg, const char *name, const char *value);
void httpd_each_header(const HttpdRequest *request, HttpdHeaderVisit *visit, void *arg);

Str httpd_body(const HttpdRequest *request);
const char *httpd_peer(const HttpdRequest *request); /* the client's address as text */

/* Who the client is by its certificate. */
typedef struct {
	bool refused;	   /* it does not verify, and nothing else is set: the handler decides what
			    * that means for it */
	char *name;	   /* the last common name, UTF-8; NULL when there is none */
	Vec organizations; /* of char *, in the certificate's order */
	char *sha256;	   /* of the certificate, in hex */
} HttpdClient;

/* NULL when the client showed no certificate; borrowed until the reply. */
const HttpdClient *httpd_client(const HttpdRequest *request);

/* The first value of a query parameter, decoded; NULL when absent. Borrowed. */
const char *httpd_param(HttpdRequest *request, const char *name);

/* A header for the reply that follows. */
void httpd_set_header(HttpdRequest *request, const char *name, const char *value);

/* Replies with bytes (copied). content_type may be NULL. */
void httpd_reply(HttpdRequest *request, int status, const char *content_type, const void *body,
		 size_t len);

/* As httpd_reply for a text that it takes. */
void httpd_reply_take(HttpdRequest *request, int status, const char *content_type, char *take_body,
		      size_t len);

/* Replies with a file from offset 0, or the part that a Range header asks for (206, 416); HEAD
 * sends headers only. Takes fd. */
void httpd_reply_file(HttpdRequest *request, int take_fd, const char *content_type);

/*
 * Replies with a stream: headers go out at once. on_close(arg) runs once, when the client went
 * away, the server stops or after httpd_stream_end; the stream must not be used after it.
 */
HttpdStream *httpd_reply_stream(HttpdRequest *request, int status, const char *content_type,
				void (*on_close)(void *arg), void *arg);

/* Queues bytes for the client; any thread. False when the stream's queue would pass `limit` bytes
 * (a slow reader: the caller should end it) or the stream is closed. */
bool httpd_stream_write(HttpdStream *stream, const void *bytes, size_t len, size_t limit);

/* Ends the stream after what is queued; any thread; once. */
void httpd_stream_end(HttpdStream *stream);

#endif
