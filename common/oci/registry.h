/*
 * A client of OCI registries (distribution-spec 1.1, Docker's token protocol). A RegistryHub is
 * what a process shares: connections by TLS identity and proxy, what each host asked for, tokens by
 * realm, service, scope and credentials. A Registry is one repository seen with one set of
 * credentials: cheap, made for a reconcile and closed after it.
 *
 * Every digest and size that is promised is verified; redirects never lead from https to http,
 * take no credentials to another host and do not lead into loopback or link-local addresses.
 *
 * Errors: ERR_TOO_MANY with not_yet and retry_after_ms for 429; else the code of err_code_of_http
 * with http_status, the text as upstream's ("GET URL: CODE: message"); ERR_UNAVAILABLE,
 * ERR_TIMEOUT of the connection; ERR_INVALID for replies that are not what they should be;
 * ERR_LIMIT. No text has a credential or a token.
 */
#ifndef OCI_REGISTRY_H
#define OCI_REGISTRY_H

#include "base/buf.h"
#include "base/str.h"
#include "net/loop.h"
#include "oci/dockerconfig.h"
#include "oci/manifest.h"

typedef struct RegistryHub RegistryHub;

/* `loop` is borrowed. Any thread may use a hub. */
RegistryHub *registry_hub_new(Loop *loop);

/* All registries must be closed. */
void registry_hub_free(RegistryHub *hub);
AUTO_POINTER(RegistryHub, registry_hub_free, auto_registry_hub);
#define autoregistryhub __attribute__((cleanup(auto_registry_hub)))

/* All strings are copied. */
typedef struct {
	const char *host, *repository; /* as in OciReference */
	const RegistryAuth *auth;      /* NULL: anonymous */
	const char
		*no_login; /* why there is none, told where one is wanted; NULL: none was given */
	const char *named_by; /* host whose chart names the registry, which must then not
				 be inside where that is not (net/address.h); NULL: nobody */
	const char *ca_pem;   /* trusted beside the system's roots */
	const char *cert_pem, *key_pem;
	bool allow_http;  /* plain http where https is not spoken; local hosts always may */
	bool skip_verify; /* certificates are not checked */
	const char *proxy, *proxy_user, *proxy_password; /* NULL: the environment's */
	int64_t timeout_ms; /* for all calls of this handle in sum, from its opening; 0: 60 s */
	bool push;	    /* tokens are asked for with the right to push */
} RegistryConfig;

typedef struct Registry Registry;

/* Makes no connection. ERR_INVALID for unusable PEM or proxy. One thread at a time. */
Registry *registry_open(RegistryHub *hub, const RegistryConfig *config, Error *err) MUST_USE;
void registry_close(Registry *registry);
AUTO_POINTER(Registry, registry_close, auto_registry);
#define autoregistry __attribute__((cleanup(auto_registry)))

/* What it was opened with; borrowed. */
const RegistryAuth *registry_auth(const Registry *registry);

/* --- pulling --- */

/*
 * What a tag or digest names: digest, size and media type of the top manifest or index. One HEAD; a
 * GET where the registry does not answer that in full. For a digest the registry is asked, too.
 */
bool registry_resolve(Registry *registry, const char *reference, OciDescriptor *out,
		      Error *err) MUST_USE;

/* The same by one GET, whose text this handle keeps: registry_manifest and registry_image by that
 * digest then send nothing. For a tag that is expected to name something new. */
bool registry_resolve_to_pull(Registry *registry, const char *reference, OciDescriptor *out,
			      Error *err) MUST_USE;

/* The bytes of a manifest or index by tag or digest, verified; *out_descriptor is filled. */
bool registry_manifest(Registry *registry, const char *reference, Buf *out,
		       OciDescriptor *out_descriptor, Error *err) MUST_USE;

/* The manifest that a tag or digest stands for, indexes followed by oci_index_pick (at most 4 deep,
 * else ERR_LIMIT). */
bool registry_image(Registry *registry, const char *reference, OciManifest *out,
		    Error *err) MUST_USE;

/*
 * A blob into fd from its start, streamed, resumed by Range after a cut, size and digest verified.
 * A size above max_bytes is ERR_LIMIT. What is in fd after a failure is rubbish.
 */
bool registry_blob(Registry *registry, const OciDescriptor *blob, uint64_t max_bytes, int fd,
		   Error *err) MUST_USE;

/* A small blob into memory (signatures, chart configs). */
bool registry_blob_read(Registry *registry, const OciDescriptor *blob, size_t max_bytes, Buf *out,
			Error *err) MUST_USE;

/*
 * Calls fn for each tag, page after page, in the registry's order; false ends it early and counts
 * as success. At most a million tags.
 */
typedef bool RegistryTagFn(void *arg, const char *tag);
bool registry_tags(Registry *registry, RegistryTagFn *fn, void *arg, Error *err) MUST_USE;

/*
 * What refers to a digest: by the referrers API, all its pages, else by the tag "sha256-HEX". An
 * index of descriptors, empty when there is nothing; more than OCI_MAX_ITEMS are ERR_LIMIT.
 * artifact_type keeps only those, NULL all.
 */
bool registry_referrers(Registry *registry, const char *digest, const char *artifact_type,
			OciManifest *out, Error *err) MUST_USE;

/* --- pushing (RegistryConfig.push) --- */

/* Puts the bytes of fd, from its start, as a blob unless the registry has it; digest and size are
 * the descriptor's. */
bool registry_push_blob(Registry *registry, const OciDescriptor *blob, int fd, Error *err) MUST_USE;

/* Puts a manifest under a tag or its digest. */
bool registry_push_manifest(Registry *registry, const char *reference, const char *media_type,
			    Str text, Error *err) MUST_USE;

/* Requests sent so far by this hub, token requests included: for tests of "one HEAD" (S53). */
uint64_t registry_hub_requests(RegistryHub *hub);

#endif
