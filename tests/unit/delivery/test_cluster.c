/* K94: who shares a cluster's connection, and when it is closed. Nothing is sent anywhere. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/rand.h"
#include "delivery/cluster.h"
#include "../net/pki.h"

enum { LIMIT = 5 };

typedef struct {
	Loop *loop;
	Clusters *clusters;
	Identity ca; /* the machine's own are many, and parsed for each client */
} Fixture;

static void ignore_drift(void *arg, const char *ns, const char *name, int64_t after_ms)
{
	(void)arg;
	(void)ns;
	(void)name;
	(void)after_ms;
}

static int setup(void **state)
{
	static const char *const overridden[] = {"kubectl", NULL};
	autoerror Error err = {0};
	Fixture *fixture = mem_zalloc(1, sizeof(*fixture));
	fixture->loop = loop_new(&err);
	fixture->clusters = clusters_new(fixture->loop,
					 &(DriftConfig){.field_manager = "manager",
							.overridden = overridden,
							.fn = ignore_drift},
					 LIMIT);
	fixture->ca = pki_make(NULL, (const char *const[]){"CN", "ca", NULL}, NULL);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	Fixture *fixture = *state;
	clusters_free(fixture->clusters);
	loop_free(fixture->loop);
	pki_dispose(&fixture->ca);
	free(fixture);
	return 0;
}

static Cluster *get(Fixture *fixture, const char *key, const char *user)
{
	static char server[] = "https://127.0.0.1:1";
	autoerror Error err = {0};
	Cluster *cluster = cluster_get(
		fixture->clusters, key,
		&(KubeConfig){.server = server, .ca_pem = fixture->ca.cert_pem}, user, &err);
	if (!cluster)
		fail_msg("%s", err_text(&err));
	return cluster;
}

static void use(Fixture *fixture, const char *key, const char *user)
{
	cluster_put(get(fixture, key, user));
}

static void K94_the_same_way_is_shared_and_closed_by_the_last(void **state)
{
	Fixture *fixture = *state;
	Cluster *first = get(fixture, "a", "ns/one"), *second = get(fixture, "a", "ns/two");
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(get(fixture, "b", "ns/three"), first);
	assert_int_equal(clusters_count(fixture->clusters), 2);
	cluster_put(first);
	cluster_put(second);
	/* Idle, but in use. */
	assert_int_equal(clusters_count(fixture->clusters), 2);
	clusters_leave(fixture->clusters, "ns/one");
	clusters_leave(fixture->clusters, "ns/one");
	clusters_leave(fixture->clusters, "ns/nobody");
	assert_int_equal(clusters_count(fixture->clusters), 2);
	clusters_leave(fixture->clusters, "ns/two");
	assert_int_equal(clusters_count(fixture->clusters), 1);
}

static void K94_a_user_has_one_cluster(void **state)
{
	Fixture *fixture = *state;
	use(fixture, "a", "ns/one");
	use(fixture, "b", "ns/one");
	assert_int_equal(clusters_count(fixture->clusters), 1);
	/* One that is held stays until it is given back. */
	Cluster *held = get(fixture, "c", "ns/one");
	clusters_leave(fixture->clusters, "ns/one");
	assert_int_equal(clusters_count(fixture->clusters), 1);
	assert_string_equal(kube_server(cluster_client(held)), "https://127.0.0.1:1");
	cluster_put(held);
	assert_int_equal(clusters_count(fixture->clusters), 0);
}

static void K94_the_number_is_bounded(void **state)
{
	enum { MANY = 20 };
	Fixture *fixture = *state;
	Cluster *held = get(fixture, "held", "ns/held");
	for (int i = 0; i < MANY; i++) {
		char key[32], user[32];
		snprintf(key, sizeof(key), "k%d", i);
		snprintf(user, sizeof(user), "ns/u%d", i);
		use(fixture, key, user);
	}
	assert_int_equal(clusters_count(fixture->clusters), LIMIT);
	assert_ptr_equal(get(fixture, "held", "ns/other"), held);
	cluster_put(held);
	cluster_put(held);
	/* Who was closed comes back as new. */
	use(fixture, "k0", "ns/u0");
	assert_int_equal(clusters_count(fixture->clusters), LIMIT);
}

static void K94_tokens_are_due_before_they_end(void **state)
{
	autoerror Error err = {0};
	Fixture *fixture = *state;
	Cluster *cluster = get(fixture, "a", "ns/one");
	assert_true(cluster_token_due(cluster));
	assert_false(cluster_set_token(cluster, "a\nb", INT64_MAX, &err));
	assert_true(cluster_token_due(cluster));
	error_dispose(&err);
	assert_true(cluster_set_token(cluster, "token", INT64_MAX, &err));
	assert_false(cluster_token_due(cluster));
	assert_true(cluster_set_token(cluster, "token", 1000, &err));
	assert_true(cluster_token_due(cluster));
	cluster_put(cluster);
}

static void *churn(void *arg)
{
	Fixture *fixture = arg;
	for (int i = 0; i < 100; i++) {
		char key[32], user[32];
		snprintf(key, sizeof(key), "k%d", (int)rand_below(3));
		snprintf(user, sizeof(user), "ns/u%d", (int)rand_below(4));
		use(fixture, key, user);
		if (rand_below(2))
			clusters_leave(fixture->clusters, user);
	}
	return NULL;
}

static void K94_threads_do_not_get_in_each_others_way(void **state)
{
	Fixture *fixture = *state;
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, churn, fixture), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 4; i++) {
		char user[32];
		snprintf(user, sizeof(user), "ns/u%d", i);
		clusters_leave(fixture->clusters, user);
	}
	assert_int_equal(clusters_count(fixture->clusters), 0);
}

#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(K94_the_same_way_is_shared_and_closed_by_the_last),
		ROW(K94_a_user_has_one_cluster),
		ROW(K94_the_number_is_bounded),
		ROW(K94_tokens_are_due_before_they_end),
		ROW(K94_threads_do_not_get_in_each_others_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
