/*
 * Protocol 2: commands ls-refs and fetch. `done` goes with the first fetch request, so the reply
 * has no acknowledgments: shallow-info, then the pack. packfile-uris are not asked for.
 */
#include "git/protocol.h"

#include "base/mem.h"

enum { MAX_PREFIXES = 1000 };

static void put_command(Buf *out, const GitCaps *caps, const char *name)
{
	pkt_put(out, "command=%s\n", name);
	if (git_caps_get(caps, "agent"))
		pkt_put(out, "agent=sluice/" SLUICE_VERSION "\n");
	if (git_caps_get(caps, "object-format"))
		pkt_put(out, "object-format=sha1\n");
	pkt_put_delim(out);
}

/* --- ls-refs --- */

/* "HASH NAME [symref-target:NAME] [peeled:HASH]"; "unborn NAME" has no hash and is no reference. */
static bool take_ref(GitRefList *out, Str line, Error *err)
{
	Str hash, name, attribute;
	str_cut(line, ' ', &hash, &line);
	str_cut(line, ' ', &name, &line);
	if (str_eq(hash, STR("unborn")))
		return true;
	GitRef *ref;
	if (!git_ref_list_add(out, name, hash, &ref, err))
		return false;
	while (ref && str_next(&line, ' ', &attribute)) {
		Str key, value;
		str_cut(attribute, ':', &key, &value);
		if (str_eq(key, STR("peeled")) && git_hash_is_valid(value))
			memcpy(ref->peeled, value.ptr, value.len);
		if (str_eq(key, STR("symref-target")) && git_ref_name_is_valid(value) &&
		    !ref->symref)
			ref->symref = str_dup(value);
	}
	return true;
}

bool git_v2_list(GitWire *wire, const GitCaps *caps, const char *const *prefixes, GitRefList *out,
		 Error *err)
{
	autobuf Buf request = {0};
	put_command(&request, caps, "ls-refs");
	pkt_put(&request, "peel\n");
	pkt_put(&request, "symrefs\n");
	size_t count = 0;
	while (prefixes && prefixes[count])
		count++;
	/* Prefixes only save bytes: the caller filters again. */
	for (size_t i = 0; i < count && count <= MAX_PREFIXES; i++)
		if (strlen(prefixes[i]) <= GIT_MAX_REF_NAME)
			pkt_put(&request, "ref-prefix %s\n", prefixes[i]);
	pkt_put_flush(&request);
	if (!git_wire_send(wire, &request, err))
		return false;
	Pkt pkt;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		if (pkt.kind != PKT_DATA)
			return true;
		if (!take_ref(out, pkt_line(&pkt), err))
			return false;
	}
}

/* --- fetch --- */

static void put_fetch(Buf *out, const GitCaps *caps, const GitAsk *ask)
{
	put_command(out, caps, "fetch");
	pkt_put(out, "no-progress\n");
	pkt_put(out, "ofs-delta\n");
	if (ask->have)
		pkt_put(out, "thin-pack\n");
	bool can_shallow = git_caps_has_word(caps, "fetch", "shallow");
	for (size_t i = 0; can_shallow && i < ask->shallow->len; i++)
		pkt_put(out, "shallow %s\n", (const char *)ask->shallow->items[i]);
	if (can_shallow && ask->depth)
		pkt_put(out, "deepen %d\n", ask->depth);
	for (size_t i = 0; i < ask->want_count; i++)
		pkt_put(out, "want %s\n", ask->wants[i]);
	if (ask->have)
		pkt_put(out, "have %s\n", ask->have);
	pkt_put(out, "done\n");
	pkt_put_flush(out);
}

/* Reads a section that is not the pack, up to its delimiter. */
static bool read_section(GitWire *wire, bool is_shallow_info, GitBoundary *boundary, Error *err)
{
	Pkt pkt;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		if (pkt.kind == PKT_DELIM)
			return true;
		if (pkt.kind != PKT_DATA)
			return err_set(err, ERR_INVALID, "the reply ends before the pack");
		if (is_shallow_info && !git_boundary_take(boundary, pkt_line(&pkt), err))
			return false;
	}
}

bool git_v2_fetch(GitWire *wire, const GitCaps *caps, const GitAsk *ask, const GitPackSink *sink,
		  GitBoundary *boundary, Error *err)
{
	autobuf Buf request = {0};
	put_fetch(&request, caps, ask);
	if (!git_wire_send(wire, &request, err))
		return false;
	Pkt pkt;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		if (pkt.kind != PKT_DATA)
			return err_set(err, ERR_INVALID, "the reply has no pack");
		Str section = pkt_line(&pkt);
		if (str_eq(section, STR("packfile")))
			return git_sideband_read(wire, sink, err);
		if (!read_section(wire, str_eq(section, STR("shallow-info")), boundary, err))
			return false;
	}
}
