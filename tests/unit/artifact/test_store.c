#include "../cmocka_all.h"
#include "../descriptors.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/tar.h"
#include "artifact/store_internal.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/path.h"
#include "store_fixture.h"

static char *temp_dir(void)
{
	autoerror Error err = {0};
	char *dir = dir_make_temp("/tmp", "sluice-store", &err);
	assert_non_null(dir);
	return dir;
}

static void put(const char *dir, const char *name, const char *text)
{
	autoerror Error err = {0};
	autofree char *path = path_join(dir, name);
	autofree char *above = path_dir(path);
	assert_true(dir_make(above, 0700, &err));
	assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static bool pack(Store *store, const char *tree, const char *file, Artifact *out, Error *err)
{
	autofd int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store_pack_dir(store, "GitRepository", "ns", "app", file, "main@sha1:1", fd, NULL,
			      out, err);
}

/* Names in root/dir, joined by blanks. Owned. */
static char *names_in(const char *root, const char *dir)
{
	autoerror Error err = {0};
	autofree char *path = path_join(root, dir);
	autofd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autostrings Vec names = {0};
	if (fd < 0)
		return mem_strdup("(none)");
	assert_true(dir_names(fd, 1000, &names, &err));
	Buf out = {0};
	for (size_t i = 0; i < names.len; i++)
		buf_printf(&out, "%s%s", i ? " " : "", (char *)names.items[i]);
	return buf_steal(&out);
}

/* Seconds before `now_s`: one moment for all files of a case, as a clock that moves on between two
 * of them would change their order. */
static void age(const char *root, const char *name, int64_t now_s, int64_t seconds)
{
	autofree char *path = mem_printf("%s/gitrepository/ns/app/%s", root, name);
	struct timespec then = {.tv_sec = now_s - seconds};
	const struct timespec times[2] = {then, then};
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void S2_the_file_lies_where_it_says(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autotempdir char *tree = temp_dir();
	put(tree, "a.yaml", "a: 1\n");
	autostore Store *store = open_store(root);
	autoartifact Artifact one = {0};
	autoartifact Artifact two = {0};
	assert_true(pack(store, tree, "1.tar.gz", &one, &err));
	assert_true(pack(store, tree, "2.tar.gz", &two, &err));
	assert_string_equal(one.path, "gitrepository/ns/app/1.tar.gz");
	assert_string_equal(one.url, "http://src.flux-system.svc/gitrepository/ns/app/1.tar.gz");
	assert_string_equal(one.revision, "main@sha1:1");
	assert_string_equal(one.digest, two.digest);
	autofree char *path = path_join(root, one.path);
	autobuf Buf bytes = {0};
	assert_true(file_read(path, 1 << 20, &bytes, &err));
	char want[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, bytes.ptr, bytes.len, want);
	assert_string_equal(one.digest, want);
	assert_int_equal(one.size, bytes.len);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	autofree char *dir = path_join(root, "gitrepository");
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(clock_wall_ms() - one.last_update_ms < 60000);
}

static void S10_each_algorithm_verifies(void **state)
{
	(void)state;
	static const struct {
		DigestAlgo algo;
		const char *prefix;
	} rows[] = {{DIGEST_SHA256, "sha256:"},
		    {DIGEST_SHA384, "sha384:"},
		    {DIGEST_SHA512, "sha512:"},
		    {DIGEST_BLAKE3, "blake3:"}};
	autotempdir char *root = temp_dir();
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		const StoreConfig config = {.root = root, .adv_addr = "x", .algo = rows[i].algo};
		autostore Store *store = store_new(&config, &err);
		autoartifact Artifact artifact = {0};
		bool missing;
		assert_true(pack(store, root, "f.tar.gz", &artifact, &err));
		assert_true(cstr_starts(artifact.digest, rows[i].prefix));
		assert_true(store_verify(store, &artifact, &missing));
		assert_false(missing);
	}
}

typedef struct {
	const char *name;
	int64_t age_s;
	bool current, stays;
} Aged;

static void sweep_case(const Aged *files, size_t count)
{
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	Artifact current = {0};
	autofree char *current_path = NULL;
	int64_t now_s = clock_wall_ms() / 1000;
	int gone = 0;
	for (size_t i = 0; i < count; i++) {
		autofree char *path = path_join("gitrepository/ns/app", files[i].name);
		autofree char *lock = mem_printf("%s.lock", path);
		put(root, path, "x");
		put(root, lock, "");
		age(root, files[i].name, now_s, files[i].age_s);
		gone += !files[i].stays;
		if (files[i].current)
			current.path = current_path = mem_strdup(path);
	}
	autofree char *link = path_join(root, "gitrepository/ns/app/latest.tar.gz");
	assert_int_equal(symlink("nowhere", link), 0);
	age(root, "latest.tar.gz", now_s, 1000);
	put(root, "gitrepository/ns/app/alone.lock", "");
	age(root, "alone.lock", now_s, 1000);
	const Artifact *known = current_path ? &current : NULL;
	assert_int_equal(store_sweep(store, "GitRepository", "ns", "app", known), gone);
	struct stat st;
	for (size_t i = 0; i < count; i++) {
		autofree char *path = mem_printf("%s/gitrepository/ns/app/%s", root, files[i].name);
		autofree char *lock = mem_printf("%s.lock", path);
		if ((stat(path, &st) == 0) != files[i].stays)
			fail_msg("%s", files[i].name);
		assert_int_equal(stat(lock, &st) == 0, files[i].stays);
	}
	assert_int_equal(lstat(link, &st), 0);
	autofree char *alone = path_join(root, "gitrepository/ns/app/alone.lock");
	assert_int_equal(stat(alone, &st), 0);
}

static void S11_old_files_go_and_two_remain(void **state)
{
	(void)state;
	static const Aged expired[] = {
		{"a", 100, false, false}, {"b", 61, false, false}, {"c", 500, true, true}};
	static const Aged surplus[] = {{"a", 5, false, true},
				       {"b", 10, false, false},
				       {"c", 20, false, false},
				       {"d", 30, true, true}};
	static const Aged mixed[] = {{"a", 90, false, false},
				     {"b", 3, false, true},
				     {"c", 4, false, false},
				     {"d", 1, true, true}};
	static const Aged few[] = {{"a", 5, false, true}, {"b", 1, true, true}};
	static const Aged none_current[] = {
		{"a", 5, false, true}, {"b", 2, false, true}, {"c", 8, false, false}};
	sweep_case(expired, COUNT(expired));
	sweep_case(surplus, COUNT(surplus));
	sweep_case(mixed, COUNT(mixed));
	sweep_case(few, COUNT(few));
	sweep_case(none_current, COUNT(none_current));
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	assert_int_equal(store_sweep(store, "GitRepository", "ns", "none", NULL), 0);
	assert_int_equal(store_sweep(store, "GitRepository", "..", "..", NULL), 0);
}

static void S12_S13_missing_and_damaged_are_told_apart(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	autoartifact Artifact artifact = {0};
	bool missing;
	assert_true(pack(store, root, "f.tar.gz", &artifact, &err));
	assert_true(store_verify(store, &artifact, &missing));
	put(root, artifact.path, "changed");
	assert_false(store_verify(store, &artifact, &missing));
	assert_false(missing);
	autofree char *path = path_join(root, artifact.path);
	store_drop(store, &artifact);
	assert_false(store_verify(store, &artifact, &missing));
	assert_true(missing);
	store_drop(store, &artifact);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_false(store_verify(store, &artifact, &missing));
	assert_true(missing);
	static const char *const paths[] = {"../../../etc/passwd", "/etc/passwd", "", "."};
	for (size_t i = 0; i < COUNT(paths); i++) {
		free(artifact.path);
		artifact.path = mem_strdup(paths[i]);
		assert_false(store_verify(store, &artifact, &missing));
		assert_true(missing);
		store_drop(store, &artifact);
	}
	static const char *const digests[] = {"", "md5:00", "sha256:zz",
					      "sha1:11f6ad8ec52a2984abaafd7c3b516503785c2072"};
	put(root, "f", "x");
	free(artifact.path);
	artifact.path = mem_strdup("/f");
	for (size_t i = 0; i < COUNT(digests); i++) {
		free(artifact.digest);
		artifact.digest = mem_strdup(digests[i]);
		assert_false(store_verify(store, &artifact, &missing));
		assert_false(missing);
	}
}

static void S15_the_url_follows_the_address(void **state)
{
	(void)state;
	static const struct {
		const char *addr, *url;
	} rows[] = {{"a:9090", "http://a:9090/k/f"},
		    {"http://b", "http://b/k/f"},
		    {"https://c:1", "https://c:1/k/f"},
		    {"[::1]:80", "http://[::1]:80/k/f"}};
	autotempdir char *root = temp_dir();
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		const StoreConfig config = {.root = root, .adv_addr = rows[i].addr};
		autostore Store *store = store_new(&config, &err);
		autofree char *url = store_url(store, "k/f");
		autofree char *rooted = store_url(store, "/k/f");
		assert_string_equal(url, rows[i].url);
		assert_string_equal(rooted, rows[i].url);
	}
}

