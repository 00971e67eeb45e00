#include "../cmocka_all.h"

#include "data/digest.h"
#include "request_check.h"

static void check_rows(const RequestRow *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
}

/* The request built for a target and an event, both as JSON; must succeed. */
static void build(const char *target_text, const char *changes, NotifyRequest *out)
{
	autojson json_t *spec = json_quoted(target_text), *event = test_event(changes);
	NotifyTarget target = test_target(spec);
	autoerror Error err = {0};
	if (!notify_build(&target, event, out, &err))
		fail_msg("%s", err_text(&err));
}

/* Goes on as after the reply; the request that follows replaces *request. False: there is none. */
static bool follow(NotifyRequest *request, int status, const char *reply)
{
	autonotifyrequest NotifyRequest next = {0};
	autoerror Error err = {0};
	if (!request->then || !request->then(request, status, str_of(reply), &next, &err)) {
		assert_string_equal(err_text(&err), "");
		return false;
	}
	notify_request_dispose(request);
	*request = next;
	next = (NotifyRequest){0};
	return request->url != NULL;
}

static json_t *body_of(const NotifyRequest *request)
{
	autoerror Error err = {0};
	json_t *body = json_parse(buf_text(&request->body), request->body.len, 1 << 20, &err);
	assert_non_null(body);
	return body;
}

static void N49_opsgenie(void **state)
{
	(void)state;
	/* SHA-256 of "provider-uid/Kustomization/flux-system/apps/ReconciliationSucceeded". */
	char alias[DIGEST_TEXT_SIZE];
	static const char key[] =
		"provider-uid/Kustomization/flux-system/apps/ReconciliationSucceeded";
	digest_hex(DIGEST_SHA256, key, strlen(key), alias);
	autofree char *body = mem_printf(
		"{'message':'Kustomization/apps','alias':'%s','description':'all is well',"
		"'details':{'revision':'main@sha1:abc','summary':'prod','severity':'info'}}",
		alias);
	autofree char *bad = mem_printf("{'message':'Kustomization/apps','alias':'%s',"
					"'description':'other','details':{'severity':'error'}}",
					alias);
	const RequestRow rows[] = {
		{"info", "{'type':'opsgenie','address':'https://o.test/v2/alerts','token':'k'}",
		 "{}", "POST https://o.test/v2/alerts", "Authorization: GenieKey k", body},
		{"same alias",
		 "{'type':'opsgenie','address':'https://o.test/v2/alerts','token':'k'}",
		 "{'metadata':null,'message':'other','severity':'error'}",
		 "POST https://o.test/v2/alerts", NULL, bad},
		{"no token", "{'type':'opsgenie','address':'https://o.test/v2/alerts'}", "{}", NULL,
		 NULL, "token"},
	};
	check_rows(rows, COUNT(rows));
}

static void N50_alertmanager(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'alertmanager','address':'https://a.test/api/v2/alerts/'}", "{}",
		 "POST https://a.test/api/v2/alerts/", "!Authorization",
		 "[{'status':'firing','labels':{'revision':'main@sha1:abc',"
		 "'alertname':'FluxKustomizationReconciliationsucceeded','severity':'info',"
		 "'reason':'ReconciliationSucceeded','kind':'Kustomization','name':'apps',"
		 "'namespace':'flux-system','reportingcontroller':'kustomize-controller'},"
		 "'annotations':{'message':'all is well','summary':'prod'},"
		 "'startsAt':'2026-01-02T03:04:05Z','endsAt':'0001-01-01T00:00:00Z'}]"},
		{"token", "{'type':'alertmanager','address':'https://a.test/','token':'t'}",
		 "{'metadata':null,'reason':'health-check FAILED'}", "POST https://a.test/",
		 "Authorization: Bearer t",
		 "[{'status':'firing','labels':{"
		 "'alertname':'FluxKustomizationHealth-Check Failed','severity':'info',"
		 "'reason':'health-check FAILED','kind':'Kustomization','name':'apps',"
		 "'namespace':'flux-system','reportingcontroller':'kustomize-controller'},"
		 "'annotations':{'message':'all is well'},"
		 "'startsAt':'2026-01-02T03:04:05Z','endsAt':'0001-01-01T00:00:00Z'}]"},
		{"basic beats token",
		 "{'type':'alertmanager','address':'https://a.test/','token':'t','username':'u',"
		 "'password':'p'}",
		 "{}", "POST https://a.test/", "Authorization: Basic dTpw", NULL},
	};
	check_rows(rows, COUNT(rows));
}

