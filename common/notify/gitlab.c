/* GitLab: commit statuses (N65-N69). */
#include "notify/commit_status.h"

#include "base/mem.h"
#include "net/url.h"

/* Any entry that is equal counts, as the list holds one per pipeline. */
static bool is_there(const json_t *reply, const json_t *body)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_borrow(reply), i, entry)
	{
		if (cstr_eq(json_text(entry, "status"), json_text(body, "state")) &&
		    cstr_eq(json_text(entry, "name"), json_text(body, "name")) &&
		    cstr_eq(json_text_or(entry, "description", ""), json_text(body, "description")))
			return true;
	}
	return false;
}

bool notify_build_gitlab(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			 Error *err)
{
	autorepository Repository repository = {0};
	char commit[COMMIT_SIZE];
	const char *token = notify_token_or_password(target), *state = NULL;
	if (!notify_need(target, token, "token", err) ||
	    !repository_parse(target, &repository, err))
		return false;
	if (notify_is_progressing(event))
		return true;
	if (!status_needs(target, event, commit, err) ||
	    !(state = status_state(event, "success", "failed", err)))
		return false;
	autofree char *id = url_escape(repository.id, false);
	autofree char *name = url_escape(target->status_id, false);
	autofree char *words = notify_reason_words(event);
	autofree char *project = mem_printf("%s/api/v4/projects/%s", repository.origin, id);
	StatusPlan plan = {
		.list_url = mem_printf("%s/repository/commits/%s/statuses?name=%s", project, commit,
				       name),
		.create_url = mem_printf("%s/statuses/%s", project, commit),
		.body = json_pack("{s:s,s:s,s:s}", "state", state, "name", target->status_id,
				  "description", words),
		.is_there = is_there,
	};
	notify_add_header(out, "PRIVATE-TOKEN", token);
	return status_plan_start(&plan, out, err);
}