static void S16_removal_takes_the_object_only(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	autoartifact Artifact artifact = {0};
	assert_true(pack(store, root, "f.tar.gz", &artifact, &err));
	put(root, "gitrepository/ns/other/f", "x");
	assert_true(store_remove(store, "GitRepository", "ns", "app", &err));
	assert_true(store_remove(store, "GitRepository", "ns", "app", &err));
	autofree char *left = names_in(root, "gitrepository/ns");
	assert_string_equal(left, "other");
	static const char *const bad[] = {"", ".", "..", "a/b", "../x"};
	for (size_t i = 0; i < COUNT(bad); i++) {
		autoerror Error bad_err = {0};
		assert_false(store_remove(store, "GitRepository", "ns", bad[i], &bad_err));
		assert_int_equal(bad_err.code, ERR_INVALID);
	}
}

static void S17_the_link_follows(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	autoartifact Artifact one = {0};
	autoartifact Artifact two = {0};
	assert_true(pack(store, root, "1.tar.gz", &one, &err));
	assert_true(store_link(store, &one, "latest.tar.gz", &err));
	assert_true(pack(store, root, "2.tar.gz", &two, &err));
	assert_true(store_link(store, &two, "latest.tar.gz", &err));
	autofree char *link = path_join(root, "gitrepository/ns/app/latest.tar.gz");
	autofree char *want = path_join(root, two.path);
	char target[4096] = {0};
	assert_true(readlink(link, target, sizeof(target) - 1) > 0);
	assert_string_equal(target, want);
	assert_false(store_link(store, &two, "../x", &err));
	put(root, "gitrepository/ns/app/dir/x", "in the way");
	autoerror Error second = {0};
	assert_false(store_link(store, &two, "dir", &second));
	autofree char *names = names_in(root, "gitrepository/ns/app");
	assert_non_null(strstr(names, "2.tar.gz.lock dir latest.tar.gz"));
	assert_null(strstr(names, STORE_TEMP_PREFIX));
}

