#include "helm/prepared.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/mem.h"
#include "helm/render_error.h"

/* Names of templates come from the chart alone (its directories and aliases), so what is kept is
 * bounded by it. Failures are kept too: a release that is retried does not parse again. */
struct PreparedChart {
	atomic_size_t refs;
	Arena *arena;
	const HelmChart *chart;
	atomic_size_t *count; /* of templates parsed; or NULL */
	pthread_mutex_t lock; /* guards what follows */
	GotmplSet *functions; /* an empty set: what texts are parsed with, and where they live */
	Map *texts;	      /* name of a template -> Parsed, in its arena */
	Arena *parsed;	      /* of the map's values */
};

typedef struct Parsed Parsed;
struct Parsed {
	const char *source;	/* where the text stands: two charts can give one name */
	const GotmplText *text; /* NULL: it is no template, as `error` says */
	const char *error;
	const Parsed *next; /* of the same name */
};

PreparedChart *prepared_chart_new(Arena *take_arena, HelmChart *chart)
{
	PreparedChart *prepared = mem_zalloc(1, sizeof(*prepared));
	atomic_init(&prepared->refs, 1);
	prepared->arena = take_arena;
	prepared->chart = chart;
	pthread_mutex_init(&prepared->lock, NULL);
	prepared->functions = gotmpl_new();
	prepared->texts = map_new(NULL);
	prepared->parsed = arena_new();
	return prepared;
}

PreparedChart *prepared_chart_ref(PreparedChart *prepared)
{
	atomic_fetch_add(&prepared->refs, 1);
	return prepared;
}

void prepared_chart_unref(PreparedChart *prepared)
{
	if (!prepared || atomic_fetch_sub(&prepared->refs, 1) != 1)
		return;
	map_free(prepared->texts);
	arena_free(prepared->parsed);
	gotmpl_free(prepared->functions);
	pthread_mutex_destroy(&prepared->lock);
	arena_free(prepared->arena);
	free(prepared);
}

void prepared_chart_count(PreparedChart *prepared, atomic_size_t *parsed)
{
	prepared->count = parsed;
}

const HelmChart *prepared_chart_chart(const PreparedChart *prepared)
{
	return prepared->chart;
}

size_t prepared_chart_size(PreparedChart *prepared)
{
	pthread_mutex_lock(&prepared->lock);
	size_t size = arena_size(prepared->arena) + arena_size(prepared->parsed) +
		      gotmpl_size(prepared->functions);
	pthread_mutex_unlock(&prepared->lock);
	return size;
}

static Parsed *parsed_new(PreparedChart *prepared, const HelmTemplate *template)
{
	autoerror Error cause = {0}, err = {0};
	Parsed *parsed = arena_alloc(prepared->parsed, sizeof(*parsed));
	if (prepared->count)
		atomic_fetch_add(prepared->count, 1);
	parsed->source = template->text.ptr;
	parsed->text = gotmpl_read(prepared->functions, template->name, template->text, &cause);
	if (!parsed->text) {
		parse_error_reword(template->name, &cause, &err);
		parsed->error = arena_strdup(prepared->parsed, err_text(&err));
	}
	parsed->next = map_get(prepared->texts, template->name);
	map_put(prepared->texts, template->name, parsed);
	return parsed;
}

/* Under the lock. */
static const GotmplText *text_of(PreparedChart *prepared, const HelmTemplate *template, Error *err)
{
	const Parsed *parsed = map_get(prepared->texts, template->name);
	while (parsed && parsed->source != template->text.ptr)
		parsed = parsed->next;
	if (!parsed)
		parsed = parsed_new(prepared, template);
	if (!parsed->text)
		err_set(err, ERR_INVALID, "%s", parsed->error);
	return parsed->text;
}

static bool read_texts(PreparedChart *prepared, const HelmTemplate *templates, size_t count,
		       const GotmplText **out, Error *err)
{
	bool fine = true;
	pthread_mutex_lock(&prepared->lock);
	for (size_t i = 0; fine && i < count; i++) {
		out[i] = text_of(prepared, &templates[i], err);
		fine = out[i] != NULL;
	}
	pthread_mutex_unlock(&prepared->lock);
	return fine;
}

const GotmplSet *prepared_chart_set(PreparedChart *prepared, const HelmTemplate *templates,
				    size_t count, Arena *arena, Error *err)
{
	const GotmplText **texts = arena_alloc(arena, count * sizeof(*texts));
	if (!read_texts(prepared, templates, count, texts, err))
		return NULL;
	GotmplSet *set = gotmpl_below(prepared->functions, arena);
	for (size_t i = 0; i < count; i++)
		gotmpl_add(set, texts[i]);
	return set;
}
