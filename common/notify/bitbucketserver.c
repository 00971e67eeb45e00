/* Bitbucket Server and Data Center: build statuses (N65-N69, N72). */
#include "notify/commit_status.h"

#include <string.h>

#include "base/mem.h"
#include "data/digest.h"
#include "net/url.h"

static bool is_there(const json_t *reply, const json_t *body)
{
	static const char *const keys[] = {"key", "state", "description", "name"};
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!cstr_eq(json_text(reply, keys[i]), json_text(body, keys[i])))
			return false;
	return true;
}

/* The clone URL's path is [/CONTEXT]/scm/PROJECT/REPO[.git]; "ORIGIN/CONTEXT/rest/...", owned. */
static char *commits_url(const NotifyTarget *target, Error *err)
{
	static const char scm[] = "/scm/";
	autourl Url url = {0};
	autofree char *origin = notify_origin(target, err);
	if (!origin || !url_parse(target->address, &url, err))
		return NULL;
	if (!cstr_eq(url.scheme, "http") && !cstr_eq(url.scheme, "https"))
		return err_null(err, ERR_INVALID, "the address must start with http or https");
	char *at = NULL;
	for (char *hit = url.path; (hit = strstr(hit, scm)); hit++)
		at = hit;
	if (!at)
		return err_null(err, ERR_INVALID, "the address is no http(s) git clone URL");
	Str id = str_of(at + strlen(scm)), project, repo;
	if (str_ends(id, STR(".git")))
		id.len -= strlen(".git");
	if (!str_cut(id, '/', &project, &repo) || !project.len || !repo.len ||
	    str_find_char(repo, '/') >= 0)
		return err_null(err, ERR_INVALID, "invalid repository id '%.*s'", (int)id.len,
				id.ptr);
	return mem_printf("%s%.*s/rest/api/latest/projects/%.*s/repos/%.*s/commits", origin,
			  (int)(at - url.path), url.path, (int)project.len, project.ptr,
			  (int)repo.len, repo.ptr);
}

static bool add_credentials(const NotifyTarget *target, NotifyRequest *out, Error *err)
{
	notify_add_header(out, "x-atlassian-token", "no-check");
	notify_add_header(out, "x-requested-with", "XMLHttpRequest");
	if (!cstr_empty(target->token))
		notify_add_auth(out, "Bearer", target->token);
	else if (!cstr_empty(target->username) && !cstr_empty(target->secret_password))
		notify_add_basic(out, target->username, target->secret_password);
	else
		return err_set(err, ERR_INVALID,
			       "invalid credentials, expected to be one of username/password or "
			       "API Token");
	return true;
}

bool notify_build_bitbucketserver(const NotifyTarget *target, const json_t *event,
				  NotifyRequest *out, Error *err)
{
	char commit[COMMIT_SIZE], key[DIGEST_TEXT_SIZE];
	const char *state = NULL;
	autofree char *commits = commits_url(target, err);
	if (!commits || !add_credentials(target, out, err))
		return false;
	if (notify_is_progressing(event))
		return true;
	if (!status_needs(target, event, commit, err) ||
	    !(state = status_state(event, "SUCCESSFUL", "FAILED", err)))
		return false;
	digest_hex(DIGEST_SHA1, target->status_id, strlen(target->status_id), key);
	autofree char *kind_name = notify_kind_name(event);
	autofree char *words = notify_reason_words(event);
	autofree char *name = mem_printf("%s [%s]", kind_name, words);
	autofree char *shown = url_redacted(target->address);
	char *url = mem_printf("%s/%s/builds", commits, commit);
	StatusPlan plan = {
		.list_url = mem_printf("%s?key=%s", url, key),
		.create_url = url,
		.body = json_pack("{s:s,s:s,s:s,s:s,s:s}", "key", key, "state", state, "url", shown,
				  "description", words, "name", name),
		.missing_is_none = true,
		.is_there = is_there,
	};
	return status_plan_start(&plan, out, err);
}
