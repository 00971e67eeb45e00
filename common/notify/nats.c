/*
 * NATS: one message to a subject by the client protocol (docs.nats.io, "Client Protocol"), and a
 * ping behind it, whose answer says that the server has it. Credentials: creds beat nkey beat user
 * and password (N57).
 */
#include "notify/notify_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/url.h"
#include "notify/line_socket.h"
#include "notify/nkey.h"

enum { DEFAULT_PORT = 4222, INFO_MAX = 64 << 10, ANSWERS_MAX = 16 };

typedef struct {
	char *host;
	int port;
	bool tls;
	char *subject, *user, *password, *jwt, *seed;
} Plan;

static void wipe(char *secret)
{
	if (secret)
		mem_wipe(secret, strlen(secret));
	free(secret);
}

static void free_plan(void *state)
{
	Plan *plan = state;
	free(plan->host);
	free(plan->subject);
	wipe(plan->user);
	wipe(plan->password);
	wipe(plan->jwt);
	wipe(plan->seed);
	free(plan);
}

/* The line that follows "-----BEGIN NAME-----" in a creds file; owned, NULL when it is not there.
 */
static char *creds_part(const char *creds, const char *name)
{
	Str rest = str_of(creds), line;
	autofree char *mark = mem_printf("BEGIN %s", name);
	while (str_next(&rest, '\n', &line)) {
		if (str_find(line, str_of(mark)) >= 0 && str_next(&rest, '\n', &line))
			return str_dup(str_trim(line));
	}
	return NULL;
}

static const char *key_of(const NotifyTarget *target, const char *key)
{
	return target->secret_key ? target->secret_key(target->secret, key) : NULL;
}

static bool fill_credentials(const NotifyTarget *target, Plan *plan, Error *err)
{
	const char *creds = key_of(target, "creds"), *nkey = key_of(target, "nkey");
	if (!cstr_empty(creds)) {
		plan->jwt = creds_part(creds, "NATS USER JWT");
		plan->seed = creds_part(creds, "USER NKEY SEED");
		return (plan->jwt && plan->seed) ||
		       err_set(err, ERR_INVALID, "the secret's 'creds' has no JWT or no seed");
	}
	if (!cstr_empty(nkey)) {
		plan->seed = mem_strdup(nkey);
	} else if (!cstr_empty(target->username) && !cstr_empty(target->secret_password)) {
		plan->user = mem_strdup(target->username);
		plan->password = mem_strdup(target->secret_password);
	}
	return true;
}

/* "nats://host:port", "tls://..." or without a scheme. */
static bool fill_address(const NotifyTarget *target, Plan *plan, Error *err)
{
	autourl Url url = {0};
	bool bare = !strstr(target->address, "://");
	autofree char *text = mem_printf("%s%s", bare ? "nats://" : "", target->address);
	if (!url_parse(text, &url, err))
		return false;
	plan->tls = cstr_eq(url.scheme, "tls");
	if (!plan->tls && !cstr_eq(url.scheme, "nats"))
		return err_set(err, ERR_INVALID, "the address must start with nats:// or tls://");
	plan->host = mem_strdup(url.host);
	plan->port = url.port ? url.port : DEFAULT_PORT;
	if (url.user && url.password && !plan->seed && !plan->user) {
		plan->user = mem_strdup(url.user);
		plan->password = mem_strdup(url.password);
	}
	return true;
}

/* The CONNECT line's options; NULL and err for a bad seed. */
static json_t *connect_options(const Plan *plan, const json_t *info, Error *err)
{
	autojson json_t *options =
		json_pack("{s:b,s:b,s:b,s:s,s:s,s:s,s:i}", "verbose", 0, "pedantic", 0,
			  "tls_required", plan->tls, "name", "NATS Provider Publisher", "lang", "c",
			  "version", "1.0.0", "protocol", 1);
	json_put_text(options, "user", plan->user);
	json_put_text(options, "pass", plan->password);
	json_put_text(options, "jwt", plan->jwt);
	if (plan->seed) {
		autofree char *public_key = NULL;
		autofree char *signature = NULL;
		if (!nkey_sign(str_of(plan->seed), json_text_or(info, "nonce", ""), &public_key,
			       &signature, err))
			return NULL;
		json_put_text(options, "sig", signature);
		if (!plan->jwt)
			json_put_text(options, "nkey", public_key);
	}
	return steal(&options);
}