static void N51_grafana(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"token beats basic",
		 "{'type':'grafana','address':'https://g.test/api/annotations','token':'t',"
		 "'username':'u','password':'p'}",
		 "{}", "POST https://g.test/api/annotations", "Authorization: Bearer t",
		 "{'when':1767323045,'text':'kustomization/apps.flux-system','tags':['flux',"
		 "'kustomize-controller','revision: main@sha1|abc','summary: prod',"
		 "'kind: Kustomization','name: apps','namespace: flux-system']}"},
		{"basic",
		 "{'type':'grafana','address':'https://g.test/','username':'u','password':'p'}",
		 "{}", "POST https://g.test/", "Authorization: Basic dTpw", NULL},
		{"colons", "{'type':'grafana','address':'https://g.test/'}",
		 "{'metadata':{'revision':null,'summary':null,'a:b':'c:d'}}",
		 "POST https://g.test/", NULL,
		 "{'when':1767323045,'text':'kustomization/apps.flux-system','tags':['flux',"
		 "'kustomize-controller','a|b: c|d',"
		 "'kind: Kustomization','name: apps','namespace: flux-system']}"},
	};
	check_rows(rows, COUNT(rows));
}

static void N52_pagerduty_triggers(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"error",
		 "{'type':'pagerduty','address':'https://u@p.test:8443/x/y?z','channel':'key'}",
		 "{'severity':'error','reason':'HealthCheckFailed'}",
		 "POST https://p.test:8443/v2/enqueue", NULL,
		 "{'routing_key':'key','event_action':'trigger','dedup_key':'uid-1','payload':{"
		 "'summary':'health check failed: kustomization/apps',"
		 "'source':'Flux kustomize-controller','severity':'error',"
		 "'timestamp':'2026-01-02T03:04:05Z','component':'apps','group':'Kustomization',"
		 "'custom_details':{'message':'all is well','metadata':{"
		 "'revision':'main@sha1:abc','summary':'prod'}}}}"},
		{"no uid", "{'type':'pagerduty','address':'https://p.test','channel':'key'}",
		 "{'severity':'trace','involvedObject':{'uid':null}}",
		 "POST https://p.test/v2/enqueue", NULL,
		 "{'routing_key':'key','event_action':'resolve'}"},
		{"progressing", "{'type':'pagerduty','address':'https://p.test','channel':'key'}",
		 "{'reason':'Progressing'}", "", NULL, NULL},
	};
	check_rows(rows, COUNT(rows));
	autonotifyrequest NotifyRequest request = {0};
	build(rows[0].target, rows[0].event, &request);
	assert_false(follow(&request, 202, ""));
}

static void N52_pagerduty_resolves_and_tells_the_change(void **state)
{
	(void)state;
	autonotifyrequest NotifyRequest request = {0};
	build("{'type':'pagerduty','address':'https://p.test','channel':'key'}", "{}", &request);
	autojson json_t *first = body_of(&request);
	autojson json_t *want =
		json_quoted("{'routing_key':'key','event_action':'resolve','dedup_key':'uid-1'}");
	assert_true(json_same(first, want));
	assert_true(follow(&request, 202, "{}"));
	assert_string_equal(request.url, "https://p.test/v2/change/enqueue");
	autojson json_t *change = body_of(&request);
	autojson json_t *want_change = json_quoted(
		"{'routing_key':'key','payload':{"
		"'summary':'reconciliation succeeded: kustomization/apps',"
		"'source':'Flux kustomize-controller','timestamp':'2026-01-02T03:04:05Z',"
		"'custom_details':{'message':'all is well','metadata':{"
		"'revision':'main@sha1:abc','summary':'prod'}}}}");
	assert_true(json_same(change, want_change));
	assert_false(follow(&request, 202, "{}"));
}

