#include "../cmocka_all.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cloud/sigv4.h"

/* The requests, keys and signatures that AWS publishes in "Signature Calculations for the
 * Authorization Header", "Using Query Parameters" (S3 API reference) and in its test suite. */

static const Credential s3_key = {.user = (char[]){"AKIAIOSFODNN7EXAMPLE"},
				  .secret = (char[]){"wJalrXUtnFEMI/K7MDENG/"
						     "bPxRfiCYEXAMPLEKEY"}};
static const Credential suite_key = {.user = (char[]){"AKIDEXAMPLE"},
				     .secret = (char[]){"wJalrXUtnFEMI/K7MDENG+"
							"bPxRfiCYEXAMPLEKEY"}};

static int64_t at(const char *text)
{
	int64_t ms = 0;
	assert_true(clock_parse(text, &ms));
	return ms;
}

static void dispose(Vec *headers)
{
	sigv4_headers_dispose(headers);
}

static const char *line_of(const Vec *headers, const char *name)
{
	for (size_t i = 0; i < headers->len; i++)
		if (cstr_starts(headers->items[i], name))
			return headers->items[i];
	return "";
}

static void check(const SigV4Request *request, const char *signed_names, const char *signature)
{
	autoerror Error err = {0};
	__attribute__((cleanup(dispose))) Vec out = {0};
	assert_true(sigv4_sign(request, &out, &err));
	const char *line = line_of(&out, "Authorization: ");
	autofree char *names = mem_printf("SignedHeaders=%s,", signed_names);
	autofree char *end = mem_printf("Signature=%s", signature);
	assert_non_null(strstr(line, names));
	assert_string_equal(strstr(line, "Signature="), end);
}

static SigV4Request s3_request(const char *method, const char *url)
{
	return (SigV4Request){.credential = &s3_key,
			      .region = "us-east-1",
			      .service = "s3",
			      .now_ms = at("2013-05-24T00:00:00Z"),
			      .method = method,
			      .url = url};
}

static void S86_get_object_with_range(void **state)
{
	(void)state;
	SigV4Request request = s3_request("GET", "https://examplebucket.s3.amazonaws.com/test.txt");
	request.headers = (const char *const[]){"Range: bytes=0-9", NULL};
	check(&request, "host;range;x-amz-content-sha256;x-amz-date",
	      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void S86_put_object_hashes_the_body_and_escapes_the_path(void **state)
{
	(void)state;
	SigV4Request request =
		s3_request("PUT", "https://examplebucket.s3.amazonaws.com/test%24file.text");
	request.headers = (const char *const[]){"Date: Fri, 24 May 2013 00:00:00 GMT",
						"x-amz-storage-class: REDUCED_REDUNDANCY", NULL};
	request.body = "Welcome to Amazon S3.";
	request.body_len = 21;
	check(&request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void S86_parameter_without_value(void **state)
{
	(void)state;
	SigV4Request request =
		s3_request("GET", "https://examplebucket.s3.amazonaws.com/?lifecycle");
	request.payload_hash = SIGV4_EMPTY;
	check(&request, "host;x-amz-content-sha256;x-amz-date",
	      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void S86_list_objects(void **state)
{
	(void)state;
	SigV4Request request =
		s3_request("GET", "https://examplebucket.s3.amazonaws.com?prefix=J&max-keys=2");
	check(&request, "host;x-amz-content-sha256;x-amz-date",
	      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void S86_presigned_query(void **state)
{
	(void)state;
	SigV4Request request = s3_request("GET", "https://examplebucket.s3.amazonaws.com/test.txt");
	request.payload_hash = SIGV4_UNSIGNED;
	autoerror Error err = {0};
	autofree char *url = sigv4_presign(&request, 86400, &err);
	assert_string_equal(
		url, "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-"
		     "SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%"
		     "2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-"
		     "SignedHeaders=host&X-Amz-Signature="
		     "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static SigV4Request suite_request(const char *method, const char *url)
{
	return (SigV4Request){.credential = &suite_key,
			      .region = "us-east-1",
			      .service = "service",
			      .now_ms = at("2015-08-30T12:36:00Z"),
			      .method = method,
			      .url = url};
}

static void S86_other_services_sign_host_and_date(void **state)
{
	(void)state;
	SigV4Request request = suite_request("GET", "https://example.amazonaws.com/");
	check(&request, "host;x-amz-date",
	      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
	request.url = "https://example.amazonaws.com/?Param2=value2&Param1=value1";
	check(&request, "host;x-amz-date",
	      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
	request.url = "https://example.amazonaws.com:443/";
	check(&request, "host;x-amz-date",
	      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
	/* get-slash-dot-slash, get-slashes of the suite come to "/" too. */
	request.url = "https://example.amazonaws.com/./";
	check(&request, "host;x-amz-date",
	      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
	request.url = "https://example.amazonaws.com//example/../";
	check(&request, "host;x-amz-date",
	      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

static void S86_iam_example_signs_given_headers(void **state)
{
	(void)state;
	SigV4Request request = suite_request(
		"GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08");
	request.credential =
		&(Credential){.user = suite_key.user,
			      .secret = (char[]){"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}};
	request.service = "iam";
	request.headers = (const char *const[]){
		"Content-Type:   application/x-www-form-urlencoded;   charset=utf-8  ", NULL};
	check(&request, "content-type;host;x-amz-date",
	      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

static void S86_session_token_is_signed_and_sent(void **state)
{
	(void)state;
	Credential credential = s3_key;
	credential.session = (char[]){"session/token=="};
	SigV4Request request = s3_request("GET", "http://127.0.0.1:9000/bucket/key");
	request.credential = &credential;
	autoerror Error err = {0};
	__attribute__((cleanup(dispose))) Vec out = {0};
	assert_true(sigv4_sign(&request, &out, &err));
	assert_string_equal(line_of(&out, "X-Amz-Security-Token: "),
			    "X-Amz-Security-Token: session/token==");
	assert_non_null(strstr(line_of(&out, "Authorization: "), "x-amz-security-token,"));
	autofree char *url = sigv4_presign(&request, 60, &err);
	assert_non_null(strstr(url, "&X-Amz-Security-Token=session%2Ftoken%3D%3D&"));
}

static void S86_url_without_host_is_an_error(void **state)
{
	(void)state;
	SigV4Request request = s3_request("GET", "bucket/key");
	autoerror Error err = {0};
	__attribute__((cleanup(dispose))) Vec out = {0};
	assert_false(sigv4_sign(&request, &out, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_int_equal(out.len, 0);
}

static void S47_codecommit_password_is_time_and_signature(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autofree char *password = sigv4_codecommit_password(
		&suite_key, "us-east-1",
		"https://git-codecommit.us-east-1.amazonaws.com/v1/repos/app",
		at("2015-08-30T12:36:00Z"), &err);
	assert_string_equal(password,
			    "20150830T123600Z"
			    "c4a0249b9558f827049ef5b9439ef3fe64993f1109409b64186666098a251680");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S86_get_object_with_range),
		cmocka_unit_test(S86_put_object_hashes_the_body_and_escapes_the_path),
		cmocka_unit_test(S86_parameter_without_value),
		cmocka_unit_test(S86_list_objects),
		cmocka_unit_test(S86_presigned_query),
		cmocka_unit_test(S86_other_services_sign_host_and_date),
		cmocka_unit_test(S86_iam_example_signs_given_headers),
		cmocka_unit_test(S86_session_token_is_signed_and_sent),
		cmocka_unit_test(S86_url_without_host_is_an_error),
		cmocka_unit_test(S47_codecommit_password_is_time_and_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
