#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include "cli.h"
#include "kube/config.h"

/* What a connected command lives on. */
typedef struct {
	KubeConfig config;
	Loop *loop;
	KubeClient *client;
} Connection;

/* Connects as the command's flags say: fills *out (zeroed by the caller), command->client and,
 * where it follows the context, command->ns, which borrow from it. ERR_UNAVAILABLE at once when
 * nobody answers. */
bool command_connect(Command *command, Connection *out, Error *err) MUST_USE;

void connection_dispose(Connection *connection);
#define autoconnection __attribute__((cleanup(connection_dispose)))

#endif
