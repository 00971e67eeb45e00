/* What tables show of an object. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "kind.h"

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Digests and commits become their first 8 digits: runs of 40 to 128 lower-case hex digits that are
 * a word of their own. */
static char *shorten(const char *text)
{
	enum { LONG = 40, LONGEST = 128, SHORT = 8 };
	autobuf Buf out = {0};
	for (const char *c = text; *c;) {
		size_t hex = strspn(c, "0123456789abcdef");
		bool starts = c == text || !is_word(c[-1]);
		bool whole = starts && !is_word(c[hex]) && hex >= LONG && hex <= LONGEST;
		size_t word = 0;
		while (is_word(c[word]))
			word++;
		size_t used = whole ? hex : word ? word : 1;
		buf_append(&out, c, whole ? SHORT : used);
		c += used;
	}
	return buf_steal(&out);
}

static const json_t *status_of(const json_t *object)
{
	return json_map(object, "status");
}

static const json_t *spec_of(const json_t *object)
{
	return json_map(object, "spec");
}

static const char *artifact_revision(const json_t *object)
{
	const char *revision = json_text_at(object, "status", "artifact", "revision", NULL);
	return revision ? revision : "";
}

char *cell_artifact(const json_t *object)
{
	return shorten(artifact_revision(object));
}

char *cell_chart_artifact(const json_t *object)
{
	return mem_strdup(artifact_revision(object));
}

char *cell_applied(const json_t *object)
{
	return shorten(json_text_or(status_of(object), "lastAppliedRevision", ""));
}

char *cell_release(const json_t *object)
{
	const json_t *history = json_list(status_of(object), "history");
	const json_t *last = json_array_size(history) ? json_array_get(history, 0) : NULL;
	if (last)
		return mem_strdup(json_text_or(last, "chartVersion", ""));
	return mem_strdup(json_text_or(status_of(object), "lastAttemptedRevision", ""));
}

/* "Kind/namespace/name"; the namespace is `fallback` when the reference has none. */
static char *reference(const json_t *ref, const char *fallback)
{
	const char *ns = json_text_or(ref, "namespace", "");
	return mem_printf("%s/%s/%s", json_text_or(ref, "kind", ""), *ns ? ns : fallback,
			  json_text_or(ref, "name", ""));
}

char *cell_external_source(const json_t *object)
{
	const json_t *ref = json_map(spec_of(object), "sourceRef");
	return ref ? reference(ref, "") : mem_strdup("");
}

char *cell_source(const json_t *object)
{
	return reference(json_map(spec_of(object), "sourceRef"), object_namespace(object));
}

char *cell_release_source(const json_t *object)
{
	const json_t *chart = json_map(spec_of(object), "chartRef");
	return reference(chart ? chart
			       : json_at(object, "spec", "chart", "spec", "sourceRef", NULL),
			 object_namespace(object));
}

char *cell_suspended(const json_t *object)
{
	return mem_strdup(json_flag(spec_of(object), "suspend", false) ? "True" : "False");
}

char *cell_ready(const json_t *object)
{
	return mem_strdup(json_text_or(object_condition(object, "Ready"), "status", "False"));
}

static const char *message_of(const json_t *object)
{
	const json_t *ready = object_condition(object, "Ready");
	return ready ? json_text_or(ready, "message", "") : "waiting to be reconciled";
}

char *cell_message(const json_t *object)
{
	return mem_strdup(message_of(object));
}

char *cell_short_message(const json_t *object)
{
	return shorten(message_of(object));
}

/* An OCI registry as a HelmRepository has no status. */
static bool is_oci(const json_t *object)
{
	return cstr_eq(json_text(spec_of(object), "type"), "oci");
}

char *cell_helm_ready(const json_t *object)
{
	return is_oci(object) ? cell_true(object) : cell_ready(object);
}

char *cell_helm_message(const json_t *object)
{
	return is_oci(object) ? mem_strdup("Helm repository is Ready") : cell_short_message(object);
}

char *cell_true(const json_t *object)
{
	(void)object;
	return mem_strdup("True");
}

char *cell_alert_message(const json_t *object)
{
	(void)object;
	return mem_strdup("Alert is Ready");
}

char *cell_provider_message(const json_t *object)
{
	(void)object;
	return mem_strdup("Provider is Ready");
}

static char *latest_ref(const json_t *object, const char *part)
{
	return mem_strdup(json_text_or(json_map(status_of(object), "latestRef"), part, ""));
}

char *cell_image(const json_t *object)
{
	return latest_ref(object, "name");
}

char *cell_tag(const json_t *object)
{
	return latest_ref(object, "tag");
}

char *cell_last_scan(const json_t *object)
{
	const char *at = json_text_at(object, "status", "lastScanResult", "scanTime", NULL);
	return mem_strdup(at ? at : "");
}

char *cell_last_run(const json_t *object)
{
	return mem_strdup(json_text_or(status_of(object), "lastAutomationRunTime", ""));
}

/* --- after a reconcile --- */

char *success_fetched(const json_t *object)
{
	return mem_printf("fetched revision %s", artifact_revision(object));
}

char *success_helm(const json_t *object)
{
	return is_oci(object) ? cell_message(object) : success_fetched(object);
}

char *success_applied(const json_t *object)
{
	return mem_printf("applied revision %s",
			  json_text_or(status_of(object), "lastAppliedRevision", ""));
}

char *success_released(const json_t *object)
{
	autofree char *revision = cell_release(object);
	return mem_printf("applied revision %s", revision);
}

char *success_receiver(const json_t *object)
{
	(void)object;
	return mem_strdup("Receiver reconciliation completed");
}

char *success_alert(const json_t *object)
{
	(void)object;
	return mem_strdup("Alert reconciliation completed");
}

char *success_provider(const json_t *object)
{
	(void)object;
	return mem_strdup("Provider reconciliation completed");
}

char *success_scan(const json_t *object)
{
	const json_t *scan = json_map(status_of(object), "lastScanResult");
	return mem_printf("scan fetched %lld tags", (long long)json_int(scan, "tagCount", 0));
}

char *success_policy(const json_t *object)
{
	autofree char *image = cell_image(object);
	autofree char *tag = cell_tag(object);
	return mem_printf("selected ref %s:%s", image, tag);
}

char *success_update(const json_t *object)
{
	const json_t *ready = object_condition(object, "Ready");
	return mem_strdup(ready ? json_text_or(ready, "message", "") : "automation not yet run");
}
