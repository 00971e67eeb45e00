/* What a Provider's Secrets say: address, credentials, TLS, proxy (notification.md 5). */
#include "material.h"

#include <string.h>

#include "base/mem.h"
#include "data/yaml.h"
#include "internal.h"
#include "net/url.h"

enum { ADDRESS_MAX = 2048, HEADERS_MAX = 64 << 10 };

void material_dispose(Material *material)
{
	secret_free(material->secret);
	secret_free(material->cert);
	secret_free(material->proxy);
	json_decref(material->headers);
	free(material->address);
	free(material->proxy_address);
}

static bool load(KubeClient *client, const json_t *provider, const char *reference, Secret **out,
		 Error *err)
{
	const char *name = json_text_at(provider, "spec", reference, "name", NULL);
	if (!name)
		return true;
	const char *ns = object_namespace(provider);
	autojson json_t *object = kube_do(client,
					  &(KubeRequest){.verb = KUBE_GET,
							 .api_version = "v1",
							 .kind = "Secret",
							 .ns = ns,
							 .name = name,
							 .timeout_ms = EVENT_READ_MS},
					  err);
	*out = object ? secret_of_object(object, err) : NULL;
	return *out ? true : err_wrap(err, "failed to read %s '%s/%s'", reference, ns, name);
}

static bool read_address(const json_t *provider, Material *material, Error *err)
{
	const char *own = secret_text(material->secret, "address");
	if (own && strlen(own) > ADDRESS_MAX)
		return err_set(err, ERR_INVALID, "the secret's 'address' is longer than %d bytes",
			       ADDRESS_MAX);
	Str address =
		str_trim(str_of(own ? own : json_text(json_map(provider, "spec"), "address")));
	material->address = address.len ? str_dup(address) : NULL;
	return true;
}

/* A header's value: YAML's numbers and booleans are their text, as where Go reads them. NULL for
 * what has no text. Owned. */
static json_t *header_value(const json_t *value)
{
	if (json_is_object(value) || json_is_array(value))
		return NULL;
	if (json_is_string(value))
		return json_string(json_string_value(value));
	if (json_is_null(value))
		return json_string("");
	autofree char *text = json_dump(value);
	return json_string(text);
}

static bool read_headers(Material *material, Error *err)
{
	const char *text = secret_text(material->secret, "headers");
	if (!text)
		return true;
	/* The parser's own text would quote the input, which is secret. */
	autoerror Error hidden = {0};
	autojson json_t *map = yaml_parse(text, strlen(text), HEADERS_MAX, "headers", &hidden);
	bool good = map && (json_is_object(map) || json_is_null(map));
	const char *name;
	json_t *value;
	material->headers = json_object();
	json_object_foreach(map, name, value)
	{
		json_t *converted = header_value(value);
		good = good && converted && *name && !strpbrk(name, ": \t\r\n");
		if (converted)
			json_object_set_new(material->headers, name, converted);
	}
	return good ||
	       err_set(err, ERR_INVALID, "the secret's 'headers' is not a YAML map of strings");
}

/* [Q] One of the pair alone makes all of the Secret's credentials void (N36). */
static void read_credentials(Material *material)
{
	const char *username = secret_text(material->secret, "username");
	const char *password = secret_text(material->secret, "password");
	material->half_pair = !username != !password;
	if (material->half_pair)
		return;
	material->token = secret_text(material->secret, "token");
	material->username = username;
	material->password = password;
}

static bool check_proxy(const char *address, Error *err)
{
	static const char *const schemes[] = {"http", "https", "socks5"};
	autourl Url url = {0};
	if (strlen(address) > ADDRESS_MAX)
		return err_set(err, ERR_INVALID, "the proxy address is longer than %d bytes",
			       ADDRESS_MAX);
	if (!url_parse(address, &url, err))
		return err_wrap(err, "proxy address");
	for (size_t i = 0; i < COUNT(schemes); i++)
		if (cstr_eq(url.scheme, schemes[i]))
			return true;
	return err_set(err, ERR_INVALID, "the proxy address must start with http, https or socks5");
}

