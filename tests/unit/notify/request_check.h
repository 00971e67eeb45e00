/* Builds a provider's request for a fixed event and compares it with what is expected. JSON is
 * written with ' in place of ". */
#ifndef TEST_REQUEST_CHECK_H
#define TEST_REQUEST_CHECK_H

#include <string.h>

#include "base/mem.h"
#include "data/json.h"
#include "notify/notify.h"

static inline json_t *json_quoted(const char *text)
{
	autofree char *copy = mem_strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	autoerror Error err = {0};
	json_t *value = json_parse(copy, strlen(copy), 1 << 20, &err);
	if (!value)
		fail_msg("%s: %s", err_text(&err), copy);
	return value;
}

/* An event about Kustomization flux-system/apps; `changes` is merged in. */
static inline json_t *test_event(const char *changes)
{
	json_t *event = json_quoted(
		"{'involvedObject':{'apiVersion':'kustomize.toolkit.fluxcd.io/v1',"
		"'kind':'Kustomization','name':'apps','namespace':'flux-system','uid':'uid-1'},"
		"'severity':'info','timestamp':'2026-01-02T03:04:05Z','message':'all is well',"
		"'reason':'ReconciliationSucceeded','metadata':{'revision':'main@sha1:abc',"
		"'summary':'prod'},'reportingController':'kustomize-controller',"
		"'reportingInstance':'pod-1'}");
	autojson json_t *patch = json_quoted(changes);
	json_merge_patch(&event, patch);
	return event;
}

/* Members of target by name; the strings live as long as `spec`. */
static inline NotifyTarget test_target(const json_t *spec)
{
	return (NotifyTarget){.type = json_text(spec, "type"),
			      .address = json_text(spec, "address"),
			      .channel = json_text(spec, "channel"),
			      .username = json_text(spec, "username"),
			      .token = json_text(spec, "token"),
			      .secret_username = json_text(spec, "username"),
			      .secret_password = json_text(spec, "password"),
			      .headers = json_map(spec, "headers"),
			      .status_id = json_text(spec, "status_id"),
			      .provider_uid = "provider-uid",
			      .alert_namespace = "alerts",
			      .alert_name = "all",
			      .alert_uid = "alert-uid"};
}

typedef struct {
	const char *name, *target, *event; /* JSON */
	const char *request; /* "METHOD URL"; "" when nothing is sent; NULL: an error */
	const char *headers; /* "Name: value|..." of those that must be there; NULL: any */
	const char *body;    /* JSON; NULL: any. For an error, a part of its text */
} RequestRow;

static inline bool has_header(const NotifyRequest *request, Str header)
{
	for (size_t i = 0; i < request->headers.len; i++)
		if (str_eq(str_of(request->headers.items[i]), header))
			return true;
	return false;
}

static inline void check_headers(const RequestRow *row, const NotifyRequest *request)
{
	Str rest = str_of(row->headers), header;
	while (str_next(&rest, '|', &header)) {
		bool absent = header.len && header.ptr[0] == '!';
		if (!absent && !has_header(request, header))
			fail_msg("%s: no header %.*s", row->name, (int)header.len, header.ptr);
		for (size_t i = 0; absent && i < request->headers.len; i++)
			if (str_starts(str_of(request->headers.items[i]),
				       str_slice(header, 1, header.len)))
				fail_msg("%s: has %s", row->name,
					 (char *)request->headers.items[i]);
	}
}

static inline void check_request(const RequestRow *row, const NotifyRequest *request)
{
	if (!*row->request) {
		assert_null(request->url);
		return;
	}
	assert_non_null(request->url);
	autofree char *line =
		mem_printf("%s %s", request->method ? request->method : "POST", request->url);
	assert_string_equal(line, row->request);
	check_headers(row, request);
	if (!row->body)
		return;
	autojson json_t *want = json_quoted(row->body);
	autoerror Error err = {0};
	autojson json_t *got =
		json_parse(buf_text(&request->body), request->body.len, 1 << 20, &err);
	autofree char *want_text = json_dump_sorted(want);
	autofree char *got_text = got ? json_dump_sorted(got) : mem_strdup(err_text(&err));
	if (strcmp(want_text, got_text) != 0)
		fail_msg("%s:\nwant %s\ngot  %s", row->name, want_text, got_text);
}

static inline void check_row(const RequestRow *row)
{
	autojson json_t *spec = json_quoted(row->target), *event = test_event(row->event);
	NotifyTarget target = test_target(spec);
	autonotifyrequest NotifyRequest request = {0};
	autoerror Error err = {0};
	bool good = notify_build(&target, event, &request, &err);
	if (good != (row->request != NULL))
		fail_msg("%s: %s", row->name, good ? "no error" : err_text(&err));
	if (good)
		check_request(row, &request);
	else if (row->body && !strstr(err_text(&err), row->body))
		fail_msg("%s: %s", row->name, err_text(&err));
}

#endif
