/* Envelopes in JWS's JSON form (RFC 7515 7.2.2; signature-envelope-jws.md). */
#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/json.h"
#include "sign/notation_internal.h"

enum { MAX_CRITICAL = 100 };

static bool decode(const json_t *object, const char *key, Buf *out, Error *err)
{
	const char *text = json_text_or(object, key, "");
	return base64url_decode(text, strlen(text), out, err) || err_wrap(err, "%s", key);
}

/* Absent: *out stays. Go's zero time, the first second of year 1, counts as absent. */
static bool read_time(const json_t *header, const char *key, int64_t *out, bool *out_has,
		      Error *err)
{
	const json_t *value = json_at(header, key, NULL);
	int64_t time_ms;
	*out_has = value;
	if (!value)
		return true;
	if (!json_is_string(value) || !clock_parse(json_string_value(value), &time_ms))
		return err_set(err, ERR_INVALID, "%s is no time", key);
	*out = time_ms / 1000;
	return true;
}

static bool is_critical(const json_t *list, const char *key)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		if (cstr_eq(json_string_value(item), key))
			return true;
	}
	return false;
}

/* What must be understood is, and what must be marked so is (RFC 7515 4.1.11). */
static bool check_critical(const json_t *header, bool has_expiry, bool is_authority, Error *err)
{
	const json_t *list = json_list(header, "crit");
	size_t i;
	json_t *item;
	if (!is_critical(list, NOTATION_SCHEME) ||
	    (has_expiry && !is_critical(list, NOTATION_EXPIRY)) ||
	    (is_authority && !is_critical(list, NOTATION_AUTHENTIC)))
		return err_set(err, ERR_INVALID, "a header that must be critical is not");
	if (json_array_size(list) > MAX_CRITICAL)
		return err_set(err, ERR_LIMIT, "more than %d critical headers", MAX_CRITICAL);
	json_array_foreach(json_borrow(list), i, item)
	{
		const char *key = json_string_value(item);
		bool known = cstr_eq(key, NOTATION_SCHEME) ||
			     (cstr_eq(key, NOTATION_EXPIRY) && has_expiry) ||
			     (cstr_eq(key, NOTATION_AUTHENTIC) && is_authority);
		if (!known)
			return err_set(err, ERR_UNSUPPORTED, "critical header '%.100s'",
				       key ? key : "");
	}
	return true;
}

static bool read_times(const json_t *header, NotationEnvelope *out, bool *out_expires, Error *err)
{
	bool has_signed, has_authentic;
	int64_t signed_s = 0, authentic_s = 0;
	if (!read_time(header, NOTATION_SIGNED, &signed_s, &has_signed, err) ||
	    !read_time(header, NOTATION_AUTHENTIC, &authentic_s, &has_authentic, err) ||
	    !read_time(header, NOTATION_EXPIRY, &out->expiry_s, out_expires, err))
		return false;
	if (out->is_authority ? has_signed || !has_authentic : has_authentic || !has_signed)
		return err_set(err, ERR_INVALID, "no signing time, or that of another scheme");
	out->signed_s = out->is_authority ? authentic_s : signed_s;
	return true;
}

static bool read_header(const json_t *header, NotationEnvelope *out, Error *err)
{
	bool expires;
	out->algorithm = jose_algorithm(json_text(header, "alg"));
	out->content_type = mem_strdup(json_text_or(header, "cty", ""));
	if (!out->algorithm)
		return err_set(err, ERR_UNSUPPORTED, "signature algorithm");
	return notation_envelope_scheme(out, json_text(header, NOTATION_SCHEME), err) &&
	       read_times(header, out, &expires, err) &&
	       check_critical(header, expires, out->is_authority, err);
}

static bool read_chain(const json_t *list, NotationEnvelope *out, Error *err)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) > CERTIFICATE_MAX_CHAIN)
		return err_set(err, ERR_LIMIT, "more than %d certificates", CERTIFICATE_MAX_CHAIN);
	json_array_foreach(json_borrow(list), i, item)
	{
		autobuf Buf der = {0};
		const char *text = json_string_value(item);
		if (!base64_decode(text ? text : "", text ? strlen(text) : 0, &der, err))
			return err_wrap(err, "certificate");
		X509 *certificate = certificate_of_der(buf_str(&der), err);
		if (!certificate)
			return false;
		vec_push(&out->chain, certificate);
	}
	return true;
}

static bool read_unprotected(const json_t *header, NotationEnvelope *out, Error *err)
{
	const char *token = json_text(header, NOTATION_TIMESTAMP);
	if (token && !base64_decode(token, strlen(token), &out->timestamp, err))
		return err_wrap(err, "timestamp");
	return read_chain(json_list(header, "x5c"), out, err);
}

bool notation_jws_read(Str text, NotationEnvelope *out, Error *err)
{
	autobuf Buf protected = {0}, covered = {0};
	autojson json_t *root = json_parse(text.ptr, text.len, NOTATION_MAX_ENVELOPE, err);
	if (!root || !decode(root, "protected", &protected, err) ||
	    !decode(root, "payload", &out->payload, err) ||
	    !decode(root, "signature", &out->signature, err))
		return false;
	autojson json_t *header =
		json_parse(protected.ptr, protected.len, NOTATION_MAX_ENVELOPE, err);
	if (!header || !read_header(header, out, err) ||
	    !read_unprotected(json_map(root, "header"), out, err))
		return false;
	buf_printf(&covered, "%s.%s", json_text(root, "protected"), json_text(root, "payload"));
	return notation_envelope_signed(out, buf_str(&covered), err);
}
