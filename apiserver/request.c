/* Paths, options, media types (kube-api.md 1.2, 2.4). */
#include "request.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "data/json_twice.h"
#include "data/yaml.h"
#include "net/url.h"
#include "proto.h"
#include "server.h"
#include "view.h"

enum { BODY_MAX = 3 * 1024 * 1024, PATH_PARTS_MAX = 10 };

void request_path_dispose(RequestPath *path)
{
	char *texts[] = {path->verb,   path->group, path->version,    path->ns,
			 path->plural, path->name,  path->subresource};
	for (size_t i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	*path = (RequestPath){0};
}

static size_t split_path(const char *path, char *parts[PATH_PARTS_MAX])
{
	size_t count = 0;
	Str rest = str_of(path);
	Str piece;
	while (str_next(&rest, '/', &piece) && count < PATH_PARTS_MAX) {
		if (piece.len == 0)
			continue;
		autofree char *raw = str_dup(piece);
		char *text = url_unescape(raw, false);
		parts[count++] = text ? text : mem_strdup("\xff");
	}
	return count;
}

static const struct {
	const char *method, *verb, *verb_all;
} verbs[] = {
	{"GET", "get", "list"},	      {"HEAD", "get", "list"},
	{"POST", "create", "create"}, {"PUT", "update", "update"},
	{"PATCH", "patch", "patch"},  {"DELETE", "delete", "deletecollection"},
};

static char *verb_of(const char *method, bool resource, bool named, bool watch)
{
	for (size_t i = 0; resource && i < COUNT(verbs); i++) {
		if (strcmp(method, verbs[i].method) != 0)
			continue;
		if (i < 2 && watch && !named)
			return mem_strdup("watch"); /* of one object it is a plain get */
		return mem_strdup(named ? verbs[i].verb : verbs[i].verb_all);
	}
	char *verb = mem_strdup(method);
	for (char *c = verb; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return verb;
}

/* Takes RESOURCE[/NAME[/SUB]] or namespaces/NS/RESOURCE... from parts[at..]. */
static void parse_resource(char **parts, size_t at, size_t count, RequestPath *out)
{
	bool in_namespace = count > at + 2 && strcmp(parts[at], "namespaces") == 0;
	/* /namespaces/NAME/status and /finalize are parts of the Namespace itself. */
	if (in_namespace && count == at + 3 && *out->group == '\0' &&
	    (strcmp(parts[at + 2], "status") == 0 || strcmp(parts[at + 2], "finalize") == 0))
		in_namespace = false;
	if (in_namespace) {
		out->ns = mem_strdup(parts[at + 1]);
		at += 2;
	}
	out->plural = mem_strdup(parts[at]);
	out->name = mem_strdup(count > at + 1 ? parts[at + 1] : "");
	out->subresource = mem_strdup(count > at + 2 ? parts[at + 2] : "");
	out->is_resource = true;
}

static void fill_path(char **parts, size_t count, RequestPath *out)
{
	bool core = count >= 3 && strcmp(parts[0], "api") == 0;
	bool grouped = count >= 4 && strcmp(parts[0], "apis") == 0;
	out->group = mem_strdup(grouped ? parts[1] : "");
	out->version = mem_strdup(core ? parts[1] : grouped ? parts[2] : "");
	if (core || grouped)
		parse_resource(parts, core ? 2 : 3, count, out);
	char **texts[] = {&out->ns, &out->plural, &out->name, &out->subresource};
	for (size_t i = 0; i < COUNT(texts); i++)
		if (!*texts[i])
			*texts[i] = mem_strdup("");
}

bool request_path_parse(const char *method, const char *path, bool watch, RequestPath *out)
{
	char *parts[PATH_PARTS_MAX];
	size_t count = split_path(path, parts);
	bool valid = count < PATH_PARTS_MAX;
	for (size_t i = 0; i < count; i++)
		valid = valid && parts[i][0] != '\xff';
	if (valid) {
		*out = (RequestPath){0};
		fill_path(parts, count, out);
		out->verb = verb_of(method, out->is_resource, *out->name != '\0', watch);
	}
	for (size_t i = 0; i < count; i++)
		free(parts[i]);
	return valid;
}

void user_dispose(User *user)
{
	free(user->name);
	free(user->uid);
	vec_dispose_strings(&user->groups);
	json_decref(user->extra);
	*user = (User){0};
}

void user_add_group(User *user, const char *group)
{
	if (!user_in_group(user, group))
		vec_push(&user->groups, mem_strdup(group));
}

bool user_in_group(const User *user, const char *group)
{
	for (size_t i = 0; i < user->groups.len; i++)
		if (strcmp(user->groups.items[i], group) == 0)
			return true;
	return false;
}

bool request_flag(Request *request, const char *name)
{
	const char *value = httpd_param(request->http, name);
	return value && strcmp(value, "false") != 0 && strcmp(value, "0") != 0;
}

static bool options_invalid(const Request *request, Status *status, const char *field,
			    const char *type, const char *text)
{
	const char *verb = request->path.verb;
	const char *kind = strcmp(verb, "create") == 0	 ? "CreateOptions"
			   : strcmp(verb, "update") == 0 ? "UpdateOptions"
			   : strcmp(verb, "patch") == 0	 ? "PatchOptions"
							 : "DeleteOptions";
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, type, field, "%s", text);
	return field_errors_check(&errors, kind, "meta.k8s.io", "", status);
}

/* How unknown fields are met; "" is Warn. */
static bool read_validation(Request *request, Status *status)
{
	static const char *const known[] = {"Ignore", "Strict", "Warn"};
	const char *given = httpd_param(request->http, "fieldValidation");
	request->validation = cstr_empty(given) ? "Warn" : given;
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(request->validation, known[i]) == 0)
			return true;
	autofree char *text = mem_printf(
		"\"%s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", given);
	return options_invalid(request, status, "fieldValidation", "Unsupported value", text);
}

