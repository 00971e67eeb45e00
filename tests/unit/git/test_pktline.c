/* Packet lines, and the conversation over a transport that a test scripts. */
#include "../cmocka_all.h"

#include "base/mem.h"
#include "git/pktline.h"
#include "git/protocol.h"

/* --- packets --- */

static void every_cut_needs_more_bytes(void **state)
{
	(void)state;
	static const char text[] = "000ahello\n0000";
	for (size_t cut = 0; cut < 10; cut++) {
		autoerror Error err = {0};
		Pkt pkt;
		size_t used = 99;
		assert_true(pkt_parse(str_sized(text, cut), &pkt, &used, &err));
		assert_int_equal(used, 0);
	}
	autoerror Error err = {0};
	Pkt pkt;
	size_t used;
	assert_true(pkt_parse(str_sized(text, sizeof(text) - 1), &pkt, &used, &err));
	assert_int_equal(used, 10);
	assert_int_equal(pkt.kind, PKT_DATA);
	assert_int_equal(pkt.data.len, 6);
	assert_true(str_eq(pkt_line(&pkt), STR("hello")));
}

static void marks_have_no_data(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		PktKind kind;
	} rows[] = {{"0000", PKT_FLUSH}, {"0001", PKT_DELIM}, {"0002", PKT_END}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		Pkt pkt;
		size_t used;
		assert_true(pkt_parse(str_of(rows[i].text), &pkt, &used, &err));
		assert_int_equal(used, 4);
		assert_int_equal(pkt.kind, rows[i].kind);
		assert_int_equal(pkt.data.len, 0);
	}
	autoerror Error err = {0};
	Pkt pkt;
	size_t used;
	assert_true(pkt_parse(STR("0004"), &pkt, &used, &err));
	assert_int_equal(pkt.kind, PKT_DATA);
	assert_int_equal(pkt.data.len, 0);
}

