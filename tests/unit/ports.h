#ifndef SLUICE_TESTS_PORTS_H
#define SLUICE_TESTS_PORTS_H

#include <sys/types.h>

/* A loopback port that is this process's until it ends: whoever asks here, or free_port() of
 * tests/lib/net.py, gets another one, and the kernel gives none of them to who connects. */
int free_port(void);

/* Returns when somebody listens on the port; the test fails when `pid`, whose port it is to be,
 * ends first, or needs half a minute. */
void wait_for_port(int port, pid_t pid);

#endif
