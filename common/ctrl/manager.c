/* Start and stop of a controller process; the parts are in manager_*.c. */
#include "base/footprint.h"
#include "ctrl/manager_internal.h"

#include <ctype.h>
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/digest.h"
#include "net/proxy_env.h"

enum { EVENT_DRAIN_MS = 3000 };

KubeClient *manager_client(Manager *manager)
{
	return manager->client;
}

Loop *manager_loop(Manager *manager)
{
	return manager->loop;
}

const Log *manager_log(Manager *manager)
{
	return manager->log;
}

Metrics *manager_metrics(Manager *manager)
{
	return manager->metrics;
}

EventRecorder *manager_events(Manager *manager)
{
	return manager->events;
}

void *manager_context(Manager *manager)
{
	return manager->context;
}

const char *manager_namespace(Manager *manager)
{
	return manager->ns;
}

size_t manager_token_cache(Manager *manager, int64_t *out_max_ms)
{
	*out_max_ms = manager->common->token_cache_duration_ms;
	int size = manager->common->token_cache_size;
	return size > 0 ? (size_t)size : 0;
}

const char *manager_default_service_account(Manager *manager)
{
	return manager->common->default_service_account;
}

static Log *make_log(const CommonOptions *options)
{
	LogLevel level = LOG_INFO;
	log_level_parse(options->log_level, &level);
	LogEncoding encoding = cstr_eq(options->log_encoding, "console") ? LOG_CONSOLE : LOG_JSON;
	return log_new(STDERR_FILENO, level, encoding, NULL);
}

static const char *field_manager(const ManagerSpec *spec)
{
	return spec->field_manager ? spec->field_manager : spec->name;
}

static bool connect_api(Manager *manager, Error *err)
{
	autokubeconfig KubeConfig config = {0};
	const char *path = manager->common->kubeconfig;
	manager->loop = loop_new(err);
	if (!manager->loop)
		return false;
	if (!kube_config_find(cstr_empty(path) ? NULL : path, NULL, &config, err))
		return err_wrap(err, "find the API server");
	manager->client =
		kube_client_new(manager->loop, &config, field_manager(manager->spec), err);
	if (!manager->client)
		return false;
	if (!manager->spec->calls_elsewhere)
		kube_client_yield(manager->client);
	const char *ns = getenv("RUNTIME_NAMESPACE");
	manager->ns = mem_strdup(!cstr_empty(ns)	  ? ns
				 : !cstr_empty(config.ns) ? config.ns
							  : "flux-system");
	manager->events =
		event_recorder_new(manager->client,
				   &(EventRecorderConfig){.controller = manager->spec->name,
							  .address = manager->common->events_addr,
							  .log = manager->log},
				   err);
	return manager->events != NULL;
}

static void make_kinds(Manager *manager)
{
	const ManagerSpec *spec = manager->spec;
	manager->kinds = mem_zalloc(spec->kind_count, sizeof(manager->kinds[0]));
	QueueConfig config = {manager->common->min_retry_ms, manager->common->max_retry_ms};
	for (size_t i = 0; i < spec->kind_count; i++) {
		KindState *state = &manager->kinds[i];
		state->manager = manager;
		state->kind = &spec->kinds[i];
		state->controller = mem_strdup(state->kind->kind);
		for (char *c = state->controller; *c; c++)
			*c = (char)tolower((unsigned char)*c);
		state->queue = queue_new(&config);
	}
}

/* What could not be done while the API server was away. On the loop's thread. */
static void server_is_back(void *arg)
{
	Manager *manager = arg;
	log_info(manager->log, "the API server is back", NULL);
	for (size_t i = 0; i < manager->spec->kind_count; i++)
		queue_resume(manager->kinds[i].queue);
}

/* "NAME-leader-election", with 8 hex digits of the selector's SHA-256 for a shard (S97, K100). */
static char *lease_name(const Manager *manager)
{
	const char *selector = manager->common->watch_label_selector;
	if (cstr_empty(selector))
		return mem_printf("%s-leader-election", manager->spec->name);
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, selector, strlen(selector), hex);
	return mem_printf("%s-leader-election-%.8s", manager->spec->name, hex);
}

