/* Reviews: questions posted as objects and answered in their status; TokenRequest. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "auth_internal.h"
#include "object.h"
#include "server.h"
#include "write.h"

enum { TOKEN_SECONDS = 3600, TOKEN_SECONDS_MIN = 600 };
static const int64_t TOKEN_SECONDS_MAX = 1LL << 32;

static bool ask(Request *request, const User *user, const json_t *spec)
{
	const json_t *resource = json_map(spec, "resourceAttributes");
	const json_t *path = json_map(spec, "nonResourceAttributes");
	Access access = {json_text_or(resource ? resource : path, "verb", ""),
			 json_text_or(resource, "group", ""),
			 json_text_or(resource, "resource", ""),
			 json_text_or(resource, "subresource", ""),
			 json_text_or(resource, "namespace", ""),
			 json_text_or(resource, "name", ""),
			 resource ? NULL : json_text_or(path, "path", "")};
	return auth_allows(request->server, user, &access);
}

static void review_self_access(Request *request, json_t *object)
{
	bool allowed = ask(request, &request->user, json_map(object, "spec"));
	json_object_set_new(object, "status", json_pack("{s:b}", "allowed", allowed));
}

static void review_access(Request *request, json_t *object)
{
	const json_t *spec = json_map(object, "spec");
	autouser User user = {.name = mem_strdup(json_text_or(spec, "user", ""))};
	json_t *groups = json_list(spec, "groups");
	for (size_t i = 0; i < json_array_size(groups); i++)
		if (json_is_string(json_array_get(groups, i)))
			user_add_group(&user, json_string_value(json_array_get(groups, i)));
	bool allowed = ask(request, &user, spec);
	json_object_set_new(object, "status", json_pack("{s:b}", "allowed", allowed));
}

static void review_rules(Request *request, json_t *object)
{
	const char *ns = json_text_or(json_map(object, "spec"), "namespace", "");
	autojson json_t *rules = auth_rules(request->server, &request->user, ns);
	json_object_set_new(object, "status",
			    json_pack("{s:O,s:O,s:b}", "resourceRules",
				      json_list(rules, "resource"), "nonResourceRules",
				      json_list(rules, "path"), "incomplete", 0));
}

static json_t *user_json(const User *user)
{
	json_t *info = json_object();
	json_put_text(info, "username", user->name);
	if (!cstr_empty(user->uid))
		json_put_text(info, "uid", user->uid);
	json_t *groups = json_array();
	for (size_t i = 0; i < user->groups.len; i++)
		json_array_append_new(groups, json_string(user->groups.items[i]));
	json_object_set_new(info, "groups", groups);
	if (user->extra)
		json_object_set(info, "extra", user->extra);
	return info;
}

static void review_self(Request *request, json_t *object)
{
	autofree char *now = object_now();
	json_put_text(json_make_at(object, "metadata", NULL), "creationTimestamp", now);
	json_object_set_new(object, "status",
			    json_pack("{s:o}", "userInfo", user_json(&request->user)));
}

static void review_token(Request *request, json_t *object)
{
	autouser User user = {0};
	const char *token = json_text_or(json_map(object, "spec"), "token", "");
	json_t *state = json_object();
	const json_t *wanted = json_list(json_map(object, "spec"), "audiences");
	json_t *audiences = NULL;
	if (auth_token_user(request->server, token, wanted, &user, &audiences)) {
		json_object_set_new(state, "audiences", audiences);
		json_object_set_new(state, "authenticated", json_true());
		json_object_set_new(state, "user", user_json(&user));
	} else {
		json_put_text(state, "error", "invalid bearer token");
	}
	json_object_set_new(object, "status", state);
}

static bool refuse_review(const Request *request, const char *field, const char *text,
			  Status *status)
{
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Invalid value", field, "%s", text);
	return field_errors_check(&errors, request->resource->kind, request->resource->group, "",
				  status);
}

/* Questions that say what they are about, once, and about whom. */
static bool check_access_review(const Request *request, const json_t *object, Status *status)
{
	const json_t *spec = json_map(object, "spec");
	const json_t *resource = json_map(spec, "resourceAttributes");
	const json_t *path = json_map(spec, "nonResourceAttributes");
	bool local = strcmp(request->resource->plural, "localsubjectaccessreviews") == 0;
	if (resource && path)
		return refuse_review(request, "spec.nonResourceAttributes",
				     "cannot be specified in combination with resourceAttributes",
				     status);
	if (!resource && !path)
		return refuse_review(request, "spec.resourceAttributes",
				     "null: exactly one of nonResourceAttributes or "
				     "resourceAttributes must be specified",
				     status);
	bool self = strcmp(request->resource->plural, "selfsubjectaccessreviews") == 0;
	if (!self && !*json_text_or(spec, "user", "") &&
	    json_array_size(json_list(spec, "groups")) == 0)
		return refuse_review(request, "spec.user",
				     "\"\": at least one of user or group must be specified",
				     status);
	const char *ns = json_text_or(resource, "namespace", "");
	autofree char *text = mem_printf("\"%s\": must match metadata.namespace", ns);
	if (local && strcmp(ns, request->path.ns) != 0)
		return refuse_review(request, "spec.resourceAttributes.namespace", text, status);
	return true;
}

