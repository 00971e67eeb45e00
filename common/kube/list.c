/*
 * A list in pages (kube-api.md 1.4): all at the first page's resourceVersion. When that one is no
 * longer served (410) the list is asked for again, whole.
 */
#include "base/mem.h"
#include "base/str.h"
#include "kube/client_internal.h"

void list_name_kind(json_t *item, const char *api_version, const char *kind, bool replace)
{
	if (replace || !json_text(item, "apiVersion"))
		json_put_text(item, "apiVersion", api_version);
	if (replace || !json_text(item, "kind"))
		json_put_text(item, "kind", kind);
}

static json_t *next_page(KubeClient *client, const KubeRequest *request, int limit,
			 const char *continue_token, Error *err)
{
	autokubereply KubeReply reply = {0};
	if (batch_do(client, request, &reply, 1, limit, continue_token) == 1)
		return steal(&reply.object);
	err_move(err, &reply.err);
	return NULL;
}

static const char *continue_of(const json_t *page)
{
	const char *token = json_text(json_map(page, "metadata"), "continue");
	return cstr_empty(token) ? NULL : token;
}

static void append_items(json_t *list, const json_t *page)
{
	json_t *items = json_list(list, "items");
	if (!items) {
		items = json_array();
		json_object_set_new(list, "items", items);
	}
	if (list != page)
		json_array_extend(items, json_list(page, "items"));
}

/* Appends the following pages. False with ERR_GONE when their snapshot is no longer there. */
static bool follow(KubeClient *client, const KubeRequest *request, json_t *list, Error *err)
{
	autofree char *token = mem_strdup(continue_of(list));
	while (token) {
		autojson json_t *page = next_page(client, request, KUBE_PAGE, token, err);
		if (!page)
			return false;
		append_items(list, page);
		free(token);
		token = mem_strdup(continue_of(page));
		json_object_set(list, "metadata", json_map(page, "metadata"));
	}
	return true;
}

json_t *list_finish(KubeClient *client, const KubeRequest *request, json_t *take_page, Error *err)
{
	autojson json_t *list = take_page;
	autoerror Error cause = {0};
	append_items(list, list);
	if (!follow(client, request, list, &cause)) {
		if (cause.code != ERR_GONE) {
			err_move(err, &cause);
			return NULL;
		}
		json_decref(list);
		list = next_page(client, request, 0, NULL, err);
		if (!list)
			return NULL;
		append_items(list, list);
	}
	size_t i;
	json_t *item;
	json_array_foreach(json_list(list, "items"), i, item)
	{
		list_name_kind(item, request->api_version, request->kind, false);
	}
	return steal(&list);
}
