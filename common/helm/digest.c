#include "helm/digest.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/yaml.h"
#include "helm/fields.h"
#include "helm/hooks.h"
#include "helm/scalar.h"

static const HelmField info_fields[] = {
	{"first_deployed", FIELD_TIME, NULL}, {"last_deployed", FIELD_TIME, NULL},
	{"deleted", FIELD_TIME, NULL},	      {"description", FIELD_TEXT, NULL},
	{"status", FIELD_TEXT, NULL},	      {"notes", FIELD_TEXT, NULL},
	{"resources", FIELD_ANY, NULL},	      {0}};

static const HelmField run_fields[] = {{"started_at", FIELD_TIME, NULL},
				       {"completed_at", FIELD_TIME, NULL},
				       {"phase", FIELD_LABEL, NULL},
				       {0}};

static const HelmField hook_fields[] = {{"name", FIELD_TEXT, NULL},
					{"kind", FIELD_TEXT, NULL},
					{"path", FIELD_TEXT, NULL},
					{"manifest", FIELD_TEXT, NULL},
					{"events", FIELD_ANY, NULL},
					{"last_run", FIELD_RECORD, run_fields},
					{"weight", FIELD_NUMBER, NULL},
					{"delete_policies", FIELD_ANY, NULL},
					{"output_log_policies", FIELD_ANY, NULL},
					{0}};

static void put_record(const json_t *source, const HelmField *fields, Buf *out);

static void put_value(const json_t *value, Buf *out)
{
	autofree char *text = json_dump_go(value);
	buf_puts(out, text);
}

/* Numbers of any size are float64 in Go. */
static void put_reals(const json_t *value, Buf *out)
{
	autojson json_t *copy = json_deep_copy(value);
	autojson json_t *reals = helm_reals(copy);
	put_value(reals, out);
}

/* --- times --- */

static bool is_zero_time(const char *text)
{
	return cstr_empty(text) || strcmp(text, "0001-01-01T00:00:00Z") == 0;
}

/* A time that Go read and writes again: no zeros at the fraction's end, Z for no offset. */
static void put_time(const char *text, Buf *out)
{
	size_t seconds = strlen("2026-01-02T03:04:05"), len = strlen(text);
	if (len < seconds) {
		buf_printf(out, "\"%s\"", text);
		return;
	}
	const char *at = text + seconds;
	size_t fraction = *at == '.' ? 1 + strspn(at + 1, "0123456789") : 0;
	const char *zone = at + fraction;
	while (fraction > 0 && (at[fraction - 1] == '0' || fraction == 1))
		fraction--;
	bool utc = strcmp(zone, "+00:00") == 0 || strcmp(zone, "-00:00") == 0;
	buf_printf(out, "\"%.*s%s\"", (int)(seconds + fraction), text, utc ? "Z" : zone);
}

/* --- structs --- */

static void put_records(const json_t *list, const HelmField *fields, Buf *out)
{
	json_t *item;
	size_t index;
	buf_putc(out, '[');
	json_array_foreach(json_borrow(list), index, item)
	{
		buf_puts(out, index ? "," : "");
		put_record(item, fields, out);
	}
	buf_putc(out, ']');
}

static bool is_empty(const json_t *value, HelmFieldKind kind)
{
	switch (kind) {
	case FIELD_TEXT:
		return cstr_empty(json_string_value(value));
	case FIELD_NUMBER:
		return json_number_value(value) == 0;
	case FIELD_FLAG:
		return !json_is_true(value);
	case FIELD_TEXTS:
	case FIELD_TEXT_MAP:
	case FIELD_LIST:
	case FIELD_ANY:
	case FIELD_RECORDS:
		return !json_array_size(value) && !json_object_size(value);
	case FIELD_TIME:
		return is_zero_time(json_string_value(value));
	case FIELD_LABEL:
	case FIELD_RECORD:
	default:
		return false;
	}
}

