#include "sops/pgp.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/fd.h"
#include "base/mem.h"

enum {
	MAX_KEYS = 1 << 20,
	MAX_MESSAGE = 256 * 1024,
	MAX_PLAIN = 4096,
	TIMEOUT_MS = 30000,
	AGENT_END_MS = 5000,
	MAX_ARGUMENTS = 24
};

struct PgpKeyring {
	char *parent;
	char *home; /* NULL until it is needed */
	Vec keys;   /* Buf *, owned */
	size_t imported;
	pid_t agent; /* that serves the home; 0: none */
	int agent_fd;
};

static void free_key(void *item)
{
	Buf *key = item;
	sops_buf_wipe(key);
	free(key);
}

PgpKeyring *pgp_keyring_new(const char *parent)
{
	PgpKeyring *keyring = mem_zalloc(1, sizeof(*keyring));
	keyring->parent = mem_strdup(parent);
	keyring->agent_fd = -1;
	return keyring;
}

bool pgp_keyring_add(PgpKeyring *keyring, Str keys, Error *err)
{
	if (keys.len > MAX_KEYS)
		return err_set(err, ERR_LIMIT, "PGP keys over %d bytes", MAX_KEYS);
	Buf *copy = mem_zalloc(1, sizeof(*copy));
	buf_add(copy, keys);
	vec_push(&keyring->keys, copy);
	return true;
}

/* The last line that it wrote says why. */
static bool fail_as_told(const char *program, int code, const Buf *errors, Error *err)
{
	Str rest = str_trim(buf_str(errors)), line;
	while (str_cut(rest, '\n', &line, &rest))
		;
	if (!line.len)
		return err_set(err, ERR_INVALID, "%s ended with code %d", program, code);
	return err_set(err, ERR_INVALID, "%.*s", (int)line.len, line.ptr);
}

/* Runs a program of GnuPG on the keyring's home; `arguments` end in NULL. */
static bool run(const PgpKeyring *keyring, const char *program, const char *const *arguments,
		Str input, Buf *out, Error *err)
{
	autofree char *home = mem_printf("GNUPGHOME=%s", keyring->home);
	const char *path = getenv("PATH");
	autofree char *search = mem_printf("PATH=%s", path ? path : "/usr/bin:/bin");
	const char *env[] = {home, search, "LC_ALL=C", NULL};
	const char *argv[MAX_ARGUMENTS] = {program, "--homedir", keyring->home};
	for (size_t i = 0; arguments[i] && i + 4 < MAX_ARGUMENTS; i++)
		argv[i + 3] = arguments[i];
	ChildSpec spec = {.argv = argv,
			  .env = env,
			  .input = input,
			  .timeout_ms = TIMEOUT_MS,
			  .max_output = MAX_PLAIN};
	autobuf Buf errors = {0};
	int code = 0;
	if (child_run(&spec, out, &errors, &code, err))
		return code == 0 || fail_as_told(program, code, &errors, err);
	if (err->code == ERR_NOT_FOUND)
		err->code = ERR_UNSUPPORTED;
	return false;
}

static bool gpg(const PgpKeyring *keyring, const char *verb, Str input, Buf *out, Error *err)
{
	/* No options file, no questions, no network. */
	const char *const arguments[] = {"--no-options",
					 "--batch",
					 "--no-tty",
					 "--quiet",
					 "--no-autostart",
					 "--disable-dirmngr",
					 "--no-auto-key-retrieve",
					 "--no-auto-check-trustdb",
					 "--trust-model=always",
					 "--pinentry-mode=error",
					 "--max-output=4096",
					 verb,
					 NULL};
	return run(keyring, "gpg", arguments, input, out, err);
}

static bool ask_agent(const PgpKeyring *keyring, const char *what, Buf *out, Error *err)
{
	const char *const arguments[] = {"--no-autostart", what, "/bye", NULL};
	return run(keyring, "gpg-connect-agent", arguments, STR(""), out, err);
}

/* gpg would start one too, but as an orphan that nobody knows; as the first process of a container
 * we have to bury it. */
static bool start_agent(PgpKeyring *keyring, Error *err)
{
	const char *const arguments[] = {"--daemon", "--no-options", "--disable-scdaemon",
					 "--batch",  "--quiet",	     NULL};
	autobuf Buf out = {0}, answer = {0};
	autoerror Error ignored = {0};
	if (!run(keyring, "gpg-agent", arguments, STR(""), &out, err))
		return false;
	bool told = ask_agent(keyring, "GETINFO pid", &answer, err);
	/* "D 1234" */
	long pid = told && answer.len > 2 ? strtol(answer.ptr + 2, NULL, 10) : 0;
	keyring->agent_fd = pid > 1 ? pidfd_open((pid_t)pid, 0) : -1;
	if (keyring->agent_fd >= 0) {
		keyring->agent = (pid_t)pid;
		return true;
	}
	/* One that cannot be watched must not outlive us. */
	ask_agent(keyring, "KILLAGENT", &answer, &ignored);
	return told ? err_set(err, ERR_INTERNAL, "gpg-agent does not tell its process") : false;
}

static void stop_agent(PgpKeyring *keyring)
{
	autoerror Error ignored = {0};
	autobuf Buf answer = {0};
	struct pollfd ended = {.fd = keyring->agent_fd, .events = POLLIN};
	if (keyring->agent_fd < 0)
		return;
	if (!ask_agent(keyring, "KILLAGENT", &answer, &ignored) ||
	    poll(&ended, 1, AGENT_END_MS) != 1)
		pidfd_send_signal(keyring->agent_fd, SIGKILL, NULL, 0);
	/* It is our child only when we are the first process, or near it. */
	waitpid(keyring->agent, NULL, 0);
	close(keyring->agent_fd);
}

static bool prepare(PgpKeyring *keyring, Error *err)
{
	if (!keyring->home)
		keyring->home = dir_make_temp(keyring->parent, "gnupg", err);
	if (!keyring->home || (!keyring->agent && !start_agent(keyring, err)))
		return false;
	for (; keyring->imported < keyring->keys.len; keyring->imported++) {
		const Buf *keys = keyring->keys.items[keyring->imported];
		autobuf Buf out = {0};
		if (!gpg(keyring, "--import", buf_str(keys), &out, err))
			return err_wrap(err, "failed to import PGP keys");
	}
	return true;
}

bool pgp_decrypt(PgpKeyring *keyring, Str message, Buf *out, Error *err)
{
	if (keyring->keys.len == 0)
		return err_set(err, ERR_UNAUTHORIZED, "there is no PGP key");
	if (message.len > MAX_MESSAGE)
		return err_set(err, ERR_LIMIT, "a PGP message over %d bytes", MAX_MESSAGE);
	return prepare(keyring, err) && gpg(keyring, "--decrypt", message, out, err);
}

void pgp_keyring_free(PgpKeyring *keyring)
{
	if (!keyring)
		return;
	autoerror Error ignored = {0};
	stop_agent(keyring);
	if (keyring->home)
		dir_remove(keyring->home, &ignored);
	vec_dispose_with(&keyring->keys, free_key);
	free(keyring->home);
	free(keyring->parent);
	free(keyring);
}

static bool decrypt_data_key(void *arg, const json_t *key, Buf *out, Error *err)
{
	return pgp_decrypt(arg, str_of(json_text(key, "enc")), out, err);
}

SopsKeyService pgp_key_service(PgpKeyring *keyring)
{
	return (SopsKeyService){"pgp", decrypt_data_key, keyring};
}
