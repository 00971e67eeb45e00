#include "notify/comment.h"

#include <string.h>

#include "base/mem.h"
#include "notify/commit_status.h"

enum { REPLY_MAX = 8 << 20, NUMBER_MAX = 18 };

typedef struct {
	const CommentForge *forge;
	CommentPlaces places;
	char *login, *marker, *body;
} Work;

static void free_work(void *state)
{
	Work *work = state;
	free(work->places.user_url);
	free(work->places.list_url);
	free(work->places.create_url);
	free(work->places.edit_url);
	free(work->login);
	free(work->marker);
	free(work->body);
	free(work);
}

const char *comment_request_number(const json_t *event, Error *err)
{
	const char *number = json_text(json_map(event, "metadata"), "change_request");
	if (!number)
		return err_null(err, ERR_INVALID, "missing 'change_request' metadata key");
	size_t digits = strspn(number, "0123456789");
	if (!digits || number[digits] || digits > NUMBER_MAX)
		return err_null(err, ERR_INVALID, "invalid 'change_request' metadata value '%s'",
				number);
	return number;
}

void comment_set_login(void *state, const char *login)
{
	Work *work = state;
	free(work->login);
	work->login = mem_strdup(login);
}

/* The id of our own comment with the marker, or 0: others may have copied it. */
static int64_t find_own(const Work *work, const json_t *list)
{
	const CommentForge *forge = work->forge;
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		const char *author = json_text_at(item, forge->author[0], forge->author[1], NULL);
		if (cstr_eq(author, work->login) &&
		    strstr(json_text_or(item, "body", ""), work->marker))
			return json_int(item, "id", 0);
	}
	return 0;
}

static bool write_comment(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
			  Error *err)
{
	(void)status;
	Work *work = self->state;
	autojson json_t *list = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	if (!list)
		return err_wrap(err, "failed to list comments");
	int64_t id = find_own(work, list);
	char *url = id ? mem_printf("%s/%lld", work->places.edit_url, (long long)id)
		       : mem_strdup(work->places.create_url);
	if (id)
		out_next->method = work->forge->edit_method;
	notify_copy_headers(self, out_next);
	autojson json_t *body = json_pack("{s:s}", "body", work->body);
	return notify_set_json_at(url, body, out_next, err);
}

static void set_list(Work *work, NotifyRequest *out)
{
	out->method = "GET";
	out->url = mem_strdup(work->places.list_url);
	out->then = write_comment;
	out->state = work;
	out->free_state = free_work;
}

static bool take_login(NotifyRequest *self, int status, Str reply, NotifyRequest *out_next,
		       Error *err)
{
	(void)status;
	Work *work = self->state;
	autojson json_t *user = json_parse(reply.ptr, reply.len, REPLY_MAX, err);
	const char *login = json_text(user, work->forge->user_login);
	if (cstr_empty(login))
		return err_is_set(err)
			       ? false
			       : err_set(err, ERR_INVALID, "failed to get authenticated user info");
	comment_set_login(work, login);
	notify_copy_headers(self, out_next);
	self->state = NULL;
	set_list(work, out_next);
	return true;
}

void comment_start(const NotifyTarget *target, const json_t *event, const CommentForge *forge,
		   CommentPlaces *take_places, NotifyRequest *out)
{
	Work *work = mem_zalloc(1, sizeof(*work));
	work->forge = forge;
	work->places = *take_places;
	*take_places = (CommentPlaces){0};
	work->marker = mem_printf("<!-- %s:%s/%s/%s/%s -->", forge->marker,
				  target->provider_uid ? target->provider_uid : "",
				  notify_object(event, "kind"), notify_object(event, "namespace"),
				  notify_object(event, "name"));
	autofree char *markdown = notify_markdown(event);
	work->body = mem_printf("%s\n\n%s", work->marker, markdown);
	set_list(work, out);
	if (work->places.user_url) {
		free(out->url);
		out->url = mem_strdup(work->places.user_url);
		out->then = take_login;
	}
}
