/* Gitea and Forgejo: commit statuses; a work in progress is pending (N65-N69). */
#include "notify/commit_status.h"

#include "base/mem.h"

static bool is_there(const json_t *reply, const json_t *body)
{
	return status_is_newest(reply, body, "status");
}

bool notify_build_gitea(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			Error *err)
{
	autorepository Repository repository = {0};
	char commit[COMMIT_SIZE];
	const char *token = notify_token_or_password(target);
	if (!notify_need(target, token, "token", err) ||
	    !repository_parse_parts(target, 2, &repository, err) ||
	    !status_needs(target, event, commit, err))
		return false;
	const char *state = notify_is_progressing(event)
				    ? "pending"
				    : status_state(event, "success", "failure", err);
	if (!state)
		return false;
	autofree char *words = notify_reason_words(event);
	autofree char *api = mem_printf("%s/api/v1/repos/%s/%s", repository.origin,
					repository.parts[0], repository.parts[1]);
	StatusPlan plan = {
		.list_url = mem_printf("%s/commits/%s/statuses?limit=50&page=1", api, commit),
		.create_url = mem_printf("%s/statuses/%s", api, commit),
		.body = json_pack("{s:s,s:s,s:s,s:s}", "state", state, "target_url", "", "context",
				  target->status_id, "description", words),
		.is_there = is_there,
	};
	notify_add_auth(out, "token", token);
	return status_plan_start(&plan, out, err);
}
