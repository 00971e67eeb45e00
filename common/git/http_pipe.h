/*
 * A reply that the loop's thread receives and a worker reads. What the worker has not taken yet
 * waits in memory up to a bound, then in a nameless temporary file: the loop never blocks on a slow
 * reader, and nothing stays behind (S102).
 */
#ifndef GIT_HTTP_PIPE_H
#define GIT_HTTP_PIPE_H

#include <sys/types.h>

#include "net/httpc.h"

typedef struct HttpPipe HttpPipe;

/* A waiting worker looks so often whether it is still wanted. */
enum { HTTP_PIPE_LOOK_MS = 500 };

/* Sends the request. Owned by the caller. is_cancelled (or NULL) ends a wait with ERR_CANCELLED. */
HttpPipe *http_pipe_start(HttpClient *client, const HttpRequest *request,
			  bool (*is_cancelled)(void *arg), void *arg);

/* Waits for the head: borrowed, without body. NULL with err when the call failed before. */
const HttpResponse *http_pipe_head(HttpPipe *pipe, Error *err) MUST_USE;

/* Waits for bytes: count, 0 at the end, -1 with err. */
ssize_t http_pipe_read(HttpPipe *pipe, char *out, size_t cap, Error *err) MUST_USE;

/* Breaks the call off when it is still running, and waits for its end. */
void http_pipe_free(HttpPipe *pipe);
AUTO_POINTER(HttpPipe, http_pipe_free, auto_http_pipe);
#define autohttppipe __attribute__((cleanup(auto_http_pipe)))

#endif
