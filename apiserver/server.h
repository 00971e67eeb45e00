/* The one context of a running server; everything is made in apiserver_start and lives as long. */
#ifndef APISERVER_SERVER_H
#define APISERVER_SERVER_H

#include "base/log.h"
#include "net/httpd.h"

#include "apiserver.h"
#include "auth.h"
#include "kinds.h"
#include "store.h"
#include "watch.h"

typedef struct Collector Collector;

struct ApiServer {
	Log *log;
	char *data_dir;
	Store *store;
	Hub *hub;
	Catalog *catalog;
	Auth *auth;
	Collector *collector; /* garbage, namespaces, custom kinds' ends; NULL until started */
	Httpd *httpd;
	char *url;    /* "https://127.0.0.1:6443" */
	char *ca_pem; /* NULL without TLS */
	char *token;  /* the admin's */
	SimulateProfile simulate;
	int64_t simulate_delay_ms;
	int64_t keep_revisions_ms; /* until superseded ones are compacted */
	int ready;		   /* atomic */
};

#endif
