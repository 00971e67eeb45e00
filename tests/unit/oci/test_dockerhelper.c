/* Docker's credential helpers: which one, what it answers, and how it may not be. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "base/workdir.h"
#include "oci/dockerhelper.h"

static void expect_name(const char *text, const char *host, const char *want)
{
	autofree char *name = NULL;
	autoerror Error err = {0};
	if (!docker_helper_find(text, strlen(text), host, &name, &err))
		fail_msg("%s: %s", text, err_text(&err));
	if (!cstr_eq(name, want))
		fail_msg("%s: %s", text, name ? name : "none");
}

static void the_program_of_a_host_or_of_all(void **state)
{
	static const char both[] = "{\"credHelpers\": {\"a.test:5000\": \"one\", \"empty.test\": "
				   "\"\", \"https://index.docker.io/v1/\": \"hub\"}, "
				   "\"credsStore\": \"all\"}";
	(void)state;
	expect_name(both, "a.test:5000", "docker-credential-one");
	expect_name(both, "a.test", "docker-credential-all");
	expect_name(both, "empty.test", "docker-credential-all");
	expect_name(both, "docker.io", "docker-credential-hub");
	expect_name(both, "registry-1.docker.io", "docker-credential-hub");
	expect_name("{\"auths\": {}}", "a.test", NULL);
	expect_name("{\"credHelpers\": [1], \"credsStore\": \"\"}", "a.test", NULL);
}

static void names_that_are_no_names(void **state)
{
	static const char *const bad[] = {"../evil", "a b", "a;b", "/bin/sh", "a\\nb"};
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		autofree char *text = mem_printf("{\"credsStore\": \"%s\"}", bad[i]), *name = NULL;
		autoerror Error err = {0};
		assert_false(docker_helper_find(text, strlen(text), "a.test", &name, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	autofree char *name = NULL;
	autoerror Error err = {0};
	assert_false(docker_helper_find("[]", 2, "a.test", &name, &err));
	assert_string_equal(err_text(&err), "docker config is no valid JSON object");
}

/* A directory of helpers that is all of PATH but for the shell's. */
static void with_helper(const char *body, const char *host, RegistryAuth *out, Error *err)
{
	autoerror Error own = {0};
	WorkDir *dir = workdir_new("helper", &own);
	assert_non_null(dir);
	autofree char *file = path_join(workdir_path(dir), "docker-credential-x");
	autofree char *text = mem_printf("#!/bin/sh\n%s\n", body);
	assert_true(file_write_atomic(file, text, strlen(text), 0700, &own));
	autofree char *old = mem_strdup(getenv("PATH"));
	autofree char *path = mem_printf("%s:/usr/bin:/bin", workdir_path(dir));
	setenv("PATH", path, 1);
	(void)!docker_helper_get("docker-credential-x", host, 2000, out, err);
	setenv("PATH", old, 1);
	workdir_free(dir);
}

static void answers(void **state)
{
	autoregistryauth RegistryAuth auth = {0}, token = {0}, none = {0}, empty = {0};
	autoerror Error err = {0};
	(void)state;
	/* The program is told the registry on its standard input, and what to do. */
	with_helper("[ \"$1\" = get ] && read host; printf '{\"ServerURL\": \"\", \"Username\": "
		    "\"u\", \"Secret\": \"p of %s\"}' \"$host\"",
		    "a.test:5000", &auth, &err);
	assert_string_equal(err_text(&err), "");
	assert_string_equal(auth.username, "u");
	assert_string_equal(auth.password, "p of a.test:5000");
	with_helper("echo '{\"Username\": \"<token>\", \"Secret\": \"t\"}'", "a.test", &token,
		    &err);
	assert_string_equal(token.identity_token, "t");
	assert_null(token.username);
	with_helper("echo 'credentials not found in native keychain'; exit 1", "a.test", &none,
		    &err);
	with_helper("echo '{\"Username\": \"\", \"Secret\": \"\"}'", "a.test", &empty, &err);
	assert_string_equal(err_text(&err), "");
	assert_true(registry_auth_is_empty(&none) && registry_auth_is_empty(&empty));
}

static void programs_that_fail(void **state)
{
	static const struct {
		const char *body;
		ErrorCode code;
		const char *text;
	} rows[] = {
		{"echo '{\"Secret\": \"hush-hush\"}'; echo locked >&2; exit 3", ERR_UNAVAILABLE,
		 "docker-credential-x get ended with code 3: locked"},
		{"echo hush-hush", ERR_INVALID, "docker-credential-x get gave no credentials"},
		{"echo '{\"Username\": \"hush-hush\"}'", ERR_INVALID, "gave no credentials"},
		{"echo '[\"hush-hush\"]'", ERR_INVALID, "gave no credentials"},
		{"exec sleep 1000", ERR_TIMEOUT, "credential helper docker-credential-x"},
		{"exec head -c 70000 /dev/zero", ERR_LIMIT,
		 "credential helper docker-credential-x"},
		{"kill -9 $$", ERR_UNAVAILABLE, "ended with code 137"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoregistryauth RegistryAuth auth = {0};
		autoerror Error err = {0};
		with_helper(rows[i].body, "a.test", &auth, &err);
		if (err.code != rows[i].code || !strstr(err_text(&err), rows[i].text) ||
		    strstr(err_text(&err), "hush"))
			fail_msg("%s: %d %s", rows[i].body, (int)err.code, err_text(&err));
		assert_true(registry_auth_is_empty(&auth));
	}
}

static void a_program_that_is_not_there(void **state)
{
	autoregistryauth RegistryAuth auth = {0};
	autoerror Error err = {0};
	(void)state;
	assert_false(docker_helper_get("docker-credential-none-such", "a.test", 1000, &auth, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(strstr(err_text(&err), "docker-credential-none-such"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_program_of_a_host_or_of_all),
		cmocka_unit_test(names_that_are_no_names),
		cmocka_unit_test(answers),
		cmocka_unit_test(programs_that_fail),
		cmocka_unit_test(a_program_that_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
