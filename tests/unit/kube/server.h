/*
 * An API server for tests: each request is noted and answered by the test's own function. Plain
 * HTTP on a free port.
 */
#ifndef TESTS_UNIT_KUBE_SERVER_H
#define TESTS_UNIT_KUBE_SERVER_H

#include "base/vec.h"
#include "kube/client.h"

typedef struct {
	char *method, *path, *body;
	char *authorization; /* or NULL */
	char *as_user;	     /* Impersonate-User, or NULL */
	int connection;	     /* which of the server's it came by */
	int64_t at_ms;	     /* by the monotonic clock */
} Asked;

/* status 0 is 200; a body of NULL is "{}". take_body is freed. */
typedef struct {
	int status;
	char *take_body;
	const char *retry_after;
} Answered;

/* On a server thread, one at a time. */
typedef Answered AnswerFn(void *arg, const Asked *asked);

typedef struct Server Server;

Server *server_start(AnswerFn *answer, void *arg);
void server_stop(Server *server);

/* The address: "http://127.0.0.1:PORT". Borrowed. */
const char *server_url(const Server *server);

/* Answers wait while it is shut. */
void server_gate(Server *server, bool open);

/* Waits until so many requests of a method (NULL: any) whose path holds `path` came; fails the test
 * after 10 s. */
void server_wait(Server *server, const char *method, const char *path, size_t count);
size_t server_count(Server *server, const char *method, const char *path);

/* The index-th of them; borrowed until the server stops. */
const Asked *server_asked(Server *server, const char *method, const char *path, size_t index);

/* A client of it; fails the test when it cannot be made. */
KubeClient *server_client(const Server *server, Loop *loop);

#endif
