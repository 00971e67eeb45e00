/*
 * What an informer does on the loop's thread (kube-api.md 1.4), one step at a time:
 *
 *	resolve -> WatchList, or pages -> watch -> (end, cut) -> watch where it stopped
 *	                ^                                     -> (410) the whole state again
 *
 * The store is brought up to date object by object also during a listing; what the listing did not
 * have is gone at its end. So a listing that breaks off has told nothing wrong.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"
#include "kube/informer_internal.h"
#include "net/retry.h"

enum {
	PAGE = 200,
	WATCH_MIN_S = 300,
	WATCH_SPREAD_S = 300,
	IDLE_SLACK_MS = 30000,
	CALL_TIMEOUT_MS = 60000,
	HEALTHY_MS = 5000,   /* a stream that lived so long is taken up again at once */
	PATIENCE_MS = 3000,  /* with a stream that is to begin with the state and tells nothing */
	TOO_SHORT_MS = 1000, /* as often a stream is taken up, whoever ends it */
	GONE_MS = 30000,
	MAX_ERROR_BODY = 64 * 1024,
	ERRORS_PER_LOG = 20,
	BACKOFF_MAX_MS = 30000,
	ABSENCE_MAX_MS = 5000, /* a try at a server that is not there costs it nothing */
};

static const char accept_plain[] = "application/json";
static const char accept_metadata[] =
	"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
static const char accept_metadata_list[] =
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/* --- what comes next --- */

static void informer_step(void *arg);

static void step_after(Informer *informer, int64_t wait_ms)
{
	informer->phase = INFORMER_IDLE;
	informer->timer = loop_after(kube_loop(informer->client), wait_ms, informer_step, informer);
}

static int64_t backoff(const Informer *informer, const Error *err)
{
	const RetryPolicy policy = {
		.base_ms = informer->config.backoff_ms ? informer->config.backoff_ms : 800,
		.max_ms = kube_client_is_away(informer->client) ? ABSENCE_MAX_MS : BACKOFF_MAX_MS,
		.factor = 2,
		.jitter = 1};
	return retry_wait_ms(&policy, informer->failures, err);
}

/* The first failure of a row is worth a line, and then some. */
static void log_failure(const Informer *informer, const Error *err)
{
	if (informer->failures % ERRORS_PER_LOG == 1)
		log_error(informer->config.log, err, "watch failed, it will be tried again", "kind",
			  informer->config.kind, "apiVersion", informer->config.api_version, NULL);
}

static void forget_state(Informer *informer)
{
	free(steal(&informer->resource_version));
	free(steal(&informer->continue_token));
}

/* A server whose etcd is too old says so by a 500 in an ERROR event. */
static bool refuses_watch_list(const Informer *informer, const Error *err)
{
	int status = err->http_status;
	if (informer->status == 200 && status == 500)
		return true;
	return status >= 400 && status < 500 && status != 401 && status != 403 && status != 404 &&
	       status != 410 && status != 429;
}

static void note_refusal(Informer *informer, const Error *err)
{
	if (err->code != ERR_NOT_FOUND && err->code != ERR_FORBIDDEN)
		return;
	pthread_mutex_lock(&informer->lock);
	informer->refused = true;
	pthread_cond_broadcast(&informer->changed);
	pthread_mutex_unlock(&informer->lock);
}

/* Draws conclusions from a failure and plans the next try. */
static void fail(Informer *informer, const Error *err)
{
	bool was_listing = informer->phase == INFORMER_LISTING;
	informer->failures++;
	if (err->code == ERR_GONE) {
		informer->no_pages = was_listing;
		forget_state(informer);
		/* The state is old, not the server ill: ask at once, unless it goes on like this.
		 */
		bool again = informer->gone_ms && clock_mono_ms() - informer->gone_ms < GONE_MS;
		informer->gone_ms = clock_mono_ms();
		step_after(informer, again ? backoff(informer, err) : 0);
		return;
	}
	if (err->code == ERR_NOT_FOUND && informer->path) {
		discovery_forget(informer->client, informer->config.api_version);
		free(steal(&informer->path));
		forget_state(informer);
	}
	if (informer->initial && refuses_watch_list(informer, err)) {
		informer->no_watch_list = true;
		step_after(informer, 0);
		return;
	}
	log_failure(informer, err);
	note_refusal(informer, err);
	informer->for_server = !err->http_status || kube_client_is_away(informer->client);
	step_after(informer, backoff(informer, err));
}

