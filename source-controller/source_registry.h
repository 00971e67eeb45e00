/*
 * The registry of an object, opened with what its spec names: pull secrets of its own and of its
 * ServiceAccount, else the cloud's login, else nobody; certificates; proxy (source.md 4 "Auth").
 * For OCIRepository, and for HelmRepository and HelmChart of type oci.
 */
#ifndef SOURCE_CONTROLLER_SOURCE_REGISTRY_H
#define SOURCE_CONTROLLER_SOURCE_REGISTRY_H

#include "ctrl/manager.h"
#include "oci/reference.h"
#include "oci/registry.h"

/* Parts of a spec; all borrowed, NULL or "" for what it does not have. */
typedef struct {
	const char *url;      /* "oci://HOST/REPOSITORY", without a tag */
	const char *named_by; /* as in RegistryConfig */
	const char *provider;
	const char *secret_name, *cert_secret_name, *proxy_secret_name;
	const char *service_account;
	bool insecure;
	int64_t timeout_ms; /* for all calls of the registry in sum */
	/* secretRef is a HelmRepository's: username and password count, too, and, where there is no
	 * certSecretRef, certificates; a pull secret must have an entry for the host. */
	bool helm;
} SourceRegistry;

/* Host and repository of the URL; ERR_INVALID for one with a tag (S50) and for no such URL. */
bool source_registry_url(const char *url, OciReference *out, Error *err) MUST_USE;

/*
 * *out_url is what source_registry_url says. Errors have the reason AuthenticationFailed,
 * URLInvalid or FeatureGateDisabled, and no condition is set (S54, S55).
 */
Registry *source_registry_open(Run *run, const SourceRegistry *spec, OciReference *out_url,
			       Error *err) MUST_USE;

/* After a failure of its calls: a cloud's login that the registry refused is asked for anew the
 * next time, though it should have lived longer. */
void source_registry_failed(Run *run, const Registry *registry, const Error *err);

#endif
