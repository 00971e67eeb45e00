/* Services, Ingresses, NetworkPolicies: rules over several members. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "names.h"
#include "schema.h"
#include "validate_internal.h"

enum { PORT_MAX = 65535 };

enum { NODE_PORT_FIRST = 30000, NODE_PORT_LAST = 32767 };

static void check_port(const Check *check, const char *member, const json_t *port)
{
	json_int_t number = json_integer_value(port);
	const char *name = json_string_value(port);
	if (!name && (number < 1 || number > PORT_MAX))
		check_fail(check, member, "Invalid value",
			   "%lld: must be between 1 and 65535, inclusive", (long long)number);
	if (name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
		check_fail(check, member, "Invalid value",
			   "\"%s\": must contain only alpha-numeric characters (a-z, 0-9), and "
			   "hyphens (-)",
			   name);
}

static void check_service_port(const Check *check)
{
	check_port(check, "port", json_object_get(check->value, "port"));
	check_port(check, "targetPort", json_object_get(check->value, "targetPort"));
}

/* Several ports need names, each its own. */
static void check_port_names(const Check *check, const json_t *ports)
{
	autojson json_t *seen = json_object();
	for (size_t i = 0; json_array_size(ports) > 1 && i < json_array_size(ports); i++) {
		const char *name = json_text_or(json_array_get(ports, i), "name", "");
		autofree char *member = mem_printf("ports[%zu].name", i);
		if (!*name)
			check_fail(check, member, "Required value", "%s", "");
		else if (json_object_get(seen, name))
			check_fail(check, member, "Duplicate value", "\"%s\"", name);
		json_object_set_new(seen, name, json_true());
	}
}

/* The range of the ports that nodes open. */
static void check_node_ports(const Check *check, const json_t *ports)
{
	for (size_t i = 0; i < json_array_size(ports); i++) {
		json_int_t port = json_int(json_array_get(ports, i), "nodePort", 0);
		autofree char *member = mem_printf("ports[%zu].nodePort", i);
		if (port != 0 && (port < NODE_PORT_FIRST || port > NODE_PORT_LAST))
			check_fail(check, member, "Invalid value",
				   "%lld: provided port is not in the valid range. The range of "
				   "valid ports is 30000-32767",
				   (long long)port);
	}
}

/* Of the addresses that the client gave; the server's own are right. */
static void check_cluster_ips(const Check *check, const char *type)
{
	const json_t *list = json_list(check->value, "clusterIPs");
	const char *ip = json_string_value(json_array_get(list, 0));
	if (strcmp(type, "ExternalName") == 0) {
		if (list)
			check_fail(check, "clusterIPs", "Forbidden",
				   "may not be set for ExternalName services");
		return;
	}
	if (!ip)
		return;
	bool none = strcmp(ip, "None") == 0;
	if (none && (strcmp(type, "NodePort") == 0 || strcmp(type, "LoadBalancer") == 0))
		check_fail(check, "clusterIPs[0]", "Invalid value",
			   "\"None\": may not be set to 'None' for %s services", type);
	if (!none && !is_ip_address(ip))
		check_fail(check, "clusterIPs[0]", "Invalid value",
			   "\"%s\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
			   ip);
}

static void check_service(const Check *check)
{
	const char *type = json_text_or(check->value, "type", "");
	const json_t *ports = json_list(check->value, "ports");
	bool headless = cstr_eq(json_text(check->value, "clusterIP"), "None");
	bool named = strcmp(type, "ExternalName") == 0;
	if (json_array_size(ports) == 0 && !headless && !named)
		check_fail(check, "ports", "Required value", "%s", "");
	check_port_names(check, ports);
	check_node_ports(check, ports);
	check_cluster_ips(check, type);
	static const char *const families[] = {"ipFamilyPolicy", "ipFamilies"};
	for (size_t i = 0; named && i < COUNT(families); i++)
		if (json_object_get(check->value, families[i]))
			check_fail(check, families[i], "Forbidden",
				   "may not be set for ExternalName services");
	if (named)
		check_required(check, "externalName");
	const json_t *outside = json_list(check->value, "externalIPs");
	for (size_t i = 0; i < json_array_size(outside); i++) {
		const char *ip = json_string_value(json_array_get(outside, i));
		autofree char *member = mem_printf("externalIPs[%zu]", i);
		if (ip && !is_ip_address(ip))
			check_fail(check, member, "Invalid value",
				   "\"%s\": must be a valid IP address, (e.g. 10.9.8.7 or "
				   "2001:db8::ffff)",
				   ip);
	}
}

static void check_ingress(const Check *check)
{
	if (json_array_size(json_list(check->value, "rules")) == 0 &&
	    !json_map(check->value, "defaultBackend"))
		check_fail(check, "", "Invalid value",
			   "null: either `defaultBackend` or `rules` must be specified");
}

