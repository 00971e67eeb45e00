/* As whom an object asks the clouds: workload identity of its ServiceAccount (RFC-0010) or of the
 * controller, by the object's proxy; for common/cloud. */
#include "base/mem.h"
#include "internal.h"

static const char gate[] = "ObjectLevelWorkloadIdentity";

static bool check_gate(Run *run, const char *service_account, Error *err)
{
	if (cstr_empty(service_account) || manager_gate(run_manager(run), gate))
		return true;
	err_set(err, ERR_FORBIDDEN,
		"to use spec.serviceAccountName for provider authentication please enable the %s "
		"feature gate in the controller",
		gate);
	return err_reason(err, "FeatureGateDisabled");
}

void source_caller_dispose(SourceCaller *caller)
{
	if (caller->http)
		httpc_free(caller->http);
	workload_identity_dispose(&caller->workload);
	*caller = (SourceCaller){0};
}

static bool use_proxy(SourceCaller *caller, const ProxySecret *proxy, Error *err)
{
	HttpClientConfig config = {0};
	if (!proxy->address)
		return true;
	proxy_secret_use(proxy, &config);
	caller->http = httpc_new(manager_loop(run_manager(caller->run)), &config, err);
	caller->cloud.http = caller->http;
	caller->cloud.proxy = proxy->address;
	return caller->http != NULL;
}

bool source_caller_open(Run *run, const ProxySecret *proxy, int64_t timeout_ms, SourceCaller *out,
			Error *err)
{
	*out = (SourceCaller){
		.run = run,
		.cloud = {.timeout_ms = timeout_ms, .user = run_token_user(run, TOKEN_RECONCILE)}};
	return use_proxy(out, proxy, err);
}

bool source_caller_as(SourceCaller *caller, const char *service_account, Error *err)
{
	Run *run = caller->run;
	const char *name = service_account;
	if (!check_gate(run, name, err))
		return false;
	if (cstr_empty(name))
		name = manager_default_service_account(run_manager(run));
	return workload_identity(run, name, &caller->workload, &caller->cloud.account, err);
}
