/* Kinds of addresses: tables of networks. */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/mem.h"
#include "net/url.h"

static AddressKind kind_of_v4(uint32_t value)
{
	static const struct {
		uint32_t net, mask;
		AddressKind kind;
	} rows[] = {
		{0x00000000, 0xff000000, ADDRESS_INTERNAL}, /* "this network": this host */
		{0x7f000000, 0xff000000, ADDRESS_INTERNAL}, /* loopback */
		{0xa9fe0000, 0xffff0000, ADDRESS_INTERNAL}, /* link-local, cloud metadata */
		{0x646464c8, 0xffffffff, ADDRESS_INTERNAL}, /* Alibaba's metadata */
		{0xc00000c0, 0xffffffff, ADDRESS_INTERNAL}, /* Oracle's metadata */
		{0xe0000000, 0xffffff00, ADDRESS_INTERNAL}, /* link-local multicast */
		{0xffffffff, 0xffffffff, ADDRESS_INTERNAL}, /* broadcast */
		{0x0a000000, 0xff000000, ADDRESS_PRIVATE},
		{0xac100000, 0xfff00000, ADDRESS_PRIVATE},
		{0xc0a80000, 0xffff0000, ADDRESS_PRIVATE},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if ((value & rows[i].mask) == rows[i].net)
			return rows[i].kind;
	return ADDRESS_PUBLIC;
}

/* The IPv4 address that lies in an IPv6 one, if any: mapped, compatible, NAT64 (RFC 6052). */
static bool embedded_v4(const struct in6_addr *v6, uint32_t *out)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	struct in_addr v4;
	if (!IN6_IS_ADDR_V4MAPPED(v6) && !IN6_IS_ADDR_V4COMPAT(v6) &&
	    memcmp(v6->s6_addr, nat64, sizeof(nat64)) != 0)
		return false;
	memcpy(&v4, &v6->s6_addr[12], sizeof(v4));
	*out = ntohl(v4.s_addr);
	return true;
}

static AddressKind kind_of_v6(const struct in6_addr *v6)
{
	static const struct in6_addr aws_metadata = {
		{{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54}}};
	uint32_t v4;
	if (IN6_IS_ADDR_LOOPBACK(v6) || IN6_IS_ADDR_UNSPECIFIED(v6) || IN6_IS_ADDR_LINKLOCAL(v6) ||
	    IN6_IS_ADDR_MC_LINKLOCAL(v6) || memcmp(v6, &aws_metadata, sizeof(*v6)) == 0)
		return ADDRESS_INTERNAL;
	if (embedded_v4(v6, &v4))
		return kind_of_v4(v4);
	return (v6->s6_addr[0] & 0xfe) == 0xfc ? ADDRESS_PRIVATE : ADDRESS_PUBLIC; /* RFC 4193 */
}

AddressKind address_kind(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return kind_of_v4(ntohl(v4.sin_addr.s_addr));
	}
	if (address->sa_family != AF_INET6)
		return ADDRESS_PUBLIC;
	memcpy(&v6, address, sizeof(v6));
	return kind_of_v6(&v6.sin6_addr);
}

int address_port(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ntohs(v4.sin_port);
	}
	if (address->sa_family != AF_INET6)
		return 0;
	memcpy(&v6, address, sizeof(v6));
	return ntohs(v6.sin6_port);
}

/* Other spellings of a name that the client below would understand: percent-encoded, or letters
 * that IDNA takes for ASCII ones. */
static bool is_disguised(const char *host)
{
	for (; *host; host++)
		if (*host == '%' || (unsigned char)*host >= 0x80)
			return true;
	return false;
}

AddressKind address_kind_of_host(const char *text)
{
	static const char local[] = ".localhost";
	struct in_addr v4;
	struct in6_addr v6;
	if (is_disguised(text))
		return ADDRESS_INTERNAL;
	autofree char *host = mem_strdup(text);
	size_t len = strlen(host);
	if (len && host[len - 1] == '.')
		host[--len] = '\0';
	if (strcasecmp(host, local + 1) == 0 ||
	    (len > strlen(local) && strcasecmp(host + len - strlen(local), local) == 0))
		return ADDRESS_INTERNAL;
	if (inet_aton(host, &v4))
		return kind_of_v4(ntohl(v4.s_addr));
	return inet_pton(AF_INET6, host, &v6) == 1 ? kind_of_v6(&v6) : ADDRESS_PUBLIC;
}

bool address_is_elsewhere(const char *from, const char *to)
{
	return strcasecmp(from, to) != 0 && address_kind_of_host(from) != ADDRESS_INTERNAL;
}

bool address_leads_elsewhere(const char *named_by, const char *url)
{
	autoerror Error ignored = {0};
	autourl Url to = {0};
	return named_by &&
	       (!url_parse(url, &to, &ignored) || address_is_elsewhere(named_by, to.host));
}
