/*
 * The byte pipe to a git-upload-pack, whoever carries it: HTTP, SSH, or a process in tests. One
 * worker thread uses it, for one operation.
 */
#ifndef GIT_TRANSPORT_H
#define GIT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct GitTransport GitTransport;

typedef struct {
	/* Connects and asks for the advertisement: `protocol` is the value of GIT_PROTOCOL. */
	bool (*open)(GitTransport *self, const char *protocol, Error *err);
	/* Sends a request. On a stateless transport it is a whole POST, and drops what is left of
	 * the reply before. */
	bool (*send)(GitTransport *self, Str bytes, Error *err);
	/* Waits for bytes of the reply: count, 0 at its end, -1 with err. */
	ssize_t (*recv)(GitTransport *self, char *out, size_t cap, Error *err);
	/* Ends the connection; open may follow. Safe to call at any time, and twice. */
	void (*close)(GitTransport *self);
	void (*free)(GitTransport *self);
} GitTransportKind;

/* First member of each transport. */
struct GitTransport {
	const GitTransportKind *kind;
	bool stateless;			 /* HTTP: each request stands for itself */
	int version;			 /* that the server chose; 2 until it is known */
	int64_t deadline_ms;		 /* monotonic, of the whole operation */
	bool (*is_cancelled)(void *arg); /* or NULL */
	void *cancel_arg;
};

static inline void git_auto_transport(GitTransport **transport)
{
	if (*transport)
		(*transport)->kind->free(*transport);
}
#define autogittransport __attribute__((cleanup(git_auto_transport)))

#endif
