/* What the files of the HTTP server share: httpd.c (life, connections, requests), httpd_reply.c,
 * httpd_stream.c, httpd_tls.c. */
#ifndef NET_HTTPD_INTERNAL_H
#define NET_HTTPD_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/vec.h"
#include "net/httpd.h"
#include "net/loop.h"

typedef struct Connection Connection;

/* Phases with a time limit of their own, which libmicrohttpd has not. */
typedef enum {
	PHASE_HEADER, /* connected, or between two requests */
	PHASE_BODY,
	PHASE_REPLY, /* libmicrohttpd's idle timeout, or a stream's own rules */
} Phase;

struct Connection {
	Httpd *httpd;
	Connection *prev, *next;
	int fd;
	Phase phase;
	bool reused; /* has had a request: its header phase includes keep-alive idleness */
	int64_t since_ms;
};

struct Httpd {
	HttpdHandler *handler;
	HttpdObserver *observe;
	void *arg;
	size_t max_body, max_header, max_kept;
	int port, idle_timeout_s, header_timeout_s;
	bool tls, asks_client_cert;
	struct MHD_Daemon *daemon;
	Loop *loop; /* phase limits; watches clients of streams, which libmicrohttpd suspends */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t idle_changed;
	Connection *connections;
	size_t open; /* connections */
	HttpdStream *streams;
	size_t requests; /* begun and not completed */
	bool sweep_armed, stopping;
};

/* Owned by libmicrohttpd's connection; one server thread at a time. */
struct HttpdRequest {
	Httpd *httpd;
	struct MHD_Connection *connection;
	char *method, *path, *query;
	bool begun, replied, too_large;
	size_t discarded;
	int64_t begun_ms;
	int status; /* of the reply */
	size_t reply_bytes;
	Buf body;
	char *peer;
	HttpdClient *client; /* NULL: without a certificate */
	Vec headers;	     /* name, value, ... for the reply; owned */
	Vec params;	     /* decoded values lent out by httpd_param; owned */
	HttpdStream *stream;
};

/* Sends `response` (taken) with the headers set so far. */
void httpd_queue(HttpdRequest *request, int status, struct MHD_Response *take_response);

/* --- httpd_stream.c --- */

/* The request of the stream is over: on_close, and the request's reference goes. */
void httpd_stream_detach(HttpdStream *stream);

/* Ends all streams; new ones end at once, as httpd->stopping is set. */
void httpd_streams_end(Httpd *httpd);

/* --- httpd_tls.c --- */

/* What the client's certificate says; NULL when none came. Owned, freed by httpd_client_free. */
HttpdClient *httpd_tls_client(struct MHD_Connection *connection);
void httpd_client_free(HttpdClient *client);

#endif
