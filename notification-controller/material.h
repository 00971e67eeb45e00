/* What a Provider's Secrets say, for as long as a request is built. */
#ifndef NOTIFICATION_CONTROLLER_MATERIAL_H
#define NOTIFICATION_CONTROLLER_MATERIAL_H

#include "data/digest.h"
#include "kube/secret.h"
#include "notify/notify.h"

typedef struct {
	Secret *secret, *cert, *proxy;
	json_t *headers;
	char *address, *proxy_address;

	const char *token, *username, *password; /* borrowed from secret */
	bool half_pair;				 /* username without password, or the reverse */
	HttpClientConfig client;		 /* borrowed from the secrets */
	bool own_client;			 /* client says something */
} Material;

void material_dispose(Material *material);
#define automaterial __attribute__((cleanup(material_dispose)))

/* Reads the Secrets now; traits: notify_traits of the type. Errors name no value. */
bool material_load(KubeClient *client, const json_t *provider, unsigned traits, Material *out,
		   Error *err) MUST_USE;

/* As material_load, of Secrets that *out has already. */
bool material_read(const json_t *provider, unsigned traits, Material *out, Error *err) MUST_USE;

/* The name of the Provider's lane: another proxy or certificate is another lane. Owned. */
char *material_lane(const Material *material, const json_t *provider);

#endif
