/* Secrets and ConfigMaps as maps of decoded values. Values are wiped when they are freed. */
#ifndef KUBE_SECRET_H
#define KUBE_SECRET_H

#include "base/str.h"
#include "kube/client.h"

typedef struct Secret Secret;

/* Fetches a Secret. ERR_NOT_FOUND reads "secrets "x" not found"-like text of the server. Owned. */
Secret *secret_get(KubeClient *client, const char *ns, const char *name, Error *err) MUST_USE;

/* From an object of kind Secret (data is base64) or ConfigMap (data is text, binaryData base64).
 * ERR_INVALID names the key that is not base64. Owned. */
Secret *secret_of_object(const json_t *object, Error *err) MUST_USE;
void secret_free(Secret *secret);
AUTO_POINTER(Secret, secret_free, auto_secret);
#define autosecret __attribute__((cleanup(auto_secret)))

/* The value as a C string, or NULL when the key is absent; a NUL inside ends it early. Borrowed. */
const char *secret_text(const Secret *secret, const char *key);

/* The value of the first key that is there: secret_first(s, "ca.crt", "caFile", NULL). */
const char *secret_first(const Secret *secret, ...) SENTINEL;

/* The whole value; false when the key is absent. */
bool secret_bytes(const Secret *secret, const char *key, Str *out);

/* For loops over all keys, in no order. */
bool secret_next(const Secret *secret, size_t *at, const char **key, Str *value);

#endif
