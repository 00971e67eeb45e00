/*
 * What the files of `sluice up` share: up.c (the order of things), up_dir.c (data directory, lock,
 * ports), up_find.c (CRDs), up_child.c (processes), up_cluster.c (what the cluster
 * needs before the controllers start).
 */
#ifndef CLI_UP_INTERNAL_H
#define CLI_UP_INTERNAL_H

#include <sys/types.h>

#include "base/map.h"
#include "base/vec.h"
#include "cli.h"

/* A daemon: where it is built, how it is started, when it is stopped. In flags and in told,
 * "{NAME}" stands for the port of that name, "{DIR}" for the data directory and "{BIND}" for where
 * the API server listens. */
typedef struct {
	const char *name;
	const char *folder;   /* in the build tree */
	int stop_stage;	      /* the lowest stops first */
	const char *flags[8]; /* NULL ends */
	const char *told;     /* what people are told when it is ready */
} Daemon;

typedef struct {
	const Daemon *daemon;
	char *log_path;
	Vec argv;   /* owned strings, NULL at the end */
	pid_t pid;  /* 0: not running */
	int health; /* port of /readyz; 0: none */
} Child;

/* How many rows the table of daemons in up.c has. */
enum { UP_CHILDREN = 5 };

typedef struct {
	const Options *options;
	char *bind; /* HOST:PORT of the API server */
	char *dir;  /* absolute */
	char *crds; /* directory */
	char *kubeconfig;
	bool temporary; /* dir is removed at the end */
	int lock_fd;	/* -1: not locked */
	Map *ports;	/* up_dir.c */
	Child children[UP_CHILDREN];
	bool progress; /* somebody watches stderr */
	bool stopping; /* a signal asked for it */
	int64_t started_ms;
} Up;

/* --- up_dir.c --- */

/* Makes (or takes up again) and locks the data directory. ERR_EXISTS: somebody else has it. */
bool up_dir_open(Up *up, Error *err);

/* Gives the lock back; removes a temporary directory. */
void up_dir_close(Up *up);

/* A port by name: the one it had last time when it is free, else another; remembered. */
bool up_port(Up *up, const char *name, int *out, Error *err);

/* Writes the ports down. up_ports_release lets a daemon bind one, or all (NULL). */
bool up_ports_save(const Up *up, Error *err);
void up_ports_release(Up *up, const char *only);

/* text with its "{...}" replaced; owned. */
char *up_expand(Up *up, const char *text, Error *err);

/* --- up_find.c --- */

/* The directory with the CRDs: in datadir or the build tree. Owned. */
char *up_find_crds(Error *err);

/* --- up_child.c --- */

bool up_child_start(Up *up, Child *child, Error *err);

/* Logs that have grown past 8 MiB begin anew; the last of them stays beside it as FILE.1. To be
 * called now and then. */
void up_logs_rotate(const Up *up);

/* Waits up to ms for a signal. False with err when a child ended (its log's end goes to stderr) or
 * when the user wants to stop (ERR_CANCELLED; up->stopping). */
bool up_pause(Up *up, int64_t ms, Error *err);

/* Stops what runs, controllers before the API server, and waits. False when one did not end well:
 * stderr has said which. */
bool up_children_stop(Up *up);

/* The signals that up_pause waits for are blocked in all threads from here on. */
void up_signals_block(void);

/* --- up_cluster.c --- */

/* Waits for the API server, applies CRDs and the namespace, writes the kubeconfig. */
bool up_cluster_prepare(Up *up, Loop *loop, Error *err);

/* Waits for a controller's /readyz. */
bool up_wait_healthy(Up *up, Loop *loop, const Child *child, Error *err);

#endif
