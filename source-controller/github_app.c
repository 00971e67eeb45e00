/*
 * A JWT signed with the App's key (RS256, good for two minutes) is exchanged for a token of one
 * installation: docs.github.com, "Authenticating as a GitHub App installation".
 */
#include "github_app.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/json.h"
#include "net/url.h"
#include "data/jwt_sign.h"
#include "net/tokens.h"

enum { REPLY_MAX = 1 << 20, JWT_BACK_S = 30, JWT_LIFE_S = 120 };

/* One exchange. */
typedef struct {
	HttpClient *http;
	const GithubApp *app;
	char *base, *header;
} Exchange;

static void exchange_dispose(Exchange *exchange)
{
	if (exchange->header)
		mem_wipe(exchange->header, strlen(exchange->header));
	free(exchange->header);
	free(exchange->base);
}

static bool check(const GithubApp *app, Error *err)
{
	unsigned long long number;
	bool by_id = !cstr_empty(app->installation_id);
	bool by_owner = !cstr_empty(app->installation_owner);
	if (!str_to_u64(str_of(app->id), &number) || number == 0)
		return err_set(err, ERR_INVALID, "githubAppID must be a number");
	if (by_id == by_owner)
		return err_set(err, ERR_INVALID,
			       "exactly one of githubAppInstallationID and "
			       "githubAppInstallationOwner is needed");
	if (by_id && !str_to_u64(str_of(app->installation_id), &number))
		return err_set(err, ERR_INVALID, "githubAppInstallationID must be a number");
	if (cstr_empty(app->private_key))
		return err_set(err, ERR_INVALID, "githubAppPrivateKey is missing");
	return true;
}

static bool begin(Exchange *exchange, Error *err)
{
	const GithubApp *app = exchange->app;
	int64_t now_s = clock_wall_ms() / 1000 - JWT_BACK_S;
	autojson json_t *claims = json_pack("{s:I,s:I,s:s}", "iat", (json_int_t)now_s, "exp",
					    (json_int_t)(now_s + JWT_LIFE_S), "iss", app->id);
	autofree char *jwt = jwt_sign_rs256(app->private_key, NULL, claims, err);
	if (!jwt)
		return false;
	exchange->header = mem_printf("Authorization: Bearer %s", jwt);
	mem_wipe(jwt, strlen(jwt));
	exchange->base =
		mem_strdup(cstr_empty(app->base_url) ? "https://api.github.com" : app->base_url);
	while (cstr_ends(exchange->base, "/"))
		exchange->base[strlen(exchange->base) - 1] = '\0';
	return true;
}

/* One call of the API. NULL with err, whose http_status is set for an answer that is no 2xx. */
static json_t *call(const Exchange *exchange, const char *method, const char *path, Error *err)
{
	autofree char *url = mem_printf("%s%s", exchange->base, path);
	const char *const headers[] = {exchange->header, "Accept: application/vnd.github+json",
				       NULL};
	HttpRequest request = {.method = method,
			       .url = url,
			       .headers = headers,
			       .timeout_ms = exchange->app->timeout_ms,
			       .max_body = REPLY_MAX};
	autohttpresponse HttpResponse reply = {0};
	if (!httpc_do(exchange->http, &request, &reply, err))
		return err_wrap_null(err, "%s %s", method, url);
	if (reply.status >= 200 && reply.status < 300)
		return json_parse(buf_text(&reply.body), reply.body.len, REPLY_MAX, err);
	err_set(err, err_code_of_http(reply.status >= 400 ? reply.status : 400), "%s %s: HTTP %d",
		method, url, reply.status);
	err->http_status = reply.status;
	err->retry_after_ms = http_response_retry_after_ms(&reply);
	return NULL;
}

/* An owner is an organization or a user. Owned. */
static char *find_installation(const Exchange *exchange, Error *err)
{
	const GithubApp *app = exchange->app;
	if (!cstr_empty(app->installation_id))
		return mem_strdup(app->installation_id);
	autofree char *owner = url_escape(app->installation_owner, false);
	autofree char *org = mem_printf("/orgs/%s/installation", owner);
	autofree char *user = mem_printf("/users/%s/installation", owner);
	autoerror Error no_org = {0};
	autojson json_t *found = call(exchange, "GET", org, &no_org);
	if (!found && no_org.code != ERR_NOT_FOUND) {
		err_move(err, &no_org);
		return NULL;
	}
	if (!found)
		found = call(exchange, "GET", user, err);
	if (!found)
		return err_wrap_null(err, "no installation of '%s'", app->installation_owner);
	return mem_printf("%lld", (long long)json_int(found, "id", 0));
}

static char *token_key(const GithubApp *app)
{
	return token_cache_key((const char *const[]){
		"github-app", app->id, app->private_key, app->base_url ? app->base_url : "",
		app->installation_id ? app->installation_id : "",
		app->installation_owner ? app->installation_owner : "", NULL});
}

static bool fetch(void *arg, Credential *out, Error *err)
{
	Exchange *exchange = arg;
	if (!begin(exchange, err))
		return false;
	autofree char *installation = find_installation(exchange, err);
	if (!installation)
		return false;
	autofree char *path = mem_printf("/app/installations/%s/access_tokens", installation);
	autojson json_t *reply = call(exchange, "POST", path, err);
	if (!reply)
		return false;
	const char *token = json_text(reply, "token");
	if (cstr_empty(token) ||
	    !clock_parse(json_text_or(reply, "expires_at", ""), &out->expires_ms))
		return err_set(err, ERR_INVALID, "GitHub's reply has no token");
	out->secret = mem_strdup(token);
	return true;
}

char *github_app_token(TokenCache *tokens, const TokenUser *user, HttpClient *http,
		       const GithubApp *app, Error *err)
{
	if (!check(app, err))
		return NULL;
	autofree char *key = token_key(app);
	__attribute__((cleanup(exchange_dispose))) Exchange exchange = {.http = http, .app = app};
	autocredential Credential got = {0};
	if (!token_cache_fetch(tokens, key, user, fetch, &exchange, &got, err))
		return NULL;
	return steal(&got.secret);
}
