/* Which host keys to trust: OpenSSH's known_hosts format (sshd(8)), matched as source.md 3 has it:
 * host and port together, a port that is not given being 22. */
#ifndef GIT_KNOWN_HOSTS_H
#define GIT_KNOWN_HOSTS_H

#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

typedef struct KnownHosts KnownHosts;

/* ERR_INVALID with the number of the first bad line. Owned by the caller. */
KnownHosts *known_hosts_parse(const char *text, Error *err) MUST_USE;
void known_hosts_free(KnownHosts *hosts);
AUTO_POINTER(KnownHosts, known_hosts_free, auto_known_hosts);
#define autoknownhosts __attribute__((cleanup(auto_known_hosts)))

typedef enum {
	KNOWN_HOST_OK,
	KNOWN_HOST_UNKNOWN,   /* no line speaks of this host */
	KNOWN_HOST_CHANGED,   /* lines do, but with other keys */
	KNOWN_HOST_AUTHORITY, /* only a @cert-authority does, and this is a bare key */
	KNOWN_HOST_REVOKED,
} KnownHostVerdict;

/* Judges a host key in SSH's wire form. */
KnownHostVerdict known_hosts_check(const KnownHosts *hosts, const char *host, int port,
				   const void *key, size_t key_len);

/* The host key algorithms to offer, comma-separated: the types of the keys known for the host, of
 * all keys when there are none; ssh-rsa stands for rsa-sha2-512, rsa-sha2-256, ssh-rsa (S35). NULL
 * for an empty file. Owned. */
char *known_hosts_algorithms(const KnownHosts *hosts, const char *host, int port);

/* Whether an authority is known for the host, so that its certificate counts. */
bool known_hosts_has_authority(const KnownHosts *hosts, const char *host, int port) MUST_USE;
bool known_hosts_has_key(const KnownHosts *hosts, const char *host, int port) MUST_USE;

/* A file for OpenSSH that holds what counts for this host alone: its keys and authorities, and what
 * is revoked. Its patterns are "*", so that nobody matches a second time. Owned. */
char *known_hosts_for(const KnownHosts *hosts, const char *host, int port);

#endif
