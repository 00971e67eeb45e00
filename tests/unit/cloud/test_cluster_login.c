#include "fake_cloud.h"

#include <stdio.h>

#include "cloud/cluster_login.h"
#include "data/base64.h"

#define ARN "arn:aws:eks:eu-west-1:123456789012:cluster/blue"
#define AKS                                                                                        \
	"/subscriptions/12345678-1234-1234-1234-123456789012/resourceGroups/g/providers/"          \
	"Microsoft.ContainerService/managedClusters/c"
#define GKE "projects/p/locations/l/clusters/c"
/* "PEM" */
#define CA "UEVN"
/* Contexts other and here; here's cluster is b, https://B.example:443, "PEM". */
#define KUBECONFIG                                                                                 \
	"apiVersion: v1\ncurrent-context: here\n"                                                  \
	"contexts:\n- {name: other, context: {cluster: a}}\n"                                      \
	"- {name: here, context: {cluster: b}}\n"                                                  \
	"clusters:\n- {name: a, cluster: {server: https://a.example}}\n"                           \
	"- {name: b, cluster: {server: 'https://B.example:443', "                                  \
	"certificate-authority-data: " CA "}}\n"

static const char *const environment[] = {"AWS_ACCESS_KEY_ID=AKIA",
					  "AWS_SECRET_ACCESS_KEY=hidden",
					  "AWS_ENDPOINT_URL_EKS=http://127.0.0.1:{PORT}",
					  "AZURE_TENANT_ID=tenant",
					  "AZURE_CLIENT_ID=client",
					  "AZURE_CLIENT_SECRET=hidden",
					  "AZURE_AUTHORITY_HOST=http://127.0.0.1:{PORT}",
					  "GCE_METADATA_HOST=127.0.0.1:{PORT}",
					  "GOOGLE_CONTAINER_ENDPOINT=http://127.0.0.1:{PORT}",
					  NULL};

static const CloudCaller nobody = {.timeout_ms = 5000};

static void check(Cloud *cloud, const CloudCluster *cluster, const char *address, const char *ca,
		  const char *token)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	bool ok = cloud_cluster_login(cloud, &nobody, cluster, &got, &err);
	assert_string_equal(err_text(&err), "");
	assert_true(ok);
	assert_string_equal(got.user, address);
	assert_string_equal(got.session ? got.session : "", ca);
	assert_true(cstr_starts(got.secret, token));
	assert_true(got.expires_ms > 0);
}

static void refused(Cloud *cloud, const CloudCluster *cluster, const char *text)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	assert_false(cloud_cluster_login(cloud, &nobody, cluster, &got, &err));
	if (!strstr(err_text(&err), text))
		fail_msg("'%s' is not in: %s", text, err_text(&err));
	assert_null(strstr(err_text(&err), "hidden"));
}

static void K94_eks_is_described_once_and_its_token_is_a_signed_url(void **state)
{
	(void)state;
	static const FakeRow rows[] = {
		{"GET", "/clusters/blue", NULL, NULL, 200,
		 "{\"cluster\":{\"endpoint\":\"https://eks.example\",\"certificateAuthority\":{"
		 "\"data\":\"" CA "\"}}}"}};
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	const CloudCluster cluster = {.provider = "aws", .resource = ARN};
	check(cloud, &cluster, "https://eks.example", "PEM", "k8s-aws-v1.");
	check(cloud, &cluster, "https://eks.example", "PEM", "k8s-aws-v1.");
	assert_int_equal(fake.count, 1);
	assert_non_null(strstr(fake.logins[0], "/eu-west-1/eks/aws4_request,"));

	autoerror Error err = {0};
	autocredential Credential got = {0};
	autobuf Buf url = {0};
	assert_true(cloud_cluster_login(cloud, &nobody, &cluster, &got, &err));
	const char *text = got.secret + strlen("k8s-aws-v1.");
	assert_true(base64url_decode(text, strlen(text), &url, &err));
	static const char *const parts[] = {
		"https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
		"&X-Amz-Expires=900", "&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id",
		"%2Feu-west-1%2Fsts%2Faws4_request", "&X-Amz-Signature="};
	for (size_t i = 0; i < COUNT(parts); i++)
		if (!strstr(buf_text(&url), parts[i]))
			fail_msg("'%s' is not in: %s", parts[i], buf_text(&url));
}

static void K94_what_is_given_is_not_asked_for(void **state)
{
	(void)state;
	static const FakeRow rows[] = {
		{"POST", "/tenant/oauth2/v2.0/token", NULL, NULL, 200,
		 "{\"access_token\":\"azure\",\"expires_in\":3600}"},
		{"GET", "/computeMetadata/v1/instance/service-accounts/default/token", NULL, NULL,
		 200, "{\"access_token\":\"google\",\"expires_in\":3600}"}};
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	CloudCluster cluster = {.provider = "aws", .resource = ARN, .address = "h", .ca_pem = "C"};
	check(cloud, &cluster, "h", "C", "k8s-aws-v1.");
	assert_int_equal(fake.count, 0);
	cluster.provider = "azure";
	check(cloud, &cluster, "h", "C", "azure");
	assert_int_equal(fake.count, 1);
	assert_non_null(strstr(fake.bodies[0], "6dae42f8-4368-4678-94ff-3960e28e3630%2F.default"));
	cluster.provider = "gcp";
	cluster.resource = NULL;
	check(cloud, &cluster, "h", "C", "google");
	assert_int_equal(fake.count, 2);
}

