/* The WWW-Authenticate header (RFC 7235 section 4.1), as far as registries use it. */
#ifndef OCI_CHALLENGE_H
#define OCI_CHALLENGE_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/str.h"

typedef enum { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER } ChallengeKind;

/* All strings owned, NULL when absent. */
typedef struct {
	ChallengeKind kind;
	char *realm;   /* where tokens come from */
	char *service; /* what they are for */
	char *scope;   /* what the refused request needs */
} Challenge;

void challenge_dispose(Challenge *challenge);
#define autochallenge __attribute__((cleanup(challenge_dispose)))

/* Copies *from into *to, which must be empty. */
void challenge_copy(Challenge *to, const Challenge *from);

/* The first Basic or Bearer challenge among those of one header value; false when there is none. */
bool challenge_parse(Str header, Challenge *out);

#endif
