/* Prints what expressions say of objects, {"object": ..., "exprs": {...}} a line on stdin, as a
 * text each, "invalid" where one cannot be read: for the differential suite
 * (tests/differential/kstatus). */
#include <stdio.h>
#include <string.h>

#include "delivery/health_exprs.h"

/* The expressions as an entry of spec.healthCheckExprs for the object's own kind. */
static HealthExprs *exprs_of(const json_t *line, Error *err)
{
	const json_t *object = json_map(line, "object");
	json_t *entry = json_deep_copy(json_map(line, "exprs"));
	json_put_text(entry, "apiVersion", object_api_version(object));
	json_put_text(entry, "kind", object_kind(object));
	autojson json_t *list = json_pack("[o]", entry);
	/* The entries borrow their kinds from the list. */
	json_object_set(json_borrow(line), "list", list);
	return health_exprs_new(list, err);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stdin) > 0) {
		autoerror Error err = {0};
		autojson json_t *whole = json_parse(line, strlen(line), SIZE_MAX, &err);
		autohealthexprs HealthExprs *exprs = whole ? exprs_of(whole, &err) : NULL;
		puts(exprs ? kstatus_name(
				     health_exprs_status(exprs, json_map(whole, "object"), NULL))
			   : "invalid");
	}
	free(line);
	return 0;
}
