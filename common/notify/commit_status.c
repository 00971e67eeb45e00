#include "notify/commit_status.h"

#include <string.h>

#include "base/mem.h"

enum { REPLY_MAX = 1 << 20 };

static void free_plan(void *state)
{
	StatusPlan *plan = state;
	free(plan->list_url);
	free(plan->create_url);
	json_decref(plan->body);
	free(plan);
}

void notify_copy_headers(const NotifyRequest *from, NotifyRequest *to)
{
	for (size_t i = 0; i < from->headers.len; i++)
		if (!cstr_starts(from->headers.items[i], "Content-Type:"))
			vec_push(&to->headers, mem_strdup(from->headers.items[i]));
}

/* 2xx, and 404 where that means none; all else is left to the usual error. */
static bool judge_list(int status, Str body, Error *err)
{
	(void)body;
	(void)err;
	return (status >= 200 && status <= 299) || status == 404;
}

static bool create(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next, Error *err)
{
	StatusPlan *plan = self->state;
	if (status != 404) {
		autojson json_t *list = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
		if (!list)
			return err_wrap(err, "could not list commit statuses");
		if (plan->is_there(list, plan->body))
			return true;
	}
	notify_copy_headers(self, out_next);
	return notify_set_json_at(steal(&plan->create_url), plan->body, out_next, err);
}

bool status_plan_start(StatusPlan *take_plan, NotifyRequest *out, Error *err)
{
	StatusPlan *plan = mem_dup(take_plan, sizeof(*plan));
	*take_plan = (StatusPlan){0};
	out->method = "GET";
	out->url = steal(&plan->list_url);
	out->judge = plan->missing_is_none ? judge_list : NULL;
	out->then = create;
	out->state = plan;
	out->free_state = free_plan;
	return plan->body || err_set(err, ERR_INVALID, "the event's text is not UTF-8");
}

bool status_is_newest(const json_t *list, const json_t *body, const char *state_key)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_borrow(list), i, entry)
	{
		const char *state = json_text(entry, state_key);
		const char *description = json_text(entry, "description");
		if (!state || !description ||
		    !cstr_eq(json_text(entry, "context"), json_text(body, "context")))
			continue;
		return cstr_eq(state, json_text(body, "state")) &&
		       cstr_eq(description, json_text(body, "description"));
	}
	return false;
}

const char *status_state(const json_t *event, const char *good, const char *bad, Error *err)
{
	if (notify_is_error(event))
		return bad;
	if (cstr_eq(notify_severity(event), "info"))
		return good;
	return err_null(err, ERR_INVALID, "severity '%s' has no commit state",
			notify_severity(event));
}

bool status_needs(const NotifyTarget *target, const json_t *event, char commit[COMMIT_SIZE],
		  Error *err)
{
	return notify_need(target, target->status_id, "commit status id", err) &&
	       repository_commit(event, commit, err);
}
