#include "delivery/drift.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "kube/fieldset.h"

enum {
	FIGHT_WINDOW_MS = 60000, /* corrections of one object in this time... */
	FIGHT_LIMIT = 5,	 /* ...beyond this many are slowed down */
	FIGHT_DELAY_MS = 10000,
	HEALTH_DEBOUNCE_MS = 50, /* status changes come in bursts */
	CONFIRM_MS = 5000,	 /* by then the watch has told of what was applied */
};

typedef struct {
	DriftLive live;		/* the newest state seen */
	char *owner;		/* "ns/name" of who applied it; NULL: none yet */
	uint64_t applied;	/* live.hash after our last apply; 0: not applied by this process */
	char applied_time[24];	/* live.time after it */
	bool present;		/* it was there, and no deletion was seen since */
	int64_t unconfirmed_ms; /* when a reply said what the watch has not told yet; 0: it has */
	bool writing;
	bool expires; /* a Job that its own TTL deletes: gone is no drift (K82) */
	int64_t window_start_ms;
	int corrections;
} Entry;

typedef struct {
	Drift *drift;
	char *api_version, *kind;
	Informer *informer;
} KindWatcher;

struct Drift {
	KubeClient *client;
	DriftConfig config;
	char *watch_ns;
	pthread_mutex_t lock; /* guards the four below */
	Map *entries;	      /* drift_key -> Entry */
	Map *watchers;	      /* "apiVersion/Kind" -> KindWatcher */
	Map *waiting;	      /* "ns/name" of those that wait for health */
	Map *left;	      /* "ns/name" -> bool *: has it, since drift_begin */
};

static void free_entry(void *value)
{
	Entry *entry = value;
	free(entry->owner);
	free(entry);
}

static void free_watcher(void *value)
{
	KindWatcher *watcher = value;
	if (watcher->informer)
		informer_stop(watcher->informer);
	free(watcher->api_version);
	free(watcher->kind);
	free(watcher);
}

Drift *drift_new(KubeClient *client, const DriftConfig *config)
{
	Drift *drift = mem_zalloc(1, sizeof(*drift));
	drift->client = client;
	drift->watch_ns = mem_strdup(config->watch_ns);
	drift->config = *config;
	drift->config.watch_ns = drift->watch_ns;
	pthread_mutex_init(&drift->lock, NULL);
	drift->entries = map_new(free_entry);
	drift->watchers = map_new(free_watcher);
	drift->waiting = map_new(NULL);
	drift->left = map_new(free);
	return drift;
}

void drift_free(Drift *drift)
{
	if (!drift)
		return;
	map_free(drift->watchers);
	map_free(drift->entries);
	map_free(drift->waiting);
	map_free(drift->left);
	pthread_mutex_destroy(&drift->lock);
	free(drift->watch_ns);
	free(drift);
}

char *drift_key_of(const char *api_version, const char *kind, const char *ns, const char *name)
{
	return mem_printf("%s/%s/%s/%s", api_version, kind, ns, name);
}

char *drift_key(const json_t *object)
{
	return drift_key_of(object_api_version(object), object_kind(object),
			    object_namespace(object), object_name(object));
}

static Entry *entry_of(Drift *drift, const char *key)
{
	Entry *entry = map_get(drift->entries, key);
	if (!entry) {
		entry = mem_zalloc(1, sizeof(*entry));
		map_put(drift->entries, key, entry);
	}
	return entry;
}

/* The time of our own Apply entry: it moves with each apply that changes something. */
static const char *own_entry_time(const char *manager, const json_t *object)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_at(object, "metadata", "managedFields", NULL), i, entry)
	{
		if (cstr_eq(json_text(entry, "manager"), manager) &&
		    cstr_eq(json_text(entry, "operation"), "Apply") &&
		    !json_text(entry, "subresource"))
			return json_text_or(entry, "time", "");
	}
	return "";
}

static bool says(bool (*question)(const json_t *object), const json_t *object)
{
	return question && question(object);
}

void drift_state_of(const Drift *drift, const json_t *object, DriftLive *out)
{
	FieldsetSummary summary;
	const DriftConfig *config = &drift->config;
	fieldset_summary(object, config->field_manager, config->overridden, &summary);
	*out = (DriftLive){.hash = summary.hash,
			   .version = object_version(object),
			   .overridden = summary.to_take_over && !says(config->is_merged, object),
			   .exempt = says(config->is_exempt, object)};
	snprintf(out->time, sizeof(out->time), "%s", own_entry_time(config->field_manager, object));
}

static void note_state(const Drift *drift, Entry *entry, const json_t *object)
{
	entry->present = true;
	entry->unconfirmed_ms = 0;
	drift_state_of(drift, object, &entry->live);
}

