/* "a.b[0].c=v,x={1,2}": values on a command line and at a HelmRelease's targetPath. */
#ifndef HELM_STRVALS_H
#define HELM_STRVALS_H

#include "base/str.h"
#include "data/json.h"

typedef enum {
	STRVALS_TYPED,	 /* true, false, null and integers are what they look like */
	STRVALS_STRING,	 /* every value is text */
	STRVALS_LITERAL, /* all behind the first "=" is the value, no commas, lists or escapes */
	STRVALS_JSON,	 /* values are JSON */
	STRVALS_FILE,	 /* values are names of files, whose content `read` gives */
} StrvalsMode;

/* Reads a value that stands for something else. Owned. */
typedef json_t *(*StrvalsRead)(void *context, const char *text, Error *err);

typedef struct {
	StrvalsMode mode;
	StrvalsRead read; /* STRVALS_FILE */
	void *context;
} StrvalsOptions;

/* Sets what the text says in an object. ERR_INVALID in Helm's words; the object may then be half
 * changed. */
bool helm_strvals(json_t *values, Str text, const StrvalsOptions *options, Error *err) MUST_USE;

#endif
