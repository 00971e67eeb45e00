/*
 * A release as Helm records it (helm-engine.md 12): a tree with the fields of the stored JSON, and
 * its form in a Secret. Readable by Helm 3 and 4, and theirs by us (E79).
 */
#ifndef HELM_RELEASE_H
#define HELM_RELEASE_H

#include "base/buf.h"
#include "base/error.h"
#include "data/json.h"

/* Whether a release may be called so: a DNS subdomain of at most 53 bytes. Names become parts of
 * selectors and paths: what is stored is only asked for under a valid one. */
bool helm_release_name_is_valid(const char *name);

/* name, info, chart, config, manifest, hooks, version, namespace, apply_method. Its text fields may
 * be large: it is moved, never copied. */
typedef struct HelmRecord HelmRecord;

enum {
	HELM_RECORD_MAX_STORED = 1
				 << 20, /* bytes of a Secret; more is ERR_LIMIT before the write */
	HELM_RECORD_MAX_JSON = 100 << 20, /* what it may unpack to */
};

/* Takes the tree; ERR_INVALID when it is no release. Owned. */
HelmRecord *helm_record_new(json_t *take, Error *err) MUST_USE;
void helm_record_free(HelmRecord *record);
AUTO_POINTER(HelmRecord, helm_record_free, auto_helm_record);
#define autohelmrecord __attribute__((cleanup(auto_helm_record)))

/* The value of data.release before the API's own base64: base64 of gzip of JSON, and back (plain
 * JSON is read, too). ERR_INVALID, ERR_LIMIT. */
bool helm_record_encode(const HelmRecord *record, Buf *out, Error *err) MUST_USE;
HelmRecord *helm_record_decode(const char *text, size_t len, Error *err) MUST_USE;

/* Borrowed; "" when absent. */
const char *helm_record_name(const HelmRecord *record);
const char *helm_record_namespace(const HelmRecord *record);
int64_t helm_record_version(const HelmRecord *record);
const char *helm_record_status(const HelmRecord *record); /* "deployed", "pending-install", ... */
const char *helm_record_manifest(const HelmRecord *record);
bool helm_record_is_server_side(const HelmRecord *record); /* apply_method ssa (H91) */
/* The whole tree. */
json_t *helm_record_tree(const HelmRecord *record);

/* What a record does not hold in its JSON: the Secret's labels that are not Helm's own (an object,
 * borrowed, or NULL), its resourceVersion and a digest of its bytes (both "" when it was not
 * stored). */
json_t *helm_record_labels(const HelmRecord *record);
const char *helm_record_resource_version(const HelmRecord *record);
const char *helm_record_stored_digest(const HelmRecord *record);
void helm_record_set_stored(HelmRecord *record, const json_t *labels, const char *resource_version,
			    const char *digest);

/* Another record with info and hooks of its own; what is large is shared and unchanged. Owned. */
HelmRecord *helm_record_copy(const HelmRecord *record) MUST_USE;

/* info.status, and info.description unless NULL. */
void helm_record_set_status(HelmRecord *record, const char *status, const char *description);

#endif