static void default_manager(Request *request)
{
	const char *agent = httpd_header(request->http, "User-Agent");
	size_t len = agent ? strcspn(agent, "/") : 0;
	if (len == 0) {
		agent = "unknown";
		len = strlen(agent);
	}
	if (len > sizeof(request->manager) - 1)
		len = sizeof(request->manager) - 1;
	memcpy(request->manager, agent, len);
	request->manager[len] = '\0';
}

static bool printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

bool request_read_options(Request *request, Status *status)
{
	const char *dry_run = httpd_param(request->http, "dryRun");
	if (dry_run && strcmp(dry_run, "All") != 0) {
		autofree char *text = mem_printf("[\"%s\"]: supported values: \"All\"", dry_run);
		return options_invalid(request, status, "dryRun", "Unsupported value", text);
	}
	request->dry_run = dry_run != NULL;
	if (!read_validation(request, status))
		return false;
	const char *manager = httpd_param(request->http, "fieldManager");
	if (!manager || !*manager) {
		default_manager(request);
		return true;
	}
	if (strlen(manager) >= sizeof(request->manager))
		return options_invalid(request, status, "fieldManager", "Too long",
				       "may not be more than 128 bytes");
	if (!printable(manager))
		return options_invalid(request, status, "fieldManager", "Invalid value",
				       "should only contain printable characters");
	memcpy(request->manager, manager, strlen(manager) + 1);
	return true;
}

static bool clause_has(Str clause, const char *part)
{
	return str_find(clause, str_of(part)) >= 0;
}

/* Fills the view from one clause of Accept; false when we cannot serve it. */
static bool accept_clause(Str clause, View *view)
{
	Str type, parameters;
	str_cut(clause, ';', &type, &parameters);
	type = str_trim(type);
	bool yaml = str_eq(type, STR("application/yaml"));
	if (!yaml && !str_eq(type, STR("application/json")) && !str_eq(type, STR("*/*")) &&
	    !str_eq(type, STR("application/*")))
		return false;
	bool known = !clause_has(parameters, "v=") ||
		     (clause_has(parameters, "v=v1") && !clause_has(parameters, "v=v1beta1"));
	if (known && clause_has(parameters, "as=Table"))
		view->format = VIEW_TABLE;
	else if (known && clause_has(parameters, "as=PartialObjectMetadata"))
		view->format = VIEW_PARTIAL;
	else if (clause_has(parameters, "as="))
		return false;
	view->yaml = yaml;
	return true;
}

bool request_negotiate(Request *request, Status *status)
{
	const char *accept = httpd_header(request->http, "Accept");
	const char *agent = httpd_header(request->http, "User-Agent");
	const char *pretty = httpd_param(request->http, "pretty");
	const char *include = httpd_param(request->http, "includeObject");
	View view = {0};
	view.table_objects = include && strcmp(include, "Object") == 0;
	view.table_bare = include && strcmp(include, "None") == 0;
	view.pretty = pretty ? strcmp(pretty, "false") != 0 && strcmp(pretty, "0") != 0
			     : agent && cstr_starts(agent, "curl/");
	request->view = view;
	Str rest = str_of(accept && *accept ? accept : "*/*");
	Str clause;
	while (str_next(&rest, ',', &clause)) {
		View wanted = view;
		if (!accept_clause(clause, &wanted))
			continue;
		request->view = wanted;
		return true;
	}
	return status_set(status, 406, "NotAcceptable",
			  "only the following media types are accepted: application/json, "
			  "application/yaml");
}

