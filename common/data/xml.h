/* XML replies of cloud services, element by element, by expat. No document type, hence no entities
 * but the five of the language; 64 levels deep, 1 MiB of text in an element. */
#ifndef DATA_XML_H
#define DATA_XML_H

#include "base/error.h"
#include "base/str.h"

/* `path` is the names from the root, without prefixes, joined by "/". What is lent ends with the
 * call; false and err end the parse. */
typedef struct {
	/* May be NULL. attributes: name, value, ..., NULL. */
	bool (*on_start)(void *arg, const char *path, const char *const *attributes, Error *err);
	/* `text` is what stood between this end and the tag before it: all of a leaf's text. */
	bool (*on_end)(void *arg, const char *path, Str text, Error *err);
	void *arg;
} XmlHandler;

/* ERR_INVALID with line and column; ERR_LIMIT. */
bool xml_parse(Str text, const XmlHandler *handler, Error *err) MUST_USE;

#endif
