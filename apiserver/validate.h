/*
 * Validation of built-in kinds: the fields that people get wrong, with the texts of a real server.
 * Rules belong to structs of the schema (a Container is checked wherever one stands) and are rows
 * of tables: plain ones in validate.c, those that look at several members in validate_*.c.
 */
#ifndef APISERVER_VALIDATE_H
#define APISERVER_VALIDATE_H

#include "request.h"

/* Adds what is wrong with a built-in object: with its status when `status`, else with the rest. */
void validate_builtin(const Request *request, const json_t *object, bool status,
		      FieldErrors *errors);

/* Warnings of the real server for what is allowed and yet of no use. `live` or NULL as for a write.
 */
void validate_warn(Request *request, const json_t *object, const json_t *live);

#endif