static void S18_a_missing_root_is_an_error(void **state)
{
	(void)state;
	autotempdir char *root = temp_dir();
	autofree char *absent = path_join(root, "absent");
	autofree char *file = path_join(root, "file");
	put(root, "file", "x");
	const char *const rows[] = {absent, file};
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		const StoreConfig config = {.root = rows[i]};
		assert_null(store_new(&config, &err));
		assert_non_null(strstr(err_text(&err), rows[i]));
	}
}

static bool pack_noise(void *arg, struct TarWriter *tar, Error *err)
{
	const size_t *len = arg;
	autofree char *noise = mem_alloc(*len);
	uint64_t seed = 5;
	for (size_t i = 0; i < *len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		noise[i] = (char)(seed >> 56);
	}
	return tar_writer_file(tar, "noise", false, noise, *len, err);
}

/* The old file is whole, the error has its reason, no part is left. */
static void check_failed_pack(Store *store, const char *root, size_t len)
{
	autoerror Error err = {0};
	autoerror Error full = {0};
	autoartifact Artifact old = {0};
	Artifact fresh = {0};
	bool missing;
	assert_true(pack(store, root, "old.tar.gz", &old, &err));
	bool ok = store_pack(store, "GitRepository", "ns", "app", "new.tar.gz", "r", pack_noise,
			     &len, &fresh, &full);
	assert_false(ok);
	assert_string_equal(full.reason, "ArchiveOperationFailed");
	assert_int_equal(full.code, ERR_IO);
	assert_null(fresh.path);
	assert_true(store_verify(store, &old, &missing));
	autofree char *names = names_in(root, "gitrepository/ns/app");
	assert_string_equal(names, "new.tar.gz.lock old.tar.gz old.tar.gz.lock");
}

