#include "delivery/wake.h"

#include "base/mem.h"

char *wake_source_key(const char *kind, const char *ns, const char *name)
{
	return mem_printf("source/%s/%s/%s", kind, ns, name);
}

static char *config_key(const char *kind, const char *ns, const char *name)
{
	return mem_printf("config/%s/%s/%s", kind, ns, name);
}

static char *dependency_key(const char *ns, const char *name)
{
	return mem_printf("dependency/%s/%s", ns, name);
}

void wake_add_dependencies(const json_t *spec, const char *ns, IndexAdd *add, void *arg)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(spec, "dependsOn"), i, item)
	{
		autofree char *key = dependency_key(json_text_or(item, "namespace", ns),
						    json_text_or(item, "name", ""));
		add(arg, key);
	}
}

void wake_add_config(const char *kind, const char *ns, const json_t *reference, IndexAdd *add,
		     void *arg)
{
	if (!reference)
		return;
	autofree char *key = config_key(kind, ns, json_text_or(reference, "name", ""));
	add(arg, key);
}

void wake_add_kubeconfig(const json_t *spec, const char *ns, IndexAdd *add, void *arg)
{
	const json_t *remote = json_map(spec, "kubeConfig");
	wake_add_config("Secret", ns, json_map(remote, "secretRef"), add, arg);
	wake_add_config("ConfigMap", ns, json_map(remote, "configMapRef"), add, arg);
}

/* What dependents wait for; owned, or NULL for one that is not Ready. */
static char *news_of(const json_t *object)
{
	const json_t *status = json_map(object, "status");
	const json_t *last = json_array_get(json_list(status, "history"), 0);
	if (!condition_is(object, "Ready", "True"))
		return NULL;
	return mem_printf("%lld %s %s", (long long)json_int(status, "observedGeneration", 0),
			  json_text_or(status, "lastAppliedRevision", ""),
			  json_text_or(last, "digest", ""));
}

void wake_dependents(Manager *manager, const Kind *kind, Map *told, const char *ns,
		     const char *name, const json_t *object)
{
	autofree char *key = dependency_key(ns, name);
	autofree char *news = object ? news_of(object) : NULL;
	bool same = news && cstr_eq(map_get(told, key), news);
	if (!news)
		map_remove(told, key);
	if (!news || same)
		return;
	map_put(told, key, steal(&news));
	manager_enqueue_indexed(manager, kind, key);
}

void wake_by_config(Manager *manager, const Kind *kind, InformerEvent event, const json_t *object)
{
	if (event == INFORMER_SYNCED)
		return;
	autofree char *key =
		config_key(object_kind(object), object_namespace(object), object_name(object));
	manager_enqueue_indexed(manager, kind, key);
}
