#include "sops/vault.h"

#include <string.h>

#include "base/mem.h"
#include "net/url.h"
#include "sops/rest.h"

static Str without_slash(Str text)
{
	while (text.len && text.ptr[text.len - 1] == '/')
		text = str_slice(text, 0, text.len - 1);
	return text;
}

/* An entry of the list allows itself and what is below it. */
static bool is_allowed(const char *list, const char *address)
{
	if (cstr_empty(list) || cstr_eq(list, "all"))
		return true;
	Str rest = str_of(list), entry, own = without_slash(str_of(address));
	while (str_next(&rest, ',', &entry)) {
		entry = without_slash(str_trim(entry));
		bool below = entry.len && str_starts(own, entry) &&
			     (own.len == entry.len || own.ptr[entry.len] == '/');
		if (below)
			return true;
	}
	return false;
}

static char *decrypt_url(const json_t *key, Error *err)
{
	const char *address = json_text_or(key, "vault_address", "");
	const char *name = json_text_or(key, "key_name", "");
	autofree char *engine = mem_strdup(json_text_or(key, "engine_path", ""));
	if (!cstr_starts(address, "https://") && !cstr_starts(address, "http://"))
		return err_null(err, ERR_INVALID, "vault_address is no http or https URL");
	if (cstr_empty(name) || strstr(name, "..") || strstr(engine, ".."))
		return err_null(err, ERR_INVALID, "engine_path or key_name is no path");
	autofree char *base = str_dup(without_slash(str_of(address)));
	Str trimmed = without_slash(str_of(engine));
	while (str_starts(trimmed, STR("/")))
		trimmed = str_slice(trimmed, 1, trimmed.len);
	autofree char *plain_engine = str_dup(trimmed);
	autofree char *engine_part = url_escape(plain_engine, true);
	autofree char *name_part = url_escape(name, true);
	return mem_printf("%s/v1/%s/decrypt/%s", base, engine_part, name_part);
}

static bool decrypt_data_key(void *arg, const json_t *key, Buf *out, Error *err)
{
	const VaultKeys *keys = arg;
	const char *address = json_text_or(key, "vault_address", "");
	if (!is_allowed(keys->allowed, address))
		return err_set(err, ERR_FORBIDDEN, "is not among the allowed Vault servers");
	autofree char *url = decrypt_url(key, err);
	if (!url)
		return false;
	autosecrettext char *token = keys->token(keys->arg, address, err);
	if (!token)
		return false;
	autosecrettext char *header = mem_printf("X-Vault-Token: %s", token);
	autofree char *ns = mem_printf("X-Vault-Namespace: %s", keys->ns ? keys->ns : "");
	const char *headers[] = {header, "X-Vault-Request: true", keys->ns ? ns : NULL, NULL};
	autojson json_t *question = json_pack("{s:s}", "ciphertext", json_text_or(key, "enc", ""));
	autofree char *body = json_dump(question);
	RestCall call = {.url = url, .headers = headers, .body = body, .secret = token};
	autojson json_t *reply = rest_post(keys->http, &call, err);
	return reply && rest_bytes(json_map(reply, "data"), "plaintext", false, out, err);
}

SopsKeyService vault_key_service(const VaultKeys *keys)
{
	return (SopsKeyService){"hc_vault", decrypt_data_key, (void *)(uintptr_t)keys};
}
