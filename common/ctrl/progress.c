/*
 * Shows a step that takes long (design.md 3.5). A worker blocks in a fetch, a build or a slow API
 * server; meanwhile this thread writes the conditions that the worker had set when the step began,
 * once they are due. A step that ends before costs a copy of its conditions and no request.
 */
#include "ctrl/manager_internal.h"

#include <string.h>

#include "base/cond.h"
#include "base/clock.h"
#include "base/mem.h"

enum { REQUEST_MS = 5000 };

typedef enum { NOTICE_ARMED, NOTICE_SENDING, NOTICE_SENT, NOTICE_FAILED } NoticeState;

/* All but state and version is set by the worker while the notice is not in the list. */
struct Notice {
	const Kind *kind;
	Informer *informer;
	char *ns, *name;
	json_t *patch;
	int64_t due_ms;
	NoticeState state;
	char *version; /* the resourceVersion after the write */
};

struct Progress {
	Manager *manager;
	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t changed;
	Vec notices; /* one for each run at most */
	int64_t wakes_ms;
	bool stop, started;
	pthread_t thread;
};

static void free_notice(Notice *notice)
{
	if (!notice)
		return;
	free(notice->ns);
	free(notice->name);
	json_decref(notice->patch);
	free(notice->version);
	free(notice);
}

static Notice *next_due(const Progress *progress)
{
	Notice *next = NULL;
	for (size_t i = 0; i < progress->notices.len; i++) {
		Notice *notice = progress->notices.items[i];
		if (notice->state == NOTICE_ARMED && (!next || notice->due_ms < next->due_ms))
			next = notice;
	}
	return next;
}

/* Without the lock: the notice is SENDING, so nobody else touches it. */
static json_t *send_notice(const Progress *progress, const Notice *notice)
{
	autoerror Error ignored = {0}; /* the run's own write tells what is wrong */
	json_t *reply = kube_do(progress->manager->client,
				&(KubeRequest){.verb = KUBE_MERGE_PATCH,
					       .api_version = notice->kind->api_version,
					       .kind = notice->kind->kind,
					       .ns = notice->ns,
					       .name = notice->name,
					       .subresource = "status",
					       .body = notice->patch,
					       .timeout_ms = REQUEST_MS},
				&ignored);
	if (reply)
		informer_put(notice->informer, reply);
	return reply;
}

static void wait_until_ms(Progress *progress, int64_t due_ms)
{
	progress->wakes_ms = due_ms;
	cond_wait_until(&progress->changed, &progress->lock, due_ms);
}

static void *show(void *arg)
{
	Progress *progress = arg;
	pthread_mutex_lock(&progress->lock);
	while (!progress->stop) {
		Notice *notice = next_due(progress);
		if (!notice) {
			progress->wakes_ms = INT64_MAX;
			pthread_cond_wait(&progress->changed, &progress->lock);
			continue;
		}
		if (notice->due_ms > clock_mono_ms()) {
			wait_until_ms(progress, notice->due_ms);
			continue;
		}
		notice->state = NOTICE_SENDING;
		pthread_mutex_unlock(&progress->lock);
		json_t *reply = send_notice(progress, notice);
		pthread_mutex_lock(&progress->lock);
		notice->state = reply ? NOTICE_SENT : NOTICE_FAILED;
		notice->version = reply ? mem_strdup(object_resource_version(reply)) : NULL;
		json_decref(reply);
		pthread_cond_broadcast(&progress->changed);
	}
	pthread_mutex_unlock(&progress->lock);
	return NULL;
}

Progress *progress_new(Manager *manager)
{
	Progress *progress = mem_zalloc(1, sizeof(*progress));
	progress->manager = manager;
	progress->wakes_ms = INT64_MAX;
	pthread_mutex_init(&progress->lock, NULL);
	cond_init(&progress->changed);
	/* Without the thread long steps are not shown; nothing else is lost. */
	progress->started = pthread_create(&progress->thread, NULL, show, progress) == 0;
	return progress;
}

void progress_free(Progress *progress)
{
	if (!progress)
		return;
	pthread_mutex_lock(&progress->lock);
	progress->stop = true;
	pthread_cond_broadcast(&progress->changed);
	pthread_mutex_unlock(&progress->lock);
	if (progress->started)
		pthread_join(progress->thread, NULL);
	vec_dispose(&progress->notices);
	pthread_cond_destroy(&progress->changed);
	pthread_mutex_destroy(&progress->lock);
	free(progress);
}

/* Only conditions are shown: they are what a person looks at. NULL: nothing new. */
static json_t *notice_patch(const Run *run)
{
	json_t *now = json_at(run->object, "status", "conditions", NULL);
	const json_t *shown = json_at(run->before, "status", "conditions", NULL);
	if (!now || (shown && json_equal(shown, now)))
		return NULL;
	return json_pack("{s:{s:s},s:{s:o}}", "metadata", "resourceVersion",
			 object_resource_version(run->before), "status", "conditions",
			 json_deep_copy(now));
}

void progress_arm(Run *run, int64_t due_ms)
{
	Progress *progress = run->manager->progress;
	progress_settle(run);
	json_t *patch = notice_patch(run);
	if (!patch)
		return;
	Notice *notice = mem_zalloc(1, sizeof(*notice));
	*notice = (Notice){.kind = run->state->kind,
			   .informer = run->state->informer,
			   .ns = mem_strdup(run->ns),
			   .name = mem_strdup(run->name),
			   .patch = patch,
			   .due_ms = due_ms};
	run->notice = notice;
	pthread_mutex_lock(&progress->lock);
	vec_push(&progress->notices, notice);
	if (due_ms < progress->wakes_ms)
		pthread_cond_broadcast(&progress->changed);
	pthread_mutex_unlock(&progress->lock);
}

/* What was shown is what the server has: the run's next write is the difference to that. */
static void take_over(Run *run, const Notice *notice)
{
	json_t *shown = json_at(notice->patch, "status", "conditions", NULL);
	json_object_set(json_make_at(run->before, "status", NULL), "conditions", shown);
	json_put_text(json_map(run->before, "metadata"), "resourceVersion", notice->version);
	json_put_text(json_map(run->object, "metadata"), "resourceVersion", notice->version);
	run->written_ms = clock_mono_ms();
}

static void remove_notice(Progress *progress, const Notice *notice)
{
	for (size_t i = 0; i < progress->notices.len; i++) {
		if (progress->notices.items[i] != notice)
			continue;
		vec_remove(&progress->notices, i);
		return;
	}
}

void progress_settle(Run *run)
{
	Progress *progress = run->manager->progress;
	Notice *notice = steal(&run->notice);
	if (!notice)
		return;
	pthread_mutex_lock(&progress->lock);
	while (notice->state == NOTICE_SENDING)
		pthread_cond_wait(&progress->changed, &progress->lock);
	remove_notice(progress, notice);
	pthread_mutex_unlock(&progress->lock);
	if (notice->state == NOTICE_SENT)
		take_over(run, notice);
	free_notice(notice);
}
