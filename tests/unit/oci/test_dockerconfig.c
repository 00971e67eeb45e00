/* docker's config.json: forms of entries, which entry counts, limits. */
#include "../cmocka_all.h"

#include "base/buf.h"
#include "base/str.h"
#include "oci/dockerconfig.h"

static void add(DockerConfig *config, const char *text, bool legacy)
{
	autoerror Error err = {0};
	if (!docker_config_add(config, text, strlen(text), legacy, &err))
		fail_msg("%s: %s", text, err_text(&err));
}

static void expect(const DockerConfig *config, const char *host, const char *repository,
		   const char *username, const char *password)
{
	autoregistryauth RegistryAuth auth = {0};
	bool found = docker_config_find(config, host, repository, &auth);
	if (found != (username != NULL) || !cstr_eq(auth.username, username) ||
	    !cstr_eq(auth.password, password))
		fail_msg("%s/%s: %s", host, repository, auth.username ? auth.username : "nobody");
}

static void S54_forms(void **state)
{
	(void)state;
	autodockerconfig DockerConfig *config = docker_config_new();
	/* "dTpwOnc=" is u:p:w */
	add(config,
	    "{\"auths\": {"
	    "\"a.test\": {\"auth\": \"dTpwOnc=\"}, \"b.test\": {\"auth\": \"dTpwOnc\"},"
	    "\"c.test\": {\"username\": \"x\", \"password\": \"y\", \"auth\": \"dTpwOnc=\"},"
	    "\"d.test\": {\"username\": \"x\", \"password\": \"y\", \"email\": \"e\"},"
	    "\"e.test\": {\"identitytoken\": \"i\"}, \"f.test\": {\"registrytoken\": \"r\"},"
	    "\"g.test\": {\"username\": \"<token>\", \"password\": \"i\"}, \"h.test\": {}},"
	    "\"credsStore\": \"desktop\"}",
	    false);
	expect(config, "a.test", "x", "u", "p:w");
	expect(config, "b.test", "x", "u", "p:w");
	expect(config, "c.test", "x", "u", "p:w");
	expect(config, "d.test", "x", "x", "y");
	expect(config, "h.test", "x", NULL, NULL);
	expect(config, "i.test", "x", NULL, NULL);
	static const char *const hosts[] = {"e.test", "g.test"};
	for (size_t i = 0; i < COUNT(hosts); i++) {
		autoregistryauth RegistryAuth auth = {0};
		assert_true(docker_config_find(config, hosts[i], "x", &auth));
		assert_string_equal(auth.identity_token, "i");
		assert_null(auth.password);
	}
	autoregistryauth RegistryAuth auth = {0};
	assert_true(docker_config_find(config, "f.test", "x", &auth));
	assert_string_equal(auth.registry_token, "r");
}

static void S54_the_longest_path_counts(void **state)
{
	(void)state;
	autodockerconfig DockerConfig *config = docker_config_new();
	add(config,
	    "{\"https://r.test\": {\"username\": \"host\", \"password\": \"\"},"
	    "\"r.test/team\": {\"username\": \"team\", \"password\": \"\"},"
	    "\"http://r.test/v1/team/app/\": {\"username\": \"app\", \"password\": \"\"},"
	    "\"r.test:5000\": {\"username\": \"port\", \"password\": \"\"},"
	    "\"*.wild.test\": {\"username\": \"wild\", \"password\": \"\"}}",
	    true);
	expect(config, "r.test", "other", "host", "");
	expect(config, "r.test", "team", "team", "");
	expect(config, "r.test", "team/x", "team", "");
	expect(config, "r.test", "team-evil/x", "host", "");
	expect(config, "r.test", "team/app", "app", "");
	expect(config, "r.test", "team/app/y", "app", "");
	expect(config, "r.test:5000", "team", "port", "");
	expect(config, "r.test:5001", "team", NULL, NULL);
	expect(config, "a.wild.test", "x", "wild", "");
	expect(config, "a.b.wild.test", "x", NULL, NULL);
	expect(config, "wild.test", "x", NULL, NULL);
	expect(config, "evil-r.test", "x", NULL, NULL);
}

static void S54_names_of_docker_io_and_two_configs(void **state)
{
	(void)state;
	autodockerconfig DockerConfig *config = docker_config_new();
	add(config,
	    "{\"auths\": {\"https://index.docker.io/v1/\": {\"username\": \"a\", "
	    "\"password\": \"1\"}}}",
	    false);
	add(config, "{\"auths\": {\"docker.io\": {\"username\": \"b\", \"password\": \"2\"}}}",
	    false);
	expect(config, "index.docker.io", "library/x", "a", "1");
}

static void S55_bad_configs_are_not_quoted(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"\"s3cret\"",
		"{\"auths\": []}",
		"{\"auths\": {\"h.test\": \"s3cret\"}}",
		"{\"auths\": {\"h.test\": {\"auth\": \"s3cret!\"}}}",
		"{\"auths\": {\"h.test\": {\"auth\": \"bm9jb2xvbg==\"}}}",
		"{\"auths\": {\"h test\": {\"username\": \"s3cret\"}}}",
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		autodockerconfig DockerConfig *config = docker_config_new();
		if (docker_config_add(config, rows[i], strlen(rows[i]), false, &err))
			fail_msg("taken: %s", rows[i]);
		assert_null(strstr(err_text(&err), "s3cret"));
	}
}

static void S55_limits(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autobuf Buf text = {0};
	autodockerconfig DockerConfig *config = docker_config_new();
	buf_puts(&text, "{\"auths\": {\"x.test\": {}");
	for (int i = 0; i < 1100; i++)
		buf_printf(&text, ", \"h%d.test\": {}", i);
	buf_puts(&text, "}}");
	assert_false(docker_config_add(config, text.ptr, text.len, false, &err));
	assert_int_equal(err.code, ERR_LIMIT);
	error_dispose(&err);
	assert_false(docker_config_add(config, "{}", (1 << 20) + 1, false, &err));
	assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S54_forms),
		cmocka_unit_test(S54_the_longest_path_counts),
		cmocka_unit_test(S54_names_of_docker_io_and_two_configs),
		cmocka_unit_test(S55_bad_configs_are_not_quoted),
		cmocka_unit_test(S55_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
