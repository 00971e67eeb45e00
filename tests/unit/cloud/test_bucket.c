#include "../cmocka_all.h"

#include <string.h>

#include "base/str.h"
#include "cloud/bucket.h"

typedef bool Parse(Str body, BucketPage *out, Error *err);

static const BucketObject *object_at(const BucketPage *page, size_t index)
{
	assert_true(index < page->objects.len);
	return page->objects.items[index];
}

static void S82_s3_pages(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobucketpage BucketPage page = {0};
	assert_true(s3_parse_page(
		STR("<?xml version=\"1.0\"?><ListBucketResult "
		    "xmlns=\"http://s3.amazonaws.com/doc/\">"
		    "<Contents><Key>a%2Fb+c%2Bd</Key><ETag>&quot;e1&quot;</ETag><Size>5</Size>"
		    "<Owner><ID>Key</ID></Owner></Contents><Contents><Key>z</Key>"
		    "<ETag>W/\"e2\"</ETag></Contents><EncodingType>url</EncodingType>"
		    "<CommonPrefixes><Prefix>x</Prefix></CommonPrefixes><IsTruncated>true"
		    "</IsTruncated><NextContinuationToken>t+1</NextContinuationToken>"
		    "</ListBucketResult>"),
		&page, &err));
	assert_int_equal(page.objects.len, 2);
	assert_string_equal(object_at(&page, 0)->key, "a/b c+d");
	assert_string_equal(object_at(&page, 0)->etag, "e1");
	assert_int_equal(object_at(&page, 0)->size, 5);
	assert_string_equal(object_at(&page, 1)->etag, "e2");
	assert_int_equal(object_at(&page, 1)->size, -1);
	assert_string_equal(page.next, "t+1");
}

static void S82_s3_pages_of_version_1_go_on_behind_the_last_key(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobucketpage BucketPage page = {0};
	assert_true(s3_parse_page(STR("<ListBucketResult><IsTruncated>true</IsTruncated><Contents>"
				      "<Key>a+b%20</Key><ETag>1</ETag></Contents>"
				      "</ListBucketResult>"),
				  &page, &err));
	assert_string_equal(page.next, "a+b%20");
}

static void S81_azure_etags_are_as_downloads_have_them(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobucketpage BucketPage page = {0};
	assert_true(azure_parse_page(
		STR("\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults>"
		    "<Blobs><Blob><Name>a%20b</Name><Properties><Etag>0x8D1</Etag>"
		    "<Content-Length>7</Content-Length></Properties></Blob><Blob>"
		    "<Name Encoded=\"true\">x%EF%BF%BEy</Name><Properties><Etag>\"0x8D2\"</Etag>"
		    "</Properties></Blob></Blobs><NextMarker>m</NextMarker></EnumerationResults>"),
		&page, &err));
	assert_string_equal(object_at(&page, 0)->key, "a%20b");
	assert_string_equal(object_at(&page, 0)->etag, "\"0x8D1\"");
	assert_int_equal(object_at(&page, 0)->size, 7);
	assert_string_equal(object_at(&page, 1)->key, "x\xef\xbf\xbey");
	assert_string_equal(object_at(&page, 1)->etag, "\"0x8D2\"");
	assert_string_equal(page.next, "m");
}

static void S82_google_pages(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobucketpage BucketPage page = {0};
	assert_true(gcs_parse_page(STR("{\"items\":[{\"name\":\"a/b\",\"etag\":\"CJ=\",\"size\":"
				       "\"9\",\"generation\":\"17\"}],\"nextPageToken\":\"n\"}"),
				   &page, &err));
	assert_string_equal(object_at(&page, 0)->version, "17");
	assert_int_equal(object_at(&page, 0)->size, 9);
	assert_string_equal(page.next, "n");
	autobucketpage BucketPage empty = {0};
	assert_true(gcs_parse_page(STR("{\"kind\":\"storage#objects\"}"), &empty, &err));
	assert_int_equal(empty.objects.len, 0);
	assert_null(empty.next);
}

static void S83_unusable_pages_are_refused(void **state)
{
	(void)state;
	static const struct {
		Parse *parse;
		const char *body;
	} cases[] = {
		{s3_parse_page, ""},
		{s3_parse_page, "<ListBucketResult>"},
		{s3_parse_page, "<html/>"},
		{s3_parse_page, "<ListBucketResult><Contents/></ListBucketResult>"},
		{s3_parse_page, "<ListBucketResult><Contents><Key>a</Key><ETag>x&#10;y</ETag>"
				"</Contents></ListBucketResult>"},
		{s3_parse_page, "<ListBucketResult><Contents><Key>%ff</Key></Contents>"
				"<EncodingType>url</EncodingType></ListBucketResult>"},
		{s3_parse_page, "<ListBucketResult><Contents><Key>%00</Key></Contents>"
				"<EncodingType>url</EncodingType></ListBucketResult>"},
		{s3_parse_page, "<ListBucketResult><Contents><Key>%zz</Key></Contents>"
				"<EncodingType>url</EncodingType></ListBucketResult>"},
		{s3_parse_page, "<!DOCTYPE x><ListBucketResult/>"},
		{azure_parse_page, "<Error/>"},
		{azure_parse_page, "<EnumerationResults><Blobs><Blob><Name Encoded=\"true\">%"
				   "</Name></Blob></Blobs></EnumerationResults>"},
		{gcs_parse_page, "[]"},
		{gcs_parse_page, "{\"items\":[{}]}"},
		{gcs_parse_page, "{\"items\":[{\"name\":\"\"}]}"},
		{gcs_parse_page, "{\"items\":[{\"name\":\"a\",\"generation\":\"1&x=y\"}]}"},
		{gcs_parse_page, "{\"items\":[{\"name\":\"a\",\"etag\":\"1\\n2\"}]}"},
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		autoerror Error err = {0};
		autobucketpage BucketPage page = {0};
		assert_false(cases[i].parse(str_of(cases[i].body), &page, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_int_equal(page.objects.len, 0);
	}
}

static ErrorCode open_error(const CloudBucketConfig *config)
{
	autoerror Error err = {0};
	autobucket CloudBucket *bucket = bucket_new(config, &err);
	assert_true(!bucket == err_is_set(&err));
	return err.code;
}

static void S83_unusable_endpoints_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"http://s3.test", "s3.test/path", "",
					  "user@s3.test",   "s3.test?x=y",  "s3.test:99999",
					  "s3.test:port"};
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(open_error(&(CloudBucketConfig){
					 .type = BUCKET_S3, .endpoint = bad[i], .name = "b"}),
				 ERR_INVALID);
	assert_int_equal(open_error(&(CloudBucketConfig){
				 .type = BUCKET_AZURE, .endpoint = "ftp://a.b.c", .name = "b"}),
			 ERR_INVALID);
	assert_int_equal(open_error(&(CloudBucketConfig){.type = BUCKET_AZURE,
							 .endpoint = "https://a.b.test",
							 .name = "b",
							 .sas = "?sv=1&sig=a b"}),
			 ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S82_s3_pages),
		cmocka_unit_test(S82_s3_pages_of_version_1_go_on_behind_the_last_key),
		cmocka_unit_test(S81_azure_etags_are_as_downloads_have_them),
		cmocka_unit_test(S82_google_pages),
		cmocka_unit_test(S83_unusable_pages_are_refused),
		cmocka_unit_test(S83_unusable_endpoints_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
