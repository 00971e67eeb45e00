#include "../cmocka_all.h"

#include "fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"

/* --- commands --- */

static void set_environment(const char *dir)
{
	static const char *const pairs[][2] = {
		{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_SYSTEM", "/dev/null"},
		{"GIT_AUTHOR_NAME", "Ann Author"},  {"GIT_AUTHOR_EMAIL", "ann@example.org"},
		{"GIT_COMMITTER_NAME", "Con Mit"},  {"GIT_COMMITTER_EMAIL", "con@example.org"},
		{"GIT_TERMINAL_PROMPT", "0"},	    {"LC_ALL", "C"},
	};
	setenv("HOME", dir, 1);
	for (size_t i = 0; i < COUNT(pairs); i++)
		setenv(pairs[i][0], pairs[i][1], 1);
	unsetenv("GIT_DIR");
	unsetenv("SSH_AUTH_SOCK");
	unsetenv("ASAN_OPTIONS");
}

static pid_t start(const char *dir, const char *const *argv, int out_fd)
{
	union {
		const char *const *in;
		char *const *out;
	} args = {.in = argv};
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	setpgid(0, 0);
	set_environment(dir);
	if (chdir(dir) != 0 || (out_fd >= 0 && dup2(out_fd, 1) < 0))
		_exit(126);
	execvp(argv[0], args.out);
	_exit(127);
}

static int wait_for(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		;
	return status;
}

char *run(const char *dir, const char *const *argv)
{
	int pipe_fds[2];
	autobuf Buf out = {0};
	autoerror Error err = {0};
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	pid_t pid = start(dir, argv, pipe_fds[1]);
	close(pipe_fds[1]);
	assert_true(fd_read_all(pipe_fds[0], 256 << 20, &out, &err));
	close(pipe_fds[0]);
	int status = wait_for(pid);
	if (status != 0)
		fail_msg("%s %s: status %d: %s", argv[0], argv[1], status, buf_text(&out));
	if (out.len && out.ptr[out.len - 1] == '\n')
		out.ptr[--out.len] = '\0';
	return buf_steal(&out);
}

char *shell(const char *dir, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *line = mem_vprintf(format, args);
	va_end(args);
	const char *const argv[] = {"bash", "-euo", "pipefail", "-c", line, NULL};
	return run(dir, argv);
}

pid_t spawn(const char *dir, const char *const *argv)
{
	return start(dir, argv, -1);
}

void stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(-pid, SIGTERM);
	kill(pid, SIGTERM);
	wait_for(pid);
}

int silent_listener(int *out_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(listen(fd, 4), 0); /* the kernel accepts */
	*out_port = ntohs(address.sin_port);
	return fd;
}

/* --- files --- */

void write_file(const char *dir, const char *name, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, name);
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

char *read_file(const char *dir, const char *name)
{
	autoerror Error err = {0};
	autobuf Buf text = {0};
	autofree char *path = path_join(dir, name);
	assert_true(file_read(path, 1 << 20, &text, &err));
	return buf_steal(&text);
}

char *temp_dir(void)
{
	autoerror Error err = {0};
	char *dir = dir_make_temp("/tmp", "test-git", &err);
	assert_non_null(dir);
	return dir;
}

/* --- repositories --- */

static const char make_repo_script[] =
	"git init -q -b main work && cd work\n"
	"echo hello > README.md && git add . && git commit -qm first\n"
	"mkdir -p deploy deploy-x && echo 'kind: App' > deploy/app.yaml && echo y > deploy-x/y\n"
	"git add . && git commit -qm 'second one\n\nwith a body'\n"
	"git tag v0.1.0 && git tag -a v1.0.0 -m 'release one'\n"
	"echo '#!/bin/sh' > deploy.sh && chmod 755 deploy.sh && ln -s README.md link\n"
	"git add . && git commit -qm third\n"
	"git checkout -qb feature/one && echo f > f && git add . && git commit -qm feature\n"
	"git checkout -q main && git checkout -q --detach && echo pull > p && git add .\n"
	"git commit -qm pull && git update-ref refs/pull/7/head HEAD && git checkout -q main\n"
	"cd .. && git clone -q --bare work repo.git\n"
	"git -C work push -q ../repo.git refs/pull/7/head:refs/pull/7/head\n"
	"git -C repo.git gc -q";

