/*
 * Bearer tokens of ServiceAccounts (A8): the bytes as a token, and, where they are JSON, as claims
 * that the server's own key has signed, for mutations would never get past the signature. No crash;
 * whom a token names is the account that is there, and only until the token ends.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth_internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "server.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { CLAIMS_MAX = 16 * 1024 };

/* With one account and a Pod that tokens may be bound to. Its files are gone at once: an open store
 * needs no names for them. */
static ApiServer *start(void)
{
	static const StoreKey account = {"serviceaccounts", "default", "robot"};
	static const StoreKey pod = {"pods", "default", "p"};
	autoerror Error err = {0};
	char *dir = dir_make_temp("/tmp", "fuzz-token", &err);
	ApiServer *server = mem_zalloc(1, sizeof(*server));
	server->auth = dir ? auth_new(dir, NULL, "admin", &err) : NULL;
	server->store = server->auth ? store_open(dir, &err) : NULL;
	autojson json_t *robot = json_pack("{s:{s:s,s:s,s:s}}", "metadata", "name", "robot",
					   "namespace", "default", "uid", "u");
	autojson json_t *held = json_pack("{s:{s:s,s:s,s:s}}", "metadata", "name", "p", "namespace",
					  "default", "uid", "v");
	if (!server->store || !store_create(server->store, &account, robot, NULL, &err) ||
	    !store_create(server->store, &pod, held, NULL, &err))
		abort();
	if (!dir_remove(dir, &err))
		abort();
	free(dir);
	return server;
}

static bool is_taken(ApiServer *server, const char *token)
{
	User user = {0};
	autojson json_t *asked = json_pack("[s]", AUTH_AUDIENCE);
	autojson json_t *audiences = NULL;
	bool taken = auth_jwt_user(server, token, asked, &user, &audiences);
	if (taken && (!user.name || strcmp(user.uid, "u") != 0 || json_array_size(audiences) != 1))
		abort();
	user_dispose(&user);
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static ApiServer *server;
	if (!server)
		server = start();
	autofree char *text = str_dup(str_sized((const char *)bytes, size));
	if (is_taken(server, text)) /* the key was made a moment ago */
		abort();
	autoerror Error err = {0};
	autojson json_t *claims = json_parse((const char *)bytes, size, CLAIMS_MAX, &err);
	autofree char *token = json_is_object(claims) ? auth_sign(server->auth, claims) : NULL;
	if (token && is_taken(server, token) &&
	    json_int(claims, "exp", 0) <= clock_wall_ms() / 1000)
		abort();
	return 0;
}
