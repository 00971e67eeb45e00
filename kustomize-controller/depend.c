/* dependsOn: what must be Ready first (facts 8). A dependency that turns Ready wakes us by index.
 */
#include "internal.h"

#include "base/mem.h"
#include "cel/expression.h"

static json_t *get_dependency(Run *run, const char *ns, const char *name, Error *err)
{
	json_t *object = manager_peer_get(run_manager(run), KS_VERSION, KS_KIND, ns, name);
	/* Another shard's objects are not in our watch (K89). */
	return object ? object : kube_get(run_client(run), KS_VERSION, KS_KIND, ns, name, err);
}

static bool is_same_source(const Kustomization *ks, const json_t *dependency)
{
	const json_t *ref = json_at(dependency, "spec", "sourceRef", NULL);
	return cstr_eq(json_text(ref, "kind"), ks->source_kind) &&
	       cstr_eq(json_text(ref, "name"), ks->source_name) &&
	       cstr_eq(json_text_or(ref, "namespace", object_namespace(dependency)), ks->source_ns);
}

static bool is_ready(const Kustomization *ks, const json_t *dependency, const SourceState *source,
		     Error *err)
{
	const json_t *status = json_map(dependency, "status");
	const char *ns = object_namespace(dependency), *name = object_name(dependency);
	if (json_int(status, "observedGeneration", -1) != object_generation(dependency) ||
	    !condition_is(dependency, "Ready", "True"))
		return err_set(err, ERR_UNAVAILABLE, "dependency '%s/%s' is not ready", ns, name);
	/* At an older revision of our own source it has not seen what we build (K90). */
	if (is_same_source(ks, dependency) &&
	    !cstr_eq(json_text(status, "lastAppliedRevision"), source->artifact.revision))
		return err_set(err, ERR_UNAVAILABLE,
			       "dependency '%s/%s' revision is not up to date", ns, name);
	return true;
}

/* self and dep as the expression sees them: a dependency has a status, be it empty. */
static json_t *ready_data(Run *run, const json_t *dependency)
{
	autojson json_t *dep = json_copy(json_borrow(dependency));
	if (!json_map(dep, "status"))
		json_object_set_new(dep, "status", json_object());
	return json_pack("{s:O,s:O}", "self", run_object(run), "dep", dep);
}

/* readyExpr (K91). */
static bool is_ready_by_expression(Run *run, const char *text, const json_t *dependency, Error *err)
{
	static const char *const variables[] = {"self", "dep", NULL};
	bool ready = false;
	autoexpression Expression *expression = expression_new(text, variables, CEL_BOOL, err);
	if (!expression) {
		err_wrap(err, "terminal error: failed to evaluate dependency %s",
			 object_name(dependency));
		return err_reason(err, REASON_INVALID_CEL);
	}
	autojson json_t *data = ready_data(run, dependency);
	if (!expression_bool(expression, data, &ready, err))
		return false;
	return ready || err_set(err, ERR_UNAVAILABLE,
				"dependency '%s/%s' is not ready according to readyExpr eval",
				object_namespace(dependency), object_name(dependency));
}

bool dependencies_ready(Run *run, const Kustomization *ks, const SourceState *source, Error *err)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(ks->spec, "dependsOn"), i, entry)
	{
		const char *ns = json_text_or(entry, "namespace", run_namespace(run));
		const char *name = json_text_or(entry, "name", "");
		autojson json_t *dependency = get_dependency(run, ns, name, err);
		if (!dependency)
			return err_wrap(err, "dependency '%s/%s' not found", ns, name);
		const char *expression = json_text_or(entry, "readyExpr", "");
		if (*expression && !is_ready_by_expression(run, expression, dependency, err))
			return false;
		/* It takes the place of our own rules, or comes on top of them. */
		if (*expression && !manager_gate(run_manager(run), "AdditiveCELDependencyCheck"))
			continue;
		if (!is_ready(ks, dependency, source, err))
			return false;
	}
	return true;
}
