/*
 * SSH by libssh, non-blocking with one deadline: connect, judge the host key (S33), authenticate by
 * public key, run git-upload-pack. GIT_PROTOCOL is offered by an env request; a server that does
 * not take it speaks protocol 0. No file of the user's ~/.ssh is read. Hosts that may show a
 * certificate are remote_ssh_program.c's.
 */
#include "git/remote_internal.h"

#include <poll.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"
#include "git/ssh_connect.h"

enum { SSH_PORT = 22, MAX_STDERR = 4096, MAX_HOST_KEY = 64 * 1024 };

typedef struct {
	GitTransport base;
	const GitRemote *remote;
	CURL *connection;
	ssh_session session;
	ssh_channel channel;
	int fd;	       /* to be closed by us: libssh has not seen it yet; or -1 */
	bool received; /* any byte of the reply */
} SshTransport;

static SshTransport *ssh_of(GitTransport *transport)
{
	return (SshTransport *)transport;
}

/* --- waiting --- */

bool git_ssh_late(const GitRemote *remote, Error *err)
{
	return err_set(err, ERR_TIMEOUT, "ssh: not done within %lld ms",
		       (long long)remote->timeout_ms);
}

/* Until the peer may have moved on, or time is up. */
static bool wait_for_peer(SshTransport *self, Error *err)
{
	struct pollfd item = {.fd = ssh_get_fd(self->session), .events = POLLIN};
	if (ssh_get_poll_flags(self->session) & SSH_WRITE_PENDING)
		item.events |= POLLOUT;
	(void)poll(&item, 1, git_wait_ms(&self->base));
	if (git_time_left_ms(&self->base) == 0)
		return git_ssh_late(self->remote, err);
	return git_goes_on(&self->base, err);
}

static bool fail(const SshTransport *self, ErrorCode code, const char *what, Error *err)
{
	return err_set(err, code, "ssh: %s: %.200s", what, ssh_get_error(self->session));
}

/* --- set-up --- */

static bool set_option(SshTransport *self, enum ssh_options_e option, const char *value,
		       const char *name, Error *err)
{
	if (cstr_empty(value) || ssh_options_set(self->session, option, value) == SSH_OK)
		return true;
	return err_set(err, ERR_INVALID, "ssh: unusable %s: %.200s", name, value);
}

/* The flags' algorithms, or those of the keys that are known (S35). */
static bool set_algorithms(SshTransport *self, Error *err)
{
	const GitRemote *remote = self->remote;
	int port = remote->url.port ? remote->url.port : SSH_PORT;
	autofree char *known = known_hosts_algorithms(remote->hosts, remote->url.host, port);
	const char *wanted = cstr_empty(remote->hostkey_algos) ? known : remote->hostkey_algos;
	return set_option(self, SSH_OPTIONS_HOSTKEYS, wanted, "host key algorithms", err) &&
	       set_option(self, SSH_OPTIONS_KEY_EXCHANGE, remote->kex_algos,
			  "key exchange algorithms", err);
}

static bool set_options(SshTransport *self, Error *err)
{
	const int no = 0;
	ssh_options_set(self->session, SSH_OPTIONS_PROCESS_CONFIG, &no);
	ssh_options_set(self->session, SSH_OPTIONS_FD, &self->fd);
	return set_option(self, SSH_OPTIONS_SSH_DIR, "/dev/null", "directory", err) &&
	       set_option(self, SSH_OPTIONS_KNOWNHOSTS, "/dev/null", "file", err) &&
	       set_option(self, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", "file", err) &&
	       set_option(self, SSH_OPTIONS_HOST, self->remote->url.host, "host", err) &&
	       set_option(self, SSH_OPTIONS_USER, self->remote->username, "user", err) &&
	       set_algorithms(self, err);
}

static bool shake_hands(SshTransport *self, Error *err)
{
	self->fd = -1; /* libssh's now */
	for (;;) {
		int code = ssh_connect(self->session);
		if (code == SSH_OK)
			return true;
		if (code != SSH_AGAIN)
			return fail(self, ERR_UNAVAILABLE, "handshake", err);
		if (!wait_for_peer(self, err))
			return false;
	}
}

/* --- the host key --- */

/* As ssh-keygen -l shows it. Owned. */
static char *fingerprint_of(ssh_key key)
{
	unsigned char *hash = NULL;
	size_t len = 0;
	const char *type = ssh_key_type_to_char(ssh_key_type(key));
	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &len) != SSH_OK)
		return mem_strdup(type);
	char *print = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, len);
	char *text = mem_printf("%s %s", type, print ? print : "");
	ssh_string_free_char(print);
	ssh_clean_pubkey_hash(&hash);
	return text;
}

