/*
 * The transport by OpenSSH's program (ssh_program.h). We stand between it and the server: what one
 * says is carried to the other while we wait for bytes of git-upload-pack.
 */
#include "git/ssh_program.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/ssh_connect.h"

enum { RELAY_BYTES = 32 * 1024, MAX_STDERR = 4096 };

/* One direction; descriptors are borrowed. */
typedef struct {
	int from, to;
	size_t at, len;
	bool ended; /* nothing more comes */
	char bytes[RELAY_BYTES];
} Relay;

typedef struct {
	GitTransport base;
	const GitRemote *remote;
	CURL *connection;
	int socket;
	SshProgram program;
	Relay up, down;
	char errors[MAX_STDERR]; /* what the server says on the side */
	size_t errors_len;
	bool received; /* any byte of the reply */
} ProgramTransport;

static ProgramTransport *program_of(GitTransport *transport)
{
	return (ProgramTransport *)transport;
}

static bool is_early(ssize_t got)
{
	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

/* --- carrying --- */

/* As far as it goes without waiting. */
static void relay_move(Relay *relay)
{
	if (relay->len == 0 && !relay->ended) {
		ssize_t got = read(relay->from, relay->bytes, sizeof(relay->bytes));
		relay->ended = got <= 0 && !is_early(got);
		relay->at = 0;
		relay->len = got > 0 ? (size_t)got : 0;
	}
	if (relay->len == 0)
		return;
	ssize_t put = write(relay->to, relay->bytes + relay->at, relay->len);
	if (put > 0) {
		relay->at += (size_t)put;
		relay->len -= (size_t)put;
	} else if (!is_early(put)) {
		relay->len = 0;
		relay->ended = true;
	}
}

static void relay_wants(const Relay *relay, struct pollfd *item)
{
	item->fd = relay->len ? relay->to : relay->ended ? -1 : relay->from;
	item->events = relay->len ? POLLOUT : POLLIN;
}

/* What is too much is thrown away. */
static void hear_errors(ProgramTransport *self)
{
	char more[MAX_STDERR];
	ssize_t got = read(self->program.child.errors, more, sizeof(more));
	if (is_early(got))
		return;
	if (got <= 0) {
		auto_close(&self->program.child.errors);
		self->program.child.errors = -1;
		return;
	}
	size_t room = sizeof(self->errors) - self->errors_len;
	size_t len = (size_t)got < room ? (size_t)got : room;
	memcpy(self->errors + self->errors_len, more, len);
	self->errors_len += len;
}

/* Carries until there is something on `fd` (-1: until the program has ended), or time is up. */
static bool wait_for(ProgramTransport *self, int fd, short events, Error *err)
{
	for (;;) {
		int64_t left_ms = git_time_left_ms(&self->base);
		const ChildPipes *child = &self->program.child;
		struct pollfd items[] = {
			{.fd = fd >= 0 ? fd : child->pid_fd, .events = events},
			{.fd = child->errors, .events = POLLIN},
			{.fd = -1},
			{.fd = -1},
		};
		relay_wants(&self->up, &items[2]);
		relay_wants(&self->down, &items[3]);
		if (left_ms == 0)
			return git_ssh_late(self->remote, err);
		if (!git_goes_on(&self->base, err))
			return false;
		if (poll(items, COUNT(items), git_wait_ms(&self->base)) < 0)
			continue;
		if (items[1].revents)
			hear_errors(self);
		if (items[2].revents)
			relay_move(&self->up);
		if (items[3].revents)
			relay_move(&self->down);
		if (self->down.ended && self->down.len == 0 && self->down.to >= 0) {
			auto_close(&self->program.to_it);
			self->program.to_it = self->down.to = -1;
		}
		if (items[0].revents)
			return true;
	}
}

/* --- the transport --- */

static bool program_open(GitTransport *transport, const char *protocol, Error *err)
{
	ProgramTransport *self = program_of(transport);
	self->received = false;
	self->errors_len = 0;
	self->connection = git_ssh_connect(self->remote, transport, &self->socket, err);
	if (!self->connection || !ssh_program_start(&self->program, self->remote, protocol, err))
		return false;
	self->up.from = self->program.from_it;
	self->down.to = self->program.to_it;
	self->up.to = self->down.from = self->socket;
	self->up.at = self->up.len = self->down.at = self->down.len = 0;
	self->up.ended = self->down.ended = false;
	return true;
}

/* It has ended; it or the server has often said why. */
static bool explain(ProgramTransport *self, Error *err)
{
	if (!wait_for(self, -1, POLLIN, err))
		return false;
	struct pollfd item = {.fd = self->program.child.errors, .events = POLLIN};
	while (item.fd >= 0 && poll(&item, 1, 0) > 0) {
		hear_errors(self);
		item.fd = self->program.child.errors;
	}
	return ssh_program_explain(&self->program, str_sized(self->errors, self->errors_len), err);
}

static bool program_send(GitTransport *transport, Str bytes, Error *err)
{
	ProgramTransport *self = program_of(transport);
	int fd = self->program.child.input;
	while (bytes.len) {
		ssize_t put = write(fd, bytes.ptr, bytes.len);
		if (put > 0)
			bytes = str_slice(bytes, (size_t)put, bytes.len);
		else if (!is_early(put))
			return explain(self, err);
		else if (!wait_for(self, fd, POLLOUT, err))
			return false;
	}
	return true;
}

static ssize_t program_recv(GitTransport *transport, char *out, size_t cap, Error *err)
{
	ProgramTransport *self = program_of(transport);
	int fd = self->program.child.output;
	for (;;) {
		ssize_t got = read(fd, out, cap);
		if (got > 0)
			self->received = true;
		if (got > 0 || (got == 0 && self->received))
			return got;
		if (!is_early(got)) {
			explain(self, err);
			return -1;
		}
		if (!wait_for(self, fd, POLLIN, err))
			return -1;
	}
}

static void program_close(GitTransport *transport)
{
	ProgramTransport *self = program_of(transport);
	ssh_program_end(&self->program);
	auto_close(&self->socket);
	self->socket = -1;
	if (self->connection)
		curl_easy_cleanup(self->connection);
	self->connection = NULL;
}

static void program_free(GitTransport *transport)
{
	program_close(transport);
	free(program_of(transport));
}

GitTransport *git_ssh_program_new(const GitRemote *remote)
{
	static const GitTransportKind kind = {program_open, program_send, program_recv,
					      program_close, program_free};
	ProgramTransport *self = mem_zalloc(1, sizeof(*self));
	self->base = (GitTransport){.kind = &kind, .version = 2};
	self->remote = remote;
	self->socket = -1;
	ssh_program_init(&self->program);
	return &self->base;
}
