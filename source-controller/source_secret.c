/* Secrets that the kinds refer to: proxies and TLS, to what an HTTP client wants. */
#include <string.h>

#include "internal.h"
#include "net/url.h"

bool source_secret(Run *run, const char *name, const char *what, Secret **out, Error *err)
{
	if (cstr_empty(name))
		return true;
	*out = secret_get(run_client(run), run_namespace(run), name, err);
	return *out ? true
		    : err_wrap(err, "failed to get %s '%s/%s'", what, run_namespace(run), name);
}

bool source_use_proxy(const Secret *proxy, HttpClientConfig *config, Error *err)
{
	enum { ADDRESS_MAX = 2048 };
	if (!proxy)
		return true;
	const char *address = secret_text(proxy, "address");
	if (cstr_empty(address))
		return err_set(err, ERR_INVALID, "the proxy secret lacks 'address'");
	if (strlen(address) > ADDRESS_MAX)
		return err_set(err, ERR_INVALID, "the proxy address is longer than %d bytes",
			       ADDRESS_MAX);
	autourl Url url = {0};
	if (!url_parse(address, &url, err))
		return err_wrap(err, "proxy address");
	if (!cstr_eq(url.scheme, "http") && !cstr_eq(url.scheme, "https") &&
	    !cstr_eq(url.scheme, "socks5"))
		return err_set(err, ERR_INVALID,
			       "the proxy address must start with http, https or socks5");
	config->proxy = address;
	config->proxy_user = secret_text(proxy, "username");
	config->proxy_password = secret_text(proxy, "password");
	return true;
}

bool source_use_tls(const Secret *tls, HttpClientConfig *config, Error *err)
{
	if (!tls)
		return true;
	config->ca_pem = secret_first(tls, "ca.crt", "caFile", NULL);
	config->add_system_roots = true;
	config->cert_pem = secret_first(tls, "tls.crt", "certFile", NULL);
	config->key_pem = secret_first(tls, "tls.key", "keyFile", NULL);
	if (!config->cert_pem != !config->key_pem)
		return err_set(err, ERR_INVALID,
			       "the secret has only one of 'tls.crt' and 'tls.key'");
	if (!config->ca_pem && !config->cert_pem)
		return err_set(err, ERR_INVALID,
			       "the secret must have 'ca.crt' or both 'tls.crt' and 'tls.key'");
	return true;
}
