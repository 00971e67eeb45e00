#include "storage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "data/base64.h"
#include "data/digest.h"

enum {
	MAX_ROWS = 100000,
	DELETE_BATCH = 100,
	MS = 1000,
	TOUCHES_MAX = 3, /* how often a Secret may change around its record during one write */
};

static const char secret_type[] = "helm.sh/release.v1", secret_prefix[] = "sh.helm.release.v1.";

/* Labels that Helm writes; all others are a record's own. */
static const char *const system_labels[] = {"name",    "owner",	    "status",
					    "version", "createdAt", "modifiedAt"};

static char *secret_name(const Storage *storage, int64_t version)
{
	return mem_printf("%s%s.v%" PRId64, secret_prefix, storage->release, version);
}

bool storage_parse_name(const char *secret, char **out_release, int64_t *out_version)
{
	const size_t prefix = sizeof(secret_prefix) - 1;
	const char *dot = strrchr(secret, '.');
	unsigned long long number;
	if (!cstr_starts(secret, secret_prefix) || dot <= secret + prefix || dot[1] != 'v' ||
	    !str_to_u64(str_of(dot + 2), &number) || number > INT32_MAX)
		return false;
	*out_release = mem_strndup(secret + prefix, (size_t)(dot - secret) - prefix);
	*out_version = (int64_t)number;
	return true;
}

/* --- lists --- */

void stored_rows_dispose(StoredRows *rows)
{
	for (size_t i = 0; i < rows->len; i++)
		free(rows->items[i].status);
	free(rows->items);
	*rows = (StoredRows){0};
}

static int compare_rows(const void *a, const void *b)
{
	int64_t first = ((const StoredRow *)a)->version, second = ((const StoredRow *)b)->version;
	return (first > second) - (first < second);
}

void stored_rows_copy(const StoredRows *rows, StoredRows *out)
{
	*out = (StoredRows){.items = mem_zalloc(rows->len + 1, sizeof(StoredRow)),
			    .len = rows->len};
	for (size_t i = 0; i < rows->len; i++)
		out->items[i] =
			(StoredRow){rows->items[i].version, mem_strdup(rows->items[i].status)};
	qsort(out->items, out->len, sizeof(StoredRow), compare_rows);
}

const char *stored_status(const json_t *secret)
{
	const char *status = object_label(secret, "status");
	return status ? status : "unknown";
}

static void read_rows(const json_t *items, StoredRows *out)
{
	json_t *item;
	size_t index;
	StoredRows rows = {.items = mem_zalloc(json_array_size(items) + 1, sizeof(StoredRow))};
	json_array_foreach(json_borrow(items), index, item)
	{
		const char *version = object_label(item, "version");
		unsigned long long number;
		if (!version || !str_to_u64(str_of(version), &number) || number > INT32_MAX)
			continue;
		rows.items[rows.len++] =
			(StoredRow){(int64_t)number, mem_strdup(stored_status(item))};
	}
	qsort(rows.items, rows.len, sizeof(StoredRow), compare_rows);
	*out = rows;
}

bool storage_list(const Storage *storage, StorageAge age, StoredRows *out, Error *err)
{
	if (!helm_release_name_is_valid(storage->release))
		return err_set(err, ERR_INVALID, "release name is invalid: %s", storage->release);
	autofree char *selector = mem_printf("name=%s,owner=helm", storage->release);
	autojson json_t *list = kube_do(storage->client,
					&(KubeRequest){.verb = KUBE_LIST,
						       .api_version = "v1",
						       .kind = "Secret",
						       .ns = storage->ns,
						       .label_selector = selector,
						       .from_cache = age == STORAGE_LATELY,
						       .metadata_only = true},
					err);
	if (!list)
		return err_wrap(err, "query: failed to query with labels");
	const json_t *items = json_list(list, "items");
	if (json_array_size(items) > MAX_ROWS)
		return err_set(err, ERR_LIMIT, "release %s has more than %d revisions",
			       storage->release, MAX_ROWS);
	read_rows(items, out);
	return true;
}

const StoredRow *stored_newest(const StoredRows *rows, const char *status)
{
	for (size_t i = rows->len; i > 0; i--)
		if (!status || cstr_eq(rows->items[i - 1].status, status))
			return &rows->items[i - 1];
	return NULL;
}

/* --- one record --- */

static json_t *own_labels(const json_t *secret)
{
	json_t *labels = json_copy(json_borrow(json_at(secret, "metadata", "labels", NULL)));
	for (size_t i = 0; i < COUNT(system_labels); i++)
		json_object_del(labels, system_labels[i]);
	return labels;
}

