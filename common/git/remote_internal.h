/* What the files of a remote share: remote.c (configuration, operations), remote_http.c with
 * http_pipe.c, remote_ssh.c with ssh_connect.c and ssh_key.c, remote_ssh_program.c with
 * ssh_program.c. */
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
	char *named_by;
	bool is_ssh;
	int64_t timeout_ms;
	bool (*is_cancelled)(void *arg);
	void *cancel_arg;
	char *username, *password;
	char *proxy, *proxy_user, *proxy_password;

	HttpClient *http;
	char *bearer_header; /* "Authorization: Bearer ..." or NULL */
	Url base;	     /* the repository behind redirects; scheme NULL until the first open */
	GitCaps known;	     /* of a protocol 2 server over HTTP */

	ssh_key identity;
	KnownHosts *hosts;
	char *kex_algos, *hostkey_algos;
	bool by_program; /* the host may show a certificate, which libssh does not know */
	char *identity_text, *passphrase; /* then; else NULL */
};

/* True when host `to` must not be inside, given where the remote is and who named it. */
bool git_remote_is_guarded(const GitRemote *remote, const char *to);

GitTransport *git_http_transport_new(GitRemote *remote);
GitTransport *git_ssh_transport_new(const GitRemote *remote);
GitTransport *git_ssh_program_new(const GitRemote *remote);

/* What both ways of SSH share (remote_ssh.c). The command that runs git-upload-pack on the URL's
 * path, of which "/~user/x" means the home directory: owned; NULL for a bad escape. */
char *git_ssh_command(const Url *url);
bool git_ssh_late(const GitRemote *remote, Error *err);

/* ssh_key.c: the text in the form that every reader takes, with one line feed a line. Owned. */
char *git_ssh_key_text(const char *text);

/* ssh_key.c: ERR_INVALID, with reason AuthenticationFailed where only the passphrase is not given
 * (S34). To be freed with ssh_key_free. */
ssh_key git_ssh_key_parse(const char *text, const char *passphrase, Error *err) MUST_USE;

/* Milliseconds until the monotonic deadline, at least 0. */
int64_t git_time_left_ms(const GitTransport *transport);

/* How long to wait at most before git_goes_on is to be asked again. */
int git_wait_ms(const GitTransport *transport);

/* ERR_CANCELLED once nobody wants the operation any more. */
bool git_goes_on(const GitTransport *transport, Error *err) MUST_USE;

#endif