static void N53_datadog(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'datadog','address':'https://api.d.test/ignored','token':'Key'}",
		 "{'metadata':{'summary':'PROD'}}", "POST https://api.d.test/api/v1/events",
		 "DD-API-KEY: Key",
		 "{'title':'Events from the Kustomization apps/flux-system','text':'all is well',"
		 "'tags':['flux_reporting_controller:kustomize-controller',"
		 "'flux_reason:reconciliationsucceeded','kube_kind:kustomization','kube_name:apps',"
		 "'kube_namespace:flux-system','revision:main@sha1:abc','summary:prod'],"
		 "'source_type_name':'fluxcd','date_happened':1767323045,'alert_type':'info'}"},
		{"error", "{'type':'datadog','address':'https://api.d.test','token':'Key'}",
		 "{'metadata':null,'severity':'error'}", "POST https://api.d.test/api/v1/events",
		 NULL,
		 "{'title':'Events from the Kustomization apps/flux-system','text':'all is well',"
		 "'tags':['flux_reporting_controller:kustomize-controller',"
		 "'flux_reason:reconciliationsucceeded','kube_kind:kustomization','kube_name:apps',"
		 "'kube_namespace:flux-system'],'source_type_name':'fluxcd',"
		 "'date_happened':1767323045,'alert_type':'error'}"},
		{"no token", "{'type':'datadog','address':'https://api.d.test'}", "{}", NULL, NULL,
		 "token"},
	};
	check_rows(rows, COUNT(rows));
}

/* An envelope's three lines: header, item header, item; the item's length must be told rightly. */
static json_t *sentry_item(const char *changes, const char *type)
{
	autonotifyrequest NotifyRequest request = {0};
	build("{'type':'sentry','address':'https://pub@s.test/prefix/42','channel':'prod'}",
	      changes, &request);
	assert_string_equal(request.url, "https://s.test/prefix/api/42/envelope/");
	assert_true(has_header(&request, STR("Content-Type: application/x-sentry-envelope")));
	assert_true(has_header(&request, STR("X-Sentry-Auth: Sentry sentry_version=7, "
					     "sentry_client=sluice/1.0, sentry_key=pub")));
	Str rest = buf_str(&request.body), head, item_head, item;
	assert_true(str_next(&rest, '\n', &head) && str_next(&rest, '\n', &item_head) &&
		    str_next(&rest, '\n', &item));
	autoerror Error err = {0};
	autojson json_t *head_json = json_parse(head.ptr, head.len, 4096, &err);
	autojson json_t *item_head_json = json_parse(item_head.ptr, item_head.len, 4096, &err);
	json_t *item_json = json_parse(item.ptr, item.len, 65536, &err);
	assert_string_equal(json_text(item_head_json, "type"), type);
	assert_int_equal(json_int(item_head_json, "length", 0), item.len);
	assert_string_equal(json_text(head_json, "event_id"), json_text(item_json, "event_id"));
	assert_int_equal(strlen(json_text(item_json, "event_id")), 32);
	return item_json;
}

static void N54_sentry_without_a_channel_is_production(void **state)
{
	(void)state;
	autonotifyrequest NotifyRequest request = {0};
	build("{'type':'sentry','address':'https://pub@s.test/42'}", "{}", &request);
	assert_non_null(strstr(buf_text(&request.body), "\"environment\":\"production\""));
}

static void N54_sentry(void **state)
{
	(void)state;
	autojson json_t *bad = sentry_item("{'severity':'error'}", "event");
	assert_string_equal(json_text(bad, "level"), "error");
	assert_string_equal(json_text(bad, "message"), "all is well");
	assert_string_equal(json_text(bad, "server_name"), "kustomize-controller");
	assert_string_equal(json_text(bad, "transaction"), "Kustomization: flux-system/apps");
	assert_string_equal(json_text(bad, "environment"), "prod");
	assert_string_equal(json_text_at(bad, "contexts", "metadata", "summary", NULL), "prod");
	autojson json_t *info = sentry_item("{}", "transaction");
	assert_string_equal(json_text(info, "type"), "transaction");
	assert_int_equal(json_array_size(json_list(info, "spans")), 1);
	const json_t *span = json_array_get(json_list(info, "spans"), 0);
	assert_string_equal(json_text(span, "trace_id"),
			    json_text_at(info, "contexts", "trace", "trace_id", NULL));
	static const char *const tags[][2] = {{"flux_involved_object_kind", "Kustomization"},
					      {"flux_involved_object_namespace", "flux-system"},
					      {"flux_involved_object_name", "apps"},
					      {"flux_reporting_controller", "kustomize-controller"},
					      {"flux_reporting_instance", "pod-1"},
					      {"flux_reason", "ReconciliationSucceeded"},
					      {"revision", "main@sha1:abc"}};
	for (size_t i = 0; i < COUNT(tags); i++)
		assert_string_equal(json_text_at(info, "tags", tags[i][0], NULL), tags[i][1]);
	static const RequestRow rows[] = {
		{"no DSN", "{'type':'sentry'}", "{}", NULL, NULL, "address"},
		{"no key", "{'type':'sentry','address':'https://s.test/42'}", "{}", NULL, NULL,
		 "DSN"},
		{"no project", "{'type':'sentry','address':'https://k@s.test/'}", "{}", NULL, NULL,
		 "DSN"},
	};
	check_rows(rows, COUNT(rows));
}

