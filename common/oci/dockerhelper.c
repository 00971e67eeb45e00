/* The protocol: the registry on standard input, {"Username", "Secret"} as the answer, or a known
 * sentence where there is nothing. */
#include "oci/dockerhelper.h"

#include <string.h>

#include "base/child.h"
#include "base/mem.h"
#include "data/json.h"
#include "oci/reference.h"

enum { MAX_TEXT = 1 << 20, MAX_NAME = 64, MAX_ANSWER = 64 << 10, MAX_SAID = 500 };

#define PREFIX "docker-credential-"
static const char unknown[] = "credentials not found in native keychain";

/* Docker's own registry goes by the address that it once had. */
static const char *address_of(const char *host)
{
	bool docker = cstr_eq(host, "docker.io") || cstr_eq(host, "registry-1.docker.io") ||
		      cstr_eq(host, OCI_DEFAULT_HOST);
	return docker ? "https://index.docker.io/v1/" : host;
}

/* A name, not a path: only PATH says which program that is. */
static bool is_name(const char *text)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "-_.";
	size_t len = strlen(text);
	return len <= MAX_NAME && strspn(text, fine) == len;
}

bool docker_helper_find(const char *text, size_t len, const char *host, char **out_name, Error *err)
{
	if (len > MAX_TEXT)
		return err_set(err, ERR_LIMIT, "docker config is larger than %d bytes", MAX_TEXT);
	autoerror Error ignored = {0};
	autojson json_t *root = json_parse(text, len, MAX_TEXT, &ignored);
	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, "docker config is no valid JSON object");
	const char *name = json_text(json_map(root, "credHelpers"), address_of(host));
	if (cstr_empty(name))
		name = json_text(root, "credsStore");
	if (!cstr_empty(name) && !is_name(name))
		return err_set(err, ERR_INVALID,
			       "docker config: a credential helper's name has only letters, "
			       "digits, \"-\", \"_\" and \".\"");
	*out_name = cstr_empty(name) ? NULL : mem_printf(PREFIX "%s", name);
	return true;
}

static void wipe(Buf *buf)
{
	if (buf->ptr)
		mem_wipe(buf->ptr, buf->cap);
	buf_dispose(buf);
}

static bool failed(const char *name, int code, const Buf *errors, Error *err)
{
	Str said = str_trim(buf_str(errors));
	if (said.len > MAX_SAID)
		said.len = MAX_SAID;
	return err_set(err, ERR_UNAVAILABLE, "%s get ended with code %d%s%.*s", name, code,
		       said.len ? ": " : "", (int)said.len, said.ptr ? said.ptr : "");
}

static void wipe_member(json_t *answer, const char *key)
{
	const char *text = json_text(answer, key);
	if (text)
		mem_wipe((char *)(uintptr_t)text, strlen(text));
}

static bool read_answer(const char *name, Str text, RegistryAuth *out, Error *err)
{
	autoerror Error ignored = {0};
	autojson json_t *answer = json_parse(text.ptr, text.len, MAX_ANSWER, &ignored);
	const char *user = json_text(answer, "Username"), *secret = json_text(answer, "Secret");
	if (!json_is_object(answer) || !secret)
		return err_set(err, ERR_INVALID, "%s get gave no credentials", name);
	if (cstr_eq(user, "<token>"))
		out->identity_token = mem_strdup(secret);
	else if (!cstr_empty(user) || *secret)
		*out = (RegistryAuth){.username = mem_strdup(user ? user : ""),
				      .password = mem_strdup(secret)};
	wipe_member(answer, "Secret");
	return true;
}

bool docker_helper_get(const char *name, const char *host, int64_t timeout_ms, RegistryAuth *out,
		       Error *err)
{
	__attribute__((cleanup(wipe))) Buf answer = {0};
	autobuf Buf errors = {0};
	int code = 0;
	const char *const argv[] = {name, "get", NULL};
	const ChildSpec spec = {.argv = argv,
				.input = str_of(address_of(host)),
				.timeout_ms = timeout_ms,
				.max_output = MAX_ANSWER};
	if (!child_run(&spec, &answer, &errors, &code, err))
		return err_wrap(err, "credential helper %s", name);
	Str said = str_trim(buf_str(&answer));
	if (code && str_eq(said, str_of(unknown)))
		return true;
	return code ? failed(name, code, &errors, err) : read_answer(name, said, out, err);
}
