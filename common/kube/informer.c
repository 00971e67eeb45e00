/*
 * One state machine on the loop's thread: RESOLVE the kind's path, then WATCH (the first time, and after
 * a 410, with the initial state as events), or LIST page by page where the server refuses that; any
 * failure waits with back-off and goes on at the last resourceVersion.
 */
#include "kube/informer.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"
#include "kube/informer_internal.h"
#include "net/retry.h"
#include "net/url.h"

enum {
	EVENT_MAX = 16 << 20,
	PAGE_MAX = 64 << 20,
	PAGE_LIMIT = 200,
	MIN_TIMEOUT_S = 300,
	IDLE_MS = 150000, /* bookmarks come each minute */
	CALL_MS = 60000,
	GOOD_FOR_MS = 120000, /* a stream that lived so long resets the back-off */
};

static const RetryPolicy policy = {.base_ms = 800, .max_ms = 30000, .jitter = 1.0};

typedef enum { STEP_RESOLVE, STEP_WATCH, STEP_LIST } Step;

struct Informer {
	KubeClient *client;
	char *api_version, *kind, *ns, *label_selector, *field_selector;
	bool metadata_only;
	void (*on_event)(void *arg, InformerEvent event, const json_t *object);
	void *arg;
	const Log *log;
	InformerStore store;

	/* loop's thread only */
	Step step;
	HttpCall *call;
	LoopTimer timer;
	char *path;       /* "/apis/G/V[/namespaces/NS]/PLURAL" */
	char *version;    /* resourceVersion to go on from; NULL: from the start */
	char *page_token; /* LIST: continue */
	bool no_watch_list;
	bool fell_back; /* the failure of this call was the server's no to the initial state */
	Map *present; /* keys told since a start from nothing; NULL otherwise */
	JsonStream stream;
	Buf body; /* RESOLVE and LIST */
	int status;
	int64_t started_ms;
	int failures;
	Error failure;

	pthread_mutex_t lock; /* guards `synced` */
	pthread_cond_t changed;
	bool synced;
};

static void begin(void *arg);

static void emit(Informer *informer, InformerEvent event, const json_t *object)
{
	informer->on_event(informer->arg, event, object);
}

static void put_object(Informer *informer, const json_t *object)
{
	autofree char *key = store_key(object);
	if (informer->present)
		map_put(informer->present, key, NULL);
	bool existed = store_put(&informer->store, key, object);
	emit(informer, existed ? INFORMER_MODIFIED : INFORMER_ADDED, object);
}

static void remove_object(Informer *informer, const json_t *object)
{
	autofree char *key = store_key(object);
	if (informer->present)
		map_remove(informer->present, key);
	if (store_remove(&informer->store, key))
		emit(informer, INFORMER_DELETED, object);
}

/* What the store has and a start from nothing did not tell is gone (kube-api.md 1.4.7). */
static void tell_vanished(Informer *informer)
{
	autostrings Vec missing = {0};
	store_missing(&informer->store, informer->present, &missing);
	for (size_t i = 0; i < missing.len; i++) {
		const char *key = missing.items[i];
		json_t *object = store_get(&informer->store, key);
		if (!object) {
			Str ns, name;
			str_cut(str_of(key), '/', &ns, &name);
			object = json_pack("{s:s,s:s,s:{s:s%,s:s%}}", "apiVersion",
					   informer->api_version, "kind", informer->kind, "metadata",
					   "namespace", ns.ptr, ns.len, "name", name.ptr, name.len);
		}
		store_remove(&informer->store, key);
		emit(informer, INFORMER_DELETED, object);
		json_decref(object);
	}
}

static void finish_start(Informer *informer)
{
	tell_vanished(informer);
	map_free(informer->present);
	informer->present = NULL;
	pthread_mutex_lock(&informer->lock);
	bool first = !informer->synced;
	informer->synced = true;
	pthread_cond_broadcast(&informer->changed);
	pthread_mutex_unlock(&informer->lock);
	if (first)
		emit(informer, INFORMER_SYNCED, NULL);
}

static void set_version(Informer *informer, const char *version)
{
	if (cstr_empty(version))
		return;
	free(informer->version);
	informer->version = mem_strdup(version);
}

