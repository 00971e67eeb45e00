/* What the cluster needs before the controllers start: CRDs that are served, and the namespace. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "await.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "data/yaml.h"
#include "up_internal.h"

#define CRD_VERSION "apiextensions.k8s.io/v1"
#define CRD_KIND "CustomResourceDefinition"

enum { START_MS = 30000, LOOK_MS = 20, PROBE_MS = 2000, FILE_MAX = 4 * 1024 * 1024, FILES = 1000 };

/* GET that answers 200. */
static bool answers(HttpClient *http, const char *url, char *const *headers)
{
	autohttpresponse HttpResponse response = {0};
	autoerror Error err = {0};
	HttpRequest request = {
		.url = url, .headers = (const char *const *)headers, .timeout_ms = PROBE_MS};
	return httpc_do(http, &request, &response, &err) && response.status == 200;
}

/* Looks again and again, until it answers, a child ends, the user stops us or time is up. */
static bool wait_answer(Up *up, HttpClient *http, const char *url, char *const *headers, Error *err)
{
	int64_t deadline = clock_mono_ms() + START_MS;
	while (!answers(http, url, headers)) {
		if (!up_pause(up, LOOK_MS, err))
			return false;
		if (clock_mono_ms() > deadline)
			return err_set(err, ERR_TIMEOUT, "no answer from %s after %d s", url,
				       START_MS / 1000);
	}
	return true;
}

bool up_wait_healthy(Up *up, Loop *loop, const Child *child, Error *err)
{
	autohttpc HttpClient *http = httpc_new(loop, &(HttpClientConfig){0}, err);
	autofree char *url = mem_printf("http://127.0.0.1:%d/readyz", child->health);
	return http && wait_answer(up, http, url, NULL, err);
}

/* The API server writes its kubeconfig once it listens. */
static bool wait_file(Up *up, const char *path, Error *err)
{
	int64_t deadline = clock_mono_ms() + START_MS;
	while (access(path, R_OK) != 0) {
		if (!up_pause(up, LOOK_MS, err))
			return false;
		if (clock_mono_ms() > deadline)
			return err_set(err, ERR_TIMEOUT, "the API server did not start within %d s",
				       START_MS / 1000);
	}
	return true;
}

static KubeClient *connect_to(Up *up, Loop *loop, const char *path, Error *err)
{
	autokubeconfig KubeConfig config = {0};
	if (!wait_file(up, path, err) || !kube_config_find(path, NULL, &config, err))
		return NULL;
	autokubeclient KubeClient *client = kube_client_new(loop, &config, "sluice", err);
	if (!client)
		return NULL;
	autofree char *url = mem_printf("%s/readyz", kube_server(client));
	char **headers = kube_headers(client, "*/*", NULL);
	bool ready = wait_answer(up, kube_http(client), url, headers, err);
	kube_headers_free(headers);
	return ready ? steal(&client) : NULL;
}

static bool apply(KubeClient *client, const json_t *object, Error *err)
{
	KubeRequest request = {.verb = KUBE_APPLY, .body = object, .force = true};
	autojson json_t *done = kube_do(client, &request, err);
	return done ? true : err_wrap(err, "apply %s", object_name(object));
}

/* As deploy/kustomization.yaml labels them: `flux check` and `version` look for these. */
static void label(json_t *crd)
{
	json_t *labels = json_make_at(crd, "metadata", "labels", NULL);
	json_put_text(labels, "app.kubernetes.io/instance", "flux-system");
	json_put_text(labels, "app.kubernetes.io/part-of", "flux");
	json_put_text(labels, "app.kubernetes.io/version", "v" SLUICE_VERSION);
}

static bool apply_file(KubeClient *client, const char *dir, const char *name, Map *applied,
		       Error *err)
{
	autofree char *path = path_join(dir, name);
	autobuf Buf text = {0};
	autoyaml YamlStream stream = {0};
	if (!file_read(path, FILE_MAX, &text, err) ||
	    !yaml_parse_all(buf_text(&text), text.len, FILE_MAX, path, &stream, err))
		return false;
	for (size_t i = 0; i < stream.len; i++) {
		json_t *crd = stream.items[i].value;
		if (!cstr_eq(object_kind(crd), CRD_KIND))
			continue;
		label(crd);
		if (!apply(client, crd, err))
			return false;
		map_put(applied, object_name(crd), NULL);
	}
	return true;
}

/* applied: the names of all CRDs in the directory. */
static bool apply_crds(KubeClient *client, const char *dir, Map *applied, Error *err)
{
	autofd int fd = fd_open(dir, O_RDONLY | O_DIRECTORY, 0, err);
	autostrings Vec names = {0};
	if (fd < 0 || !dir_names(fd, FILES, &names, err))
		return false;
	for (size_t i = 0; i < names.len; i++)
		if (cstr_ends(names.items[i], ".yaml") &&
		    !apply_file(client, dir, names.items[i], applied, err))
			return false;
	return map_len(applied) ? true : err_set(err, ERR_NOT_FOUND, "no CRDs in %s", dir);
}

/* AwaitFn: arg is a Map of the names that are missing. */
static bool all_established(void *arg, InformerEvent event, const json_t *object)
{
	(void)event;
	if (object && cstr_eq(object_condition_status(object, "Established"), "True"))
		map_remove(arg, object_name(object));
	return map_len(arg) == 0;
}

static bool wait_established(Up *up, KubeClient *client, Map *missing, Error *err)
{
	int64_t deadline = clock_mono_ms() + START_MS;
	autoawait Await *await = await_start(client, &(AwaitConfig){.api_version = CRD_VERSION,
								    .kind = CRD_KIND,
								    .fn = all_established,
								    .arg = missing});
	while (!await_done(await, LOOK_MS)) {
		if (!up_pause(up, 0, err))
			return false;
		if (clock_mono_ms() > deadline)
			return err_set(err, ERR_TIMEOUT, "the CRDs are not served after %d s",
				       START_MS / 1000);
	}
	return true;
}

/* A copy that is there from when the cluster can be used, readable by its owner only. */
static bool publish(const Up *up, const char *path, Error *err)
{
	autobuf Buf text = {0};
	return file_read(path, FILE_MAX, &text, err) &&
	       file_write_atomic(up->kubeconfig, buf_text(&text), text.len, 0600, err);
}

bool up_cluster_prepare(Up *up, Loop *loop, Error *err)
{
	autofree char *path = path_join(up->dir, "apiserver/admin.kubeconfig");
	autokubeclient KubeClient *client = connect_to(up, loop, path, err);
	automap Map *names = map_new(NULL);
	if (!client || !apply_crds(client, up->crds, names, err) ||
	    !wait_established(up, client, names, err))
		return false;
	autojson json_t *ns = json_pack("{s:s,s:s,s:{s:s}}", "apiVersion", "v1", "kind",
					"Namespace", "metadata", "name", "flux-system");
	return apply(client, ns, err) && publish(up, path, err);
}
