/*
 * What both protocols share: the advertisement, boundaries, the side band. A v0 advertisement is
 * "HASH NAME NUL capabilities", then "HASH NAME" lines, "HASH NAME^{}" for the commit behind a tag,
 * "shallow HASH" lines, a flush.
 */
#include "git/protocol.h"

#include "base/mem.h"

enum { BAND_PACK = 1, BAND_PROGRESS = 2, BAND_ERROR = 3, MAX_BOUNDARIES = 500 * 1000 };

/* --- advertisement --- */

static bool read_v2_caps(GitWire *wire, GitCaps *caps, Error *err)
{
	Pkt pkt;
	caps->version = 2;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		if (pkt.kind != PKT_DATA)
			return true;
		if (!git_caps_add(caps, pkt_line(&pkt), err))
			return false;
	}
}

static bool take_v0_caps(GitCaps *caps, Str words, Error *err)
{
	Str word;
	while (str_next(&words, ' ', &word))
		if (word.len && !git_caps_add(caps, word, err))
			return false;
	return true;
}

/* "HASH NAME"; a peeled line belongs to the reference before it. */
static bool take_ref_line(GitRefList *refs, Str line, Error *err)
{
	Str hash, name;
	if (!str_cut(line, ' ', &hash, &name))
		return err_set(err, ERR_INVALID, "not a Git server: strange reference line");
	if (str_eq(name, STR("capabilities^{}")) || str_eq(hash, STR("shallow")))
		return true;
	if (!str_ends(name, STR("^{}"))) {
		GitRef *ignored;
		return git_ref_list_add(refs, name, hash, &ignored, err);
	}
	name.len -= 3;
	GitRef *last = refs->refs.len ? &refs->refs.items[refs->refs.len - 1] : NULL;
	if (!git_hash_is_valid(hash))
		return err_set(err, ERR_INVALID, "the server sent a reference without a SHA-1");
	if (last && str_eq(name, str_of(last->name)))
		memcpy(last->peeled, hash.ptr, hash.len);
	return true;
}

static bool read_v0_refs(GitWire *wire, Pkt *pkt, GitCaps *caps, GitRefList *refs, Error *err)
{
	for (bool first = true; pkt->kind == PKT_DATA; first = false) {
		Str line = pkt_line(pkt), words;
		bool has_caps = str_cut(line, '\0', &line, &words);
		if (first && has_caps && !take_v0_caps(caps, words, err))
			return false;
		/* Before the hashes: a SHA-256 repository deserves its own message. */
		if (first && !git_caps_check_format(caps, err))
			return false;
		if (!take_ref_line(refs, line, err) || !git_wire_read(wire, pkt, err))
			return false;
	}
	return true;
}

/* The capability "symref=HEAD:refs/heads/main", once for each. */
static void set_symrefs(const GitCaps *caps, GitRefList *refs)
{
	for (size_t i = 0; i < caps->caps.len; i++) {
		Str word = str_of(caps->caps.items[i]), name, target;
		if (!str_starts(word, STR("symref=")))
			continue;
		word = str_slice(word, 7, word.len);
		if (!str_cut(word, ':', &name, &target) || !git_ref_name_is_valid(target))
			continue;
		for (size_t k = 0; k < refs->refs.len; k++) {
			GitRef *ref = &refs->refs.items[k];
			if (!ref->symref && str_eq(name, str_of(ref->name)))
				ref->symref = str_dup(target);
		}
	}
}

/* Over HTTP "# service=git-upload-pack" and a flush come first. */
static bool skip_service_line(GitWire *wire, Pkt *pkt, Error *err)
{
	if (pkt->kind != PKT_DATA || !str_starts(pkt->data, STR("# service=")))
		return true;
	if (!git_wire_read(wire, pkt, err))
		return false;
	return pkt->kind != PKT_FLUSH || git_wire_read(wire, pkt, err);
}

bool git_advert_read(GitWire *wire, GitCaps *caps, GitRefList *refs, Error *err)
{
	Pkt pkt;
	if (!git_wire_read(wire, &pkt, err) || !skip_service_line(wire, &pkt, err))
		return false;
	if (pkt.kind == PKT_DATA && str_eq(pkt_line(&pkt), STR("version 2")))
		return read_v2_caps(wire, caps, err) && git_caps_check_format(caps, err);
	if (pkt.kind == PKT_DATA && str_eq(pkt_line(&pkt), STR("version 1"))) {
		caps->version = 1;
		if (!git_wire_read(wire, &pkt, err))
			return false;
	}
	if (!read_v0_refs(wire, &pkt, caps, refs, err))
		return false;
	set_symrefs(caps, refs);
	return true;
}

/* --- boundaries --- */

void git_boundary_dispose(GitBoundary *boundary)
{
	vec_dispose_strings(&boundary->shallow);
	vec_dispose_strings(&boundary->unshallow);
}

bool git_boundary_take(GitBoundary *boundary, Str line, Error *err)
{
	Str word, hash;
	str_cut(line, ' ', &word, &hash);
	bool shallow = str_eq(word, STR("shallow"));
	if (!git_hash_is_valid(hash) || (!shallow && !str_eq(word, STR("unshallow"))))
		return err_set(err, ERR_INVALID, "strange line about shallow commits");
	Vec *vec = shallow ? &boundary->shallow : &boundary->unshallow;
	if (vec->len >= MAX_BOUNDARIES)
		return err_set(err, ERR_LIMIT, "more than %d shallow commits", MAX_BOUNDARIES);
	vec_push(vec, str_dup(hash));
	return true;
}

/* --- side band --- */

bool git_sideband_read(GitWire *wire, const GitPackSink *sink, Error *err)
{
	Pkt pkt;
	for (;;) {
		if (!git_wire_read(wire, &pkt, err))
			return false;
		if (pkt.kind != PKT_DATA)
			return true;
		if (pkt.data.len == 0)
			return err_set(err, ERR_INVALID, "side band packet without a band");
		Str data = str_slice(pkt.data, 1, pkt.data.len);
		switch (pkt.data.ptr[0]) {
		case BAND_PACK:
			if (!sink->put(sink->arg, data.ptr, data.len, err))
				return false;
			break;
		case BAND_PROGRESS:
			break;
		case BAND_ERROR:
			return git_wire_server_error(data, err);
		default:
			return err_set(err, ERR_INVALID, "side band %d", pkt.data.ptr[0]);
		}
	}
}
