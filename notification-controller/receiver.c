/*
 * Receiver: checks the spec, derives the webhook's path from the token (notification.md 8,
 * N76-N78), and keeps the table by which the webhook server finds a Receiver.
 */
#include "receiver.h"

#include <string.h>

#include "base/mem.h"
#include "data/duration.h"
#include "kube/secret.h"
#include "receiver_exprs.h"

enum { DEFAULT_INTERVAL_MS = 600000 };

/* What the CRD's rules say too, for servers that do not know them (N88). */
static bool check_secret_or_oidc(const json_t *spec, Error *err)
{
	bool oidc = cstr_eq(json_text(spec, "type"), "generic-oidc");
	bool has_secret = json_map(spec, "secretRef") != NULL;
	size_t providers = json_array_size(json_list(spec, "oidcProviders"));
	if (oidc && !providers)
		return err_set(err, ERR_INVALID,
			       "a generic-oidc receiver needs at least one of oidcProviders");
	if (!oidc && providers)
		return err_set(err, ERR_INVALID,
			       "oidcProviders can only be set when type is generic-oidc");
	if (oidc && has_secret)
		return err_set(err, ERR_INVALID,
			       "secretRef cannot be set when type is generic-oidc");
	if (!oidc && !has_secret)
		return err_set(err, ERR_INVALID,
			       "secretRef is required when type is not generic-oidc");
	return true;
}

static bool check_expressions(const json_t *list, const char *what, const char *other, size_t at,
			      Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		if (cstr_empty(json_text(item, "expression")) || cstr_empty(json_text(item, other)))
			return err_set(err, ERR_INVALID,
				       "oidcProviders[%zu].%s[%zu]: expression and %s are required",
				       at, what, i, other);
	}
	return true;
}

static bool check_providers(const json_t *spec, Error *err)
{
	automap Map *seen = map_new(NULL);
	size_t i;
	json_t *provider;
	json_array_foreach(json_list(spec, "oidcProviders"), i, provider)
	{
		const char *url = json_text_or(provider, "issuerURL", "");
		const json_t *validations = json_list(provider, "validations");
		if (!cstr_starts(url, "http://") && !cstr_starts(url, "https://"))
			return err_set(err, ERR_INVALID,
				       "oidcProviders[%zu]: issuerURL must start with http:// or "
				       "https://",
				       i);
		if (map_has(seen, url))
			return err_set(err, ERR_INVALID,
				       "oidcProviders[%zu]: issuerURL is there twice", i);
		map_put(seen, url, NULL);
		if (!json_array_size(validations))
			return err_set(err, ERR_INVALID,
				       "oidcProviders[%zu]: at least one validation is required",
				       i);
		if (!check_expressions(json_list(provider, "variables"), "variables", "name", i,
				       err) ||
		    !check_expressions(validations, "validations", "message", i, err))
			return false;
	}
	return true;
}

bool receiver_check_spec(const json_t *spec, Error *err)
{
	if (!receiver_check_filters(spec, err))
		return err_reason(err, "InvalidCELExpression");
	if (!check_secret_or_oidc(spec, err) || !check_providers(spec, err))
		return err_reason(err, "ValidationFailed");
	if (!receiver_check_claims_expressions(spec, err))
		return err_reason(err, "InvalidCELExpression");
	return true;
}

static Outcome stall(Run *run, Error *err)
{
	err_wrap(err, "Reconciliation failed terminally due to configuration error");
	condition_set(run_object(run), "Ready", "False", err->reason, err_text(err));
	run_event(run, EVENT_WARNING, err->reason, NULL, "%s", err_text(err));
	return outcome_stalled();
}

/* The Secret's token, owned; NULL and err when it is not there. */
static char *read_token(Run *run, const json_t *spec, Error *err)
{
	const char *name = json_text_at(spec, "secretRef", "name", NULL);
	if (!name)
		return mem_strdup("");
	autosecret Secret *secret = secret_get(run_client(run), run_namespace(run), name, err);
	if (!secret)
		return err_wrap_null(err, "unable to read token from secret '%s/%s'",
				     run_namespace(run), name);
	const char *token = secret_text(secret, "token");
	if (!token)
		return err_null(err, ERR_INVALID, "secret '%s/%s' has no key 'token'",
				run_namespace(run), name);
	return mem_strdup(token);
}

static Outcome lose_token(Run *run, Error *err)
{
	json_t *object = run_object(run);
	condition_set(object, "Ready", "False", "TokenNotFound", err_text(err));
	json_put_text(json_make_at(object, "status", NULL), "webhookPath", NULL);
	run_event(run, EVENT_WARNING, "Failed", NULL, "%s", err_text(err));
	return outcome_failed();
}

