/* What single kinds do at create and update, as tables of functions by resource. */
#include "strategy.h"

#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "crd.h"
#include "object.h"
#include "pods.h"
#include "server.h"
#include "validate_internal.h"

enum { NODE_PORT_FIRST = 30000, NODE_PORT_COUNT = 2768, ALLOCATE_TRIES = 64 };

/* An annotation of DaemonSets. */
static const char template_count[] = "deprecated.daemonset.template.generation";

static bool create_namespace(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_t *spec = json_make_at(object, "spec", NULL);
	json_t *finalizers = json_copy(json_list(spec, "finalizers"));
	bool there = false;
	for (size_t i = 0; i < json_array_size(finalizers); i++)
		there |= cstr_eq(json_string_value(json_array_get(finalizers, i)), "kubernetes");
	if (!finalizers)
		finalizers = json_array();
	if (!there)
		json_array_append_new(finalizers, json_string("kubernetes"));
	json_object_set_new(spec, "finalizers", finalizers);
	json_object_set_new(object, "status", json_pack("{s:s}", "phase", "Active"));
	json_put_text(json_make_at(object, "metadata", "labels", NULL),
		      "kubernetes.io/metadata.name", object_name(object));
	return true;
}

typedef struct {
	const char *ip;
	int64_t port;
	bool used;
} Allocation;

static bool service_uses(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	(void)name;
	(void)len;
	Allocation *allocation = arg;
	autofree char *needle =
		allocation->ip ? mem_printf("\"clusterIP\":\"%s\"", allocation->ip)
			       : mem_printf("\"nodePort\":%lld", (long long)allocation->port);
	allocation->used = strstr(text, needle) != NULL;
	return !allocation->used;
}

static bool is_free(Request *request, Allocation *allocation)
{
	autoerror Error ignored = {0};
	StoreQuery query = {.resource = "services"};
	return store_list(request->server->store, &query, service_uses, allocation, NULL,
			  &ignored) &&
	       !allocation->used;
}

static char *allocate_ip(Request *request)
{
	for (int i = 0; i < ALLOCATE_TRIES; i++) {
		autofree char *ip = mem_printf("10.96.%u.%u", (unsigned)rand_below(256),
					       (unsigned)rand_below(254) + 1);
		Allocation allocation = {.ip = ip};
		if (is_free(request, &allocation))
			return steal(&ip);
	}
	return NULL;
}

/* That an address which is asked for is one of the range and nobody's. */
static bool check_ip(Request *request, const json_t *object, Status *status)
{
	const json_t *spec = json_map(object, "spec");
	const char *ip = json_text_or(spec, "clusterIP", "");
	if (!is_ip_address(ip) || strchr(ip, ':'))
		return true;
	Allocation allocation = {.ip = ip};
	bool within = cstr_starts(ip, "10.96.");
	if (within && is_free(request, &allocation))
		return true;
	autofielderrors FieldErrors errors = {0};
	field_error(&errors, "Invalid value", "spec.clusterIPs",
		    "[\"%s\"]: failed to allocate IP %s: %s", ip, ip,
		    within ? "provided IP is already allocated"
			   : "the provided network does not match the current range");
	return field_errors_check(&errors, "Service", "", object_name(object), status);
}

static void allocate_node_ports(Request *request, json_t *spec)
{
	const char *type = json_text_or(spec, "type", "");
	if (strcmp(type, "NodePort") != 0 && strcmp(type, "LoadBalancer") != 0)
		return;
	json_t *ports = json_list(spec, "ports");
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		for (int tries = 0; !json_int(port, "nodePort", 0) && tries < ALLOCATE_TRIES;
		     tries++) {
			int64_t number = NODE_PORT_FIRST + (int64_t)rand_below(NODE_PORT_COUNT);
			Allocation allocation = {.port = number};
			if (is_free(request, &allocation))
				json_object_set_new(port, "nodePort", json_integer(number));
		}
	}
}

