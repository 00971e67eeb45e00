/* What a Provider's Secrets come to: address, proxy, certificates, credentials. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/mem.h"
#include "material.h"

/* A Secret of those pairs of key and value; NULL for no pair. */
static Secret *secret_with(const char *const *pairs)
{
	if (!pairs[0])
		return NULL;
	autojson json_t *object = json_pack("{s:s,s:{}}", "kind", "ConfigMap", "data");
	for (size_t i = 0; pairs[i]; i += 2)
		json_put_text(json_map(object, "data"), pairs[i], pairs[i + 1]);
	autoerror Error err = {0};
	Secret *secret = secret_of_object(object, &err);
	assert_non_null(secret);
	return secret;
}

enum { PAIRS_MAX = 9 };

typedef struct {
	const char *name;
	const char *address, *proxy; /* of the spec */
	const char *secret[PAIRS_MAX], *cert[PAIRS_MAX], *proxy_secret[PAIRS_MAX];
	bool commit_status;
	const char *fault; /* a part of the error; NULL: none */
} Given;

static bool read_given(const Given *given, Material *out, Error *err)
{
	autojson json_t *provider = json_pack("{s:{s:s*,s:s*}}", "spec", "address", given->address,
					      "proxy", given->proxy);
	out->secret = secret_with(given->secret);
	out->cert = secret_with(given->cert);
	out->proxy = secret_with(given->proxy_secret);
	return material_read(provider, given->commit_status ? NOTIFY_COMMIT_STATUS : 0, out, err);
}

/* Fails as the row says, or fills *out. */
static void read_row(const Given *given, Material *out)
{
	autoerror Error err = {0};
	bool good = read_given(given, out, &err);
	if (good != !given->fault)
		fail_msg("%s: %s", given->name, good ? "no error" : err_text(&err));
	if (!good && !strstr(err_text(&err), given->fault))
		fail_msg("%s: %s", given->name, err_text(&err));
}

static void assert_text(const char *name, const char *got, const char *want)
{
	if (!cstr_eq(got, want))
		fail_msg("%s: %s", name, got ? got : "none");
}

static char *of_length(const char *start, size_t len)
{
	Buf out = {0};
	buf_puts(&out, start);
	while (out.len < len)
		buf_putc(&out, 'x');
	return buf_steal(&out);
}

