/*
 * Reads. A plain list without selectors is put together from stored texts without parsing them;
 * that is what informers ask for. Pages carry a continue token {v, rv, start} and share one
 * snapshot.
 */
#include "read.h"

#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "data/base64.h"
#include "data/selector.h"
#include "fields.h"
#include "object.h"
#include "server.h"
#include "view.h"
#include "write.h"

enum { LIMIT_MAX = 100000, WATCH_MIN_S = 1800 };

typedef struct {
	Selector *labels;
	FieldSelector *fields;
	uint64_t rv;   /* asked for; 0: any */
	bool rv_given; /* also "0" */
	const char *match;
	uint64_t limit;
	uint64_t timeout_s; /* of a watch */
	char *after_ns, *after_name;
	uint64_t snapshot; /* of a continue token, or Exact; 0: now */
} ListOptions;

static void list_options_dispose(ListOptions *options)
{
	if (options->labels)
		selector_free(options->labels);
	field_selector_free(options->fields);
	free(options->after_ns);
	free(options->after_name);
}
#define autolistoptions __attribute__((cleanup(list_options_dispose)))

static bool options_refused(Status *status, const char *field, const char *type, const char *text)
{
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, type, field, "%s", text);
	return field_errors_check(&errors, "ListOptions", "meta.k8s.io", "", status);
}

static bool read_selectors(Request *request, ListOptions *out, Status *status)
{
	const char *labels = httpd_param(request->http, "labelSelector");
	const char *fields = httpd_param(request->http, "fieldSelector");
	autoerror Error err = {0};
	if (labels && *labels) {
		out->labels = selector_parse(labels, &err);
		if (!out->labels)
			return status_bad_request(status, "unable to parse requirement: %s",
						  err_text(&err));
	}
	if (fields && *fields) {
		out->fields = field_selector_parse(request->resource, fields, status);
		if (!out->fields)
			return false;
	}
	/* get by name as a collection: watch with a name in the path. */
	if (*request->path.name && !out->fields) {
		autofree char *text = mem_printf("metadata.name=%s", request->path.name);
		out->fields = field_selector_parse(request->resource, text, status);
	}
	return true;
}

static bool read_number(Request *request, const char *name, uint64_t *out, Status *status)
{
	const char *text = httpd_param(request->http, name);
	if (!text || !*text)
		return true;
	unsigned long long number;
	bool is_version = strcmp(name, "resourceVersion") == 0;
	/* Less than nothing is no limit at all. */
	if (!is_version && *text == '-' && str_to_u64(str_of(text + 1), &number))
		return true;
	if (!str_to_u64(str_of(text), &number) && !is_version)
		return status_bad_request(status,
					  "strconv.ParseInt: parsing \"%s\": invalid syntax", text);
	bool fits = str_to_u64(str_of(text), &number);
	if (!fits && strcmp(request->path.verb, "list") == 0)
		return status_bad_request(status, "%s: Invalid value: \"%s\": must be a number",
					  name, text);
	if (!fits)
		return status_set(status, 500, NULL,
				  "%s: Invalid value: \"%s\": strconv.ParseUint: parsing \"%s\": "
				  "invalid syntax",
				  name, text, text);
	*out = number;
	return true;
}

static bool read_continue(const char *token, ListOptions *out, Status *status)
{
	autobuf Buf text = {0};
	autoerror Error err = {0};
	autojson json_t *value = NULL;
	if (base64url_decode(token, strlen(token), &text, &err))
		value = json_parse(buf_text(&text), text.len, 4096, &err);
	const char *start = json_text(value, "start");
	int64_t rv = json_int(value, "rv", 0);
	if (!cstr_eq(json_text(value, "v"), "meta.k8s.io/v1") || cstr_empty(start) || rv == 0)
		return status_bad_request(status,
					  "invalid continue token: continue key is not valid");
	Str ns, name;
	str_cut(str_of(start), '/', &ns, &name);
	out->after_ns = str_dup(ns);
	out->after_name = str_dup(name);
	/* A negative RV: go on without the snapshot (inconsistent continuation). */
	out->snapshot = rv > 0 ? (uint64_t)rv : 0;
	return true;
}

/* `rv`: -1 for what is there then. */
static char *make_continue(int64_t rv, const char *ns, const char *name)
{
	autofree char *start = mem_printf("%s/%s", ns, name);
	autojson json_t *token = json_pack("{s:s,s:I,s:s}", "v", "meta.k8s.io/v1", "rv",
					   (json_int_t)rv, "start", start);
	autofree char *text = json_dump(token);
	return base64url_encode(text, strlen(text));
}