static bool create_service(Request *request, json_t *object, Status *status)
{
	json_t *spec = json_make_at(object, "spec", NULL);
	const char *type = json_text_or(spec, "type", "ClusterIP");
	json_object_set_new(object, "status", json_pack("{s:{}}", "loadBalancer"));
	if (!cstr_empty(json_text(spec, "clusterIP")) && !json_list(spec, "clusterIPs"))
		json_object_set_new(spec, "clusterIPs",
				    json_pack("[s]", json_text(spec, "clusterIP")));
	if (strcmp(type, "ExternalName") == 0)
		return true;
	if (!check_ip(request, object, status))
		return false;
	if (cstr_empty(json_text(spec, "clusterIP"))) {
		autofree char *ip = allocate_ip(request);
		if (!ip)
			return status_set(status, 500, "InternalError",
					  "failed to allocate a serviceIP: range is full");
		json_put_text(spec, "clusterIP", ip);
	}
	if (!json_list(spec, "clusterIPs"))
		json_object_set_new(spec, "clusterIPs",
				    json_pack("[s]", json_text(spec, "clusterIP")));
	/* Headless and without a selector: its endpoints may be of any family. */
	bool any = cstr_eq(json_text(spec, "clusterIP"), "None") &&
		   json_object_size(json_map(spec, "selector")) == 0 &&
		   !json_text(spec, "ipFamilyPolicy");
	if (!json_list(spec, "ipFamilies"))
		json_object_set_new(spec, "ipFamilies",
				    any ? json_pack("[s,s]", "IPv4", "IPv6")
					: json_pack("[s]", "IPv4"));
	if (!json_text(spec, "ipFamilyPolicy"))
		json_put_text(spec, "ipFamilyPolicy", any ? "RequireDualStack" : "SingleStack");
	allocate_node_ports(request, spec);
	return true;
}

static bool create_crd(Request *request, json_t *object, Status *status)
{
	(void)status;
	crd_prepare(request->server->catalog, object);
	return true;
}

/* As the admission StorageObjectInUseProtection, so without an entry in managedFields. */
static bool create_claim(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	object_set_finalizer(object, CLAIM_PROTECTION, true);
	json_object_set_new(object, "status", json_pack("{s:s}", "phase", "Pending"));
	return true;
}

static bool create_volume(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	autofree char *now = object_now();
	object_set_finalizer(object, VOLUME_PROTECTION, true);
	json_object_set_new(
		object, "status",
		json_pack("{s:s,s:s}", "lastPhaseTransitionTime", now, "phase", "Pending"));
	return true;
}

static bool create_job(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_t *spec = json_make_at(object, "spec", NULL);
	json_object_set_new(object, "status", json_object());
	if (json_flag(spec, "manualSelector", false))
		return true;
	const char *uid = object_meta(object, "uid");
	static const char *const uid_keys[] = {"batch.kubernetes.io/controller-uid",
					       "controller-uid"};
	static const char *const name_keys[] = {"batch.kubernetes.io/job-name", "job-name"};
	json_t *labels = json_make_at(spec, "template", "metadata", "labels", NULL);
	for (size_t i = 0; i < COUNT(uid_keys); i++) {
		json_put_text(labels, uid_keys[i], uid);
		json_put_text(labels, name_keys[i], object_name(object));
	}
	json_put_text(json_make_at(spec, "selector", "matchLabels", NULL), uid_keys[0], uid);
	return true;
}

static bool create_empty_status(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_object_set_new(object, "status", json_object());
	return true;
}

/* It has one, though nothing ever counts it up. */
static bool create_first_generation(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_object_set_new(json_make_at(object, "metadata", NULL), "generation", json_integer(1));
	return true;
}

static bool create_daemon_set(Request *request, json_t *object, Status *status)
{
	(void)request;
	(void)status;
	json_put_text(json_make_at(object, "metadata", "annotations", NULL), template_count, "1");
	return true;
}

static const struct {
	const char *resource;
	bool (*create)(Request *request, json_t *object, Status *status);
} creators[] = {
	{"namespaces", create_namespace},
	{"services", create_service},
	{CRD_KEY, create_crd},
	{"pods", pods_create},
	{"persistentvolumeclaims", create_claim},
	{"persistentvolumes", create_volume},
	{"jobs.batch", create_job},
	{"daemonsets.apps", create_daemon_set},
	{"deployments.apps", create_empty_status},
	{"cronjobs.batch", create_empty_status},
	{"ingresses.networking.k8s.io", create_empty_status},
	{"priorityclasses.scheduling.k8s.io", create_first_generation},
};

bool strategy_create(Request *request, json_t *object, Status *status)
{
	for (size_t i = 0; i < COUNT(creators); i++)
		if (strcmp(creators[i].resource, request->resource->key) == 0)
			return creators[i].create(request, object, status);
	return true;
}

