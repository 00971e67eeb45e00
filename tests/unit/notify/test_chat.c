#include "../cmocka_all.h"

#include "request_check.h"

#define BAD "{'severity':'error','message':'it broke'}"
#define BARE "{'metadata':null}"

static void check_rows(const RequestRow *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
}

/* HMAC-SHA256 by Python's hmac, over the event as compact JSON, keys sorted, its < escaped. */
static void N38_the_signature_is_of_the_bytes_sent(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"no token", "{'type':'generic-hmac','address':'https://g.test/'}", "{}", NULL,
		 NULL, "needs a token"},
		{"empty token", "{'type':'generic-hmac','address':'https://g.test/','token':''}",
		 "{}", NULL, NULL, "needs a token"},
		{"signed", "{'type':'generic-hmac','address':'https://g.test/x','token':'key'}",
		 "{'message':'a < b'}", "POST https://g.test/x",
		 "Gotk-Component: kustomize-controller|X-Signature: sha256="
		 "4269d42a49301ed83bf16b3aa2cd1407740327cf23f71e2d0e7086eac691d143",
		 NULL},
		{"own header",
		 "{'type':'generic','address':'https://g.test/x','token':'key',"
		 "'headers':{'X-Own':'yes'}}",
		 "{}", "POST https://g.test/x",
		 "Gotk-Component: kustomize-controller|X-Own: yes|!X-Signature", NULL},
	};
	check_rows(rows, COUNT(rows));
}

static void N41_discord(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info",
		 "{'type':'discord','address':'https://d.test/api/webhooks/1/x','channel':'c'}",
		 "{}", "POST https://d.test/api/webhooks/1/x/slack", NULL,
		 "{'channel':'','username':'kustomize-controller','icon_url':'','icon_emoji':'',"
		 "'attachments':[{'fallback':'','color':'good',"
		 "'author_name':'kustomization/apps.flux-system','text':'all is well',"
		 "'mrkdwn_in':['text'],'fields':[{'title':'revision','value':'main@sha1:abc',"
		 "'short':false},{'title':'summary','value':'prod','short':false}]}]}"},
		{"once", "{'type':'discord','address':'https://d.test/x/slack','username':'bot'}",
		 BAD, "POST https://d.test/x/slack", NULL,
		 "{'channel':'','username':'bot','icon_url':'','icon_emoji':'',"
		 "'attachments':[{'fallback':'','color':'danger',"
		 "'author_name':'kustomization/apps.flux-system','text':'it broke',"
		 "'mrkdwn_in':['text'],'fields':[{'title':'revision','value':'main@sha1:abc',"
		 "'short':false},{'title':'summary','value':'prod','short':false}]}]}"},
		{"slash", "{'type':'discord','address':'https://d.test/x/?wait=true'}", "{}",
		 "POST https://d.test/x/slack?wait=true", NULL, NULL},
		{"root", "{'type':'discord','address':'https://d.test'}", "{}",
		 "POST https://d.test/slack", NULL, NULL},
		{"none", "{'type':'discord'}", "{}", NULL, NULL, "address"},
	};
	check_rows(rows, COUNT(rows));
}

static void N42_rocket(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'rocket','address':'https://r.test/hook','channel':'c'}", BARE,
		 "POST https://r.test/hook", "Content-Type: application/json|!Authorization",
		 "{'channel':'c','username':'','icon_url':'','icon_emoji':'',"
		 "'attachments':[{'fallback':'','color':'#0076D7',"
		 "'author_name':'kustomization/apps.flux-system','text':'all is well',"
		 "'mrkdwn_in':['text'],'fields':[]}]}"},
		{"error", "{'type':'rocket','address':'https://r.test/hook','username':'u'}",
		 "{'metadata':null,'severity':'error'}", "POST https://r.test/hook", NULL,
		 "{'channel':'','username':'u','icon_url':'','icon_emoji':'',"
		 "'attachments':[{'fallback':'','color':'#FF0000',"
		 "'author_name':'kustomization/apps.flux-system','text':'all is well',"
		 "'mrkdwn_in':['text'],'fields':[]}]}"},
	};
	check_rows(rows, COUNT(rows));
}

#define CARD(text_block, facts)                                                                    \
	"{'type':'message','attachments':[{'contentType':'application/"                            \
	"vnd.microsoft.card.adaptive',"                                                            \
	"'content':{'$schema':'http://adaptivecards.io/schemas/adaptive-card.json',"               \
	"'type':'AdaptiveCard','version':'1.4','msteams':{'width':'Full'},"                        \
	"'body':[{'type':'Container','items':[{'type':'TextBlock',"                                \
	"'text':'kustomization/"                                                                   \
	"apps.flux-system','size':'large','weight':'bolder','wrap':true}," text_block "," facts    \
	"]}]}}]}"