static void put_field(const json_t *value, const HelmField *field, Buf *out)
{
	if (field->kind == FIELD_TIME)
		put_time(json_string_value(value), out);
	else if (field->kind == FIELD_RECORD)
		put_record(value, field->fields, out);
	else if (field->kind == FIELD_RECORDS)
		put_records(value, field->fields, out);
	else if (field->kind == FIELD_LABEL && !json_is_string(value))
		buf_puts(out, "\"\"");
	else if (field->kind == FIELD_ANY || field->kind == FIELD_LIST)
		put_reals(value, out);
	else
		put_value(value, out);
}

static void put_record(const json_t *source, const HelmField *fields, Buf *out)
{
	const char *comma = "";
	buf_putc(out, '{');
	for (const HelmField *field = fields; field->name; field++) {
		const json_t *value = json_object_get(source, field->name);
		if (is_empty(value, field->kind))
			continue;
		buf_printf(out, "%s\"%s\":", comma, field->name);
		put_field(value, field, out);
		comma = ",";
	}
	buf_putc(out, '}');
}

/* --- the record --- */

/* Tests are run by people, too: their hooks do not count. */
static void put_hooks(const json_t *hooks, Buf *out)
{
	json_t *hook;
	size_t index;
	autojson json_t *kept = json_array();
	json_array_foreach(json_borrow(hooks), index, hook)
	{
		if (!helm_hook_has(hook, "events", "test"))
			json_array_append(kept, hook);
	}
	if (json_array_size(kept))
		put_records(kept, hook_fields, out);
	else
		buf_puts(out, "null");
}

static void put_text(const json_t *tree, const char *key, Buf *out)
{
	const json_t *value = json_object_get(tree, key);
	if (json_is_string(value))
		put_value(value, out);
	else
		buf_puts(out, "\"\"");
}

static void put_observation(const HelmRecord *record, const char *oci_digest, Buf *out)
{
	const json_t *tree = helm_record_tree(record), *config = json_map(tree, "config");
	buf_puts(out, "{\"name\":");
	put_text(tree, "name", out);
	buf_printf(out, ",\"version\":%lld,\"info\":", (long long)helm_record_version(record));
	put_record(json_map(tree, "info"), info_fields, out);
	buf_puts(out, ",\"chartMetadata\":");
	put_record(json_at(tree, "chart", "metadata", NULL), helm_metadata_fields, out);
	buf_puts(out, ",\"config\":");
	if (json_object_size(config))
		put_reals(config, out);
	else
		buf_puts(out, "null");
	buf_puts(out, ",\"manifest\":");
	put_text(tree, "manifest", out);
	buf_puts(out, ",\"hooks\":");
	put_hooks(json_list(tree, "hooks"), out);
	buf_puts(out, ",\"namespace\":");
	put_text(tree, "namespace", out);
	if (!cstr_empty(oci_digest))
		buf_printf(out, ",\"ociDigest\":\"%s\"", oci_digest);
	buf_puts(out, "}\n");
}

void helm_record_digest(const HelmRecord *record, const char *oci_digest, DigestAlgo algo,
			char out[DIGEST_TEXT_SIZE])
{
	autobuf Buf text = {0};
	put_observation(record, oci_digest, &text);
	digest_of(algo, buf_text(&text), text.len, out);
}

void helm_values_digest(const json_t *values, DigestAlgo algo, char out[DIGEST_TEXT_SIZE])
{
	autobuf Buf text = {0};
	if (json_object_size(values))
		yaml_emit_by_bytes(values, &text);
	digest_of(algo, buf_text(&text), text.len, out);
}

bool helm_values_have_digest(const json_t *values, const char *said)
{
	autoerror Error ignored = {0};
	char digest[DIGEST_TEXT_SIZE];
	DigestAlgo algo;
	const char *hex;
	if (!digest_parse(said, &algo, &hex, &ignored))
		return false;
	helm_values_digest(values, algo, digest);
	return cstr_eq(digest, said);
}