/* Reads until the PONG that answers our PING; what else the server says in between is not for us.
 */
static bool await_pong(LineSocket *socket, Error *err)
{
	for (int i = 0; i < ANSWERS_MAX; i++) {
		autofree char *line = line_socket_read(socket, err);
		if (!line)
			return false;
		if (cstr_starts(line, "PONG"))
			return true;
		if (cstr_starts(line, "PING") && !line_socket_write(socket, "PONG\r\n", 6, err))
			return false;
		if (cstr_starts(line, "-ERR"))
			return err_set(err, ERR_INVALID, "the server answered: %s", line);
	}
	return err_set(err, ERR_INVALID, "the server does not answer a ping");
}

static json_t *read_info(LineSocket *socket, Error *err)
{
	static const char prefix[] = "INFO ";
	autofree char *line = line_socket_read(socket, err);
	if (!line)
		return NULL;
	if (!cstr_starts(line, prefix))
		return err_null(err, ERR_INVALID, "the server is no NATS server");
	const char *text = line + strlen(prefix);
	return json_parse(text, strlen(text), INFO_MAX, err);
}

static bool greet(LineSocket *socket, Plan *plan, Error *err)
{
	autojson json_t *info = read_info(socket, err);
	if (!info)
		return false;
	if (json_flag(info, "tls_required", false))
		plan->tls = true;
	if (plan->tls && !line_socket_start_tls(socket, plan->host, err))
		return false;
	autojson json_t *options = connect_options(plan, info, err);
	if (!options)
		return false;
	autofree char *text = json_dump(options);
	autobuf Buf out = {0};
	buf_printf(&out, "CONNECT %s\r\nPING\r\n", text);
	bool good = line_socket_write(socket, out.ptr, out.len, err) && await_pong(socket, err);
	mem_wipe(text, strlen(text));
	mem_wipe(out.ptr, out.len);
	return good;
}

static bool publish(NotifyRequest *self, int64_t timeout_ms, int cancel_fd, Error *err)
{
	Plan *plan = self->state;
	autolinesocket LineSocket *socket = line_socket_connect(
		plan->host, plan->port, clock_mono_ms() + timeout_ms, cancel_fd, err);
	if (!socket || !greet(socket, plan, err))
		return err_wrap(err, "error connecting to server");
	autobuf Buf out = {0};
	buf_printf(&out, "PUB %s %zu\r\n", plan->subject, self->body.len);
	buf_add(&out, buf_str(&self->body));
	buf_puts(&out, "\r\nPING\r\n");
	return (line_socket_write(socket, out.ptr, out.len, err) && await_pong(socket, err)) ||
	       err_wrap(err, "error publishing event to subject %s", plan->subject);
}

bool notify_build_nats(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
		       Error *err)
{
	if (!notify_need(target, target->address, "address (the server)", err) ||
	    !notify_need(target, target->channel, "channel (the subject)", err))
		return false;
	if (strpbrk(target->channel, " \t\r\n"))
		return err_set(err, ERR_INVALID, "a subject has no blanks");
	Plan *plan = mem_zalloc(1, sizeof(*plan));
	out->state = plan;
	out->free_state = free_plan;
	plan->subject = mem_strdup(target->channel);
	if (!fill_credentials(target, plan, err) || !fill_address(target, plan, err))
		return false;
	autofree char *text = json_dump_go(event);
	buf_puts(&out->body, text);
	out->url = mem_printf("nats://%s:%d", plan->host, plan->port);
	out->perform = publish;
	return true;
}
