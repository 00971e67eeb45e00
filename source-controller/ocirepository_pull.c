/*
 * A layer into storage. It is downloaded to a file without a name and verified before a byte of it
 * is unpacked. Bounds: 1 GiB compressed, those of archive/unpack.h unpacked.
 */
#include "ocirepository.h"

#include <fcntl.h>
#include <stdlib.h>

#include "archive/unpack.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/visible.h"
#include "net/url.h"

#define LAYER_MAX (UINT64_C(1) << 30)
#define REASON_LAYER "OCIArtifactLayerOperationFailed"

/* A file that is gone when it is closed. */
static int open_nameless(const SourceContext *context, Error *err)
{
	int fd = fd_nameless(workdir_path(context->workdir), err);
	if (fd < 0) {
		err_wrap(err, "failed to create file to copy layer to");
		err_reason(err, REASON_LAYER);
	}
	return fd;
}

static bool layer_failed(Error *err)
{
	return err_reason(err, REASON_LAYER);
}

/* A media type as a manifest has it, for people. Owned. */
static char *shown_type(const OciDescriptor *layer)
{
	enum { SHOWN_MAX = 100 };
	return visible_text(layer->media_type ? layer->media_type : "", SHOWN_MAX);
}

static bool no_such_layer(const OCIRepository *repo, const OciManifest *manifest, Error *err)
{
	enum { SHOWN_LAYERS = 5 };
	err_set(err, ERR_NOT_FOUND, "failed to find layer with media type '%s' in artifact",
		repo->media_type);
	for (size_t i = 0; i < manifest->count && i < SHOWN_LAYERS; i++) {
		autofree char *type = shown_type(&manifest->items[i]);
		err_add(err, "%s'%s'", i ? ", " : ": it has ", type);
	}
	return manifest->count <= SHOWN_LAYERS ? false : err_add(err, ", ...");
}

static const OciDescriptor *select_layer(const OCIRepository *repo, const OciManifest *manifest,
					 Error *err)
{
	const OciDescriptor *layer = oci_manifest_layer(manifest, repo->media_type);
	if (layer)
		return layer;
	if (manifest->count == 0)
		err_set(err, ERR_NOT_FOUND, "no layers found in artifact");
	else
		no_such_layer(repo, manifest, err);
	layer_failed(err);
	return NULL;
}

static bool store_tree(Run *run, const OCIRepository *repo, const char *file, const char *revision,
		       int dir_fd, Artifact *out, Error *err)
{
	const SourceContext *context = run_context(run);
	autoignore IgnoreRules *rules = ignore_of_dir(dir_fd, repo->ignore, err);
	if (!rules)
		return source_rules_failed(err);
	if (store_pack_dir(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			   file, revision, dir_fd, rules, out, err))
		return true;
	return err_wrap(err, "unable to archive artifact to storage");
}

static bool store_extracted(Run *run, const OCIRepository *repo, const OciDescriptor *layer,
			    const char *file, const char *revision, int fd, Artifact *out,
			    Error *err)
{
	const SourceContext *context = run_context(run);
	autotempdir char *dir = dir_make_temp(workdir_path(context->workdir), "ocirepository", err);
	autofd int dir_fd = dir ? fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err) : -1;
	if (dir_fd < 0) {
		err_wrap(err, "failed to create temporary working directory");
		return err_reason(err, "DirectoryCreationFailed");
	}
	const UnpackLimits limits = {0};
	if (lseek(fd, 0, SEEK_SET) != 0)
		return err_errno(err, "rewind layer");
	if (!unpack_fd(fd, dir_fd, &limits, err)) {
		autofree char *type = shown_type(layer);
		source_temp_failed(err);
		err_wrap(err, "failed to extract layer contents from artifact: layer of '%s'",
			 type);
		return layer_failed(err);
	}
	return store_tree(run, repo, file, revision, dir_fd, out, err);
}

static bool store_copied(Run *run, const char *file, const char *revision, int fd, Artifact *out,
			 Error *err)
{
	const SourceContext *context = run_context(run);
	if (store_put_file(context->store, run_kind(run)->kind, run_namespace(run), run_name(run),
			   file, revision, fd, out, err))
		return true;
	return err_wrap(err, "unable to copy artifact to storage");
}

bool ocirepository_pull(Run *run, const OCIRepository *repo, Registry *registry,
			const char *revision, Artifact *out, Error *err)
{
	autoocimanifest OciManifest manifest = {0};
	const char *digest = ocirepository_digest(revision);
	if (!registry_image(registry, digest, &manifest, err)) {
		autofree char *shown = url_redacted(repo->url);
		err_wrap(err, "failed to pull artifact from '%s'", shown);
		return err_reason(err, "OCIArtifactPullFailed");
	}
	const OciDescriptor *layer = select_layer(repo, &manifest, err);
	autofd int fd = layer ? open_nameless(run_context(run), err) : -1;
	if (fd < 0)
		return false;
	run_progress(run);
	if (!registry_blob(registry, layer, LAYER_MAX, fd, err)) {
		source_temp_failed(err);
		err_wrap(err, "failed to extract the first layer from artifact");
		return layer_failed(err);
	}
	autofree char *file = mem_printf("%s.tar.gz", digest);
	bool ok = repo->copy ? store_copied(run, file, revision, fd, out, err)
			     : store_extracted(run, repo, layer, file, revision, fd, out, err);
	if (ok)
		out->metadata = json_incref(manifest.annotations);
	return ok;
}