static void impossible_lengths_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"0003", "fff1", "ffff", "zzzz",
					  "00 4", "-001", "<htm", "H"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		Pkt pkt;
		size_t used;
		assert_false(pkt_parse(str_of(bad[i]), &pkt, &used, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	/* 65520 is the largest. */
	autoerror Error err = {0};
	autofree char *large = mem_zalloc(1, PKT_MAX);
	memcpy(large, "fff0", 4);
	Pkt pkt;
	size_t used;
	assert_true(pkt_parse(str_sized(large, PKT_MAX), &pkt, &used, &err));
	assert_int_equal(pkt.data.len, PKT_MAX - 4);
}

static void written_packets_are_read_again(void **state)
{
	(void)state;
	autobuf Buf out = {0};
	pkt_put(&out, "want %s\n", "x");
	pkt_put_delim(&out);
	pkt_put_flush(&out);
	assert_string_equal(out.ptr, "000bwant x\n00010000");
}

/* --- a scripted server --- */

typedef struct {
	GitTransport base;
	Str reply;
	size_t at, step; /* bytes given at once */
	Buf sent;
} Script;

static bool script_open(GitTransport *self, const char *protocol, Error *err)
{
	(void)self, (void)protocol, (void)err;
	return true;
}

static bool script_send(GitTransport *self, Str bytes, Error *err)
{
	(void)err;
	buf_add(&((Script *)self)->sent, bytes);
	return true;
}

static ssize_t script_recv(GitTransport *self, char *out, size_t cap, Error *err)
{
	(void)err;
	Script *script = (Script *)self;
	size_t len = script->reply.len - script->at;
	len = len < script->step ? len : script->step;
	len = len < cap ? len : cap;
	memcpy(out, script->reply.ptr + script->at, len);
	script->at += len;
	return (ssize_t)len;
}

static void script_close(GitTransport *self)
{
	(void)self;
}

static const GitTransportKind script_kind = {script_open, script_send, script_recv, script_close,
					     script_close};

static Script script_of(const char *reply, size_t step)
{
	return (Script){.base = {.kind = &script_kind}, .reply = str_of(reply), .step = step};
}

static void script_of_bytes(Script *out, const Buf *reply)
{
	*out = (Script){.base = {.kind = &script_kind}, .reply = buf_str(reply), .step = 7};
}

#define A40 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B40 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void put_bytes(Buf *out, const char *bytes, size_t len)
{
	buf_printf(out, "%04x", (unsigned)len + 4);
	buf_append(out, bytes, len);
}

static void v0_advertisement_in_single_bytes(void **state)
{
	(void)state;
	static const char first[] = A40 " HEAD\0multi_ack shallow symref=HEAD:refs/heads/main "
					"agent=x/1";
	autobuf Buf reply = {0};
	put_bytes(&reply, first, sizeof(first) - 1);
	pkt_put(&reply, A40 " refs/heads/main\n");
	pkt_put(&reply, B40 " refs/tags/v1\n");
	pkt_put(&reply, A40 " refs/tags/v1^{}\n");
	pkt_put(&reply, A40 " refs/heads/../evil\n");
	pkt_put_flush(&reply);
	for (size_t step = 1; step < 80; step += 13) {
		Script script;
		script_of_bytes(&script, &reply);
		script.step = step;
		autoerror Error err = {0};
		autogitwire GitWire wire = {.transport = &script.base};
		__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
		autogitreflist GitRefList refs = {0};
		assert_true(git_advert_read(&wire, &caps, &refs, &err));
		assert_int_equal(caps.version, 0);
		assert_int_equal(refs.refs.len, 3); /* the evil one is dropped */
		assert_string_equal(refs.refs.items[0].symref, "refs/heads/main");
		assert_string_equal(refs.refs.items[2].peeled, A40);
		assert_non_null(git_caps_get(&caps, "multi_ack"));
		assert_null(git_caps_get(&caps, "multi_ack_detailed"));
		assert_string_equal(git_caps_get(&caps, "agent"), "x/1");
	}
}

static void v2_advertisement_behind_a_service_line(void **state)
{
	(void)state;
	Script script = script_of("001e# service=git-upload-pack\n0000000eversion 2\n"
				  "0017fetch=shallow wait\n000cls-refs\n0000",
				  1000);
	autoerror Error err = {0};
	autogitwire GitWire wire = {.transport = &script.base};
	__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
	autogitreflist GitRefList refs = {0};
	if (!git_advert_read(&wire, &caps, &refs, &err))
		fail_msg("%s", err_text(&err));
	assert_int_equal(caps.version, 2);
	assert_true(git_caps_has_word(&caps, "fetch", "shallow"));
	assert_true(git_caps_has_word(&caps, "fetch", "wait"));
	assert_false(git_caps_has_word(&caps, "fetch", "shall"));
	assert_string_equal(git_caps_get(&caps, "ls-refs"), "");
}

static void bad_advertisements_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *reply;
		ErrorCode code;
	} rows[] = {
		{"", ERR_UNAVAILABLE},
		{"00", ERR_UNAVAILABLE},
		{"<html>", ERR_INVALID},
		{"000ahello\n0000", ERR_INVALID},
		{"000cxyz HEAD0000", ERR_INVALID},
		{"001dERR repository not found\n", ERR_NOT_FOUND},
		{"0016ERR access denied\n", ERR_UNAUTHORIZED},
		{"0010ERR upset\x1b[1m", ERR_UNAVAILABLE},
		{"000eversion 2\n0019object-format=sha256\n0000", ERR_UNSUPPORTED},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		Script script = script_of(rows[i].reply, 3);
		autoerror Error err = {0};
		autogitwire GitWire wire = {.transport = &script.base};
		__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
		autogitreflist GitRefList refs = {0};
		assert_false(git_advert_read(&wire, &caps, &refs, &err));
		if (err.code != rows[i].code)
			fail_msg("row %zu: %s: %s", i, err_code_name(err.code), err_text(&err));
		assert_null(strchr(err_text(&err), 0x1b));
	}
}

