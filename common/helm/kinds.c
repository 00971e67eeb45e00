#include "helm/kinds.h"

#include <string.h>

#include "base/auto.h"

static const char *const install_order[] = {
	"PriorityClass",
	"Namespace",
	"NetworkPolicy",
	"ResourceQuota",
	"LimitRange",
	"PodSecurityPolicy",
	"PodDisruptionBudget",
	"ServiceAccount",
	"Secret",
	"SecretList",
	"ConfigMap",
	"StorageClass",
	"PersistentVolume",
	"PersistentVolumeClaim",
	"CustomResourceDefinition",
	"ClusterRole",
	"ClusterRoleList",
	"ClusterRoleBinding",
	"ClusterRoleBindingList",
	"Role",
	"RoleList",
	"RoleBinding",
	"RoleBindingList",
	"Service",
	"DaemonSet",
	"Pod",
	"ReplicationController",
	"ReplicaSet",
	"Deployment",
	"HorizontalPodAutoscaler",
	"StatefulSet",
	"Job",
	"CronJob",
	"IngressClass",
	"Ingress",
	"APIService",
	"MutatingWebhookConfiguration",
	"ValidatingWebhookConfiguration",
};

/* Twice the place in the order of installation, so that something fits between two. */
static int place_of(const char *kind)
{
	for (size_t i = 0; i < COUNT(install_order); i++)
		if (strcmp(install_order[i], kind) == 0)
			return 2 * (int)i;
	return -1;
}

/* The reverse, but a Service goes right after the IngressClasses (E73). */
static int uninstall_place(const char *kind)
{
	int place = place_of(kind);
	if (place < 0)
		return place;
	if (strcmp(kind, "Service") == 0)
		place = place_of("IngressClass") - 1;
	return 2 * (int)COUNT(install_order) - place;
}

int helm_kinds_compare(HelmOrder order, const char *a, const char *b)
{
	if (strcmp(a, b) == 0)
		return 0;
	int first = order == HELM_INSTALL ? place_of(a) : uninstall_place(a);
	int second = order == HELM_INSTALL ? place_of(b) : uninstall_place(b);
	if (first < 0 && second < 0)
		return strcmp(a, b);
	if (first < 0 || second < 0)
		return first < 0 ? 1 : -1;
	return first - second;
}
