/* The differential suite's driver for client-side apply: the same JSON lines as
 * tests/oracles/threeway. */
#include "../json_lines.h"

#include "helm/threeway.h"

static json_t *answer(json_t *request)
{
	autoerror Error err = {0};
	json_t *result =
		helm_merge_strategic(json_map(request, "original"), json_map(request, "modified"),
				     json_map(request, "current"), &err);
	return result ? json_pack("{s:o}", "result", result)
		      : json_pack("{s:s}", "error", err_text(&err));
}

int main(void)
{
	return json_lines_serve(answer);
}
