/* GitLab: a note of a merge request (N74, N75). */
#include "notify/comment.h"

#include "base/mem.h"
#include "net/url.h"

static const CommentForge forge = {
	.marker = "flux-mr-comment-key",
	.edit_method = "PUT",
	.author = {"author", "username"},
	.user_login = "username",
};

bool notify_build_gitlabmergerequestcomment(const NotifyTarget *target, const json_t *event,
					    NotifyRequest *out, Error *err)
{
	autorepository Repository repository = {0};
	const char *token = notify_token_or_password(target), *number = NULL;
	if (!notify_need(target, token, "token", err) ||
	    !repository_parse(target, &repository, err) ||
	    !(number = comment_request_number(event, err)))
		return false;
	autofree char *id = url_escape(repository.id, false);
	autofree char *notes = mem_printf("%s/api/v4/projects/%s/merge_requests/%s/notes",
					  repository.origin, id, number);
	CommentPlaces places = {
		.user_url = mem_printf("%s/api/v4/user", repository.origin),
		.list_url = mem_printf("%s?order_by=created_at&per_page=100&sort=asc", notes),
		.create_url = mem_strdup(notes),
		.edit_url = mem_strdup(notes),
	};
	notify_add_header(out, "PRIVATE-TOKEN", token);
	comment_start(target, event, &forge, &places, out);
	return true;
}
