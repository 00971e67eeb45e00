/* Seeds: a table of JSON texts, made when absent at each start. */
#include "seed.h"

#include <string.h>

#include "base/mem.h"
#include "crd.h"
#include "object.h"
#include "strategy.h"
#include "write.h"

#define RBAC "\"apiVersion\":\"rbac.authorization.k8s.io/v1\","
#define ROLE "{" RBAC "\"kind\":\"ClusterRole\",\"metadata\":{\"name\":"
#define BINDING "{" RBAC "\"kind\":\"ClusterRoleBinding\",\"metadata\":{\"name\":"
#define NAMESPACE "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":"
#define LABELS ",\"labels\":{\"kubernetes.io/bootstrapping\":\"rbac-defaults\""
#define BOOT LABELS "}}"
/* admin, edit and view hold what other roles bring along by a label (aggregation.c). */
#define PART_OF(role) "\"rbac.authorization.k8s.io/aggregate-to-" role "\":\"true\""
#define ADDS_UP(role)                                                                              \
	"}},\"aggregationRule\":{\"clusterRoleSelectors\":[{\"matchLabels\":{" PART_OF(role) "}}]" \
											     "}}"
#define REF(name)                                                                                  \
	",\"roleRef\":{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"ClusterRole\","       \
	"\"name\":" name "},\"subjects\":[{\"apiGroup\":\"rbac.authorization.k8s.io\","            \
	"\"kind\":\"Group\",\"name\":"
#define OPEN_PATHS "\"/healthz\",\"/livez\",\"/readyz\",\"/version\",\"/version/\""
#define READ "\"get\",\"list\",\"watch\""
#define WRITE READ ",\"create\",\"delete\",\"deletecollection\",\"patch\",\"update\""
#define KINDS                                                                                      \
	"\"configmaps\",\"endpoints\",\"events\",\"persistentvolumeclaims\",\"pods\","             \
	"\"pods/log\",\"pods/status\",\"replicationcontrollers\",\"serviceaccounts\","             \
	"\"services\",\"services/status\""
#define APP_RULES(verbs)                                                                           \
	"{\"apiGroups\":[\"\"],\"resources\":[" KINDS "],\"verbs\":[" verbs "]},"                  \
	"{\"apiGroups\":[\"apps\",\"batch\",\"autoscaling\",\"policy\",\"networking.k8s.io\","     \
	"\"discovery.k8s.io\",\"coordination.k8s.io\"],\"resources\":[\"*\"],"                     \
	"\"verbs\":[" verbs "]},"                                                                  \
	"{\"apiGroups\":[\"\"],\"resources\":[\"namespaces\",\"namespaces/"                        \
	"status\"],\"verbs\":[" READ "]}"
#define SECRETS ",{\"apiGroups\":[\"\"],\"resources\":[\"secrets\"],\"verbs\":[" WRITE "]}"

