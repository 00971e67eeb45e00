#include "fake_cloud.h"

#include "cloud/aws.h"

#define STS_REPLY                                                                                  \
	"<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"  \
	"<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>session</SessionToken>"       \
	"<SecretAccessKey>secret</SecretAccessKey><Expiration>2099-01-01T00:00:00Z</Expiration>"   \
	"<AccessKeyId>AKIA</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>"          \
	"</AssumeRoleWithWebIdentityResponse>"
#define JSON_REPLY                                                                                 \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"AKIA\",\"SecretAccessKey\":\"secret\","           \
	"\"Token\":\"session\",\"Expiration\":\"2099-01-01T00:00:00Z\"}"

static const FakeRow rows[] = {
	{"PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "21600", 200, "imds"},
	{"GET", "/latest/meta-data/iam/security-credentials/the%20role", "X-aws-ec2-metadata-token",
	 "imds", 200, JSON_REPLY},
	{"GET", "/latest/meta-data/iam/security-credentials/", "X-aws-ec2-metadata-token", "imds",
	 200, "the role\n"},
	{"GET", "/pod", "Authorization", "pod-token", 200, JSON_REPLY},
	{"POST", "/sts", NULL, NULL, 200, STS_REPLY},
	{"POST", "/kms", "X-Amz-Target", "TrentService.Decrypt", 200, "{\"Plaintext\":\"eA==\"}"},
	{"POST", "/refuses", NULL, NULL, 400,
	 "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no good: "
	 "kubernetes-token-for-sts.amazonaws.com</Message></Error></ErrorResponse>"},
};

static const CloudCaller nobody = {.timeout_ms = 5000};

static void check_credential(Cloud *cloud, const CloudCaller *caller, const char *region)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	bool ok = aws_credentials(cloud, caller, region, NULL, &got, &err);
	assert_string_equal(err_text(&err), "");
	assert_true(ok);
	assert_string_equal(got.user, "AKIA");
	assert_string_equal(got.secret, "secret");
	assert_string_equal(got.session, "session");
}

static void check_failure(Cloud *cloud, const CloudCaller *caller, ErrorCode code, const char *part)
{
	autoerror Error err = {0};
	autocredential Credential got = {0};
	assert_false(aws_credentials(cloud, caller, "us-east-1", NULL, &got, &err));
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err_text(&err), part));
	assert_null(got.secret);
}

static void S86_environment_needs_no_request(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AWS_ACCESS_KEY_ID=AKIA", "AWS_SECRET_ACCESS_KEY=secret",
				      "AWS_SESSION_TOKEN=session", NULL});
	check_credential(cloud, &nobody, NULL);
	assert_int_equal(fake.count, 0);
}

static void S86_instance_metadata_is_asked_with_a_session_and_once(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:{PORT}",
				      NULL});
	for (int i = 0; i < 3; i++)
		check_credential(cloud, &nobody, NULL);
	assert_int_equal(fake.count, 3);
}

static void S86_nothing_is_kept_without_a_cache(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 0,
		(const char *const[]){"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:{PORT}",
				      NULL});
	check_credential(cloud, &nobody, NULL);
	check_credential(cloud, &nobody, NULL);
	assert_int_equal(fake.count, 6);
}

static void S86_container_token_comes_from_its_file(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	char path[] = "/tmp/sluice-aws-XXXXXX";
	fake_file(path, "pod-token\n");
	autofree char *file = mem_printf("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s", path);
	autocloud Cloud *cloud =
		fake_cloud(&fake, 10,
			   (const char *const[]){
				   "AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:{PORT}/pod",
				   file, NULL});
	check_credential(cloud, &nobody, NULL);
	unlink(path);
}

static void S86_container_token_goes_to_no_stranger(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://10.1.2.3/pod",
				      "AWS_CONTAINER_AUTHORIZATION_TOKEN=pod-token", NULL});
	check_failure(cloud, &nobody, ERR_FORBIDDEN, "neither https, loopback");
}

static void S86_web_identity_of_the_process(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	char path[] = "/tmp/sluice-aws-XXXXXX";
	fake_file(path, "the token\n");
	autofree char *file = mem_printf("AWS_WEB_IDENTITY_TOKEN_FILE=%s", path);
	const char *const env[] = {"AWS_ROLE_ARN=arn:aws:iam::1:role/r", file,
				   "AWS_REGION=eu-west-1",
				   "AWS_ENDPOINT_URL_STS=http://127.0.0.1:{PORT}/sts", NULL};
	autocloud Cloud *cloud = fake_cloud(&fake, 10, env);
	check_credential(cloud, &nobody, NULL);
	assert_string_equal(fake.bodies[0],
			    "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%"
			    "3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=sluice&WebIdentityToken=the%"
			    "20token");
	unlink(path);
}

static void D40_accounts_share_nothing(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AWS_ENDPOINT_URL=http://127.0.0.1:{PORT}/sts", NULL});
	const char *const annotations[] = {"eks.amazonaws.com/role-arn",
					   "arn:aws:iam::1:role/shared", NULL};
	CloudAccount one = fake_account("one", annotations),
		     other = fake_account("other", annotations);
	for (int i = 0; i < 2; i++) {
		check_credential(cloud, &(CloudCaller){.account = &one}, "us-east-1");
		check_credential(cloud, &(CloudCaller){.account = &other}, "us-east-1");
	}
	assert_int_equal(fake.count, 2);
	assert_non_null(strstr(fake.bodies[0], "RoleSessionName=one.team.us-east-1.fluxcd.io&"));
	assert_non_null(
		strstr(fake.bodies[0], "WebIdentityToken=kubernetes-token-for-sts.amazonaws.com"));
}