/* Members of spec that stay when the client leaves them out. */
static const struct {
	const char *resource;
	const char *members[8];
} kept_members[] = {
	{"services",
	 {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"}},
	{"jobs.batch", {"selector"}},
	{"namespaces", {"finalizers"}},
	{"persistentvolumeclaims", {"volumeName"}},
};

/* Copies that may be changed stand in for the shared spec and metadata. */
static json_t *own_member(json_t *object, const char *key)
{
	json_t *copy = json_deep_copy(json_object_get(object, key));
	if (!copy)
		copy = json_object();
	json_object_set_new(object, key, copy);
	return copy;
}

static void keep_node_ports(json_t *spec, const json_t *live_spec)
{
	json_t *ports = json_list(spec, "ports");
	const json_t *old = json_list(live_spec, "ports");
	const char *type = json_text_or(spec, "type", "");
	if (strcmp(type, "NodePort") != 0 && strcmp(type, "LoadBalancer") != 0)
		return;
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_t *port = json_array_get(ports, i);
		for (size_t k = 0; k < json_array_size(old); k++) {
			const json_t *before = json_array_get(old, k);
			bool same = json_int(port, "port", 0) == json_int(before, "port", -1);
			if (same && !json_object_get(port, "nodePort") &&
			    json_object_get(before, "nodePort"))
				json_object_set(port, "nodePort",
						json_object_get(before, "nodePort"));
		}
	}
}

/* A client that knows clusterIP only changes clusterIPs by it. */
static void follow_address(json_t *spec, const json_t *live_spec)
{
	const char *ip = json_text_or(spec, "clusterIP", "");
	const json_t *old = json_list(live_spec, "clusterIPs");
	json_t *list = json_list(spec, "clusterIPs");
	if (*ip && strcmp(ip, json_text_or(live_spec, "clusterIP", "")) != 0 &&
	    (!list || (old && json_same(list, old))))
		json_object_set_new(spec, "clusterIPs", json_pack("[s]", ip));
}

/* When all of them are as they were: who sends others means them. */
static void drop_node_ports(json_t *ports, const json_t *live_ports)
{
	bool same = json_array_size(ports) <= json_array_size(live_ports);
	for (size_t i = 0; same && i < json_array_size(ports); i++)
		same = json_int(json_array_get(ports, i), "nodePort", 0) ==
		       json_int(json_array_get(live_ports, i), "nodePort", 0);
	for (size_t i = 0; same && i < json_array_size(ports); i++)
		json_object_del(json_array_get(ports, i), "nodePort");
}

/* What a Service of its type has not, when the client left it as it was. */
static void drop_foreign(json_t *spec, const json_t *live_spec)
{
	static const char *const inside[] = {"clusterIP", "clusterIPs", "ipFamilies",
					     "ipFamilyPolicy", "internalTrafficPolicy"};
	bool named = cstr_eq(json_text(spec, "type"), "ExternalName");
	for (size_t i = 0; named && i < COUNT(inside); i++) {
		const json_t *now = json_object_get(spec, inside[i]);
		const json_t *old = json_object_get(live_spec, inside[i]);
		if (now && old && json_same(now, old))
			json_object_del(spec, inside[i]);
	}
	const char *type = json_text_or(spec, "type", "");
	if (strcmp(type, "NodePort") == 0 || strcmp(type, "LoadBalancer") == 0)
		return;
	if (json_array_size(json_list(spec, "externalIPs")) == 0)
		json_object_del(spec, "externalTrafficPolicy");
	drop_node_ports(json_list(spec, "ports"), json_list(live_spec, "ports"));
}

static void keep_spec(Request *request, json_t *object, const json_t *live)
{
	const char *key = request->resource->key;
	const json_t *old = json_map(live, "spec");
	for (size_t i = 0; i < COUNT(kept_members); i++) {
		if (strcmp(kept_members[i].resource, key) != 0)
			continue;
		json_t *spec = own_member(object, "spec");
		for (size_t k = 0; kept_members[i].members[k]; k++) {
			const char *member = kept_members[i].members[k];
			const json_t *value = json_object_get(old, member);
			if (value && cstr_empty(json_text_or(spec, member, "")) &&
			    !json_list(spec, member) && !json_map(spec, member))
				json_object_set(spec, member, (json_t *)(uintptr_t)value);
		}
		if (strcmp(key, "services") == 0) {
			keep_node_ports(spec, old);
			follow_address(spec, old);
			drop_foreign(spec, old);
		}
	}
}

static void keep_job_labels(json_t *object, const json_t *live)
{
	json_t *old = json_at(live, "spec", "template", "metadata", "labels", NULL);
	json_t *labels =
		json_make_at(own_member(object, "spec"), "template", "metadata", "labels", NULL);
	const char *key;
	json_t *value;
	json_object_foreach(old, key, value)
	{
		if (!json_object_get(labels, key))
			json_object_set(labels, key, value);
	}
}

/* A DaemonSet tells in an annotation how often its template changed. */
static void count_template(json_t *object, const json_t *live)
{
	const json_t *old = json_map(live, "spec");
	const json_t *now = json_map(object, "spec");
	bool same = json_same(json_map(old, "template"), json_map(now, "template"));
	const json_t *notes = json_at(live, "metadata", "annotations", NULL);
	unsigned long long count = 1;
	str_to_u64(str_of(json_text_or(notes, template_count, "1")), &count);
	autofree char *text = mem_printf("%llu", count + !same);
	json_put_text(json_make_at(own_member(object, "metadata"), "annotations", NULL),
		      template_count, text);
}

/* To a real server it is part of the spec, which a write to /status leaves alone. */
static void keep_template_count(const char *resource, json_t *object, const json_t *live)
{
	json_t *count =
		json_object_get(json_at(live, "metadata", "annotations", NULL), template_count);
	if (strcmp(resource, "daemonsets.apps") == 0 && count)
		json_object_set(json_make_at(own_member(object, "metadata"), "annotations", NULL),
				template_count, count);
}

/* A Pod's class of quality is told once. */
static void keep_quality(const char *key, json_t *object, const json_t *live)
{
	const char *quality = json_text(json_map(live, "status"), "qosClass");
	if (strcmp(key, "pods") == 0 && quality)
		json_put_text(own_member(object, "status"), "qosClass", quality);
}

void strategy_update(Request *request, json_t *object, const json_t *live)
{
	const char *key = request->resource->key;
	if (strcmp(request->path.subresource, "status") == 0) {
		keep_template_count(key, object, live);
		keep_quality(key, object, live);
		return;
	}
	bool finalize = strcmp(request->path.subresource, "finalize") == 0;
	if (!finalize)
		keep_spec(request, object, live);
	if (strcmp(key, "jobs.batch") == 0)
		keep_job_labels(object, live);
	if (strcmp(key, "pods") == 0)
		pods_update(object, live);
	if (strcmp(key, "services") == 0)
		allocate_node_ports(request, json_map(object, "spec"));
	if (strcmp(key, "daemonsets.apps") == 0)
		count_template(object, live);
	if (strcmp(key, "namespaces") == 0)
		json_put_text(json_make_at(own_member(object, "metadata"), "labels", NULL),
			      "kubernetes.io/metadata.name", object_name(live));
	if (strcmp(key, CRD_KEY) == 0) {
		own_member(object, "metadata");
		own_member(object, "spec");
		crd_prepare(request->server->catalog, object);
	}
}

void strategy_stored(ApiServer *server, const Resource *resource, const json_t *object)
{
	if (strcmp(resource->key, CRD_KEY) != 0)
		return;
	Vec made = {0};
	if (!object_is_deleting(object) || object_has_finalizer(object, CRD_CLEANUP))
		crd_resources(object, &made);
	catalog_replace(server->catalog, object_name(object), object_rv(object), &made);
	vec_dispose(&made);
}

static bool collect_unaccepted(void *arg, const char *ns, const char *name, const char *text,
			       size_t len)
{
	(void)ns;
	(void)name;
	autoerror Error ignored = {0};
	autojson json_t *crd = json_parse(text, len, len, &ignored);
	if (crd && !crd_is_established(crd))
		json_array_append(arg, crd);
	return true;
}

/* A definition that is gone leaves its names to those of its group that wait for them. */
static void reconsider_names(ApiServer *server, const Resource *resource, const char *group)
{
	autojson json_t *waiting = json_array();
	autoerror Error ignored = {0};
	StoreQuery query = {.resource = CRD_KEY};
	if (!store_list(server->store, &query, collect_unaccepted, waiting, NULL, &ignored))
		return;
	for (size_t i = 0; i < json_array_size(waiting); i++) {
		json_t *live = json_array_get(waiting, i);
		StoreKey key = {CRD_KEY, "", object_name(live)};
		autojson json_t *next = json_deep_copy(live);
		autoerror Error lost = {0};
		if (!cstr_eq(json_text(json_map(live, "spec"), "group"), group))
			continue;
		crd_prepare(server->catalog, next);
		/* Who writes it in between has its names judged by that write. */
		if (!json_equal(live, next) &&
		    store_update(server->store, &key, next, live, NULL, &lost))
			strategy_stored(server, resource, next);
	}
}

void strategy_gone(ApiServer *server, const Resource *resource, const json_t *live)
{
	if (strcmp(resource->key, CRD_KEY) != 0)
		return;
	/* Nothing came between: the deletion was a deletion of just this state. */
	Vec none = {0};
	catalog_replace(server->catalog, object_name(live), object_rv(live) + 1, &none);
	reconsider_names(server, resource, json_text_or(json_map(live, "spec"), "group", ""));
}
