/*
 * Whose token: a ServiceAccount's by workload identity federation (RFC 8693 exchange at Google's
 * STS, then impersonation when an e-mail is named), or the process's.
 */
#include "cloud/gcp.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cloud/gcp_internal.h"
#include "cloud/token.h"
#include "data/regex.h"

#define EMAIL_ANNOTATION "iam.gke.io/gcp-service-account"
#define PROVIDER_ANNOTATION "gcp.auth.fluxcd.io/workload-identity-provider"
#define EMAIL_PATTERN "^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\\.iam\\.gserviceaccount\\.com$"
#define PROVIDER_PATTERN                                                                           \
	"^projects/\\d{1,30}/locations/global/workloadIdentityPools/[^/]{1,100}/providers/"        \
	"[^/]{1,100}$"

/* One asking; all borrowed. */
typedef struct {
	Cloud *cloud;
	const CloudCaller *caller;
	const char *email, *provider; /* of the account's annotations, or NULL */
} Ask;

/* An annotation that is absent or matches. */
static bool annotation(const CloudAccount *account, const char *key, const char *pattern,
		       const char **out, Error *err)
{
	const char *value = account->annotation(account->arg, key);
	if (cstr_empty(value))
		return true;
	autoregex Regex *regex = regex_new(pattern, REGEX_ANCHORED, err);
	if (!regex)
		return false;
	*out = value;
	if (regex_matches(regex, value, strlen(value)))
		return true;
	return err_set(err, ERR_INVALID,
		       "service account '%s/%s': invalid %s annotation: '%s'. must match %s",
		       account->ns, account->name, key, value, pattern);
}

char *gcp_metadata_url(const Cloud *cloud, const char *path)
{
	const char *host = cloud_env(cloud, "GCE_METADATA_HOST");
	return mem_printf("http://%s/computeMetadata/v1/%s", host ? host : "169.254.169.254", path);
}

/* One value of the metadata server. Owned. */
static char *metadata(const Cloud *cloud, HttpClient *http, const char *path, Error *err)
{
	enum { TIMEOUT_MS = 5000, VALUE_MAX = 256 };
	autofree char *url = gcp_metadata_url(cloud, path);
	const HttpRequest request = {.url = url,
				     .headers = (const char *const[]){GCP_METADATA_HEADER, NULL},
				     .timeout_ms = TIMEOUT_MS};
	autobuf Buf reply = {0};
	if (!cloud_call(http, &request, &reply, err))
		return err_wrap_null(err, "failed to get %s of the GKE cluster", path);
	Str value = str_trim(buf_str(&reply));
	if (!value.len || value.len > VALUE_MAX)
		return err_null(err, ERR_INVALID, "the metadata service has no %s", path);
	return str_dup(value);
}

/* On GKE the pool is the project's, the provider the cluster. */
static bool gke_audiences(const Ask *ask, char **out_kubernetes, char **out_sts, Error *err)
{
	HttpClient *http = cloud_http_direct(ask->cloud, err);
	autofree char *project =
		http ? metadata(ask->cloud, http, "project/project-id", err) : NULL;
	autofree char *location =
		project ? metadata(ask->cloud, http, "instance/attributes/cluster-location", err)
			: NULL;
	autofree char *name =
		location ? metadata(ask->cloud, http, "instance/attributes/cluster-name", err)
			 : NULL;
	if (!name)
		return false;
	*out_kubernetes = mem_printf("%s.svc.id.goog", project);
	*out_sts = mem_printf("identitynamespace:%s.svc.id.goog:https://container.googleapis.com/"
			      "v1/projects/%s/locations/%s/clusters/%s",
			      project, project, location, name);
	return true;
}

static bool account_token(const Ask *ask, Credential *out, Error *err)
{
	const CloudAccount *account = ask->caller->account;
	autofree char *kubernetes = NULL, *sts = NULL, *impersonate = NULL;
	if (ask->provider) {
		kubernetes = mem_printf("//iam.googleapis.com/%s", ask->provider);
		sts = mem_strdup(kubernetes);
	} else if (!gke_audiences(ask, &kubernetes, &sts, err)) {
		return false;
	}
	const char *iam = cloud_env(ask->cloud, "GOOGLE_IAMCREDENTIALS_ENDPOINT");
	if (ask->email)
		impersonate =
			mem_printf("%s/v1/projects/-/serviceAccounts/%s:generateAccessToken",
				   iam ? iam : "https://iamcredentials.googleapis.com", ask->email);
	const char *endpoint = cloud_env(ask->cloud, "GOOGLE_STS_ENDPOINT");
	autofree char *url =
		mem_printf("%s/v1/token", endpoint ? endpoint : "https://sts.googleapis.com");
	autofree char *token = cloud_account_token(account, kubernetes, err);
	if (!token)
		return false;
	const GcpExchange exchange = {.token_url = url,
				      .audience = sts,
				      .subject_token = token,
				      .impersonate_url = impersonate};
	bool ok = gcp_exchange(ask->cloud, ask->caller, &exchange, out, err);
	mem_wipe(token, strlen(token));
	return ok ? true
		  : err_wrap(err,
			     "failed to create provider access token for service account '%s/%s'",
			     account->ns, account->name);
}

static bool fetch(void *arg, Credential *out, Error *err)
{
	const Ask *ask = arg;
	if (ask->caller->account)
		return account_token(ask, out, err);
	if (gcp_process_token(ask->cloud, ask->caller, out, err))
		return true;
	return err_wrap(err, "failed to create provider access token for the controller");
}

bool gcp_token(Cloud *cloud, const CloudCaller *caller, Credential *out, Error *err)
{
	const CloudAccount *account = caller->account;
	Ask ask = {.cloud = cloud, .caller = caller};
	if (account &&
	    (!annotation(account, EMAIL_ANNOTATION, EMAIL_PATTERN, &ask.email, err) ||
	     !annotation(account, PROVIDER_ANNOTATION, PROVIDER_PATTERN, &ask.provider, err)))
		return false;
	const char *const parts[] = {"gcp",
				     account ? account->ns : "",
				     account ? account->name : "",
				     ask.email ? ask.email : "",
				     ask.provider ? ask.provider : "",
				     caller->proxy ? caller->proxy : "",
				     NULL};
	return cloud_cached(cloud, caller, parts, fetch, &ask, out, err);
}
