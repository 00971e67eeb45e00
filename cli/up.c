/*
 * sluice up: a cluster for one command. Starts the embedded API server and the controllers on
 * loopback, tells when they are ready, stops all together. A daemon that dies takes the rest with
 * it: what runs on is always the whole, and a person or a CI job learns of the failure at once.
 * With a data directory the next start goes on where this one was.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "program.h"
#include "up_internal.h"

#define AT(member) offsetof(Options, member)

/* In the order of their start. Each stops after those that need it: notification-controller after
 * the senders of events, the API server last. */
static const Daemon daemons[] = {
	{"sluice-apiserver",
	 "apiserver",
	 2,
	 {"--data-dir={DIR}/apiserver", "--bind-address={BIND}"},
	 "https://{BIND}"},
	{"notification-controller",
	 "notification-controller",
	 1,
	 {"--events-addr=127.0.0.1:{events}", "--receiverAddr=127.0.0.1:{webhooks}"},
	 "webhooks on http://127.0.0.1:{webhooks}"},
	{"source-controller",
	 "source-controller",
	 0,
	 {"--events-addr=http://127.0.0.1:{events}/", "--storage-path={DIR}/storage",
	  "--storage-addr=127.0.0.1:{artifacts}", "--storage-adv-addr=127.0.0.1:{artifacts}"},
	 "artifacts on http://127.0.0.1:{artifacts}"},
	{"kustomize-controller",
	 "kustomize-controller",
	 0,
	 {"--events-addr=http://127.0.0.1:{events}/"},
	 ""},
	{"helm-controller", "helm-controller", 0, {"--events-addr=http://127.0.0.1:{events}/"}, ""},
};
_Static_assert(COUNT(daemons) == UP_CHILDREN, "a daemon more or less: change UP_CHILDREN");

static bool add_flag(Up *up, Child *child, const char *text, Error *err)
{
	char *flag = up_expand(up, text, err);
	if (flag)
		vec_push(&child->argv, flag);
	return flag != NULL;
}

/* What every controller gets. */
static bool add_controller_flags(Up *up, Child *child, Error *err)
{
	const char *name = child->daemon->name;
	autofree char *level = mem_printf("--log-level=%s", up->options->log_level);
	autofree char *health = mem_printf("--health-addr=127.0.0.1:{%s-health}", name);
	autofree char *metrics = mem_printf("--metrics-addr=127.0.0.1:{%s-metrics}", name);
	autofree char *port = mem_printf("%s-health", name);
	return add_flag(up, child, "--kubeconfig={DIR}/kubeconfig", err) &&
	       add_flag(up, child, level, err) && add_flag(up, child, health, err) &&
	       add_flag(up, child, metrics, err) && up_port(up, port, &child->health, err);
}

static bool prepare_child(Up *up, Child *child, const Daemon *daemon, Error *err)
{
	child->daemon = daemon;
	autofree char *file = mem_printf("logs/%s.log", daemon->name);
	child->log_path = path_join(up->dir, file);
	char *program = program_find(daemon->name, daemon->folder, err);
	if (!program)
		return false;
	vec_push(&child->argv, program);
	for (const char *const *flag = daemon->flags; *flag; flag++)
		if (!add_flag(up, child, *flag, err))
			return false;
	if (daemon != &daemons[0] && !add_controller_flags(up, child, err))
		return false;
	vec_push(&child->argv, NULL);
	return true;
}

static bool choose_address(Up *up, Error *err)
{
	enum { PORT_LIMIT = 65535 };
	int port = up->options->port;
	if (port < 0 || port > PORT_LIMIT)
		return err_set(err, ERR_INVALID, "invalid --port %d", port);
	if (!port && !up_port(up, "api", &port, err))
		return false;
	const char *host = up->options->bind;
	bool bare_v6 = strchr(host, ':') && host[0] != '[';
	up->bind = mem_printf(bare_v6 ? "[%s]:%d" : "%s:%d", host, port);
	return true;
}

/* All that can fail for reasons of the user's, before anything runs. */
static bool prepare(Up *up, Error *err)
{
	if (!up_dir_open(up, err) || !choose_address(up, err))
		return false;
	up->crds = up_find_crds(err);
	if (!up->crds)
		return false;
	for (size_t i = 0; i < UP_CHILDREN; i++)
		if (!prepare_child(up, &up->children[i], &daemons[i], err))
			return false;
	/* Left by the last run: what is there from now on is of this one. */
	autofree char *old = path_join(up->dir, "apiserver/admin.kubeconfig");
	unlink(old);
	return up_ports_save(up, err);
}

