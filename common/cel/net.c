/* IP addresses and CIDR ranges (library/ip.go, library/cidr.go), as Go's net/netip reads them. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "cel/cel_internal.h"

enum { KUBE = CEL_LIB_KUBERNETES, TEXT_MAX = 64 };

struct CelNet {
	unsigned char bytes[16];
	size_t len; /* 4 or 16 */
	int bits;   /* of a CIDR; -1 for an address */
};

bool cel_net_equal(const CelNet *a, const CelNet *b)
{
	return a->len == b->len && a->bits == b->bits && memcmp(a->bytes, b->bytes, a->len) == 0;
}

uint64_t cel_net_size(const CelNet *net)
{
	return net->bits > 0 ? (uint64_t)(net->bits + 7) / 8 : 0;
}

static bool is_mapped(const CelNet *net)
{
	static const unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	return net->len == 16 && memcmp(net->bytes, prefix, sizeof(prefix)) == 0;
}

static bool parse_any_address(Str text, CelNet *out)
{
	char copy[TEXT_MAX];
	if (text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	out->bits = -1;
	out->len = strchr(copy, ':') ? 16 : 4;
	return inet_pton(out->len == 16 ? AF_INET6 : AF_INET, copy, out->bytes) == 1;
}

static bool parse_address(Str text, CelNet *out)
{
	return parse_any_address(text, out) && !is_mapped(out);
}

static bool parse_cidr(Str text, CelNet *out)
{
	Str address, bits;
	int value = 0;
	if (!str_cut(text, '/', &address, &bits) || !parse_address(address, out))
		return false;
	if (bits.len == 0 || bits.len > 3 || (bits.len > 1 && *bits.ptr == '0'))
		return false;
	for (size_t i = 0; i < bits.len; i++) {
		if (!isdigit((unsigned char)bits.ptr[i]))
			return false;
		value = value * 10 + (bits.ptr[i] - '0');
	}
	out->bits = value;
	return value <= (int)out->len * 8;
}

/* RFC 5952: the longest run of at least two zero groups is "::". */
static void write_v6(const unsigned char *bytes, Buf *out)
{
	int groups[8], best = -1, best_len = 1;
	for (int i = 0; i < 8; i++)
		groups[i] = bytes[2 * i] << 8 | bytes[2 * i + 1];
	for (int i = 0; i < 8; i++) {
		int len = 0;
		while (i + len < 8 && groups[i + len] == 0)
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			buf_puts(out, "::");
			i += best_len - 1;
			continue;
		}
		if (i > 0 && i != best + best_len)
			buf_putc(out, ':');
		buf_printf(out, "%x", (unsigned)groups[i]);
	}
}

static void write_net(const CelNet *net, Buf *out)
{
	if (net->len == 4)
		buf_printf(out, "%u.%u.%u.%u", net->bytes[0], net->bytes[1], net->bytes[2],
			   net->bytes[3]);
	else
		write_v6(net->bytes, out);
	if (net->bits >= 0)
		buf_printf(out, "/%d", net->bits);
}

CelValue cel_net_to_string(CelRun *run, const CelValue *value)
{
	autobuf Buf out = {0};
	write_net(value->net, &out);
	return cel_text_value(run, buf_text(&out), out.len);
}

static CelValue net_to_string(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return cel_net_to_string(run, &args[0]);
}

static CelValue make(CelRun *run, CelNet net)
{
	CelNet *copy = cel_alloc(run, sizeof(*copy));
	if (!copy)
		return cel_error(run, "memory limit exceeded");
	*copy = net;
	return (CelValue){.kind = net.bits < 0 ? CEL_IP : CEL_CIDR, .net = copy};
}

