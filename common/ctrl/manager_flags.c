/* The flags that every controller has (source.md 7, kustomize-controller.md 10, notification.md 1).
 */
#include "ctrl/manager_internal.h"

#include <string.h>

#include "base/mem.h"

#define AT(member) offsetof(CommonOptions, member)

#define GRACE_FLAG "graceful-shutdown-timeout"

static const Flag common_rows[] = {
	{"kubeconfig", FLAG_TEXT, AT(kubeconfig), NULL, NULL,
	 "Path of a kubeconfig; default $KUBECONFIG, ~/.kube/config, the pod's service account."},
	{"metrics-addr", FLAG_TEXT, AT(metrics_addr), ":8080", "METRICS_ADDR",
	 "Address that metrics are served on; 0 turns them off."},
	{"health-addr", FLAG_TEXT, AT(health_addr), ":9440", "HEALTH_ADDR",
	 "Address of /healthz and /readyz; 0 turns them off."},
	{"concurrent", FLAG_INT, AT(concurrent), NULL, NULL, "Reconciles at once, per kind."},
	{"log-level", FLAG_TEXT, AT(log_level), "info", NULL, "trace, debug, info or error."},
	{"log-encoding", FLAG_TEXT, AT(log_encoding), "json", NULL, "json or console."},
	{"enable-leader-election", FLAG_BOOL, AT(leader_election), "false", NULL,
	 "Let only one of several replicas reconcile."},
	{"leader-election-release-on-cancel", FLAG_BOOL, AT(leader_release), "true", NULL,
	 "Give the lease up on a graceful stop."},
	{"leader-election-lease-duration", FLAG_DURATION, AT(lease_ms), "35s", NULL,
	 "How long others wait before they take a lease that is not renewed."},
	{"leader-election-renew-deadline", FLAG_DURATION, AT(renew_ms), "30s", NULL,
	 "How long the leader tries to renew before it gives up."},
	{"leader-election-retry-period", FLAG_DURATION, AT(retry_ms), "5s", NULL,
	 "Time between tries."},
	{"watch-all-namespaces", FLAG_BOOL, AT(watch_all_namespaces), "true", NULL,
	 "Watch all namespaces, else only that of $RUNTIME_NAMESPACE."},
	{"watch-configs-label-selector", FLAG_TEXT, AT(watch_configs_label_selector),
	 "reconcile.fluxcd.io/watch=Enabled", NULL,
	 "Which ConfigMaps and Secrets are watched for changes."},
	{"min-retry-delay", FLAG_DURATION, AT(min_retry_ms), "750ms", NULL,
	 "First wait after a failure."},
	{"max-retry-delay", FLAG_DURATION, AT(max_retry_ms), "15m", NULL,
	 "Longest wait after failures."},
	{"feature-gates", FLAG_LIST, AT(feature_gates), NULL, NULL,
	 "Gate=true|false pairs, separated by commas."},
	{"default-service-account", FLAG_TEXT, AT(default_service_account), "", NULL,
	 "Service account for objects that name none."},
	{"kube-api-qps", FLAG_INT, AT(kube_api_qps), "50", NULL,
	 "Accepted for compatibility; the API server's own fairness decides."},
	{"kube-api-burst", FLAG_INT, AT(kube_api_burst), "300", NULL,
	 "Accepted for compatibility; the API server's own fairness decides."},
	{"token-cache-max-size", FLAG_INT, AT(token_cache_size), "100", NULL,
	 "Cloud tokens kept; 0 turns the cache off."},
	{"token-cache-max-duration", FLAG_DURATION, AT(token_cache_duration_ms), "1h", NULL,
	 "Longest time that a cloud token is kept."},
	{GRACE_FLAG, FLAG_DURATION, AT(graceful_ms), "30s", NULL,
	 "How long reconciles have to end when the process is told to stop."},
	{"help", FLAG_BOOL, AT(help), "false", NULL, "Print this and exit."},
	{"help-man", FLAG_BOOL, AT(help_man), "false", NULL,
	 "Print the manual page's source and exit."},
	{"version", FLAG_BOOL, AT(version), "false", NULL, "Print the version and exit."},
};

/* For controllers whose kinds are sharded: notification-controller has none of these. */
static const Flag shard_rows[] = {
	{"events-addr", FLAG_TEXT, AT(events_addr), "", "EVENTS_ADDR",
	 "Where notification-controller takes events; empty: nowhere."},
	{"watch-label-selector", FLAG_TEXT, AT(watch_label_selector), "", NULL,
	 "Reconcile only objects with these labels; the lease is named after it."},
	{"interval-jitter-percentage", FLAG_INT, AT(jitter_percent), "5", NULL,
	 "Spread of intervals, in percent, below 100."},
};

