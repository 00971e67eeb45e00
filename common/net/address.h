/*
 * What kind of place a host or a socket address is, for redirects: a reply of one host must not
 * make us ask another one that only we can reach, such as a daemon on this machine or the cloud's
 * metadata service.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum {
	ADDRESS_PUBLIC,
	ADDRESS_PRIVATE,  /* RFC 1918, RFC 4193: another machine's, perhaps a cluster's */
	ADDRESS_INTERNAL, /* unspecified, loopback, link-local, metadata services */
} AddressKind;

/*
 * Of a URL's host, without brackets, in all the forms that resolvers take ("127.1", "2130706433",
 * "0x7f.1"). Names count as public, but for "localhost" and below; disguised ones (percent-encoded,
 * not ASCII) as internal.
 */
AddressKind address_kind_of_host(const char *host);

/* Of what a name was resolved to. Other families than IPv4 and IPv6 are no network: public. */
AddressKind address_kind(const struct sockaddr *address);

/* Its port, or 0. */
int address_port(const struct sockaddr *address);

/* True when a reply of host `from` that leads to host `to` leads elsewhere, and `from` is not
 * internal itself: `to` must then not be internal, nor resolve to what is. */
bool address_is_elsewhere(const char *from, const char *to);

/* The same for a URL that host `named_by` names; of what is no URL true. False for NULL: nobody
 * minds. */
bool address_leads_elsewhere(const char *named_by, const char *url);

#endif
