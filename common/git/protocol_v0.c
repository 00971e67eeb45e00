/*
 * Protocols 0 and 1. Wants, shallow boundaries, haves and `done` go in one request, so that a
 * stateless server needs one round; multi_ack_detailed, multi_ack or nothing is taken as offered
 * (Azure DevOps and CodeCommit know multi_ack only, source.md 3).
 */
#include "git/protocol.h"

#include "base/mem.h"

bool git_v0_allows_any(const GitCaps *caps)
{
	return git_caps_get(caps, "allow-reachable-sha1-in-want") ||
	       git_caps_get(caps, "allow-any-sha1-in-want");
}

/* Ours among what the server offers; of each group the first. */
static void put_caps(Buf *out, const GitCaps *caps, bool thin)
{
	static const char *const groups[][3] = {
		{"multi_ack_detailed", "multi_ack"},
		{"side-band-64k", "side-band"},
		{"ofs-delta"},
		{"no-progress"},
		{"shallow"},
	};
	for (size_t i = 0; i < COUNT(groups); i++) {
		const char *const *word = groups[i];
		while (*word && !git_caps_get(caps, *word))
			word++;
		if (*word)
			buf_printf(out, " %s", *word);
	}
	if (thin && git_caps_get(caps, "thin-pack"))
		buf_puts(out, " thin-pack");
	if (git_caps_get(caps, "object-format"))
		buf_puts(out, " object-format=sha1");
	if (git_caps_get(caps, "agent"))
		buf_puts(out, " agent=sluice/" SLUICE_VERSION);
}

static void put_request(Buf *out, const GitCaps *caps, const GitAsk *ask, bool deepen)
{
	autobuf Buf words = {0};
	put_caps(&words, caps, ask->have != NULL);
	for (size_t i = 0; i < ask->want_count; i++)
		pkt_put(out, "want %s%s\n", ask->wants[i], i == 0 ? buf_text(&words) : "");
	bool can_shallow = git_caps_get(caps, "shallow") != NULL;
	for (size_t i = 0; can_shallow && i < ask->shallow->len; i++)
		pkt_put(out, "shallow %s\n", (const char *)ask->shallow->items[i]);
	if (deepen)
		pkt_put(out, "deepen %d\n", ask->depth);
	pkt_put_flush(out);
	if (ask->have)
		pkt_put(out, "have %s\n", ask->have);
	pkt_put(out, "done\n");
}

static bool read_boundary(GitWire *wire, GitBoundary *boundary, Error *err)
{
	Pkt pkt;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		if (pkt.kind != PKT_DATA)
			return true;
		if (!git_boundary_take(boundary, pkt_line(&pkt), err))
			return false;
	}
}

/* "ACK HASH continue|common|ready" announces; "ACK HASH" or "NAK" is the last word. Behind a
 * multi_ack `ready` a NAK may come before it, which `done` in the same request rules out. */
static bool read_acks(GitWire *wire, Error *err)
{
	Pkt pkt;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		Str line = pkt_line(&pkt), word, hash, status;
		if (pkt.kind != PKT_DATA)
			return err_set(err, ERR_INVALID, "the reply has no pack");
		if (str_eq(line, STR("NAK")))
			return true;
		str_cut(line, ' ', &word, &line);
		str_cut(line, ' ', &hash, &status);
		if (!str_eq(word, STR("ACK")) || !git_hash_is_valid(hash))
			return err_set(err, ERR_INVALID, "neither ACK nor NAK");
		if (status.len == 0)
			return true;
	}
}

static bool read_raw_pack(GitWire *wire, const GitPackSink *sink, Error *err)
{
	Str bytes;
	for (;;) {
		if (!git_wire_read_raw(wire, &bytes, err))
			return false;
		if (bytes.len == 0)
			return true;
		if (!sink->put(sink->arg, bytes.ptr, bytes.len, err))
			return false;
	}
}

bool git_v0_fetch(GitWire *wire, const GitCaps *caps, const GitAsk *ask, const GitPackSink *sink,
		  GitBoundary *boundary, Error *err)
{
	bool deepen = ask->depth && git_caps_get(caps, "shallow");
	autobuf Buf request = {0};
	put_request(&request, caps, ask, deepen);
	if (!git_wire_send(wire, &request, err))
		return false;
	if (deepen && !read_boundary(wire, boundary, err))
		return false;
	if (!read_acks(wire, err))
		return false;
	bool banded = git_caps_get(caps, "side-band-64k") || git_caps_get(caps, "side-band");
	return banded ? git_sideband_read(wire, sink, err) : read_raw_pack(wire, sink, err);
}