/* N32: proxySecretRef, then the Secret's `proxy`, then spec.proxy. */
static bool read_proxy(const json_t *provider, Material *material, Error *err)
{
	const char *proxy = json_text(json_map(provider, "spec"), "proxy");
	if (secret_text(material->secret, "proxy"))
		proxy = secret_text(material->secret, "proxy");
	if (material->proxy) {
		proxy = secret_text(material->proxy, "address");
		material->client.proxy_user = secret_text(material->proxy, "username");
		material->client.proxy_password = secret_text(material->proxy, "password");
		if (cstr_empty(proxy))
			return err_set(err, ERR_INVALID, "the proxy secret lacks 'address'");
	}
	Str trimmed = str_trim(str_of(proxy));
	if (!trimmed.len)
		return true;
	material->proxy_address = str_dup(trimmed);
	material->client.proxy = material->proxy_address;
	return check_proxy(material->proxy_address, err);
}

/* Whether a Secret that is not for certificates alone has usable ones; half a pair is none. */
static bool has_tls(const Secret *secret)
{
	bool cert = secret_first(secret, "tls.crt", "certFile", NULL) != NULL;
	bool key = secret_first(secret, "tls.key", "keyFile", NULL) != NULL;
	return cert == key && (cert || secret_first(secret, "ca.crt", "caFile", NULL));
}

/* Commit status types alone take TLS from secretRef when there is no certSecretRef. */
static bool read_tls(Material *material, bool commit_status, Error *err)
{
	const Secret *from = material->cert;
	if (!from && commit_status && has_tls(material->secret))
		from = material->secret;
	if (!from)
		return true;
	HttpClientConfig *client = &material->client;
	client->ca_pem = secret_first(from, "ca.crt", "caFile", NULL);
	client->cert_pem = secret_first(from, "tls.crt", "certFile", NULL);
	client->key_pem = secret_first(from, "tls.key", "keyFile", NULL);
	if (!client->cert_pem != !client->key_pem)
		return err_set(err, ERR_INVALID,
			       "certSecretRef has only one of 'tls.crt' and 'tls.key'");
	if (!client->ca_pem && !client->cert_pem)
		return err_set(err, ERR_INVALID, "certSecretRef has no certificates");
	return true;
}

bool material_load(KubeClient *client, const json_t *provider, unsigned traits, Material *out,
		   Error *err)
{
	return load(client, provider, "secretRef", &out->secret, err) &&
	       load(client, provider, "certSecretRef", &out->cert, err) &&
	       load(client, provider, "proxySecretRef", &out->proxy, err) &&
	       material_read(provider, traits, out, err);
}

bool material_read(const json_t *provider, unsigned traits, Material *out, Error *err)
{
	bool commit_status = traits & NOTIFY_COMMIT_STATUS;
	if (!read_address(provider, out, err) || !read_headers(out, err) ||
	    !read_proxy(provider, out, err) || !read_tls(out, commit_status, err))
		return false;
	read_credentials(out);
	if (out->half_pair && commit_status)
		return err_set(err, ERR_INVALID,
			       "the secret has only one of 'username' and 'password'");
	out->own_client = out->client.proxy || out->client.ca_pem || out->client.cert_pem;
	out->client.env_proxy = !out->client.proxy;
	return true;
}

/* What tells one client from another: all that it is made of. */
static void add_part(Digest *digest, const char *text)
{
	digest_update(digest, text ? "1" : "0", 1);
	digest_update(digest, text ? text : "", text ? strlen(text) + 1 : 0);
}

char *material_lane(const Material *material, const json_t *provider)
{
	const HttpClientConfig *client = &material->client;
	const char *const parts[] = {client->proxy,  client->proxy_user, client->proxy_password,
				     client->ca_pem, client->cert_pem,	 client->key_pem};
	autodigest Digest *digest = digest_new(DIGEST_SHA256);
	for (size_t i = 0; i < COUNT(parts); i++)
		add_part(digest, parts[i]);
	char text[DIGEST_TEXT_SIZE];
	digest_final(digest, text);
	return mem_printf("%s/%s %s", object_namespace(provider), object_name(provider), text);
}
