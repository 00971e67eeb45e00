/* What aws.c (whose credentials), aws_sources.c (where a process finds its own) and aws_sts.c
 * share.
 */
#ifndef CLOUD_AWS_INTERNAL_H
#define CLOUD_AWS_INTERNAL_H

#include "cloud/aws.h"

/* One asking for credentials; all borrowed. */
typedef struct {
	Cloud *cloud;
	const CloudCaller *caller;
	const char *region, *sts_endpoint; /* or NULL */
	const char *role_arn;		   /* of the caller's account, or NULL */
} AwsAsk;

/* True for the ARN of a role. */
bool aws_is_role(const char *arn);

/* AssumeRoleWithWebIdentity with a token that somebody issued for us. */
bool aws_assume_role(const AwsAsk *ask, const char *role_arn, const char *session_name,
		     const char *token, Credential *out, Error *err) MUST_USE;

/* A signed POST. All borrowed. */
typedef struct {
	const char *url, *region, *service;
	const char *const *headers; /* "Name: value", NULL-terminated */
	const char *body;
	const Credential *credential;
} AwsPost;
bool aws_post(Cloud *cloud, const CloudCaller *caller, const AwsPost *call, Buf *out,
	      Error *err) MUST_USE;

/* The process's own: the first source that is configured. */
bool aws_process_credentials(const AwsAsk *ask, Credential *out, Error *err) MUST_USE;

/* --- aws_sources.c and aws_sts.c say credentials in two notations --- */

/* "2013-05-24T00:00:00Z" into expires_ms; false when it is no time. */
bool aws_set_expiry(Credential *credential, const char *text, Error *err) MUST_USE;

#endif