static void N43_teams_adaptive_card(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'msteams','address':'https://x.logic.azure.com:443/w'}",
		 "{'metadata':{'zone':'z','app':'a'}}", "POST https://x.logic.azure.com:443/w",
		 NULL,
		 CARD("{'type':'TextBlock','text':'all is well','wrap':true}",
		      "{'type':'FactSet','facts':[{'title':'summary','value':'prod'},"
		      "{'title':'app','value':'a'},{'title':'revision','value':'main@sha1:abc'},"
		      "{'title':'zone','value':'z'}]}")},
		{"error", "{'type':'msteams','address':'https://t.test/w'}",
		 "{'metadata':null,'severity':'error'}", "POST https://t.test/w", NULL,
		 CARD("{'type':'TextBlock','text':'all is well','wrap':true,'color':'attention'}",
		      "{'type':'FactSet'}")},
	};
	check_rows(rows, COUNT(rows));
}

static void N44_only_the_connectors_domain_is_one(void **state)
{
	(void)state;
	static const RequestRow row = {
		"other",
		"{'type':'msteams','address':'https://notwebhook.office.com/w'}",
		"{'metadata':null}",
		"POST https://notwebhook.office.com/w",
		NULL,
		CARD("{'type':'TextBlock','text':'all is well','wrap':true}",
		     "{'type':'FactSet'}")};
	check_row(&row);
}

static void N44_teams_connector(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'msteams','address':'https://a.webhook.office.com/w'}", "{}",
		 "POST https://a.webhook.office.com/w", NULL,
		 "{'@type':'MessageCard','@context':'http://schema.org/extensions',"
		 "'themeColor':'0076D7','summary':'kustomization/apps.flux-system',"
		 "'sections':[{'activityTitle':'all is well',"
		 "'activitySubtitle':'kustomization/apps.flux-system',"
		 "'facts':[{'name':'revision','value':'main@sha1:abc'},"
		 "{'name':'summary','value':'prod'}]}]}"},
		{"error", "{'type':'msteams','address':'https://a.webhook.office.com:443/w'}",
		 "{'metadata':null,'severity':'error'}", "POST https://a.webhook.office.com:443/w",
		 NULL,
		 "{'@type':'MessageCard','@context':'http://schema.org/extensions',"
		 "'themeColor':'FF0000','summary':'kustomization/apps.flux-system',"
		 "'sections':[{'activityTitle':'all is well',"
		 "'activitySubtitle':'kustomization/apps.flux-system','facts':[]}]}"},
	};
	check_rows(rows, COUNT(rows));
}

static void N45_google_chat(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'googlechat','address':'https://chat.test/v1?key=k'}",
		 "{'metadata':{'summary':null}}", "POST https://chat.test/v1?key=k", NULL,
		 "{'cards':[{'header':{'title':'kustomization/apps.flux-system',"
		 "'subtitle':'kustomize-controller','imageUrl':null,'imageStyle':null},"
		 "'sections':[{'header':'','widgets':[{'textParagraph':{'text':'all is well'},"
		 "'keyValue':null}]},{'header':'','widgets':[{'textParagraph':null,"
		 "'keyValue':{'topLabel':'revision','content':'main@sha1:abc',"
		 "'contentMultiline':false,'bottomLabel':null,'icon':null}}]}]}]}"},
		{"error", "{'type':'googlechat','address':'https://chat.test/v1'}",
		 "{'metadata':null,'severity':'error'}", "POST https://chat.test/v1", NULL,
		 "{'cards':[{'header':{'title':'kustomization/apps.flux-system',"
		 "'subtitle':'kustomize-controller','imageUrl':null,'imageStyle':null},"
		 "'sections':[{'header':'','widgets':[{'textParagraph':"
		 "{'text':'<font color=\\'#ff0000\\'>all is well</font>'},'keyValue':null}]}]}]}"},
	};
	check_rows(rows, COUNT(rows));
}