/* On the loop's thread. */
static void leadership_changed(void *arg, bool leading)
{
	Manager *manager = arg;
	pthread_mutex_lock(&manager->lock);
	manager->lost = manager->leading && !leading;
	manager->leading = leading;
	pthread_cond_broadcast(&manager->changed);
	pthread_mutex_unlock(&manager->lock);
	log_info(manager->log, leading ? "became leader" : "lost leadership", NULL);
}

static bool start_election(Manager *manager, Error *err)
{
	const CommonOptions *o = manager->common;
	if (!o->leader_election) {
		leadership_changed(manager, true);
		return true;
	}
	autofree char *name = lease_name(manager);
	manager->election =
		leader_election_start(manager->client,
				      &(LeaderElectionConfig){.ns = manager->ns,
							      .name = name,
							      .lease_ms = o->lease_ms,
							      .renew_ms = o->renew_ms,
							      .retry_ms = o->retry_ms,
							      .release_on_stop = o->leader_release,
							      .log = manager->log,
							      .on_change = leadership_changed,
							      .arg = manager},
				      err);
	return manager->election != NULL;
}

/* From here on this replica acts: once, when it is the leader. */
static bool start_work(Manager *manager, Error *err)
{
	const ManagerSpec *spec = manager->spec;
	if (spec->lead && !spec->lead(manager, manager->context, err))
		return false;
	for (size_t i = 0; i < spec->kind_count; i++)
		kind_workers_start(&manager->kinds[i]);
	manager->working = true;
	return true;
}

static bool start_parts(Manager *manager, Error *err)
{
	const ManagerSpec *spec = manager->spec;
	manager->log = make_log(manager->common);
	manager->metrics = metrics_new();
	if (!connect_api(manager, err))
		return false;
	manager->progress = progress_new(manager);
	make_kinds(manager);
	kube_client_on_return(manager->client, server_is_back, manager);
	if (spec->start) {
		manager->context = spec->start(manager, manager_controller_options(manager), err);
		if (!manager->context)
			return false;
	}
	manager->started = true;
	footprint_shrink(); /* what only setting up needed, before the first handshake */
	manager->watching_since_ms = clock_mono_ms();
	for (size_t i = 0; i < spec->kind_count; i++)
		kind_watch_start(&manager->kinds[i]);
	pthread_mutex_lock(&manager->lock);
	manager->watching = true;
	pthread_cond_broadcast(&manager->changed);
	pthread_mutex_unlock(&manager->lock);
	manager_note_work(manager);
	if (!manager_serve_start(manager, err) || !start_election(manager, err))
		return false;
	/* Without election the work begins here; with it, the waiting thread begins it. */
	return manager->election ? true : start_work(manager, err);
}

static Manager *manager_new(const ManagerSpec *spec)
{
	Manager *manager = mem_zalloc(1, sizeof(*manager));
	manager->spec = spec;
	pthread_mutex_init(&manager->lock, NULL);
	pthread_cond_init(&manager->changed, NULL);
	return manager;
}

Manager *manager_start(int argc, char **argv, const ManagerSpec *spec, Error *err)
{
	Manager *manager = manager_new(spec);
	if (manager_parse_flags(manager, argc, argv, err) && start_parts(manager, err))
		return manager;
	manager_stop(manager);
	return NULL;
}

bool manager_wait_synced(Manager *manager, int64_t timeout_ms)
{
	pthread_mutex_lock(&manager->lock);
	while (!manager->watching && !atomic_load(&manager->cancelled))
		pthread_cond_wait(&manager->changed, &manager->lock);
	bool watching = manager->watching;
	pthread_mutex_unlock(&manager->lock);
	int64_t until_ms = clock_mono_ms() + timeout_ms;
	for (size_t i = 0; watching && i < manager->spec->kind_count; i++)
		if (!manager_wait_informer(manager, manager->kinds[i].informer, informer_wait,
					   until_ms))
			return false;
	return watching && !atomic_load(&manager->cancelled);
}

