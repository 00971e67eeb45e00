/* Bitbucket Cloud: build statuses (N65-N69, N71). */
#include "notify/commit_status.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"

static bool is_there(const json_t *reply, const json_t *body)
{
	return cstr_eq(json_text(reply, "state"), json_text(body, "state")) &&
	       cstr_eq(json_text_or(reply, "description", ""), json_text(body, "description"));
}

static bool add_credentials(const NotifyTarget *target, NotifyRequest *out, Error *err)
{
	Str user, password;
	if (!notify_need(target, target->token, "token", err))
		return false;
	if (!str_cut(str_of(target->token), ':', &user, &password) ||
	    str_find_char(password, ':') >= 0)
		return err_set(err, ERR_INVALID,
			       "invalid token format, expected to be <user>:<password>");
	autofree char *name = str_dup(user);
	notify_add_basic(out, name, password.ptr);
	return true;
}

bool notify_build_bitbucket(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			    Error *err)
{
	autorepository Repository repository = {0};
	char commit[COMMIT_SIZE], key[DIGEST_TEXT_SIZE];
	const char *state = NULL;
	if (!repository_parse_parts(target, 2, &repository, err) ||
	    !add_credentials(target, out, err))
		return false;
	if (notify_is_progressing(event))
		return true;
	if (!status_needs(target, event, commit, err) ||
	    !(state = status_state(event, "SUCCESSFUL", "FAILED", err)))
		return false;
	/* The API takes no key of more than 40 characters. */
	digest_hex(DIGEST_SHA1, target->status_id, strlen(target->status_id), key);
	autofree char *name = notify_kind_name(event);
	autofree char *words = notify_reason_words(event);
	char *url = mem_printf(
		"https://api.bitbucket.org/2.0/repositories/%s/%s/commit/%s/statuses/build",
		repository.parts[0], repository.parts[1], commit);
	StatusPlan plan = {
		.list_url = mem_printf("%s/%s", url, key),
		.create_url = url,
		.body = json_pack("{s:s,s:s,s:s,s:s,s:s}", "key", key, "name", name, "state", state,
				  "description", words, "url", "https://bitbucket.org"),
		.missing_is_none = true,
		.is_there = is_there,
	};
	return status_plan_start(&plan, out, err);
}
