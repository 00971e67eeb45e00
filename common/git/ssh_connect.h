/* A TCP connection by libcurl, which knows names, addresses, proxies and time limits. */
#ifndef GIT_SSH_CONNECT_H
#define GIT_SSH_CONNECT_H

#include <curl/curl.h>

#include "git/remote_internal.h"

/* *out_fd is a descriptor of its own for the connection; the handle keeps curl's until
 * curl_easy_cleanup. `transport` says until when, and whether it is still wanted. */
CURL *git_ssh_connect(const GitRemote *remote, const GitTransport *transport, int *out_fd,
		      Error *err) MUST_USE;

#endif