static void N60_incidentio(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"firing", "{'type':'incident.io','address':'https://i.test/v2/x','token':'t'}",
		 "{'severity':'error','metadata':{'summary':null}}", "POST https://i.test/v2/x",
		 "Authorization: Bearer t",
		 "{'title':'kustomization/apps.flux-system: ReconciliationSucceeded',"
		 "'status':'firing','deduplication_key':'uid-1','description':'all is well',"
		 "'metadata':{'revision':'main@sha1:abc','severity':'error',"
		 "'reason':'ReconciliationSucceeded',"
		 "'reportingController':'kustomize-controller'}}"},
		{"resolved", "{'type':'incident.io','address':'https://i.test/v2/x','token':'t'}",
		 "{'metadata':null}", "POST https://i.test/v2/x", NULL,
		 "{'title':'kustomization/apps.flux-system: ReconciliationSucceeded',"
		 "'status':'resolved','deduplication_key':'uid-1','description':'all is well',"
		 "'metadata':{'severity':'info','reason':'ReconciliationSucceeded',"
		 "'reportingController':'kustomize-controller'}}"},
		{"progressing", "{'type':'incident.io','address':'https://i.test/','token':'t'}",
		 "{'reason':'Progressing'}", "", NULL, NULL},
		{"no token", "{'type':'incident.io','address':'https://i.test/'}", "{}", NULL, NULL,
		 "token"},
	};
	check_rows(rows, COUNT(rows));
}

/* The first field `number` of wire type 2 in a protobuf message; fails when it is not there. */
static Str proto_field(Str message, unsigned number)
{
	size_t at = 0;
	while (at < message.len) {
		uint64_t values[2] = {0, 0};
		for (int v = 0; v < 2; v++) {
			for (int shift = 0;; shift += 7) {
				unsigned char byte = (unsigned char)message.ptr[at++];
				values[v] |= (uint64_t)(byte & 0x7f) << shift;
				if (!(byte & 0x80))
					break;
			}
			if (v == 0 && (values[0] & 7) == 1) {
				at += 8;
				break;
			}
		}
		if ((values[0] & 7) != 2)
			continue;
		if (values[0] >> 3 == number)
			return str_sized(message.ptr + at, (size_t)values[1]);
		at += (size_t)values[1];
	}
	fail_msg("no field %u", number);
	return STR("");
}

static Str span_of(const NotifyRequest *request)
{
	Str resource_spans = proto_field(buf_str(&request->body), 1);
	return proto_field(proto_field(resource_spans, 2), 2);
}

static bool contains(Str text, const char *part)
{
	return str_find(text, str_of(part)) >= 0;
}

