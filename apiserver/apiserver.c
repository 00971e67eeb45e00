/* Start and stop. Order: files, store, hub, catalog, seeds, collector, then the door opens. */
#include "apiserver.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/rand.h"
#include "collector.h"
#include "data/base64.h"
#include "data/digest.h"
#include "router.h"
#include "seed.h"
#include "server.h"
#include "tls.h"

enum {
	TOKEN_BYTES = 24,
	TOKEN_FILE_MAX = 4096,
	DRAIN_MS = 2000,
	THREADS = 8,
	KEEP_REVISIONS_MS = 300000,
};

/* The host of "127.0.0.1:6443", "[::1]:6443", ":6443"; owned. */
static char *host_of(const char *address)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : strlen(address);
	if (len >= 2 && address[0] == '[')
		return mem_strndup(address + 1, len - 2);
	return len ? mem_strndup(address, len) : mem_strdup("127.0.0.1");
}

static char *load_token(const char *dir, Error *err)
{
	autofree char *path = path_join(dir, "admin.token");
	autobuf Buf text = {0};
	autoerror Error read_err = {0};
	if (file_read(path, TOKEN_FILE_MAX, &text, &read_err))
		return str_dup(str_trim(buf_str(&text)));
	if (read_err.code != ERR_NOT_FOUND) {
		err_move(err, &read_err);
		return NULL;
	}
	unsigned char bytes[TOKEN_BYTES];
	rand_bytes(bytes, sizeof(bytes));
	char token[2 * TOKEN_BYTES + 1];
	hex_encode(bytes, sizeof(bytes), token);
	if (!file_write_atomic(path, token, strlen(token), 0600, err))
		return NULL;
	return mem_strdup(token);
}

static const char kubeconfig_text[] =
	"apiVersion: v1\nkind: Config\ncurrent-context: sluice\nclusters:\n- name: sluice\n"
	"  cluster:\n    server: %s\n%s%s%scontexts:\n- name: sluice\n  context:\n"
	"    cluster: sluice\n    user: admin\nusers:\n- name: admin\n  user:\n    token: %s\n";

static bool write_kubeconfig(const ApiServer *server, const char *out, Error *err)
{
	autofree char *inner = path_join(server->data_dir, "admin.kubeconfig");
	autofree char *ca =
		server->ca_pem ? base64_encode(server->ca_pem, strlen(server->ca_pem)) : NULL;
	autofree char *text = mem_printf(kubeconfig_text, server->url,
					 ca ? "    certificate-authority-data: " : "", ca ? ca : "",
					 ca ? "\n" : "", server->token);
	return file_write_atomic(out ? out : inner, text, strlen(text), 0600, err);
}

static bool open_door(ApiServer *server, const ApiServerConfig *config, Error *err)
{
	autofree char *host = host_of(config->bind_address);
	TlsFiles tls = {0};
	if (!config->plain_http && !tls_files_load(config->data_dir, host, &tls, err))
		return false;
	HttpdConfig httpd = {
		.address = config->bind_address,
		.handler = router_handle,
		.arg = server,
		.threads = config->threads ? config->threads : THREADS,
		.cert_pem = tls.cert_pem,
		.key_pem = tls.key_pem,
		.client_ca_pem = tls.ca_pem,
	};
	server->ca_pem = mem_strdup(tls.ca_pem);
	server->httpd = httpd_start(&httpd, err);
	tls_files_dispose(&tls);
	if (!server->httpd)
		return false;
	bool v6 = strchr(host, ':') != NULL;
	bool any = strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
	server->url = mem_printf("%s://%s%s%s:%d", config->plain_http ? "http" : "https",
				 v6 && !any ? "[" : "", any ? "127.0.0.1" : host,
				 v6 && !any ? "]" : "", httpd_port(server->httpd));
	return write_kubeconfig(server, config->kubeconfig, err);
}

static bool start(ApiServer *server, const ApiServerConfig *config, Error *err)
{
	if (!dir_make(config->data_dir, 0700, err))
		return false;
	server->token = load_token(config->data_dir, err);
	if (!server->token)
		return false;
	server->auth = auth_new(config->data_dir, config->token_file, server->token, err);
	server->store = server->auth ? store_open(config->data_dir, err) : NULL;
	if (!server->store)
		return false;
	server->catalog = catalog_new();
	server->hub = hub_new(server->store);
	store_on_change(server->store, hub_publish, server->hub);
	if (!seed_catalog(server, err) || !seed_store(server, err) ||
	    !open_door(server, config, err))
		return false;
	server->collector = collector_new(server);
	__atomic_store_n(&server->ready, 1, __ATOMIC_SEQ_CST);
	return true;
}

ApiServer *apiserver_start(const ApiServerConfig *config, Error *err)
{
	ApiServer *server = mem_zalloc(1, sizeof(*server));
	server->log = config->log;
	server->data_dir = mem_strdup(config->data_dir);
	server->simulate = config->simulate;
	server->simulate_delay_ms = config->simulate_delay_ms;
	server->keep_revisions_ms =
		config->keep_revisions_ms > 0 ? config->keep_revisions_ms : KEEP_REVISIONS_MS;
	if (start(server, config, err))
		return server;
	apiserver_stop(server);
	return NULL;
}

void apiserver_stop(ApiServer *server)
{
	__atomic_store_n(&server->ready, 0, __ATOMIC_SEQ_CST);
	if (server->httpd)
		httpd_stop(server->httpd, DRAIN_MS);
	if (server->hub) /* it tells the collector */
		hub_stop(server->hub);
	if (server->collector)
		collector_free(server->collector);
	if (server->hub)
		hub_free(server->hub);
	if (server->store)
		store_close(server->store);
	if (server->catalog)
		catalog_free(server->catalog);
	if (server->auth)
		auth_free(server->auth);
	if (server->token)
		mem_wipe(server->token, strlen(server->token));
	free(server->token);
	free(server->ca_pem);
	free(server->url);
	free(server->data_dir);
	free(server);
}

const char *apiserver_url(const ApiServer *server)
{
	return server->url;
}
