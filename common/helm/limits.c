#include "helm/limits.h"

#include <netdb.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "data/bound.h"

bool helm_limits_read(const HelmLimits *limits, GotmplLimits *out, Error *err)
{
	return bound_bytes("--max-output", limits->max_output, &out->output_bytes, err) &&
	       bound_bytes("--max-memory", limits->max_memory, &out->memory_bytes, err) &&
	       bound_count("--max-steps", limits->max_steps, &out->steps, err) &&
	       bound_count("--max-depth", limits->max_depth, &out->depth, err) &&
	       bound_time("--max-time", limits->max_time, &out->time_ms, err);
}

char *helm_limits_resolve(void *context, const char *host)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char address[NI_MAXHOST];
	(void)context;
	if (getaddrinfo(host, NULL, &hints, &list) != 0)
		return NULL;
	bool found = getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof(address), NULL, 0,
				 NI_NUMERICHOST) == 0;
	freeaddrinfo(list);
	return found ? mem_strdup(address) : NULL;
}
