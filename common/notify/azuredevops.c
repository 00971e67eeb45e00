/* Azure DevOps: statuses of commits (N65-N69, N73). */
#include "notify/commit_status.h"

#include "base/mem.h"
#include "net/url.h"

static bool same_context(const json_t *a, const json_t *b)
{
	const json_t *ours = json_map(a, "context"), *theirs = json_map(b, "context");
	return cstr_eq(json_text(ours, "name"), json_text(theirs, "name")) &&
	       cstr_eq(json_text(ours, "genre"), json_text(theirs, "genre"));
}

/* The newest stands first. */
static bool is_there(const json_t *reply, const json_t *body)
{
	size_t i;
	json_t *entry;
	json_array_foreach(json_list(reply, "value"), i, entry)
	{
		const char *state = json_text(entry, "state");
		const char *description = json_text(entry, "description");
		if (!state || !description || !same_context(entry, body))
			continue;
		return cstr_eq(state, json_text(body, "state")) &&
		       cstr_eq(description, json_text(body, "description"));
	}
	return false;
}

static json_t *body_of(const NotifyTarget *target, const json_t *event, const char *state)
{
	const char *summary = json_text(json_map(event, "metadata"), "summary");
	autofree char *genre = mem_printf("fluxcd%s%s", summary ? ":" : "", summary ? summary : "");
	autofree char *words = notify_reason_words(event);
	return json_pack("{s:s,s:s,s:{s:s,s:s}}", "description", words, "state", state, "context",
			 "name", target->status_id, "genre", genre);
}

bool notify_build_azuredevops(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			      Error *err)
{
	autorepository Repository repository = {0};
	char commit[COMMIT_SIZE];
	const char *state = NULL;
	if (cstr_empty(target->token))
		return err_set(err, ERR_UNSUPPORTED,
			       "azuredevops without a token needs workload identity, which is not "
			       "supported by this version");
	/* ORGANIZATION/PROJECT/_git/REPOSITORY */
	if (!repository_parse_parts(target, 4, &repository, err))
		return false;
	if (notify_is_progressing(event))
		return true;
	if (!status_needs(target, event, commit, err) ||
	    !(state = status_state(event, "succeeded", "error", err)))
		return false;
	char *url = mem_printf("%s/%s/%s/_apis/git/repositories/%s/commits/%s/statuses"
			       "?api-version=7.1-preview.1",
			       repository.origin, repository.parts[0], repository.parts[1],
			       repository.parts[3], commit);
	StatusPlan plan = {.list_url = mem_strdup(url),
			   .create_url = url,
			   .body = body_of(target, event, state),
			   .is_there = is_there};
	notify_add_basic(out, "", target->token);
	return status_plan_start(&plan, out, err);
}
