#ifndef CLI_AGE_H
#define CLI_AGE_H

#include <stdint.h>

/* A span as kubectl shows it: "45s", "3m20s", "5h", "12d". Owned. */
char *age_text(int64_t seconds);

#endif
