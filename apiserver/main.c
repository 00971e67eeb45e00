/* sluice-apiserver: flags, start, wait for a signal, stop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apiserver.h"
#include "base/mem.h"
#include "data/duration.h"
#include "base/roff.h"

/* One table for getopt, --help and the manual page. */
static const struct {
	const char *name, *value; /* value: NULL for a switch */
	int code;
	const char *help;
} rows[] = {
	{"data-dir", "DIR", 'd', "State, certificates and tokens (sluice-data)."},
	{"bind-address", "ADDRESS", 'b', "HOST:PORT; port 0 picks one (127.0.0.1:0)."},
	{"kubeconfig-out", "PATH", 'k',
	 "Where to write the admin's kubeconfig (DIR/admin.kubeconfig)."},
	{"token-file", "PATH", 't', "Static tokens: token,user,uid,\"group,group\"."},
	{"http", NULL, 'p', "Plain HTTP instead of TLS; for loopback only."},
	{"simulate", "PROFILE", 's', "none, base or workloads (base)."},
	{"simulate-delay", "DURATION", 'y',
	 "How long workloads take to become what they are simulated to (0s)."},
	{"compaction-interval", "DURATION", 'c',
	 "How long superseded revisions can still be read and watched from (5m)."},
	{"version", NULL, 'v', "Print the version and exit."},
	{"help", NULL, 'h', "Print help and exit."},
	{"help-man", NULL, 'm', "Print the manual page's source and exit."},
};

static void print_help(FILE *out)
{
	fputs("Usage: sluice-apiserver [flags]\n\n"
	      "An embedded Kubernetes-compatible API server.\n\nFlags:\n",
	      out);
	for (size_t i = 0; i < COUNT(rows); i++) {
		autofree char *left =
			mem_printf("--%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
		fprintf(out, "  %-26s %s\n", left, rows[i].help);
	}
}

static void print_man(void)
{
	roff_title("sluice-apiserver", 8, stdout);
	roff_section("NAME", stdout);
	puts("sluice-apiserver \\- an embedded Kubernetes\\-compatible API server");
	roff_section("SYNOPSIS", stdout);
	puts(".B sluice-apiserver\n[\\fIflags\\fR]");
	roff_section("DESCRIPTION", stdout);
	roff_text(
		"Serves the Kubernetes API from a directory: REST, watch, server-side apply, CRDs, "
		"RBAC, garbage collection. For demos, tests and work without a cluster; sluice up "
		"starts it. Logs JSON lines to stdout.",
		stdout);
	roff_section("OPTIONS", stdout);
	for (size_t i = 0; i < COUNT(rows); i++)
		roff_flag(0, rows[i].name, rows[i].value, rows[i].help, stdout);
	roff_section("SEE ALSO", stdout);
	puts(".BR sluice (1)");
}

/* Ends with a row of zeros, as getopt_long wants it. */
static struct option *make_options(void)
{
	struct option *options = mem_zalloc(COUNT(rows) + 1, sizeof(*options));
	for (size_t i = 0; i < COUNT(rows); i++)
		options[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].value ? required_argument : no_argument,
			.val = rows[i].code,
		};
	return options;
}

static bool read_profile(const char *text, SimulateProfile *out)
{
	static const char *const names[] = {"none", "base", "workloads"};
	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(names[i], text) == 0) {
			*out = (SimulateProfile)i;
			return true;
		}
	}
	fprintf(stderr, "unknown profile %s: none, base or workloads\n", text);
	return false;
}

static bool read_delay(const char *text, int64_t *out_ms)
{
	if (duration_parse(text, out_ms) && *out_ms >= 0)
		return true;
	fprintf(stderr, "bad duration %s: such as 500ms or 1m30s\n", text);
	return false;
}

/* 0: go on; else the exit code plus one. */
static int read_flags(int argc, char **argv, ApiServerConfig *config)
{
	autofree struct option *options = make_options();
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			config->data_dir = optarg;
			break;
		case 'b':
			config->bind_address = optarg;
			break;
		case 'k':
			config->kubeconfig = optarg;
			break;
		case 't':
			config->token_file = optarg;
			break;
		case 'p':
			config->plain_http = true;
			break;
		case 's':
			if (!read_profile(optarg, &config->simulate))
				return 3;
			break;
		case 'y':
			if (!read_delay(optarg, &config->simulate_delay_ms))
				return 3;
			break;
		case 'c':
			if (!read_delay(optarg, &config->keep_revisions_ms))
				return 3;
			break;
		case 'v':
			puts("sluice-apiserver " SLUICE_VERSION);
			return 1;
		case 'h':
			print_help(stdout);
			return 1;
		case 'm':
			print_man();
			return 1;
		default:
			print_help(stderr);
			return 3;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	ApiServerConfig config = {.data_dir = "sluice-data",
				  .bind_address = "127.0.0.1:0",
				  .simulate = SIMULATE_BASE};
	int done = read_flags(argc, argv, &config);
	if (done)
		return done - 1;
	/* Blocked before any thread starts, so that sigwait alone takes them. */
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	autolog Log *log = log_new(STDOUT_FILENO, LOG_INFO, LOG_JSON, "apiserver");
	config.log = log;
	autoerror Error err = {0};
	ApiServer *server = apiserver_start(&config, &err);
	if (!server) {
		log_error(log, &err, "start failed", NULL);
		return 1;
	}
	log_info(log, "ready", "address", apiserver_url(server), "dataDir", config.data_dir, NULL);
	int caught = 0;
	sigwait(&signals, &caught);
	log_info(log, "stopping", NULL);
	apiserver_stop(server);
	return 0;
}
