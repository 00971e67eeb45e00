#include "cloud/token.h"

#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

enum { TOKEN_MAX = 64 << 10, REPLY_MAX = 1 << 20, NODE_TIMEOUT_MS = 5000, DEFAULT_LIFE_S = 3600 };

void buf_wipe(Buf *buf)
{
	if (buf->ptr)
		mem_wipe(buf->ptr, buf->cap);
	buf->len = 0;
}

char *cloud_read_token(const char *path, Error *err)
{
	autobuf Buf text = {0};
	if (!file_read(path, TOKEN_MAX, &text, err))
		return NULL;
	char *token = str_dup(str_trim(buf_str(&text)));
	buf_wipe(&text);
	return token;
}

bool cloud_post_form(HttpClient *http, const char *url, Buf *form, int64_t timeout_ms, Buf *out,
		     Error *err)
{
	const HttpRequest request = {.method = "POST",
				     .url = url,
				     .headers = (const char *const[]){CLOUD_FORM_TYPE, NULL},
				     .body = buf_text(form),
				     .body_len = form->len,
				     .timeout_ms = timeout_ms};
	bool ok = cloud_call(http, &request, out, err);
	buf_wipe(form);
	return ok;
}

/* Seconds that a token lives; metadata services say them as text. */
static int64_t life_of(const json_t *reply)
{
	unsigned long long seconds = 0;
	const char *text = json_text(reply, "expires_in");
	if (text && str_to_u64(str_of(text), &seconds) && seconds < INT32_MAX)
		return (int64_t)seconds;
	int64_t number = json_int(reply, "expires_in", DEFAULT_LIFE_S);
	return number < 0 ? 0 : number > INT32_MAX ? INT32_MAX : number;
}

bool cloud_parse_token(Str text, Credential *out, Error *err)
{
	autojson json_t *reply = json_parse(text.ptr, text.len, REPLY_MAX, err);
	const char *token = json_text(reply, "access_token");
	if (!reply)
		return err_wrap(err, "reply with a token");
	if (cstr_empty(token))
		return err_set(err, ERR_INVALID, "the reply has no access token");
	*out = (Credential){.secret = mem_strdup(token),
			    .expires_ms = clock_wall_ms() + life_of(reply) * 1000};
	return true;
}

bool cloud_token_by_form(HttpClient *http, const char *url, Buf *form, int64_t timeout_ms,
			 Credential *out, Error *err)
{
	autobuf Buf reply = {0};
	bool ok = cloud_post_form(http, url, form, timeout_ms, &reply, err) &&
		  cloud_parse_token(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok;
}

bool cloud_token_of_node(Cloud *cloud, const char *url, const char *header, Credential *out,
			 Error *err)
{
	HttpClient *http = cloud_http_direct(cloud, err);
	const HttpRequest request = {.url = url,
				     .headers = (const char *const[]){header, NULL},
				     .timeout_ms = NODE_TIMEOUT_MS};
	autobuf Buf reply = {0};
	bool ok = http && cloud_call(http, &request, &reply, err) &&
		  cloud_parse_token(buf_str(&reply), out, err);
	buf_wipe(&reply);
	return ok;
}

char *cloud_account_token(const CloudAccount *account, const char *audience, Error *err)
{
	char *token = account->token(account->arg, audience, err);
	if (token)
		return token;
	return err_wrap_null(err, "failed to create kubernetes token for service account '%s/%s'",
			     account->ns, account->name);
}

bool cloud_is_loopback(const char *host)
{
	return cstr_eq(host, "127.0.0.1") || cstr_eq(host, "::1") || cstr_eq(host, "localhost");
}

char *cloud_caller_key(const CloudCaller *caller)
{
	static const char *const keys[] = {
		"eks.amazonaws.com/role-arn", "azure.workload.identity/tenant-id",
		"azure.workload.identity/client-id", "iam.gke.io/gcp-service-account",
		"gcp.auth.fluxcd.io/workload-identity-provider"};
	const CloudAccount *account = caller->account;
	autobuf Buf key = {0};
	/* First what nobody can put a line break into: an account never has another's key. */
	buf_printf(&key, "%s\n%s\n", account ? account->ns : "", account ? account->name : "");
	for (size_t i = 0; account && i < COUNT(keys); i++) {
		const char *value = account->annotation(account->arg, keys[i]);
		buf_printf(&key, "%s\n", value ? value : "");
	}
	buf_puts(&key, caller->proxy ? caller->proxy : "");
	return buf_steal(&key);
}