enum { NAME_WIDTH = 25 };

static void tell_ready(Up *up, const Child *child)
{
	autoerror Error err = {0};
	autofree char *told = up_expand(up, child->daemon->told, &err);
	if (up->progress)
		fprintf(stderr, "✔ %-*s%s\n", cstr_empty(told) ? 0 : NAME_WIDTH,
			child->daemon->name, told ? told : "");
}

static bool start_children(Up *up, Error *err)
{
	autoloop Loop *loop = loop_new(err);
	if (!loop)
		return false;
	up_ports_release(up, "api");
	if (!up_child_start(up, &up->children[0], err) || !up_cluster_prepare(up, loop, err))
		return false;
	tell_ready(up, &up->children[0]);
	up_ports_release(up, NULL);
	for (size_t i = 1; i < UP_CHILDREN; i++)
		if (!up_child_start(up, &up->children[i], err))
			return false;
	for (size_t i = 1; i < UP_CHILDREN; i++) {
		if (!up_wait_healthy(up, loop, &up->children[i], err))
			return false;
		tell_ready(up, &up->children[i]);
	}
	return true;
}

/* A line for the shell: quoted where the path has anything special. */
static void print_export(const Up *up)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@,";
	const char *path = up->kubeconfig;
	if (path[strspn(path, plain)] == '\0') {
		printf("export KUBECONFIG=%s\n", path);
	} else {
		fputs("export KUBECONFIG='", stdout);
		for (; *path; path++)
			fputs(*path == '\'' ? "'\\''" : (char[]){*path, '\0'}, stdout);
		fputs("'\n", stdout);
	}
	fflush(stdout);
}

static bool serve(Up *up, Error *err)
{
	if (up->progress)
		fprintf(stderr, "► starting in %s\n", up->dir);
	if (!start_children(up, err))
		return false;
	if (up->progress)
		fprintf(stderr, "✔ ready after %.1f s; Ctrl-C stops it\n",
			(double)(clock_mono_ms() - up->started_ms) / 1000);
	print_export(up);
	enum { LOOK_MS = 2000 };
	while (up_pause(up, LOOK_MS, err))
		up_logs_rotate(up);
	return false;
}

static void dispose(Up *up)
{
	for (size_t i = 0; i < UP_CHILDREN; i++) {
		vec_dispose_strings(&up->children[i].argv);
		free(up->children[i].log_path);
	}
	map_free(up->ports);
	free(up->bind);
	free(up->dir);
	free(up->crds);
	free(up->kubeconfig);
}

static bool run(Command *command, Error *err)
{
	Up up = {.options = &command->options,
		 .lock_fd = -1,
		 .progress = isatty(STDERR_FILENO),
		 .started_ms = clock_mono_ms()};
	up_signals_block();
	umask(077);
	bool ok = prepare(&up, err) && serve(&up, err);
	if (up.stopping) {
		if (up.progress)
			fputs("\n► stopping\n", stderr);
		error_dispose(err);
		ok = true;
	}
	if (!up_children_stop(&up) && ok)
		ok = err_set(err, ERR_INTERNAL, "not everything ended cleanly");
	up_dir_close(&up);
	dispose(&up);
	return ok;
}

static const Option options[] = {
	{{"data-dir", FLAG_TEXT, AT(data_dir), NULL, NULL,
	  "Directory to keep the state in; without it a temporary one."},
	 0,
	 "DIR"},
	{{"port", FLAG_INT, AT(port), "0", NULL,
	  "Port of the API server; 0: the one of last time, or a free one."},
	 0,
	 "PORT"},
	{{"bind", FLAG_TEXT, AT(bind), "127.0.0.1", NULL,
	  "Address that the API server listens on."},
	 0,
	 "ADDRESS"},
	{{"log-level", FLAG_TEXT, AT(log_level), "info", NULL,
	  "Of the controllers: trace, debug, info or error."},
	 0,
	 "LEVEL"},
};

const Verb verb_up = {
	.name = "up",
	.words = "",
	.summary = "Run an API server and the controllers here, without a cluster.",
	.details =
		"Prints the line that points kubectl and sluice at it, and runs until Ctrl-C. "
		"With\n"
		"--data-dir the next start goes on where this one stopped; logs are in DIR/logs,\n"
		"16 MiB of each at most.\n"
		"When a daemon ends by itself, all others are stopped and the exit code is 1.",
	.run = run,
	.options = options,
	.option_count = COUNT(options),
};
