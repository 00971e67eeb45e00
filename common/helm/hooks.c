#include "helm/hooks.h"

#include "base/mem.h"
#include "helm/release_build.h"

static json_t *text_of(const char *text)
{
	return json_text_new(text, strlen(text));
}

/* An empty list is left out, as Helm leaves it. */
static void put_words(json_t *hook, const char *key, const HelmWords *words)
{
	json_t *list = json_array();
	for (size_t i = 0; i < words->len; i++)
		json_array_append_new(list, text_of(words->items[i]));
	if (words->len)
		json_object_set(hook, key, list);
	json_decref(list);
}

json_t *helm_hook_new(const HelmManifest *manifest)
{
	json_t *hook = json_object();
	json_object_set_new(hook, "name", text_of(manifest->name));
	json_object_set_new(hook, "kind", text_of(manifest->kind));
	json_object_set_new(hook, "path", text_of(manifest->path));
	json_object_set_new(hook, "manifest",
			    json_text_new(manifest->text.ptr, manifest->text.len));
	put_words(hook, "events", &manifest->events);
	json_put_text(json_make_at(hook, "last_run", NULL), "phase", "");
	if (manifest->weight)
		json_object_set_new(hook, "weight", json_integer(manifest->weight));
	put_words(hook, "delete_policies", &manifest->delete_policies);
	put_words(hook, "output_log_policies", &manifest->log_policies);
	return hook;
}

bool helm_hook_has(const json_t *hook, const char *list, const char *word)
{
	json_t *item;
	size_t index;
	json_array_foreach(json_list(hook, list), index, item)
	{
		if (cstr_eq(json_string_value(item), word))
			return true;
	}
	return false;
}

static int compare_hooks(const void *a, const void *b)
{
	int64_t first = json_int(a, "weight", 0), second = json_int(b, "weight", 0);
	if (first != second)
		return first < second ? -1 : 1;
	return strcmp(json_text_or(a, "name", ""), json_text_or(b, "name", ""));
}

void helm_hooks_select(json_t *hooks, const char *event, Vec *out)
{
	json_t *hook;
	size_t index;
	json_array_foreach(hooks, index, hook)
	{
		if (!helm_hook_has(hook, "events", event))
			continue;
		if (!json_array_size(json_list(hook, "delete_policies")))
			json_object_set_new(hook, "delete_policies",
					    json_pack("[s]", "before-hook-creation"));
		vec_push(out, hook);
	}
	vec_sort(out, compare_hooks);
}

void helm_hook_started(json_t *hook)
{
	char now[CLOCK_TEXT_SIZE];
	helm_time_now(now);
	json_object_set_new(hook, "last_run",
			    json_pack("{s:s,s:s}", "started_at", now, "phase", "Running"));
}

void helm_hook_ended(json_t *hook, const char *phase)
{
	char now[CLOCK_TEXT_SIZE];
	helm_time_now(now);
	json_t *run = json_make_at(hook, "last_run", NULL);
	json_put_text(run, "completed_at", now);
	json_put_text(run, "phase", phase);
}