/* What Go finds wrong first. */
static const char *wrong_address(Str text)
{
	size_t dots = 0, digits = 0;
	unsigned value = 0;
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];
		if (byte == ':')
			return "unable to parse IP";
		if (byte == '.') {
			if (digits == 0)
				return "IPv4 field must have at least one digit";
			if (++dots == 4)
				return "IPv4 address too long";
			digits = value = 0;
		} else if (isdigit((unsigned char)byte)) {
			if (digits == 1 && value == 0)
				return "IPv4 field has octet with leading zero";
			value = value * 10 + (unsigned)(byte - '0');
			digits++;
			if (value > 255)
				return "IPv4 field has value >255";
		} else {
			return dots ? "unexpected character" : "unable to parse IP";
		}
	}
	return dots && digits == 0 ? "IPv4 field must have at least one digit"
	       : dots		   ? "IPv4 address too short"
				   : "unable to parse IP";
}

static CelValue bad_address(CelRun *run, Str text)
{
	const char *zone = memchr(text.ptr, '%', text.len);
	CelNet net;
	if (zone && parse_address(str_slice(text, 0, (size_t)(zone - text.ptr)), &net))
		return cel_error(run, "IP address \"%.*s\" with zone value is not allowed",
				 (int)text.len, text.ptr);
	if (parse_any_address(text, &net))
		return cel_error(run, "IPv4-mapped IPv6 address \"%.*s\" is not allowed",
				 (int)text.len, text.ptr);
	return cel_error(run,
			 "IP Address \"%.*s\" parse error during conversion from string: "
			 "ParseAddr(\"%.*s\"): %s",
			 (int)text.len, text.ptr, (int)text.len, text.ptr, wrong_address(text));
}

static CelValue ip(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelNet net = {0};
	return parse_address(args[0].text, &net) ? make(run, net) : bad_address(run, args[0].text);
}

static CelValue is_ip(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	CelNet net;
	return cel_bool(parse_address(args[0].text, &net));
}

static CelValue is_canonical(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelNet net;
	autobuf Buf out = {0};
	if (!parse_address(args[0].text, &net))
		return bad_address(run, args[0].text);
	write_net(&net, &out);
	return cel_bool(str_eq(buf_str(&out), args[0].text));
}

static CelValue family(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_int(args[0].net->len == 4 ? 4 : 6);
}

static bool unspecified(const CelNet *net)
{
	for (size_t i = 0; i < net->len; i++)
		if (net->bytes[i])
			return false;
	return true;
}

static bool loopback(const CelNet *net)
{
	CelNet rest = *net;
	if (net->len == 4)
		return net->bytes[0] == 127;
	rest.bytes[15] ^= 1;
	return unspecified(&rest);
}

static bool link_local_multicast(const CelNet *net)
{
	if (net->len == 4)
		return net->bytes[0] == 224 && net->bytes[1] == 0 && net->bytes[2] == 0;
	return net->bytes[0] == 0xff && (net->bytes[1] & 0x0f) == 2;
}

static bool link_local_unicast(const CelNet *net)
{
	if (net->len == 4)
		return net->bytes[0] == 169 && net->bytes[1] == 254;
	return net->bytes[0] == 0xfe && (net->bytes[1] & 0xc0) == 0x80;
}

static bool multicast(const CelNet *net)
{
	return net->len == 4 ? (net->bytes[0] & 0xf0) == 0xe0 : net->bytes[0] == 0xff;
}

static bool global_unicast(const CelNet *net)
{
	static const unsigned char broadcast[4] = {255, 255, 255, 255};
	if (net->len == 4 && memcmp(net->bytes, broadcast, 4) == 0)
		return false;
	return !unspecified(net) && !loopback(net) && !multicast(net) && !link_local_unicast(net);
}

static CelValue ask(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	static const struct {
		const char *name;
		bool (*test)(const CelNet *net);
	} tests[] = {{"isUnspecified", unspecified},
		     {"isLoopback", loopback},
		     {"isLinkLocalMulticast", link_local_multicast},
		     {"isLinkLocalUnicast", link_local_unicast},
		     {"isGlobalUnicast", global_unicast}};
	for (size_t i = 0; i < COUNT(tests); i++)
		if (strcmp(tests[i].name, run->call->name) == 0)
			return cel_bool(tests[i].test(args[0].net));
	return cel_no_overload(run);
}

