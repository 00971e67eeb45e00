/*
 * Who asks (bearer tokens, client certificates, ServiceAccount tokens, impersonation) and whether
 * they may (RBAC read from the store at each question, so that a new binding counts at once).
 * kube-api.md 2.8.
 */
#ifndef APISERVER_AUTH_H
#define APISERVER_AUTH_H

#include "request.h"

typedef struct Auth Auth;

/* Reads the token file ("token,user,uid[,\"group,group\"]" lines; NULL: none) and makes or loads
 * the key of ServiceAccount tokens in data_dir. `admin_token` is a member of system:masters. */
Auth *auth_new(const char *data_dir, const char *token_file, const char *admin_token, Error *err);
void auth_free(Auth *auth);

/* The caller, after impersonation. 401 for a bad credential; without one system:anonymous. */
bool auth_identify(ApiServer *server, HttpdRequest *http, User *out, Status *status);

/* Whom tokens are for that the API server itself takes. */
#define AUTH_AUDIENCE "https://kubernetes.default.svc"

/* The user behind a bearer token that is meant for one of the audiences (NULL: the API server);
 * *out_audiences: for which of them, owned. False when there is none. */
bool auth_token_user(ApiServer *server, const char *token, const json_t *audiences, User *out,
		     json_t **out_audiences);

/* What binds a token of the namespace to an object (TokenRequest's boundObjectRef): it ends with
 * it. *out_claims is owned. 404, 409 or 400. */
bool auth_bind(ApiServer *server, const char *ns, const json_t *reference, json_t **out_claims,
	       Status *status);

/* A ServiceAccount's token: a JWT signed ES256, valid for seconds. `bound`: auth_bind's, or NULL.
 * Owned. */
char *auth_issue(ApiServer *server, const json_t *account, const json_t *audiences,
		 const json_t *bound, int64_t seconds, int64_t *out_expires_ms);

/* The public key set for /openid/v1/jwks; owned. */
json_t *auth_jwks(const Auth *auth);

/* One question to RBAC. Empty strings for what does not apply. */
typedef struct {
	const char *verb;
	const char *group, *resource, *subresource, *ns, *name;
	const char *path; /* non-resource URL, or NULL */
} Access;

/* True when a rule allows it. */
bool auth_allows(ApiServer *server, const User *user, const Access *access);

/* All rules that hold for a user in a namespace: {"resource": [...], "path": [...]}; owned. */
json_t *auth_rules(ApiServer *server, const User *user, const char *ns);

/* 403 unless the request's user may do what the request asks. */
bool auth_authorize(Request *request, Status *status);
/* The same of "create": an apply or update of what is not there makes it. */
bool auth_authorize_create(Request *request, Status *status);

/* Nobody grants in roles and bindings what they do not hold themselves. */
bool auth_check_escalation(Request *request, const json_t *object, Status *status);

/* Reviews and TokenRequest: answers, or refuses. */
bool handle_review(Request *request, Status *status);
bool handle_token_request(Request *request, Status *status);

#endif