void make_repo(const char *dir)
{
	free(shell(dir, "%s", make_repo_script));
}

void make_big_repo(const char *dir, int commits)
{
	/* Random bytes, so that deltas do not make the history small. */
	free(shell(dir,
		   "git init -q --bare -b main big.git && head -c $((1504 * %d)) /dev/urandom > "
		   "random",
		   commits + 1));
	free(shell(dir,
		   "for ((i = 1; i <= %d; i++)); do\n"
		   "  printf 'commit refs/heads/main\nmark :%%d\n' $i\n"
		   "  printf 'committer C <c@x> %%d +0000\ndata 1\nx' $((1700000000 + i))\n"
		   "  printf '\nM 100644 inline d/f%%d\ndata 1504\n' $((i %% 50))\n"
		   "  dd if=random bs=1504 skip=$i count=1 status=none\n"
		   "  printf '\n'\n"
		   "done > stream\n"
		   "git -C big.git fast-import --quiet < stream && rm stream random",
		   commits));
}

char *rev(const char *dir, const char *revision)
{
	const char *const argv[] = {"git",	"-C",	  "repo.git", "rev-parse",
				    "--verify", revision, NULL};
	return run(dir, argv);
}

/* --- HTTP --- */

static const char nginx_conf[] =
	"daemon off; master_process off; pid %1$s/nginx.pid; error_log %1$s/error.log;\n"
	"events { worker_connections 64; }\n"
	"http { access_log off; client_max_body_size 0;\n"
	"client_body_temp_path %1$s/tmp1; proxy_temp_path %1$s/tmp2;\n"
	"fastcgi_temp_path %1$s/tmp3; uwsgi_temp_path %1$s/tmp4; scgi_temp_path %1$s/tmp5;\n"
	"log_format seen '$request|$http_authorization';\n"
	"server { listen 127.0.0.1:%2$d;\n"
	"location ~ ^/v2(/.*)$ { set $path $1; set $version $http_git_protocol;\n"
	"  include %1$s/backend.conf; }\n"
	"location ~ ^/v0(/.*)$ { set $path $1; set $version ''; include %1$s/backend.conf; }\n"
	"location ~ ^/basic(/.*)$ { auth_basic x; auth_basic_user_file %1$s/htpasswd;\n"
	"  set $path $1; set $version $http_git_protocol; include %1$s/backend.conf; }\n"
	"location ~ ^/bearer(/.*)$ { if ($http_authorization != 'Bearer t0ken') { return 401; }\n"
	"  set $path $1; set $version $http_git_protocol; include %1$s/backend.conf; }\n"
	"location /forbidden/ { return 403; }\n"
	"location /broken/ { return 503; }\n"
	"location ~ ^/moved(/.*)$ { return 302 /v2$1$is_args$args; }\n"
	"location ~ ^/loop/ { return 302 $request_uri; }\n"
	"location ~ ^/away(/.*)$ { return 302 http://127.0.0.1:%4$d$1$is_args$args; }\n"
	"location ~ ^/inward(/.*)$ { return 302 http://inside.test:%4$d$1$is_args$args; }\n"
	"location ~ ^/elsewhere(/.*)$ { return 302 http://127.0.0.1:%4$d/index.html; }\n"
	"location /text/ { default_type text/plain; return 200 'hello'; }\n"
	"}\n"
	"server { listen 127.0.0.1:%3$d ssl; ssl_certificate %1$s/tls/server.pem;\n"
	"  ssl_certificate_key %1$s/tls/server.key; ssl_client_certificate %1$s/tls/ca.pem;\n"
	"  ssl_verify_client on;\n"
	"  location / { set $path $uri; set $version $http_git_protocol;\n"
	"    include %1$s/backend.conf; } }\n"
	"server { listen 127.0.0.1:%4$d; access_log %1$s/away.log seen;\n"
	"  location / { set $path $uri; set $version $http_git_protocol;\n"
	"    include %1$s/backend.conf; } }\n"
	"}\n";

