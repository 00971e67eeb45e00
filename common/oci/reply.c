/* Replies that were not wanted, as errors; and where a reply may lead. */
#include <string.h>

#include "base/mem.h"
#include "data/json.h"
#include "net/address.h"
#include "net/url.h"
#include "oci/reference.h"
#include "oci/registry_internal.h"

enum { MAX_ERRORS = 5, MAX_SHOWN = 500, DEFAULT_RETRY_MS = 5000 };

/* --- errors --- */

static void hide_secrets(const Registry *registry, Error *err)
{
	const RegistryAuth *auth = &registry->auth;
	http_hide_login(err, auth->username, auth->password);
	http_hide_login(err, registry->proxy_user, registry->proxy_password);
	const char *const tokens[] = {auth->identity_token, auth->registry_token, registry->token};
	for (size_t i = 0; i < COUNT(tokens); i++)
		err_hide(err, tokens[i]);
}

/* What stands in an error body may go into a condition: one line of visible text, without what we
 * sent. It is cut last, so that no beginning of a secret is left. */
static void add_shown(Buf *out, const Registry *registry, const char *body)
{
	autoerror Error said = {0};
	err_set(&said, ERR_INVALID, "%s", body);
	hide_secrets(registry, &said);
	size_t start = out->len;
	for (const char *text = err_text(&said); *text && out->len - start < MAX_SHOWN; text++)
		buf_putc(out, (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
}

/* {"errors": [{"code", "message"}]} (distribution-spec, "Error Codes"); false when it is not. */
static bool add_errors(Buf *out, const Registry *registry, const HttpResponse *reply)
{
	autoerror Error ignored = {0};
	if (reply->body.len == 0)
		return false;
	autojson json_t *root =
		json_parse(reply->body.ptr, reply->body.len, REGISTRY_MAX_ERROR_BODY, &ignored);
	const json_t *errors = root ? json_list(root, "errors") : NULL;
	size_t count = json_array_size(errors);
	if (count > 1)
		buf_puts(out, "multiple errors returned: ");
	for (size_t i = 0; i < count && i < MAX_ERRORS; i++) {
		const json_t *item = json_array_get(errors, i);
		buf_puts(out, i ? "; " : "");
		add_shown(out, registry, json_text_or(item, "code", "UNKNOWN"));
		buf_puts(out, ": ");
		add_shown(out, registry, json_text_or(item, "message", ""));
	}
	return count > 0;
}

/* What the one who is to mend it would ask next; of other hosts than the registry's own (where
 * redirects led, who gives tokens) only what wants a login. */
static void explain_refusal(const Registry *registry, const char *url, Error *err)
{
	enum { UNAUTHORIZED = 401, FORBIDDEN = 403 };
	autofree char *own =
		mem_printf("%s://%s", cstr_starts(url, "http:") ? "http" : "https", registry->host);
	bool is_empty = registry_auth_is_empty(&registry->auth);
	if (err->http_status == FORBIDDEN && (!is_empty || !url_same_origin(own, url)))
		return;
	if (err->http_status != UNAUTHORIZED && err->http_status != FORBIDDEN)
		return;
	const char *why = registry->no_login ? registry->no_login : "no login was given";
	err_add(err, " (%s)", is_empty ? why : "the login was not accepted");
}

bool registry_reply_fail(const Registry *registry, const char *method, const char *url,
			 const HttpResponse *reply, Error *err)
{
	autobuf Buf text = {0};
	int status = reply->status;
	if (!add_errors(&text, registry, reply)) {
		buf_printf(&text, "unexpected status code %d %s", status, http_status_text(status));
		if (cstr_eq(method, "HEAD"))
			buf_puts(&text, " (HEAD responses have no body, use GET for details)");
		else if (reply->body.len)
			buf_puts(&text, ": ");
		add_shown(&text, registry, buf_text(&reply->body));
	}
	autofree char *shown = url_redacted(url);
	ErrorCode code = status < 400 ? ERR_INVALID : err_code_of_http(status);
	err_set(err, code, "%s %s: %s", method, shown, buf_text(&text));
	err->http_status = status;
	explain_refusal(registry, url, err);
	err->retry_after_ms = http_response_retry_after_ms(reply);
	if (status == 429) {
		err->code = ERR_TOO_MANY;
		err->not_yet = true;
		if (!err->retry_after_ms)
			err->retry_after_ms = DEFAULT_RETRY_MS;
	}
	return false;
}

/* --- where to --- */

bool http_status_redirects(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool registry_is_inside(const Registry *registry)
{
	autoerror Error ignored = {0};
	autourl Url url = {0};
	autofree char *text = mem_printf("https://%s", registry->host);
	return url_parse(text, &url, &ignored) &&
	       address_kind_of_host(url.host) == ADDRESS_INTERNAL;
}

bool url_check_follow(const Registry *registry, const char *from, const char *to, Error *err)
{
	autourl Url before = {0}, after = {0};
	autofree char *shown = url_redacted(to);
	if (!url_parse(from, &before, err) || !url_parse(to, &after, err))
		return false;
	if (!cstr_eq(after.scheme, "https") &&
	    !(cstr_eq(after.scheme, "http") && cstr_eq(before.scheme, "http")))
		return err_set(err, ERR_FORBIDDEN, "redirect from %s to %s refused", before.scheme,
			       shown);
	if (address_kind_of_host(after.host) == ADDRESS_INTERNAL && !registry_is_inside(registry))
		return err_set(err, ERR_FORBIDDEN, "redirect to an internal address refused: %s",
			       shown);
	return true;
}

bool url_check_realm(const Registry *registry, const char *scheme, const char *realm, Error *err)
{
	autourl Url url = {0};
	autofree char *shown = url_redacted(realm);
	autofree char *own = mem_printf("%s://%s", scheme, registry->host);
	if (!url_parse(realm, &url, err))
		return err_wrap(err, "invalid realm in www-authenticate");
	if (!cstr_eq(url.scheme, "https") &&
	    !(cstr_eq(url.scheme, "http") && cstr_eq(scheme, "http")))
		return err_set(err, ERR_FORBIDDEN,
			       "invalid realm in www-authenticate: scheme of %s not allowed",
			       shown);
	bool named = strcasecmp(url.host, "localhost") == 0;
	if (!url_same_origin(own, realm) && address_kind_of_host(url.host) != ADDRESS_PUBLIC &&
	    !(named && oci_host_is_local(registry->host)))
		return err_set(err, ERR_FORBIDDEN,
			       "invalid realm in www-authenticate: %s is a private or link-local "
			       "address",
			       shown);
	return true;
}

char *registry_next_page(const Registry *registry, const char *url, const HttpResponse *reply,
			 Error *err)
{
	autofree char *link = http_response_header(reply, "link");
	Str target, rest;
	if (!link)
		return NULL;
	if (link[0] != '<' || !str_cut(str_of(link + 1), '>', &target, &rest))
		return err_null(err, ERR_INVALID, "failed to parse link header of %s",
				registry->host);
	autofree char *text = str_dup(target);
	autofree char *next = url_resolve(url, text, err);
	if (!next)
		return err_wrap_null(err, "failed to parse link header of %s", registry->host);
	if (!url_same_origin(url, next) || cstr_eq(url, next))
		return err_null(err, ERR_FORBIDDEN, "the next page is not at %s", registry->host);
	return steal(&next);
}