/* A reply that is older and still on its way must not bring it back. */
static void note_deletion(Entry *entry, const json_t *object)
{
	uint64_t version = object_version(object);
	entry->present = false;
	if (version > entry->live.version)
		entry->live.version = version;
}

bool object_expires(const json_t *object)
{
	return object_is_of(object, "batch", "Job") &&
	       json_object_get(json_map(object, "spec"), "ttlSecondsAfterFinished");
}

/* How long to wait before this object is corrected: nothing, until it becomes a fight. */
static int64_t correction_delay(Entry *entry)
{
	int64_t now = clock_mono_ms();
	if (now - entry->window_start_ms > FIGHT_WINDOW_MS) {
		entry->window_start_ms = now;
		entry->corrections = 0;
	}
	return ++entry->corrections > FIGHT_LIMIT ? FIGHT_DELAY_MS : 0;
}

static bool left_applied_state(const Entry *entry)
{
	if (!entry->applied || entry->writing || (entry->present && entry->live.exempt))
		return false; /* not applied by this process yet, or our own echo */
	if (!entry->present)
		return !entry->expires;
	return entry->live.hash != entry->applied || entry->live.overridden;
}

/* "ns/name" of who is to be woken for an object; owned; NULL when nobody's. Lock held. */
static char *owner_of(const DriftConfig *config, const Entry *entry, const json_t *object)
{
	if (entry->owner)
		return mem_strdup(entry->owner);
	const char *ns = object_label(object, config->owner_namespace);
	const char *name = object_label(object, config->owner_name);
	return ns && name ? mem_printf("%s/%s", ns, name) : NULL;
}

/* Lock held. */
static void note_left(Drift *drift, const char *owner)
{
	bool *left = map_get(drift->left, owner);
	if (left)
		*left = true;
}

static void wake(Drift *drift, const char *owner, int64_t delay_ms)
{
	Str ns, name;
	str_cut(str_of(owner), '/', &ns, &name);
	autofree char *ns_text = str_dup(ns), *name_text = str_dup(name);
	drift->config.fn(drift->config.arg, ns_text, name_text, delay_ms);
}

/* On the loop's thread. */
static void on_event(void *arg, InformerEvent event, const json_t *object)
{
	const KindWatcher *watcher = arg;
	Drift *drift = watcher->drift;
	if (!object)
		return;
	autofree char *key = drift_key_of(watcher->api_version, watcher->kind,
					  object_namespace(object), object_name(object));
	pthread_mutex_lock(&drift->lock);
	Entry *entry = entry_of(drift, key);
	if (event == INFORMER_DELETED)
		note_deletion(entry, object);
	else if (object_version(object) >= entry->live.version)
		note_state(drift, entry, object);
	autofree char *owner = owner_of(&drift->config, entry, object);
	bool drifted = left_applied_state(entry);
	int64_t delay = drifted ? correction_delay(entry) : HEALTH_DEBOUNCE_MS;
	bool waited = owner && map_has(drift->waiting, owner);
	if (drifted && owner)
		note_left(drift, owner);
	if (event == INFORMER_DELETED && !drifted && !entry->writing)
		map_remove(drift->entries, key);
	pthread_mutex_unlock(&drift->lock);
	if ((drifted || waited) && owner)
		wake(drift, owner, delay);
}

void drift_wake_on_change(Drift *drift, const char *owner, bool on)
{
	pthread_mutex_lock(&drift->lock);
	if (on)
		map_put(drift->waiting, owner, NULL);
	else
		map_remove(drift->waiting, owner);
	pthread_mutex_unlock(&drift->lock);
}

void drift_begin(Drift *drift, const char *owner)
{
	pthread_mutex_lock(&drift->lock);
	map_put(drift->left, owner, mem_zalloc(1, sizeof(bool)));
	pthread_mutex_unlock(&drift->lock);
}

bool drift_has_left(Drift *drift, const char *owner)
{
	pthread_mutex_lock(&drift->lock);
	const bool *left = map_get(drift->left, owner);
	bool has = !left || *left;
	pthread_mutex_unlock(&drift->lock);
	return has;
}

void drift_end(Drift *drift, const char *owner)
{
	pthread_mutex_lock(&drift->lock);
	map_remove(drift->left, owner);
	pthread_mutex_unlock(&drift->lock);
}

