#include "git/ssh_program.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

enum { SSH_PORT = 22, MAX_LOG = 64 * 1024 };

/* What the shell holds, as its descriptor 3 and on. */
enum { FD_LOG, FD_HOSTS, FD_IDENTITY, FD_HEARS, FD_SAYS, FD_ASKPASS, FD_PASSPHRASE, FD_COUNT };

static const char program[] = "ssh";

/* ssh asks a program for a passphrase: one that prints it. */
static const char askpass[] = "#!/bin/sh\nexec cat \"$SSH_PASSPHRASE_FILE\"\n";

/* It stays for as long as ssh runs, for the sake of its descriptors. */
static const char start_script[] =
	"d=/proc/$$/fd; export SSH_ASKPASS=$d/8 SSH_PASSPHRASE_FILE=$d/9\n"
	"ssh -F none -E $d/3 -o UserKnownHostsFile=$d/4 -o IdentityFile=$d/5 "
	"-o \"ProxyCommand=cat <$d/6 & exec cat >$d/7\" \"$@\"\n"
	"exit $?";

void ssh_program_init(SshProgram *self)
{
	*self = (SshProgram){.child = {.pid_fd = -1, .input = -1, .output = -1, .errors = -1},
			     .to_it = -1,
			     .from_it = -1,
			     .log = -1};
}

void ssh_program_end(SshProgram *self)
{
	int *const fds[] = {&self->to_it, &self->from_it, &self->log};
	child_close(&self->child);
	for (size_t i = 0; i < COUNT(fds); i++) {
		auto_close(fds[i]);
		*fds[i] = -1;
	}
}

static const char *search_path(void)
{
	const char *path = getenv("PATH");
	return cstr_empty(path) ? "/usr/bin:/bin" : path;
}

