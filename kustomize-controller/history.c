/* status.history: the last five different outcomes (facts 1 "history", K96). */
#include "internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "data/duration.h"

enum { KEEP = 5 };

static json_t *take_matching(json_t *history, const char *digest, const char *reason)
{
	size_t i;
	json_t *entry;
	json_array_foreach(history, i, entry)
	{
		if (!cstr_eq(json_text(entry, "digest"), digest) ||
		    !cstr_eq(json_text(entry, "lastReconciledStatus"), reason))
			continue;
		json_incref(entry);
		json_array_remove(history, i);
		return entry;
	}
	return NULL;
}

void history_note(json_t *object, const char *digest, const char *reason, int64_t started_ms,
		  const SourceState *source)
{
	json_t *status = json_make_at(object, "status", NULL);
	json_t *history = json_list(status, "history");
	if (!history) {
		history = json_array();
		json_object_set_new(status, "history", history);
	}
	char now[CLOCK_TEXT_SIZE], took[DURATION_TEXT_SIZE];
	clock_format(clock_wall_ms(), now);
	duration_format(clock_mono_ms() - started_ms, took);
	json_t *entry = take_matching(history, digest, reason);
	if (!entry) {
		entry = json_object();
		json_put_text(entry, "digest", digest);
		json_put_text(entry, "firstReconciled", now);
		json_put_text(entry, "lastReconciledStatus", reason);
	}
	json_put_text(entry, "lastReconciled", now);
	json_put_text(entry, "lastReconciledDuration", took);
	json_object_set_new(entry, "totalReconciliations",
			    json_integer(json_int(entry, "totalReconciliations", 0) + 1));
	json_t *metadata = json_make_at(entry, "metadata", NULL);
	json_put_text(metadata, "revision", source->artifact.revision);
	json_put_text(metadata, "originRevision", source->origin_revision);
	json_array_insert_new(history, 0, entry);
	while (json_array_size(history) > KEEP)
		json_array_remove(history, KEEP);
}

bool history_last_failed(const json_t *object)
{
	const json_t *last = json_array_get(json_at(object, "status", "history", NULL), 0);
	return last && !cstr_eq(json_text(last, "lastReconciledStatus"), "ReconciliationSucceeded");
}
