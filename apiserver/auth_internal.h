/* What auth.c, auth_impersonate.c, jwt.c, rbac.c and review.c share. */
#ifndef APISERVER_AUTH_INTERNAL_H
#define APISERVER_AUTH_INTERNAL_H

#include <openssl/evp.h>

#include "auth.h"

typedef struct {
	char *token;
	User user;
} StaticToken;

struct Auth {
	Vec tokens; /* of StaticToken *; immutable after start */
	EVP_PKEY *key;
};

/* The P-256 key in a PEM file, made when the file is not there. */
EVP_PKEY *auth_key_load(const char *file, Error *err);

/* A JWT of ours with these claims; owned, NULL when the key does not sign. */
char *auth_sign(const Auth *auth, const json_t *claims);

/* The ServiceAccount behind a JWT of ours. */
bool auth_jwt_user(ApiServer *server, const char *token, const json_t *audiences, User *out,
		   json_t **out_audiences);

/* Which credential it was, under the key that upstream has for it: KIND=ID. */
void auth_set_credential_id(User *user, const char *kind, const char *id);

/* The groups that a ServiceAccount of the namespace has by itself. */
void auth_add_account_groups(User *user, const char *ns);

/* Makes *user the one that Impersonate-* headers ask for; 403 when that is not allowed. */
bool auth_impersonate(ApiServer *server, HttpdRequest *http, User *user, Status *status);

#endif