void drift_watch(Drift *drift, const char *api_version, const char *kind)
{
	autofree char *key = mem_printf("%s/%s", api_version, kind);
	pthread_mutex_lock(&drift->lock);
	KindWatcher *watcher = NULL;
	if (!map_has(drift->watchers, key)) {
		watcher = mem_zalloc(1, sizeof(*watcher));
		watcher->drift = drift;
		watcher->api_version = mem_strdup(api_version);
		watcher->kind = mem_strdup(kind);
		map_put(drift->watchers, key, watcher);
	}
	pthread_mutex_unlock(&drift->lock);
	if (!watcher)
		return;
	Informer *informer = informer_start(
		drift->client, &(InformerConfig){.api_version = api_version,
						 .kind = kind,
						 .ns = drift->watch_ns,
						 .label_selector = drift->config.owner_name,
						 .metadata_only = true,
						 .on_event = on_event,
						 .arg = watcher,
						 .log = drift->config.log});
	pthread_mutex_lock(&drift->lock);
	watcher->informer = informer;
	pthread_mutex_unlock(&drift->lock);
}

void drift_writing(Drift *drift, const char *key)
{
	pthread_mutex_lock(&drift->lock);
	entry_of(drift, key)->writing = true;
	pthread_mutex_unlock(&drift->lock);
}

void drift_applied(Drift *drift, const char *key, const char *owner, const json_t *reply)
{
	DriftLive state;
	drift_state_of(drift, reply, &state);
	pthread_mutex_lock(&drift->lock);
	Entry *entry = entry_of(drift, key);
	entry->writing = false;
	entry->applied = state.hash;
	memcpy(entry->applied_time, state.time, sizeof(entry->applied_time));
	entry->expires = object_expires(reply);
	if (!cstr_eq(entry->owner, owner)) {
		free(entry->owner);
		entry->owner = mem_strdup(owner);
	}
	/* A newer event may have come while the reply was on its way; it stays what is live, and
	 * was taken for an echo. */
	bool is_newest = state.version >= entry->live.version;
	if (is_newest) {
		if (!entry->present || state.version > entry->live.version)
			entry->unconfirmed_ms = clock_mono_ms();
		entry->present = true;
		entry->live = state;
	}
	bool drifted = !is_newest && left_applied_state(entry);
	int64_t delay = drifted ? correction_delay(entry) : 0;
	if (drifted)
		note_left(drift, owner);
	pthread_mutex_unlock(&drift->lock);
	if (drifted)
		wake(drift, owner, delay);
}

void drift_write_failed(Drift *drift, const char *key)
{
	pthread_mutex_lock(&drift->lock);
	Entry *entry = map_get(drift->entries, key);
	if (entry)
		entry->writing = false;
	pthread_mutex_unlock(&drift->lock);
}

/* What was made and deleted before a list was read is told by no watch. */
static bool is_confirmed(const Entry *entry)
{
	return !entry->unconfirmed_ms || clock_mono_ms() - entry->unconfirmed_ms < CONFIRM_MS;
}

/* The hash knows which fields are ours, not their values: another process that applies under our
 * name tells itself by the time alone. */
static bool holds(const Entry *entry, const char *owner)
{
	return entry->present && entry->applied && entry->live.hash == entry->applied &&
	       !entry->live.overridden && cstr_eq(entry->live.time, entry->applied_time) &&
	       cstr_eq(entry->owner, owner) && is_confirmed(entry);
}

/* The entry of an object of whose kind the watch is in step, or NULL. Lock held. */
static const Entry *watched_entry(const Drift *drift, const char *key, const char *api_version,
				  const char *kind)
{
	autofree char *kind_key = mem_printf("%s/%s", api_version, kind);
	const KindWatcher *watcher = map_get(drift->watchers, kind_key);
	bool in_step = watcher && watcher->informer && informer_is_synced(watcher->informer);
	return in_step ? map_get(drift->entries, key) : NULL;
}

bool drift_is_clean(Drift *drift, const char *key, const char *owner, const char *api_version,
		    const char *kind)
{
	pthread_mutex_lock(&drift->lock);
	const Entry *entry = watched_entry(drift, key, api_version, kind);
	bool clean = entry && holds(entry, owner);
	pthread_mutex_unlock(&drift->lock);
	return clean;
}

bool drift_is_at(Drift *drift, const char *key, const char *api_version, const char *kind,
		 uint64_t version)
{
	pthread_mutex_lock(&drift->lock);
	const Entry *entry = watched_entry(drift, key, api_version, kind);
	bool still =
		entry && entry->present && entry->live.version <= version && is_confirmed(entry);
	pthread_mutex_unlock(&drift->lock);
	return still;
}

bool drift_live(Drift *drift, const char *key, DriftLive *out)
{
	pthread_mutex_lock(&drift->lock);
	const Entry *entry = map_get(drift->entries, key);
	bool known = entry && entry->present;
	if (known)
		*out = entry->live;
	pthread_mutex_unlock(&drift->lock);
	return known;
}

void drift_forget(Drift *drift, const char *key)
{
	pthread_mutex_lock(&drift->lock);
	Entry *entry = map_get(drift->entries, key);
	if (entry)
		entry->applied = 0;
	pthread_mutex_unlock(&drift->lock);
}