static const char *const seeds[] = {
	NAMESPACE "\"default\"}}",
	NAMESPACE "\"kube-system\"}}",
	NAMESPACE "\"kube-public\"}}",
	NAMESPACE "\"kube-node-lease\"}}",
	"{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"kubernetes\","
	"\"namespace\":\"default\",\"labels\":{\"component\":\"apiserver\",\"provider\":"
	"\"kubernetes\"}},\"spec\":{\"clusterIP\":\"10.96.0.1\",\"ports\":[{\"name\":\"https\","
	"\"port\":443,\"protocol\":\"TCP\",\"targetPort\":6443}]}}",
	ROLE "\"cluster-admin\"" BOOT ",\"rules\":[{\"apiGroups\":[\"*\"],\"resources\":[\"*\"],"
	     "\"verbs\":[\"*\"]},{\"nonResourceURLs\":[\"*\"],\"verbs\":[\"*\"]}]}",
	ROLE "\"admin\"" LABELS ADDS_UP("admin"),
	ROLE "\"edit\"" LABELS "," PART_OF("admin") ADDS_UP("edit"),
	ROLE "\"view\"" LABELS "," PART_OF("edit") ADDS_UP("view"),
	ROLE "\"system:aggregate-to-admin\"" LABELS
	     "," PART_OF("admin") "}},\"rules\":[{\"apiGroups\":[\"rbac.authorization.k8s.io\"],"
				  "\"resources\":["
				  "\"roles\",\"rolebindings\"],\"verbs\":[" WRITE "]}]}",
	ROLE "\"system:aggregate-to-edit\"" LABELS
	     "," PART_OF("edit") "}},\"rules\":[" APP_RULES(WRITE) SECRETS "]}",
	ROLE "\"system:aggregate-to-view\"" LABELS
	     "," PART_OF("view") "}},\"rules\":[" APP_RULES(READ) "]}",
	ROLE "\"system:discovery\"" BOOT
	     ",\"rules\":[{\"nonResourceURLs\":[\"/api\",\"/api/*\",\"/apis\",\"/apis/*\","
	     "\"/openapi\",\"/openapi/*\"," OPEN_PATHS "],\"verbs\":[\"get\"]}]}",
	ROLE "\"system:public-info-viewer\"" BOOT ",\"rules\":[{\"nonResourceURLs\":[" OPEN_PATHS
	     "],\"verbs\":[\"get\"]}]}",
	ROLE "\"system:basic-user\"" BOOT
	     ",\"rules\":[{\"apiGroups\":[\"authorization.k8s.io\"],\"resources\":["
	     "\"selfsubjectaccessreviews\",\"selfsubjectrulesreviews\"],\"verbs\":[\"create\"]},"
	     "{\"apiGroups\":[\"authentication.k8s.io\"],\"resources\":[\"selfsubjectreviews\"],"
	     "\"verbs\":[\"create\"]}]}",
	BINDING "\"cluster-admin\"" BOOT REF("\"cluster-admin\"") "\"system:masters\"}]}",
	BINDING
	"\"system:discovery\"" BOOT REF("\"system:discovery\"") "\"system:authenticated\"}]}",
	BINDING
	"\"system:basic-user\"" BOOT REF("\"system:basic-user\"") "\"system:authenticated\"}]}",
	BINDING "\"system:public-info-viewer\"" BOOT REF(
		"\"system:public-info-viewer\"") "\"system:authenticated\"},{\"apiGroup\":\"rbac."
						 "authorization.k8s.io\","
						 "\"kind\":\"Group\",\"name\":\"system:"
						 "unauthenticated\"}]}",
};

static bool ensure(ApiServer *server, json_t *object, Status *status)
{
	return write_inner_ensure(server, json_text_or(object, "apiVersion", ""),
				  json_text_or(object, "kind", ""), object, status);
}

bool seed_store(ApiServer *server, Error *err)
{
	for (size_t i = 0; i < COUNT(seeds); i++) {
		autojson json_t *object = json_parse(seeds[i], strlen(seeds[i]), 65536, err);
		if (!object)
			return err_wrap(err, "seed %zu", i);
		autostatus Status status = {0};
		if (!ensure(server, object, &status))
			return err_set(err, ERR_INTERNAL, "seed %s: %s", object_name(object),
				       json_text_or(status.body, "message", ""));
	}
	return true;
}

void seed_namespace(ApiServer *server, const char *ns)
{
	autostatus Status first = {0};
	autostatus Status second = {0};
	autojson json_t *account =
		json_pack("{s:s,s:s,s:{s:s,s:s}}", "apiVersion", "v1", "kind", "ServiceAccount",
			  "metadata", "name", "default", "namespace", ns);
	autojson json_t *config =
		json_pack("{s:s,s:s,s:{s:s,s:s},s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
			  "metadata", "name", "kube-root-ca.crt", "namespace", ns, "data", "ca.crt",
			  server->ca_pem ? server->ca_pem : "");
	/* A namespace on its way out refuses both: that is right. */
	ensure(server, account, &first);
	ensure(server, config, &second);
}

static bool collect(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	(void)name;
	autoerror Error ignored = {0};
	json_t *crd = json_parse(text, len, len, &ignored);
	if (crd)
		json_array_append_new(arg, crd);
	return true;
}

bool seed_catalog(ApiServer *server, Error *err)
{
	autojson json_t *found = json_array();
	StoreQuery query = {.resource = CRD_KEY};
	if (!store_list(server->store, &query, collect, found, NULL, err))
		return false;
	const Resource kind = {.key = (char *)(uintptr_t)CRD_KEY};
	for (size_t i = 0; i < json_array_size(found); i++)
		strategy_stored(server, &kind, json_array_get(found, i));
	return true;
}
