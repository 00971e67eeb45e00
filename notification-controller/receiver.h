/*
 * Receivers. The road of a webhook: webhook.c (HTTP, which Receiver, codes) -> webhook_check.c (is
 * it from whom it says) -> webhook_resource.c (asks the objects to reconcile).
 */
#ifndef NOTIFICATION_CONTROLLER_RECEIVER_H
#define NOTIFICATION_CONTROLLER_RECEIVER_H

#include "internal.h"
#include "kube/secret.h"

#define RECEIVER_VERSION "notification.toolkit.fluxcd.io/v1"
#define RECEIVER_PREFIX "/hook/"

/* receiver.c: members of the Kind. */
Outcome receiver_reconcile(Run *run, Error *err);
void receiver_index(const json_t *object, IndexAdd *add, void *arg);
void receiver_changed(Manager *manager, const Kind *kind, const char *ns, const char *name,
		      const json_t *object);
void receiver_secret_changed(Manager *manager, const Kind *kind, InformerEvent event,
			     const json_t *object);

/* What the CRD's rules say too, for servers that do not know them, and the CEL expressions (N88,
 * N90). The error's reason is the Ready condition's: ValidationFailed or InvalidCELExpression. */
bool receiver_check_spec(const json_t *spec, Error *err) MUST_USE;

/* "/hook/" and the SHA-256 of token, name and namespace (N76); owned. */
char *receiver_path(const char *token, const char *name, const char *ns);

/* Which Receiver is at a path; thread-safe. `path` NULL: it has none. Of several with one path the
 * first is found until it leaves. find: "ns/name", owned, or NULL. */
ReceiverPaths *receiver_paths_new(void);
void receiver_paths_free(ReceiverPaths *paths);
void receiver_paths_set(ReceiverPaths *paths, const char *ns, const char *name, const char *path);
char *receiver_paths_find(ReceiverPaths *paths, const char *path);

/* webhook.c */
Httpd *webhook_serve(NotificationContext *context, Error *err);

/* webhook_check.c: whether the request may act for the Receiver (N79-N88). The error is for the
 * log: the sender gets 400 and nothing else. *out_claims, owned, are those of generic-oidc. */
bool webhook_check(NotificationContext *context, const json_t *receiver,
		   const HttpdRequest *request, json_t **out_claims, Error *err) MUST_USE;

/* webhook_resource.c: asks what spec.resources name, and its filters let pass, to reconcile. False
 * when one of them failed; the others got it. `claims` may be NULL. */
bool webhook_annotate(NotificationContext *context, const json_t *receiver,
		      const HttpdRequest *request, const json_t *claims);

/* oidc.c: the keys of issuers, fetched when needed and kept for a while. Thread-safe. */
KeyCache *key_cache_new(Loop *loop, Error *err);
void key_cache_free(KeyCache *cache);

/* The claims of a token of the issuer, whose keys OpenID Connect discovery tells; owned. */
json_t *oidc_verify(KeyCache *cache, const char *issuer, const char *audience, const char *token,
		    Error *err) MUST_USE;

/* The claims of a token signed by a key of the set at keys_url, whoever the issuer; owned. */
json_t *oidc_verify_with_keys(KeyCache *cache, const char *keys_url, const char *audience,
			      const char *token, Error *err) MUST_USE;

#endif