static bool read_host_key(SshTransport *self, Buf *out, char **out_fingerprint, Error *err)
{
	ssh_key key = NULL;
	char *text = NULL;
	bool ok = ssh_get_server_publickey(self->session, &key) == SSH_OK &&
		  ssh_pki_export_pubkey_base64(key, &text) == SSH_OK;
	*out_fingerprint = ok ? fingerprint_of(key) : NULL;
	ssh_key_free(key);
	if (!ok)
		return fail(self, ERR_INTERNAL, "host key", err);
	ok = base64_decode(text, strlen(text), out, err);
	ssh_string_free_char(text);
	return ok;
}

static bool check_host_key(SshTransport *self, Error *err)
{
	static const char *const texts[] = {
		[KNOWN_HOST_UNKNOWN] = "the host is not in known_hosts",
		[KNOWN_HOST_CHANGED] = "the host key is not the one in known_hosts",
		/* With certificates among the algorithms the host is left to the program. */
		[KNOWN_HOST_AUTHORITY] = "known_hosts has only a certificate authority for the "
					 "host: the host key algorithms exclude certificates",
		[KNOWN_HOST_REVOKED] = "the host key is revoked",
	};
	const Url *url = &self->remote->url;
	int port = url->port ? url->port : SSH_PORT;
	autobuf Buf key = {0};
	autofree char *fingerprint = NULL;
	if (!read_host_key(self, &key, &fingerprint, err))
		return false;
	KnownHostVerdict verdict =
		known_hosts_check(self->remote->hosts, url->host, port, buf_text(&key), key.len);
	if (verdict == KNOWN_HOST_OK)
		return true;
	/* As a line has to name it. */
	autofree char *name =
		port == SSH_PORT ? mem_strdup(url->host) : mem_printf("[%s]:%d", url->host, port);
	return err_set(err, ERR_UNAUTHORIZED, "ssh: %s: %s shows %s", texts[verdict], name,
		       fingerprint);
}

/* --- log in and run --- */

static bool log_in(SshTransport *self, Error *err)
{
	for (;;) {
		int code = ssh_userauth_publickey(self->session, NULL, self->remote->identity);
		if (code == SSH_AUTH_SUCCESS)
			return true;
		if (code == SSH_AUTH_DENIED || code == SSH_AUTH_PARTIAL)
			return err_set(err, ERR_UNAUTHORIZED,
				       "ssh: authentication required: the key was refused");
		if (code != SSH_AUTH_AGAIN)
			return fail(self, ERR_UNAVAILABLE, "log in", err);
		if (!wait_for_peer(self, err))
			return false;
	}
}

typedef int ChannelStep(ssh_channel channel, const char *text);

static int open_channel(ssh_channel channel, const char *text)
{
	(void)text;
	return ssh_channel_open_session(channel);
}

static int offer_protocol(ssh_channel channel, const char *text)
{
	return ssh_channel_request_env(channel, "GIT_PROTOCOL", text);
}

static int run_command(ssh_channel channel, const char *text)
{
	return ssh_channel_request_exec(channel, text);
}

/* *out_refused: the server said no. */
static bool do_step(SshTransport *self, ChannelStep *step, const char *text, bool *out_refused,
		    Error *err)
{
	for (;;) {
		int code = step(self->channel, text);
		*out_refused = code != SSH_OK && code != SSH_AGAIN;
		if (code != SSH_AGAIN)
			return true;
		if (!wait_for_peer(self, err))
			return false;
	}
}

/* As git's sq_quote. */
char *git_ssh_command(const Url *url)
{
	autofree char *path = url_unescape(url->path, false);
	autobuf Buf out = {0};
	if (!path)
		return NULL;
	buf_puts(&out, "git-upload-pack '");
	for (const char *c = cstr_starts(path, "/~") ? path + 1 : path; *c; c++) {
		if (*c == '\'' || *c == '!')
			buf_printf(&out, "'\\%c'", *c);
		else
			buf_putc(&out, *c);
	}
	buf_putc(&out, '\'');
	return buf_steal(&out);
}

