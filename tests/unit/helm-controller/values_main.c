/* The differential suite's driver for a HelmRelease's values: the same JSON lines as
 * tests/oracles/helm-values. */
#include "../json_lines.h"

#include "values.h"

/* Objects of a request, as ConfigMaps. */
static json_t *read_object(void *arg, const char *kind, const char *name, Error *err)
{
	json_t *data = json_map(arg, name);
	if (!data)
		return err_null(err, ERR_NOT_FOUND, "%s %s not found", kind, name);
	return json_pack("{s:O}", "data", data);
}

static json_t *answer(json_t *request)
{
	autoerror Error err = {0};
	json_t *values =
		values_compose(request, "ns", read_object, json_map(request, "objects"), &err);
	return values ? json_pack("{s:o}", "values", values)
		      : json_pack("{s:s}", "error", err_text(&err));
}

int main(void)
{
	return json_lines_serve(answer);
}
