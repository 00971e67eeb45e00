/* The revision store: order, optimistic locks, snapshots, history, compaction, reopening. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "store.h"

static const StoreKey key_a = {"configmaps", "default", "a"};
static const StoreKey key_b = {"configmaps", "default", "b"};
static const StoreKey key_c = {"configmaps", "other", "c"};

static json_t *object_of(const StoreKey *key, int value)
{
	return json_pack("{s:{s:s,s:s},s:i}", "metadata", "name", key->name, "namespace", key->ns,
			 "value", value);
}

static json_t *create(Store *store, const StoreKey *key, int value)
{
	autoerror Error err = {0};
	json_t *object = object_of(key, value);
	assert_true(store_create(store, key, object, &err));
	return object;
}

static json_t *update(Store *store, const StoreKey *key, json_t *live, int value)
{
	autoerror Error err = {0};
	json_t *object = object_of(key, value);
	assert_true(store_update(store, key, object, live, &err));
	return object;
}

static bool collect(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)text;
	(void)len;
	Buf *out = arg;
	buf_printf(out, "%s/%s ", ns, name);
	return true;
}

static void collect_change(void *arg, Change *take_change)
{
	static const char letters[] = "AMD";
	Buf *out = arg;
	buf_printf(out, "%c%s%s ", letters[take_change->type], take_change->name,
		   take_change->previous ? "<" : "");
	change_free(take_change);
}

static void A18_optimistic_locks(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	assert_non_null(store);
	autojson json_t *first = create(store, &key_a, 1);
	autojson json_t *again = object_of(&key_a, 2);
	assert_false(store_create(store, &key_a, again, &err));
	assert_int_equal(err.code, ERR_EXISTS);
	error_dispose(&err);
	autojson json_t *second = update(store, &key_a, first, 2);
	assert_true(object_rv(second) > object_rv(first));
	assert_false(store_update(store, &key_a, again, first, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	error_dispose(&err);
	autojson json_t *last = json_deep_copy(second);
	assert_true(store_delete(store, &key_a, last, second, &err));
	assert_false(store_update(store, &key_a, again, second, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	error_dispose(&err);
	assert_null(store_get(store, &key_a, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void A54_snapshots(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	autojson json_t *b = create(store, &key_b, 1);
	autojson json_t *c = create(store, &key_c, 1);
	uint64_t then = store_rv(store);
	autojson json_t *a = create(store, &key_a, 1);
	autojson json_t *gone = json_deep_copy(b);
	assert_true(store_delete(store, &key_b, gone, b, &err));
	autobuf Buf now = {0};
	autobuf Buf before = {0};
	autobuf Buf rest = {0};
	StoreQuery query = {.resource = "configmaps"};
	assert_true(store_list(store, &query, collect, &now, NULL, &err));
	assert_string_equal(buf_text(&now), "default/a other/c ");
	query.at = store_rv(store);
	autobuf Buf newest = {0};
	assert_true(store_list(store, &query, collect, &newest, NULL, &err));
	assert_string_equal(buf_text(&newest), buf_text(&now));
	query.at = then;
	assert_true(store_list(store, &query, collect, &before, NULL, &err));
	assert_string_equal(buf_text(&before), "default/b other/c ");
	query.after_ns = "default";
	query.after_name = "b";
	assert_true(store_list(store, &query, collect, &rest, NULL, &err));
	assert_string_equal(buf_text(&rest), "other/c ");
	uint64_t count = 0;
	assert_true(store_count(store, &query, &count, &err));
	assert_int_equal(count, 1);
}

static void A57_history_in_order(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	autojson json_t *a = create(store, &key_a, 1);
	uint64_t start = object_rv(a);
	autojson json_t *b = create(store, &key_b, 1);
	autojson json_t *a2 = update(store, &key_a, a, 2);
	autojson json_t *last = json_deep_copy(b);
	assert_true(store_delete(store, &key_b, last, b, &err));
	autojson json_t *c = create(store, &key_c, 1);
	autobuf Buf seen = {0};
	assert_true(store_history(store, "configmaps", "default", start, store_rv(store),
				  collect_change, &seen, &err));
	assert_string_equal(buf_text(&seen), "Ab Ma< Db< ");
}

static void A55_A59_compacted_is_gone(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	autojson json_t *a = create(store, &key_a, 1);
	uint64_t old = object_rv(a);
	autojson json_t *a2 = update(store, &key_a, a, 2);
	autojson json_t *a3 = update(store, &key_a, a2, 3);
	assert_true(store_compact(store, -1000, &err));
	autobuf Buf out = {0};
	StoreQuery query = {.resource = "configmaps", .at = old};
	assert_false(store_list(store, &query, collect, &out, NULL, &err));
	assert_int_equal(err.code, ERR_GONE);
	error_dispose(&err);
	assert_false(store_history(store, "configmaps", NULL, old, store_rv(store), collect_change,
				   &out, &err));
	assert_int_equal(err.code, ERR_GONE);
	error_dispose(&err);
	query.at = 0;
	assert_true(store_list(store, &query, collect, &out, NULL, &err));
	assert_string_equal(buf_text(&out), "default/a ");
	autojson json_t *live = store_get(store, &key_a, &err);
	assert_int_equal(json_int(live, "value", 0), 3);
}

static void A17_versions_rise_after_reopening(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	Store *store = store_open(dir, &err);
	autojson json_t *a = create(store, &key_a, 1);
	autojson json_t *last = json_deep_copy(a);
	assert_true(store_delete(store, &key_a, last, a, &err));
	uint64_t newest = store_rv(store);
	assert_true(store_compact(store, -1000, &err));
	store_close(store);
	store = store_open(dir, &err);
	assert_int_equal(store_rv(store), newest);
	autojson json_t *b = create(store, &key_b, 1);
	assert_true(object_rv(b) > newest);
	store_close(store);
}

enum { WRITERS = 6, WRITES = 50 };

typedef struct {
	Store *store;
	int number;
} Writer;

static void *write_many(void *arg)
{
	const Writer *writer = arg;
	for (int i = 0; i < WRITES; i++) {
		char name[32];
		snprintf(name, sizeof(name), "w%d-%d", writer->number, i);
		StoreKey key = {"configmaps", "default", name};
		autojson json_t *object = create(writer->store, &key, i);
		/* A lost race in between must not leave anybody waiting. */
		autoerror Error err = {0};
		autojson json_t *again = object_of(&key, i);
		assert_false(store_create(writer->store, &key, again, &err));
	}
	return NULL;
}

