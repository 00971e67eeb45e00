/* The proxies that the environment names. */
#ifndef NET_PROXY_ENV_H
#define NET_PROXY_ENV_H

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

#endif