char *receiver_path(const char *token, const char *name, const char *ns)
{
	autofree char *text = mem_printf("%s%s%s", token, name, ns);
	char hex[DIGEST_TEXT_SIZE];
	digest_hex(DIGEST_SHA256, text, strlen(text), hex);
	mem_wipe(text, strlen(text));
	return mem_printf(RECEIVER_PREFIX "%s", hex);
}

Outcome receiver_reconcile(Run *run, Error *err)
{
	json_t *object = run_object(run);
	const json_t *spec = json_map(object, "spec");
	if (!receiver_check_spec(spec, err))
		return stall(run, err);
	autofree char *token = read_token(run, spec, err);
	if (!token)
		return lose_token(run, err);
	autofree char *path = receiver_path(token, run_name(run), run_namespace(run));
	mem_wipe(token, strlen(token));
	condition_setf(object, "Ready", "True", "Succeeded", "Receiver initialized for path: %s",
		       path);
	json_put_text(json_make_at(object, "status", NULL), "webhookPath", path);
	const char *interval = json_text_or(spec, "interval", "10m");
	int64_t interval_ms = duration_ms_or(interval, DEFAULT_INTERVAL_MS);
	char text[DURATION_TEXT_SIZE];
	duration_format(interval_ms, text);
	run_event(run, EVENT_NORMAL, "Succeeded", NULL, "Reconciliation finished, next run in %s",
		  text);
	return outcome_again(interval_ms);
}

void receiver_index(const json_t *object, IndexAdd *add, void *arg)
{
	const char *name = json_text_at(object, "spec", "secretRef", "name", NULL);
	if (!name)
		return;
	autofree char *key = mem_printf("%s/%s", object_namespace(object), name);
	add(arg, key);
}

void receiver_secret_changed(Manager *manager, const Kind *kind, InformerEvent event,
			     const json_t *object)
{
	(void)event;
	autofree char *key = mem_printf("%s/%s", object_namespace(object), object_name(object));
	manager_enqueue_indexed(manager, kind, key);
}

/*
 * --- which Receiver is at a path ---
 *
 * Nothing separates token, name and namespace, and generic-oidc has no token (N76): "hook" of
 * "apps" and "hoo" of "kapps" come to one path. Who has it must not lose it to who comes later.
 */

struct ReceiverPaths {
	pthread_mutex_t lock; /* guards both */
	Map *by_path;	      /* path -> owned "ns/name" of who is served there */
	Map *by_key;	      /* "ns/name" -> owned path */
};

ReceiverPaths *receiver_paths_new(void)
{
	ReceiverPaths *paths = mem_zalloc(1, sizeof(*paths));
	pthread_mutex_init(&paths->lock, NULL);
	paths->by_path = map_new(free);
	paths->by_key = map_new(free);
	return paths;
}

void receiver_paths_free(ReceiverPaths *paths)
{
	map_free(paths->by_path);
	map_free(paths->by_key);
	pthread_mutex_destroy(&paths->lock);
	free(paths);
}

/* Who is there first keeps it. */
static void take_path(ReceiverPaths *paths, const char *key, const char *path)
{
	map_put(paths->by_key, key, mem_strdup(path));
	if (!map_has(paths->by_path, path))
		map_put(paths->by_path, path, mem_strdup(key));
}

/* The next one with the same path gets it. */
static void leave_path(ReceiverPaths *paths, const char *key)
{
	autofree char *path = map_take(paths->by_key, key);
	if (!path || !cstr_eq(map_get(paths->by_path, path), key))
		return;
	map_remove(paths->by_path, path);
	size_t at = 0;
	const char *other;
	void *its_path;
	while (map_next(paths->by_key, &at, &other, &its_path)) {
		if (!cstr_eq(its_path, path))
			continue;
		map_put(paths->by_path, path, mem_strdup(other));
		return;
	}
}

void receiver_paths_set(ReceiverPaths *paths, const char *ns, const char *name, const char *path)
{
	autofree char *key = mem_printf("%s/%s", ns, name);
	pthread_mutex_lock(&paths->lock);
	if (!cstr_eq(map_get(paths->by_key, key), path)) {
		leave_path(paths, key);
		if (path)
			take_path(paths, key, path);
	}
	pthread_mutex_unlock(&paths->lock);
}

char *receiver_paths_find(ReceiverPaths *paths, const char *path)
{
	pthread_mutex_lock(&paths->lock);
	char *key = mem_strdup(map_get(paths->by_path, path));
	pthread_mutex_unlock(&paths->lock);
	return key;
}

void receiver_changed(Manager *manager, const Kind *kind, const char *ns, const char *name,
		      const json_t *object)
{
	(void)kind;
	NotificationContext *context = manager_context(manager);
	const char *path = json_text(json_map(object, "status"), "webhookPath");
	receiver_paths_set(context->paths, ns, name, cstr_empty(path) ? NULL : path);
}
