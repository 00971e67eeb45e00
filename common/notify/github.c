/* GitHub: commit statuses, and repository dispatches (N65-N70). */
#include "notify/commit_status.h"
#include "notify/github_api.h"

#include "base/mem.h"

static bool is_there(const json_t *reply, const json_t *body)
{
	return status_is_newest(reply, body, "state");
}

bool notify_build_github(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			 Error *err)
{
	autorepository Repository repository = {0};
	autonotifyrequest NotifyRequest first = {0};
	char commit[COMMIT_SIZE];
	if (!repository_parse_parts(target, 2, &repository, err))
		return false;
	if (notify_is_progressing(event))
		return true;
	const char *state = NULL;
	if (!status_needs(target, event, commit, err) ||
	    !(state = status_state(event, "success", "failure", err)))
		return false;
	autofree char *api = github_api(&repository);
	autofree char *words = notify_reason_words(event);
	StatusPlan plan = {
		.list_url = mem_printf("%s/commits/%s/statuses?per_page=50", api, commit),
		.create_url = mem_printf("%s/statuses/%s", api, commit),
		.body = json_pack("{s:s,s:s,s:s}", "state", state, "context", target->status_id,
				  "description", words),
		.is_there = is_there,
	};
	return status_plan_start(&plan, &first, err) &&
	       github_authorize(target, &first, NULL, out, err);
}

bool notify_build_githubdispatch(const NotifyTarget *target, const json_t *event,
				 NotifyRequest *out, Error *err)
{
	autorepository Repository repository = {0};
	autonotifyrequest NotifyRequest first = {0};
	if (!repository_parse_parts(target, 2, &repository, err))
		return false;
	autofree char *api = github_api(&repository);
	autofree char *type =
		mem_printf("%s/%s.%s", notify_object(event, "kind"), notify_object(event, "name"),
			   notify_object(event, "namespace"));
	autojson json_t *body = json_pack("{s:s,s:O}", "event_type", type, "client_payload", event);
	return notify_set_json_at(mem_printf("%s/dispatches", api), body, &first, err) &&
	       github_authorize(target, &first, NULL, out, err);
}
