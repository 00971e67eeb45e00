/*
 * A GitHub App signs a short-lived token with its key, and exchanges it for one of an installation.
 * Requests one after another: which installation (when only its owner is named), which slug (when
 * somebody asks), the token; then the request that all this is for.
 */
#include "notify/github_api.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/jwt_sign.h"

enum { REPLY_MAX = 1 << 20, JWT_BACK_S = 30, JWT_LIFE_S = 120 };

char *github_api_root(const Repository *repository)
{
	return cstr_eq(repository->host, "github.com")
		       ? mem_strdup("https://api.github.com")
		       : mem_printf("%s/api/v3", repository->origin);
}

char *github_api(const Repository *repository)
{
	autofree char *root = github_api_root(repository);
	return mem_printf("%s/repos/%s/%s", root, repository->parts[0], repository->parts[1]);
}

typedef struct {
	NotifyRequest first; /* what all this is for */
	GithubLogin *login;
	TokenCache *tokens;
	char *cache_key, *base, *jwt, *owner, *installation, *slug;
} AppWork;

static void free_work(void *state)
{
	AppWork *work = state;
	notify_request_dispose(&work->first);
	if (work->jwt)
		mem_wipe(work->jwt, strlen(work->jwt));
	free(work->cache_key);
	free(work->base);
	free(work->jwt);
	free(work->owner);
	free(work->installation);
	free(work->slug);
	free(work);
}

static void add_accept(NotifyRequest *out)
{
	notify_add_header(out, "Accept", "application/vnd.github+json");
}

/* The request that all was for, with the installation's token. */
static void release(AppWork *work, const char *token, NotifyRequest *out)
{
	*out = work->first;
	work->first = (NotifyRequest){0};
	notify_add_auth(out, "Bearer", token);
	add_accept(out);
	if (work->login && work->slug) {
		autofree char *login = mem_printf("%s[bot]", work->slug);
		work->login(out->state, login);
	}
}

static bool next_step(AppWork *work, NotifyRequest *out, Error *err);

/* Hands the work on to the request that follows. */
static bool go_on(NotifyRequest *self, NotifyRequest *out_next, Error *err)
{
	out_next->state = steal(&self->state);
	out_next->free_state = self->free_state;
	return next_step(out_next->state, out_next, err);
}

static bool take_installation(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
			      Error *err)
{
	(void)status;
	AppWork *work = self->state;
	autojson json_t *list = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
	{
		const char *login = json_text_at(item, "account", "login", NULL);
		if (!login || strcasecmp(login, work->owner) != 0)
			continue;
		work->installation = mem_printf("%lld", (long long)json_int(item, "id", 0));
		return go_on(self, out_next, err);
	}
	return err_is_set(err) ? false
			       : err_set(err, ERR_INVALID,
					 "the GitHub App has no installation of '%s'", work->owner);
}

static bool take_slug(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
		      Error *err)
{
	(void)status;
	AppWork *work = self->state;
	autojson json_t *app = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	if (!app)
		return false;
	work->slug = mem_strdup(json_text_or(app, "slug", ""));
	return go_on(self, out_next, err);
}

static bool take_token(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
		       Error *err)
{
	(void)status;
	AppWork *work = self->state;
	autojson json_t *answer = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	const char *token = json_text(answer, "token");
	autocredential Credential got = {.user = mem_strdup(work->slug),
					 .secret = mem_strdup(token)};
	if (!answer)
		return false;
	if (!token || !clock_parse(json_text_or(answer, "expires_at", ""), &got.expires_ms))
		return err_set(err, ERR_INVALID, "GitHub's reply has no token");
	token_cache_put(work->tokens, work->cache_key, &got);
	release(work, token, out_next);
	return true;
}

static bool next_step(AppWork *work, NotifyRequest *out, Error *err)
{
	(void)err;
	notify_add_auth(out, "Bearer", work->jwt);
	add_accept(out);
	if (!work->installation) {
		out->method = "GET";
		out->url = mem_printf("%s/app/installations?per_page=100", work->base);
		out->then = take_installation;
	} else if (work->login && !work->slug) {
		out->method = "GET";
		out->url = mem_printf("%s/app", work->base);
		out->then = take_slug;
	} else {
		out->url = mem_printf("%s/app/installations/%s/access_tokens", work->base,
				      work->installation);
		out->then = take_token;
	}
	return true;
}

static char *app_jwt(const char *app_id, const char *private_key, Error *err)
{
	int64_t now_s = clock_wall_ms() / 1000 - JWT_BACK_S;
	autojson json_t *claims = json_pack("{s:I,s:I,s:s}", "iat", (json_int_t)now_s, "exp",
					    (json_int_t)(now_s + JWT_LIFE_S), "iss", app_id);
	return jwt_sign_rs256(private_key, NULL, claims, err);
}

static const char *key_of(const NotifyTarget *target, const char *key)
{
	const char *value = target->secret_key ? target->secret_key(target->secret, key) : NULL;
	return cstr_empty(value) ? NULL : value;
}

static bool fill_work(const NotifyTarget *target, AppWork *work, Error *err)
{
	const char *app_id = key_of(target, "githubAppID");
	const char *private_key = key_of(target, "githubAppPrivateKey");
	const char *base = key_of(target, "githubAppBaseURL");
	work->installation = mem_strdup(key_of(target, "githubAppInstallationID"));
	work->owner = mem_strdup(key_of(target, "githubAppInstallationOwner"));
	if (!app_id)
		return err_set(err, ERR_INVALID,
			       "github token or github app details must be specified");
	if (!work->installation == !work->owner)
		return err_set(err, ERR_INVALID,
			       "exactly one of githubAppInstallationID and "
			       "githubAppInstallationOwner is needed");
	if (!private_key)
		return err_set(err, ERR_INVALID, "githubAppPrivateKey is missing");
	work->base = mem_strdup(base ? base : "https://api.github.com");
	while (cstr_ends(work->base, "/"))
		work->base[strlen(work->base) - 1] = '\0';
	work->cache_key = token_cache_key((const char *const[]){
		"github-app", target->provider_uid, app_id, private_key, work->base,
		work->installation ? work->installation : work->owner, work->login ? "slug" : "",
		NULL});
	work->jwt = app_jwt(app_id, private_key, err);
	return work->jwt != NULL;
}

bool github_authorize(const NotifyTarget *target, NotifyRequest *take_first, GithubLogin *login,
		      NotifyRequest *out, Error *err)
{
	const char *token = notify_token_or_password(target);
	AppWork *work = mem_zalloc(1, sizeof(*work));
	work->first = *take_first;
	*take_first = (NotifyRequest){0};
	work->login = login;
	work->tokens = target->tokens;
	if (!cstr_empty(token)) {
		release(work, token, out);
		free_work(work);
		return true;
	}
	if (!fill_work(target, work, err)) {
		free_work(work);
		return false;
	}
	autocredential Credential kept = {0};
	if (token_cache_get(work->tokens, work->cache_key, &target->user, &kept)) {
		work->slug = steal(&kept.user);
		release(work, kept.secret, out);
		free_work(work);
		return true;
	}
	out->state = work;
	out->free_state = free_work;
	return next_step(work, out, err);
}
