/*
 * Google Cloud Pub/Sub over REST: the event published to a topic (N55). Access comes from a service
 * account's key, which signs an assertion (RFC 7523) that is exchanged for a token, or from the
 * metadata server of the machine that the pod runs on.
 */
#include "notify/notify_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "net/url.h"
#include "data/jwt_sign.h"

enum { REPLY_MAX = 1 << 20, KEY_MAX = 64 << 10, ASSERTION_S = 3600 };

static const char scope[] = "https://www.googleapis.com/auth/pubsub";

typedef struct {
	NotifyRequest publish;
	TokenCache *tokens;
	char *cache_key;
} Work;

static void free_work(void *state)
{
	Work *work = state;
	notify_request_dispose(&work->publish);
	free(work->cache_key);
	free(work);
}

static json_t *attributes_of(const NotifyTarget *target)
{
	json_t *attributes = json_object();
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(target->headers), key, value)
	{
		if (json_is_string(value))
			json_object_set(attributes, key, value);
	}
	return attributes;
}

/* The emulator's address is what Google's own clients look for too. */
static bool build_publish(const NotifyTarget *target, const json_t *event, const char *emulator,
			  NotifyRequest *out, Error *err)
{
	autofree char *text = json_dump_go(event);
	autofree char *data = base64_encode(text, strlen(text));
	autofree char *project = url_escape(target->address, false);
	autofree char *topic = url_escape(target->channel, false);
	autojson json_t *attributes = attributes_of(target);
	autojson json_t *message = json_pack("{s:s}", "data", data);
	if (json_object_size(attributes))
		json_object_set(message, "attributes", attributes);
	autojson json_t *body = json_pack("{s:[O]}", "messages", message);
	const char *origin = emulator ? "http://" : "https://pubsub.googleapis.com";
	char *url = mem_printf("%s%s/v1/projects/%s/topics/%s:publish", origin,
			       emulator ? emulator : "", project, topic);
	return notify_set_json_at(url, body, out, err);
}

static bool take_token(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
		       Error *err)
{
	(void)status;
	Work *work = self->state;
	autojson json_t *answer = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	if (!answer)
		return false;
	const char *token = json_text(answer, "access_token");
	if (cstr_empty(token))
		return err_set(err, ERR_INVALID, "Google's reply has no access token");
	autocredential Credential got = {.secret = mem_strdup(token)};
	got.expires_ms = clock_wall_ms() + json_int(answer, "expires_in", 0) * 1000;
	token_cache_put(work->tokens, work->cache_key, &got);
	*out_next = work->publish;
	work->publish = (NotifyRequest){0};
	notify_add_auth(out_next, "Bearer", token);
	return true;
}

/* Asks the token's URI with a signed assertion. */
static bool ask_with_key(const char *key_text, NotifyRequest *out, Error *err)
{
	autoerror Error hidden = {0}; /* would quote the key */
	autojson json_t *key = json_parse(key_text, strlen(key_text), KEY_MAX, &hidden);
	const char *email = json_text(key, "client_email");
	const char *private_key = json_text(key, "private_key");
	if (!email || !private_key)
		return err_set(err, ERR_INVALID, "the token is no service account's JSON key");
	const char *uri = json_text_or(key, "token_uri", "https://oauth2.googleapis.com/token");
	json_int_t now_s = (json_int_t)(clock_wall_ms() / 1000);
	autojson json_t *claims = json_pack("{s:s,s:s,s:s,s:I,s:I}", "iss", email, "scope", scope,
					    "aud", uri, "iat", now_s, "exp", now_s + ASSERTION_S);
	autofree char *assertion =
		jwt_sign_rs256(private_key, json_text(key, "private_key_id"), claims, err);
	if (!assertion)
		return false;
	out->url = mem_strdup(uri);
	buf_printf(&out->body,
		   "grant_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3Agrant-type%%3Ajwt-bearer"
		   "&assertion=%s",
		   assertion);
	notify_add_header(out, "Content-Type", "application/x-www-form-urlencoded");
	return true;
}

static void ask_machine(NotifyRequest *out)
{
	const char *host = getenv("GCE_METADATA_HOST");
	out->method = "GET";
	out->url = mem_printf("http://%s/computeMetadata/v1/instance/service-accounts/default/token"
			      "?scopes=%s",
			      cstr_empty(host) ? "metadata.google.internal" : host, scope);
	notify_add_header(out, "Metadata-Flavor", "Google");
}

static bool authorize(const NotifyTarget *target, NotifyRequest *take_publish, NotifyRequest *out,
		      Error *err)
{
	Work *work = mem_zalloc(1, sizeof(*work));
	work->publish = *take_publish;
	*take_publish = (NotifyRequest){0};
	work->tokens = target->tokens;
	work->cache_key = token_cache_key(
		(const char *const[]){"google", target->provider_uid ? target->provider_uid : "",
				      scope, target->token ? target->token : "", NULL});
	autocredential Credential kept = {0};
	if (token_cache_get(work->tokens, work->cache_key, &target->user, &kept)) {
		*out = work->publish;
		work->publish = (NotifyRequest){0};
		notify_add_auth(out, "Bearer", kept.secret);
		free_work(work);
		return true;
	}
	out->then = take_token;
	out->state = work;
	out->free_state = free_work;
	if (!cstr_empty(target->token))
		return ask_with_key(target->token, out, err);
	ask_machine(out);
	return true;
}

bool notify_build_googlepubsub(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			       Error *err)
{
	const char *emulator = getenv("PUBSUB_EMULATOR_HOST");
	autonotifyrequest NotifyRequest publish = {0};
	if (!notify_need(target, target->address, "address (the project)", err) ||
	    !notify_need(target, target->channel, "channel (the topic)", err))
		return false;
	if (cstr_empty(emulator))
		return build_publish(target, event, NULL, &publish, err) &&
		       authorize(target, &publish, out, err);
	return build_publish(target, event, emulator, out, err);
}
