/* Secrets by reference, certificates and proxies in them. Messages name the Secret and the key,
 * never a value. */
#include "secret_refs.h"

#include <string.h>

#include "net/url.h"

void tls_secret_dispose(TlsSecret *tls)
{
	secret_free(tls->secret);
	*tls = (TlsSecret){0};
}

void proxy_secret_dispose(ProxySecret *proxy)
{
	secret_free(proxy->secret);
	*proxy = (ProxySecret){0};
}

Secret *secret_ref_get(Run *run, const char *name, Error *err)
{
	Secret *secret = secret_get(run_client(run), run_namespace(run), name, err);
	if (secret)
		return secret;
	if (err->code != ERR_NOT_FOUND)
		return err_wrap_null(err, "failed to get secret '%s/%s'", run_namespace(run), name);
	error_dispose(err);
	return err_null(err, ERR_NOT_FOUND, "secret '%s/%s' not found", run_namespace(run), name);
}

bool secret_ref_load(Run *run, const char *name, const char *what, Secret **out, Error *err)
{
	if (cstr_empty(name))
		return true;
	*out = secret_get(run_client(run), run_namespace(run), name, err);
	return *out ? true
		    : err_wrap(err, "failed to get %s '%s/%s'", what, run_namespace(run), name);
}

/* --- certificates --- */

/* A value under its name or its older one, which is told of. */
static const char *value(Run *run, const char *name, const Secret *secret, const char *key,
			 const char *older)
{
	const char *text = secret_text(secret, key);
	if (!text && (text = secret_text(secret, older)))
		log_info(run_log(run), "using legacy key in secret data", "secret", name, "key",
			 older, "preferred", key, NULL);
	return cstr_empty(text) ? NULL : text;
}

bool tls_secret_read(Run *run, const char *name, const Secret *secret, TlsSecret *out, Error *err)
{
	if (!secret)
		return true;
	const TlsSecret tls = {.cert_pem = value(run, name, secret, "tls.crt", "certFile"),
			       .key_pem = value(run, name, secret, "tls.key", "keyFile"),
			       .ca_pem = value(run, name, secret, "ca.crt", "caFile")};
	if (!tls.cert_pem != !tls.key_pem)
		return err_set(err, ERR_INVALID, "secret '%s/%s' contains '%s' but missing '%s'",
			       run_namespace(run), name, tls.cert_pem ? "tls.crt" : "tls.key",
			       tls.cert_pem ? "tls.key" : "tls.crt");
	*out = tls;
	return true;
}

bool tls_secret_get(Run *run, const char *name, TlsSecret *out, Error *err)
{
	if (cstr_empty(name))
		return true;
	autosecret Secret *secret = secret_ref_get(run, name, err);
	TlsSecret tls = {0};
	if (!secret || !tls_secret_read(run, name, secret, &tls, err))
		return false;
	if (!tls.cert_pem && !tls.ca_pem)
		return err_set(err, ERR_INVALID,
			       "secret '%s/%s' must contain either 'ca.crt' or both 'tls.crt' and "
			       "'tls.key'",
			       run_namespace(run), name);
	tls.secret = steal(&secret);
	*out = tls;
	return true;
}

void tls_secret_use(const TlsSecret *tls, HttpClientConfig *config)
{
	config->ca_pem = tls->ca_pem;
	config->add_system_roots = true;
	config->cert_pem = tls->cert_pem;
	config->key_pem = tls->key_pem;
}

/* --- proxies --- */

static bool check_address(const char *address, Error *err)
{
	enum { ADDRESS_MAX = 2048 };
	if (strlen(address) > ADDRESS_MAX)
		return err_set(err, ERR_INVALID,
			       "proxy URL exceeds maximum length of %d characters", ADDRESS_MAX);
	autourl Url url = {0};
	if (!url_parse(address, &url, err))
		return err_wrap(err, "failed to parse proxy address");
	if (cstr_eq(url.scheme, "http") || cstr_eq(url.scheme, "https") ||
	    cstr_eq(url.scheme, "socks5"))
		return true;
	return err_set(err, ERR_INVALID,
		       "proxy URL must use one of the supported schemes (http, https, socks5), got "
		       "'%s'",
		       url.scheme);
}

bool proxy_secret_get(Run *run, const char *name, ProxySecret *out, Error *err)
{
	if (cstr_empty(name))
		return true;
	autoproxysecret ProxySecret proxy = {.secret = secret_ref_get(run, name, err)};
	if (!proxy.secret)
		return false;
	const char *ns = run_namespace(run);
	proxy.address = secret_text(proxy.secret, "address");
	if (!proxy.address)
		return err_set(err, ERR_INVALID, "secret '%s/%s': key 'address' not found", ns,
			       name);
	if (!proxy.address[0])
		return err_set(err, ERR_INVALID, "secret '%s/%s': proxy address is empty", ns,
			       name);
	if (!check_address(proxy.address, err))
		return err_wrap(err, "secret '%s/%s'", ns, name);
	proxy.username = secret_text(proxy.secret, "username");
	proxy.password = secret_text(proxy.secret, "password");
	*out = proxy;
	proxy = (ProxySecret){0};
	return true;
}

void proxy_secret_use(const ProxySecret *proxy, HttpClientConfig *config)
{
	config->proxy = proxy->address;
	config->proxy_user = proxy->username;
	config->proxy_password = proxy->password;
	config->env_proxy = !proxy->address;
}
