#include "kube/exec_internal.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "data/base64.h"
#include "net/tls.h"

enum {
	RUN_MS = 60000,
	SHOWN_MAX = 400,   /* of what the command says on its standard error */
	AGAIN_MS = 5000,   /* after a failure */
	SOONEST_MS = 1000, /* between any two runs */
};

struct ExecCredential {
	/* These never change. */
	KubeConfig config; /* only server, CA and the like, for provideClusterInfo */
	const json_t *exec;
	void (*changed)(void *arg);
	void *changed_arg;
	pthread_t thread;
	int stop_fd; /* readable when it is to stop */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t woken;
	ExecSecrets secrets;
	uint64_t generation; /* of the secrets */
	int64_t ran_ms;	     /* the last run's end, monotonic */
	int64_t due_ms;	     /* when the next is to begin */
	bool wanted, stopping, started;
};

/* --- the request to the command --- */

static json_t *cluster_info(const KubeConfig *config)
{
	json_t *cluster = json_object();
	json_put_text(cluster, "server", config->server);
	json_put_text(cluster, "tls-server-name", config->server_name);
	json_put_text(cluster, "proxy-url", config->proxy_url);
	if (config->insecure_skip_verify)
		json_object_set_new(cluster, "insecure-skip-tls-verify", json_true());
	if (config->ca_pem) {
		autofree char *data = base64_encode(config->ca_pem, strlen(config->ca_pem));
		json_put_text(cluster, "certificate-authority-data", data);
	}
	return cluster;
}

/* KUBERNETES_EXEC_INFO=...; owned. */
static char *exec_info(const ExecCredential *credential)
{
	autojson json_t *info = json_object();
	json_put_text(info, "apiVersion", json_text(credential->exec, "apiVersion"));
	json_put_text(info, "kind", "ExecCredential");
	json_t *spec = json_make_at(info, "spec", NULL);
	json_object_set_new(spec, "interactive", json_false());
	if (json_flag(credential->exec, "provideClusterInfo", false))
		json_object_set_new(spec, "cluster", cluster_info(&credential->config));
	autofree char *text = json_dump(info);
	return mem_printf("KUBERNETES_EXEC_INFO=%s", text);
}

