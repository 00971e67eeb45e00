/* The list of tags, page by page: no more than one page is held. */
#include "base/mem.h"
#include "data/json.h"
#include "oci/registry_internal.h"

enum { PAGE_TAGS = 1000, MAX_PAGE = 8 << 20, MAX_PAGES = 10000, MAX_TAGS = 1000000, OK = 200 };

typedef struct {
	RegistryTagFn *fn;
	void *arg;
	size_t count;
	bool ended;
} Listing;

static bool read_page(Listing *listing, const HttpResponse *reply, Error *err)
{
	autojson json_t *root = json_parse(buf_text(&reply->body), reply->body.len, MAX_PAGE, err);
	size_t i;
	json_t *tag;
	if (!root)
		return err_wrap(err, "list of tags");
	json_array_foreach(json_list(root, "tags"), i, tag)
	{
		if (!json_is_string(tag))
			return err_set(err, ERR_INVALID, "list of tags: a tag is no string");
		if (++listing->count > MAX_TAGS)
			return err_set(err, ERR_LIMIT, "more than %d tags", MAX_TAGS);
		if (!listing->fn(listing->arg, json_string_value(tag))) {
			listing->ended = true;
			return true;
		}
	}
	return true;
}

bool registry_tags(Registry *registry, RegistryTagFn *fn, void *arg, Error *err)
{
	Listing listing = {.fn = fn, .arg = arg};
	autofree char *path = mem_printf("%s/tags/list?n=%d", registry->repository, PAGE_TAGS);
	for (int page = 0; path && page < MAX_PAGES; page++) {
		const RegistryCall call = {.method = "GET", .path = path, .max_body = MAX_PAGE};
		autohttpresponse HttpResponse reply = {0};
		autofree char *url = NULL;
		if (!registry_call(registry, &call, &reply, &url, err))
			return false;
		if (reply.status != OK)
			return registry_reply_fail(registry, "GET", url, &reply, err);
		if (!read_page(&listing, &reply, err))
			return false;
		if (listing.ended)
			return true;
		char *next = registry_next_page(registry, url, &reply, err);
		if (err_is_set(err))
			return false;
		free(path);
		path = next;
	}
	return path ? err_set(err, ERR_LIMIT, "more than %d pages of tags", MAX_PAGES) : true;
}
