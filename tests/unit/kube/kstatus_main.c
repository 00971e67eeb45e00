/* Prints what kstatus_of says of each object on stdin, one JSON text a line: for the differential
 * suite (tests/differential/kstatus). */
#include <stdio.h>
#include <string.h>

#include "kube/kstatus.h"

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stdin) > 0) {
		autoerror Error err = {0};
		autojson json_t *object = json_parse(line, strlen(line), SIZE_MAX, &err);
		puts(object ? kstatus_name(kstatus_of(object, NULL)) : "error");
	}
	free(line);
	return 0;
}
