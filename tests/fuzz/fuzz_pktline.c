/*
 * A whole conversation with a hostile server: the first byte chooses what is asked, the rest is
 * what the server says. Also commits and tags, whose bytes come from the same server. No crash, no
 * long run; references that come out are valid.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "git/object.h"
#include "git/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
	GitTransport base;
	Str reply;
} Script;

static bool ignore_send(GitTransport *self, Str bytes, Error *err)
{
	(void)self, (void)bytes, (void)err;
	return true;
}

static ssize_t give(GitTransport *self, char *out, size_t cap, Error *err)
{
	(void)err;
	Script *script = (Script *)self;
	size_t len = script->reply.len < 13 ? script->reply.len : 13;
	len = len < cap ? len : cap;
	memcpy(out, script->reply.ptr, len);
	script->reply = str_slice(script->reply, len, script->reply.len);
	return (ssize_t)len;
}

static bool drop(void *arg, const char *bytes, size_t len, Error *err)
{
	(void)arg, (void)bytes, (void)len, (void)err;
	return true;
}

static bool converse(GitWire *wire, unsigned choice, GitRefList *refs, Error *err)
{
	static const char *const wants[] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	static const Vec none;
	autogitboundary GitBoundary boundary = {0};
	__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
	GitAsk ask = {
		.wants = wants, .want_count = 1, .shallow = &none, .depth = choice & 8 ? 1 : 0};
	GitPackSink sink = {drop, NULL};
	if (!git_advert_read(wire, &caps, refs, err))
		return false;
	if (caps.version != 2)
		return git_v0_fetch(wire, &caps, &ask, &sink, &boundary, err);
	return git_v2_list(wire, &caps, NULL, refs, err) &&
	       git_v2_fetch(wire, &caps, &ask, &sink, &boundary, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const GitTransportKind kind = {.send = ignore_send, .recv = give};
	if (size == 0)
		return 0;
	Str text = str_sized((const char *)data + 1, size - 1);
	Script script = {.base = {.kind = &kind}, .reply = text};
	autogitwire GitWire wire = {.transport = &script.base};
	autogitreflist GitRefList refs = {0};
	autoerror Error err = {0}, commit_err = {0}, tag_err = {0};
	autogitcommit GitCommit commit = {0}, tag = {0};
	bool ok = converse(&wire, data[0], &refs, &err);
	if (ok == err_is_set(&err))
		abort();
	for (size_t i = 0; i < refs.refs.len; i++)
		if (!git_ref_name_is_valid(str_of(refs.refs.items[i].name)) ||
		    !git_hash_is_valid(str_of(refs.refs.items[i].hash)))
			abort();
	(void)!git_commit_parse(text, &commit, &commit_err);
	(void)!git_tag_parse(text, &tag, &tag_err);
	return 0;
}
