/* What a registry, a Secret and a user say about images, by its first byte: a reference, a docker
 * config, a manifest, a challenge. No crash, and what is taken keeps its promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "oci/challenge.h"
#include "oci/dockerconfig.h"
#include "oci/manifest.h"
#include "oci/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_reference(const char *text)
{
	autoerror Error err = {0};
	autoocireference OciReference got = {0}, again = {0};
	if (!oci_reference_parse(text, &got, &err))
		return;
	/* It goes into a URL: no way out of it. */
	autofree char *path = mem_printf("/%s/", got.repository);
	if (strstr(path, "/../") || strstr(path, "/./") || strstr(path, "//") ||
	    strpbrk(got.repository, "?#% \r\n") || strpbrk(got.host, "/?# \r\n@"))
		abort();
	if (strlen(got.repository) > 255) /* with "library/" in front */
		return;
	autofree char *shown = oci_reference_text(&got);
	if (!oci_reference_parse(shown, &again, &err) || !cstr_eq(got.host, again.host) ||
	    !cstr_eq(got.repository, again.repository))
		abort();
}

static void fuzz_config(const char *text, size_t len)
{
	autodockerconfig DockerConfig *config = docker_config_new();
	autoregistryauth RegistryAuth auth = {0};
	autoerror Error first = {0}, second = {0};
	if (docker_config_add(config, text, len, false, &first) |
	    docker_config_add(config, text, len, true, &second))
		docker_config_find(config, "r.test:5000", "team/app", &auth);
}

static void fuzz_manifest(const char *text, size_t len)
{
	autoerror Error err = {0};
	autoocimanifest OciManifest got = {0};
	if (!oci_manifest_parse(text, len, "", &got, &err))
		return;
	for (size_t i = 0; i < got.count; i++)
		if (got.items[i].size < 0 || !oci_digest_check(got.items[i].digest, &err))
			abort();
	oci_index_pick(&got);
	oci_manifest_layer(&got, "m");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	autofree char *text = mem_strndup((const char *)data + 1, size - 1);
	autochallenge Challenge challenge = {0};
	switch (data[0] % 4) {
	case 0:
		fuzz_reference(text);
		break;
	case 1:
		fuzz_config(text, size - 1);
		break;
	case 2:
		fuzz_manifest(text, size - 1);
		break;
	default:
		challenge_parse(str_sized(text, size - 1), &challenge);
	}
	return 0;
}
