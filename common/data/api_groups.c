#include "data/api_groups.h"

#include "base/mem.h"

static const struct {
	const char *name;
	ApiGroupOrigin origin;
} groups[] = {
	{"", API_GROUP_CLIENT},
	{"admissionregistration.k8s.io", API_GROUP_CLIENT},
	{"apiextensions.k8s.io", API_GROUP_SERVER},
	{"apps", API_GROUP_CLIENT},
	{"authentication.k8s.io", API_GROUP_CLIENT},
	{"authorization.k8s.io", API_GROUP_CLIENT},
	{"autoscaling", API_GROUP_CLIENT},
	{"batch", API_GROUP_CLIENT},
	{"certificates.k8s.io", API_GROUP_CLIENT},
	{"coordination.k8s.io", API_GROUP_CLIENT},
	{"discovery.k8s.io", API_GROUP_CLIENT},
	{"events.k8s.io", API_GROUP_CLIENT},
	{"extensions", API_GROUP_CLIENT},
	{"flowcontrol.apiserver.k8s.io", API_GROUP_CLIENT},
	{"internal.apiserver.k8s.io", API_GROUP_SERVER},
	{"networking.k8s.io", API_GROUP_CLIENT},
	{"node.k8s.io", API_GROUP_CLIENT},
	{"policy", API_GROUP_CLIENT},
	{"rbac.authorization.k8s.io", API_GROUP_CLIENT},
	{"resource.k8s.io", API_GROUP_CLIENT},
	{"scheduling.k8s.io", API_GROUP_CLIENT},
	{"storage.k8s.io", API_GROUP_CLIENT},
	{"storagemigration.k8s.io", API_GROUP_CLIENT},
};

ApiGroupOrigin api_group_origin(Str group)
{
	for (size_t i = 0; i < COUNT(groups); i++)
		if (str_eq(group, str_of(groups[i].name)))
			return groups[i].origin;
	return API_GROUP_FOREIGN;
}
