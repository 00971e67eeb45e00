/*
 * What is asked for, in which order. A hash is wanted directly where the server allows that (all of
 * protocol 2, and v0 servers that say so or advertise it); where not, the reference that reaches it
 * is fetched with all its history, or without one, every branch and tag (S24).
 */
#include "git/session.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"
#include "git/store_internal.h"

enum { INFINITE_DEPTH = 0x7fffffff, MAX_WANTS = 50 * 1000 };

typedef struct {
	GitTransport *transport;
	GitWire wire;
	GitCaps caps;
	GitCaps *known;
	GitRefList refs; /* v0: advertised; v2: after list_refs */
	bool open;
} Session;

static void session_reset(Session *session)
{
	session->transport->kind->close(session->transport);
	git_wire_dispose(&session->wire);
	git_caps_dispose(&session->caps);
	git_ref_list_dispose(&session->refs);
	session->open = false;
}
#define autosession __attribute__((cleanup(session_reset)))

static void copy_caps(GitCaps *to, const GitCaps *from)
{
	git_caps_dispose(to);
	to->version = from->version;
	for (size_t i = 0; i < from->caps.len; i++)
		vec_push(&to->caps, mem_strdup(from->caps.items[i]));
}

static bool session_open(Session *session, Error *err)
{
	GitTransport *transport = session->transport;
	GitCaps *known = session->known;
	session->wire.transport = transport;
	if (known && known->version == 2 && transport->stateless) {
		copy_caps(&session->caps, known);
		session->open = true;
		return true;
	}
	transport->version = 2;
	if (!transport->kind->open(transport, "version=2", err) ||
	    !git_advert_read(&session->wire, &session->caps, &session->refs, err))
		return false;
	transport->version = session->caps.version;
	if (known)
		copy_caps(known, &session->caps);
	session->open = true;
	return true;
}

static bool is_v2(const Session *session)
{
	return session->caps.version == 2;
}

/* --- list --- */

static bool list_refs(Session *session, const char *const *prefixes, Error *err)
{
	if (is_v2(session) &&
	    !git_v2_list(&session->wire, &session->caps, prefixes, &session->refs, err))
		return false;
	git_ref_list_filter(&session->refs, prefixes);
	return true;
}

bool git_session_list(GitTransport *transport, GitCaps *known, const char *const *prefixes,
		      GitRefs *out, Error *err)
{
	autosession Session session = {.transport = transport, .known = known};
	if (!session_open(&session, err) || !list_refs(&session, prefixes, err))
		return false;
	*out = session.refs.refs;
	session.refs = (GitRefList){0};
	return true;
}

/* --- fetch --- */

/* A shallow store gets its missing history only when it asks for a depth. */
static int full_depth(const GitStore *store)
{
	return store->shallow.len ? INFINITE_DEPTH : 0;
}

/* Asks for the wants and stores the pack; of wants that are not the hash itself, one that has it.
 */
static bool fetch_wants(Session *session, GitStore *store, const GitFetch *fetch, const Vec *wants,
			bool search, uint64_t *bytes, Error *err)
{
	bool deep = search || fetch->deep;
	autogitboundary GitBoundary boundary = {0};
	bool thin = fetch->have && git_store_has(store, fetch->have);
	GitPackLimits limits = {.thin = thin,
				.max_bytes = fetch->max_bytes,
				.deadline_ms = session->transport->deadline_ms};
	if (search && !git_store_has(store, fetch->hash))
		limits.awaited = fetch->hash;
	autogitpackwriter GitPackWriter *writer = git_pack_writer_new(store, &limits, err);
	if (!writer)
		return false;
	GitAsk ask = {.wants = (const char *const *)wants->items,
		      .want_count = wants->len,
		      .have = thin ? fetch->have : NULL,
		      .shallow = &store->shallow,
		      .depth = deep ? full_depth(store) : 1};
	GitPackSink sink = {git_pack_writer_put, writer};
	bool ok;
	if (is_v2(session))
		ok = git_v2_fetch(&session->wire, &session->caps, &ask, &sink, &boundary, err);
	else
		ok = git_v0_fetch(&session->wire, &session->caps, &ask, &sink, &boundary, err);
	*bytes += git_pack_writer_bytes(writer);
	return ok && git_pack_writer_finish(writer, &boundary, err);
}

/* What to want of a v0 server for `hash`: itself, or the tag object before a commit. NULL when the
 * server would refuse. Borrowed. */
