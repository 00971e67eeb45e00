/*
 * A remote: which credentials go with which scheme (source.md 3, S29, S31, S34), and the two
 * operations with their deadline. Texts that leave this file name the URL without userinfo.
 */
#include "git/remote_internal.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/http_pipe.h"
#include "git/session.h"
#include "git/ssh_program.h"
#include "net/address.h"

enum { DEFAULT_TIMEOUT_MS = 60 * 1000, SSH_PORT = 22 };

/* --- configuration --- */

static bool refuse(Error *err, const char *text)
{
	err_set(err, ERR_INVALID, "%s", text);
	return err_reason(err, "AuthenticationFailed");
}

static const char *first_of(const char *a, const char *b)
{
	return cstr_empty(a) ? b : a;
}

/* Userinfo of the URL fills in what the secret lacks; the bearer token wins over both of the
 * secret's, but not silently over the URL's (source.md 3). */
static bool set_http_login(GitRemote *remote, const GitRemoteConfig *config, Error *err)
{
	const char *username = first_of(config->username, remote->url.user);
	const char *password = first_of(config->password, remote->url.password);
	if (!cstr_empty(config->bearer_token)) {
		if (!cstr_empty(remote->url.user) || !cstr_empty(remote->url.password))
			return refuse(err, "a bearer token and a user in the URL");
		remote->bearer_header =
			mem_printf("Authorization: Bearer %s", config->bearer_token);
		return true;
	}
	if (cstr_empty(username) && !cstr_empty(password))
		return refuse(err, "a password needs a username");
	if (!cstr_empty(username)) {
		remote->username = mem_strdup(username);
		remote->password = mem_strdup(password ? password : "");
	}
	return true;
}

static bool configure_http(GitRemote *remote, Loop *loop, const GitRemoteConfig *config, Error *err)
{
	if (!set_http_login(remote, config, err))
		return false;
	HttpClientConfig client = {.ca_pem = cstr_empty(config->ca_pem) ? NULL : config->ca_pem,
				   .add_system_roots = true,
				   .cert_pem =
					   cstr_empty(config->cert_pem) ? NULL : config->cert_pem,
				   .key_pem = cstr_empty(config->key_pem) ? NULL : config->key_pem,
				   .proxy = remote->proxy,
				   .proxy_user = remote->proxy_user,
				   .proxy_password = remote->proxy_password,
				   .env_proxy = true};
	remote->http = httpc_new(loop, &client, err);
	return remote->http != NULL;
}

/* For HTTP httpc says so. The stream of SSH is a socket's, which TLS to a proxy does not leave. */
static bool check_proxy_of_ssh(const char *proxy, Error *err)
{
	static const char *const schemes[] = {"http://", "socks5://"};
	static const char tls[] = "https://";
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (strncasecmp(proxy, schemes[i], strlen(schemes[i])) == 0)
			return true;
	if (strncasecmp(proxy, tls, strlen(tls)) == 0)
		return refuse(err, "proxy: ssh goes through http and socks5 proxies, not https");
	return refuse(err, "proxy: the URL's scheme is not http, https or socks5");
}

/* An authority counts unless the flags exclude certificates. A host whose key is known, too, is
 * reached without the program where there is none. */
static bool wants_program(const GitRemote *remote)
{
	const Url *url = &remote->url;
	int port = url->port ? url->port : SSH_PORT;
	const char *flag = remote->hostkey_algos;
	return known_hosts_has_authority(remote->hosts, url->host, port) &&
	       (cstr_empty(flag) || strstr(flag, "-cert-v01@openssh.com")) &&
	       (ssh_program_exists() || !known_hosts_has_key(remote->hosts, url->host, port));
}

static bool configure_ssh(GitRemote *remote, const GitRemoteConfig *config, Error *err)
{
	if (cstr_empty(config->ssh_identity))
		return refuse(err, "ssh needs an identity");
	if (cstr_empty(config->ssh_known_hosts))
		return refuse(err, "ssh needs known_hosts");
	if (remote->proxy && !check_proxy_of_ssh(remote->proxy, err))
		return false;
	remote->username = mem_strdup(first_of(remote->url.user, "git"));
	remote->kex_algos = mem_strdup(config->ssh_kex_algos);
	remote->hostkey_algos = mem_strdup(config->ssh_hostkey_algos);
	remote->hosts = known_hosts_parse(config->ssh_known_hosts, err);
	if (!remote->hosts)
		return false;
	remote->identity = git_ssh_key_parse(config->ssh_identity, config->ssh_passphrase, err);
	remote->by_program = wants_program(remote);
	if (remote->by_program) {
		remote->identity_text = git_ssh_key_text(config->ssh_identity);
		remote->passphrase = mem_strdup(config->ssh_passphrase);
	}
	return remote->identity != NULL;
}

static void wipe(char **text)
{
	if (*text)
		mem_wipe(*text, strlen(*text));
	free(steal(text));
}