static void D40_refusals_hold_no_token_and_bad_roles_are_not_asked_for(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AWS_ENDPOINT_URL=http://127.0.0.1:{PORT}/refuses", NULL});
	const char *const good[] = {"eks.amazonaws.com/role-arn", "arn:aws:iam::1:role/r", NULL};
	const char *const bad[] = {"eks.amazonaws.com/role-arn", "arn:aws:iam::x:role/r", NULL};
	CloudAccount account = fake_account("a", good), wrong = fake_account("b", bad);
	check_failure(cloud, &(CloudCaller){.account = &account}, ERR_INVALID,
		      "InvalidIdentityToken: no good: ***");
	check_failure(cloud, &(CloudCaller){.account = &wrong}, ERR_INVALID,
		      "invalid eks.amazonaws.com/role-arn annotation");
	assert_int_equal(fake.count, 1);
}

typedef struct {
	Cloud *cloud;
	pthread_t thread;
} Asker;

static void *ask(void *arg)
{
	const Asker *asker = arg;
	check_credential(asker->cloud, &nobody, NULL);
	return NULL;
}

static void D40_of_many_who_ask_at_once_one_asks(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(
		&fake, 10,
		(const char *const[]){"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:{PORT}",
				      NULL});
	Asker askers[8];
	for (size_t i = 0; i < COUNT(askers); i++) {
		askers[i].cloud = cloud;
		pthread_create(&askers[i].thread, NULL, ask, &askers[i]);
	}
	for (size_t i = 0; i < COUNT(askers); i++)
		pthread_join(askers[i].thread, NULL);
	assert_int_equal(fake.count, 3);
}

static void S86_sts_endpoints_must_be_amazons(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, (const char *const[]){NULL});
	static const struct {
		const char *endpoint;
		bool good;
	} cases[] = {
		{"https://sts.amazonaws.com", true},
		{"https://sts.us-east-1.amazonaws.com", true},
		{"https://sts-fips.us-east-1.amazonaws.com", true},
		{"https://vpce-1.sts.us-east-1.vpce.amazonaws.com", true},
		{"http://sts.amazonaws.com", false},
		{"https://sts.amazonaws.com.evil.test", false},
		{"https://sts.amazonaws.com/", false},
		{"https://evil.test/sts.amazonaws.com", false},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		bool good = aws_check_sts_endpoint(cloud, cases[i].endpoint, &err);
		assert_int_equal(good, cases[i].good);
	}
	autofree char *china = aws_endpoint(cloud, "sts", "cn-north-1");
	assert_string_equal(china, "https://sts.cn-north-1.amazonaws.com.cn");
}

static void S86_json_calls_are_signed(void **state)
{
	(void)state;
	autofake FakeCloud fake;
	fake_start(&fake, rows, COUNT(rows));
	autocloud Cloud *cloud = fake_cloud(&fake, 10, (const char *const[]){NULL});
	autofree char *url = mem_printf("http://127.0.0.1:%d/kms", httpd_port(fake.httpd));
	const Credential key = {.user = (char[]){"AKIA"}, .secret = (char[]){"secret"}};
	const AwsJsonCall call = {.url = url,
				  .region = "eu-west-1",
				  .service = "kms",
				  .target = "TrentService.Decrypt",
				  .body = "{}",
				  .credential = &key};
	autobuf Buf reply = {0};
	autoerror Error err = {0};
	assert_true(aws_json_call(cloud, &nobody, &call, &reply, &err));
	assert_string_equal(buf_text(&reply), "{\"Plaintext\":\"eA==\"}");
	assert_non_null(strstr(fake.logins[0], "/eu-west-1/kms/aws4_request, SignedHeaders="
					       "content-type;host;x-amz-date;x-amz-target, "));
}

static void S87_replies_of_sts_are_checked(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"<a/>",
		"<a><Credentials><AccessKeyId>A</AccessKeyId></Credentials></a>",
		("<a><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
		 "<Expiration>soon</Expiration></Credentials></a>"),
		"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
		"<a><Credentials>",
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error err = {0};
		autocredential Credential got = {0};
		assert_false(aws_sts_parse(str_of(bad[i]), &got, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_null(got.secret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S86_environment_needs_no_request),
		cmocka_unit_test(S86_instance_metadata_is_asked_with_a_session_and_once),
		cmocka_unit_test(S86_nothing_is_kept_without_a_cache),
		cmocka_unit_test(S86_container_token_comes_from_its_file),
		cmocka_unit_test(S86_container_token_goes_to_no_stranger),
		cmocka_unit_test(S86_web_identity_of_the_process),
		cmocka_unit_test(D40_accounts_share_nothing),
		cmocka_unit_test(D40_refusals_hold_no_token_and_bad_roles_are_not_asked_for),
		cmocka_unit_test(D40_of_many_who_ask_at_once_one_asks),
		cmocka_unit_test(S86_sts_endpoints_must_be_amazons),
		cmocka_unit_test(S86_json_calls_are_signed),
		cmocka_unit_test(S87_replies_of_sts_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
