/* A sender on a loop of its own, and a server that it may send to. */
#ifndef TESTS_NOTIFY_SENDER_SITE_H
#define TESTS_NOTIFY_SENDER_SITE_H

#include "../cmocka_all.h"

#include "base/mem.h"
#include "net/httpd.h"
#include "notify/notify.h"

typedef struct {
	Loop *loop;
	Httpd *httpd;
	NotifySender *sender;
	char *url; /* the server's */
} SenderSite;

static inline void sender_site_open(SenderSite *site, HttpdHandler *answer, void *arg)
{
	autoerror Error err = {0};
	site->loop = loop_new(&err);
	site->httpd = httpd_start(
		&(HttpdConfig){.address = "127.0.0.1:0", .handler = answer, .arg = arg}, &err);
	site->sender = notify_sender_new(site->loop, &err);
	assert_non_null(site->sender);
	site->url = mem_printf("http://127.0.0.1:%d/", httpd_port(site->httpd));
}

static inline void sender_site_close(SenderSite *site)
{
	notify_sender_free(site->sender, 0);
	httpd_stop(site->httpd, 1000);
	loop_free(site->loop);
	free(site->url);
}

#endif
