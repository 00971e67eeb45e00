/*
 * Impersonate-User, -Group (each header one group), -Uid and -Extra-KEY: the caller needs the verb
 * impersonate on each of them. Groups that are named replace those that a ServiceAccount has by
 * itself. kube-api.md 2.8.
 */
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "net/url.h"
#include "auth_internal.h"
#include "server.h"

static const char extra_prefix[] = "Impersonate-Extra-";

static bool may(ApiServer *server, const User *user, const Access *access, Status *status)
{
	if (auth_allows(server, user, access))
		return true;
	bool below = *access->subresource != '\0';
	autofree char *what = mem_printf("%s%s%s", access->resource, below ? "/" : "",
					 below ? access->subresource : "");
	autofree char *key = *access->group ? mem_printf("%s.%s", access->resource, access->group)
					    : mem_strdup(access->resource);
	Resource kind = {.key = key,
			 .plural = (char *)(uintptr_t)access->resource,
			 .group = (char *)(uintptr_t)access->group};
	autofree char *where = *access->ns ? mem_printf("in the namespace \"%s\"", access->ns)
					   : mem_strdup("at the cluster scope");
	autofree char *why =
		mem_printf("User \"%s\" cannot impersonate resource \"%s\" in API group \"%s\" %s",
			   user->name, what, access->group, where);
	return status_forbidden(status, &kind, access->name, why);
}

/* system:serviceaccount:NS:NAME; false when it is another user. */
static bool split_account(const char *user, char **out_ns, char **out_name)
{
	static const char prefix[] = "system:serviceaccount:";
	if (!cstr_starts(user, prefix))
		return false;
	Str ns, name;
	if (!str_cut(str_of(user + strlen(prefix)), ':', &ns, &name) || !ns.len || !name.len)
		return false;
	*out_ns = str_dup(ns);
	*out_name = str_dup(name);
	return true;
}

void auth_add_account_groups(User *user, const char *ns)
{
	autofree char *group = mem_printf("system:serviceaccounts:%s", ns);
	user_add_group(user, "system:serviceaccounts");
	user_add_group(user, group);
	user_add_group(user, "system:authenticated");
}

/* One request's way from the caller to the user that is asked for. */
typedef struct {
	ApiServer *server;
	const User *caller;
	User next;
	bool refused;
	Status *status;
} Wish;

static void take_user(Wish *wish, const char *name, bool groups_named)
{
	autofree char *ns = NULL;
	autofree char *account = NULL;
	bool is_account = split_account(name, &ns, &account);
	Access access = {"impersonate",
			 "",
			 is_account ? "serviceaccounts" : "users",
			 "",
			 is_account ? ns : "",
			 is_account ? account : name,
			 NULL};
	wish->refused = !may(wish->server, wish->caller, &access, wish->status);
	wish->next.name = mem_strdup(name);
	if (is_account && !groups_named)
		auth_add_account_groups(&wish->next, ns);
}

static void take_group(Wish *wish, const char *name)
{
	Access access = {"impersonate", "", "groups", "", "", name, NULL};
	wish->refused = !may(wish->server, wish->caller, &access, wish->status);
	user_add_group(&wish->next, name);
}

/* The key of an extra header: lower case, then percent-decoded; as it is when that fails. */
static char *extra_key(const char *header)
{
	autofree char *key = mem_strdup(header + strlen(extra_prefix));
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	char *decoded = url_unescape(key, false);
	return decoded ? decoded : steal(&key);
}

static void take_extra(Wish *wish, const char *header, const char *value)
{
	autofree char *key = extra_key(header);
	Access access = {"impersonate", "authentication.k8s.io", "userextras", key, "", value,
			 NULL};
	wish->refused = !may(wish->server, wish->caller, &access, wish->status);
	if (!wish->next.extra)
		wish->next.extra = json_object();
	json_t *values = json_object_get(wish->next.extra, key);
	if (!values)
		json_object_set_new(wish->next.extra, key, values = json_array());
	json_array_append_new(values, json_string(value));
}

static void take_header(void *arg, const char *name, const char *value)
{
	Wish *wish = arg;
	if (wish->refused)
		return;
	if (strcasecmp(name, "Impersonate-Group") == 0)
		take_group(wish, value);
	else if (strncasecmp(name, extra_prefix, strlen(extra_prefix)) == 0)
		take_extra(wish, name, value);
}

/* Everybody is one of authenticated and unauthenticated, unless the groups say which. */
static void add_standing(User *user)
{
	bool anonymous = strcmp(user->name, "system:anonymous") == 0;
	if (user_in_group(user, "system:unauthenticated") ||
	    (!anonymous && user_in_group(user, "system:authenticated")))
		return;
	user_add_group(user, anonymous ? "system:unauthenticated" : "system:authenticated");
}

static void note_header(void *arg, const char *name, const char *value)
{
	(void)value;
	bool *more = arg;
	*more |= strcasecmp(name, "Impersonate-Group") == 0 ||
		 strcasecmp(name, "Impersonate-Uid") == 0 ||
		 strncasecmp(name, extra_prefix, strlen(extra_prefix)) == 0;
}

/* Whether anything of a user is named, be it without saying who. */
static bool names_more(HttpdRequest *http)
{
	bool more = false;
	httpd_each_header(http, note_header, &more);
	return more;
}

static bool fill_wish(Wish *wish, HttpdRequest *http)
{
	const char *name = httpd_header(http, "Impersonate-User");
	const char *uid = httpd_header(http, "Impersonate-Uid");
	if (cstr_empty(name) && names_more(http))
		return status_set(wish->status, 500, "InternalError",
				  "requested groups, a uid or extra without impersonating a user");
	if (!cstr_empty(name))
		take_user(wish, name, httpd_header(http, "Impersonate-Group") != NULL);
	httpd_each_header(http, take_header, wish);
	if (wish->refused)
		return false;
	if (!cstr_empty(uid)) {
		Access access = {"impersonate", "authentication.k8s.io", "uids", "", "", uid, NULL};
		if (!may(wish->server, wish->caller, &access, wish->status))
			return false;
	}
	wish->next.uid = mem_strdup(uid ? uid : "");
	return true;
}

bool auth_impersonate(ApiServer *server, HttpdRequest *http, User *user, Status *status)
{
	Wish wish = {.server = server, .caller = user, .status = status};
	bool ok = fill_wish(&wish, http);
	if (ok && wish.next.name) {
		add_standing(&wish.next);
		User before = *user;
		*user = wish.next;
		wish.next = before;
	}
	user_dispose(&wish.next);
	return ok;
}