static void start_over(Informer *informer)
{
	free(informer->version);
	free(informer->page_token);
	informer->version = informer->page_token = NULL;
}

/* A Status inside a stream of status 200: most often 410. */
static bool take_error_event(Informer *informer, const json_t *status)
{
	int code = (int)json_int(status, "code", 500);
	if (code == 410)
		start_over(informer);
	else if (informer->present && !informer->no_watch_list)
		informer->no_watch_list = informer->fell_back = true; /* an etcd too old for it */
	if (!err_is_set(&informer->failure))
		err_set(&informer->failure, err_code_of_http(code), "watch: %s",
			json_text_or(status, "message", "ended by the server"));
	return false;
}

static bool take_event(void *arg, const char *text, size_t len)
{
	Informer *informer = arg;
	autojson json_t *event = json_parse(text, len, EVENT_MAX, &informer->failure);
	const char *type = json_text_or(event, "type", "");
	const json_t *object = json_map(event, "object");
	if (!object)
		return false;
	if (cstr_eq(type, "ERROR"))
		return take_error_event(informer, object);
	if (cstr_eq(type, "BOOKMARK")) {
		set_version(informer, object_resource_version(object));
		if (informer->present && object_annotation(object, "k8s.io/initial-events-end"))
			finish_start(informer);
		return true;
	}
	if (cstr_eq(type, "DELETED"))
		remove_object(informer, object);
	else
		put_object(informer, object);
	/* Before the initial state is whole, its objects' versions are no place to go on from. */
	if (!informer->present)
		set_version(informer, object_resource_version(object));
	return true;
}

static bool on_head(void *arg, int status, const HttpResponse *head)
{
	(void)head;
	((Informer *)arg)->status = status;
	return true;
}

static bool on_data(void *arg, const char *bytes, size_t len)
{
	Informer *informer = arg;
	if (informer->step == STEP_WATCH && informer->status == 200)
		return json_stream_feed(&informer->stream, bytes, len, EVENT_MAX, take_event,
					informer, &informer->failure);
	return buf_append_limited(&informer->body, bytes, len, PAGE_MAX, &informer->failure);
}

static void again(Informer *informer, int64_t wait_ms)
{
	informer->timer = loop_after(kube_loop(informer->client), wait_ms, begin, informer);
}

/* Waits, longer each time; what is wrong is logged once it lasts. */
static void back_off(Informer *informer, const Error *cause)
{
	enum { WORTH_TELLING = 3 };
	if (clock_mono_ms() - informer->started_ms > GOOD_FOR_MS)
		informer->failures = 0;
	if (++informer->failures == WORTH_TELLING)
		log_error(informer->log, cause, "watch fails, it is tried again", "apiVersion",
			  informer->api_version, "kind", informer->kind, NULL);
	again(informer, retry_wait_ms(&policy, informer->failures, cause));
}

/* An HTTP status that is no 200. */
static void take_refusal(Informer *informer)
{
	autoerror Error cause = {0};
	int status = informer->status;
	bool from_start = !informer->version;
	if (status == 410) {
		start_over(informer);
		again(informer, 0);
		return;
	}
	if (informer->step == STEP_WATCH && from_start && !informer->no_watch_list &&
	    (status == 400 || status == 422)) {
		informer->no_watch_list = true;
		again(informer, 0);
		return;
	}
	/* Not served (any more): the kind's CRD may come, or come back. */
	if (status == 404) {
		free(informer->path);
		informer->path = NULL;
	}
	err_set(&cause, err_code_of_http(status), "the server answered %d to the watch of %s", status,
		informer->kind);
	back_off(informer, &cause);
}

static bool take_resources(Informer *informer, Error *err)
{
	autojson json_t *list =
		json_parse(buf_text(&informer->body), informer->body.len, PAGE_MAX, err);
	size_t i;
	json_t *item;
	json_array_foreach(json_list(list, "resources"), i, item)
	{
		const char *name = json_text_or(item, "name", "");
		if (!cstr_eq(json_text(item, "kind"), informer->kind) || strchr(name, '/'))
			continue;
		bool namespaced = json_flag(item, "namespaced", false) && informer->ns;
		informer->path = mem_printf(
			"/%s/%s%s%s/%s", strchr(informer->api_version, '/') ? "apis" : "api",
			informer->api_version, namespaced ? "/namespaces/" : "",
			namespaced ? informer->ns : "", name);
		return true;
	}
	return list ? err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\"", informer->kind)
		    : false;
}