static const char backend_conf[] =
	"fastcgi_pass unix:%1$s/cgi.sock;\n"
	"fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;\n"
	"fastcgi_param GIT_HTTP_EXPORT_ALL 1;\n"
	"fastcgi_param GIT_PROJECT_ROOT %1$s;\n"
	"fastcgi_param PATH_INFO $path;\n"
	"fastcgi_param HTTP_GIT_PROTOCOL $version;\n"
	"fastcgi_param GIT_CONFIG_GLOBAL %1$s/gitconfig;\n"
	"fastcgi_param QUERY_STRING $query_string;\n"
	"fastcgi_param REQUEST_METHOD $request_method;\n"
	"fastcgi_param CONTENT_TYPE $content_type;\n"
	"fastcgi_param CONTENT_LENGTH $content_length;\n"
	"fastcgi_param REMOTE_ADDR $remote_addr;\n";

static const char make_pki_script[] =
	"mkdir -p tls && cd tls\n"
	"k='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
	"openssl req -x509 $k -keyout ca.key -out ca.pem -subj /CN=ca -days 2 2>/dev/null\n"
	"for n in server client; do\n"
	"  openssl req $k -keyout $n.key -out $n.csr -subj /CN=$n 2>/dev/null\n"
	"  openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2\\\n"
	"    -extfile <(echo subjectAltName=IP:127.0.0.1) -out $n.pem 2>/dev/null\n"
	"done";

HttpServer http_server_start(const char *dir)
{
	HttpServer server = {.port = free_port(), .tls_port = free_port()};
	int away_port = free_port();
	free(shell(dir, "%s", make_pki_script));
	autofree char *conf = mem_printf(nginx_conf, dir, server.port, server.tls_port, away_port);
	autofree char *backend = mem_printf(backend_conf, dir);
	autofree char *socket_arg = mem_printf("unix:%s/cgi.sock", dir);
	autofree char *conf_path = path_join(dir, "nginx.conf");
	write_file(dir, "nginx.conf", conf);
	write_file(dir, "backend.conf", backend);
	write_file(dir, "gitconfig", "[safe]\n\tdirectory = *\n");
	free(shell(dir, "echo \"user:$(openssl passwd -apr1 s3cret)\" > htpasswd"));
	const char *const fcgiwrap[] = {"fcgiwrap", "-s", socket_arg, NULL};
	const char *const nginx[] = {"nginx", "-e", "/dev/null", "-p", dir, "-c", conf_path, NULL};
	server.fcgiwrap = spawn(dir, fcgiwrap);
	server.nginx = spawn(dir, nginx);
	wait_for_port(server.port, server.nginx);
	wait_for_port(away_port, server.nginx);
	autofree char *cgi = path_join(dir, "cgi.sock");
	while (access(cgi, F_OK) != 0)
		poll(NULL, 0, 5);
	return server;
}

void http_server_stop(HttpServer *server)
{
	stop(server->nginx);
	stop(server->fcgiwrap);
}

/* --- client --- */

Client client_open(GitRemoteConfig config)
{
	autoerror Error err = {0};
	Client client = {.loop = loop_new(&err)};
	if (!config.timeout_ms)
		config.timeout_ms = 30000;
	client.remote = git_remote_new(client.loop, &config, &err);
	if (!client.remote)
		fail_msg("git_remote_new: %s", err_text(&err));
	return client;
}

void client_close(Client *client)
{
	git_remote_free(client->remote);
	loop_free(client->loop);
}

int served_repos_start(void **state, int commits)
{
	ServedRepos *f = mem_zalloc(1, sizeof(*f));
	f->dir = temp_dir();
	make_repo(f->dir);
	make_big_repo(f->dir, commits);
	f->server = http_server_start(f->dir);
	*state = f;
	return 0;
}

int served_repos_stop(void **state)
{
	ServedRepos *f = *state;
	http_server_stop(&f->server);
	dir_auto_remove(&f->dir);
	free(f);
	return 0;
}

void read_whole_pack(const char *dir, Buf *out)
{
	autoerror Error err = {0};
	make_repo(dir);
	free(shell(dir, "git -C repo.git rev-list --objects main | cut -d' ' -f1 |"
			"git -C repo.git pack-objects --stdout -q > pack"));
	autofree char *path = path_join(dir, "pack");
	assert_true(file_read(path, 1 << 20, out, &err));
}
