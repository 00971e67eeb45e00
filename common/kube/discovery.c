/*
 * Which kinds the server has, from one document per group and group-version, fetched when first
 * needed (kube-api.md 1.3). A question that the documents do not answer asks again, at most once in
 * REFRESH_MS for a document; soon after kube_discovery_invalidate more often, because new CRDs are
 * served a moment after they were applied. Threads that need the same document wait for one fetch.
 */
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/client_internal.h"

enum {
	REFRESH_MS = 5000,
	EAGER_MS = 5000, /* after an invalidation */
	EAGER_REFRESH_MS = 200,
	FAILURE_MS = 1000, /* a failed fetch answers for all who waited */
	MAX_TRIES = 3,	   /* for one question, when each reply is invalidated on its way */
	NO_LIMIT_MS = 0,   /* as the time until which: the client's own limit holds */
};

/* What is known from one path. */
typedef struct {
	bool known, fetching;
	unsigned generation; /* of the discovery, when the fetch began */
	int64_t fetched_ms;
	Map *kinds;    /* kind -> KubeResource, interned */
	Vec versions;  /* of a group: the preferred one first; owned strings */
	Error failure; /* of the last fetch */
} Document;

struct Discovery {
	pthread_mutex_t lock; /* guards all */
	pthread_cond_t fetched;
	unsigned generation;
	int64_t invalidated_ms; /* 0: never */
	Map *documents;		/* path -> Document */
	Map *interned; /* "plural/scope" -> KubeResource: lent out, so never freed before the end */
};

static void free_document(void *value)
{
	Document *document = value;
	map_free(document->kinds);
	vec_dispose_strings(&document->versions);
	error_dispose(&document->failure);
	free(document);
}

static void free_resource(void *value)
{
	KubeResource *resource = value;
	free((char *)(uintptr_t)resource->plural);
	free(resource);
}

Discovery *discovery_new(void)
{
	Discovery *discovery = mem_zalloc(1, sizeof(*discovery));
	pthread_mutex_init(&discovery->lock, NULL);
	cond_init(&discovery->fetched);
	discovery->documents = map_new(free_document);
	discovery->interned = map_new(free_resource);
	return discovery;
}

void discovery_free(Discovery *discovery)
{
	map_free(discovery->documents);
	map_free(discovery->interned);
	pthread_cond_destroy(&discovery->fetched);
	pthread_mutex_destroy(&discovery->lock);
	free(discovery);
}

char *discovery_path(const char *api_version)
{
	return mem_printf("%s/%s", strchr(api_version, '/') ? "/apis" : "/api", api_version);
}

/* --- storing --- */

static KubeResource *intern(Discovery *discovery, const char *plural, bool namespaced)
{
	autofree char *key = mem_printf("%s/%d", plural, namespaced);
	KubeResource *resource = map_get(discovery->interned, key);
	if (!resource) {
		resource = mem_zalloc(1, sizeof(*resource));
		resource->plural = mem_strdup(plural);
		resource->namespaced = namespaced;
		map_put(discovery->interned, key, resource);
	}
	return resource;
}

static void store_kinds(Discovery *discovery, Document *document, const json_t *body)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(body, "resources"), i, item)
	{
		const char *name = json_text(item, "name"), *kind = json_text(item, "kind");
		if (cstr_empty(name) || cstr_empty(kind) || strchr(name, '/') ||
		    map_has(document->kinds, kind))
			continue;
		map_put(document->kinds, kind,
			intern(discovery, name, json_flag(item, "namespaced", false)));
	}
}

static void store_versions(Document *document, const json_t *body)
{
	const char *preferred = json_text_at(body, "preferredVersion", "version", NULL);
	if (!cstr_empty(preferred))
		vec_push(&document->versions, mem_strdup(preferred));
	size_t i;
	json_t *item;
	json_array_foreach(json_list(body, "versions"), i, item)
	{
		const char *version = json_text(item, "version");
		if (!cstr_empty(version) && !cstr_eq(version, preferred))
			vec_push(&document->versions, mem_strdup(version));
	}
}

static Document *document_of(Discovery *discovery, const char *path)
{
	Document *document = map_get(discovery->documents, path);
	if (!document) {
		document = mem_zalloc(1, sizeof(*document));
		document->kinds = map_new(NULL);
		map_put(discovery->documents, path, document);
	}
	return document;
}

/* body NULL: the server has no such path. Lock held. */
static void store(Discovery *discovery, Document *document, const json_t *body, unsigned generation)
{
	map_clear(document->kinds);
	vec_dispose_strings(&document->versions);
	error_dispose(&document->failure);
	store_kinds(discovery, document, body);
	store_versions(document, body);
	document->known = true;
	document->generation = generation;
	document->fetched_ms = clock_mono_ms();
}

unsigned discovery_generation(KubeClient *client)
{
	Discovery *discovery = client->root->discovery;
	pthread_mutex_lock(&discovery->lock);
	unsigned generation = discovery->generation;
	pthread_mutex_unlock(&discovery->lock);
	return generation;
}

