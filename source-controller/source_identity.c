/* Workload identity of an object's ServiceAccount (RFC-0010), for common/cloud. */
#include "base/mem.h"
#include "internal.h"
#include "kube/service_account.h"

void source_identity_dispose(SourceIdentity *identity)
{
	json_decref(identity->object);
	*identity = (SourceIdentity){0};
}

static const char *annotation(void *arg, const char *key)
{
	const SourceIdentity *identity = arg;
	return json_text_at(identity->object, "metadata", "annotations", key, NULL);
}

static char *token(void *arg, const char *audience, Error *err)
{
	const SourceIdentity *identity = arg;
	autojson json_t *audiences = json_pack("[s]", audience);
	return service_account_token(run_client(identity->run), identity->account.ns,
				     identity->account.name, audiences, NULL, err);
}

bool source_identity(Run *run, const char *name, SourceIdentity *out,
		     const CloudAccount **out_account, Error *err)
{
	*out_account = NULL;
	if (cstr_empty(name))
		name = manager_default_service_account(run_manager(run));
	if (cstr_empty(name))
		return true;
	json_t *object =
		kube_get(run_client(run), "v1", "ServiceAccount", run_namespace(run), name, err);
	if (!object)
		return err_wrap(err, "failed to get service account '%s/%s'", run_namespace(run),
				name);
	*out = (SourceIdentity){.run = run,
				.object = object,
				.account = {.ns = run_namespace(run),
					    .name = name,
					    .annotation = annotation,
					    .token = token,
					    .arg = out}};
	*out_account = &out->account;
	return true;
}
