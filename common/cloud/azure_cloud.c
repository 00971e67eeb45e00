/* Azure's national clouds: each has hosts of its own for everything. */
#include "cloud/azure.h"

#include <string.h>

static const AzureCloud public_cloud = {"", "https://management.azure.com",
					"https://management.core.windows.net/",
					"servicebus.windows.net"};

static const AzureCloud national[] = {
	{"chinacloudapi.cn", "https://management.chinacloudapi.cn",
	 "https://management.core.chinacloudapi.cn", "servicebus.chinacloudapi.cn"},
	{"microsoftonline.us", "https://management.usgovcloudapi.net",
	 "https://management.core.usgovcloudapi.net", "servicebus.usgovcloudapi.net"},
};

const char *azure_authority(const Cloud *cloud)
{
	return cloud_env(cloud, "AZURE_AUTHORITY_HOST");
}

const AzureCloud *azure_cloud(const Cloud *cloud)
{
	const char *authority = azure_authority(cloud);
	for (size_t i = 0; authority && i < COUNT(national); i++)
		if (strstr(authority, national[i].authority))
			return &national[i];
	return &public_cloud;
}
