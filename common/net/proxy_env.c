#include "net/proxy_env.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

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

void proxy_env_settle(void)
{
	const char *list = value_of("NO_PROXY") ? value_of("NO_PROXY") : value_of("no_proxy");
	autobuf Buf exempt = {0};
	bool all = write_exempt(&exempt, list ? list : "");
	setenv("no_proxy", all ? "*" : buf_text(&exempt), 1);
	settle_proxy(value_of("REQUEST_METHOD") ? "http_proxy" : "HTTP_PROXY", "http_proxy");
	settle_proxy("HTTPS_PROXY", "https_proxy");
}
