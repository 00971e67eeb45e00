#include "kube/exec.h"

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

enum {
	RUN_MS = 60000,
	OUTPUT_MAX = 1024 * 1024,
	SHOWN_MAX = 400,   /* of what the command says on its standard error */
	AGAIN_MS = 5000,   /* after a failure */
	SOONEST_MS = 1000, /* between any two runs */
	TOKEN_MAX = 64 * 1024,
};

struct ExecCredential {
	/* These never change. */
	KubeConfig config; /* only server, CA and the like, for provideClusterInfo */
	const json_t *exec;
	pthread_t thread;
	bool started;
	int stop_fd; /* readable when it is to stop */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	char *token;
	uint64_t generation; /* of the token */
	int64_t ran_ms;	     /* the last run's end, monotonic */
	int64_t due_ms;	     /* when the next is to begin */
	bool wanted, stopping;
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

static bool is_header_safe(const char *token)
{
	for (const char *c = token; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return false;
	return true;
}

static bool read_status(const ExecCredential *credential, const json_t *reply, char **out_token,
			int64_t *out_due_ms, Error *err)
{
	const char *version = json_text(credential->exec, "apiVersion");
	const json_t *status = json_map(reply, "status");
	const char *token = json_text(status, "token");
	int64_t expires_ms;
	if (!cstr_eq(json_text(reply, "kind"), "ExecCredential") ||
	    !cstr_eq(json_text(reply, "apiVersion"), version))
		return err_set(err, ERR_INVALID, "its output is no ExecCredential of %s", version);
	if (cstr_empty(token) && json_text(status, "clientCertificateData"))
		return err_set(err, ERR_UNSUPPORTED,
			       "client certificates from a command are not supported; one that "
			       "gives a token is");
	if (cstr_empty(token))
		return err_set(err, ERR_INVALID, "its output has no status.token");
	if (strlen(token) > TOKEN_MAX || !is_header_safe(token))
		return err_set(err, ERR_INVALID, "its status.token is not one");
	const char *expires = json_text(status, "expirationTimestamp");
	*out_due_ms = INT64_MAX;
	if (expires && !clock_parse(expires, &expires_ms))
		return err_set(err, ERR_INVALID, "its status.expirationTimestamp is not a time");
	if (expires)
		*out_due_ms = clock_mono_ms() + (expires_ms - clock_wall_ms());
	*out_token = mem_strdup(token);
	return true;
}

static bool run_command(const ExecCredential *credential, Buf *out, Error *err)
{
	autostrings Vec argv = {0}, env = {0};
	autobuf Buf errors = {0};
	int code = 0;
	make_argv(credential, &argv);
	make_env(credential, &env);
	buf_reserve(out, OUTPUT_MAX); /* growing would leave copies of the token behind */
	ChildSpec spec = {.argv = (const char *const *)argv.items,
			  .env = (const char *const *)env.items,
			  .timeout_ms = RUN_MS,
			  .cancel_fd = credential->stop_fd,
			  .max_output = OUTPUT_MAX};
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

static bool fetch(const ExecCredential *credential, char **out_token, int64_t *out_due_ms,
		  Error *err)
{
	autobuf Buf out = {0};
	autoerror Error cause = {0};
	bool ok = run_command(credential, &out, err);
	if (ok) {
		/* What the parser says could quote the output. */
		autojson json_t *reply = json_parse(buf_text(&out), out.len, OUTPUT_MAX, &cause);
		ok = reply ? read_status(credential, reply, out_token, out_due_ms, err)
			   : err_set(err, ERR_INVALID, "its output is not JSON");
		if (!ok)
			failed(credential, "", err);
	}
	mem_wipe(out.ptr, out.cap);
	return ok;
}

/* --- life --- */

/* The lock is held, but not while the command runs. */
static bool refresh(ExecCredential *credential, Error *err)
{
	char *token = NULL;
	int64_t due_ms = INT64_MAX;
	pthread_mutex_unlock(&credential->lock);
	bool ok = fetch(credential, &token, &due_ms, err);
	pthread_mutex_lock(&credential->lock);
	credential->ran_ms = clock_mono_ms();
	int64_t soonest_ms = credential->ran_ms + (ok ? SOONEST_MS : AGAIN_MS);
	credential->due_ms = due_ms > soonest_ms && ok ? due_ms : soonest_ms;
	credential->wanted = false;
	if (ok) {
		if (credential->token)
			mem_wipe(credential->token, strlen(credential->token));
		free(credential->token);
		credential->token = token;
		credential->generation++;
	}
	pthread_cond_broadcast(&credential->changed);
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
			cond_wait_until(&credential->changed, &credential->lock, due_ms);
			continue;
		}
		/* The old token stays in use; who is refused with it tells. */
		autoerror Error ignored = {0};
		refresh(credential, &ignored);
	}
	pthread_mutex_unlock(&credential->lock);
	return NULL;
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

ExecCredential *exec_credential_start(const KubeConfig *config, Error *err)
{
	ExecCredential *credential = mem_zalloc(1, sizeof(*credential));
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
	cond_init(&credential->changed);
	bool ok =
		credential->stop_fd >= 0 ? check_exec(credential, err) : err_errno(err, "eventfd");
	if (ok) {
		pthread_mutex_lock(&credential->lock);
		ok = refresh(credential, err);
		pthread_mutex_unlock(&credential->lock);
	}
	if (ok)
		credential->started =
			pthread_create(&credential->thread, NULL, keep_fresh, credential) == 0;
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
	pthread_cond_broadcast(&credential->changed);
	pthread_mutex_unlock(&credential->lock);
	eventfd_write(credential->stop_fd, 1);
	if (credential->started)
		pthread_join(credential->thread, NULL);
	if (credential->token)
		mem_wipe(credential->token, strlen(credential->token));
	free(credential->token);
	kube_config_dispose(&credential->config);
	auto_close(&credential->stop_fd);
	pthread_cond_destroy(&credential->changed);
	pthread_mutex_destroy(&credential->lock);
	free(credential);
}

char *exec_credential_token(ExecCredential *credential)
{
	pthread_mutex_lock(&credential->lock);
	char *token = mem_strdup(credential->token);
	pthread_mutex_unlock(&credential->lock);
	return token;
}

bool exec_credential_renew(ExecCredential *credential, int64_t wait_ms)
{
	int64_t until_ms = clock_mono_ms() + wait_ms;
	pthread_mutex_lock(&credential->lock);
	uint64_t before = credential->generation;
	credential->wanted = true;
	pthread_cond_broadcast(&credential->changed);
	while (credential->generation == before && !credential->stopping && wait_ms > 0 &&
	       cond_wait_until(&credential->changed, &credential->lock, until_ms))
		;
	bool renewed = credential->generation != before;
	pthread_mutex_unlock(&credential->lock);
	return renewed;
}
