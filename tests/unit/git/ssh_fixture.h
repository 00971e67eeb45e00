/* A real sshd, on a port of its own, for the user that runs the test; and attempts to list the
 * references of DIR/repo.git by it. */
#ifndef TEST_GIT_SSH_FIXTURE_H
#define TEST_GIT_SSH_FIXTURE_H

#include "fixture.h"

typedef struct {
	char *dir, *user;
	pid_t sshd, sshd_v2; /* the second takes GIT_PROTOCOL */
	int port, port_v2;
	pid_t sshd_extra; /* of one test; 0: none */
	int port_extra;
} Fixture;

/* Keys in DIR: host_TYPE of the servers; id_TYPE, enc_TYPE ("pass phrase") that may log in. */
int ssh_set_up(void **state);
int ssh_tear_down(void **state);

/* One more server, on port_extra, with a whole configuration of its own; in place of the one
 * before. */
void ssh_serve_extra(Fixture *f, const char *conf);

/* A known_hosts line for the server with the host key of a type. Owned. */
char *known(const Fixture *f, int port, const char *type);

typedef struct {
	const char *identity, *passphrase, *known_hosts, *path, *kex, *hostkeys;
	const char *proxy, *proxy_password;
	const char *named_by, *host; /* host: 127.0.0.1 when NULL */
	int port;
	int64_t timeout_ms;
} Attempt;

void must_work(const Fixture *f, const Attempt *a);
void must_fail(const Fixture *f, const Attempt *a, ErrorCode code, const char *text);

/* What holds for both ways of SSH; `a` says to which server, by which known_hosts. */
void check_proxies(const Fixture *f, Attempt a);
void check_identities(const Fixture *f, Attempt a);
void check_sealed_identities(const Fixture *f, Attempt a);
void check_absent_repository(const Fixture *f, Attempt a);

#endif
