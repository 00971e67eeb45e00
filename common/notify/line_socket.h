/* A connection for protocols of lines that are no HTTP: TCP, and TLS on top once it is asked for.
 * For threads that may block; each call ends by the deadline, or when cancel_fd becomes readable.
 */
#ifndef NOTIFY_LINE_SOCKET_H
#define NOTIFY_LINE_SOCKET_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct LineSocket LineSocket;

/* ERR_UNAVAILABLE names host and port. Owned by the caller. */
LineSocket *line_socket_connect(const char *host, int port, int64_t deadline_ms, int cancel_fd,
				Error *err) MUST_USE;
void line_socket_free(LineSocket *socket);
AUTO_POINTER(LineSocket, line_socket_free, auto_line_socket);
#define autolinesocket __attribute__((cleanup(auto_line_socket)))

/* Goes on in TLS, with the system's roots, for that host. ERR_UNAUTHORIZED when it is refused. */
bool line_socket_start_tls(LineSocket *socket, const char *host, Error *err) MUST_USE;

/* The next line without its end, owned; ERR_LIMIT beyond 64 KiB. */
char *line_socket_read(LineSocket *socket, Error *err) MUST_USE;
bool line_socket_write(LineSocket *socket, const void *bytes, size_t len, Error *err) MUST_USE;

#endif
