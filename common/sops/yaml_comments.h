/* Comments of a YAML text, which libyaml leaves out: found between its events. */
#ifndef SOPS_YAML_COMMENTS_H
#define SOPS_YAML_COMMENTS_H

#include <yaml.h>

#include "base/str.h"
#include "base/vec.h"

typedef struct {
	Str text;    /* what follows the "#", borrowed from the file */
	size_t line; /* 0-based */
	size_t column;
	bool own_line; /* nothing stands in front of it on its line */
} Comment;

/* The comments that were passed and belong to no node yet. */
typedef struct {
	Str text;
	size_t *lines; /* offset of each line; owned */
	size_t line_count;
	yaml_mark_t passed; /* all before is known */
	size_t passed_at;   /* its offset */
	Vec pending;	    /* Comment *, owned, from `first` on */
	size_t first;
} Comments;

void comments_init(Comments *comments, Str text);
void comments_dispose(Comments *comments);

/* Gathers what lies between the last event and this one, and in a block scalar's head. */
void comments_pass(Comments *comments, const yaml_event_t *event);

/* The first pending comment, borrowed or taken off and owned; NULL when there is none. */
const Comment *comments_peek(const Comments *comments);
Comment *comments_take(Comments *comments);

/* Puts a comment behind the pending ones. */
void comments_put(Comments *comments, Comment *take_comment);

#endif
