/* One operation over a transport: advertisement, then a list or a fetch. Tests bring a transport of
 * their own. */
#ifndef GIT_SESSION_H
#define GIT_SESSION_H

#include "git/git.h"
#include "git/protocol.h"
#include "git/transport.h"

/*
 * `known` (may be NULL) keeps a protocol 2 server's capabilities between operations over a
 * stateless transport: the second one needs no advertisement. Borrowed.
 */
bool git_session_list(GitTransport *transport, GitCaps *known, const char *const *prefixes,
		      GitRefs *out, Error *err) MUST_USE;
bool git_session_fetch(GitTransport *transport, GitCaps *known, GitStore *store,
		       const GitFetch *fetch, uint64_t *out_bytes, Error *err) MUST_USE;

#endif
