/* sluice-apiserver: flags, start, wait for a signal, stop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apiserver.h"

static const char usage[] =
	"Usage: sluice-apiserver [OPTIONS]\n"
	"An embedded Kubernetes-compatible API server.\n\n"
	"  --data-dir DIR          state, certificates and tokens (sluice-data)\n"
	"  --bind-address ADDR     host:port; port 0 picks one (127.0.0.1:0)\n"
	"  --kubeconfig-out PATH   where to write the admin's kubeconfig (DIR/admin.kubeconfig)\n"
	"  --token-file PATH       static tokens: token,user,uid,\"group,group\"\n"
	"  --http                  plain HTTP instead of TLS; for loopback only\n"
	"  --simulate PROFILE      none or base (base)\n"
	"  --version               print the version\n"
	"  --help                  print this text\n";

static const struct option options[] = {
	{"data-dir", required_argument, NULL, 'd'},
	{"bind-address", required_argument, NULL, 'b'},
	{"kubeconfig-out", required_argument, NULL, 'k'},
	{"token-file", required_argument, NULL, 't'},
	{"http", no_argument, NULL, 'p'},
	{"simulate", required_argument, NULL, 's'},
	{"version", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* 0: go on; else the exit code plus one. */
static int read_flags(int argc, char **argv, ApiServerConfig *config)
{
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
			config->simulate_base = strcmp(optarg, "none") != 0;
			if (config->simulate_base && strcmp(optarg, "base") != 0) {
				fprintf(stderr, "unknown profile %s: none or base\n", optarg);
				return 3;
			}
			break;
		case 'v':
			puts("sluice-apiserver " SLUICE_VERSION);
			return 1;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			fputs(usage, stderr);
			return 3;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	ApiServerConfig config = {
		.data_dir = "sluice-data", .bind_address = "127.0.0.1:0", .simulate_base = true};
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
