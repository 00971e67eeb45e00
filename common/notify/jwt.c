/*
 * Tokens: three base64url parts. The algorithm is the token's word, so it is taken only together
 * with a key of its own type: "none" and HMAC with a public key have no row.
 */
#include "notify/jwt.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/base64.h"
#include "notify/jwk.h"

enum { NOT_BEFORE_LEEWAY_S = 300 };

typedef struct {
	Str signed_part; /* header.payload */
	json_t *header, *claims;
	Buf signature;
} Token;

static void token_dispose(Token *token)
{
	json_decref(token->header);
	json_decref(token->claims);
	buf_dispose(&token->signature);
}

static json_t *decode_object(Str part, Error *err)
{
	autobuf Buf raw = {0};
	if (!base64url_decode(part.ptr, part.len, &raw, err))
		return NULL;
	autojson json_t *value = json_parse(buf_text(&raw), raw.len, JWT_MAX, err);
	if (value && !json_is_object(value))
		return err_null(err, ERR_INVALID, "no object");
	return steal(&value);
}

static bool parse(const char *text, Token *out, Error *err)
{
	Str rest = str_of(text), header, payload, signature;
	autoerror Error why = {0};
	if (rest.len <= JWT_MAX && str_cut(rest, '.', &header, &rest) &&
	    str_cut(rest, '.', &payload, &signature) && str_find_char(signature, '.') < 0) {
		out->signed_part = str_sized(text, header.len + 1 + payload.len);
		out->header = decode_object(header, &why);
		if (out->header)
			out->claims = decode_object(payload, &why);
		if (out->claims &&
		    base64url_decode(signature.ptr, signature.len, &out->signature, &why))
			return true;
	}
	return err_set(err, ERR_UNAUTHORIZED, "the token is not a JWT");
}

json_t *jwt_unverified_claims(const char *token, Error *err)
{
	__attribute__((cleanup(token_dispose))) Token parsed = {0};
	return parse(token, &parsed, err) ? steal(&parsed.claims) : NULL;
}

/* `kid` names the key; without one each of the right type is tried. */
static bool check_signature(const Token *token, const json_t *keys, Error *err)
{
	const char *algorithm = json_text_or(token->header, "alg", "");
	const char *id = json_text(token->header, "kid");
	bool meant = false;
	size_t i;
	json_t *key;
	json_array_foreach(json_list(keys, "keys"), i, key)
	{
		if (!cstr_empty(id) && !cstr_eq(id, json_text(key, "kid")))
			continue;
		meant = true;
		if (jwk_verifies(key, algorithm, token->signed_part, buf_str(&token->signature)))
			return true;
	}
	if (!meant)
		return err_set(err, ERR_NOT_FOUND, "the token is signed by an unknown key");
	return err_set(err, ERR_UNAUTHORIZED, "the token's signature does not match");
}

static bool has_audience(const json_t *claims, const char *wanted)
{
	const json_t *value = json_object_get(claims, "aud");
	if (json_is_string(value))
		return cstr_eq(json_string_value(value), wanted);
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(value), i, item)
	{
		if (cstr_eq(json_string_value(item), wanted))
			return true;
	}
	return false;
}

/* Seconds since 1970 that a claim says; false when it is no number. */
static bool seconds_of(const json_t *claims, const char *key, double *out)
{
	const json_t *value = json_object_get(claims, key);
	*out = json_number_value(value);
	return json_is_number(value);
}

static bool check_claims(const json_t *claims, const JwtRules *rules, Error *err)
{
	double now_s = (double)rules->now_ms / 1000.0, at_s;
	if (rules->issuer && !cstr_eq(json_text(claims, "iss"), rules->issuer))
		return err_set(err, ERR_UNAUTHORIZED, "the token is of another issuer");
	if (!has_audience(claims, rules->audience))
		return err_set(err, ERR_UNAUTHORIZED, "the token is not for audience '%s'",
			       rules->audience);
	if (!seconds_of(claims, "exp", &at_s) || at_s < now_s)
		return err_set(err, ERR_UNAUTHORIZED, "the token has expired");
	if (seconds_of(claims, "nbf", &at_s) && at_s > now_s + NOT_BEFORE_LEEWAY_S)
		return err_set(err, ERR_UNAUTHORIZED, "the token is not valid yet");
	return true;
}

json_t *jwt_verify(const char *token, const json_t *keys, const JwtRules *rules, Error *err)
{
	__attribute__((cleanup(token_dispose))) Token parsed = {0};
	if (!parse(token, &parsed, err) || !check_signature(&parsed, keys, err) ||
	    !check_claims(parsed.claims, rules, err))
		return NULL;
	return steal(&parsed.claims);
}
