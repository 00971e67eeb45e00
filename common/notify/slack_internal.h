/* Slack's message, which discord and rocket take too. */
#ifndef NOTIFY_SLACK_INTERNAL_H
#define NOTIFY_SLACK_INTERNAL_H

#include "notify/notify_internal.h"

typedef struct {
	const char *channel, *username, *fallback; /* NULL: empty */
	const char *good, *bad;			   /* colors of info and error */
} SlackStyle;

/* Owned; NULL when a text is not UTF-8. */
json_t *slack_message(const json_t *event, const SlackStyle *style);

/* The Provider's username, else the reporting controller. */
const char *slack_username(const NotifyTarget *target, const json_t *event);

#endif
