/* GitHub: a comment of a pull request (N74, N75). */
#include "notify/comment.h"
#include "notify/github_api.h"

#include "base/mem.h"

static const CommentForge forge = {
	.marker = "flux-pr-comment-key",
	.edit_method = "PATCH",
	.author = {"user", "login"},
	.user_login = "login",
};

bool notify_build_githubpullrequestcomment(const NotifyTarget *target, const json_t *event,
					   NotifyRequest *out, Error *err)
{
	autorepository Repository repository = {0};
	autonotifyrequest NotifyRequest first = {0};
	const char *number = NULL;
	if (!repository_parse_parts(target, 2, &repository, err) ||
	    !(number = comment_request_number(event, err)))
		return false;
	autofree char *root = github_api_root(&repository);
	autofree char *api = github_api(&repository);
	/* An App has no user; its slug tells its login. */
	bool has_token = !cstr_empty(notify_token_or_password(target));
	CommentPlaces places = {
		.user_url = has_token ? mem_printf("%s/user", root) : NULL,
		.list_url =
			mem_printf("%s/issues/%s/comments?direction=asc&per_page=100&sort=created",
				   api, number),
		.create_url = mem_printf("%s/issues/%s/comments", api, number),
		.edit_url = mem_printf("%s/issues/comments", api),
	};
	comment_start(target, event, &forge, &places, &first);
	return github_authorize(target, &first, comment_set_login, out, err);
}
