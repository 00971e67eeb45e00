/* expat with our limits: its parser is stopped as soon as a callback has failed. */
#include "data/xml.h"

#include <expat.h>
#include <limits.h>

#include "base/buf.h"

enum { MAX_DEPTH = 64, MAX_PATH = 4096, MAX_TEXT = 1 << 20 };

typedef struct {
	XML_Parser parser;
	const XmlHandler *handler;
	Buf path, text;
	int depth;
	Error *err;
} Reader;

static void stop(Reader *reader)
{
	XML_StopParser(reader->parser, XML_FALSE);
}

static bool enter(Reader *reader, const char *name)
{
	const char *colon = strchr(name, ':');
	if (++reader->depth > MAX_DEPTH)
		return err_set(reader->err, ERR_LIMIT, "XML is nested deeper than %d", MAX_DEPTH);
	if (reader->depth > 1)
		buf_putc(&reader->path, '/');
	name = colon ? colon + 1 : name;
	return buf_append_limited(&reader->path, name, strlen(name), MAX_PATH, reader->err);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	Reader *reader = arg;
	const XmlHandler *handler = reader->handler;
	if (err_is_set(reader->err))
		return;
	buf_clear(&reader->text);
	if (!enter(reader, name) ||
	    (handler->on_start && !handler->on_start(handler->arg, buf_text(&reader->path),
						     (const char *const *)attributes, reader->err)))
		stop(reader);
}

static void on_end(void *arg, const XML_Char *name)
{
	(void)name;
	Reader *reader = arg;
	const XmlHandler *handler = reader->handler;
	if (err_is_set(reader->err))
		return;
	if (!handler->on_end(handler->arg, buf_text(&reader->path), buf_str(&reader->text),
			     reader->err))
		stop(reader);
	buf_clear(&reader->text);
	reader->depth--;
	while (reader->path.len && reader->path.ptr[reader->path.len - 1] != '/')
		reader->path.len--;
	if (reader->path.len)
		reader->path.len--;
	reader->path.ptr[reader->path.len] = '\0';
}

static void on_text(void *arg, const XML_Char *text, int len)
{
	Reader *reader = arg;
	if (!err_is_set(reader->err) &&
	    !buf_append_limited(&reader->text, text, (size_t)len, MAX_TEXT, reader->err))
		stop(reader);
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system,
		       const XML_Char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	Reader *reader = arg;
	if (!err_is_set(reader->err))
		err_set(reader->err, ERR_INVALID, "XML with a document type is refused");
	stop(reader);
}

static bool parse(Reader *reader, Str text)
{
	XML_Parser parser = reader->parser;
	XML_SetUserData(parser, reader);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartDoctypeDeclHandler(parser, on_doctype);
	if (text.len > INT_MAX)
		return err_set(reader->err, ERR_LIMIT, "XML is too large");
	if (XML_Parse(parser, text.ptr, (int)text.len, XML_TRUE) == XML_STATUS_OK)
		return true;
	if (err_is_set(reader->err))
		return false;
	return err_set(reader->err, ERR_INVALID, "XML line %lu column %lu: %s",
		       XML_GetCurrentLineNumber(parser), XML_GetCurrentColumnNumber(parser),
		       XML_ErrorString(XML_GetErrorCode(parser)));
}

bool xml_parse(Str text, const XmlHandler *handler, Error *err)
{
	Reader reader = {.parser = XML_ParserCreate("UTF-8"), .handler = handler, .err = err};
	if (!reader.parser)
		return err_set(err, ERR_INTERNAL, "no memory for the XML parser");
	bool ok = parse(&reader, text);
	XML_ParserFree(reader.parser);
	buf_dispose(&reader.path);
	buf_dispose(&reader.text);
	return ok;
}