static void digest_of_record(const json_t *secret, char out[DIGEST_TEXT_SIZE])
{
	const char *data = json_text_or(json_map(secret, "data"), "release", "");
	digest_of(DIGEST_SHA256, data, strlen(data), out);
}

static HelmRecord *decode(const char *name, const json_t *secret, Error *err)
{
	autobuf Buf text = {0};
	const char *data = json_text_at(secret, "data", "release", NULL);
	if (!data)
		return err_null(err, ERR_INVALID, "get: failed to decode data \"%s\": no release",
				name);
	HelmRecord *record = NULL;
	if (base64_decode(data, strlen(data), &text, err))
		record = helm_record_decode(buf_text(&text), text.len, err);
	if (!record)
		return err_wrap_null(err, "get: failed to decode data \"%s\"", name);
	char digest[DIGEST_TEXT_SIZE];
	digest_of_record(secret, digest);
	autojson json_t *labels = own_labels(secret);
	helm_record_set_stored(record, labels, object_resource_version(secret), digest);
	return record;
}

HelmRecord *storage_get(const Storage *storage, int64_t version, Error *err)
{
	autofree char *name = secret_name(storage, version);
	autojson json_t *secret = kube_get(storage->client, "v1", "Secret", storage->ns, name, err);
	if (secret)
		return decode(name, secret, err);
	if (err->code != ERR_NOT_FOUND)
		return err_wrap_null(err, "get: failed to get \"%s\"", name);
	error_dispose(err);
	return err_null(err, ERR_NOT_FOUND, "release: not found");
}

char *storage_created_at(const Storage *storage, int64_t version, Error *err)
{
	autofree char *name = secret_name(storage, version);
	autojson json_t *secret = kube_do(storage->client,
					  &(KubeRequest){.verb = KUBE_GET,
							 .api_version = "v1",
							 .kind = "Secret",
							 .ns = storage->ns,
							 .name = name,
							 .metadata_only = true},
					  err);
	return secret ? mem_strdup(json_text_at(secret, "metadata", "creationTimestamp", NULL))
		      : err_wrap_null(err, "get: failed to get \"%s\"", name);
}

/* --- writes --- */

static json_t *labels_of(const HelmRecord *record, const char *stamp)
{
	const json_t *own = helm_record_labels(record);
	json_t *labels = own ? json_copy(json_borrow(own)) : json_object();
	autofree char *version = mem_printf("%" PRId64, helm_record_version(record));
	autofree char *now = mem_printf("%" PRId64, clock_wall_ms() / MS);
	json_put_text(labels, "name", helm_record_name(record));
	json_put_text(labels, "owner", "helm");
	json_put_text(labels, "status", helm_record_status(record));
	json_put_text(labels, "version", version);
	json_put_text(labels, stamp, now);
	return labels;
}

static json_t *secret_of(const Storage *storage, const HelmRecord *record, const char *stamp,
			 Error *err)
{
	autobuf Buf text = {0};
	if (!helm_record_encode(record, &text, err))
		return NULL;
	autofree char *name = secret_name(storage, helm_record_version(record));
	autofree char *data = base64_encode(buf_text(&text), text.len);
	json_t *secret = json_pack("{s:s,s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion", "v1", "kind",
				   "Secret", "type", secret_type, "metadata", "name", name,
				   "namespace", storage->ns, "data", "release", data);
	json_object_set_new(json_map(secret, "metadata"), "labels", labels_of(record, stamp));
	if (*helm_record_resource_version(record))
		json_put_text(json_map(secret, "metadata"), "resourceVersion",
			      helm_record_resource_version(record));
	return secret;
}

typedef enum {
	WRITE_DONE,
	WRITE_TOUCHED, /* refused, though nobody but us has written the record: to be sent again */
	WRITE_FAILED,
} WriteState;

/* What is stored tells what became of a write that was refused, or whose reply was lost. Labels
 * that others have put on the Secret meanwhile are kept. */
static WriteState look_what_became(const Storage *storage, HelmRecord *record, const Error *cause)
{
	bool unsure = cause->code == ERR_UNAVAILABLE || cause->code == ERR_TIMEOUT ||
		      cause->code == ERR_EXISTS || cause->code == ERR_CONFLICT;
	autoerror Error unseen = {0};
	autohelmrecord HelmRecord *stored =
		unsure ? storage_get(storage, helm_record_version(record), &unseen) : NULL;
	if (!stored)
		return WRITE_FAILED;
	const char *digest = helm_record_stored_digest(stored);
	bool done = json_same(helm_record_tree(stored), helm_record_tree(record));
	bool touched =
		cause->code == ERR_CONFLICT && cstr_eq(digest, helm_record_stored_digest(record));
	if (done || touched)
		helm_record_set_stored(record, helm_record_labels(stored),
				       helm_record_resource_version(stored), digest);
	return done ? WRITE_DONE : touched ? WRITE_TOUCHED : WRITE_FAILED;
}

