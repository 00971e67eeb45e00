/*
 * Docker's credential helpers: programs docker-credential-NAME that a config.json names, for one
 * registry ("credHelpers") or for all ("credsStore"). For whoever the machine belongs to: a config
 * from elsewhere must not run programs here.
 */
#ifndef OCI_DOCKERHELPER_H
#define OCI_DOCKERHELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/dockerconfig.h"

/*
 * Which program has the credentials of `host` ("host[:port]"): *out_name is "docker-credential-X",
 * owned, or NULL where the config names none. ERR_INVALID for what is no such text and for a name
 * that is not made of letters, digits, "-", "_" and "."; ERR_LIMIT above 1 MiB.
 */
bool docker_helper_find(const char *text, size_t len, const char *host, char **out_name,
			Error *err) MUST_USE;

/*
 * Runs it, as PATH finds it, and asks for the credentials of `host`. *out is empty when it has
 * none. Blocks for up to `timeout_ms`. Errors name the program, never what it wrote to its standard
 * output: ERR_NOT_FOUND there is no such program, ERR_TIMEOUT, ERR_LIMIT more than 64 KiB,
 * ERR_UNAVAILABLE it failed (with the beginning of its standard error), ERR_INVALID its answer
 * makes no sense.
 */
bool docker_helper_get(const char *name, const char *host, int64_t timeout_ms, RegistryAuth *out,
		       Error *err) MUST_USE;

#endif