/* The controller's struct follows the common one, aligned for any type. */
static size_t controller_offset(void)
{
	const size_t align = _Alignof(max_align_t);
	return (sizeof(CommonOptions) + align - 1) / align * align;
}

const void *manager_controller_options(const Manager *manager)
{
	return (const char *)manager->options + controller_offset();
}

static bool is_sharded(const ManagerSpec *spec)
{
	for (size_t i = 0; i < spec->kind_count; i++)
		if (!spec->kinds[i].unsharded)
			return true;
	return false;
}

static void add_rows(Manager *manager, const Flag *rows, size_t count, size_t offset)
{
	manager->rows =
		mem_realloc(manager->rows, (manager->row_count + count) * sizeof(manager->rows[0]));
	for (size_t i = 0; i < count; i++) {
		Flag *row = &manager->rows[manager->row_count++];
		*row = rows[i];
		row->offset += offset;
	}
}

static void set_fallback(Manager *manager, const char *name, const char *fallback)
{
	for (size_t i = 0; i < manager->row_count; i++)
		if (fallback && cstr_eq(manager->rows[i].name, name))
			manager->rows[i].fallback = fallback;
}

static const FeatureGate *find_gate(const ManagerSpec *spec, Str name)
{
	for (size_t i = 0; i < spec->gate_count; i++)
		if (str_eq(str_of(spec->gates[i].name), name))
			return &spec->gates[i];
	return NULL;
}

static bool check_gates(const Manager *manager, Error *err)
{
	const Vec *gates = &manager->common->feature_gates;
	for (size_t i = 0; i < gates->len; i++) {
		Str name, value;
		bool has_value = str_cut(str_of(gates->items[i]), '=', &name, &value);
		if (!find_gate(manager->spec, name))
			return err_set(err, ERR_INVALID, "unrecognized feature gate: %.*s",
				       (int)name.len, name.ptr);
		if (!has_value || (!str_eq(value, STR("true")) && !str_eq(value, STR("false"))))
			return err_set(err, ERR_INVALID, "feature gate %.*s must be true or false",
				       (int)name.len, name.ptr);
	}
	return true;
}

bool manager_gate(Manager *manager, const char *gate)
{
	const FeatureGate *row = find_gate(manager->spec, str_of(gate));
	bool enabled = row && row->enabled;
	const Vec *gates = &manager->common->feature_gates;
	for (size_t i = 0; i < gates->len; i++) {
		Str name, value;
		str_cut(str_of(gates->items[i]), '=', &name, &value);
		if (str_eq(name, str_of(gate)))
			enabled = str_eq(value, STR("true"));
	}
	return enabled;
}

static bool check_values(const Manager *manager, Error *err)
{
	const CommonOptions *o = manager->common;
	LogLevel level;
	if (!log_level_parse(o->log_level, &level))
		return err_set(err, ERR_INVALID, "invalid value \"%s\" for --log-level",
			       o->log_level);
	if (o->jitter_percent < 0 || o->jitter_percent >= 100)
		return err_set(err, ERR_INVALID, "--interval-jitter-percentage must be below 100");
	return check_gates(manager, err);
}

bool manager_parse_flags(Manager *manager, int argc, char **argv, Error *err)
{
	const ManagerSpec *spec = manager->spec;
	add_rows(manager, common_rows, COUNT(common_rows), 0);
	if (is_sharded(spec))
		add_rows(manager, shard_rows, COUNT(shard_rows), 0);
	add_rows(manager, spec->flags, spec->flag_count, controller_offset());
	set_fallback(manager, GRACE_FLAG, spec->default_grace);
	manager->options = mem_zalloc(1, controller_offset() + spec->options_size);
	manager->common = manager->options;
	((CommonOptions *)manager->options)->concurrent = spec->default_concurrent;
	return flags_parse(manager->rows, manager->row_count, argc, argv, manager->options, err) &&
	       check_values(manager, err);
}

void manager_free_flags(Manager *manager)
{
	if (manager->options)
		flags_dispose(manager->rows, manager->row_count, manager->options);
	free(manager->options);
	free(manager->rows);
}

void manager_print_help(const Manager *manager)
{
	printf("Usage: %s [flags]\n\nFlags:\n", manager->spec->name);
	flags_print_help(manager->rows, manager->row_count, stdout);
}