static CelValue bad_cidr(CelRun *run, Str text)
{
	return cel_error(run,
			 "network address parse error during conversion from string: network "
			 "address parse error during conversion from string: \"%.*s\"",
			 (int)text.len, text.ptr);
}

static CelValue cidr(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelNet net = {0};
	return parse_cidr(args[0].text, &net) ? make(run, net) : bad_cidr(run, args[0].text);
}

static CelValue is_cidr(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	CelNet net;
	return cel_bool(parse_cidr(args[0].text, &net));
}

/* The bytes with all after the first `bits` bits zero. */
static CelNet mask(const CelNet *net, int bits)
{
	CelNet masked = *net;
	for (int i = 0; i < (int)net->len; i++) {
		int keep = bits - 8 * i;
		if (keep < 8)
			masked.bytes[i] &= (unsigned char)(keep <= 0 ? 0 : 0xff << (8 - keep));
	}
	return masked;
}

static bool covers(const CelNet *range, const CelNet *other)
{
	if (range->len != other->len || (other->bits >= 0 && other->bits < range->bits))
		return false;
	CelNet a = mask(range, range->bits), b = mask(other, range->bits);
	return memcmp(a.bytes, b.bytes, a.len) == 0;
}

static CelValue contains_ip(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelNet net = {0};
	if (args[1].kind == CEL_IP)
		return cel_bool(covers(args[0].net, args[1].net));
	if (!parse_address(args[1].text, &net))
		return cel_no_overload(run);
	return cel_bool(covers(args[0].net, &net));
}

static CelValue contains_cidr(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelNet net = {0};
	if (args[1].kind == CEL_CIDR)
		return cel_bool(covers(args[0].net, args[1].net));
	if (!parse_cidr(args[1].text, &net))
		return cel_no_overload(run);
	return cel_bool(covers(args[0].net, &net));
}

static CelValue cidr_ip(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	CelNet net = *args[0].net;
	net.bits = -1;
	return make(run, net);
}

static CelValue masked(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return make(run, mask(args[0].net, args[0].net->bits));
}

static CelValue prefix_length(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_int(args[0].net->bits);
}

static const CelFunction rows[] = {
	{"ip", false, KUBE, "s>I", ip},
	{"isIP", false, KUBE, "s>b", is_ip},
	{"ip.isCanonical", false, KUBE, "s>b", is_canonical},
	{"family", true, KUBE, "I>i", family},
	{"isUnspecified", true, KUBE, "I>b", ask},
	{"isLoopback", true, KUBE, "I>b", ask},
	{"isLinkLocalMulticast", true, KUBE, "I>b", ask},
	{"isLinkLocalUnicast", true, KUBE, "I>b", ask},
	{"isGlobalUnicast", true, KUBE, "I>b", ask},
	{"string", false, KUBE, "I>s", net_to_string},
	{"cidr", false, KUBE, "s>C", cidr},
	{"isCIDR", false, KUBE, "s>b", is_cidr},
	{"containsIP", true, KUBE, "CI>b", contains_ip},
	{"containsIP", true, KUBE, "Cs>b", contains_ip},
	{"containsCIDR", true, KUBE, "CC>b", contains_cidr},
	{"containsCIDR", true, KUBE, "Cs>b", contains_cidr},
	{"ip", true, KUBE, "C>I", cidr_ip},
	{"masked", true, KUBE, "C>C", masked},
	{"prefixLength", true, KUBE, "C>i", prefix_length},
	{"string", false, KUBE, "C>s", net_to_string},
};

const CelFunctions cel_functions_net = {rows, COUNT(rows)};
