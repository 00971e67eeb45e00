/* The differential suite's driver for digests: the same JSON lines as tests/oracles/helm-digest. */
#include "../json_lines.h"

#include "helm/digest.h"

static json_t *answer(json_t *request)
{
	char digest[DIGEST_TEXT_SIZE];
	autoerror Error err = {0};
	json_t *tree = json_map(request, "record");
	if (!tree) {
		helm_values_digest(json_map(request, "values"), DIGEST_SHA256, digest);
		return json_pack("{s:s}", "digest", digest);
	}
	autohelmrecord HelmRecord *record = helm_record_new(json_incref(tree), &err);
	if (!record)
		return json_pack("{s:s}", "error", err_text(&err));
	helm_record_digest(record, json_text(request, "ociDigest"), DIGEST_SHA256, digest);
	return json_pack("{s:s}", "digest", digest);
}

int main(void)
{
	return json_lines_serve(answer);
}