static json_t *parse_proto(Request *request, Status *status)
{
	autoerror Error err = {0};
	Str body = httpd_body(request->http);
	json_t *value = proto_decode(catalog_definitions(request->server->catalog), body.ptr,
				     body.len, &err);
	if (value)
		return value;
	if (err.code == ERR_UNSUPPORTED)
		status_set(status, 415, "UnsupportedMediaType", "%s", err_text(&err));
	else
		status_bad_request(status, "%s", err_text(&err));
	return NULL;
}

static json_t *parse_yaml(Str body, json_t *twice, Error *err)
{
	json_t *value = json_parse_plain(body.ptr, body.len);
	return value ? value : yaml_parse_noting(body.ptr, body.len, BODY_MAX, "body", twice, err);
}

/* Paths as the lines that tell of them. */
static json_t *duplicate_lines(const json_t *paths, const json_t *value)
{
	json_t *lines = json_array();
	for (size_t i = 0; i < json_array_size(paths); i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		autofree char *line = mem_printf("%sduplicate field \"%s\"",
						 json_is_array(value) ? "json patch " : "", path);
		json_array_append_new(lines, json_string(line));
	}
	return lines;
}

static json_t *parse_body(Request *request, bool yaml, Status *status)
{
	autoerror Error err = {0};
	Str body = httpd_body(request->http);
	autojson json_t *twice = json_array();
	json_t *value = yaml ? parse_yaml(body, twice, &err)
			     : json_parse_noting(body.ptr, body.len, BODY_MAX, twice, &err);
	if (!value) {
		status_bad_request(status,
				   "the object provided is unrecognized (must be of type "
				   "Object): %s",
				   err_text(&err));
		return NULL;
	}
	json_decref(request->twice);
	request->twice = NULL;
	request->twice_yaml = yaml;
	if (json_array_size(twice) > 0 && strcmp(request->validation, "Ignore") != 0)
		request->twice = yaml ? steal(&twice) : duplicate_lines(twice, value);
	return value;
}

void request_put_twice(const Request *request, Buf *out)
{
	const char *between = request->twice_yaml ? "\n  " : ", ";
	if (request->twice && request->twice_yaml)
		buf_puts(out, "yaml: unmarshal errors:\n  ");
	for (size_t i = 0; i < json_array_size(request->twice); i++)
		buf_printf(out, "%s%s", i ? between : "",
			   json_string_value(json_array_get(request->twice, i)));
}

json_t *request_body(Request *request, Status *status)
{
	const char *type = httpd_header(request->http, "Content-Type");
	Str media, rest;
	str_cut(str_of(type), ';', &media, &rest);
	media = str_trim(media);
	if (str_eq(media, STR("application/vnd.kubernetes.protobuf")))
		return parse_proto(request, status);
	bool yaml = str_ends(media, STR("yaml"));
	bool json = media.len == 0 || str_ends(media, STR("json")) ||
		    str_eq(media, STR("application/x-www-form-urlencoded"));
	if (!yaml && !json) {
		status_set(status, 415, "UnsupportedMediaType",
			   "the body of the request was in an unknown format - accepted media "
			   "types include: application/json, application/yaml");
		return NULL;
	}
	return parse_body(request, yaml, status);
}

void request_warn(Request *request, const char *text)
{
	autobuf Buf header = {0};
	buf_puts(&header, "299 - \"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(&header, '\\');
		buf_putc(&header, (unsigned char)*text < 0x20 ? ' ' : *text);
	}
	buf_putc(&header, '"');
	httpd_set_header(request->http, "Warning", buf_text(&header));
}

void request_reply_json(Request *request, int code, const json_t *value)
{
	if (request->view.yaml) {
		autobuf Buf out = {0};
		yaml_emit(value, &out);
		httpd_reply(request->http, code, "application/yaml", buf_text(&out), out.len);
		return;
	}
	char *text = request->view.pretty ? json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY)
					  : json_dump(value);
	httpd_reply_take(request->http, code, "application/json", text, strlen(text));
}

void request_reply_object(Request *request, int code, json_t *object)
{
	autojson json_t *shown = view_object(&request->view, request->resource, object);
	request_reply_json(request, code, shown);
}

void request_reply_status(Request *request, const Status *status)
{
	request->view.yaml = false;
	request_reply_json(request, status->code, status->body);
}
