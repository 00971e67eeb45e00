/* Credentials. Tokens are compared in constant time; no secret goes into a message. */
#include "auth.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"
#include "auth_internal.h"
#include "base/fd.h"
#include "base/path.h"
#include "server.h"

enum { TOKEN_FILE_MAX = 1024 * 1024 };

static void token_free(void *item)
{
	StaticToken *token = item;
	mem_wipe(token->token, strlen(token->token));
	free(token->token);
	user_dispose(&token->user);
	free(token);
}

void auth_free(Auth *auth)
{
	vec_dispose_with(&auth->tokens, token_free);
	EVP_PKEY_free(auth->key);
	free(auth);
}

static StaticToken *add_token(Auth *auth, Str token, Str name, Str uid)
{
	StaticToken *entry = mem_zalloc(1, sizeof(*entry));
	entry->token = str_dup(token);
	entry->user.name = str_dup(name);
	entry->user.uid = str_dup(uid);
	vec_push(&auth->tokens, entry);
	return entry;
}

static Str unquote(Str text)
{
	text = str_trim(text);
	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		return str_slice(text, 1, text.len - 1);
	return text;
}

static bool read_token_line(Auth *auth, Str line, Error *err)
{
	Str token, name, uid, groups, rest, piece;
	line = str_trim(line);
	if (line.len == 0 || line.ptr[0] == '#')
		return true;
	str_cut(line, ',', &token, &rest);
	str_cut(rest, ',', &name, &rest);
	str_cut(rest, ',', &uid, &groups);
	if (token.len == 0 || name.len == 0)
		return err_set(err, ERR_INVALID, "a token line needs token, user and uid");
	StaticToken *entry = add_token(auth, unquote(token), unquote(name), unquote(uid));
	groups = unquote(groups);
	while (str_next(&groups, ',', &piece)) {
		autofree char *group = str_dup(str_trim(piece));
		if (*group)
			user_add_group(&entry->user, group);
	}
	return true;
}

static bool read_token_file(Auth *auth, const char *file, Error *err)
{
	autobuf Buf text = {0};
	if (!file_read(file, TOKEN_FILE_MAX, &text, err))
		return false;
	Str rest = buf_str(&text);
	Str line;
	while (str_next(&rest, '\n', &line))
		if (!read_token_line(auth, line, err))
			return err_wrap(err, "%s", file);
	mem_wipe(text.ptr, text.len);
	return true;
}

Auth *auth_new(const char *data_dir, const char *token_file, const char *admin_token, Error *err)
{
	Auth *auth = mem_zalloc(1, sizeof(*auth));
	autofree char *key_file = path_join(data_dir, "sa.key");
	auth->key = auth_key_load(key_file, err);
	StaticToken *admin =
		add_token(auth, str_of(admin_token), STR("kubernetes-admin"), STR("admin"));
	user_add_group(&admin->user, "system:masters");
	if (!auth->key || (token_file && !read_token_file(auth, token_file, err))) {
		auth_free(auth);
		return NULL;
	}
	return auth;
}

static void copy_user(const User *from, User *to)
{
	to->name = mem_strdup(from->name);
	to->uid = mem_strdup(from->uid);
	to->extra = json_incref(from->extra);
	for (size_t i = 0; i < from->groups.len; i++)
		user_add_group(to, from->groups.items[i]);
}

bool auth_token_user(ApiServer *server, const char *token, const json_t *audiences, User *out,
		     json_t **out_audiences)
{
	autojson json_t *own = json_pack("[s]", AUTH_AUDIENCE);
	bool for_us = json_array_size(audiences) == 0;
	if (for_us)
		audiences = own;
	for (size_t i = 0; i < json_array_size(audiences); i++)
		for_us = for_us || json_equal(json_array_get(audiences, i), json_array_get(own, 0));
	const Auth *auth = server->auth;
	for (size_t i = 0; i < auth->tokens.len; i++) {
		const StaticToken *entry = auth->tokens.items[i];
		if (!for_us || !digest_equal(entry->token, token))
			continue;
		copy_user(&entry->user, out);
		user_add_group(out, "system:authenticated");
		*out_audiences = steal(&own);
		return true;
	}
	return auth_jwt_user(server, token, audiences, out, out_audiences);
}

void auth_set_credential_id(User *user, const char *kind, const char *id)
{
	autofree char *text = mem_printf("%s=%s", kind, id);
	user->extra = json_pack("{s:[s]}", "authentication.kubernetes.io/credential-id", text);
}

/* A certificate without a common name is nobody's; one that does not verify is a bad credential. */
static bool certificate_user(const HttpdClient *client, User *out)
{
	if (!client || client->refused || !client->name || !*client->name)
		return false;
	out->name = mem_strdup(client->name);
	out->uid = mem_strdup("");
	for (size_t i = 0; i < client->organizations.len; i++)
		user_add_group(out, client->organizations.items[i]);
	user_add_group(out, "system:authenticated");
	auth_set_credential_id(out, "X509SHA256", client->sha256);
	return true;
}

static bool unauthorized(Status *status)
{
	return status_set(status, 401, "Unauthorized", "Unauthorized");
}

/* The certificate counts before the token, and each where the other is bad (A7). */
static bool first_identity(ApiServer *server, HttpdRequest *http, User *out, Status *status)
{
	const HttpdClient *client = httpd_client(http);
	if (certificate_user(client, out))
		return true;
	const char *header = httpd_header(http, "Authorization");
	bool bearer = header && strncasecmp(header, "Bearer ", 7) == 0;
	autofree char *token = str_dup(str_trim(str_of(bearer ? header + 7 : "")));
	/* Other schemes, and nothing behind the word, are no credential at all (A6). */
	if (*token) {
		autojson json_t *audiences = NULL;
		return auth_token_user(server, token, NULL, out, &audiences) ||
		       unauthorized(status);
	}
	if (client && client->refused)
		return unauthorized(status);
	out->name = mem_strdup("system:anonymous");
	out->uid = mem_strdup("");
	user_add_group(out, "system:unauthenticated");
	return true;
}

bool auth_identify(ApiServer *server, HttpdRequest *http, User *out, Status *status)
{
	return first_identity(server, http, out, status) &&
	       auth_impersonate(server, http, out, status);
}
