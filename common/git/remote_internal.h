/* What the files of a remote share: remote.c (configuration, operations), remote_http.c with
 * http_pipe.c, remote_ssh.c with ssh_connect.c and ssh_key.c. */
#ifndef GIT_REMOTE_INTERNAL_H
#define GIT_REMOTE_INTERNAL_H

#include <libssh/libssh.h>

#include "git/git.h"
#include "git/known_hosts.h"
#include "git/protocol.h"
#include "git/transport.h"
#include "net/httpc.h"
#include "net/url.h"

/* One worker at a time. Texts owned; secrets are wiped at the end. */
struct GitRemote {
	Url url; /* without userinfo */
	bool is_ssh;
	int64_t timeout_ms;
	char *username, *password;
	char *proxy, *proxy_user, *proxy_password;

	HttpClient *http;
	char *bearer_header; /* "Authorization: Bearer ..." or NULL */
	Url base;	     /* the repository behind redirects; scheme NULL until the first open */
	GitCaps known;	     /* of a protocol 2 server over HTTP */

	ssh_key identity;
	KnownHosts *hosts;
	char *kex_algos, *hostkey_algos;
};

GitTransport *git_http_transport_new(GitRemote *remote);
GitTransport *git_ssh_transport_new(const GitRemote *remote);

/* ssh_key.c: ERR_INVALID with reason AuthenticationFailed (S34). To be freed with ssh_key_free. */
ssh_key git_ssh_key_parse(const char *text, const char *passphrase, Error *err) MUST_USE;

/* Milliseconds until the monotonic deadline, at least 0. */
int64_t git_time_left_ms(const GitTransport *transport);

#endif