static bool is_named(const char *entry, const char *name)
{
	size_t len = strlen(name);
	return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* A later entry of the same name is not seen by all programs: the earlier one goes. */
static void put_env(Vec *env, char *take_entry)
{
	autofree char *name = mem_strndup(take_entry, strcspn(take_entry, "="));
	for (size_t i = 0; i < env->len; i++)
		if (is_named(env->items[i], name)) {
			free(env->items[i]);
			env->items[i] = take_entry;
			return;
		}
	vec_push(env, take_entry);
}

static void make_env(const ExecCredential *credential, Vec *out)
{
	for (char **entry = environ; entry && *entry; entry++)
		vec_push(out, mem_strdup(*entry));
	size_t i;
	json_t *item;
	json_array_foreach(json_list(credential->exec, "env"), i, item)
	{
		put_env(out, mem_printf("%s=%s", json_text_or(item, "name", ""),
					json_text_or(item, "value", "")));
	}
	put_env(out, exec_info(credential));
	vec_push(out, NULL);
}

static void make_argv(const ExecCredential *credential, Vec *out)
{
	vec_push(out, mem_strdup(json_text(credential->exec, "command")));
	size_t i;
	json_t *item;
	json_array_foreach(json_list(credential->exec, "args"), i, item)
	{
		vec_push(out, mem_strdup(json_is_string(item) ? json_string_value(item) : ""));
	}
	vec_push(out, NULL);
}

/* --- its reply --- */

static bool failed(const ExecCredential *credential, const char *what, Error *err)
{
	const KubeConfig *config = &credential->config;
	return err_wrap(err, "kubeconfig: user \"%s\": exec %s%s", config->user ? config->user : "",
			json_text_or(credential->exec, "command", ""), what);
}

static bool run_command(const ExecCredential *credential, Buf *out, Error *err)
{
	autostrings Vec argv = {0}, env = {0};
	autobuf Buf errors = {0};
	int code = 0;
	make_argv(credential, &argv);
	make_env(credential, &env);
	buf_reserve(out, EXEC_OUTPUT_MAX); /* growing would leave copies behind */
	ChildSpec spec = {.argv = (const char *const *)argv.items,
			  .env = (const char *const *)env.items,
			  .timeout_ms = RUN_MS,
			  .cancel_fd = &credential->stop_fd,
			  .max_output = EXEC_OUTPUT_MAX};
	const char *hint = json_text_or(credential->exec, "installHint", "");
	if (!child_run(&spec, out, &errors, &code, err)) {
		bool absent = err->code == ERR_NOT_FOUND && *hint;
		autofree char *advice = absent ? mem_printf(" (%s)", hint) : mem_strdup("");
		return failed(credential, advice, err);
	}
	if (code == 0)
		return true;
	Str said = str_slice(str_trim(buf_str(&errors)), 0, SHOWN_MAX);
	err_set(err, ERR_UNAVAILABLE, "it ended with code %d%s%.*s", code, said.len ? ": " : "",
		(int)said.len, said.ptr);
	return failed(credential, "", err);
}

static bool fetch(const ExecCredential *credential, ExecSecrets *out_secrets, int64_t *out_due_ms,
		  Error *err)
{
	autobuf Buf out = {0};
	const char *version = json_text(credential->exec, "apiVersion");
	bool ok = run_command(credential, &out, err);
	if (ok && !exec_reply_read(buf_str(&out), version, out_secrets, out_due_ms, err))
		ok = failed(credential, "", err);
	mem_wipe(out.ptr, out.cap);
	return ok;
}

/* --- life --- */

/* With the lock, which is given back while `changed` runs. */
static void take_secrets(ExecCredential *credential, ExecSecrets *secrets)
{
	bool other = !cstr_eq(secrets->cert_pem, credential->secrets.cert_pem) ||
		     !cstr_eq(secrets->key_pem, credential->secrets.key_pem);
	exec_secrets_dispose(&credential->secrets);
	credential->secrets = *secrets;
	*secrets = (ExecSecrets){0};
	if (other && credential->started) {
		pthread_mutex_unlock(&credential->lock);
		credential->changed(credential->changed_arg);
		pthread_mutex_lock(&credential->lock);
	}
	credential->generation++;
}

/* The lock is held, but not while the command runs. */
static bool refresh(ExecCredential *credential, Error *err)
{
	ExecSecrets secrets = {0};
	int64_t due_ms = INT64_MAX;
	pthread_mutex_unlock(&credential->lock);
	bool ok = fetch(credential, &secrets, &due_ms, err);
	pthread_mutex_lock(&credential->lock);
	credential->ran_ms = clock_mono_ms();
	int64_t soonest_ms = credential->ran_ms + (ok ? SOONEST_MS : AGAIN_MS);
	credential->due_ms = due_ms > soonest_ms && ok ? due_ms : soonest_ms;
	credential->wanted = false;
	if (ok)
		take_secrets(credential, &secrets);
	pthread_cond_broadcast(&credential->woken);
	return ok;
}

static void *keep_fresh(void *arg)
{
	ExecCredential *credential = arg;
	pthread_mutex_lock(&credential->lock);
	while (!credential->stopping) {
		int64_t due_ms =
			credential->wanted ? credential->ran_ms + SOONEST_MS : credential->due_ms;
		if (due_ms > clock_mono_ms()) {
			cond_wait_until(&credential->woken, &credential->lock, due_ms);
			continue;
		}
		/* What it gave before stays in use; who is refused with it tells. */
		autoerror Error ignored = {0};
		refresh(credential, &ignored);
	}
	pthread_mutex_unlock(&credential->lock);
	return NULL;
}

/* Under the lock, so that the thread sees that it was started. */
static void start_thread(ExecCredential *credential)
{
	pthread_mutex_lock(&credential->lock);
	credential->started =
		pthread_create(&credential->thread, NULL, keep_fresh, credential) == 0;
	pthread_mutex_unlock(&credential->lock);
}

static bool check_exec(const ExecCredential *credential, Error *err)
{
	const char *version = json_text_or(credential->exec, "apiVersion", "");
	if (cstr_empty(json_text(credential->exec, "command"))) {
		err_set(err, ERR_INVALID, "no command is given");
		return failed(credential, "", err);
	}
	if (!cstr_eq(version, "client.authentication.k8s.io/v1") &&
	    !cstr_eq(version, "client.authentication.k8s.io/v1beta1")) {
		err_set(err, ERR_UNSUPPORTED, "apiVersion \"%s\" is not supported", version);
		return failed(credential, "", err);
	}
	if (cstr_eq(json_text(credential->exec, "interactiveMode"), "Always")) {
		err_set(err, ERR_UNSUPPORTED, "it must talk to a person (interactiveMode Always)");
		return failed(credential, "", err);
	}
	return true;
}

ExecCredential *exec_credential_start(const KubeConfig *config, void (*changed)(void *arg),
				      void *arg, Error *err)
{
	ExecCredential *credential = mem_zalloc(1, sizeof(*credential));
	credential->changed = changed;
	credential->changed_arg = arg;
	credential->config = (KubeConfig){.server = mem_strdup(config->server),
					  .ca_pem = mem_strdup(config->ca_pem),
					  .server_name = mem_strdup(config->server_name),
					  .proxy_url = mem_strdup(config->proxy_url),
					  .insecure_skip_verify = config->insecure_skip_verify,
					  .user = mem_strdup(config->user),
					  .exec = json_incref(config->exec)};
	credential->exec = credential->config.exec;
	credential->stop_fd = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&credential->lock, NULL);
	cond_init(&credential->woken);
	bool ok =
		credential->stop_fd >= 0 ? check_exec(credential, err) : err_errno(err, "eventfd");
	if (ok) {
		pthread_mutex_lock(&credential->lock);
		ok = refresh(credential, err);
		pthread_mutex_unlock(&credential->lock);
	}
	if (ok)
		start_thread(credential);
	if (ok)
		return credential;
	exec_credential_stop(credential);
	return NULL;
}

