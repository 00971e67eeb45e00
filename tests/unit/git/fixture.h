/* Repositories, servers and commands for the tests of common/git. Failures end the test. */
#ifndef TEST_GIT_FIXTURE_H
#define TEST_GIT_FIXTURE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../ports.h"
#include "base/buf.h"
#include "base/fd.h"
#include "git/git.h"
#include "net/loop.h"

/* Runs a command in `dir`, with a Git environment of its own; it must succeed. Its output without
 * the last line feed, owned. The list of arguments ends with NULL. */
char *run(const char *dir, const char *const *argv);

/* Runs a line of shell in `dir`; owned output. */
char *shell(const char *dir, const char *format, ...) PRINTF(2, 3);

/* Starts a command in its own process group; ended by stop. */
pid_t spawn(const char *dir, const char *const *argv);
void stop(pid_t pid);

/* A listener that never answers; its port goes to *out_port. The descriptor is the caller's. */
int silent_listener(int *out_port);
void write_file(const char *dir, const char *name, const char *text);
char *read_file(const char *dir, const char *name);

/* A temporary directory; `autotempdir` removes it. */
char *temp_dir(void);

/*
 * DIR/repo.git, bare, made anew. main has 3 commits: README.md, deploy/app.yaml, deploy.sh (755),
 * deploy-x/y, link -> README.md; branch feature/one; lightweight tag v0.1.0 and annotated v1.0.0 on
 * main's second commit; refs/pull/7/head is reachable from nowhere else.
 */
void make_repo(const char *dir);

/* DIR/big.git: `commits` commits on main, each changing one of 50 files of random bytes. */
void make_big_repo(const char *dir, int commits);

/* The hash that a revision of DIR/repo.git means. Owned. */
char *rev(const char *dir, const char *revision);

/* A Git server over HTTP: nginx, fcgiwrap, git-http-backend over a directory's repositories. */
typedef struct {
	pid_t nginx, fcgiwrap;
	int port, tls_port;
} HttpServer;

/* What the server does under which path: /v2/ all; /v0/ hides Git-Protocol; /basic/ wants
 * user:s3cret; /bearer/ wants the token; /forbidden/ 403; /broken/ 500; /moved/ redirects to /v2/;
 * /loop/ to itself; /away/ to another port of the host, where the log tells what came. /text/ is no
 * Git. DIR/tls/{ca,server,client}.{pem,key} come into being; the TLS port wants a client
 * certificate. */
HttpServer http_server_start(const char *dir);
void http_server_stop(HttpServer *server);
#define autohttpserver __attribute__((cleanup(http_server_stop)))

/* A directory with repo.git, big.git and a server over them, for a group of tests. */
typedef struct {
	char *dir;
	HttpServer server;
} ServedRepos;

/* Puts an owned one into *state; big.git has so many commits. 0, as cmocka wants it. */
int served_repos_start(void **state, int commits);
int served_repos_stop(void **state);

/* DIR/repo.git with all that main reaches in DIR/pack, and those bytes. */
void read_whole_pack(const char *dir, Buf *out);

/* One loop and one remote. */
typedef struct {
	Loop *loop;
	GitRemote *remote;
} Client;

/* The remote for a configuration, which must be good. timeout_ms 0 becomes 30 s. */
Client client_open(GitRemoteConfig config);
void client_close(Client *client);
#define autoclient __attribute__((cleanup(client_close)))

#endif