static void N46_emoji(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"webex",
		 "{'type':'webex','address':'https://w.test/v1/messages','channel':'room',"
		 "'token':'t'}",
		 "{'metadata':{'summary':null}}", "POST https://w.test/v1/messages",
		 "Authorization: Bearer t",
		 "{'roomId':'room','markdown':'✅ **kustomization/apps.flux-system**\\nall is "
		 "well\\n>**revision**: main@sha1:abc\\n'}"},
		{"webex error", "{'type':'webex','address':'https://w.test/v1/messages'}",
		 "{'metadata':null,'severity':'error'}", "POST https://w.test/v1/messages", NULL,
		 "{'markdown':'💣 **kustomization/apps.flux-system**\\nall is well\\n'}"},
		{"lark", "{'type':'lark','address':'https://l.test/hook'}",
		 "{'metadata':{'summary':null}}", "POST https://l.test/hook", NULL,
		 "{'msg_type':'interactive','card':{'config':{'wide_screen_mode':true},"
		 "'header':{'title':{'tag':'plain_text','content':'💫 "
		 "kustomization/apps.flux-system'},'template':'turquoise'},"
		 "'elements':[{'tag':'div','text':{'tag':'lark_md','content':'**all is "
		 "well**\\n\\nrevision: main@sha1:abc\\n'}}]}}"},
		{"lark error", "{'type':'lark','address':'https://l.test/hook'}",
		 "{'metadata':null,'severity':'error'}", "POST https://l.test/hook", NULL,
		 "{'msg_type':'interactive','card':{'config':{'wide_screen_mode':true},"
		 "'header':{'title':{'tag':'plain_text','content':'🚨 "
		 "kustomization/apps.flux-system'},'template':'red'},"
		 "'elements':[{'tag':'div','text':{'tag':'lark_md','content':'**all is "
		 "well**\\n\\n'}}]}}"},
	};
	check_rows(rows, COUNT(rows));
}

static void N47_telegram(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info",
		 "{'type':'telegram','address':'https://ignored.test','channel':'-100',"
		 "'token':'1:a'}",
		 "{'metadata':{'summary':null}}",
		 "POST https://api.telegram.org/bot1:a/sendMessage", "!Authorization",
		 "{'chat_id':'-100','parse_mode':'MarkdownV2','text':'*💫 "
		 "kustomization/apps/flux\\\\-system*\\nall is well\\n\\\\- *revision*: "
		 "main@sha1:abc\\n'}"},
		{"thread, every character", "{'type':'telegram','channel':'-100:42','token':'1:a'}",
		 "{'metadata':null,'severity':'error',"
		 "'message':'\\\\.-_[]()~>`#+=|{}!* and\\nmore'}",
		 "POST https://api.telegram.org/bot1:a/sendMessage", NULL,
		 "{'chat_id':'-100','message_thread_id':'42','parse_mode':'MarkdownV2','text':'*🚨 "
		 "kustomization/apps/flux\\\\-system*\\n"
		 "\\\\\\\\\\\\.\\\\-\\\\_\\\\[\\\\]\\\\(\\\\)\\\\~\\\\>\\\\`\\\\#\\\\+\\\\=\\\\|"
		 "\\\\{\\\\}\\\\!\\\\* and\\nmore\\n'}"},
		{"no channel", "{'type':'telegram','token':'1:a'}", "{}", NULL, NULL, "channel"},
		{"no token", "{'type':'telegram','channel':'-100'}", "{}", NULL, NULL, "token"},
	};
	check_rows(rows, COUNT(rows));
}

static char *matrix_url(const char *changes)
{
	autojson json_t *spec = json_quoted("{'type':'matrix','address':'https://m.test',"
					    "'channel':'!room:m.test','token':'t'}");
	autojson json_t *event = test_event(changes);
	NotifyTarget target = test_target(spec);
	autonotifyrequest NotifyRequest request = {0};
	autoerror Error err = {0};
	assert_true(notify_build(&target, event, &request, &err));
	assert_string_equal(request.method, "PUT");
	assert_true(has_header(&request, STR("Authorization: Bearer t")));
	return mem_strdup(request.url);
}

static void N48_matrix(void **state)
{
	(void)state;
	static const char prefix[] =
		"https://m.test/_matrix/client/r0/rooms/!room:m.test/send/m.room.message/";
	autofree char *first = matrix_url("{}"), *again = matrix_url("{}");
	autofree char *other = matrix_url("{'message':'another'}");
	assert_true(cstr_starts(first, prefix));
	assert_int_equal(strlen(first), strlen(prefix) + 40);
	assert_string_equal(first, again);
	assert_string_not_equal(first, other);
	autojson json_t *spec = json_quoted("{'type':'matrix','address':'https://m.test'}");
	autojson json_t *event = test_event("{'metadata':{'summary':null}}");
	NotifyTarget target = test_target(spec);
	autonotifyrequest NotifyRequest request = {0};
	autoerror Error err = {0};
	assert_true(notify_build(&target, event, &request, &err));
	assert_string_equal(buf_text(&request.body),
			    "{\"body\":\"💫 kustomization/apps.flux-system\\nall is well\\n"
			    "- revision: main@sha1:abc\\n\",\"msgtype\":\"m.text\"}");
}

static char *form_field(const NotifyRequest *request, const char *name)
{
	Str rest = buf_str(&request->body), piece, key, value;
	while (str_next(&rest, '&', &piece)) {
		str_cut(piece, '=', &key, &value);
		if (str_eq(key, str_of(name)))
			return str_dup(value);
	}
	return NULL;
}