/* Another request was answered (reach.c). What this one was told meanwhile was no server's word. */
static void server_is_back(void *arg)
{
	Informer *informer = arg;
	if (informer->phase != INFORMER_IDLE || !informer->for_server)
		return;
	loop_cancel(kube_loop(informer->client), informer->timer);
	informer->failures = 0;
	step_after(informer, 0);
}

/* --- telling --- */

static void tell(Informer *informer, InformerEvent event, const json_t *object)
{
	if (informer->config.on_event)
		informer->config.on_event(informer->config.arg, event, object);
}

static void name_kind(const Informer *informer, json_t *object)
{
	list_name_kind(object, informer->config.api_version, informer->config.kind, true);
}

static void tell_gone(void *arg, json_t *object)
{
	name_kind(arg, object);
	tell(arg, INFORMER_DELETED, object);
}

static void update(Informer *informer, json_t *object, bool listing)
{
	name_kind(informer, object);
	StoreChange change = informer_store_update(&informer->store, object, listing);
	if (change != STORE_SAME)
		tell(informer, change == STORE_NEW ? INFORMER_ADDED : INFORMER_MODIFIED, object);
}

/* All of a listing has been told. */
static void end_listing(Informer *informer)
{
	informer_store_end_listing(&informer->store, tell_gone, informer);
	informer->initial = false;
	informer->no_pages = false;
	informer->failures = 0;
	pthread_mutex_lock(&informer->lock);
	bool first = !informer->synced;
	informer->synced = true;
	pthread_cond_broadcast(&informer->changed);
	pthread_mutex_unlock(&informer->lock);
	if (first)
		tell(informer, INFORMER_SYNCED, NULL);
}

static void note_version(Informer *informer, const char *version)
{
	if (cstr_empty(version) || cstr_eq(version, informer->resource_version))
		return;
	free(informer->resource_version);
	informer->resource_version = mem_strdup(version);
}

/* --- events of a stream --- */

static bool on_bookmark(Informer *informer, const json_t *object)
{
	if (informer->initial &&
	    cstr_eq(object_annotation(object, "k8s.io/initial-events-end"), "true"))
		end_listing(informer);
	/* Before that the version is one that the rest of the state may be older than. */
	if (!informer->initial)
		note_version(informer, object_resource_version(object));
	return true;
}

static bool on_object(Informer *informer, bool deleted, json_t *object)
{
	if (!object_name(object)[0])
		return true; /* nothing that we could keep or tell */
	if (deleted) {
		name_kind(informer, object);
		if (informer_store_remove(&informer->store, object))
			tell(informer, INFORMER_DELETED, object);
	} else {
		update(informer, object, informer->initial);
	}
	informer->events++;
	if (informer->initial)
		return true;
	informer->failures = 0;
	note_version(informer, object_resource_version(object));
	return true;
}

static bool on_event(void *arg, const char *text, size_t len, Error *err)
{
	Informer *informer = arg;
	autojson json_t *event = json_parse(text, len, WATCH_MAX_EVENT, err);
	if (!event)
		return err_wrap(err, "watch event");
	const char *type = json_text_or(event, "type", "");
	json_t *object = json_map(event, "object");
	if (cstr_eq(type, "ERROR"))
		return reply_status_error(object, 0, 0, err);
	if (cstr_eq(type, "BOOKMARK"))
		return on_bookmark(informer, object);
	bool deleted = cstr_eq(type, "DELETED");
	if (!object || (!deleted && !cstr_eq(type, "ADDED") && !cstr_eq(type, "MODIFIED")))
		return true; /* a type of the future */
	return on_object(informer, deleted, object);
}

/* --- the stream --- */

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	Informer *informer = arg;
	informer->status = status;
	informer->retry_after_ms = http_response_retry_after_ms(head);
	kube_count(informer->client, "WATCH", status, NULL);
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	Informer *informer = arg;
	autoerror Error ignored = {0};
	if (informer->status != 200)
		return buf_append_limited(&informer->error_body, bytes, len, MAX_ERROR_BODY,
					  &ignored);
	return watch_stream_feed(&informer->stream, bytes, len, WATCH_MAX_EVENT, on_event, informer,
				 &informer->stream_error);
}

/* Why the stream ended, in *out; ERR_NONE: as it should. */
static void end_reason(Informer *informer, const Error *failure, Error *out)
{
	if (err_is_set(&informer->stream_error)) {
		err_move(out, &informer->stream_error);
	} else if (informer->status && informer->status != 200) {
		autojson json_t *none = reply_object(informer->status, informer->retry_after_ms,
						     &informer->error_body, out);
		if (none) /* a 2xx that is no stream */
			err_set(out, ERR_UNAVAILABLE, "watch: the API server answered %d",
				informer->status);
	} else if (err_is_set(failure)) {
		err_copy(out, failure);
	} else if (!informer->events && clock_mono_ms() - informer->started_ms < TOO_SHORT_MS) {
		err_set(out, ERR_UNAVAILABLE, "the watch ended at once");
	}
}

