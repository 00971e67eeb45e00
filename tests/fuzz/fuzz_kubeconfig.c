/* A tenant's kubeconfig (K95): no crash; what is taken has a server, and neither commands nor files
 * of ours. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kube/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const KubeConfigRules rules = {0};
	autoerror Error err = {0};
	autokubeconfig KubeConfig config = {0};
	if (!kube_config_parse((const char *)bytes, size, "", NULL, &rules, &config, &err))
		return 0;
	if (!config.server || strncmp(config.server, "http", 4) != 0 || config.exec ||
	    config.token_file || config.insecure_skip_verify)
		abort();
	return 0;
}