static void N61_otel_trace_ids(void **state)
{
	(void)state;
	static const char target[] = "{'type':'otel','address':'https://o.test'}";
	autonotifyrequest NotifyRequest first = {0}, second = {0}, other = {0}, chart = {0};
	autonotifyrequest NotifyRequest digest_only = {0}, version_only = {0}, none = {0};
	build(target, "{}", &first);
	build(target, "{'message':'another','involvedObject':{'name':'infra'}}", &second);
	build(target, "{'metadata':{'revision':'main@sha1:def'}}", &other);
	build(target, "{'metadata':{'revision':'x','oci-digest':'sha256:1','app-version':'6.5'}}",
	      &chart);
	build(target, "{'metadata':{'oci-digest':'sha256:1'}}", &digest_only);
	build(target, "{'metadata':{'app-version':'6.5'}}", &version_only);
	build(target, "{'metadata':null}", &none);
	Str id = proto_field(span_of(&first), 1);
	assert_int_equal(id.len, 16);
	assert_true(str_eq(id, proto_field(span_of(&second), 1)));
	assert_false(str_eq(id, proto_field(span_of(&other), 1)));
	/* First half of SHA-256("alert-uid:main@sha1:abc"), and of "alert-uid:6.5@sha256:1". */
	unsigned char raw[DIGEST_MAX_BYTES];
	static const char revision[] = "alert-uid:main@sha1:abc";
	static const char *const texts[] = {revision, "alert-uid:6.5@sha256:1", revision, revision,
					    "alert-uid:unknown"};
	const NotifyRequest *const requests[] = {&first, &chart, &digest_only, &version_only,
						 &none};
	for (size_t i = 0; i < COUNT(texts); i++) {
		autodigest Digest *digest = digest_new(DIGEST_SHA256);
		digest_update(digest, texts[i], strlen(texts[i]));
		digest_final_raw(digest, raw);
		Str got = proto_field(span_of(requests[i]), 1);
		assert_memory_equal(got.ptr, raw, 16);
	}
	assert_false(str_eq(proto_field(span_of(&first), 2), proto_field(span_of(&second), 2)));
}

static void N61_otel_span(void **state)
{
	(void)state;
	autonotifyrequest NotifyRequest request = {0};
	build("{'type':'otel','address':'https://o.test','token':'t','headers':{'X-A':'b'}}",
	      "{'severity':'error'}", &request);
	assert_string_equal(request.url, "https://o.test/v1/traces");
	assert_true(has_header(&request, STR("Content-Type: application/x-protobuf")));
	assert_true(has_header(&request, STR("Authorization: Bearer t")));
	assert_true(has_header(&request, STR("X-A: b")));
	Str span = span_of(&request);
	assert_true(str_eq(proto_field(span, 5), STR("Kustomization: flux-system/apps")));
	assert_true(contains(span, "object.namespace"));
	assert_true(contains(span, "main@sha1:abc"));
	Str status = proto_field(span, 15);
	assert_true(contains(status, "all is well"));
	assert_int_equal(status.ptr[status.len - 1], 2);
	autonotifyrequest NotifyRequest good = {0};
	build("{'type':'otel','address':'https://o.test'}", "{}", &good);
	status = proto_field(span_of(&good), 15);
	assert_int_equal(status.len, 2);
	assert_int_equal(status.ptr[1], 1);
	Str resource = proto_field(proto_field(buf_str(&request.body), 1), 1);
	assert_true(contains(resource, "alerts/all") && contains(resource, "alert-uid"));
	static const RequestRow rows[] = {
		{"HelmRepository", "{'type':'otel','address':'https://o.test'}",
		 "{'involvedObject':{'kind':'HelmRepository'}}", "", NULL, NULL},
		{"own path", "{'type':'otel','address':'https://o.test/x'}", "{}",
		 "POST https://o.test/x", "!Authorization", NULL},
		{"own header",
		 "{'type':'otel','address':'https://o.test/x','token':'t',"
		 "'headers':{'Authorization':'Mine'}}",
		 "{}", "POST https://o.test/x", "Authorization: Mine|!Authorization: Bearer", NULL},
		{"basic",
		 "{'type':'otel','address':'https://o.test/x','username':'u','password':'p'}", "{}",
		 "POST https://o.test/x", "Authorization: Basic dTpw", NULL},
	};
	/* The body is protobuf: only request lines and headers are compared. */
	check_rows(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N49_opsgenie),
		cmocka_unit_test(N50_alertmanager),
		cmocka_unit_test(N51_grafana),
		cmocka_unit_test(N52_pagerduty_triggers),
		cmocka_unit_test(N52_pagerduty_resolves_and_tells_the_change),
		cmocka_unit_test(N53_datadog),
		cmocka_unit_test(N54_sentry),
		cmocka_unit_test(N54_sentry_without_a_channel_is_production),
		cmocka_unit_test(N60_incidentio),
		cmocka_unit_test(N61_otel_trace_ids),
		cmocka_unit_test(N61_otel_span),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