void manager_stop(Manager *manager)
{
	pthread_mutex_lock(&manager->lock);
	atomic_store(&manager->cancelled, true);
	pthread_cond_broadcast(&manager->changed);
	pthread_mutex_unlock(&manager->lock);
	if (manager->started && manager->spec->cancel)
		manager->spec->cancel(manager->context);
	size_t count = manager->kinds ? manager->spec->kind_count : 0;
	for (size_t i = 0; i < count; i++)
		kind_workers_join(&manager->kinds[i]);
	progress_free(manager->progress);
	for (size_t i = 0; i < count; i++)
		kind_watch_stop(&manager->kinds[i]);
	manager_serve_stop(manager);
	if (manager->started && manager->spec->stop)
		manager->spec->stop(manager->context);
	if (manager->events)
		event_recorder_free(manager->events, EVENT_DRAIN_MS);
	if (manager->election)
		leader_election_stop(manager->election);
	kube_client_free(manager->client);
	if (manager->loop)
		loop_free(manager->loop);
	grace_end(manager->grace);
	for (size_t i = 0; i < count; i++) {
		queue_free(manager->kinds[i].queue);
		free(manager->kinds[i].controller);
	}
	free(manager->kinds);
	metrics_free(manager->metrics);
	log_free(manager->log);
	manager_free_flags(manager);
	free(manager->ns);
	pthread_cond_destroy(&manager->changed);
	pthread_mutex_destroy(&manager->lock);
	free(manager);
}

/* Waits in its own thread for leadership, so that main may wait for signals. */
typedef struct {
	Manager *manager;
	pid_t pid;
} Waiter;

static void *wait_for_leadership(void *arg)
{
	const Waiter *waiter = arg;
	Manager *manager = waiter->manager;
	pthread_mutex_lock(&manager->lock);
	while (!manager->leading && !atomic_load(&manager->cancelled))
		pthread_cond_wait(&manager->changed, &manager->lock);
	pthread_mutex_unlock(&manager->lock);
	autoerror Error err = {0};
	if (!atomic_load(&manager->cancelled) && !start_work(manager, &err)) {
		log_error(manager->log, &err, "unable to start", NULL);
		kill(waiter->pid, SIGTERM);
	}
	pthread_mutex_lock(&manager->lock);
	while (!manager->lost && !atomic_load(&manager->cancelled))
		pthread_cond_wait(&manager->changed, &manager->lock);
	bool lost = manager->lost;
	pthread_mutex_unlock(&manager->lock);
	if (lost)
		_exit(1); /* somebody else acts now: not one more write */
	return NULL;
}

/* Secrets pass through this process: no core dump, no ptrace by others. Few malloc arenas keep the
 * threads' freed memory in one place. */
static void harden_process(void)
{
	json_set_alloc_funcs(mem_alloc, free);
	prctl(PR_SET_DUMPABLE, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

static void serve_until_signal(Manager *manager, const sigset_t *signals)
{
	Waiter waiter = {manager, getpid()};
	pthread_t thread;
	bool threaded = manager->election &&
			pthread_create(&thread, NULL, wait_for_leadership, &waiter) == 0;
	int signal_number;
	while (sigwait(signals, &signal_number) != 0)
		;
	log_info(manager->log, "stopping", "signal", strsignal(signal_number), NULL);
	manager->grace = grace_start(manager->log, manager->common->graceful_ms, signals);
	pthread_mutex_lock(&manager->lock);
	atomic_store(&manager->cancelled, true);
	pthread_cond_broadcast(&manager->changed);
	pthread_mutex_unlock(&manager->lock);
	if (threaded)
		pthread_join(thread, NULL);
}

int manager_main(int argc, char **argv, const ManagerSpec *spec)
{
	harden_process();
	footprint_shrink();
	proxy_env_settle();
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	autoerror Error err = {0};
	Manager *manager = manager_new(spec);
	if (!manager_parse_flags(manager, argc, argv, &err)) {
		fprintf(stderr, "%s: %s\nSee %s --help.\n", spec->name, err_text(&err), spec->name);
		manager_stop(manager);
		return 1;
	}
	if (manager->common->help || manager->common->help_man || manager->common->version) {
		if (manager->common->help)
			manager_print_help(manager);
		else if (manager->common->help_man)
			manager_print_man(manager);
		else
			printf("%s %s\n", spec->name, SLUICE_VERSION);
		manager_stop(manager);
		return 0;
	}
	bool ok = start_parts(manager, &err);
	if (ok) {
		log_info(manager->log, "started", "version", SLUICE_VERSION, NULL);
		serve_until_signal(manager, &signals);
	} else {
		log_error(manager->log, &err, "unable to start", NULL);
	}
	manager_stop(manager);
	return ok ? 0 : 1;
}
