#include "delivery/depend.h"

#include "base/map.h"
#include "base/mem.h"
#include "cel/expression.h"

static json_t *get_dependency(Run *run, const char *ns, const char *name, Error *err)
{
	const Kind *kind = run_kind(run);
	json_t *object = run_peer_get(run, kind->api_version, kind->kind, ns, name);
	/* Another shard's objects are not in our watch (K89). */
	return object ? object
		      : kube_get(run_client(run), kind->api_version, kind->kind, ns, name, err);
}

enum { MAX_SEEN = 500, MAX_WAY = 50 };

/* "ns/name -> ... -> OURS": how an object comes to ourselves along spec.dependsOn; owned, NULL: it
 * does not. `seen`: keys of those that were looked at. */
static char *way_to_us(Run *run, const json_t *object, Map *seen, int depth)
{
	size_t i;
	json_t *entry;
	const Kind *kind = run_kind(run);
	autofree char *us = run_key(run);
	const char *own_ns = object_namespace(object), *own_name = object_name(object);
	json_array_foreach(json_list(json_map(object, "spec"), "dependsOn"), i, entry)
	{
		const char *ns = json_text_or(entry, "namespace", own_ns);
		const char *name = json_text_or(entry, "name", "");
		autofree char *key = mem_printf("%s/%s", ns, name);
		if (cstr_eq(key, us))
			return mem_printf("%s/%s -> %s", own_ns, own_name, us);
		if (depth == MAX_WAY || map_len(seen) == MAX_SEEN || map_has(seen, key))
			continue;
		map_put(seen, key, NULL);
		autojson json_t *next = run_peer_get(run, kind->api_version, kind->kind, ns, name);
		autofree char *rest = next ? way_to_us(run, next, seen, depth + 1) : NULL;
		if (rest)
			return mem_printf("%s/%s -> %s", own_ns, own_name, rest);
	}
	return NULL;
}

/* Who waits for itself is told so: nothing else ever ends that. */
static bool not_ready(Run *run, const json_t *dependency, Error *err)
{
	automap Map *seen = map_new(NULL);
	autofree char *us = run_key(run);
	bool is_us = cstr_eq(object_namespace(dependency), run_namespace(run)) &&
		     cstr_eq(object_name(dependency), run_name(run));
	autofree char *way = is_us ? NULL : way_to_us(run, dependency, seen, 0);
	autofree char *why =
		way ? mem_printf(": they wait for each other: %s -> %s", us, way)
		    : mem_strdup(is_us ? ": it is the object itself, which waits for it" : "");
	return err_set(err, ERR_UNAVAILABLE, "dependency '%s/%s' is not ready%s",
		       object_namespace(dependency), object_name(dependency), why);
}

static bool is_ready(Run *run, const json_t *dependency, Error *err)
{
	const json_t *status = json_map(dependency, "status");
	return (json_int(status, "observedGeneration", -1) == object_generation(dependency) &&
		condition_is(dependency, "Ready", "True")) ||
	       not_ready(run, dependency, err);
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

bool dependencies_ready(Run *run, const json_t *depends_on, DependencyCheck *check, void *arg,
			Error *err)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_borrow(depends_on), i, entry)
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
		if (!is_ready(run, dependency, err) || (check && !check(arg, dependency, err)))
			return false;
	}
	return true;
}
