/* Gitea and Forgejo: a comment of a pull request (N74, N75). */
#include "notify/comment.h"

#include "base/mem.h"

static const CommentForge forge = {
	.marker = "flux-pr-comment-key",
	.edit_method = "PATCH",
	.author = {"user", "login"},
	.user_login = "login",
};

bool notify_build_giteapullrequestcomment(const NotifyTarget *target, const json_t *event,
					  NotifyRequest *out, Error *err)
{
	autorepository Repository repository = {0};
	const char *token = notify_token_or_password(target), *number = NULL;
	if (!notify_need(target, token, "token", err) ||
	    !repository_parse_parts(target, 2, &repository, err) ||
	    !(number = comment_request_number(event, err)))
		return false;
	autofree char *api = mem_printf("%s/api/v1/repos/%s/%s", repository.origin,
					repository.parts[0], repository.parts[1]);
	CommentPlaces places = {
		.user_url = mem_printf("%s/api/v1/user", repository.origin),
		.list_url = mem_printf("%s/issues/%s/comments?limit=100&page=1", api, number),
		.create_url = mem_printf("%s/issues/%s/comments", api, number),
		.edit_url = mem_printf("%s/issues/comments", api),
	};
	notify_add_auth(out, "token", token);
	comment_start(target, event, &forge, &places, out);
	return true;
}
