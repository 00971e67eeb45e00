/*
 * Replies of an API server, which may be anybody's (spec.kubeConfig): an object, a Status, a
 * proxy's page. No crash, an object or an error and never both; then what is drawn from an object:
 * its health, who owns its fields (managedFields that are anything), what a takeover would be.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "kube/client_internal.h"
#include "kube/fieldset.h"
#include "kube/kstatus.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const prefixes[] = {"kubectl", NULL};

static void judge(json_t *object)
{
	autofree char *message = NULL;
	FieldsetSummary summary;
	kstatus_name(kstatus_of(object, &message));
	fieldset_summary(object, "fuzz", prefixes, &summary);
	autojson json_t *patch = fieldset_takeover_patch(object, "fuzz", prefixes);
	autojson json_t *copy = json_deep_copy(object);
	fieldset_drop_left(copy, object, "fuzz", prefixes);
	list_name_kind(object, "v1", "ConfigMap", false);
	if (!json_text(object, "kind"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const int statuses[] = {200, 201, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503};
	if (!size)
		return 0;
	int status = statuses[bytes[0] % COUNT(statuses)];
	autobuf Buf body = {0};
	autoerror Error err = {0};
	buf_append(&body, bytes + 1, size - 1);
	autojson json_t *object = reply_object(status, 0, &body, &err);
	if (!object == !err_is_set(&err) || (object && status >= 400))
		abort();
	if (err_is_set(&err) && err.retry_after_ms < 0)
		abort();
	reply_is_no_path(status, &body);
	if (json_is_object(object))
		judge(object);
	return 0;
}
