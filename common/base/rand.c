#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *bytes, size_t len)
{
	char *at = bytes;
	while (len) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0)
			abort();
		at += got;
		len -= (size_t)got;
	}
}

uint64_t rand_below(uint64_t bound)
{
	uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
	uint64_t value;
	do
		rand_bytes(&value, sizeof(value));
	while (value >= limit);
	return value % bound;
}

void rand_name(char *out, size_t len)
{
	static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
	for (size_t i = 0; i < len; i++)
		out[i] = alphabet[rand_below(sizeof(alphabet) - 1)];
	out[len] = '\0';
}

void rand_uuid(char out[37])
{
	unsigned char b[16];
	rand_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
}
