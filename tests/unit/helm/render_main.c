/*
 * The differential suite's driver: many small charts in one process. Reads and answers the same
 * JSON lines as tests/oracles/gotmpl and tests/oracles/postrender.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/json.h"
#include "helm/scalar.h"
#include "helm/template.h"

typedef struct {
	Arena *arena;
	HelmTemplate *items;
	size_t len;
} Templates;

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

/* A chart "c" of the request's templates and files. */
static PreparedChart *chart_of(json_t *request, Error *err)
{
	static const char chart_yaml[] = "apiVersion: v2\nname: c\nversion: 0.1.0\n";
	json_t *texts = json_map(request, "templates"), *others = json_map(request, "files");
	size_t count = 1;
	Arena *arena = arena_new();
	HelmFile *files = arena_alloc(
		arena, (json_object_size(texts) + json_object_size(others) + 1) * sizeof(HelmFile));
	files[0] = (HelmFile){"Chart.yaml", str_of(chart_yaml)};
	add_files(arena, files, &count, texts, "templates/");
	add_files(arena, files, &count, others, "");
	HelmChart *chart = helm_chart_of_files(arena, files, count, err);
	if (!chart)
		exit(1);
	return prepared_chart_new(arena, chart);
}

/* Its templates with their context. */
static Templates templates_of(Arena *arena, const PreparedChart *prepared, json_t *request,
			      Error *err)
{
	static const HelmRelease release = {"r", "n", 1, false};
	HelmCapabilities capabilities = {0};
	Templates templates = {.arena = arena};
	json_t *values = json_make_at(request, "values", NULL);
	if (!helm_templates_of(arena, prepared_chart_chart(prepared), values, &release,
			       &capabilities, &templates.items, &templates.len, err))
		exit(1);
	return templates;
}

static bool render(PreparedChart *prepared, Templates *templates, const GotmplLimits *limits,
		   Error *err)
{
	const GotmplSet *set = prepared_chart_set(prepared, templates->items, templates->len,
						  templates->arena, err);
	return set && helm_templates_run(set, templates->items, templates->len, limits,
					 templates->arena, err);
}

/* ---- what tests/oracles/postrender answers ---- */

static bool add_labels(void *context, json_t *objects, json_t **out, Error *err)
{
	json_t *object;
	size_t index;
	(void)context;
	(void)err;
	*out = json_incref(objects);
	json_array_foreach(objects, index, object)
	{
		json_t *labels = json_make_at(object, "metadata", "labels", NULL);
		json_put_text(labels, "origin/name", "n");
		json_put_text(labels, "origin/namespace", "ns");
	}
	return true;
}

static json_t *text_of(const Vec *manifests)
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < manifests->len; i++) {
		const HelmManifest *one = manifests->items[i];
		helm_manifest_write(one->path, one->text, &text);
	}
	return json_text_new(buf_text(&text), text.len);
}

static json_t *answer_postrender(json_t *request, const char *strategy)
{
	static const char *const names[] = {"combined", "separate", "nohooks"};
	autoerror Error err = {0};
	autopreparedchart PreparedChart *prepared = chart_of(request, &err);
	autoarena Arena *arena = arena_new();
	automanifests HelmManifests manifests = {0};
	HelmOptions options = {.release = {"r", "n", 1, false}, .postrenderer.run = add_labels};
	HelmChart *own;
	HelmStage stage;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], strategy) == 0)
			options.postrenderer.strategy = (HelmPostRenderStrategy)i;
	if (!helm_template(arena, prepared, NULL, &options, &manifests, &own, &stage, &err))
		return json_pack("{s:s}", "error", err_text(&err));
	return json_pack("{s:o,s:o}", "objects", text_of(&manifests.objects), "hooks",
			 text_of(&manifests.hooks));
}

static json_t *answer(json_t *request)
{
	autoarena Arena *arena = arena_new();
	autoerror Error err = {0};
	GotmplLimits limits = {.strict = json_flag(request, "strict", false)};
	autopreparedchart PreparedChart *prepared = chart_of(request, &err);
	Templates templates = templates_of(arena, prepared, request, &err);
	bool done = render(prepared, &templates, &limits, &err);
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
		autojson json_t *copy = helm_reals(request);
		const char *strategy = json_text(copy, "strategy");
		autojson json_t *reply =
			strategy ? answer_postrender(copy, strategy) : answer(copy);
		autofree char *text = json_dump(reply);
		puts(text);
		fflush(stdout);
	}
	free(line);
	return 0;
}
