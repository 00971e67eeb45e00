/* string.format() (cel-go ext/formatting.go and, newer, formatting_v2.go). */
#ifndef CEL_TEXT_FORMAT_H
#define CEL_TEXT_FORMAT_H

#include "cel/cel_internal.h"

/* Writes `format` with its clauses replaced by the items. ERR_INVALID. */
bool text_format(CelRun *run, Str format, const CelList *items, bool newer, Buf *out, Error *err);

/* Tells in `source` what a call of format() of a literal text with a literal list must fail with.
 */
void format_check(CelSource *source, const CelNode *call, bool newer);

#endif
