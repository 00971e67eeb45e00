#include "sign/trusted_root.h"

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/base64.h"
#include "data/json.h"
#include "sign/certificate.h"

#define MEDIA_TYPE "application/vnd.dev.sigstore.trustedroot+json;version=0.1"

bool trust_period_has(const TrustPeriod *period, int64_t time_ms)
{
	return period->from_ms <= time_ms && time_ms <= period->to_ms;
}

const TrustedLog *trusted_logs_find(const TrustedLogs *logs, Str id)
{
	for (size_t i = 0; i < logs->count; i++)
		if (str_eq(logs->items[i].id, id))
			return &logs->items[i];
	return NULL;
}

/* --- freeing --- */

static void free_logs(TrustedLogs *logs)
{
	for (size_t i = 0; i < logs->count; i++) {
		public_key_free(logs->items[i].key);
		free(logs->items[i].id_bytes);
		free(logs->items[i].base_url);
	}
	free(logs->items);
}

static void free_authorities(TrustedAuthorities *authorities)
{
	for (size_t i = 0; i < authorities->count; i++) {
		TrustedAuthority *authority = &authorities->items[i];
		certificates_dispose(&authority->roots);
		certificates_dispose(&authority->intermediates);
		certificates_dispose(&authority->leaf);
		free(authority->uri);
	}
	free(authorities->items);
}

void trusted_root_free(TrustedRoot *root)
{
	if (!root)
		return;
	free_logs(&root->tlogs);
	free_logs(&root->ctlogs);
	free_authorities(&root->authorities);
	free_authorities(&root->timestamp_authorities);
	free(root);
}

/* --- parts --- */

static bool read_bytes(const json_t *object, const char *key, Buf *out, Error *err)
{
	const char *text = json_text(object, key);
	if (cstr_empty(text))
		return err_set(err, ERR_INVALID, "no %s", key);
	return base64_decode(text, strlen(text), out, err) || err_wrap(err, "%s", key);
}

static bool read_time(const json_t *period, const char *key, int64_t *out, Error *err)
{
	const json_t *value = json_at(period, key, NULL);
	const char *text = json_text_or(period, key, "");
	if (value && !clock_parse(text, out))
		return err_set(err, ERR_INVALID, "validFor.%s is no time", key);
	return true;
}

static bool read_period(const json_t *object, TrustPeriod *out, Error *err)
{
	const json_t *period = json_at(object, "validFor", NULL);
	*out = (TrustPeriod){INT64_MIN, INT64_MAX};
	/* One that cannot be read must not be one without ends. */
	if (period && !json_is_object(period))
		return err_set(err, ERR_INVALID, "validFor is no object");
	return read_time(period, "start", &out->from_ms, err) &&
	       read_time(period, "end", &out->to_ms, err);
}

static bool read_log(const json_t *object, TrustedLog *out, Error *err)
{
	autobuf Buf id = {0}, key = {0};
	const json_t *public = json_map(object, "publicKey");
	if (!cstr_eq(json_text(object, "hashAlgorithm"), "SHA2_256"))
		return err_set(err, ERR_INVALID, "log with another hash than SHA2_256");
	if (!read_bytes(json_map(object, "logId"), "keyId", &id, err) ||
	    !read_bytes(public, "rawBytes", &key, err))
		return false;
	/* A key without a start is refused by upstream's library, too. */
	if (!json_text_at(public, "validFor", "start", NULL))
		return err_set(err, ERR_INVALID, "log key without the start of its validity");
	if (!read_period(public, &out->period, err))
		return false;
	out->key = public_key_of_der(buf_str(&key), err);
	out->base_url = mem_strdup(json_text(object, "baseUrl"));
	out->id.len = id.len;
	out->id.ptr = out->id_bytes = buf_steal(&id);
	return out->key;
}

static bool read_logs(const json_t *list, TrustedLogs *out, Error *err)
{
	size_t i;
	json_t *object;
	if (json_array_size(list) > TRUSTED_ROOT_MAX_ITEMS)
		return err_set(err, ERR_LIMIT, "more than %d logs", TRUSTED_ROOT_MAX_ITEMS);
	out->items = mem_zalloc(json_array_size(list) + 1, sizeof(*out->items));
	json_array_foreach(json_borrow(list), i, object)
	{
		out->count++;
		if (!read_log(object, &out->items[i], err))
			return false;
	}
	return true;
}

/* The last of a chain is the root; a timestamp authority's first is its leaf if it is no CA. */
static bool read_certificate(const json_t *object, bool first, bool last, bool timestamps,
			     TrustedAuthority *out, Error *err)
{
	autobuf Buf der = {0};
	if (!read_bytes(object, "rawBytes", &der, err))
		return false;
	X509 *certificate = certificate_of_der(buf_str(&der), err);
	if (!certificate)
		return false;
	if (timestamps && first && X509_check_ca(certificate) == 0)
		vec_push(&out->leaf, certificate);
	else
		vec_push(last ? &out->roots : &out->intermediates, certificate);
	return true;
}

static bool read_authority(const json_t *object, bool timestamps, TrustedAuthority *out, Error *err)
{
	const json_t *chain = json_list(json_map(object, "certChain"), "certificates");
	size_t i, count = json_array_size(chain);
	json_t *item;
	out->uri = mem_strdup(json_text(object, "uri"));
	if (count == 0 || count > CERTIFICATE_MAX_CHAIN)
		return err_set(err, ERR_INVALID, "certificate authority with %zu certificates",
			       count);
	json_array_foreach(json_borrow(chain), i, item)
	{
		if (!read_certificate(item, i == 0, i + 1 == count, timestamps, out, err))
			return false;
	}
	return read_period(object, &out->period, err);
}

static bool read_authorities(const json_t *list, bool timestamps, TrustedAuthorities *out,
			     Error *err)
{
	size_t i;
	json_t *object;
	if (json_array_size(list) > TRUSTED_ROOT_MAX_ITEMS)
		return err_set(err, ERR_LIMIT, "more than %d certificate authorities",
			       TRUSTED_ROOT_MAX_ITEMS);
	out->items = mem_zalloc(json_array_size(list) + 1, sizeof(*out->items));
	json_array_foreach(json_borrow(list), i, object)
	{
		out->count++;
		if (!read_authority(object, timestamps, &out->items[i], err))
			return false;
	}
	return true;
}

TrustedRoot *trusted_root_parse(Str json, Error *err)
{
	autojson json_t *object = json_parse(json.ptr, json.len, TRUSTED_ROOT_MAX, err);
	if (!object)
		return err_wrap_null(err, "unable to parse trusted root");
	if (!cstr_eq(json_text(object, "mediaType"), MEDIA_TYPE))
		return err_null(err, ERR_INVALID,
				"unable to parse trusted root: its media type is not '%s'",
				MEDIA_TYPE);
	TrustedRoot *root = mem_zalloc(1, sizeof(*root));
	if (read_logs(json_list(object, "tlogs"), &root->tlogs, err) &&
	    read_logs(json_list(object, "ctlogs"), &root->ctlogs, err) &&
	    read_authorities(json_list(object, "certificateAuthorities"), false, &root->authorities,
			     err) &&
	    read_authorities(json_list(object, "timestampAuthorities"), true,
			     &root->timestamp_authorities, err))
		return root;
	trusted_root_free(root);
	return err_wrap_null(err, "unable to parse trusted root");
}
