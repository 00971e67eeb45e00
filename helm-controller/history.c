#include "history.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "helm/digest.h"

enum { KEPT = 5 };
#define SNAPSHOT_FORMAT "v2"

static json_t *list_of(const json_t *status)
{
	return json_list(status, "history");
}

json_t *history_latest(const json_t *status)
{
	return json_array_get(list_of(status), 0);
}

static bool is_good(const json_t *snapshot, bool ignore_tests)
{
	const char *status = json_text_or(snapshot, "status", "");
	return (cstr_eq(status, "deployed") || cstr_eq(status, "superseded")) &&
	       (ignore_tests || !snapshot_test_failed(snapshot));
}

/* Its place, or 0. */
static size_t previous_at(const json_t *status, bool ignore_tests)
{
	const json_t *list = list_of(status);
	for (size_t i = 1; i < json_array_size(list); i++)
		if (is_good(json_array_get(list, i), ignore_tests))
			return i;
	return 0;
}

json_t *history_previous(const json_t *status, bool ignore_tests)
{
	size_t at = previous_at(status, ignore_tests);
	return at ? json_array_get(list_of(status), at) : NULL;
}

json_t *history_find(const json_t *status, const HelmRecord *record)
{
	const json_t *list = list_of(status);
	for (size_t i = 0; i < json_array_size(list); i++)
		if (snapshot_is_of(json_array_get(list, i), record))
			return json_array_get(list, i);
	return NULL;
}

bool history_has_reached(const json_t *status, const json_t *other)
{
	const json_t *latest = history_latest(status), *wanted = history_latest(other);
	return !wanted ||
	       (latest && (json_int(latest, "version", 0) > json_int(wanted, "version", 0) ||
			   json_same(latest, wanted)));
}

void history_clear(json_t *status)
{
	json_object_del(status, "history");
}

static void cut(json_t *status, size_t count)
{
	json_t *list = list_of(status);
	while (json_array_size(list) > count)
		json_array_remove(list, json_array_size(list) - 1);
}

void history_truncate(json_t *status, bool ignore_tests)
{
	size_t previous = previous_at(status, ignore_tests);
	cut(status, previous ? previous + 1 : KEPT);
}

void history_truncate_plain(json_t *status)
{
	cut(status, KEPT);
}

/* --- one snapshot --- */

/* Kubernetes' times have whole seconds, in UTC; one that was never is left out. */
static void put_time(json_t *object, const char *key, const char *text)
{
	char shown[CLOCK_TEXT_SIZE];
	int64_t wall_ms;
	if (!text || cstr_starts(text, "0001-01-01") || !clock_parse(text, &wall_ms))
		return;
	clock_format(wall_ms, shown);
	json_put_text(object, key, shown);
}

/* Required, so that a record without it is the beginning of time. */
static void put_required_time(json_t *object, const char *key, const char *text)
{
	put_time(object, key, text);
	if (!json_object_get(object, key))
		json_put_text(object, key, "1970-01-01T00:00:00Z");
}

static void put_filled(json_t *object, const char *key, const char *value)
{
	if (!cstr_empty(value))
		json_put_text(object, key, value);
}

json_t *snapshot_of(const HelmRecord *record, const SnapshotFacts *facts)
{
	char digest[DIGEST_TEXT_SIZE], values[DIGEST_TEXT_SIZE];
	const json_t *tree = helm_record_tree(record), *info = json_map(tree, "info");
	const json_t *metadata = json_at(tree, "chart", "metadata", NULL);
	helm_record_digest(record, facts->oci_digest, facts->algo, digest);
	helm_values_digest(json_map(tree, "config"), facts->algo, values);
	json_t *snapshot = json_object();
	json_put_text(snapshot, "apiVersion", SNAPSHOT_FORMAT);
	json_put_text(snapshot, "digest", digest);
	json_put_text(snapshot, "name", helm_record_name(record));
	json_put_text(snapshot, "namespace", helm_record_namespace(record));
	json_object_set_new(snapshot, "version", json_integer(helm_record_version(record)));
	json_put_text(snapshot, "status", helm_record_status(record));
	put_filled(snapshot, "action", facts->action);
	json_put_text(snapshot, "chartName", json_text_or(metadata, "name", ""));
	json_put_text(snapshot, "chartVersion", json_text_or(metadata, "version", ""));
	put_filled(snapshot, "appVersion", json_text(metadata, "appVersion"));
	json_put_text(snapshot, "configDigest", values);
	put_required_time(snapshot, "firstDeployed", json_text(info, "first_deployed"));
	put_required_time(snapshot, "lastDeployed", json_text(info, "last_deployed"));
	put_time(snapshot, "deleted", json_text(info, "deleted"));
	put_filled(snapshot, "ociDigest", facts->oci_digest);
	return snapshot;
}

