/* The API groups of Kubernetes itself, those that ended included. */
#ifndef DATA_API_GROUPS_H
#define DATA_API_GROUPS_H

#include "base/str.h"

typedef enum {
	API_GROUP_FOREIGN, /* of a CustomResourceDefinition or an aggregated server */
	API_GROUP_CLIENT,  /* Kubernetes' client library has its types; the core group, too */
	API_GROUP_SERVER,  /* only the API server's own libraries have them */
} ApiGroupOrigin;

/* "" is the core group. */
ApiGroupOrigin api_group_origin(Str group);

#endif
