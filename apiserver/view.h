/* Objects as a client asked for them: in the served version, as metadata only, or as a Table. */
#ifndef APISERVER_VIEW_H
#define APISERVER_VIEW_H

#include "request.h"

/* One object; owned. */
json_t *view_object(const View *view, const Resource *resource, json_t *object);

/* An object in the resource's version: the same reference when nothing differs; owned. */
json_t *view_version(const Resource *resource, json_t *object);

/* A list item, or what a watch event carries when it is no Table; owned. */
json_t *view_item(const View *view, const Resource *resource, json_t *object);

/* Whether stored text can go out as it is. */
bool view_is_stored(const View *view, const Resource *resource);

/* A Table of `objects` (array); columns only when with_columns. list_meta may be NULL; owned. */
json_t *view_table(const View *view, const Resource *resource, const json_t *objects,
		   bool with_columns, json_t *list_meta);

#endif
