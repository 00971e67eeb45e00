#include "net/proxy_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/url.h"

static const char *value_of(const char *name)
{
	const char *value = getenv(name);
	return cstr_empty(value) ? NULL : value;
}

static void settle_proxy(const char *capitals, const char *name)
{
	const char *proxy = value_of(capitals) ? value_of(capitals) : value_of(name);
	if (!proxy)
		return;
	bool socks = cstr_starts(proxy, "socks5://");
	autofree char *text =
		socks ? mem_printf("socks5h%s", strchr(proxy, ':')) : mem_strdup(proxy);
	setenv(name, text, 1);
}

/* The entries of NO_PROXY, and this machine; true when one says that there is no proxy at all. */
static bool write_exempt(Buf *out, const char *list)
{
	Str rest = str_of(list), entry;
	while (str_next(&rest, ',', &entry)) {
		entry = str_trim(entry);
		if (str_eq(entry, STR("*")))
			return true;
		if (str_starts(entry, STR("*.")))
			entry = str_slice(entry, 1, entry.len);
		buf_add(out, entry);
		buf_add(out, STR(","));
	}
	buf_add(out, STR("localhost,127.0.0.0/8,::1"));
	return false;
}

/* Takes the port from behind an entry; false when there is none. Of an IPv6 address it stands
 * behind brackets. */
static bool cut_port(Str *entry, Str *out_port)
{
	Str text = *entry, host, port;
	bool bracketed = str_starts(text, STR("["));
	if (bracketed && (!str_cut(text, ']', &host, &port) || !str_starts(port, STR(":"))))
		return false;
	if (bracketed) {
		host = str_slice(host, 1, host.len);
		port = str_slice(port, 1, port.len);
	} else if (!str_cut(text, ':', &host, &port) || str_find_char(port, ':') >= 0) {
		return false;
	}
	*entry = host;
	*out_port = port;
	return true;
}

static bool has_ports(const char *list)
{
	Str rest = str_of(list), entry, port;
	while (str_next(&rest, ',', &entry))
		if (cut_port(&entry, &port))
			return true;
	return false;
}

char *proxy_env_exempt(const char *text)
{
	const char *list = getenv("no_proxy");
	autoerror Error ignored = {0};
	autourl Url url = {0};
	autobuf Buf exempt = {0};
	if (!list || !has_ports(list) || !url_parse(text, &url, &ignored))
		return NULL;
	autofree char *wanted = mem_printf("%d", url_port(&url));
	Str rest = str_of(list), entry, port;
	while (str_next(&rest, ',', &entry)) {
		bool other_port = cut_port(&entry, &port) && !str_eq(port, str_of(wanted));
		if (entry.len == 0 || other_port)
			continue;
		buf_add(&exempt, entry);
		buf_add(&exempt, STR(","));
	}
	return buf_steal(&exempt);
}

void proxy_env_settle(void)
{
	const char *list = value_of("NO_PROXY") ? value_of("NO_PROXY") : value_of("no_proxy");
	autobuf Buf exempt = {0};
	bool all = write_exempt(&exempt, list ? list : "");
	setenv("no_proxy", all ? "*" : buf_text(&exempt), 1);
	settle_proxy(value_of("REQUEST_METHOD") ? "http_proxy" : "HTTP_PROXY", "http_proxy");
	settle_proxy("HTTPS_PROXY", "https_proxy");
}