static bool too_large(uint64_t asked, uint64_t now, Status *status)
{
	status_set(status, 504, "Timeout",
		   "Timeout: Too large resource version: %llu, current: %llu",
		   (unsigned long long)asked, (unsigned long long)now);
	status_cause(status, "ResourceVersionTooLarge", "Too large resource version", NULL);
	json_object_set_new(json_map(status->body, "details"), "retryAfterSeconds",
			    json_integer(1));
	return false;
}

static bool read_list_options(Request *request, ListOptions *out, Status *status)
{
	const char *rv = httpd_param(request->http, "resourceVersion");
	out->rv_given = rv && *rv;
	out->match = httpd_param(request->http, "resourceVersionMatch");
	if (!read_number(request, "timeoutSeconds", &out->timeout_s, status) ||
	    !read_number(request, "limit", &out->limit, status) ||
	    !read_selectors(request, out, status) ||
	    !read_number(request, "resourceVersion", &out->rv, status))
		return false;
	if (out->limit > LIMIT_MAX)
		out->limit = LIMIT_MAX;
	/* Of one object there are no pages. */
	if (out->fields && field_selector_name(out->fields))
		out->limit = 0;
	return true;
}

static bool refuse_match(const char *match, Status *status)
{
	autofree char *text =
		mem_printf("\"%s\": supported values: \"Exact\", \"NotOlderThan\", \"\"", match);
	return options_refused(status, "resourceVersionMatch", "Unsupported value", text);
}

static bool check_list_options(Request *request, ListOptions *options, Status *status)
{
	const char *token = httpd_param(request->http, "continue");
	bool continues = token && *token;
	bool exact = cstr_eq(options->match, "Exact");
	bool newer = cstr_eq(options->match, "NotOlderThan");
	if (httpd_param(request->http, "sendInitialEvents"))
		return options_refused(status, "sendInitialEvents", "Forbidden",
				       "sendInitialEvents is forbidden for list");
	if (options->match && *options->match && !options->rv_given)
		return options_refused(
			status, "resourceVersionMatch", "Forbidden",
			"resourceVersionMatch is forbidden unless resourceVersion is "
			"provided");
	if (!cstr_empty(options->match) && !exact && !newer)
		return refuse_match(options->match, status);
	if (exact && options->rv == 0)
		return options_refused(status, "resourceVersionMatch", "Forbidden",
				       "resourceVersionMatch \"exact\" is forbidden for "
				       "resourceVersion \"0\"");
	if (continues && options->rv > 0)
		return status_bad_request(status, "specifying resource version is not allowed when "
						  "using continue");
	if (continues)
		return read_continue(token, options, status);
	/* Any state will do, and all of it: the real server's cache knows no pages. */
	if (options->rv_given && options->rv == 0)
		options->limit = 0;
	uint64_t now = store_rv(request->server->store);
	if (options->rv > now)
		return too_large(options->rv, now, status);
	if (options->rv > 0 && (exact || (options->limit > 0 && !newer)))
		options->snapshot = options->rv;
	return true;
}

/* A list under way. */
typedef struct {
	Request *request;
	const ListOptions *options;
	Buf text;	 /* items as text, or ... */
	json_t *objects; /* ... as trees, for Tables */
	uint64_t count;
	bool more;
	char *last_ns, *last_name;
} Listing;

static void listing_dispose(Listing *listing)
{
	buf_dispose(&listing->text);
	json_decref(listing->objects);
	free(listing->last_ns);
	free(listing->last_name);
}
#define autolisting __attribute__((cleanup(listing_dispose)))

static bool selected(const ListOptions *options, const json_t *object)
{
	if (options->labels &&
	    !selector_matches(options->labels, json_at(object, "metadata", "labels", NULL)))
		return false;
	return !options->fields || field_selector_matches(options->fields, object);
}

static void add_text(Listing *listing, const char *text, size_t len)
{
	if (listing->text.len > 0)
		buf_putc(&listing->text, ',');
	buf_append(&listing->text, text, len);
}

static bool add_parsed(Listing *listing, const char *text, size_t len)
{
	autoerror Error ignored = {0};
	autojson json_t *object = json_parse(text, len, len, &ignored);
	if (!object || !selected(listing->options, object))
		return false;
	const Request *request = listing->request;
	if (listing->objects) {
		json_array_append(listing->objects, object);
		return true;
	}
	if (view_is_stored(&request->view, request->resource)) {
		add_text(listing, text, len);
		return true;
	}
	autojson json_t *shown = view_item(&request->view, request->resource, object);
	autofree char *shown_text = json_dump(shown);
	add_text(listing, shown_text, strlen(shown_text));
	return true;
}

