/*
 * https or http: asked once of hosts that may be asked by http at all (source.md 4), both at the
 * same time, for a peer that does not know TLS may just wait for more. Whoever answers https gets
 * https. One that answers with a wrong certificate does speak it: that is an error, no reason to go
 * on in the clear.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "oci/registry_internal.h"

enum { HTTPS, HTTP, SCHEMES, PROBE_TIMEOUT_MS = 3000, PROBE_MAX_BODY = 64 * 1024 };

typedef struct {
	HttpResponse replies[SCHEMES];
	Error errors[SCHEMES];
} Probe;

static void probe_dispose(Probe *probe)
{
	for (size_t i = 0; i < SCHEMES; i++) {
		http_response_dispose(&probe->replies[i]);
		error_dispose(&probe->errors[i]);
	}
}

static void ask_both(Registry *registry, Probe *probe)
{
	autofree char *https = mem_printf("https://%s/v2/", registry->host);
	autofree char *http = mem_printf("http://%s/v2/", registry->host);
	int64_t left_ms = registry->deadline_ms - clock_mono_ms();
	HttpRequest requests[SCHEMES] = {{.url = https}, {.url = http}};
	for (size_t i = 0; i < SCHEMES; i++) {
		requests[i].no_internal = registry->is_guarded;
		requests[i].max_body = PROBE_MAX_BODY;
		requests[i].timeout_ms = left_ms < 1		      ? 1
					 : left_ms < PROBE_TIMEOUT_MS ? left_ms
								      : PROBE_TIMEOUT_MS;
	}
	atomic_fetch_add(&registry->hub->requests, SCHEMES);
	httpc_do_all(registry->identity->http, requests, probe->replies, probe->errors, SCHEMES);
}

/* A registry answers "/v2/" so, or sends to where it does; a TLS port says 400 to plain http. */
static bool is_registry(const HttpResponse *reply)
{
	int status = reply->status;
	return (status >= 200 && status < 400) || status == 401 || status == 403 || status == 404 ||
	       status == 429;
}

static bool leads_to_https(const HttpResponse *reply)
{
	autofree char *location = http_response_header(reply, "location");
	return http_status_redirects(reply->status) &&
	       cstr_starts(location ? location : "", "https:");
}

const char *registry_scheme(Registry *registry, Error *err)
{
	autochallenge Challenge unused = {0};
	const char *known =
		hub_host_facts(registry->hub, registry->identity, registry->host, &unused);
	if (known || !registry->may_http)
		return known ? known : "https";
	__attribute__((cleanup(probe_dispose))) Probe probe = {0};
	ask_both(registry, &probe);
	const char *scheme = NULL;
	if (probe.replies[HTTPS].status || leads_to_https(&probe.replies[HTTP]))
		scheme = "https";
	else if (probe.errors[HTTPS].code != ERR_UNAUTHORIZED && is_registry(&probe.replies[HTTP]))
		scheme = "http";
	if (!scheme) {
		err_move(err, &probe.errors[HTTPS]);
		if (err_is_set(&probe.errors[HTTP]) && err->code != ERR_UNAUTHORIZED)
			err_wrap(err, "%s", err_text(&probe.errors[HTTP]));
		return NULL;
	}
	hub_host_set_scheme(registry->hub, registry->identity, registry->host, scheme);
	return scheme;
}
