/* The proxies that the environment names. */
#ifndef NET_PROXY_ENV_H
#define NET_PROXY_ENV_H

#include "base/auto.h"

/*
 * Puts HTTP_PROXY, HTTPS_PROXY and NO_PROXY as Go's programs read them into the names and forms
 * that curl reads, for all HttpClients with env_proxy: names in capitals come first (HTTP_PROXY not
 * where REQUEST_METHOD says that a client of CGI may have set it), this machine itself needs no
 * proxy, "*.name" in NO_PROXY is ".name", one "*" among others is all, and a socks5 proxy resolves
 * names itself. ALL_PROXY stays what it is for curl.
 *
 * Before the first thread and the first HttpClient: it writes the environment.
 */
void proxy_env_settle(void);

/* The exemptions for a request to that URL as CURLOPT_NOPROXY wants them, where an entry of
 * NO_PROXY has a port ("name:8443", "[::1]:80"), which curl does not know: it counts for that port
 * alone. NULL where none has. Owned. */
char *proxy_env_exempt(const char *url);

#endif
