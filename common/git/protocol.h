/*
 * The conversation with git-upload-pack over a GitTransport: protocol 2 (gitprotocol-v2) and 0/1
 * (gitprotocol-pack). Whatever the server says is hostile: counts, names, lengths are limited.
 */
#ifndef GIT_PROTOCOL_H
#define GIT_PROTOCOL_H

#include "base/vec.h"
#include "git/git.h"
#include "git/pktline.h"
#include "git/transport.h"

enum { GIT_MAX_REFS = 500 * 1000, GIT_MAX_REF_NAME = 4096, GIT_MAX_CAPS = 256 };

/* --- wire.c --- */

/* Received bytes that are not consumed yet; in[at..len). */
typedef struct {
	GitTransport *transport;
	Buf in;
	size_t at;
} GitWire;

void git_wire_dispose(GitWire *wire);
#define autogitwire __attribute__((cleanup(git_wire_dispose)))

/* Sends a request; leftovers of an earlier reply are dropped. */
bool git_wire_send(GitWire *wire, const Buf *request, Error *err) MUST_USE;

/* The next packet, borrowed until the next call. The end of the stream and "ERR" packets are
 * errors. */
bool git_wire_read(GitWire *wire, Pkt *out, Error *err) MUST_USE;

/* As git_wire_read, where the stream may end: *out_end is set then. */
bool git_wire_read_or_end(GitWire *wire, Pkt *out, bool *out_end, Error *err) MUST_USE;

/* Raw bytes behind the packets (v0 without side band): empty at the end. */
bool git_wire_read_raw(GitWire *wire, Str *out, Error *err) MUST_USE;

/* Appends what a peer said, made printable and short. */
void git_wire_show(Str text, Buf *out);

/* Fills err with what the server said, shown that way. Returns false. */
bool git_wire_server_error(Str text, Error *err);

/* --- caps.c --- */

/* A server's capabilities, as "name" or "name=value" strings, owned. */
typedef struct {
	int version;
	Vec caps;
} GitCaps;

void git_caps_dispose(GitCaps *caps);
bool git_caps_add(GitCaps *caps, Str word, Error *err) MUST_USE;

/* The first value of `name`: "" without one, NULL when absent. */
const char *git_caps_get(const GitCaps *caps, const char *name);

/* True when the blank-separated value of `name` holds `word`. */
bool git_caps_has_word(const GitCaps *caps, const char *name, const char *word);

/* SHA-1 only (source.md 3): ERR_UNSUPPORTED for another object format. */
bool git_caps_check_format(const GitCaps *caps, Error *err) MUST_USE;

/* --- refs.c --- */

/* 40 lower-case hex digits. */
bool git_hash_is_valid(Str text);

/* git-check-ref-format, and "HEAD". */
bool git_ref_name_is_valid(Str name);

/* Collects references while they arrive. */
typedef struct {
	GitRefs refs;
	size_t cap;
} GitRefList;

void git_ref_list_dispose(GitRefList *list);
#define autogitreflist __attribute__((cleanup(git_ref_list_dispose)))

/* Adds a reference and returns it; NULL with err for too many or a bad hash. An invalid name is
 * dropped: *out_ref is NULL. */
bool git_ref_list_add(GitRefList *list, Str name, Str hash, GitRef **out_ref, Error *err) MUST_USE;

/* Takes out what starts with none of `prefixes` (NULL: keeps all). */
void git_ref_list_filter(GitRefList *list, const char *const *prefixes);

/* --- protocol.c --- */

/* Reads what a server says first: capabilities, and for v0 and v1 all references too. */
bool git_advert_read(GitWire *wire, GitCaps *caps, GitRefList *refs, Error *err) MUST_USE;

/* Where pack bytes go. */
typedef struct {
	bool (*put)(void *arg, const char *bytes, size_t len, Error *err);
	void *arg;
} GitPackSink;

/* What to ask for; all hashes are valid. */
typedef struct {
	const char *const *wants;
	size_t want_count;
	/* Or NULL. With one the pack may be thin: only then git leaves out what a shallow commit
	 * shares with it. */
	const char *have;
	const Vec *shallow; /* boundaries that the store has: hashes */
	int depth;	    /* 0: all history */
} GitAsk;

/* What the server told beside the pack: boundaries to add or to drop. Owned strings. */
typedef struct {
	Vec shallow, unshallow;
} GitBoundary;

void git_boundary_dispose(GitBoundary *boundary);
#define autogitboundary __attribute__((cleanup(git_boundary_dispose)))

/* One "shallow HASH" or "unshallow HASH" line. False when it is neither (no error), or bad. */
bool git_boundary_take(GitBoundary *boundary, Str line, Error *err) MUST_USE;

/* Packets of a side band until the flush. */
bool git_sideband_read(GitWire *wire, const GitPackSink *sink, Error *err) MUST_USE;

/* --- protocol_v2.c --- */
bool git_v2_list(GitWire *wire, const GitCaps *caps, const char *const *prefixes, GitRefList *out,
		 Error *err) MUST_USE;
bool git_v2_fetch(GitWire *wire, const GitCaps *caps, const GitAsk *ask, const GitPackSink *sink,
		  GitBoundary *boundary, Error *err) MUST_USE;

/* --- protocol_v0.c --- */

/* True when the server lets us want a hash that it did not advertise. */
bool git_v0_allows_any(const GitCaps *caps);
bool git_v0_fetch(GitWire *wire, const GitCaps *caps, const GitAsk *ask, const GitPackSink *sink,
		  GitBoundary *boundary, Error *err) MUST_USE;

#endif
