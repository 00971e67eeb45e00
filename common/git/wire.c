/* Packets off a transport. At most one packet and one read's worth of bytes are held. */
#include "git/protocol.h"

#include "base/mem.h"

enum { READ_SIZE = 16 * 1024, MAX_SERVER_TEXT = 400 };

void git_wire_dispose(GitWire *wire)
{
	buf_dispose(&wire->in);
	wire->at = 0;
}

bool git_wire_send(GitWire *wire, const Buf *request, Error *err)
{
	if (wire->transport->stateless) {
		buf_clear(&wire->in);
		wire->at = 0;
	}
	return wire->transport->kind->send(wire->transport, buf_str(request), err);
}

/* Receives more; *out_end when there is none. */
static bool fill(GitWire *wire, bool *out_end, Error *err)
{
	buf_consume(&wire->in, wire->at);
	wire->at = 0;
	buf_reserve(&wire->in, READ_SIZE);
	char *room = wire->in.ptr + wire->in.len;
	ssize_t got = wire->transport->kind->recv(wire->transport, room, READ_SIZE, err);
	if (got < 0)
		return false;
	wire->in.len += (size_t)got;
	wire->in.ptr[wire->in.len] = '\0';
	*out_end = got == 0;
	return true;
}

static Str unread(const GitWire *wire)
{
	return str_sized(buf_text(&wire->in) + wire->at, wire->in.len - wire->at);
}

/* --- what a server says in words --- */

static const struct {
	const char *part;
	ErrorCode code;
} server_words[] = {
	{"not our ref", ERR_NOT_FOUND},
	{"unadvertised object", ERR_NOT_FOUND},
	{"not found", ERR_NOT_FOUND},
	{"no such", ERR_NOT_FOUND},
	{"does not exist", ERR_NOT_FOUND},
	{"could not be found", ERR_NOT_FOUND},
	{"does not appear to be a git repository", ERR_NOT_FOUND},
	{"not a git repository", ERR_NOT_FOUND},
	{"denied", ERR_UNAUTHORIZED},
	{"unauthorized", ERR_UNAUTHORIZED},
	{"not authorized", ERR_UNAUTHORIZED},
};

void git_wire_show(Str text, Buf *out)
{
	text = str_trim(text);
	for (size_t i = 0; i < text.len && i < MAX_SERVER_TEXT; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		buf_putc(out, c < ' ' || c > '~' ? ' ' : (char)c);
	}
}

bool git_wire_server_error(Str text, Error *err)
{
	autobuf Buf shown = {0};
	git_wire_show(text, &shown);
	ErrorCode code = ERR_UNAVAILABLE;
	for (size_t i = 0; i < COUNT(server_words) && code == ERR_UNAVAILABLE; i++)
		if (strcasestr(buf_text(&shown), server_words[i].part))
			code = server_words[i].code;
	return err_set(err, code, "the server says: %s", buf_text(&shown));
}

/* --- packets --- */

bool git_wire_read_or_end(GitWire *wire, Pkt *out, bool *out_end, Error *err)
{
	*out_end = false;
	for (;;) {
		size_t used;
		bool end = false;
		Pkt pkt = {0};
		if (!pkt_parse(unread(wire), &pkt, &used, err))
			return false;
		if (used == 0) {
			if (!fill(wire, &end, err))
				return false;
			if (!end)
				continue;
			if (unread(wire).len)
				return err_set(err, ERR_UNAVAILABLE, "reply cut short");
			*out_end = true;
			return true;
		}
		wire->at += used;
		if (pkt.kind == PKT_DATA && str_starts(pkt.data, STR("ERR ")))
			return git_wire_server_error(str_slice(pkt.data, 4, pkt.data.len), err);
		*out = pkt;
		return true;
	}
}

bool git_wire_read(GitWire *wire, Pkt *out, Error *err)
{
	bool end;
	if (!git_wire_read_or_end(wire, out, &end, err))
		return false;
	return !end || err_set(err, ERR_UNAVAILABLE, "reply cut short");
}

bool git_wire_read_raw(GitWire *wire, Str *out, Error *err)
{
	bool end = false;
	if (unread(wire).len == 0 && !fill(wire, &end, err))
		return false;
	*out = unread(wire);
	wire->at = wire->in.len;
	return true;
}
