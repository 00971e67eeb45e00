/* The main loop of a differential suite's driver: a request and its reply are a line of JSON each.
 */
#ifndef TESTS_JSON_LINES_H
#define TESTS_JSON_LINES_H

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/json.h"

/* Until stdin ends; answer's result is owned. The process's exit code: 1 for a line that is none.
 */
static inline int json_lines_serve(json_t *(*answer)(json_t *request))
{
	enum { MAX_BYTES = 1 << 26 };
	autofree char *line = NULL;
	size_t room = 0;
	for (ssize_t len; (len = getline(&line, &room, stdin)) > 0;) {
		autoerror Error err = {0};
		autojson json_t *request = json_parse(line, (size_t)len, MAX_BYTES, &err);
		if (!request)
			return 1;
		autojson json_t *reply = answer(request);
		autofree char *text = json_dump(reply);
		puts(text);
	}
	return 0;
}

#endif