static bool list_item(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	Listing *listing = arg;
	const ListOptions *options = listing->options;
	if (options->limit && listing->count == options->limit) {
		listing->more = true;
		return false;
	}
	const Request *request = listing->request;
	bool raw = !options->labels && !options->fields && !listing->objects &&
		   view_is_stored(&request->view, request->resource);
	if (raw)
		add_text(listing, text, len);
	else if (!add_parsed(listing, text, len))
		return true;
	listing->count++;
	if (options->limit) {
		free(listing->last_ns);
		free(listing->last_name);
		listing->last_ns = mem_strdup(ns);
		listing->last_name = mem_strdup(name);
	}
	return true;
}

static void set_remaining(Listing *listing, const StoreQuery *query, uint64_t rv, json_t *meta)
{
	const ListOptions *options = listing->options;
	autofree char *token = make_continue((int64_t)rv, listing->last_ns, listing->last_name);
	json_put_text(meta, "continue", token);
	if (options->labels || options->fields)
		return;
	StoreQuery rest = *query;
	rest.at = rv;
	rest.limit = 0;
	rest.after_ns = listing->last_ns;
	rest.after_name = listing->last_name;
	autoerror Error ignored = {0};
	uint64_t count = 0;
	if (store_count(listing->request->server->store, &rest, &count, &ignored))
		json_object_set_new(meta, "remainingItemCount", json_integer((json_int_t)count));
}

static void reply_text(Request *request, Listing *listing, json_t *meta)
{
	const Resource *resource = request->resource;
	bool partial = request->view.format == VIEW_PARTIAL;
	autofree char *meta_text = json_dump(meta);
	autobuf Buf out = {0};
	buf_printf(&out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":%s,\"items\":[",
		   partial ? "PartialObjectMetadataList" : resource->list_kind,
		   partial ? "meta.k8s.io/v1" : resource->api_version, meta_text);
	buf_add(&out, buf_str(&listing->text));
	buf_puts(&out, "]}\n");
	if (!request->view.yaml && !request->view.pretty) {
		size_t len = out.len;
		httpd_reply_take(request->http, 200, "application/json", buf_steal(&out), len);
		return;
	}
	autoerror Error ignored = {0};
	autojson json_t *value = json_parse(buf_text(&out), out.len, out.len, &ignored);
	request_reply_json(request, 200, value);
}

/* A client may go on with what is there now, by a token of the refusal's own (A55). */
static bool read_refused(const ListOptions *options, const Error *err, Status *status)
{
	if (err->code != ERR_GONE)
		return status_internal(status, err);
	if (!options->after_name)
		return status_expired(status,
				      "The resourceVersion for the provided list is too old.");
	status_expired(status,
		       "The provided continue parameter is too old to display a consistent list "
		       "result. You can start a new list without the continue parameter, or use "
		       "the continue token in this response to retrieve the remainder of the "
		       "results. Continuing with the provided token results in an inconsistent "
		       "list - objects that were created, modified, or deleted between the time "
		       "the first chunk was returned and now may show up in the list.");
	autofree char *token = make_continue(-1, options->after_ns, options->after_name);
	status_set_continue(status, token);
	return false;
}

static bool reply_list(Request *request, const ListOptions *options, Status *status)
{
	autolisting Listing listing = {.request = request, .options = options};
	if (request->view.format == VIEW_TABLE)
		listing.objects = json_array();
	bool filtered = options->labels || options->fields;
	StoreQuery query = {request->resource->store_key,
			    *request->path.ns ? request->path.ns : NULL,
			    options->snapshot,
			    options->after_ns,
			    options->after_name,
			    filtered || !options->limit ? 0 : options->limit + 1};
	autoerror Error err = {0};
	uint64_t rv = 0;
	if (!store_list(request->server->store, &query, list_item, &listing, &rv, &err))
		return read_refused(options, &err, status);
	autojson json_t *meta = json_object();
	autofree char *rv_text = mem_printf("%llu", (unsigned long long)rv);
	json_put_text(meta, "resourceVersion", rv_text);
	/* Lists of custom kinds show the member even when it is empty. */
	if (resource_has(request->resource, KIND_CUSTOM) && request->view.format == VIEW_PLAIN)
		json_put_text(meta, "continue", "");
	if (listing.more)
		set_remaining(&listing, &query, rv, meta);
	if (!listing.objects) {
		reply_text(request, &listing, meta);
		return true;
	}
	autojson json_t *table =
		view_table(&request->view, request->resource, listing.objects, true, meta);
	request_reply_json(request, 200, table);
	return true;
}