bool ssh_program_exists(void)
{
	Str rest = str_of(search_path()), directory;
	while (str_next(&rest, ':', &directory)) {
		autofree char *name = str_dup(directory);
		autofree char *path = mem_printf("%s/%s", name, program);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* --- what it reads --- */

/* A file in memory, closed for others. It is opened again for reading alone, because nothing is
 * executed that somebody may write. */
static int memory_file(const char *text, mode_t mode, Error *err)
{
	autofd int fd = memfd_create("ssh", MFD_CLOEXEC);
	if (fd < 0 || fchmod(fd, mode) != 0) {
		err_errno(err, "file for ssh");
		return -1;
	}
	if (!fd_write_all(fd, text, strlen(text), err))
		return -1;
	autofree char *path = mem_printf("/proc/self/fd/%d", fd);
	return fd_open(path, O_RDONLY, 0, err);
}

static bool make_pipe(int *out_read, int *out_write, Error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, "pipe to ssh");
	*out_read = ends[0];
	*out_write = ends[1];
	return true;
}

static bool make_pipes(SshProgram *self, int *fds, Error *err)
{
	if (!make_pipe(&fds[FD_HEARS], &self->to_it, err) ||
	    !make_pipe(&self->from_it, &fds[FD_SAYS], err))
		return false;
	return (fcntl(self->to_it, F_SETFL, O_NONBLOCK) == 0 &&
		fcntl(self->from_it, F_SETFL, O_NONBLOCK) == 0) ||
	       err_errno(err, "pipe to ssh");
}

static bool make_log(SshProgram *self, int *fds, Error *err)
{
	self->log = memfd_create("ssh", MFD_CLOEXEC);
	fds[FD_LOG] = self->log < 0 ? -1 : fcntl(self->log, F_DUPFD_CLOEXEC, 0);
	return (fds[FD_LOG] >= 0 && fchmod(self->log, 0600) == 0) || err_errno(err, "file for ssh");
}

static bool make_files(int *fds, const GitRemote *remote, Error *err)
{
	int port = remote->url.port ? remote->url.port : SSH_PORT;
	autofree char *hosts = known_hosts_for(remote->hosts, remote->url.host, port);
	const char *passphrase = remote->passphrase ? remote->passphrase : "";
	const struct {
		int which;
		const char *text;
		mode_t mode;
	} rows[] = {
		{FD_HOSTS, hosts, 0600},
		{FD_IDENTITY, remote->identity_text, 0600},
		{FD_ASKPASS, askpass, 0700},
		{FD_PASSPHRASE, passphrase, 0600},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		fds[rows[i].which] = memory_file(rows[i].text, rows[i].mode, err);
		if (fds[rows[i].which] < 0)
			return false;
	}
	return true;
}

/* --- how it is called --- */

static void option(Vec *argv, const char *format, ...) PRINTF(2, 3);
static void option(Vec *argv, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vec_push(argv, mem_strdup("-o"));
	vec_push(argv, mem_vprintf(format, args));
	va_end(args);
}

/* No file, agent, prompt, forwarding, program or shared connection of anybody's. */
static void add_fixed_options(Vec *argv)
{
	static const char *const options[] = {
		"AddKeysToAgent=no",
		"CanonicalizeHostname=no",
		"CheckHostIP=no",
		"ClearAllForwardings=yes",
		"ControlMaster=no",
		"ControlPath=none",
		"EscapeChar=none",
		"ForwardAgent=no",
		"ForwardX11=no",
		"GSSAPIAuthentication=no",
		"GlobalKnownHostsFile=/dev/null",
		"HostbasedAuthentication=no",
		"IdentitiesOnly=yes",
		"IdentityAgent=none",
		"LogLevel=INFO",
		"NumberOfPasswordPrompts=1",
		"PermitLocalCommand=no",
		"PKCS11Provider=none",
		"PreferredAuthentications=publickey",
		"RequestTTY=no",
		"StrictHostKeyChecking=yes",
		"UpdateHostKeys=no",
		"VerifyHostKeyDNS=no",
	};
	for (size_t i = 0; i < COUNT(options); i++)
		option(argv, "%s", options[i]);
}

static void add_own_options(Vec *argv, const GitRemote *remote, const char *protocol)
{
	option(argv, "BatchMode=%s", cstr_empty(remote->passphrase) ? "yes" : "no");
	option(argv, "SetEnv=GIT_PROTOCOL=%s", protocol);
	if (!cstr_empty(remote->kex_algos))
		option(argv, "KexAlgorithms=%s", remote->kex_algos);
	if (!cstr_empty(remote->hostkey_algos))
		option(argv, "HostKeyAlgorithms=%s", remote->hostkey_algos);
}

static void add_words(Vec *argv, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vec_push(argv, mem_strdup(words[i]));
}

static bool make_argv(Vec *argv, const GitRemote *remote, const char *protocol, Error *err)
{
	autofree char *port = mem_printf("%d", remote->url.port ? remote->url.port : SSH_PORT);
	autofree char *command = git_ssh_command(&remote->url);
	if (!command)
		return err_set(err, ERR_INVALID, "ssh: bad escape in the URL's path");
	const char *const first[] = {"/bin/sh", "-c", start_script, program};
	const char *const last[] = {"-p",   port, "-l", remote->username, "--", remote->url.host,
				    command};
	add_words(argv, first, COUNT(first));
	add_fixed_options(argv);
	add_own_options(argv, remote, protocol);
	add_words(argv, last, COUNT(last));
	vec_push(argv, NULL);
	return true;
}

bool ssh_program_start(SshProgram *self, const GitRemote *remote, const char *protocol, Error *err)
{
	if (!ssh_program_exists())
		return err_set(err, ERR_UNSUPPORTED,
			       "ssh: the host is known by a certificate authority, for which "
			       "OpenSSH's client is needed, which is not installed");
	int fds[FD_COUNT] = {-1, -1, -1, -1, -1, -1, -1};
	autostrings Vec argv = {0};
	autofree char *path = mem_printf("PATH=%s", search_path());
	const char *const env[] = {path, "LC_ALL=C", "SSH_ASKPASS_REQUIRE=force", NULL};
	bool ok = make_pipes(self, fds, err) && make_log(self, fds, err) &&
		  make_files(fds, remote, err) && make_argv(&argv, remote, protocol, err);
	if (ok) {
		ChildSpec spec = {.argv = (const char *const *)argv.items,
				  .env = env,
				  .fds = fds,
				  .fd_count = FD_COUNT};
		ok = child_open(&spec, &self->child, err);
	}
	for (size_t i = 0; i < FD_COUNT; i++)
		auto_close(&fds[i]);
	return ok;
}

/* --- what it says of itself --- */

/* The first row that fits counts: an invalid certificate is passed over, and then the key without
 * it is not known either. Without `said` its own line is shown. */
static const struct {
	const char *part;
	ErrorCode code;
	const char *said;
} words[] = {
	{"REVOKED HOST KEY", ERR_UNAUTHORIZED, "the host key or its authority is revoked"},
	{"Certificate invalid", ERR_UNAUTHORIZED, NULL},
	{"HOST IDENTIFICATION HAS CHANGED", ERR_UNAUTHORIZED,
	 "the host key is not the one in known_hosts"},
	{"host key is known for", ERR_UNAUTHORIZED,
	 "known_hosts has a certificate authority for the host, which did not sign the host key"},
	{"Permission denied", ERR_UNAUTHORIZED, "authentication required: the key was refused"},
	{"Unable to negotiate", ERR_UNAVAILABLE, NULL},
};

/* The line of `text` with the part. */
static Str line_with(Str text, Str part)
{
	Str line = text, piece;
	while (str_next(&text, '\n', &piece)) {
		if (str_find(piece, part) < 0)
			continue;
		line = piece;
		break;
	}
	return line;
}

static bool tell(Str line, ErrorCode code, const char *said, Error *err)
{
	autobuf Buf shown = {0};
	git_wire_show(line, &shown);
	return err_set(err, code, "ssh: %s", said ? said : buf_text(&shown));
}

bool ssh_program_explain(const SshProgram *self, Str errors, Error *err)
{
	static const Str bad_option = STR("command-line line ");
	autoerror Error unread = {0};
	autobuf Buf log = {0};
	if (lseek(self->log, 0, SEEK_SET) != 0 || !fd_read_all(self->log, MAX_LOG, &log, &unread))
		buf_clear(&log);
	Str text = str_trim(buf_str(&log));
	for (size_t i = 0; i < COUNT(words); i++)
		if (str_find(text, str_of(words[i].part)) >= 0)
			return tell(line_with(text, str_of(words[i].part)), words[i].code,
				    words[i].said, err);
	/* Options are read before the log is there. */
	if (text.len == 0 && str_find(errors, bad_option) >= 0)
		return tell(line_with(errors, bad_option), ERR_INVALID, NULL, err);
	if (errors.len)
		return git_wire_server_error(errors, err);
	if (text.len)
		return tell(line_with(text, STR("")), ERR_UNAVAILABLE, NULL, err);
	return err_set(err, ERR_UNAVAILABLE, "ssh: git-upload-pack ended without a word");
}
