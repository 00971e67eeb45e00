#include "sops/keys.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/digest.h"

/* REPLY_ROOM: keys are not moved by a growing buffer, which would leave copies behind. */
enum { MAX_GROUPS = 64, MAX_KEYS = 256, REPLY_ROOM = 8192 };

/* Lists of master keys in the order in which they are tried; `name` is the member that says which
 * one a key is. */
static const struct {
	const char *type, *name;
} kinds[] = {
	{"age", "recipient"},	       {"pgp", "fp"},	    {"kms", "arn"},
	{"gcp_kms", "resource_id"},    {"hckms", "key_id"}, {"azure_kv", "name"},
	{"hc_vault", "vault_address"},
};

typedef struct {
	const SopsOptions *options;
	Buf failures; /* "NAME: why" joined by "; " */
	size_t tried;
} Search;

static const SopsKeyService *find_service(const SopsOptions *options, const char *type)
{
	for (size_t i = 0; i < options->service_count; i++)
		if (cstr_eq(options->services[i].type, type))
			return &options->services[i];
	return NULL;
}

static void free_part(void *item)
{
	Buf *part = item;
	sops_buf_wipe(part);
	free(part);
}

Map *sops_known_new(void)
{
	return map_new(free_part);
}

/* Under which a key's text is remembered; owned. */
static char *known_name(const char *type, const json_t *key)
{
	char digest[DIGEST_TEXT_SIZE];
	const char *enc = json_text_or(key, "enc", "");
	digest_of(DIGEST_SHA256, enc, strlen(enc), digest);
	return mem_printf("%s %s", type, digest);
}

static bool is_late(const SopsOptions *options)
{
	return options->until_ms && clock_mono_ms() >= options->until_ms;
}

static bool ask(const SopsOptions *options, const SopsKeyService *service, const json_t *key,
		Buf *out, Error *err)
{
	autofree char *name = known_name(service->type, key);
	const Buf *known = options->known ? map_get(options->known, name) : NULL;
	if (known) {
		buf_add(out, buf_str(known));
		return true;
	}
	if (is_late(options))
		return err_set(err, ERR_TIMEOUT, "was not asked, time is up");
	if (!service->decrypt(service->arg, key, out, err))
		return false;
	if (options->known) {
		Buf *copy = mem_zalloc(1, sizeof(*copy));
		buf_add(copy, buf_str(out));
		map_put(options->known, name, copy);
	}
	return true;
}

static bool try_key(Search *search, size_t kind, const json_t *key, Buf *out)
{
	const SopsKeyService *service = find_service(search->options, kinds[kind].type);
	autoerror Error cause = {0};
	if (!json_is_object(key))
		err_set(&cause, ERR_INVALID, "is no object");
	else if (!service)
		err_set(&cause, ERR_UNSUPPORTED, "there are no credentials for it");
	else if (ask(search->options, service, key, out, &cause))
		return true;
	buf_clear(out);
	const char *name = json_text_or(key, kinds[kind].name, "");
	buf_printf(&search->failures, "%s%s %.200s: %s", search->failures.len ? "; " : "",
		   kinds[kind].type, name, err_text(&cause));
	return false;
}

static bool try_group(Search *search, const json_t *group, Buf *out)
{
	for (size_t kind = 0; kind < COUNT(kinds); kind++) {
		const json_t *keys = json_list(group, kinds[kind].type);
		for (size_t i = 0; i < json_array_size(keys); i++) {
			if (search->tried++ >= MAX_KEYS)
				return false;
			if (try_key(search, kind, json_array_get(keys, i), out))
				return true;
		}
	}
	return false;
}

static bool has_keys(const json_t *group)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (json_array_size(json_list(group, kinds[i].type)))
			return true;
	return false;
}

static bool join_groups(Search *search, const json_t *groups, int64_t threshold, Vec *parts,
			Buf *out, Error *err)
{
	size_t count = json_array_size(groups);
	if (count > MAX_GROUPS)
		return err_set(err, ERR_LIMIT, "more than %d key groups", MAX_GROUPS);
	for (size_t i = 0; i < count; i++) {
		Buf *part = mem_zalloc(1, sizeof(*part));
		buf_reserve(part, REPLY_ROOM);
		vec_push(parts, part);
		if (!try_group(search, json_array_get(groups, i), part))
			free_part(vec_pop(parts));
	}
	if (count == 1 && parts->len == 1) {
		const Buf *whole = parts->items[0];
		buf_add(out, buf_str(whole));
		return true;
	}
	int64_t needed = count == 1 ? 1 : threshold;
	if ((int64_t)parts->len < needed || parts->len == 0)
		return err_set(err, ERR_UNAUTHORIZED,
			       "%zu of %zu key groups could be opened, %lld are needed: %s",
			       parts->len, count, (long long)needed, buf_text(&search->failures));
	return shamir_join(parts, out, err);
}

static bool find_key(Search *search, const Metadata *metadata, Buf *out, Error *err)
{
	const json_t *groups = json_list(metadata->raw, "key_groups");
	if (has_keys(metadata->raw)) {
		if (try_group(search, metadata->raw, out))
			return true;
		return err_set(err, ERR_UNAUTHORIZED, "%s", buf_text(&search->failures));
	}
	if (json_array_size(groups) == 0)
		return err_set(err, ERR_INVALID, "no keys are named");
	Vec parts = {0};
	bool ok = join_groups(search, groups, metadata->threshold, &parts, out, err);
	vec_dispose_with(&parts, free_part);
	return ok;
}

bool data_key_get(const Metadata *metadata, const SopsOptions *options,
		  unsigned char out[DATA_KEY_SIZE], Error *err)
{
	Search search = {.options = options};
	autosecretbuf Buf key = {0};
	buf_reserve(&key, REPLY_ROOM);
	bool ok = find_key(&search, metadata, &key, err);
	buf_dispose(&search.failures);
	if (ok && key.len != DATA_KEY_SIZE)
		ok = err_set(err, ERR_INVALID, "it has %zu bytes in place of %d", key.len,
			     DATA_KEY_SIZE);
	if (!ok)
		return err_wrap(err, "cannot get sops data key");
	memcpy(out, key.ptr, DATA_KEY_SIZE);
	return true;
}