static void capabilities_are_limited(void **state)
{
	(void)state;
	autobuf Buf reply = {0};
	pkt_put(&reply, "version 2\n");
	for (int i = 0; i <= GIT_MAX_CAPS; i++)
		pkt_put(&reply, "cap%d\n", i);
	pkt_put_flush(&reply);
	Script script;
	script_of_bytes(&script, &reply);
	autoerror Error err = {0};
	autogitwire GitWire wire = {.transport = &script.base};
	__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
	autogitreflist GitRefList refs = {0};
	assert_false(git_advert_read(&wire, &caps, &refs, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

/* --- fetch replies --- */

static bool put_text(void *arg, const char *bytes, size_t len, Error *err)
{
	(void)err;
	buf_append(arg, bytes, len);
	return true;
}

static const GitAsk *ask_for_a(bool have)
{
	static const char *const wants[] = {A40};
	static const Vec none;
	static const GitAsk asks[] = {
		{.wants = wants, .want_count = 1, .shallow = &none, .depth = 1},
		{.wants = wants, .want_count = 1, .shallow = &none, .depth = 1, .have = B40},
	};
	return &asks[have];
}

static void add_caps(GitCaps *caps, const char *words)
{
	autoerror Error err = {0};
	Str rest = str_of(words), word;
	while (str_next(&rest, ' ', &word))
		assert_true(git_caps_add(caps, word, &err));
}

/* Azure DevOps and CodeCommit know multi_ack only (source.md 3). */
static void v0_answers_in_all_ack_dialects(void **state)
{
	(void)state;
	static const struct {
		const char *caps, *acks[3], *asked;
	} rows[] = {
		{"multi_ack shallow side-band-64k ofs-delta",
		 {"ACK " B40 " continue", "ACK " B40},
		 " multi_ack side-band-64k ofs-delta shallow\n"},
		{"multi_ack multi_ack_detailed shallow side-band side-band-64k thin-pack",
		 {"ACK " B40 " common", "ACK " B40 " ready", "ACK " B40},
		 " multi_ack_detailed side-band-64k shallow thin-pack\n"},
		{"shallow side-band", {"NAK"}, " side-band shallow\n"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autobuf Buf reply = {0};
		pkt_put(&reply, "shallow " A40);
		pkt_put_flush(&reply);
		for (size_t k = 0; k < COUNT(rows[i].acks) && rows[i].acks[k]; k++)
			pkt_put(&reply, "%s\n", rows[i].acks[k]);
		pkt_put(&reply, "\001PACK");
		pkt_put(&reply, "\002progress");
		pkt_put(&reply, "\001!");
		pkt_put_flush(&reply);
		Script script;
		script_of_bytes(&script, &reply);
		autoerror Error err = {0};
		autobuf Buf pack = {0};
		autogitwire GitWire wire = {.transport = &script.base};
		__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
		autogitboundary GitBoundary boundary = {0};
		add_caps(&caps, rows[i].caps);
		GitPackSink sink = {put_text, &pack};
		if (!git_v0_fetch(&wire, &caps, ask_for_a(true), &sink, &boundary, &err))
			fail_msg("row %zu: %s", i, err_text(&err));
		assert_string_equal(pack.ptr, "PACK!");
		assert_int_equal(boundary.shallow.len, 1);
		assert_non_null(strstr(script.sent.ptr, rows[i].asked));
		assert_non_null(strstr(script.sent.ptr, "have " B40));
		buf_dispose(&script.sent);
	}
}

static void v0_without_a_side_band_streams_the_rest(void **state)
{
	(void)state;
	Script script = script_of("0008NAK\nPACK0000 raw bytes", 5);
	autoerror Error err = {0};
	autobuf Buf pack = {0};
	autogitwire GitWire wire = {.transport = &script.base};
	GitCaps caps = {0};
	autogitboundary GitBoundary boundary = {0};
	GitPackSink sink = {put_text, &pack};
	assert_true(git_v0_fetch(&wire, &caps, ask_for_a(false), &sink, &boundary, &err));
	assert_string_equal(pack.ptr, "PACK0000 raw bytes");
	/* No shallow: nothing to deepen. */
	assert_null(strstr(script.sent.ptr, "deepen"));
	buf_dispose(&script.sent);
}

static void v2_sections_before_the_pack_are_read_or_skipped(void **state)
{
	(void)state;
	Script script = script_of("0011shallow-info\n"
				  "0034shallow " A40 "0001"
				  "0012packfile-uris\n0007abc0001"
				  "000dpackfile\n0009\001PACK0000",
				  4);
	autoerror Error err = {0};
	autobuf Buf pack = {0};
	autogitwire GitWire wire = {.transport = &script.base};
	__attribute__((cleanup(git_caps_dispose))) GitCaps caps = {0};
	autogitboundary GitBoundary boundary = {0};
	add_caps(&caps, "agent=x fetch=shallow object-format=sha1");
	GitPackSink sink = {put_text, &pack};
	if (!git_v2_fetch(&wire, &caps, ask_for_a(false), &sink, &boundary, &err))
		fail_msg("%s", err_text(&err));
	assert_string_equal(pack.ptr, "PACK");
	assert_string_equal(boundary.shallow.items[0], A40);
	assert_non_null(strstr(script.sent.ptr, "000ddeepen 1\n"));
	assert_non_null(strstr(script.sent.ptr, "object-format=sha1\n0001"));
	assert_null(strstr(script.sent.ptr, "packfile-uris"));
	buf_dispose(&script.sent);
}

static void bad_fetch_replies_are_refused(void **state)
{
	(void)state;
	static const char *const replies[] = {
		"",
		"0000",
		"000dpackfile\n",
		"000dpackfile\n0006\001x",
		"000dpackfile\n0004",
		"000dpackfile\n0006\011x",
		"000dpackfile\n000e\003not today0000",
		"0011shallow-info\n000bshallow0001",
		"0011shallow-info\n0000",
	};
	for (size_t i = 0; i < COUNT(replies); i++) {
		Script script = script_of(replies[i], 100);
		autoerror Error err = {0};
		autobuf Buf pack = {0};
		autogitwire GitWire wire = {.transport = &script.base};
		GitCaps caps = {.version = 2};
		autogitboundary GitBoundary boundary = {0};
		GitPackSink sink = {put_text, &pack};
		assert_false(git_v2_fetch(&wire, &caps, ask_for_a(false), &sink, &boundary, &err));
		buf_dispose(&script.sent);
	}
}

/* --- names --- */

static void reference_names_follow_check_ref_format(void **state)
{
	(void)state;
	static const char *const good[] = {"HEAD",
					   "refs/heads/main",
					   "refs/heads/a/b-c_d",
					   "refs/pull/1/head",
					   "refs/tags/v1.0.0+x",
					   "refs/heads/\xc3\xa9"};
	static const char *const bad[] = {"",
					  "main",
					  "heads/main",
					  "refs/heads/a..b",
					  "refs/heads/.a",
					  "refs/heads/a.",
					  "refs/heads/a.lock",
					  "refs/heads//a",
					  "refs/heads/a/",
					  "refs/heads/a b",
					  "refs/heads/a~1",
					  "refs/heads/a^",
					  "refs/heads/a:b",
					  "refs/heads/a?",
					  "refs/heads/a*",
					  "refs/heads/a[",
					  "refs/heads/a\\",
					  "refs/heads/@{",
					  "refs/heads/a\x7f",
					  "refs/../x",
					  "refs/heads/a\tb"};
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(git_ref_name_is_valid(str_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		if (git_ref_name_is_valid(str_of(bad[i])))
			fail_msg("%s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cut_needs_more_bytes),
		cmocka_unit_test(marks_have_no_data),
		cmocka_unit_test(impossible_lengths_are_refused),
		cmocka_unit_test(written_packets_are_read_again),
		cmocka_unit_test(v0_advertisement_in_single_bytes),
		cmocka_unit_test(v2_advertisement_behind_a_service_line),
		cmocka_unit_test(bad_advertisements_are_refused),
		cmocka_unit_test(capabilities_are_limited),
		cmocka_unit_test(v0_answers_in_all_ack_dialects),
		cmocka_unit_test(v0_without_a_side_band_streams_the_rest),
		cmocka_unit_test(v2_sections_before_the_pack_are_read_or_skipped),
		cmocka_unit_test(bad_fetch_replies_are_refused),
		cmocka_unit_test(reference_names_follow_check_ref_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
