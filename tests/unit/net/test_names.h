/* Names below ".test", for a test that needs another name for this machine: they resolve to
 * 127.0.0.1 for all that the test program links. One file of a program includes it. */
#ifndef TEST_NAMES_H
#define TEST_NAMES_H

#include <dlfcn.h>
#include <netdb.h>

#include "base/str.h"

typedef int Resolver(const char *name, const char *service, const struct addrinfo *hints,
		     struct addrinfo **out);

/* Interposes the library's for curl. */
__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service,
						       const struct addrinfo *hints,
						       struct addrinfo **out)
{
	union {
		void *symbol;
		Resolver *call;
	} real = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
	return real.call(cstr_ends(name ? name : "", ".test") ? "127.0.0.1" : name, service, hints,
			 out);
}

#endif
