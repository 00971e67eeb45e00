/*
 * Manifests and indexes (OCI image-spec 1.1, Docker schema 2 and manifest lists), read into
 * descriptors. What a registry says is hostile: sizes, counts and digests are checked here.
 */
#ifndef OCI_MANIFEST_H
#define OCI_MANIFEST_H

#include <stdint.h>

#include "data/json.h"

#define OCI_TYPE_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_TYPE_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_TYPE_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define OCI_TYPE_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"

enum {
	OCI_MAX_MANIFEST = 4 << 20, /* bytes; what the distribution specification asks for */
	OCI_MAX_ITEMS = 10000,	    /* layers of a manifest, entries of an index */
};

/* All strings owned, NULL when absent. */
typedef struct {
	char *media_type;
	char *digest; /* checked: algorithm and hex digits */
	int64_t size; /* bytes, not negative */
	char *artifact_type;
	char *os, *architecture; /* platform; both NULL when the entry has none */
	json_t *annotations;	 /* string map or NULL */
} OciDescriptor;

void oci_descriptor_dispose(OciDescriptor *descriptor);
#define autoocidescriptor __attribute__((cleanup(oci_descriptor_dispose)))

/* Copies *from into *to, which must be empty. */
void oci_descriptor_copy(OciDescriptor *to, const OciDescriptor *from);

typedef struct {
	char *media_type;
	char *artifact_type;   /* or NULL */
	bool is_index;	       /* items are manifests; else layers */
	OciDescriptor config;  /* of a manifest; digest is NULL when it has none */
	OciDescriptor subject; /* what this refers to; digest is NULL when nothing */
	OciDescriptor *items;
	size_t count;
	json_t *annotations; /* string map or NULL */
} OciManifest;

void oci_manifest_dispose(OciManifest *manifest);
#define autoocimanifest __attribute__((cleanup(oci_manifest_dispose)))

/*
 * Reads a manifest or index. media_type is the Content-Type it came with; the text's own mediaType
 * or its fields decide when that says nothing. ERR_INVALID; ERR_LIMIT; ERR_UNSUPPORTED for Docker
 * schema 1 and other types.
 */
bool oci_manifest_parse(const char *text, size_t len, const char *media_type, OciManifest *out,
			Error *err) MUST_USE;

/*
 * The first entry of an index for linux/amd64; an entry without platform counts as that (what
 * upstream pulls). NULL when there is none. Borrowed.
 */
const OciDescriptor *oci_index_pick(const OciManifest *index);

/* The first layer of that media type; NULL or "": the first of all. NULL when there is none.
 * Borrowed. */
const OciDescriptor *oci_manifest_layer(const OciManifest *manifest, const char *media_type);

#endif
