/*
 * AWS credentials and signed calls.
 *
 * Environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; AWS_ROLE_ARN,
 * AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_SESSION_NAME; AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
 * AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN, ..._TOKEN_FILE;
 * AWS_EC2_METADATA_SERVICE_ENDPOINT, AWS_EC2_METADATA_DISABLED; AWS_REGION, AWS_DEFAULT_REGION.
 * Endpoints: AWS_ENDPOINT_URL_<SERVICE> (AWS_ENDPOINT_URL_STS, _ECR, _KMS...), AWS_ENDPOINT_URL.
 */
#ifndef CLOUD_AWS_H
#define CLOUD_AWS_H

#include "cloud/cloud.h"

/*
 * Credentials of the caller's account (annotation eks.amazonaws.com/role-arn, by
 * AssumeRoleWithWebIdentity) or, without one, of the process: environment, web identity, container,
 * instance (IMDSv2), the first that is there. `region` is that of STS (NULL: the environment's; an
 * account needs one), `sts_endpoint` overrides it (NULL: the regional one). ERR_UNAUTHORIZED when
 * there is no source of credentials.
 */
bool aws_credentials(Cloud *cloud, const CloudCaller *caller, const char *region,
		     const char *sts_endpoint, Credential *out, Error *err) MUST_USE;

/* The region that the environment names, or NULL. Borrowed. */
const char *aws_env_region(const Cloud *cloud);

/* "https://SERVICE.REGION.amazonaws.com" of the region's partition, or the environment's override.
 * `service` is the host's first label ("sts", "kms", "api.ecr"). Owned. */
char *aws_endpoint(const Cloud *cloud, const char *service, const char *region);

/* True for an STS endpoint of AWS (upstream's rule for spec.sts.endpoint); ERR_INVALID. The
 * environment's own endpoint is good too. */
bool aws_check_sts_endpoint(const Cloud *cloud, const char *endpoint, Error *err) MUST_USE;

/* A call of a service that speaks JSON (ECR, KMS): POSTs `body` to `url` with X-Amz-Target
 * `target` ("TrentService.Decrypt"), signed. *out is the reply. */
typedef struct {
	const char *url, *region, *service, *target;
	const char *body;
	const Credential *credential;
} AwsJsonCall;
bool aws_json_call(Cloud *cloud, const CloudCaller *caller, const AwsJsonCall *call, Buf *out,
		   Error *err) MUST_USE;

/* The role that credentials may take on (AssumeRole), by the STS of `region`; not kept. ERR_INVALID
 * for what is no role. */
typedef struct {
	const char *region, *role_arn, *session_name;
	const Credential *credential; /* whose the role is to be */
} AwsRole;
bool aws_take_role(Cloud *cloud, const CloudCaller *caller, const AwsRole *role, Credential *out,
		   Error *err) MUST_USE;

/* What AssumeRoleWith... replies (XML). ERR_INVALID. */
bool aws_sts_parse(Str xml, Credential *out, Error *err) MUST_USE;

/* Credentials by the LDAP identity of an STS endpoint (MinIO's AssumeRoleWithLDAPIdentity). Not
 * kept. user and password may be NULL. */
bool aws_ldap_credentials(HttpClient *http, const char *endpoint, const char *user,
			  const char *password, int64_t timeout_ms, Credential *out,
			  Error *err) MUST_USE;

#endif
