/*
 * Server-side apply and updates of a Deployment, the configuration and the live object (with
 * managedFields that are anything) separated by a zero byte: no crash, a refusal says why, and what
 * was applied, applied again, changes nothing (A33). There is one exception, upstream's too: an
 * empty associative list owns nothing, so what holds nothing else goes together with the items that
 * the manager had in it, and only the next apply brings it back, empty.
 */
#include <stdint.h>
#include <stdlib.h>

#include "pair.h"
#include "schema.h"
#include "smd/smd.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char deployment[] = "io.k8s.api.apps.v1.Deployment";

/* Made once: the schema of a Deployment is large. */
static const SmdSchema *schema(void)
{
	static SmdSchema *made;
	if (made)
		return made;
	autoerror Error err = {0};
	Definitions *definitions = definitions_new();
	autojson json_t *closure = definitions_closure(definitions, deployment);
	autojson json_t *reference = schema_builtin_ref(deployment);
	made = smd_schema_new_builtin(reference, closure, &err);
	definitions_free(definitions);
	if (!made)
		abort();
	return made;
}

/* A copy without empty lists and without what holds nothing but such; NULL when that is all of it.
 */
static json_t *without_empty_lists(const json_t *value)
{
	json_t *readable = (json_t *)(uintptr_t)value;
	if (!json_is_object(value) && !json_is_array(value))
		return json_incref(readable);
	json_t *out = json_is_object(value) ? json_object() : json_array();
	const char *key;
	json_t *member;
	json_object_foreach(readable, key, member)
	{
		json_t *kept = without_empty_lists(member);
		if (kept)
			json_object_set_new(out, key, kept);
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		json_t *kept = without_empty_lists(json_array_get(value, i));
		json_array_append_new(out, kept ? kept : json_null());
	}
	bool is_gone = json_is_array(value) ? !json_array_size(value)
					    : json_object_size(value) && !json_object_size(out);
	if (!is_gone)
		return out;
	json_decref(out);
	return NULL;
}

static bool same_but_empty_lists(const json_t *a, const json_t *b)
{
	autojson json_t *left = without_empty_lists(a);
	autojson json_t *right = without_empty_lists(b);
	return left && right && json_equal(left, right);
}

static bool has_empty_list(const json_t *value)
{
	autojson json_t *rest = without_empty_lists(value);
	return !rest || !json_equal(rest, value);
}

/* Whether the apply succeeded. */
static bool apply(const json_t *live, const json_t *config, SmdResult *out)
{
	const SmdRequest request = {.manager = "fuzz",
				    .api_version = "apps/v1",
				    .force = true,
				    .now = "2026-01-02T03:04:05Z"};
	autoerror Error err = {0};
	autojson json_t *causes = NULL;
	bool ok = smd_apply(schema(), live, config, &request, out, &causes, &err);
	if (!ok && !err_is_set(&err))
		abort();
	return ok;
}

static void apply_again(const json_t *live, const json_t *config)
{
	SmdResult first = {0}, second = {0}, third = {0};
	if (!apply(live, config, &first))
		return;
	if (!apply(first.object, config, &second) || !apply(second.object, config, &third))
		abort();
	if (second.changed &&
	    !(has_empty_list(config) && same_but_empty_lists(first.object, second.object)))
		abort();
	if (third.changed)
		abort();
	smd_result_dispose(&first);
	smd_result_dispose(&second);
	smd_result_dispose(&third);
}

static void update(const json_t *live, const json_t *object)
{
	const SmdRequest request = {
		.manager = "fuzz", .api_version = "apps/v1", .now = "2026-01-02T03:04:05Z"};
	autoerror Error err = {0};
	SmdResult result = {0};
	if (!smd_update(schema(), live, object, &request, &result, &err) && !err_is_set(&err))
		abort();
	smd_result_dispose(&result);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	autojson json_t *config = NULL, *live = NULL;
	if (!read_pair(bytes, size, &config, &live) || !json_is_object(config) ||
	    !json_is_object(live))
		return 0;
	apply_again(live, config);
	update(live, config);
	return 0;
}
