/*
 * The write pipeline (kube-api.md 2.1): decode and prune, default, managed fields, the kind's own
 * preparation, validation, admission, commit. Handlers of each verb put its steps together; inner
 * writers (garbage collector, seeds) come through write_inner_*.
 */
#ifndef APISERVER_WRITE_H
#define APISERVER_WRITE_H

#include "request.h"

/* What a written object came to. */
typedef struct {
	json_t *object; /* owned */
	bool created;
	bool deleted; /* the update removed the last finalizer */
	char *text;   /* the object's as it was stored, owned; NULL when it was not stored */
} Written;

static inline void written_dispose(Written *written)
{
	json_decref(written->object);
	free(written->text);
	*written = (Written){0};
}
#define autowritten __attribute__((cleanup(written_dispose)))

/* Kinds that cannot be updated unconditionally: the object must say which version it is of. */
bool write_check_versioned(const Request *request, const json_t *object, Status *status);

/* Kind, apiVersion, name and namespace of a body against the path; fills what is absent. */
bool write_check_identity(Request *request, json_t *object, Status *status);

/* That an object which is to replace the path's one has a name at all. */
bool write_check_name(const Request *request, const json_t *object, Status *status);

/* 413 for an object whose text is too large to be stored. */
bool write_check_size(const json_t *object, Status *status);

/* The same before much is done with it, where the body is so large that it may be. */
bool write_check_body(const Request *request, const json_t *object, Status *status);

/* Answers with what was written. */
void write_reply(Request *request, int code, Written *written);

/* Warns of keys that stand twice in the body, where that is what fieldValidation says. */
void write_warn_twice(Request *request);

/* Unknown fields and those given twice as fieldValidation says, types, quantities, defaults. */
bool write_decode(Request *request, json_t *object, Status *status);

/* What is left of a merged object in the server's own types, and defaults (after an apply). */
bool write_settle(Request *request, json_t *object, Status *status);

/* Creates. `managed`: managedFields are already right (apply). */
bool write_create(Request *request, json_t *object, bool managed, Written *out, Status *status);

/* Stores `object` as the next state of `live`. */
bool write_update(Request *request, json_t *live, json_t *object, bool managed, Written *out,
		  Status *status);

/* The live object of the path; NULL with 404. Owned. */
json_t *write_live(Request *request, Status *status);

/* Deletes a live object as the options (DeleteOptions, or NULL) say; *out is what to answer with.
 */
bool write_delete(Request *request, json_t *live, const json_t *options, json_t **out,
		  Status *status);

/* True when a refusal is a lost race that a retry may win. */
bool write_lost_race(const Status *status);

/* A request of the server's own making: no HTTP, user system:apiserver. */
void write_inner_request(ApiServer *server, Resource *resource, const char *ns, const char *name,
			 Request *out);
void write_inner_dispose(Request *request);
#define autoinner __attribute__((cleanup(write_inner_dispose)))

/* Creates an object unless it is there. False when it could not be made. */
bool write_inner_ensure(ApiServer *server, const char *api_version, const char *kind,
			json_t *object, Status *status);

/* Verbs as handlers: they answer, or refuse. */
bool handle_create(Request *request, Status *status);
bool handle_update(Request *request, Status *status);
bool handle_patch(Request *request, Status *status);
bool handle_delete(Request *request, Status *status);
bool handle_delete_collection(Request *request, Status *status);

/* Server-side apply, for handle_patch. */
bool apply_patch(Request *request, Status *status);

/* The scale subresource. */
bool handle_scale(Request *request, Status *status);

#endif