static const char *v0_want(const Session *session, const char *hash)
{
	const char *tag = NULL;
	for (size_t i = 0; i < session->refs.refs.len; i++) {
		const GitRef *ref = &session->refs.refs.items[i];
		if (cstr_eq(ref->hash, hash))
			return hash;
		if (cstr_eq(ref->peeled, hash))
			tag = ref->hash;
	}
	return git_v0_allows_any(&session->caps) ? hash : tag;
}

static bool fetch_directly(Session *session, GitStore *store, const GitFetch *fetch,
			   uint64_t *bytes, Error *err)
{
	const char *want = is_v2(session) ? fetch->hash : v0_want(session, fetch->hash);
	autostrings Vec wants = {0};
	if (!want)
		return err_set(err, ERR_NOT_FOUND, "the server does not offer %s", fetch->hash);
	vec_push(&wants, mem_strdup(want));
	return fetch_wants(session, store, fetch, &wants, false, bytes, err);
}

/* The tips to want when the hash itself is refused. */
static bool collect_tips(const Session *session, const GitFetch *fetch, Vec *out, Error *err)
{
	for (size_t i = 0; i < session->refs.refs.len; i++) {
		const GitRef *ref = &session->refs.refs.items[i];
		bool wanted = fetch->ref ? cstr_eq(ref->name, fetch->ref)
					 : cstr_starts(ref->name, "refs/heads/") ||
						   cstr_starts(ref->name, "refs/tags/");
		if (!wanted)
			continue;
		if (out->len >= MAX_WANTS)
			return err_set(err, ERR_LIMIT, "more than %d branches and tags", MAX_WANTS);
		vec_push(out, mem_strdup(ref->hash));
	}
	if (out->len == 0)
		return err_set(err, ERR_NOT_FOUND, "no reference %s",
			       fetch->ref ? fetch->ref : "at all");
	return true;
}

/* A name for these tips: what they reach does not change. */
static void name_tips(const Vec *tips, char out[DIGEST_TEXT_SIZE])
{
	autobuf Buf text = {0};
	for (size_t i = 0; i < tips->len; i++)
		buf_printf(&text, "%s\n", (const char *)tips->items[i]);
	digest_hex(DIGEST_SHA256, text.ptr, text.len, out);
}

static bool nowhere(const GitFetch *fetch, Error *err)
{
	return err_set(err, ERR_NOT_FOUND, "object not found: %s", fetch->hash);
}

/* All that the tips reach is much to fetch for a hash that is not there: once for the same tips. */
static bool fetch_by_ref(Session *session, GitStore *store, const GitFetch *fetch, uint64_t *bytes,
			 Error *err)
{
	const char *const of_ref[] = {fetch->ref, NULL};
	static const char *const all[] = {"refs/heads/", "refs/tags/", NULL};
	autostrings Vec wants = {0};
	char tips[DIGEST_TEXT_SIZE];
	if (!session_open(session, err) || !list_refs(session, fetch->ref ? of_ref : all, err) ||
	    !collect_tips(session, fetch, &wants, err))
		return false;
	vec_sort(&wants, vec_compare_strings);
	name_tips(&wants, tips);
	if (fetch->searched && cstr_eq(fetch->searched, tips))
		return nowhere(fetch, err);
	if (!fetch_wants(session, store, fetch, &wants, true, bytes, err))
		return false;
	if (fetch->searched && !git_store_has(store, fetch->hash))
		memcpy(fetch->searched, tips, GIT_SEARCHED_SIZE);
	return true;
}

static bool fetch_any_way(Session *session, GitStore *store, const GitFetch *fetch, uint64_t *bytes,
			  Error *err)
{
	autoerror Error refused = {0};
	if (session_open(session, &refused) &&
	    fetch_directly(session, store, fetch, bytes, &refused))
		return true;
	if (refused.code != ERR_NOT_FOUND || !session->open)
		return err_move(err, &refused);
	session_reset(session);
	return fetch_by_ref(session, store, fetch, bytes, err);
}

bool git_session_fetch(GitTransport *transport, GitCaps *known, GitStore *store,
		       const GitFetch *fetch, uint64_t *out_bytes, Error *err)
{
	autosession Session session = {.transport = transport, .known = known};
	uint64_t bytes = 0;
	if (!git_hash_is_valid(str_of(fetch->hash)))
		return err_set(err, ERR_INVALID, "not a SHA-1: %.64s",
			       fetch->hash ? fetch->hash : "");
	bool ok = fetch_any_way(&session, store, fetch, &bytes, err);
	if (out_bytes)
		*out_bytes = bytes;
	return ok && (git_store_has(store, fetch->hash) || nowhere(fetch, err));
}
