/*
 * The differential suite's driver: many small charts in one process. Reads and answers the same
 * JSON lines as tests/oracles/gotmpl.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/json.h"
#include "gotmpl/objects.h"
#include "helm/render.h"

typedef struct {
	Arena *arena;
	HelmTemplate *items;
	size_t len;
} Templates;

static json_t *real_numbers(json_t *value)
{
	const char *key;
	json_t *item;
	size_t index;
	void *next;
	if (json_is_integer(value))
		return json_real((double)json_integer_value(value));
	json_object_foreach_safe(value, next, key, item)
		json_object_set_new(value, key, real_numbers(item));
	json_array_foreach(value, index, item) json_array_set_new(value, index, real_numbers(item));
	return json_incref(value);
}

static GoMap *release_of(Arena *arena)
{
	GoMap *map = go_map_new(arena, GO_MAP);
	go_map_put(arena, map, STR("Name"), go_cstr("r"));
	go_map_put(arena, map, STR("Namespace"), go_cstr("n"));
	go_map_put(arena, map, STR("Service"), go_cstr("Helm"));
	go_map_put(arena, map, STR("Revision"), go_int(1));
	go_map_put(arena, map, STR("IsInstall"), go_bool(true));
	go_map_put(arena, map, STR("IsUpgrade"), go_bool(false));
	return map;
}

static GoMap *files_of(Arena *arena, json_t *files)
{
	GoMap *map = go_map_new(arena, GO_FILES);
	const char *key;
	json_t *text;
	json_object_foreach(files, key, text)
	{
		Str bytes = str_sized(json_string_value(text), json_string_length(text));
		go_map_put(arena, map, str_of(arena_strdup(arena, key)),
			   (GoValue){.type = GO_BYTES, .text = bytes});
	}
	return map;
}

static GoMap *context_of(Arena *arena, json_t *request)
{
	GoMap *context = go_map_new(arena, GO_MAP);
	json_t *values = json_map(request, "values");
	GoValue table =
		values ? go_from_json_reals(arena, values) : go_map(go_map_new(arena, GO_VALUES));
	table.type = GO_VALUES;
	table.map->type = GO_VALUES;
	go_map_put(arena, context, STR("Values"), table);
	go_map_put(arena, context, STR("Release"), go_map(release_of(arena)));
	go_map_put(arena, context, STR("Files"),
		   go_map(files_of(arena, json_map(request, "files"))));
	return context;
}

static Templates templates_of(Arena *arena, json_t *request)
{
	Templates templates = {.arena = arena};
	json_t *texts = json_map(request, "templates");
	const char *name;
	json_t *text;
	templates.items = arena_alloc(arena, (json_object_size(texts) + 1) * sizeof(HelmTemplate));
	GoMap *context = context_of(arena, request);
	json_object_foreach(texts, name, text)
	{
		HelmTemplate *template = &templates.items[templates.len++];
		template->name = arena_printf(arena, "c/templates/%s", name);
		template->base_path = "c/templates";
		template->text = str_sized(json_string_value(text), json_string_length(text));
		template->context = context;
	}
	helm_templates_sort(templates.items, templates.len);
	return templates;
}

static bool render(Templates *templates, const GotmplLimits *limits, Error *err)
{
	autogotmpl GotmplSet *set = helm_templates_parse(templates->items, templates->len, err);
	return set && helm_templates_run(set, templates->items, templates->len, limits,
					 templates->arena, err);
}

static json_t *answer(json_t *request)
{
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	GotmplLimits limits = {.strict = json_flag(request, "strict", false)};
	Templates templates = templates_of(arena, request);
	bool done = render(&templates, &limits, &err);
	json_t *reply = json_object(), *outputs = json_object();
	for (size_t i = 0; i < templates.len; i++) {
		HelmTemplate *template = &templates.items[i];
		if (template->output)
			json_object_set_new(outputs, template->name,
					    json_text_new(template->output, template->output_len));
		free(template->output);
	}
	if (done)
		json_object_set(reply, "out", outputs);
	else
		json_object_set_new(reply, "error",
				    json_text_new(err_text(&err), strlen(err_text(&err))));
	json_decref(outputs);
	return reply;
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	while ((len = getline(&line, &cap, stdin)) > 0) {
		autoerror Error err = {0};
		autojson json_t *request = json_parse(line, (size_t)len, 64 << 20, &err);
		if (!request) {
			fprintf(stderr, "request: %s\n", err_text(&err));
			free(line);
			return 1;
		}
		autojson json_t *copy = real_numbers(request);
		autojson json_t *reply = answer(copy);
		autofree char *text = json_dump(reply);
		puts(text);
		fflush(stdout);
	}
	free(line);
	return 0;
}
