/* What the Git types share: the repository that the address names, the commit that the event is
 * about (notification.md 7). */
#ifndef NOTIFY_REPOSITORY_H
#define NOTIFY_REPOSITORY_H

#include "notify/notify_internal.h"

typedef struct {
	char *origin; /* "https://host[:port]" */
	char *host;
	char *id;	   /* the path without "/" in front and ".git" behind */
	char *parts[4];	   /* the id's, NULL beyond part_count */
	size_t part_count; /* more than four: 5 */
} Repository;

void repository_dispose(Repository *repository);
#define autorepository __attribute__((cleanup(repository_dispose)))

/* Addresses of http, https, ssh and the short form "user@host:path". */
bool repository_parse(const NotifyTarget *target, Repository *out, Error *err) MUST_USE;

/* As repository_parse for an id of exactly so many parts. */
bool repository_parse_parts(const NotifyTarget *target, size_t parts, Repository *out,
			    Error *err) MUST_USE;

enum { COMMIT_SIZE = 41 };

/* The commit's 40 hex digits (N67). */
bool repository_commit(const json_t *event, char out[COMMIT_SIZE], Error *err) MUST_USE;

#endif