static bool configure(GitRemote *remote, Loop *loop, const GitRemoteConfig *config, Error *err)
{
	if (!url_parse(config->url, &remote->url, err))
		return false;
	remote->named_by = mem_strdup(config->named_by);
	remote->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : DEFAULT_TIMEOUT_MS;
	remote->is_cancelled = config->is_cancelled;
	remote->cancel_arg = config->cancel_arg;
	if (!cstr_empty(config->proxy)) {
		remote->proxy = mem_strdup(config->proxy);
		remote->proxy_user = mem_strdup(config->proxy_user);
		remote->proxy_password = mem_strdup(config->proxy_password);
	}
	const char *scheme = remote->url.scheme;
	bool is_http = cstr_eq(scheme, "http") || cstr_eq(scheme, "https");
	remote->is_ssh = cstr_eq(scheme, "ssh");
	if (!is_http && !remote->is_ssh)
		return err_set(err, ERR_INVALID, "the scheme of a Git URL is http, https or ssh");
	bool ok = is_http ? configure_http(remote, loop, config, err)
			  : configure_ssh(remote, config, err);
	free(steal(&remote->url.user));
	wipe(&remote->url.password);
	return ok;
}

GitRemote *git_remote_new(Loop *loop, const GitRemoteConfig *config, Error *err)
{
	autogitremote GitRemote *remote = mem_zalloc(1, sizeof(*remote));
	if (!configure(remote, loop, config, err))
		return NULL;
	return steal(&remote);
}

void git_remote_free(GitRemote *remote)
{
	if (!remote)
		return;
	httpc_free(remote->http);
	known_hosts_free(remote->hosts);
	ssh_key_free(remote->identity);
	git_caps_dispose(&remote->known);
	url_dispose(&remote->url);
	url_dispose(&remote->base);
	char **const texts[] = {&remote->username,	 &remote->password,
				&remote->proxy,		 &remote->proxy_user,
				&remote->proxy_password, &remote->bearer_header,
				&remote->kex_algos,	 &remote->hostkey_algos,
				&remote->identity_text,	 &remote->passphrase};
	for (size_t i = 0; i < COUNT(texts); i++)
		wipe(texts[i]);
	free(remote->named_by);
	free(remote);
}

bool git_remote_is_guarded(const GitRemote *remote, const char *to)
{
	return address_is_elsewhere(remote->url.host, to) ||
	       (remote->named_by && address_is_elsewhere(remote->named_by, to));
}

/* --- operations --- */

int64_t git_time_left_ms(const GitTransport *transport)
{
	int64_t left_ms = transport->deadline_ms - clock_mono_ms();
	return left_ms > 0 ? left_ms : 0;
}

int git_wait_ms(const GitTransport *transport)
{
	int64_t left_ms = git_time_left_ms(transport);
	return (int)(left_ms < HTTP_PIPE_LOOK_MS ? left_ms : HTTP_PIPE_LOOK_MS);
}

bool git_goes_on(const GitTransport *transport, Error *err)
{
	if (transport->is_cancelled && transport->is_cancelled(transport->cancel_arg))
		return err_set(err, ERR_CANCELLED, "the daemon stops");
	return true;
}

static GitTransport *begin(GitRemote *remote)
{
	GitTransport *transport = remote->by_program ? git_ssh_program_new(remote)
				  : remote->is_ssh   ? git_ssh_transport_new(remote)
						     : git_http_transport_new(remote);
	transport->deadline_ms = clock_mono_ms() + remote->timeout_ms;
	transport->is_cancelled = remote->is_cancelled;
	transport->cancel_arg = remote->cancel_arg;
	return transport;
}

/* A server's own words may hold what we sent it. */
static void hide_secrets(const GitRemote *remote, Error *err)
{
	const char *bearer = remote->bearer_header ? strrchr(remote->bearer_header, ' ') : NULL;
	http_hide_login(err, remote->username, remote->password);
	http_hide_login(err, remote->proxy_user, remote->proxy_password);
	err_hide(err, bearer ? bearer + 1 : NULL);
}

/* What a server said once may no longer hold after a failure. */
static bool fail(GitRemote *remote, const char *what, Error *err)
{
	autofree char *shown = url_text(&remote->url, true);
	git_caps_dispose(&remote->known);
	hide_secrets(remote, err);
	return err_wrap(err, "%s %s", what, shown);
}

bool git_remote_list(GitRemote *remote, const char *const *prefixes, GitRefs *out, Error *err)
{
	autogittransport GitTransport *transport = begin(remote);
	return git_session_list(transport, &remote->known, prefixes, out, err) ||
	       fail(remote, "list references of", err);
}

bool git_remote_fetch(GitRemote *remote, GitStore *store, const GitFetch *fetch,
		      uint64_t *out_bytes, Error *err)
{
	autogittransport GitTransport *transport = begin(remote);
	return git_session_fetch(transport, &remote->known, store, fetch, out_bytes, err) ||
	       fail(remote, "fetch", err);
}