typedef struct {
	uint64_t last;
	int count;
	bool ordered;
} Order;

static void check_order(void *arg, Change *take_change)
{
	Order *order = arg;
	order->ordered = order->ordered && take_change->rv > order->last;
	order->last = take_change->rv;
	order->count++;
	change_free(take_change);
}

static void group_commit_publishes_in_order(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	Order order = {.ordered = true};
	store_on_change(store, check_order, &order);
	pthread_t threads[WRITERS];
	Writer writers[WRITERS];
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (Writer){store, i};
		pthread_create(&threads[i], NULL, write_many, &writers[i]);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_true(order.ordered);
	assert_int_equal(order.count, WRITERS * WRITES);
	assert_int_equal(store_rv(store), order.last);
}

static void opening_fails_with_a_name(void **state)
{
	(void)state;
	autoerror Error err = {0};
	assert_null(store_open("/tmp/no/such/folder", &err));
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err_text(&err), "/tmp/no/such/folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(A18_optimistic_locks),
		cmocka_unit_test(A54_snapshots),
		cmocka_unit_test(A57_history_in_order),
		cmocka_unit_test(A55_A59_compacted_is_gone),
		cmocka_unit_test(A17_versions_rise_after_reopening),
		cmocka_unit_test(group_commit_publishes_in_order),
		cmocka_unit_test(opening_fails_with_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
