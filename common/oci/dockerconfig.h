/*
 * Credentials of docker's config.json, as Secrets of type kubernetes.io/dockerconfigjson and
 * dockercfg hold them. Entries match by host and path prefix, the longest first, as the kubelet
 * does it: "https://", a trailing "/v1/" and "/v2/" do not count, "*" stands for one part of a
 * host name. Key material is wiped when it is freed.
 */
#ifndef OCI_DOCKERCONFIG_H
#define OCI_DOCKERCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/error.h"

/* What a registry or its token server is shown. All strings owned, NULL when absent. */
typedef struct {
	char *username;
	char *password;
	char *identity_token; /* an OAuth2 refresh token: goes to the token server by POST */
	char *registry_token; /* goes to the registry as it is, "Bearer ..." */
} RegistryAuth;

/* Wipes and frees. */
void registry_auth_dispose(RegistryAuth *auth);
#define autoregistryauth __attribute__((cleanup(registry_auth_dispose)))

/* Copies *from (may be NULL: anonymous) to *to, which must be empty. */
void registry_auth_copy(RegistryAuth *to, const RegistryAuth *from);

/* True when there is nothing to show. */
bool registry_auth_is_empty(const RegistryAuth *auth);

/* Entries of one or several configs. */
typedef struct DockerConfig DockerConfig;

/* Empty; owned by the caller. */
DockerConfig *docker_config_new(void);
void docker_config_free(DockerConfig *config);
AUTO_POINTER(DockerConfig, docker_config_free, auto_docker_config);
#define autodockerconfig __attribute__((cleanup(auto_docker_config)))

/*
 * Adds the entries of a text: {"auths": {HOST: {...}}}, or with `legacy` (.dockercfg) the inner map
 * alone. An entry has username and password, or "auth" (base64 of "user:password"), identitytoken
 * (also as the password of user "<token>"), registrytoken. Of equal keys the first added wins.
 * ERR_INVALID for what is no such text, without a word of its content; ERR_LIMIT above 1 MiB or
 * 1000 entries.
 */
bool docker_config_add(DockerConfig *config, const char *text, size_t len, bool legacy,
		       Error *err) MUST_USE;

/* True when nothing was added. */
bool docker_config_is_empty(const DockerConfig *config);

/* The credentials for a repository; false (and *out empty) when no entry matches. */
bool docker_config_find(const DockerConfig *config, const char *host, const char *repository,
			RegistryAuth *out);

#endif
