/* Prints what kstatus_of says of each object on stdin, one JSON text a line, or of {"object": ...,
 * "pods": [...]} with its pods: for the differential suite (tests/differential/kstatus). */
#include <stdio.h>
#include <string.h>

#include "kube/kstatus.h"

static KstatusCode status(const json_t *line)
{
	const json_t *object = json_map(line, "object");
	KstatusCode code = kstatus_of(object ? object : line, NULL);
	bool asks = object && code == KSTATUS_IN_PROGRESS && kstatus_asks_pods(object);
	return asks && kstatus_pods_failed(json_list(line, "pods")) ? KSTATUS_FAILED : code;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stdin) > 0) {
		autoerror Error err = {0};
		autojson json_t *object = json_parse(line, strlen(line), SIZE_MAX, &err);
		puts(object ? kstatus_name(status(object)) : "error");
	}
	free(line);
	return 0;
}