static void on_stream_failure(Informer *informer, const Error *err, bool was_healthy)
{
	if (err->http_status == 401)
		credential_refresh(informer->client, 0);
	/* The version is of a future that was lost with etcd's data. */
	if (strstr(err_text(err), "Too large resource version"))
		forget_state(informer);
	bool cut = err->code == ERR_UNAVAILABLE && !err->http_status;
	if (cut && was_healthy) {
		reach_lost(informer->client);
		step_after(informer, 0);
		return;
	}
	fail(informer, err);
}

/* A server that must ask etcd how far it is, and has one that cannot tell, lets a watch that begins
 * with the state wait for a minute and says nothing meanwhile: a list has it at once. */
static void lose_patience(void *arg)
{
	Informer *informer = arg;
	informer->patience = 0;
	if (!informer->initial || !informer->http)
		return;
	if (informer->events != informer->seen) {
		informer->seen = informer->events;
		informer->patience = loop_after(kube_loop(informer->client), PATIENCE_MS,
						lose_patience, informer);
		return;
	}
	informer->no_watch_list = informer->given_up = true;
	httpc_cancel(informer->http);
}

static void on_end(void *arg, const Error *failure)
{
	Informer *informer = arg;
	informer->http = NULL;
	if (informer->phase == INFORMER_STOPPED)
		return;
	loop_cancel(kube_loop(informer->client), informer->patience);
	informer->patience = 0;
	if (informer->given_up) {
		informer->given_up = false;
		step_after(informer, 0);
		return;
	}
	if (!informer->status)
		kube_count(informer->client, "WATCH", 0, failure);
	autoerror Error err = {0};
	end_reason(informer, failure, &err);
	int64_t lived_ms = clock_mono_ms() - informer->started_ms;
	bool was_healthy = informer->status == 200 && lived_ms > HEALTHY_MS;
	if (was_healthy)
		informer->failures = 0;
	/* A server that leaves the end of the initial events out would never let us sync. */
	if (informer->initial && !err_is_set(&err))
		informer->no_watch_list = true;
	if (err_is_set(&err))
		on_stream_failure(informer, &err, was_healthy);
	else
		step_after(informer, lived_ms < TOO_SHORT_MS ? TOO_SHORT_MS - lived_ms : 0);
}

static void reset_stream(Informer *informer)
{
	watch_stream_dispose(&informer->stream);
	buf_dispose(&informer->error_body);
	error_dispose(&informer->stream_error);
	informer->status = 0;
	informer->retry_after_ms = 0;
	informer->events = 0;
	informer->started_ms = clock_mono_ms();
}

static void add_selectors(const Informer *informer, Buf *url)
{
	query_add(url, "labelSelector", informer->config.label_selector);
	query_add(url, "fieldSelector", informer->config.field_selector);
}

static char *watch_url(const Informer *informer, int64_t timeout_s)
{
	autobuf Buf url = {0};
	autofree char *timeout = mem_printf("%lld", (long long)timeout_s);
	buf_printf(&url, "%s%s", kube_server(informer->client), informer->path);
	query_add(&url, "watch", "true");
	query_add(&url, "allowWatchBookmarks", "true");
	query_add(&url, "timeoutSeconds", timeout);
	if (informer->initial) {
		query_add(&url, "sendInitialEvents", "true");
		query_add(&url, "resourceVersionMatch", "NotOlderThan");
	} else {
		query_add(&url, "resourceVersion", informer->resource_version);
	}
	add_selectors(informer, &url);
	return buf_steal(&url);
}

static void start_stream(Informer *informer)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	int64_t timeout_s = WATCH_MIN_S + (int64_t)rand_below(WATCH_SPREAD_S);
	informer->phase = INFORMER_WATCHING;
	reset_stream(informer);
	informer->seen = 0;
	if (informer->initial)
		informer->patience = loop_after(kube_loop(informer->client), PATIENCE_MS,
						lose_patience, informer);
	autofree char *url = watch_url(informer, timeout_s);
	char **headers =
		kube_headers(informer->client,
			     informer->config.metadata_only ? accept_metadata : accept_plain, NULL);
	informer->http =
		httpc_start(kube_http(informer->client),
			    &(HttpRequest){.url = url,
					   .headers = (const char *const *)headers,
					   .idle_timeout_ms = timeout_s * 1000 + IDLE_SLACK_MS},
			    &handler, informer);
	kube_headers_free(headers);
}