void exec_credential_stop(ExecCredential *credential)
{
	if (!credential)
		return;
	pthread_mutex_lock(&credential->lock);
	credential->stopping = true;
	pthread_cond_broadcast(&credential->woken);
	pthread_mutex_unlock(&credential->lock);
	eventfd_write(credential->stop_fd, 1);
	if (credential->started)
		pthread_join(credential->thread, NULL);
	exec_secrets_dispose(&credential->secrets);
	kube_config_dispose(&credential->config);
	auto_close(&credential->stop_fd);
	pthread_cond_destroy(&credential->woken);
	pthread_mutex_destroy(&credential->lock);
	free(credential);
}

char *exec_credential_token(ExecCredential *credential)
{
	pthread_mutex_lock(&credential->lock);
	char *token = mem_strdup(credential->secrets.token);
	pthread_mutex_unlock(&credential->lock);
	return token;
}

bool exec_credential_certificate(ExecCredential *credential, char **out_cert_pem,
				 char **out_key_pem)
{
	pthread_mutex_lock(&credential->lock);
	bool given = credential->secrets.cert_pem != NULL;
	if (given) {
		*out_cert_pem = mem_strdup(credential->secrets.cert_pem);
		*out_key_pem = mem_strdup(credential->secrets.key_pem);
	}
	pthread_mutex_unlock(&credential->lock);
	return given;
}

bool exec_credential_renew(ExecCredential *credential, int64_t wait_ms)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	pthread_mutex_lock(&credential->lock);
	uint64_t before = credential->generation;
	credential->wanted = true;
	pthread_cond_broadcast(&credential->woken);
	while (credential->generation == before && !credential->stopping && wait_ms > 0 &&
	       cond_wait_until(&credential->woken, &credential->lock, until_ms))
		;
	bool renewed = credential->generation != before;
	pthread_mutex_unlock(&credential->lock);
	return renewed;
}
