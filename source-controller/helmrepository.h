/* HelmRepository: its typed view, and what fetches from one, which HelmCharts use too. */
#ifndef SOURCE_CONTROLLER_HELMREPOSITORY_H
#define SOURCE_CONTROLLER_HELMREPOSITORY_H

#include "charts/client.h"
#include "internal.h"

/* spec, parsed once; all borrowed from the object. */
typedef struct {
	const char *url;
	const char *named_by; /* no object: the host whose chart names it; else NULL */
	int64_t interval_ms, timeout_ms;
	const char *provider;
	const char *secret_name, *cert_secret_name;
	bool is_oci, pass_credentials, insecure;
} HelmRepository;

void helmrepository_parse(const json_t *object, HelmRepository *out);

/* --- helmrepository_client.c --- */

/* The client of a repository. Reads the Secrets of the run's namespace; opens no connection. Errors
 * have the reason AuthenticationFailed (S65) or URLInvalid. Owned. */
HelmClient *helmrepository_client(Run *run, const HelmRepository *repo, Error *err) MUST_USE;

#endif