void kube_discovery_invalidate(KubeClient *client)
{
	Discovery *discovery = client->root->discovery;
	pthread_mutex_lock(&discovery->lock);
	discovery->generation++;
	discovery->invalidated_ms = clock_mono_ms();
	pthread_mutex_unlock(&discovery->lock);
}

void discovery_forget(KubeClient *client, const char *api_version)
{
	Discovery *discovery = client->root->discovery;
	if (cstr_empty(api_version))
		return;
	autofree char *path = discovery_path(api_version);
	pthread_mutex_lock(&discovery->lock);
	Document *document = map_get(discovery->documents, path);
	if (document && clock_mono_ms() - document->fetched_ms >= REFRESH_MS)
		document->known = false;
	pthread_mutex_unlock(&discovery->lock);
}

/* --- asking --- */

typedef enum { FOUND, NO_MATCH, FAILED } Found;

/* Whether a document answers the question; copies the answer out. Lock held. */
typedef bool AnswerFn(const Document *document, void *question);

static bool is_current(const Discovery *discovery, const Document *document)
{
	return document->known && document->generation == discovery->generation;
}

/* Fetched so lately that asking again is too early. */
static bool is_fresh(const Discovery *discovery, const Document *document)
{
	int64_t now = clock_mono_ms();
	bool eager = discovery->invalidated_ms && now - discovery->invalidated_ms < EAGER_MS;
	return is_current(discovery, document) &&
	       now - document->fetched_ms < (eager ? EAGER_REFRESH_MS : REFRESH_MS);
}

/* Takes the lock off while it waits for the server, at most until_ms. A failure is noted for all
 * who need the document, but not that this one had little time. */
static bool fetch(KubeClient *client, const char *path, Document *document, int64_t until_ms,
		  Error *err)
{
	Discovery *discovery = client->root->discovery;
	unsigned generation = discovery->generation;
	document->fetching = true;
	pthread_mutex_unlock(&discovery->lock);
	autoerror Error cause = {0};
	int64_t left_ms = until_ms - clock_mono_ms();
	int64_t timeout_ms = until_ms == NO_LIMIT_MS ? 0 : left_ms > 1 ? left_ms : 1;
	autojson json_t *body = batch_get(client->root, path, NULL, timeout_ms, &cause);
	pthread_mutex_lock(&discovery->lock);
	document->fetching = false;
	pthread_cond_broadcast(&discovery->fetched);
	if (body || cause.code == ERR_NOT_FOUND) {
		store(discovery, document, body, generation);
		return true;
	}
	if (until_ms != NO_LIMIT_MS && clock_mono_ms() >= until_ms)
		return err_move(err, &cause);
	error_dispose(&document->failure);
	err_copy(&document->failure, &cause);
	document->fetched_ms = clock_mono_ms();
	return true;
}

static bool failed_lately(const Document *document)
{
	return err_is_set(&document->failure) &&
	       clock_mono_ms() - document->fetched_ms < FAILURE_MS;
}

/* Until nobody fetches the document. Lock held. */
static bool await_fetch(Discovery *discovery, const Document *document, int64_t until_ms,
			Error *err)
{
	while (document->fetching) {
		if (until_ms == NO_LIMIT_MS)
			pthread_cond_wait(&discovery->fetched, &discovery->lock);
		else if (!cond_wait_until(&discovery->fetched, &discovery->lock, until_ms))
			return err_set(err, ERR_TIMEOUT, "no answer in time");
	}
	return true;
}

/* Whether what the document has is an answer: none was invalidated since it was asked for, or it
 * was asked for after the question was put. Lock held. */
static bool holds(const Discovery *discovery, const Document *document, int asked)
{
	return is_current(discovery, document) ||
	       (asked > 0 && document->known && !err_is_set(&document->failure));
}

/* That a kind is missing holds only as long as no definitions changed. Lock held. */
static bool is_final(const Discovery *discovery, const Document *document, int asked)
{
	return is_fresh(discovery, document) || asked >= MAX_TRIES ||
	       (asked > 0 && is_current(discovery, document));
}

/* Lock held. */
static Found ask_locked(KubeClient *client, const char *path, AnswerFn *answer, void *question,
			int64_t until_ms, Error *err)
{
	Discovery *discovery = client->root->discovery;
	Document *document = document_of(discovery, path);
	for (int asked = 0;; asked++) {
		if (!await_fetch(discovery, document, until_ms, err))
			return FAILED;
		if (holds(discovery, document, asked) && answer(document, question))
			return FOUND;
		if (failed_lately(document)) {
			err_copy(err, &document->failure);
			return FAILED;
		}
		if (is_final(discovery, document, asked))
			return NO_MATCH;
		if (!fetch(client, path, document, until_ms, err))
			return FAILED;
	}
}