static bool take_page(Informer *informer, Error *err)
{
	autojson json_t *list =
		json_parse(buf_text(&informer->body), informer->body.len, PAGE_MAX, err);
	if (!list)
		return false;
	size_t i;
	json_t *item;
	json_array_foreach(json_list(list, "items"), i, item)
	{
		/* Items of built-in kinds come without their kind. */
		json_put_text(item, "apiVersion", informer->api_version);
		json_put_text(item, "kind", informer->kind);
		put_object(informer, item);
	}
	free(informer->page_token);
	informer->page_token = mem_strdup(json_text_at(list, "metadata", "continue", NULL));
	if (!cstr_empty(informer->page_token))
		return true;
	start_over(informer);
	set_version(informer, json_text_at(list, "metadata", "resourceVersion", NULL));
	finish_start(informer);
	return true;
}

static void on_end(void *arg, const Error *err)
{
	Informer *informer = arg;
	informer->call = NULL;
	if (err->code == ERR_CANCELLED && !err_is_set(&informer->failure) && informer->status == 0)
		return; /* stopped */
	autoerror Error cause = {0};
	if (err_is_set(&informer->failure))
		err_move(&cause, &informer->failure);
	else if (err_is_set(err))
		err_copy(&cause, err);
	if (!err_is_set(&cause) && informer->status != 200) {
		take_refusal(informer);
		return;
	}
	if (informer->fell_back) {
		informer->fell_back = false;
		again(informer, 0);
		return;
	}
	bool ok = !err_is_set(&cause);
	if (ok && informer->step == STEP_RESOLVE)
		ok = take_resources(informer, &cause);
	else if (ok && informer->step == STEP_LIST)
		ok = take_page(informer, &cause);
	if (!ok) {
		back_off(informer, &cause);
		return;
	}
	informer->failures = 0;
	again(informer, 0);
}

static void add_param(Buf *url, const char *name, const char *value)
{
	if (!value)
		return;
	autofree char *escaped = url_escape(value, false);
	buf_printf(url, "&%s=%s", name, escaped);
}

