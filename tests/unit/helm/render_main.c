/*
 * The differential suite's driver: many small charts in one process. Reads and answers the same
 * JSON lines as tests/oracles/gotmpl.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/json.h"
#include "helm/context.h"

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

static void add_files(Arena *arena, HelmFile *files, size_t *count, json_t *texts,
		      const char *folder)
{
	const char *name;
	json_t *text;
	json_object_foreach(texts, name, text)
	{
		files[(*count)++] =
			(HelmFile){arena_printf(arena, "%s%s", folder, name),
				   str_sized(json_string_value(text), json_string_length(text))};
	}
}

/* A chart "c" of the request's templates and files, and its templates with their context. */
static Templates templates_of(Arena *arena, json_t *request, Error *err)
{
	static const char chart_yaml[] = "apiVersion: v2\nname: c\nversion: 0.1.0\n";
	static const HelmRelease release = {"r", "n", 1, false};
	json_t *texts = json_map(request, "templates"), *others = json_map(request, "files");
	Templates templates = {.arena = arena};
	HelmCapabilities capabilities = {0};
	size_t count = 1;
	HelmFile *files = arena_alloc(
		arena, (json_object_size(texts) + json_object_size(others) + 1) * sizeof(HelmFile));
	files[0] = (HelmFile){"Chart.yaml", str_of(chart_yaml)};
	add_files(arena, files, &count, texts, "templates/");
	add_files(arena, files, &count, others, "");
	json_t *values = json_make_at(request, "values", NULL);
	const HelmChart *chart = helm_chart_of_files(arena, files, count, err);
	if (!chart || !helm_templates_of(arena, chart, values, &release, &capabilities,
					 &templates.items, &templates.len, err))
		exit(1);
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
	Templates templates = templates_of(arena, request, &err);
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
	free(templates.items);
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