static Found ask(KubeClient *client, const char *path, AnswerFn *answer, void *question,
		 int64_t timeout_ms, Error *err)
{
	Discovery *discovery = client->root->discovery;
	int64_t until_ms = timeout_ms > 0 ? clock_mono_ms() + timeout_ms : NO_LIMIT_MS;
	pthread_mutex_lock(&discovery->lock);
	Found found = ask_locked(client, path, answer, question, until_ms, err);
	pthread_mutex_unlock(&discovery->lock);
	if (found == FAILED)
		err_wrap(err, "discovery of %s", path);
	return found;
}

/* --- questions --- */

typedef struct {
	const char *kind;
	KubeResource *out;
} KindQuestion;

static bool answer_kind(const Document *document, void *arg)
{
	const KindQuestion *question = arg;
	const KubeResource *resource = map_get(document->kinds, question->kind);
	if (resource)
		*question->out = *resource;
	return resource != NULL;
}

static bool answer_versions(const Document *document, void *arg)
{
	Vec *versions = arg;
	for (size_t i = 0; i < document->versions.len; i++)
		vec_push(versions, mem_strdup(document->versions.items[i]));
	return versions->len > 0;
}

bool discovery_known(KubeClient *client, const char *api_version, const char *kind,
		     KubeResource *out)
{
	Discovery *discovery = client->root->discovery;
	autofree char *path = discovery_path(api_version);
	KindQuestion question = {kind, out};
	pthread_mutex_lock(&discovery->lock);
	const Document *document = map_get(discovery->documents, path);
	bool found =
		document && is_current(discovery, document) && answer_kind(document, &question);
	pthread_mutex_unlock(&discovery->lock);
	return found;
}

bool discovery_learn(KubeClient *client, const char *api_version, const char *kind,
		     const json_t *body, unsigned generation, KubeResource *out)
{
	Discovery *discovery = client->root->discovery;
	autofree char *path = discovery_path(api_version);
	KindQuestion question = {kind, out};
	pthread_mutex_lock(&discovery->lock);
	Document *document = document_of(discovery, path);
	store(discovery, document, body, generation);
	bool found = answer_kind(document, &question);
	pthread_mutex_unlock(&discovery->lock);
	return found;
}

/* A group and a version become segments of a path. */
static bool is_plain(const char *api_version)
{
	size_t slashes = 0;
	for (const char *c = api_version; *c; c++) {
		bool ok = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '.' ||
			  *c == '-' || *c == '/';
		slashes += *c == '/';
		if (!ok || slashes > 1)
			return false;
	}
	return *api_version && *api_version != '.' && !strstr(api_version, "..") &&
	       !strstr(api_version, "/.");
}

bool discovery_resource(KubeClient *client, const char *api_version, const char *kind,
			int64_t timeout_ms, KubeResource *out, Error *err)
{
	Found found = NO_MATCH;
	if (is_plain(api_version)) {
		autofree char *path = discovery_path(api_version);
		found = ask(client, path, answer_kind, &(KindQuestion){kind, out}, timeout_ms, err);
	}
	if (found != NO_MATCH)
		return found == FOUND;
	err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in version \"%s\"", kind,
		api_version);
	return err_reason(err, "NoKindMatch");
}

bool kube_resource(KubeClient *client, const char *api_version, const char *kind, KubeResource *out,
		   Error *err)
{
	return discovery_resource(client, api_version, kind, 0, out, err);
}

/* The first of a group's versions that has the kind; NULL with err unset when none has. */
static char *version_with_kind(KubeClient *client, const char *group, const Vec *versions,
			       const char *kind, Error *err)
{
	KubeResource ignored;
	for (size_t i = 0; i < versions->len; i++) {
		const char *version = versions->items[i];
		autofree char *api_version = mem_printf("%s/%s", group, version);
		autoerror Error cause = {0};
		if (kube_resource(client, api_version, kind, &ignored, &cause))
			return mem_strdup(version);
		if (cause.code != ERR_NOT_FOUND) {
			err_move(err, &cause);
			return NULL;
		}
	}
	return NULL;
}

char *kube_preferred_version(KubeClient *client, const char *group, const char *kind, Error *err)
{
	KubeResource ignored;
	if (cstr_empty(group))
		return kube_resource(client, "v1", kind, &ignored, err) ? mem_strdup("v1") : NULL;
	autofree char *path = mem_printf("/apis/%s", group);
	autostrings Vec versions = {0};
	Found found = NO_MATCH;
	if (is_plain(group) && !strchr(group, '/'))
		found = ask(client, path, answer_versions, &versions, 0, err);
	if (found == FAILED)
		return NULL;
	char *version = version_with_kind(client, group, &versions, kind, err);
	if (version || err_is_set(err))
		return version;
	err_set(err, ERR_NOT_FOUND, "no matches for kind \"%s\" in group \"%s\"", kind, group);
	err_reason(err, "NoKindMatch");
	return NULL;
}