/* Replies hold metadata only: nobody needs the bytes back. */
static WriteState send(const Storage *storage, HelmRecord *record, KubeVerb verb,
		       const json_t *secret, Error *err)
{
	char digest[DIGEST_TEXT_SIZE];
	autojson json_t *reply =
		kube_do(storage->client,
			&(KubeRequest){.verb = verb, .body = secret, .metadata_only = true}, err);
	if (!reply) {
		WriteState state = look_what_became(storage, record, err);
		if (state == WRITE_DONE)
			error_dispose(err);
		return state;
	}
	autojson json_t *labels = own_labels(reply);
	digest_of_record(secret, digest);
	helm_record_set_stored(record, labels, object_resource_version(reply), digest);
	return WRITE_DONE;
}

bool storage_create(const Storage *storage, HelmRecord *record, Error *err)
{
	helm_record_set_stored(record, helm_record_labels(record), "", "");
	autojson json_t *secret = secret_of(storage, record, "createdAt", err);
	if (!secret)
		return err_wrap(err, "create: failed to encode release \"%s\"",
				helm_record_name(record));
	if (send(storage, record, KUBE_CREATE, secret, err) == WRITE_DONE)
		return true;
	if (err->code != ERR_EXISTS)
		return err_wrap(err, "create: failed to create");
	error_dispose(err);
	return err_set(err, ERR_EXISTS, "release: already exists");
}

static WriteState update(const Storage *storage, HelmRecord *record, Error *err)
{
	autojson json_t *secret = secret_of(storage, record, "modifiedAt", err);
	if (!secret) {
		err_wrap(err, "update: failed to encode release \"%s\"", helm_record_name(record));
		return WRITE_FAILED;
	}
	WriteState state = send(storage, record, KUBE_REPLACE, secret, err);
	if (state != WRITE_DONE)
		err_wrap(err, "update: failed to update");
	return state;
}

bool storage_update(const Storage *storage, HelmRecord *record, Error *err)
{
	WriteState state = update(storage, record, err);
	for (int touches = 1; state == WRITE_TOUCHED && touches <= TOUCHES_MAX; touches++) {
		error_dispose(err);
		state = update(storage, record, err);
	}
	return state == WRITE_DONE;
}

/* --- removal --- */

static bool delete_batch(const Storage *storage, const int64_t *versions, size_t count, Error *err)
{
	KubeRequest *requests = mem_zalloc(count, sizeof(*requests));
	KubeReply *replies = mem_zalloc(count, sizeof(*replies));
	autostrings Vec names = {0};
	for (size_t i = 0; i < count; i++) {
		vec_push(&names, secret_name(storage, versions[i]));
		requests[i] = (KubeRequest){.verb = KUBE_DELETE,
					    .api_version = "v1",
					    .kind = "Secret",
					    .ns = storage->ns,
					    .name = names.items[i]};
	}
	kube_do_all(storage->client, requests, replies, count);
	for (size_t i = 0; i < count; i++) {
		Error *own = &replies[i].err;
		bool failed = err_is_set(own) && own->code != ERR_NOT_FOUND;
		if (failed && !err_is_set(err))
			err_move(err, own);
		kube_reply_dispose(&replies[i]);
	}
	free(requests);
	free(replies);
	return !err_is_set(err);
}

bool storage_delete(const Storage *storage, const int64_t *versions, size_t count, Error *err)
{
	for (size_t from = 0; from < count; from += DELETE_BATCH) {
		size_t left = count - from;
		if (!delete_batch(storage, versions + from,
				  left < DELETE_BATCH ? left : DELETE_BATCH, err))
			return false;
	}
	return true;
}

bool storage_prune(const Storage *storage, const StoredRows *rows, int max, Error *err)
{
	if (max <= 0 || rows->len < (size_t)max)
		return true;
	size_t surplus = rows->len - (size_t)max + 1, count = 0;
	const StoredRow *deployed = stored_newest(rows, "deployed");
	autofree int64_t *versions = mem_zalloc(rows->len, sizeof(*versions));
	for (size_t i = 0; i < rows->len && count < surplus; i++)
		if (&rows->items[i] != deployed)
			versions[count++] = rows->items[i].version;
	return storage_delete(storage, versions, count, err);
}