bool snapshot_is_of(const json_t *snapshot, const HelmRecord *record)
{
	return cstr_eq(json_text(snapshot, "name"), helm_record_name(record)) &&
	       cstr_eq(json_text(snapshot, "namespace"), helm_record_namespace(record)) &&
	       json_int(snapshot, "version", 0) == helm_record_version(record);
}

bool snapshot_matches(const json_t *snapshot, const HelmRecord *record)
{
	autoerror Error ignored = {0};
	char digest[DIGEST_TEXT_SIZE];
	DigestAlgo algo;
	const char *said = json_text_or(snapshot, "digest", ""), *hex;
	if (!cstr_eq(json_text(snapshot, "apiVersion"), SNAPSHOT_FORMAT))
		return true;
	if (!digest_parse(said, &algo, &hex, &ignored))
		return false;
	helm_record_digest(record, json_text(snapshot, "ociDigest"), algo, digest);
	return cstr_eq(digest, said);
}

bool snapshot_has_values(const json_t *snapshot, const json_t *values)
{
	return helm_values_have_digest(values, json_text_or(snapshot, "configDigest", ""));
}

static size_t count_phase(const json_t *hooks, const char *phase)
{
	size_t count = 0;
	const char *name;
	json_t *hook;
	json_object_foreach(json_borrow(hooks), name, hook)
	{
		count += cstr_eq(json_text(hook, "phase"), phase);
	}
	return count;
}

bool snapshot_test_failed(const json_t *snapshot)
{
	return count_phase(json_map(snapshot, "testHooks"), "Failed") > 0;
}

bool snapshot_tested(const json_t *snapshot)
{
	const json_t *hooks = json_map(snapshot, "testHooks");
	return hooks && (snapshot_test_failed(snapshot) ||
			 count_phase(hooks, "Succeeded") == json_object_size(hooks));
}

char *snapshot_release(const json_t *snapshot)
{
	return snapshot ? mem_printf("%s/%s.v%lld", json_text_or(snapshot, "namespace", ""),
				     json_text_or(snapshot, "name", ""),
				     (long long)json_int(snapshot, "version", 0))
			: mem_strdup("");
}

char *snapshot_chart(const json_t *snapshot)
{
	return snapshot ? mem_printf("%s@%s", json_text_or(snapshot, "chartName", ""),
				     json_text_or(snapshot, "chartVersion", ""))
			: mem_strdup("");
}

/* --- what is about to be installed --- */

bool history_has_intent(const json_t *status)
{
	const json_t *latest = history_latest(status);
	return latest && cstr_empty(json_text(latest, "digest"));
}

void history_forget_intent(json_t *status)
{
	if (history_has_intent(status))
		json_array_remove(list_of(status), 0);
}

void history_intend(json_t *status, const InstallIntent *intent)
{
	json_t *snapshot = json_object();
	json_put_text(snapshot, "apiVersion", SNAPSHOT_FORMAT);
	json_object_set_new(snapshot, "digest", json_string(""));
	json_put_text(snapshot, "name", intent->release);
	json_put_text(snapshot, "namespace", intent->ns);
	json_object_set_new(snapshot, "version", json_integer(1));
	json_put_text(snapshot, "status", "pending-install");
	json_put_text(snapshot, "action", "install");
	json_put_text(snapshot, "chartName", intent->chart);
	json_put_text(snapshot, "chartVersion", intent->chart_version);
	json_put_text(snapshot, "configDigest", intent->config_digest);
	put_required_time(snapshot, "firstDeployed", NULL);
	put_required_time(snapshot, "lastDeployed", NULL);
	if (!list_of(status))
		json_object_set_new(status, "history", json_array());
	json_array_insert_new(list_of(status), 0, snapshot);
}

/* --- recording --- */

/* What a new snapshot keeps of the one whose place it takes. */
static json_t *replacement(const json_t *old, const HelmRecord *record, const SnapshotFacts *facts)
{
	SnapshotFacts kept = *facts;
	if (cstr_empty(kept.oci_digest))
		kept.oci_digest = json_text(old, "ociDigest");
	json_t *snapshot = snapshot_of(record, &kept);
	json_t *hooks = json_map(old, "testHooks");
	if (hooks)
		json_object_set(snapshot, "testHooks", hooks);
	return snapshot;
}

bool history_update(json_t *status, const HelmRecord *record, const SnapshotFacts *facts)
{
	json_t *list = list_of(status);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *old = json_array_get(list, i);
		if (!snapshot_is_of(old, record))
			continue;
		json_array_set_new(list, i, replacement(old, record, facts));
		return true;
	}
	return false;
}

void history_record(json_t *status, const HelmRecord *record, const SnapshotFacts *facts)
{
	if (history_update(status, record, facts))
		return;
	if (!list_of(status))
		json_object_set_new(status, "history", json_array());
	json_array_insert_new(list_of(status), 0, snapshot_of(record, facts));
}
