/* GitHub's REST API: where it is, and as whom. */
#ifndef NOTIFY_GITHUB_API_H
#define NOTIFY_GITHUB_API_H

#include "notify/repository.h"

/* ".../repos/OWNER/REPO" of github.com or of a host of one's own (N70). Owned. */
char *github_api(const Repository *repository);

/* The API's root of the same host; owned. */
char *github_api_root(const Repository *repository);

/* Told under which name comments of the App appear, before the request that it is for is sent. */
typedef void GithubLogin(void *state, const char *login);

/*
 * Puts credentials on the first request of a delivery: the token, else the password; else those of
 * a GitHub App, whose token is fetched beforehand and kept. `login`, when not NULL, is called with
 * take_first's state if an App acts. Takes the request; *out is what to send first.
 */
bool github_authorize(const NotifyTarget *target, NotifyRequest *take_first, GithubLogin *login,
		      NotifyRequest *out, Error *err) MUST_USE;

#endif
