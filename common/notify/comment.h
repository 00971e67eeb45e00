/* Comments of change requests: one per object, found again by a marker and then edited (N74). */
#ifndef NOTIFY_COMMENT_H
#define NOTIFY_COMMENT_H

#include "notify/repository.h"

/* How a forge does it. */
typedef struct {
	const char *marker;	 /* "flux-pr-comment-key" */
	const char *edit_method; /* "PATCH" */
	const char *author[2];	 /* a comment's author's login, by path */
	const char *user_login;	 /* the own login in the reply to user_url */
} CommentForge;

typedef struct {
	char *user_url;	  /* whose login is ours; NULL: comment_set_login tells it */
	char *list_url;	  /* the first hundred, oldest first */
	char *create_url; /* POST here */
	char *edit_url;	  /* and "/ID" */
} CommentPlaces;

/* *out becomes the first request; takes what the places own. The caller adds credentials, which the
 * requests that follow keep. */
void comment_start(const NotifyTarget *target, const json_t *event, const CommentForge *forge,
		   CommentPlaces *take_places, NotifyRequest *out);

/* Told under which name our comments appear, before the list is read; `state` is the request's. */
void comment_set_login(void *state, const char *login);

/* The number in change_request, a decimal integer; NULL and err when it is none. Borrowed. */
const char *comment_request_number(const json_t *event, Error *err);

#endif