static bool run_upload_pack(SshTransport *self, const char *protocol, Error *err)
{
	bool refused;
	autofree char *command = git_ssh_command(&self->remote->url);
	if (!command)
		return err_set(err, ERR_INVALID, "ssh: bad escape in the URL's path");
	self->channel = ssh_channel_new(self->session);
	if (!self->channel)
		return fail(self, ERR_INTERNAL, "channel", err);
	if (!do_step(self, open_channel, NULL, &refused, err))
		return false;
	if (refused)
		return fail(self, ERR_UNAVAILABLE, "open a channel", err);
	if (!do_step(self, offer_protocol, protocol, &refused, err) ||
	    !do_step(self, run_command, command, &refused, err))
		return false;
	return !refused || fail(self, ERR_UNAVAILABLE, "run git-upload-pack", err);
}

static bool ssh_open(GitTransport *transport, const char *protocol, Error *err)
{
	SshTransport *self = ssh_of(transport);
	self->received = false;
	self->connection = git_ssh_connect(self->remote, transport, &self->fd, err);
	if (!self->connection)
		return false;
	self->session = ssh_new();
	if (!self->session)
		abort(); /* memory is out */
	ssh_set_blocking(self->session, 0);
	return set_options(self, err) && shake_hands(self, err) && check_host_key(self, err) &&
	       log_in(self, err) && run_upload_pack(self, protocol, err);
}

/* --- bytes --- */

static bool ssh_send(GitTransport *transport, Str bytes, Error *err)
{
	SshTransport *self = ssh_of(transport);
	while (bytes.len) {
		uint32_t len = bytes.len < 32768 ? (uint32_t)bytes.len : 32768;
		int put = ssh_channel_write(self->channel, bytes.ptr, len);
		if (put < 0 && put != SSH_AGAIN)
			return fail(self, ERR_UNAVAILABLE, "send", err);
		if (put > 0)
			bytes = str_slice(bytes, (size_t)put, bytes.len);
		else if (!wait_for_peer(self, err))
			return false;
	}
	return true;
}

/* A server that says nothing to us has often said why on the side. */
static ssize_t explain_silence(SshTransport *self, Error *err)
{
	char text[MAX_STDERR];
	size_t len = 0;
	while (len < sizeof(text)) {
		int got = ssh_channel_read_nonblocking(self->channel, text + len,
						       (uint32_t)(sizeof(text) - len), 1);
		if (got > 0)
			len += (size_t)got;
		else if (got != 0 && got != SSH_AGAIN)
			break;
		else if (ssh_channel_is_closed(self->channel) || !wait_for_peer(self, err))
			break;
	}
	if (!err_is_set(err) && len)
		git_wire_server_error(str_sized(text, len), err);
	else if (!err_is_set(err))
		err_set(err, ERR_UNAVAILABLE, "ssh: git-upload-pack ended without a word");
	return -1;
}

static ssize_t ssh_recv(GitTransport *transport, char *out, size_t cap, Error *err)
{
	SshTransport *self = ssh_of(transport);
	for (;;) {
		int got = ssh_channel_read_nonblocking(self->channel, out, (uint32_t)cap, 0);
		if (got > 0) {
			self->received = true;
			return got;
		}
		bool ended = got == SSH_EOF || ssh_channel_is_eof(self->channel) ||
			     ssh_channel_is_closed(self->channel);
		if (ended)
			return self->received ? 0 : explain_silence(self, err);
		if (got < 0 && got != SSH_AGAIN) {
			fail(self, ERR_UNAVAILABLE, "receive", err);
			return -1;
		}
		if (!wait_for_peer(self, err))
			return -1;
	}
}

static void ssh_close(GitTransport *transport)
{
	SshTransport *self = ssh_of(transport);
	if (self->channel)
		ssh_channel_free(self->channel);
	/* No ssh_disconnect before: it makes libssh forget a descriptor that it was given. */
	if (self->session)
		ssh_free(self->session);
	if (self->connection)
		curl_easy_cleanup(self->connection);
	auto_close(&self->fd);
	self->fd = -1;
	self->channel = NULL;
	self->session = NULL;
	self->connection = NULL;
}

static void ssh_transport_free(GitTransport *transport)
{
	ssh_close(transport);
	free(ssh_of(transport));
}

GitTransport *git_ssh_transport_new(const GitRemote *remote)
{
	static const GitTransportKind kind = {ssh_open, ssh_send, ssh_recv, ssh_close,
					      ssh_transport_free};
	SshTransport *self = mem_zalloc(1, sizeof(*self));
	self->base = (GitTransport){.kind = &kind, .version = 2};
	self->remote = remote;
	self->fd = -1;
	return &self->base;
}
