/* A known_hosts file of any bytes: no crash, no long run, and nobody is known by an unknown key. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "git/known_hosts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autoerror Error err = {0};
	autofree char *text = mem_strndup((const char *)data, size);
	autoknownhosts KnownHosts *hosts = known_hosts_parse(text, &err);
	if (!hosts)
		return 0;
	/* No line's key can be empty. */
	if (known_hosts_check(hosts, "git.example.org", 22, "", 0) == KNOWN_HOST_OK)
		abort();
	free(known_hosts_algorithms(hosts, "git.example.org", 2222));
	return 0;
}
