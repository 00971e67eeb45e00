/* Why an object is not what somebody waits for, in words for people. */
#ifndef KUBE_WHY_H
#define KUBE_WHY_H

#include "kube/client.h"
#include "kube/kstatus.h"

enum {
	WHY_ASKED_MAX = 3,	/* objects of which the end of a wait says what their pods say */
	WHY_TEXT_MAX = 500,	/* bytes of what one says */
	WHY_TIMEOUT_MS = 10000, /* the wait is over: what is slow to answer is left out */
};

/* What a live object says itself of being in that state: the reason of kstatus, where that judges
 * the same; where it judges otherwise, or the object only says that it is at work, the message of
 * its Stalled or Ready condition. Bounded. Owned; NULL: nothing. */
char *why_of(const json_t *object, KstatusCode code);

/* The message of its Stalled or Ready condition alone: for who asks no kstatus. The same. */
char *why_of_conditions(const json_t *object);

/* `said`, or NULL, and behind it what the object's first pod in trouble says: one request at most,
 * for what has pods. Pods that may not be read say nothing. Of the object only its kind, names and
 * selector count. Owned; NULL: neither is there. */
char *why_with_pods(KubeClient *client, const json_t *object, const char *said);

#endif
