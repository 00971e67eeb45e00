#include "sops/cloud_keys.h"

#include <string.h>

#include "base/mem.h"
#include "net/url.h"
#include "sops/rest.h"

/* Posts with a bearer token. Owned. */
static json_t *post_as(const CloudKeys *keys, const char *url, const char *token,
		       const json_t *question, Error *err)
{
	autosecrettext char *header = mem_printf("Authorization: Bearer %s", token);
	const char *headers[] = {header, NULL};
	autofree char *body = json_dump(question);
	RestCall call = {.url = url, .headers = headers, .body = body, .secret = token};
	return rest_post(keys->http, &call, err);
}

/* --- AWS ----------------------------------------------------------------------------------- */

/* The region of "arn:aws:kms:REGION:ACCOUNT:key/ID" or an alias; NULL. Owned. */
static char *region_of(const char *arn)
{
	Str rest = str_of(arn), part[6];
	for (size_t i = 0; i < 5; i++)
		if (!str_cut(rest, ':', &part[i], &rest))
			return NULL;
	bool known = str_eq(part[0], STR("arn")) && str_starts(part[1], STR("aws")) &&
		     str_eq(part[2], STR("kms")) && part[3].len && part[4].len &&
		     (str_starts(rest, STR("key/")) || str_starts(rest, STR("alias/")));
	if (!known)
		return NULL;
	for (size_t i = 0; i < part[3].len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", part[3].ptr[i]))
			return NULL;
	return str_dup(part[3]);
}

static bool aws_decrypt(void *arg, const json_t *key, Buf *out, Error *err)
{
	const CloudKeys *keys = arg;
	const char *arn = json_text_or(key, "arn", "");
	autofree char *region = region_of(arn);
	autosecretbuf Buf reply = {0};
	if (!region)
		return err_set(err, ERR_INVALID, "arn is none of a KMS key");
	autojson json_t *question = json_pack("{s:s, s:s}", "KeyId", arn, "CiphertextBlob",
					      json_text_or(key, "enc", ""));
	if (json_map(key, "context"))
		json_object_set(question, "EncryptionContext", json_map(key, "context"));
	autofree char *body = json_dump(question);
	const char *role = json_text(key, "role");
	const AwsKmsCall call = {.region = region,
				 .role = cstr_empty(role) ? NULL : role,
				 .target = "TrentService.Decrypt",
				 .body = body};
	if (!keys->aws_call(keys->arg, &call, &reply, err))
		return false;
	autojson json_t *answer = json_parse(buf_text(&reply), reply.len, 1 << 20, err);
	return answer && rest_bytes(answer, "Plaintext", false, out, err);
}

SopsKeyService aws_key_service(const CloudKeys *keys)
{
	return (SopsKeyService){"kms", aws_decrypt, (void *)(uintptr_t)keys};
}

/* --- Google -------------------------------------------------------------------------------- */

static bool gcp_decrypt(void *arg, const json_t *key, Buf *out, Error *err)
{
	const CloudKeys *keys = arg;
	const char *resource = json_text_or(key, "resource_id", "");
	if (!cstr_starts(resource, "projects/") || strstr(resource, ".."))
		return err_set(err, ERR_INVALID, "resource_id is none of a KMS key");
	autosecrettext char *token = keys->gcp_token(keys->arg, err);
	if (!token)
		return false;
	autofree char *path = url_escape(resource, true);
	autofree char *url = mem_printf(
		"%s/v1/%s:decrypt",
		keys->gcp_endpoint ? keys->gcp_endpoint : "https://cloudkms.googleapis.com", path);
	autojson json_t *question = json_pack("{s:s}", "ciphertext", json_text_or(key, "enc", ""));
	autojson json_t *answer = post_as(keys, url, token, question, err);
	return answer && rest_bytes(answer, "plaintext", false, out, err);
}

SopsKeyService gcp_key_service(const CloudKeys *keys)
{
	return (SopsKeyService){"gcp_kms", gcp_decrypt, (void *)(uintptr_t)keys};
}

/* --- Azure --------------------------------------------------------------------------------- */

static bool is_azure_vault(const CloudKeys *keys, const char *vault)
{
	static const char *const domains[] = {
		".vault.azure.net",	 ".vault.azure.cn",	 ".vault.usgovcloudapi.net",
		".managedhsm.azure.net", ".managedhsm.azure.cn", ".managedhsm.usgovcloudapi.net"};
	autourl Url url = {0};
	autoerror Error ignored = {0};
	if (keys->azure_vault && cstr_eq(vault, keys->azure_vault))
		return true;
	if (!url_parse(vault, &url, &ignored) || !cstr_eq(url.scheme, "https"))
		return false;
	for (size_t i = 0; i < COUNT(domains); i++)
		if (cstr_ends(url.host, domains[i]))
			return true;
	return false;
}

static bool azure_decrypt(void *arg, const json_t *key, Buf *out, Error *err)
{
	const CloudKeys *keys = arg;
	autofree char *vault = mem_strdup(json_text_or(key, "vault_url", ""));
	while (cstr_ends(vault, "/"))
		vault[strlen(vault) - 1] = '\0';
	if (!is_azure_vault(keys, vault))
		return err_set(err, ERR_FORBIDDEN, "vault_url is none of Azure Key Vault");
	autosecrettext char *token = keys->azure_token(keys->arg, err);
	if (!token)
		return false;
	autofree char *name = url_escape(json_text_or(key, "name", ""), false);
	autofree char *version = url_escape(json_text_or(key, "version", ""), false);
	autofree char *url =
		mem_printf("%s/keys/%s/%s/decrypt?api-version=7.4", vault, name, version);
	autojson json_t *question = json_pack("{s:s, s:s}", "alg", "RSA-OAEP-256", "value",
					      json_text_or(key, "enc", ""));
	autojson json_t *answer = post_as(keys, url, token, question, err);
	return answer && rest_bytes(answer, "value", true, out, err);
}

SopsKeyService azure_key_service(const CloudKeys *keys)
{
	return (SopsKeyService){"azure_kv", azure_decrypt, (void *)(uintptr_t)keys};
}