static void N58_zulip(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"no topic", "{'type':'zulip','address':'https://z.test','channel':'ops'}", "{}",
		 NULL, NULL, "<channel>/<topic>"},
		{"empty topic", "{'type':'zulip','address':'https://z.test','channel':'ops/'}",
		 "{}", NULL, NULL, "<channel>/<topic>"},
		{"empty channel", "{'type':'zulip','address':'https://z.test','channel':'/x'}",
		 "{}", NULL, NULL, "<channel>/<topic>"},
		{"good",
		 "{'type':'zulip','address':'https://z.test/ignored','channel':'ops/flux/x',"
		 "'username':'bot','password':'key'}",
		 "{}", "POST https://z.test/api/v1/messages",
		 "Content-Type: application/x-www-form-urlencoded|Authorization: Basic "
		 "Ym90OmtleQ==",
		 NULL},
	};
	check_rows(rows, 3);
	autojson json_t *spec = json_quoted(rows[3].target);
	autojson json_t *event = test_event("{'metadata':{'change_request':'7'}}");
	NotifyTarget target = test_target(spec);
	autonotifyrequest NotifyRequest request = {0};
	autoerror Error err = {0};
	assert_true(notify_build(&target, event, &request, &err));
	check_headers(&rows[3], &request);
	assert_string_equal(request.url, "https://z.test/api/v1/messages");
	autofree char *to = form_field(&request, "to"), *topic = form_field(&request, "topic");
	autofree char *type = form_field(&request, "type");
	autofree char *content = form_field(&request, "content");
	assert_string_equal(to, "ops");
	assert_string_equal(topic, "flux%2Fx");
	assert_string_equal(type, "stream");
	assert_string_equal(content, "%23%23%20Flux%20Status%0A%0A%E2%84%B9%EF%B8%8F%20"
				     "Kustomization%2Fflux-system%2Fapps%0A%0Aall%20is%20well%0A%0A"
				     "Metadata%3A%0A%2A%20%60revision%60%3A%20main%40sha1%3Aabc%0A"
				     "%2A%20%60summary%60%3A%20prod%0A");
}

static void N59_zoom(void **state)
{
	(void)state;
	static const RequestRow rows[] = {
		{"info", "{'type':'zoom','address':'https://z.test/w','token':'verify'}",
		 "{'metadata':{'summary':null}}", "POST https://z.test/w?format=full",
		 "Authorization: verify",
		 "{'content':{'head':{'text':'kustomization/apps.flux-system',"
		 "'sub_head':{'text':'info'}},'body':[{'type':'message','text':'all is well'},"
		 "{'type':'fields','items':[{'key':'revision','value':'main@sha1:abc'}]}]}}"},
		{"kept", "{'type':'zoom','address':'https://z.test/w?format=message','token':'v'}",
		 "{'metadata':null,'severity':'error'}", "POST https://z.test/w?format=message",
		 NULL,
		 "{'content':{'head':{'text':'kustomization/apps.flux-system',"
		 "'sub_head':{'text':'error'}},'body':[{'type':'message','text':'all is well'}]}}"},
		{"added", "{'type':'zoom','address':'https://z.test/w?a=b','token':'v'}", "{}",
		 "POST https://z.test/w?a=b&format=full", NULL, NULL},
		{"empty", "{'type':'zoom','address':'https://z.test/w?format=&a=b','token':'v'}",
		 "{}", "POST https://z.test/w?a=b&format=full", NULL, NULL},
		{"no token", "{'type':'zoom','address':'https://z.test/w'}", "{}", NULL, NULL,
		 "token"},
	};
	check_rows(rows, COUNT(rows));
}

static void unknown_types_are_refused(void **state)
{
	(void)state;
	static const RequestRow row = {"unknown", "{'type':'pigeon'}", "{}", NULL, NULL, "pigeon"};
	check_row(&row);
	assert_int_equal(notify_traits("pigeon"), 0);
	assert_int_equal(notify_traits("generic"), NOTIFY_KNOWN | NOTIFY_GENERIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N38_the_signature_is_of_the_bytes_sent),
		cmocka_unit_test(N41_discord),
		cmocka_unit_test(N42_rocket),
		cmocka_unit_test(N43_teams_adaptive_card),
		cmocka_unit_test(N44_only_the_connectors_domain_is_one),
		cmocka_unit_test(N44_teams_connector),
		cmocka_unit_test(N45_google_chat),
		cmocka_unit_test(N46_emoji),
		cmocka_unit_test(N47_telegram),
		cmocka_unit_test(N48_matrix),
		cmocka_unit_test(N58_zulip),
		cmocka_unit_test(N59_zoom),
		cmocka_unit_test(unknown_types_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
