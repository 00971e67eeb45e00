/*
 * A request on its way through the server: what the path means, who asks, which options it has.
 * Lives on the handler thread's stack; strings belong to it or to the HTTP request.
 */
#ifndef APISERVER_REQUEST_H
#define APISERVER_REQUEST_H

#include "base/vec.h"
#include "net/httpd.h"

#include "kinds.h"
#include "status_error.h"

typedef struct ApiServer ApiServer;

/* A path and method, taken apart. Empty strings for what is not there. */
typedef struct {
	bool is_resource; /* /api/V/... or /apis/G/V/... with a resource */
	char *verb;	  /* get list watch create update patch delete deletecollection; else the
			     method in lower case */
	char *group, *version, *ns, *plural, *name, *subresource;
} RequestPath;

/* Parses; `watch` says whether the query asks to watch. False (404) for paths that cannot be. */
bool request_path_parse(const char *method, const char *path, bool watch, RequestPath *out);
void request_path_dispose(RequestPath *path);
#define autorequestpath __attribute__((cleanup(request_path_dispose)))

typedef struct {
	char *name;
	char *uid;
	Vec groups;    /* of char *, owned */
	json_t *extra; /* {key: [values]} or NULL */
} User;

void user_dispose(User *user);
#define autouser __attribute__((cleanup(user_dispose)))
void user_add_group(User *user, const char *group);
bool user_in_group(const User *user, const char *group);

typedef enum { VIEW_PLAIN, VIEW_PARTIAL, VIEW_TABLE } ViewFormat;

/* How the client wants objects. */
typedef struct {
	ViewFormat format;
	bool yaml;
	bool pretty;
	bool table_objects; /* includeObject=Object: rows carry the whole object */
	bool table_bare;    /* includeObject=None */
} View;

typedef struct {
	ApiServer *server;
	HttpdRequest *http;
	RequestPath path;
	Resource *resource; /* NULL when the path is none */
	User user;
	View view;
	bool dry_run;
	const char *validation; /* Ignore, Warn, Strict */
	char manager[129];	/* fieldManager, or the product of User-Agent */
	json_t *twice; /* of the body: what to tell of keys that stand twice; owned, may be NULL */
	bool twice_yaml; /* the lines are those of a YAML parser */
} Request;

/* Options of the query that writes share; refuses bad ones. */
bool request_read_options(Request *request, Status *status);

/* The first Accept clause that we can serve; 406 else. */
bool request_negotiate(Request *request, Status *status);

/* The body as an object, JSON or YAML by Content-Type (415, 400, 413). Owned; NULL on refusal.
 * Unless fieldValidation is Ignore, keys that stand twice go to request->twice. */
json_t *request_body(Request *request, Status *status);

/* Those keys as a strict decoder's error has them, appended to `out`. */
void request_put_twice(const Request *request, Buf *out);

bool request_flag(Request *request, const char *name);

/* Replies. The object is rendered as the view wants; raw values are written as they are. */
void request_reply_object(Request *request, int code, json_t *object);
void request_reply_json(Request *request, int code, const json_t *value);
void request_reply_status(Request *request, const Status *status);

/* Adds a `Warning: 299` header. */
void request_warn(Request *request, const char *text);

#endif