static void K94_gke_is_described(void **state)
{
	(void)state;
	static const FakeRow rows[] = {
		{"GET", "/computeMetadata/v1/instance/service-accounts/default/token", NULL, NULL,
		 200, "{\"access_token\":\"google\",\"expires_in\":3600}"},
		{"GET", "/v1/" GKE, "Authorization", "Bearer google", 200,
		 "{\"endpoint\":\"192.0.2.1\",\"masterAuth\":{\"clusterCaCertificate\":\"" CA
		 "\"}}"}};
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	CloudCluster cluster = {.provider = "gcp", .resource = GKE};
	check(cloud, &cluster, "192.0.2.1", "PEM", "google");
	cluster.ca_pem = "mine";
	check(cloud, &cluster, "192.0.2.1", "mine", "google");
}

/* A cloud whose names are in a file, as Azure Stack has it. */
static char *environment_file(const FakeCloud *fake)
{
	char *path = mem_strdup("/tmp/sluice-azure-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(dprintf(fd,
			    "{\"resourceManagerEndpoint\":\"http://127.0.0.1:%d\","
			    "\"tokenAudience\":\"https://arm\"}",
			    httpd_port(fake->httpd)) > 0);
	close(fd);
	return path;
}

static void K94_aks_gives_a_kubeconfig_of_which_the_place_is_taken(void **state)
{
	(void)state;
	autofree char *config = base64_encode(KUBECONFIG, strlen(KUBECONFIG));
	autofree char *list =
		mem_printf("{\"kubeconfigs\":[{\"name\":\"u\",\"value\":\"%s\"}]}", config);
	const FakeRow rows[] = {{"POST", "/tenant/oauth2/v2.0/token", NULL, NULL, 200,
				 "{\"access_token\":\"azure\",\"expires_in\":3600}"},
				{"GET", AKS "?api-version=", "Authorization", "Bearer azure", 200,
				 "{\"properties\":{\"aadProfile\":{\"managed\":true}}}"},
				{"POST", AKS "/listClusterUserCredential?", "Authorization",
				 "Bearer azure", 200, list}};
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autofree char *file = environment_file(&fake);
	autofree char *names = mem_printf("AZURE_ENVIRONMENT_FILEPATH=%s", file);
	const char *lines[COUNT(environment) + 1] = {names};
	for (size_t i = 0; i + 1 < COUNT(environment); i++)
		lines[i + 1] = environment[i];
	autocloud Cloud *cloud = fake_cloud(&fake, 10, lines);
	CloudCluster cluster = {.provider = "azure", .resource = AKS};
	check(cloud, &cluster, "https://B.example:443", "PEM", "azure");
	cluster.address = "b.example";
	check(cloud, &cluster, "b.example", "PEM", "azure");
	cluster.address = "a.example";
	refused(cloud, &cluster, "matching the specified address 'a.example'");
	unlink(file);
}

static void K94_what_is_no_cluster_is_refused(void **state)
{
	(void)state;
	static const FakeRow rows[] = {
		{"POST", "/tenant/oauth2/v2.0/token", NULL, NULL, 200,
		 "{\"access_token\":\"azure\",\"expires_in\":3600}"},
		{"GET", "/computeMetadata/v1/instance/service-accounts/default/token", NULL, NULL,
		 200, "{\"access_token\":\"google\",\"expires_in\":3600}"},
		{"GET", "/v1/" GKE, NULL, NULL, 403, "{\"error\":{\"message\":\"not yours\"}}"},
		{"GET", "/clusters/blue", NULL, NULL, 200, "{\"cluster\":{}}"}};
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, environment);
	static const struct {
		const char *provider, *resource, *text;
	} cases[] = {
		{"aws", NULL, "invalid EKS cluster ARN: ''"},
		{"aws", "arn:aws:s3:::bucket", "invalid EKS cluster ARN"},
		{"azure", "/subscriptions/x", "invalid AKS cluster ID"},
		{"gcp", "projects/p/locations/l/clusters/c/../d", "invalid GKE cluster ID"},
		{"gcp", GKE, "not yours"},
		{"aws", ARN, "names no address"},
		{"acme", ARN, "provider 'acme' has no clusters"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		const CloudCluster cluster = {.provider = cases[i].provider,
					      .resource = cases[i].resource};
		refused(cloud, &cluster, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(K94_eks_is_described_once_and_its_token_is_a_signed_url),
		cmocka_unit_test(K94_what_is_given_is_not_asked_for),
		cmocka_unit_test(K94_gke_is_described),
		cmocka_unit_test(K94_aks_gives_a_kubeconfig_of_which_the_place_is_taken),
		cmocka_unit_test(K94_what_is_no_cluster_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