/* --- pages --- */

static const char *list_version(const json_t *page)
{
	return json_text(json_map(page, "metadata"), "resourceVersion");
}

static void on_page(void *arg, json_t *page, const Error *err)
{
	Informer *informer = arg;
	informer->call = NULL;
	if (!page) {
		fail(informer, err);
		return;
	}
	size_t i;
	json_t *item;
	json_array_foreach(json_list(page, "items"), i, item)
	{
		if (object_name(item)[0])
			update(informer, item, true);
	}
	const char *next = json_text(json_map(page, "metadata"), "continue");
	free(informer->continue_token);
	informer->continue_token = cstr_empty(next) ? NULL : mem_strdup(next);
	informer->failures = 0;
	if (!informer->continue_token) {
		end_listing(informer);
		note_version(informer, list_version(page));
	}
	step_after(informer, 0);
}

static void start_page(Informer *informer)
{
	autobuf Buf path = {0};
	autofree char *limit = mem_printf("%d", PAGE);
	informer->phase = INFORMER_LISTING;
	if (!informer->continue_token)
		informer_store_begin_listing(&informer->store);
	buf_puts(&path, informer->path);
	query_add(&path, "limit", informer->no_pages ? NULL : limit);
	query_add(&path, "continue", informer->continue_token);
	add_selectors(informer, &path);
	informer->call = kube_call_start(informer->client,
					 &(KubeCallSpec){.verb = "LIST",
							 .path = buf_text(&path),
							 .accept = informer->config.metadata_only
									   ? accept_metadata_list
									   : accept_plain,
							 .timeout_ms = CALL_TIMEOUT_MS},
					 on_page, informer);
}

/* --- discovery --- */

static void resolve(Informer *informer, const KubeResource *resource)
{
	const InformerConfig *config = &informer->config;
	informer->path = resource_path(config->api_version, resource, config->ns, NULL, NULL);
}

static bool resolve_known(Informer *informer)
{
	const InformerConfig *config = &informer->config;
	KubeResource resource;
	bool known =
		discovery_known(informer->client, config->api_version, config->kind, &resource);
	if (known)
		resolve(informer, &resource);
	return known;
}

static void on_document(void *arg, json_t *document, const Error *err)
{
	Informer *informer = arg;
	const InformerConfig *config = &informer->config;
	KubeResource resource;
	informer->call = NULL;
	if ((document || err->code == ERR_NOT_FOUND) &&
	    discovery_learn(informer->client, config->api_version, config->kind, document,
			    informer->generation, &resource)) {
		resolve(informer, &resource);
		informer_step(informer);
		return;
	}
	autoerror Error no_match = {0};
	err_set(&no_match, ERR_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\"",
		config->kind, config->api_version);
	fail(informer, document ? &no_match : err);
}

static void start_resolving(Informer *informer)
{
	autofree char *path = discovery_path(informer->config.api_version);
	informer->phase = INFORMER_RESOLVING;
	informer->generation = discovery_generation(informer->client);
	informer->call = kube_call_start(
		informer->client,
		&(KubeCallSpec){.verb = "GET", .path = path, .timeout_ms = CALL_TIMEOUT_MS},
		on_document, informer);
}

/* --- */

static void informer_step(void *arg)
{
	Informer *informer = arg;
	informer->timer = 0;
	informer->for_server = false;
	if (!informer->path && !resolve_known(informer)) {
		start_resolving(informer);
		return;
	}
	informer->initial = !informer->resource_version && !informer->no_watch_list;
	if (informer->initial)
		informer_store_begin_listing(&informer->store);
	if (informer->initial || informer->resource_version)
		start_stream(informer);
	else
		start_page(informer);
}

void informer_begin(void *arg)
{
	Informer *informer = arg;
	kube_client_on_return(informer->client, server_is_back, informer);
	informer_step(informer);
}

void informer_halt(Informer *informer)
{
	Loop *loop = kube_loop(informer->client);
	informer->phase = INFORMER_STOPPED;
	kube_client_off_return(informer->client, server_is_back, informer);
	loop_cancel(loop, informer->start);
	loop_cancel(loop, informer->timer);
	loop_cancel(loop, informer->patience);
	if (informer->call)
		kube_call_cancel(informer->call);
	if (informer->http)
		httpc_cancel(informer->http);
}