/* False when a tmpfs cannot be mounted here. The mount is in a namespace of our own. */
static bool fill_a_disk(void)
{
	autotempdir char *root = temp_dir();
	bool mounted = unshare(CLONE_NEWNS) == 0 &&
		       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		       mount("tmpfs", root, "tmpfs", 0, "size=256k") == 0;
	if (!mounted)
		return false;
	Store *store = open_store(root);
	check_failed_pack(store, root, 1 << 20);
	store_free(store);
	assert_int_equal(umount(root), 0);
	return true;
}

static void S19_S102_a_full_disk_keeps_the_old_artifact(void **state)
{
	(void)state;
	if (!fill_a_disk()) {
		print_message("SKIPPED: S19 needs the right to mount a tmpfs; a full disk was "
			      "NOT tested\n");
		skip();
	}
}

static void S19_S102_a_failed_write_keeps_the_old_artifact(void **state)
{
	(void)state;
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	struct rlimit old;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	const struct rlimit small = {.rlim_cur = 100000, .rlim_max = old.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	check_failed_pack(store, root, 1 << 20);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

static bool refuse(void *arg, struct TarWriter *tar, Error *err)
{
	(void)arg;
	return tar_writer_file(tar, "a", false, "a", 1, err) &&
	       err_set(err, ERR_TIMEOUT, "too slow");
}

static void S102_nothing_is_left_when_the_feeder_fails(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	Artifact out = {0};
	assert_false(store_pack(store, "K", "ns", "n", "f", "r", refuse, NULL, &out, &err));
	assert_int_equal(err.code, ERR_TIMEOUT);
	assert_null(out.path);
	autofree char *names = names_in(root, "k/ns/n");
	assert_string_equal(names, "f.lock");
}

/* A crash in the middle: the child dies inside the callback. */
static bool die(void *arg, struct TarWriter *tar, Error *err)
{
	size_t len = 300000;
	(void)arg;
	if (pack_noise(&len, tar, err))
		raise(SIGKILL);
	return false;
}

static void S19_a_crash_leaves_no_partial_file(void **state)
{
	(void)state;
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		Error err = {0};
		Artifact out = {0};
		_exit(store_pack(store, "K", "ns", "n", "f", "r", die, NULL, &out, &err));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	autofree char *names = names_in(root, "k/ns/n");
	assert_string_equal(names, "f.lock");
	/* And its lock went with it. */
	autoerror Error err = {0};
	autoartifact Artifact out = {0};
	size_t len = 10;
	assert_true(store_pack(store, "K", "ns", "n", "f", "r", pack_noise, &len, &out, &err));
}

static void directories_that_cannot_be_made_have_their_reason(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	put(root, "gitrepository", "a file in the way");
	Artifact out = {0};
	assert_false(pack(store, root, "f", &out, &err));
	assert_string_equal(err.reason, "DirectoryCreationFailed");
}

static void impossible_names_are_refused(void **state)
{
	(void)state;
	static const char *const rows[][4] = {
		{"", "ns", "n", "f"},	  {"K", "..", "n", "f"},      {"K", "ns", "a/b", "f"},
		{"K", "ns", "n", "../f"}, {"K", "ns", "n", "."},      {"K", "ns", "n", ""},
		{"K/", "ns", "n", "f"},	  {"K", "ns", "n", "f.lock"},
	};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	size_t len = 1;
	autofree char *longest = mem_printf("%0255d", 1), *longer = mem_printf("%0256d", 1);
	assert_true(store_is_file_name(longest));
	assert_false(store_is_file_name(longer));
	for (size_t i = 0; i < COUNT(rows); i++) {
		autoerror Error err = {0};
		Artifact out = {0};
		assert_false(store_pack(store, rows[i][0], rows[i][1], rows[i][2], rows[i][3], "r",
					pack_noise, &len, &out, &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	autofree char *names = names_in(root, "");
	assert_string_equal(names, "");
}

static void put_file_rewinds_and_copies(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	autofree char *path = path_join(root, "in");
	put(root, "in", "index content");
	autofd int fd = fd_open(path, O_RDONLY, 0, &err);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	autoartifact Artifact out = {0};
	/* Twice: over an old file too. */
	assert_true(
		store_put_file(store, "HelmRepository", "ns", "n", "i.yaml", "r", fd, &out, &err));
	artifact_dispose(&out);
	assert_true(
		store_put_file(store, "HelmRepository", "ns", "n", "i.yaml", "r", fd, &out, &err));
	assert_int_equal(out.size, 13);
	char want[DIGEST_TEXT_SIZE];
	digest_of(DIGEST_SHA256, "index content", 13, want);
	assert_string_equal(out.digest, want);
	autofree char *names = names_in(root, "helmrepository/ns/n");
	assert_string_equal(names, "i.yaml i.yaml.lock");
}

enum { PACKERS = 8, ROUNDS = 10 };

typedef struct {
	Store *store;
	int id;
	int inside_max;
	int *inside;
} Packer;

static bool pack_alone(void *arg, struct TarWriter *tar, Error *err)
{
	Packer *p = arg;
	int now = __atomic_add_fetch(p->inside, 1, __ATOMIC_SEQ_CST);
	if (now > p->inside_max)
		p->inside_max = now;
	size_t len = 20000 + (size_t)p->id;
	bool ok = pack_noise(&len, tar, err);
	__atomic_sub_fetch(p->inside, 1, __ATOMIC_SEQ_CST);
	return ok;
}

static void *run_packer(void *arg)
{
	Packer *p = arg;
	intptr_t failures = 0;
	for (int i = 0; i < ROUNDS; i++) {
		autoerror Error err = {0};
		autoartifact Artifact out = {0};
		failures += !store_pack(p->store, "K", "ns", "n", "same", "r", pack_alone, p, &out,
					&err);
	}
	return (void *)failures;
}

static void concurrent_packs_of_one_file_take_turns(void **state)
{
	(void)state;
	autotempdir char *root = temp_dir();
	autostore Store *store = open_store(root);
	int inside = 0;
	Packer packers[PACKERS];
	pthread_t threads[PACKERS];
	for (int i = 0; i < PACKERS; i++) {
		packers[i] = (Packer){.store = store, .id = i, .inside = &inside};
		assert_int_equal(pthread_create(&threads[i], NULL, run_packer, &packers[i]), 0);
	}
	for (int i = 0; i < PACKERS; i++) {
		void *failures;
		pthread_join(threads[i], &failures);
		assert_null(failures);
		assert_int_equal(packers[i].inside_max, 1);
	}
	autofree char *names = names_in(root, "k/ns/n");
	assert_string_equal(names, "same same.lock");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(S2_the_file_lies_where_it_says),
		cmocka_unit_test(S10_each_algorithm_verifies),
		cmocka_unit_test(S11_old_files_go_and_two_remain),
		cmocka_unit_test(S12_S13_missing_and_damaged_are_told_apart),
		cmocka_unit_test(S15_the_url_follows_the_address),
		cmocka_unit_test(S16_removal_takes_the_object_only),
		cmocka_unit_test(S17_the_link_follows),
		cmocka_unit_test(S18_a_missing_root_is_an_error),
		cmocka_unit_test(S19_S102_a_full_disk_keeps_the_old_artifact),
		cmocka_unit_test(S19_S102_a_failed_write_keeps_the_old_artifact),
		cmocka_unit_test(S102_nothing_is_left_when_the_feeder_fails),
		cmocka_unit_test(S19_a_crash_leaves_no_partial_file),
		cmocka_unit_test(directories_that_cannot_be_made_have_their_reason),
		cmocka_unit_test(impossible_names_are_refused),
		cmocka_unit_test(put_file_rewinds_and_copies),
		cmocka_unit_test(concurrent_packs_of_one_file_take_turns),
		cmocka_unit_test(no_descriptor_is_left),
	};
	return cmocka_run_group_tests(tests, descriptors_count, NULL);
}
