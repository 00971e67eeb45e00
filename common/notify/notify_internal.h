/* What senders share. */
#ifndef NOTIFY_INTERNAL_H
#define NOTIFY_INTERNAL_H

#include "notify/notify.h"

/* One sender: fills url, headers and body. */
typedef bool NotifyBuildFn(const NotifyTarget *target, const json_t *event, NotifyRequest *out,
			   Error *err);

NotifyBuildFn notify_build_slack, notify_build_grafana, notify_build_generic,
	notify_build_generic_hmac;

/* Adds "Name: value". Values with line breaks are cut there: no header is smuggled in. */
void notify_add_header(NotifyRequest *out, const char *name, const char *value);

/* Sets url and a JSON body, with its Content-Type. Fails when there is no address. */
bool notify_set_json(const NotifyTarget *target, const json_t *body, NotifyRequest *out,
		     Error *err);

bool notify_is_error(const json_t *event);
const char *notify_message(const json_t *event);

#endif