static char *watch_url(const Informer *informer)
{
	Buf url = {0};
	buf_printf(&url, "%s%s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d",
		   kube_server(informer->client), informer->path,
		   MIN_TIMEOUT_S + (int)rand_below(MIN_TIMEOUT_S));
	if (informer->version)
		add_param(&url, "resourceVersion", informer->version);
	else
		buf_puts(&url, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
	add_param(&url, "labelSelector", informer->label_selector);
	add_param(&url, "fieldSelector", informer->field_selector);
	return buf_steal(&url);
}

static char *list_url(const Informer *informer)
{
	Buf url = {0};
	buf_printf(&url, "%s%s?limit=%d", kube_server(informer->client), informer->path, PAGE_LIMIT);
	add_param(&url, "continue", informer->page_token);
	add_param(&url, "labelSelector", informer->label_selector);
	add_param(&url, "fieldSelector", informer->field_selector);
	return buf_steal(&url);
}

static char *next_url(Informer *informer)
{
	if (!informer->path) {
		informer->step = STEP_RESOLVE;
		return mem_printf("%s/%s/%s", kube_server(informer->client),
				  strchr(informer->api_version, '/') ? "apis" : "api",
				  informer->api_version);
	}
	bool lists = !informer->version && informer->no_watch_list;
	informer->step = lists ? STEP_LIST : STEP_WATCH;
	if (!informer->version && !informer->page_token) {
		map_free(informer->present);
		informer->present = map_new(NULL);
	}
	return lists ? list_url(informer) : watch_url(informer);
}

static const char *accept_of(const Informer *informer)
{
	if (!informer->metadata_only || informer->step == STEP_RESOLVE)
		return "application/json";
	return informer->step == STEP_LIST
		       ? "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
		       : "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
}

static void begin(void *arg)
{
	static const HttpHandler handler = {on_head, on_data, on_end};
	Informer *informer = arg;
	informer->timer = 0;
	informer->status = 0;
	informer->started_ms = clock_mono_ms();
	buf_dispose(&informer->body);
	json_stream_reset(&informer->stream);
	autofree char *url = next_url(informer);
	char **headers = kube_headers(informer->client, accept_of(informer), NULL);
	bool watches = informer->step == STEP_WATCH;
	informer->call = httpc_start(kube_http(informer->client),
				     &(HttpRequest){.url = url,
						    .headers = (const char *const *)headers,
						    .timeout_ms = watches ? 0 : CALL_MS,
						    .idle_timeout_ms = watches ? IDLE_MS : 0},
				     &handler, informer);
	kube_headers_free(headers);
}

Informer *informer_start(KubeClient *client, const InformerConfig *config)
{
	Informer *informer = mem_zalloc(1, sizeof(*informer));
	informer->client = client;
	informer->api_version = mem_strdup(config->api_version);
	informer->kind = mem_strdup(config->kind);
	informer->ns = mem_strdup(config->ns);
	informer->label_selector = mem_strdup(config->label_selector);
	informer->field_selector = mem_strdup(config->field_selector);
	informer->metadata_only = config->metadata_only;
	informer->on_event = config->on_event;
	informer->arg = config->arg;
	informer->log = config->log;
	store_init(&informer->store, config->keep_objects);
	pthread_mutex_init(&informer->lock, NULL);
	pthread_cond_init(&informer->changed, NULL);
	loop_post(kube_loop(client), begin, informer);
	return informer;
}

/* On the loop's thread: nothing of this informer runs afterwards. */
static void end_on_loop(void *arg)
{
	Informer *informer = arg;
	informer->status = 0;
	error_dispose(&informer->failure);
	if (informer->call)
		httpc_cancel(informer->call);
	if (informer->timer)
		loop_cancel(kube_loop(informer->client), informer->timer);
}

void informer_stop(Informer *informer)
{
	loop_call(kube_loop(informer->client), end_on_loop, informer);
	store_dispose(&informer->store);
	map_free(informer->present);
	json_stream_dispose(&informer->stream);
	buf_dispose(&informer->body);
	error_dispose(&informer->failure);
	pthread_cond_destroy(&informer->changed);
	pthread_mutex_destroy(&informer->lock);
	char *const texts[] = {informer->api_version, informer->kind,    informer->ns,
			       informer->label_selector, informer->field_selector,
			       informer->path, informer->version, informer->page_token};
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	free(informer);
}

bool informer_is_synced(const Informer *informer)
{
	Informer *self = (Informer *)(uintptr_t)informer;
	pthread_mutex_lock(&self->lock);
	bool synced = informer->synced;
	pthread_mutex_unlock(&self->lock);
	return synced;
}

bool informer_wait(Informer *informer, int64_t timeout_ms)
{
	int64_t deadline = clock_wall_ms() + timeout_ms;
	struct timespec at = {.tv_sec = deadline / 1000, .tv_nsec = (deadline % 1000) * 1000000};
	pthread_mutex_lock(&informer->lock);
	while (!informer->synced &&
	       pthread_cond_timedwait(&informer->changed, &informer->lock, &at) == 0)
		;
	bool synced = informer->synced;
	pthread_mutex_unlock(&informer->lock);
	return synced;
}

json_t *informer_get(Informer *informer, const char *ns, const char *name)
{
	autofree char *key = mem_printf("%s/%s", ns ? ns : "", name);
	return store_get(&informer->store, key);
}

void informer_put(Informer *informer, const json_t *object)
{
	autofree char *key = store_key(object);
	autojson json_t *known = store_get(&informer->store, key);
	/* An object that the watch has not told of, or has told to be gone, is not brought in here. */
	if (known)
		store_put(&informer->store, key, object);
}

void informer_each(Informer *informer, bool (*fn)(void *arg, const json_t *object), void *arg)
{
	autostrings Vec keys = {0};
	store_missing(&informer->store, NULL, &keys);
	for (size_t i = 0; i < keys.len; i++) {
		autojson json_t *object = store_get(&informer->store, keys.items[i]);
		if (object && !fn(arg, object))
			return;
	}
}

size_t informer_count(const Informer *informer)
{
	return store_count(&((Informer *)(uintptr_t)informer)->store);
}
