#include "attempt.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

static json_t *frozen(const json_t *object)
{
	json_t *copy = json_object();
	json_t *metadata = json_make_at(copy, "metadata", NULL);
	json_put_text(metadata, "name", object_name(object));
	json_put_text(metadata, "namespace", object_namespace(object));
	json_object_set_new(metadata, "generation", json_integer(object_generation(object)));
	json_t *spec = json_map(object, "spec");
	json_object_set_new(copy, "spec", spec ? json_incref(spec) : json_object());
	return copy;
}

Attempt *attempt_new(const json_t *object)
{
	Attempt *attempt = mem_zalloc(1, sizeof(*attempt));
	attempt->object = frozen(object);
	release_spec_parse(attempt->object, &attempt->spec);
	attempt->owner = mem_printf("%s/%s", attempt->spec.ns, attempt->spec.name);
	return attempt;
}

void attempt_end_action(Attempt *attempt)
{
	action_free(attempt->action);
	attempt->action = NULL;
	free(attempt->release);
	free(attempt->ns);
	free(attempt->storage_ns);
	attempt->release = attempt->ns = attempt->storage_ns = NULL;
}

void attempt_set_last(Attempt *attempt, HelmRecord *take)
{
	helm_record_free(attempt->last);
	attempt->last = take;
	attempt->absent = !take;
	attempt->matches = false;
	stored_rows_dispose(&attempt->rows);
	attempt->rows_known = false;
}

void attempt_free(Attempt *attempt)
{
	if (!attempt)
		return;
	attempt_end_action(attempt);
	target_close(&attempt->target);
	helm_record_free(attempt->last);
	stored_rows_dispose(&attempt->rows);
	helm_record_free(attempt->previous);
	prepared_chart_unref(attempt->chart);
	health_exprs_free(attempt->exprs);
	json_decref(attempt->values);
	json_decref(attempt->uninstalled);
	free(attempt->config_digest);
	free(attempt->oci_digest);
	free(attempt->source_revision);
	free(attempt->filters);
	free(attempt->storage_before);
	free(attempt->handled_at);
	free(attempt->owner);
	release_spec_dispose(&attempt->spec);
	json_decref(attempt->object);
	free(attempt);
}

/* --- between runs --- */

typedef struct {
	Attempt *waiting;
	char *status;
	char *chart; /* owned, or NULL */
} Kept;

struct Attempts {
	pthread_mutex_t lock; /* guards what follows */
	Map *by_key;	      /* "ns/name" -> Kept */
};

static void free_kept(void *value)
{
	Kept *kept = value;
	attempt_free(kept->waiting);
	free(kept->status);
	free(kept->chart);
	free(kept);
}

Attempts *attempts_new(void)
{
	Attempts *attempts = mem_zalloc(1, sizeof(*attempts));
	attempts->by_key = map_new(free_kept);
	pthread_mutex_init(&attempts->lock, NULL);
	return attempts;
}

void attempts_free(Attempts *attempts)
{
	if (!attempts)
		return;
	map_free(attempts->by_key);
	pthread_mutex_destroy(&attempts->lock);
	free(attempts);
}

/* With the lock. */
static Kept *kept_of(Attempts *attempts, const char *key)
{
	Kept *kept = map_get(attempts->by_key, key);
	if (!kept) {
		kept = mem_zalloc(1, sizeof(*kept));
		map_put(attempts->by_key, key, kept);
	}
	return kept;
}

static void drop_empty(Attempts *attempts, const char *key)
{
	const Kept *kept = map_get(attempts->by_key, key);
	if (kept && !kept->waiting && !kept->status && !kept->chart)
		map_remove(attempts->by_key, key);
}

Attempt *attempts_take(Attempts *attempts, const char *key)
{
	pthread_mutex_lock(&attempts->lock);
	Kept *kept = map_get(attempts->by_key, key);
	Attempt *attempt = kept ? steal(&kept->waiting) : NULL;
	drop_empty(attempts, key);
	pthread_mutex_unlock(&attempts->lock);
	return attempt;
}

void attempts_keep(Attempts *attempts, const char *key, Attempt *take)
{
	pthread_mutex_lock(&attempts->lock);
	kept_of(attempts, key)->waiting = take;
	pthread_mutex_unlock(&attempts->lock);
}

Attempt *attempts_take_any(Attempts *attempts, char **out_key)
{
	size_t at = 0;
	const char *key;
	void *value;
	Attempt *attempt = NULL;
	pthread_mutex_lock(&attempts->lock);
	while (!attempt && map_next(attempts->by_key, &at, &key, &value)) {
		attempt = steal(&((Kept *)value)->waiting);
		if (attempt)
			*out_key = mem_strdup(key);
	}
	pthread_mutex_unlock(&attempts->lock);
	return attempt;
}

void attempts_keep_status(Attempts *attempts, const char *key, const json_t *status)
{
	char *text = status ? json_dump(status) : NULL;
	pthread_mutex_lock(&attempts->lock);
	Kept *kept = text ? kept_of(attempts, key) : map_get(attempts->by_key, key);
	if (kept) {
		free(kept->status);
		kept->status = text;
	}
	drop_empty(attempts, key);
	pthread_mutex_unlock(&attempts->lock);
}

json_t *attempts_kept_status(Attempts *attempts, const char *key)
{
	autoerror Error ignored = {0};
	pthread_mutex_lock(&attempts->lock);
	const Kept *kept = map_get(attempts->by_key, key);
	autofree char *text = kept ? mem_strdup(kept->status) : NULL;
	pthread_mutex_unlock(&attempts->lock);
	return text ? json_parse(text, strlen(text), strlen(text), &ignored) : NULL;
}

void attempts_note_chart(Attempts *attempts, const char *key, const char *chart)
{
	pthread_mutex_lock(&attempts->lock);
	Kept *kept = chart ? kept_of(attempts, key) : map_get(attempts->by_key, key);
	if (kept) {
		free(kept->chart);
		kept->chart = mem_strdup(chart);
	}
	drop_empty(attempts, key);
	pthread_mutex_unlock(&attempts->lock);
}

char *attempts_noted_chart(Attempts *attempts, const char *key)
{
	pthread_mutex_lock(&attempts->lock);
	const Kept *kept = map_get(attempts->by_key, key);
	char *chart = kept ? mem_strdup(kept->chart) : NULL;
	pthread_mutex_unlock(&attempts->lock);
	return chart;
}

void attempts_forget(Attempts *attempts, const char *key)
{
	pthread_mutex_lock(&attempts->lock);
	map_remove(attempts->by_key, key);
	pthread_mutex_unlock(&attempts->lock);
}