static void N31_the_secrets_address_wins(void **state)
{
	(void)state;
	autofree char *longest = of_length("https://", 2048);
	autofree char *longer = of_length("https://", 2049);
	const struct {
		Given given;
		const char *want;
	} rows[] = {
		{{.name = "spec", .address = "https://spec"}, "https://spec"},
		{{.name = "both",
		  .address = "https://spec",
		  .secret = {"address", " https://secret\n"}},
		 "https://secret"},
		{{.name = "longest", .secret = {"address", longest}}, longest},
		{{.name = "longer", .secret = {"address", longer}, .fault = "longer than 2048"},
		 NULL},
		{{.name = "none"}, NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		automaterial Material material = {0};
		read_row(&rows[i].given, &material);
		assert_text(rows[i].given.name, material.address, rows[i].want);
	}
}

static void N32_N33_proxies(void **state)
{
	(void)state;
	static const struct {
		Given given;
		const char *want, *user, *password;
	} rows[] = {
		{{.name = "none"}, NULL, NULL, NULL},
		{{.name = "spec", .proxy = "http://spec"}, "http://spec", NULL, NULL},
		{{.name = "secret", .proxy = "http://spec", .secret = {"proxy", "https://secret"}},
		 "https://secret",
		 NULL,
		 NULL},
		{{.name = "ref",
		  .proxy = "http://spec",
		  .secret = {"proxy", "https://secret"},
		  .proxy_secret = {"address", "socks5://ref", "username", "u", "password", "p"}},
		 "socks5://ref",
		 "u",
		 "p"},
		{{.name = "ref without address",
		  .proxy = "http://spec",
		  .proxy_secret = {"username", "u"},
		  .fault = "lacks 'address'"},
		 NULL,
		 NULL,
		 NULL},
		{{.name = "ftp", .proxy = "ftp://spec", .fault = "http, https or socks5"},
		 NULL,
		 NULL,
		 NULL},
		{{.name = "socks4", .secret = {"proxy", "socks4://x"}, .fault = "socks5"},
		 NULL,
		 NULL,
		 NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		automaterial Material material = {0};
		const Given *given = &rows[i].given;
		read_row(given, &material);
		if (given->fault)
			continue;
		assert_text(given->name, material.client.proxy, rows[i].want);
		assert_text(given->name, material.client.proxy_user, rows[i].user);
		assert_text(given->name, material.client.proxy_password, rows[i].password);
		assert_int_equal(material.own_client, rows[i].want != NULL);
		assert_int_equal(material.client.env_proxy, rows[i].want == NULL);
	}
}

#define PAIR "tls.crt", "C", "tls.key", "K"

static void N34_N35_certificates(void **state)
{
	(void)state;
	static const struct {
		Given given;
		const char *ca, *cert, *key;
	} rows[] = {
		{{.name = "none", .secret = {"ca.crt", "A", PAIR}}, NULL, NULL, NULL},
		{{.name = "CA", .cert = {"ca.crt", "A"}}, "A", NULL, NULL},
		{{.name = "pair", .cert = {PAIR}}, NULL, "C", "K"},
		{{.name = "older names", .cert = {"caFile", "A", "certFile", "C", "keyFile", "K"}},
		 "A",
		 "C",
		 "K"},
		{{.name = "new names win", .cert = {"caFile", "B", "ca.crt", "A"}},
		 "A",
		 NULL,
		 NULL},
		{{.name = "no key", .cert = {"ca.crt", "A", "tls.crt", "C"}, .fault = "only one"},
		 NULL,
		 NULL,
		 NULL},
		{{.name = "no certificate", .cert = {"tls.key", "K"}, .fault = "only one"},
		 NULL,
		 NULL,
		 NULL},
		{{.name = "nothing", .cert = {"x", "y"}, .fault = "no certificates"},
		 NULL,
		 NULL,
		 NULL},
		{{.name = "status", .secret = {"ca.crt", "A", PAIR}, .commit_status = true},
		 "A",
		 "C",
		 "K"},
		{{.name = "status, pair alone", .secret = {PAIR}, .commit_status = true},
		 NULL,
		 "C",
		 "K"},
		{{.name = "status, half a pair",
		  .secret = {"ca.crt", "A", "tls.crt", "C"},
		  .commit_status = true},
		 NULL,
		 NULL,
		 NULL},
		{{.name = "status, certSecretRef wins",
		  .secret = {"ca.crt", "B", PAIR},
		  .cert = {"ca.crt", "A"},
		  .commit_status = true},
		 "A",
		 NULL,
		 NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		automaterial Material material = {0};
		const Given *given = &rows[i].given;
		read_row(given, &material);
		if (given->fault)
			continue;
		assert_text(given->name, material.client.ca_pem, rows[i].ca);
		assert_text(given->name, material.client.cert_pem, rows[i].cert);
		assert_text(given->name, material.client.key_pem, rows[i].key);
		assert_int_equal(material.own_client, rows[i].ca || rows[i].cert);
	}
}

static void N36_half_a_login_is_none(void **state)
{
	(void)state;
	static const struct {
		Given given;
		const char *token, *username, *password;
	} rows[] = {
		{{.name = "token", .secret = {"token", " t"}}, " t", NULL, NULL},
		{{.name = "all", .secret = {"token", "t", "username", "u", "password", "p"}},
		 "t",
		 "u",
		 "p"},
		{{.name = "password", .secret = {"token", "t", "password", "p"}}, NULL, NULL, NULL},
		{{.name = "username", .secret = {"token", "t", "username", "u"}}, NULL, NULL, NULL},
		{{.name = "status",
		  .secret = {"token", "t", "password", "p"},
		  .commit_status = true,
		  .fault = "only one of 'username' and 'password'"},
		 NULL,
		 NULL,
		 NULL},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		automaterial Material material = {0};
		const Given *given = &rows[i].given;
		read_row(given, &material);
		assert_text(given->name, material.token, rows[i].token);
		assert_text(given->name, material.username, rows[i].username);
		assert_text(given->name, material.password, rows[i].password);
	}
}

static void N37_headers_are_a_map_of_texts(void **state)
{
	(void)state;
	static const Given good = {.name = "good",
				   .secret = {"headers", "A: b\nN: 1\nT: true\nE:\n"}};
	static const Given rows[] = {
		{.name = "list", .secret = {"headers", "[hush]"}, .fault = "YAML map"},
		{.name = "nested", .secret = {"headers", "a: {hush: 1}"}, .fault = "YAML map"},
		{.name = "no YAML", .secret = {"headers", "a: [hush"}, .fault = "YAML map"},
		{.name = "two lines",
		 .secret = {"headers", "\"a\\r\\nhush\": b"},
		 .fault = "YAML map"},
		{.name = "colon", .secret = {"headers", "\"a:hush\": b"}, .fault = "YAML map"},
	};
	automaterial Material material = {0};
	read_row(&good, &material);
	assert_text("A", json_text(material.headers, "A"), "b");
	assert_text("N", json_text(material.headers, "N"), "1");
	assert_text("T", json_text(material.headers, "T"), "true");
	assert_text("E", json_text(material.headers, "E"), "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		automaterial Material bad = {0};
		if (read_given(&rows[i], &bad, &err))
			fail_msg("%s: no error", rows[i].name);
		assert_non_null(strstr(err_text(&err), rows[i].fault));
		assert_null(strstr(err_text(&err), "hush"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(N31_the_secrets_address_wins),
		cmocka_unit_test(N32_N33_proxies),
		cmocka_unit_test(N34_N35_certificates),
		cmocka_unit_test(N36_half_a_login_is_none),
		cmocka_unit_test(N37_headers_are_a_map_of_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