static void check_ingress_rule(const Check *check)
{
	const char *host = json_text_or(check->value, "host", "");
	autofree char *path = schema_path_key(check->path, "host");
	if (*host && is_ip_address(host))
		check_fail(check, "host", "Invalid value",
			   "\"%s\": must be a DNS name, not an IP address", host);
	else if (*host)
		name_check_subdomain(cstr_starts(host, "*.") ? host + 2 : host, path,
				     check->errors);
}

static void check_ingress_paths(const Check *check)
{
	if (json_array_size(json_list(check->value, "paths")) == 0)
		check_fail(check, "paths", "Required value", "%s", "");
}

static void check_ingress_path(const Check *check)
{
	const char *type = json_text_or(check->value, "pathType", "");
	const char *path = json_text_or(check->value, "path", "");
	if (!*type) {
		check_fail(check, "pathType", "Required value", "pathType must be specified");
		return;
	}
	bool known = strcmp(type, "Exact") == 0 || strcmp(type, "Prefix") == 0;
	if (known && *path != '/')
		check_fail(check, "path", "Invalid value", "\"%s\": must be an absolute path",
			   path);
	if (!known && strcmp(type, "ImplementationSpecific") != 0)
		check_one_of(check, "pathType", type, "Exact,ImplementationSpecific,Prefix");
}

static void check_ingress_backend(const Check *check)
{
	const json_t *service = json_map(check->value, "service");
	const json_t *port = json_map(service, "port");
	bool numbered = json_int(port, "number", 0) != 0;
	bool named = !cstr_empty(json_text(port, "name"));
	if (!service && !json_map(check->value, "resource"))
		check_fail(check, "", "Invalid value",
			   "\"\": resource or service backend is required");
	else if (service && numbered && named)
		check_fail(check, "", "Invalid value",
			   "\"\": cannot set both port name & port number");
	else if (service && !numbered && !named)
		check_fail(check, "", "Required value", "port name or number is required");
	if (service && cstr_empty(json_text(service, "name")))
		check_fail(check, "service.name", "Required value", "%s", "");
}

static void check_policy(const Check *check)
{
	const json_t *types = json_list(check->value, "policyTypes");
	for (size_t i = 0; i < json_array_size(types); i++) {
		const char *type = json_string_value(json_array_get(types, i));
		autofree char *member = mem_printf("policyTypes[%zu]", i);
		check_one_of(check, member, type ? type : "", "Ingress,Egress");
	}
}

static void check_peer(const Check *check)
{
	if (!json_map(check->value, "podSelector") &&
	    !json_map(check->value, "namespaceSelector") && !json_map(check->value, "ipBlock"))
		check_fail(check, "", "Required value", "must specify a peer");
}

static bool is_cidr(const char *text)
{
	enum { BITS4 = 32, BITS6 = 128 };
	Str address, bits;
	unsigned long long count = 0;
	if (!str_cut(str_of(text), '/', &address, &bits) || !str_to_u64(bits, &count))
		return false;
	autofree char *ip = str_dup(address);
	return is_ip_address(ip) && count <= (strchr(ip, ':') ? BITS6 : BITS4);
}

static void check_ip_block(const Check *check)
{
	const char *cidr = json_text_or(check->value, "cidr", "");
	if (!*cidr)
		check_required(check, "cidr");
	else if (!is_cidr(cidr))
		check_fail(
			check, "cidr", "Invalid value",
			"\"%s\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
			cidr);
}

static void check_policy_port(const Check *check)
{
	const json_t *port = json_object_get(check->value, "port");
	const json_t *end = json_object_get(check->value, "endPort");
	if (port)
		check_port(check, "port", port);
	if (json_is_integer(port) && end && json_integer_value(end) < json_integer_value(port))
		check_fail(check, "endPort", "Invalid value",
			   "%lld: must be greater than or equal to `port`",
			   (long long)json_integer_value(port));
}

const StructRule validate_network_rules[] = {
	{"core.v1.ServicePort", check_service_port},
	{"core.v1.ServiceSpec", check_service},
	{"networking.v1.HTTPIngressPath", check_ingress_path},
	{"networking.v1.HTTPIngressRuleValue", check_ingress_paths},
	{"networking.v1.IPBlock", check_ip_block},
	{"networking.v1.IngressBackend", check_ingress_backend},
	{"networking.v1.IngressRule", check_ingress_rule},
	{"networking.v1.IngressSpec", check_ingress},
	{"networking.v1.NetworkPolicyPeer", check_peer},
	{"networking.v1.NetworkPolicyPort", check_policy_port},
	{"networking.v1.NetworkPolicySpec", check_policy},
	{NULL, NULL},
};