static bool check_review(const Request *request, const json_t *object, Status *status)
{
	const char *plural = request->resource->plural;
	const json_t *spec = json_map(object, "spec");
	if (strcmp(plural, "tokenreviews") == 0 && !*json_text_or(spec, "token", ""))
		return status_bad_request(status,
					  "token is required for TokenReview in authentication");
	if (strcmp(plural, "selfsubjectrulesreviews") == 0 && !*json_text_or(spec, "namespace", ""))
		return status_bad_request(status, "no namespace on request");
	if (strstr(plural, "accessreviews"))
		return check_access_review(request, object, status);
	return true;
}

static const struct {
	const char *plural;
	void (*review)(Request *request, json_t *object);
} reviews[] = {
	{"selfsubjectaccessreviews", review_self_access},
	{"subjectaccessreviews", review_access},
	{"localsubjectaccessreviews", review_access},
	{"selfsubjectrulesreviews", review_rules},
	{"selfsubjectreviews", review_self},
	{"tokenreviews", review_token},
};

bool handle_review(Request *request, Status *status)
{
	autojson json_t *object = request_body(request, status);
	if (!object)
		return false;
	for (size_t i = 0; i < COUNT(reviews); i++) {
		if (strcmp(reviews[i].plural, request->resource->plural) != 0)
			continue;
		if (!write_check_identity(request, object, status) ||
		    !check_review(request, object, status))
			return false;
		reviews[i].review(request, object);
		request_reply_object(request, 201, object);
		return true;
	}
	return status_set(status, 405, "MethodNotAllowed",
			  "the server does not allow this method on the requested resource");
}

bool handle_token_request(Request *request, Status *status)
{
	autojson json_t *account = write_live(request, status);
	autojson json_t *object = account ? request_body(request, status) : NULL;
	if (!object)
		return false;
	const char *kind = json_text_or(object, "kind", "TokenRequest");
	if (strcmp(kind, "TokenRequest") != 0)
		return status_bad_request(
			status, "%s in version \"v1\" cannot be handled as a TokenRequest", kind);
	json_t *spec = json_make_at(object, "spec", NULL);
	if (json_array_size(json_list(spec, "audiences")) == 0)
		json_object_set_new(spec, "audiences", json_pack("[s]", AUTH_AUDIENCE));
	int64_t seconds = json_int(spec, "expirationSeconds", TOKEN_SECONDS);
	if (seconds < TOKEN_SECONDS_MIN || seconds > TOKEN_SECONDS_MAX) {
		autofielderrors FieldErrors errors = {0};
		field_error(&errors, "Invalid value", "spec.expirationSeconds",
			    "%lld: may not specify a duration %s", (long long)seconds,
			    seconds < TOKEN_SECONDS_MIN ? "less than 10 minutes"
							: "larger than 2^32 seconds");
		/* The real server names none here either. */
		return field_errors_check(&errors, "TokenRequest", "authentication.k8s.io", "",
					  status);
	}
	json_object_set_new(spec, "expirationSeconds", json_integer(seconds));
	const json_t *reference = json_map(spec, "boundObjectRef");
	autojson json_t *bound = NULL;
	if (reference && !auth_bind(request->server, request->path.ns, reference, &bound, status))
		return false;
	int64_t expires_ms = 0;
	autofree char *token = auth_issue(request->server, account, json_list(spec, "audiences"),
					  bound, seconds, &expires_ms);
	if (!token)
		return status_set(status, 500, "InternalError", "the token could not be signed");
	char expires[CLOCK_TEXT_SIZE];
	clock_format(expires_ms, expires);
	json_put_text(object, "kind", "TokenRequest");
	json_put_text(object, "apiVersion", "authentication.k8s.io/v1");
	json_t *meta = json_make_at(object, "metadata", NULL);
	json_put_text(meta, "name", request->path.name);
	json_put_text(meta, "namespace", request->path.ns);
	json_object_set_new(object, "status",
			    json_pack("{s:s,s:s}", "token", token, "expirationTimestamp", expires));
	request->view.format = VIEW_PLAIN;
	request_reply_json(request, 201, object);
	return true;
}