bool handle_list(Request *request, Status *status)
{
	autolistoptions ListOptions options = {0};
	return read_list_options(request, &options, status) &&
	       check_list_options(request, &options, status) &&
	       reply_list(request, &options, status);
}

bool handle_get(Request *request, Status *status)
{
	uint64_t rv = 0;
	if (!read_number(request, "resourceVersion", &rv, status))
		return false;
	uint64_t now = rv ? store_rv(request->server->store) : 0;
	if (rv > now)
		return too_large(rv, now, status);
	autojson json_t *object = write_live(request, status);
	if (!object)
		return false;
	request_reply_object(request, 200, object);
	return true;
}

static bool check_watch_options(Request *request, const ListOptions *options, bool initial,
				Status *status)
{
	const char *asked = httpd_param(request->http, "sendInitialEvents");
	bool newer = cstr_eq(options->match, "NotOlderThan");
	if (asked && *asked && !newer)
		return options_refused(status, "resourceVersionMatch", "Forbidden",
				       "sendInitialEvents requires setting resourceVersionMatch to "
				       "NotOlderThan");
	if (!asked && options->match && *options->match)
		return options_refused(status, "resourceVersionMatch", "Forbidden",
				       "resourceVersionMatch is forbidden for watch unless "
				       "sendInitialEvents is provided");
	uint64_t now = store_rv(request->server->store);
	if (initial && options->rv > now)
		return too_large(options->rv, now, status);
	return true;
}

static bool send_item(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	(void)name;
	autoerror Error ignored = {0};
	autojson json_t *object = json_parse(text, len, len, &ignored);
	if (object)
		watcher_send_object(arg, object);
	return true;
}

static void send_change(void *arg, Change *take_change)
{
	watcher_send_change(arg, take_change);
	change_free(take_change);
}

static void send_gone(Watcher *watcher, const Error *err)
{
	autostatus Status gone = {0};
	if (err->code == ERR_GONE)
		status_expired(&gone, err_text(err));
	else
		status_internal(&gone, err);
	watcher_send_error(watcher, &gone);
	watcher_end(watcher);
}

/* Sends the first state and lets the watcher run from there. */
static void feed(Request *request, Watcher *watcher, const ListOptions *options, bool initial,
		 bool mark_end)
{
	Store *store = request->server->store;
	const char *ns = *request->path.ns ? request->path.ns : NULL;
	const char *key = request->resource->store_key;
	autoerror Error err = {0};
	uint64_t rv = 0;
	bool done;
	if (initial) {
		StoreQuery query = {.resource = key, .ns = ns};
		done = store_list(store, &query, send_item, watcher, &rv, &err);
	} else {
		uint64_t now = store_rv(store);
		rv = options->rv > now ? options->rv : now;
		done = store_history(store, key, ns, options->rv, now, send_change, watcher, &err);
	}
	if (!done) {
		send_gone(watcher, &err);
		return;
	}
	if (initial && mark_end)
		watcher_send_bookmark(watcher, rv, true);
	watcher_go(watcher, rv);
}

bool handle_watch(Request *request, Status *status)
{
	autolistoptions ListOptions options = {0};
	if (!read_list_options(request, &options, status))
		return false;
	const char *asked = httpd_param(request->http, "sendInitialEvents");
	bool asked_initial = request_flag(request, "sendInitialEvents");
	bool initial = asked && *asked ? asked_initial : options.rv == 0;
	if (!check_watch_options(request, &options, initial, status))
		return false;
	uint64_t timeout_s = options.timeout_s;
	if (timeout_s == 0 || timeout_s > 86400)
		timeout_s = WATCH_MIN_S + rand_below(WATCH_MIN_S);
	WatchSpec spec = {
		.resource = request->resource,
		.ns = *request->path.ns ? request->path.ns : NULL,
		.view = request->view,
		.take_labels = steal(&options.labels),
		.take_fields = steal(&options.fields),
		.bookmarks = request_flag(request, "allowWatchBookmarks"),
		.timeout_ms = (int64_t)timeout_s * 1000,
	};
	if (!initial && options.rv == 0)
		options.rv = store_rv(request->server->store);
	Watcher *watcher = watcher_start(request->server->hub, request->http, &spec);
	feed(request, watcher, &options, initial, asked_initial && spec.bookmarks);
	return true;
}
