/* The revision store: order, optimistic locks, snapshots, history, compaction, reopening. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "store_internal.h"

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
	assert_true(store_create(store, key, object, NULL, &err));
	return object;
}

static json_t *update(Store *store, const StoreKey *key, json_t *live, int value)
{
	autoerror Error err = {0};
	json_t *object = object_of(key, value);
	assert_true(store_update(store, key, object, live, NULL, &err));
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
	assert_false(store_create(store, &key_a, again, NULL, &err));
	assert_int_equal(err.code, ERR_EXISTS);
	error_dispose(&err);
	autojson json_t *second = update(store, &key_a, first, 2);
	assert_true(object_rv(second) > object_rv(first));
	assert_false(store_update(store, &key_a, again, first, NULL, &err));
	assert_int_equal(err.code, ERR_CONFLICT);
	error_dispose(&err);
	autojson json_t *last = json_deep_copy(second);
	assert_true(store_delete(store, &key_a, last, second, &err));
	assert_false(store_update(store, &key_a, again, second, NULL, &err));
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

static void check_keys(Store *store, uint64_t at)
{
	autoerror Error err = {0};
	autobuf Buf all = {0}, page = {0}, rest = {0};
	StoreQuery query = {.resource = "configmaps", .at = at};
	assert_true(store_list(store, &query, collect, &all, NULL, &err));
	assert_string_equal(buf_text(&all), "a-b-c/x a-b/x a/x a/y a0/x ");
	query.limit = 2;
	query.after_ns = "a-b";
	query.after_name = "x";
	assert_true(store_list(store, &query, collect, &page, NULL, &err));
	assert_string_equal(buf_text(&page), "a/x a/y ");
	query.after_ns = "a";
	query.after_name = "y";
	assert_true(store_list(store, &query, collect, &rest, NULL, &err));
	assert_string_equal(buf_text(&rest), "a0/x ");
}

/* The slash counts: "-" comes before it, all else that a name may have comes behind. */
static void A54_lists_are_in_the_order_of_keys(void **state)
{
	static const StoreKey keys[] = {{"configmaps", "a0", "x"},
					{"configmaps", "a", "y"},
					{"configmaps", "a-b", "x"},
					{"configmaps", "a-b-c", "x"},
					{"configmaps", "a", "x"}};
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	for (size_t i = 0; i < COUNT(keys); i++)
		json_decref(create(store, &keys[i], 1));
	uint64_t then = store_rv(store);
	check_keys(store, 0);
	check_keys(store, then);
	json_decref(create(store, &(StoreKey){"secrets", "a", "s"}, 1));
	StoreKey late = {"configmaps", "a", "x"};
	autojson json_t *live = store_get(store, &late, &err);
	json_decref(update(store, &late, live, 2));
	check_keys(store, then);
}

/* A database that was made before the order was that of keys. */
static void what_an_older_table_holds_is_taken_over(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	json_decref(create(store, &(StoreKey){"configmaps", "a", "x"}, 1));
	json_decref(create(store, &(StoreKey){"configmaps", "a-b", "x"}, 1));
	assert_int_equal(sqlite3_exec(store->writer,
				      "CREATE TABLE current(gr TEXT NOT NULL, ns TEXT NOT NULL,"
				      " name TEXT NOT NULL, id INTEGER NOT NULL,"
				      " PRIMARY KEY(gr, ns, name)) WITHOUT ROWID;"
				      "INSERT INTO current SELECT gr, ns, name, id FROM newest;"
				      "DELETE FROM newest;",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	store_close(steal(&store));
	store = store_open(dir, &err);
	autobuf Buf all = {0};
	StoreQuery query = {.resource = "configmaps"};
	assert_true(store_list(store, &query, collect, &all, NULL, &err));
	assert_string_equal(buf_text(&all), "a-b/x a/x ");
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

/* What the tests of compaction begin with: a store with a and b, and a changed once. */
typedef struct {
	char *dir;
	Store *store;
	json_t *a, *b, *a2;
} Compacted;

static Compacted compacted_new(void)
{
	autoerror Error err = {0};
	Compacted c = {.dir = dir_make_temp("/tmp", "store", &err)};
	c.store = store_open(c.dir, &err);
	assert_non_null(c.store);
	c.a = create(c.store, &key_a, 1);
	c.b = create(c.store, &key_b, 1);
	c.a2 = update(c.store, &key_a, c.a, 2);
	return c;
}

static void compacted_dispose(Compacted *c)
{
	json_decref(c->a);
	json_decref(c->b);
	json_decref(c->a2);
	store_close(c->store);
	dir_auto_remove(&c->dir);
}
#define autocompacted __attribute__((cleanup(compacted_dispose)))

static void delete_b(const Compacted *c)
{
	autoerror Error err = {0};
	autojson json_t *gone = json_deep_copy(c->b);
	assert_true(store_delete(c->store, &key_b, gone, c->b, &err));
}

static void A55_A59_compacted_is_gone(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autocompacted Compacted c = compacted_new();
	Store *store = c.store;
	uint64_t old = object_rv(c.b);
	autojson json_t *a3 = update(store, &key_a, c.a2, 3);
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
	assert_string_equal(buf_text(&out), "default/a default/b ");
	autojson json_t *live = store_get(store, &key_a, &err);
	assert_int_equal(json_int(live, "value", 0), 3);
}

static bool collect_text(void *arg, const char *ns, const char *name, const char *text, size_t len)
{
	(void)ns;
	buf_printf(arg, "%s=%.*s ", name, (int)len, text);
	return true;
}

/* What was superseded lately is shown by snapshots that are kept, however old it is itself. */
static void A54_snapshots_outlive_compaction(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autocompacted Compacted c = compacted_new();
	Store *store = c.store;
	assert_true(store_compact(store, -1000, &err));
	uint64_t then = store_rv(store);
	assert_int_equal(then, object_rv(c.a2));
	autojson json_t *a3 = update(store, &key_a, c.a2, 3);
	delete_b(&c);
	assert_true(store_compact(store, 60000, &err));
	autobuf Buf before = {0};
	StoreQuery query = {.resource = "configmaps", .at = then};
	assert_true(store_list(store, &query, collect_text, &before, NULL, &err));
	assert_non_null(strstr(buf_text(&before), "a={"));
	assert_non_null(strstr(buf_text(&before), "\"value\":2"));
	assert_non_null(strstr(buf_text(&before), "b={"));
	autobuf Buf seen = {0};
	assert_true(store_history(store, "configmaps", NULL, then, store_rv(store), collect_change,
				  &seen, &err));
	assert_string_equal(buf_text(&seen), "Ma< Db< ");
}

/* A moment that all writes of before are older than, and none of those after. */
static int64_t next_moment(void)
{
	int64_t before = clock_wall_ms();
	while (clock_wall_ms() <= before + 1)
		sched_yield();
	return before + 1;
}

static long long count_rows(Store *store, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(store->reader, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	long long count = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return count;
}

/* The floor in the middle: what was superseded below it goes, what is shown above it stays. */
static void A55_compaction_up_to_a_moment(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autocompacted Compacted c = compacted_new();
	Store *store = c.store;
	delete_b(&c);
	uint64_t floor = store_rv(store);
	int64_t moment = next_moment();
	autojson json_t *a3 = update(store, &key_a, c.a2, 3);
	assert_true(store_compact(store, clock_wall_ms() - moment, &err));
	/* a2 of the snapshot and a3. */
	assert_int_equal(count_rows(store, "SELECT count(*) FROM rev"), 2);
	autobuf Buf shown = {0};
	StoreQuery query = {.resource = "configmaps", .at = floor};
	assert_true(store_list(store, &query, collect_text, &shown, NULL, &err));
	assert_non_null(strstr(buf_text(&shown), "\"value\":2"));
	query.at = floor - 1;
	assert_false(store_list(store, &query, collect_text, &shown, NULL, &err));
	assert_int_equal(err.code, ERR_GONE);
}

/* The text is the object's with its version, also where a string of it looks like one. */
static void the_stored_text_is_the_answer(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	autojson json_t *object = json_pack("{s:{s:s},s:{s:s,s:s}}", "data", "resourceVersion", "",
					    "metadata", "resourceVersion", "17", "name", "a");
	autofree char *text = NULL;
	assert_true(store_create(store, &key_a, object, &text, &err));
	assert_string_equal(text, "{\"data\":{\"resourceVersion\":\"\"},\"metadata\":{"
				  "\"resourceVersion\":\"1\",\"name\":\"a\"}}");
	autofree char *dumped = json_dump(object);
	assert_string_equal(text, dumped);
	autojson json_t *live = store_get(store, &key_a, &err);
	assert_true(json_equal(live, object));
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
		assert_false(store_create(writer->store, &key, again, NULL, &err));
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

typedef struct {
	Store *store;
	int stop;
} Reading;

static void *read_much(void *arg)
{
	Reading *reading = arg;
	while (!__atomic_load_n(&reading->stop, __ATOMIC_SEQ_CST)) {
		autoerror Error err = {0};
		autojson json_t *live = store_get(reading->store, &key_a, &err);
		assert_true(live || err.code == ERR_NOT_FOUND);
	}
	return NULL;
}

/* Whoever reads meanwhile: what was acknowledged is what a read gives from then on. */
static void a_read_gives_what_was_written_before(void **state)
{
	(void)state;
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	Reading reading = {.store = store};
	pthread_t threads[2];
	for (size_t i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, read_much, &reading);
	for (int i = 0; i < 200; i++) {
		autojson json_t *first = create(store, &key_a, i);
		autojson json_t *live = store_get(store, &key_a, &err);
		assert_int_equal(object_rv(live), object_rv(first));
		autojson json_t *second = update(store, &key_a, first, i);
		autojson json_t *changed = store_get(store, &key_a, &err);
		assert_int_equal(object_rv(changed), object_rv(second));
		autojson json_t *last = json_deep_copy(second);
		assert_true(store_delete(store, &key_a, last, second, &err));
		autoerror Error gone = {0};
		assert_null(store_get(store, &key_a, &gone));
		assert_int_equal(gone.code, ERR_NOT_FOUND);
	}
	__atomic_store_n(&reading.stop, 1, __ATOMIC_SEQ_CST);
	for (size_t i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

/* More than is kept of them: all are there, whether kept or not. */
static void what_is_not_kept_is_read(void **state)
{
	(void)state;
	enum { OBJECTS = 300, SIZE = 40000 };
	autoerror Error err = {0};
	autotempdir char *dir = dir_make_temp("/tmp", "store", &err);
	autostore Store *store = store_open(dir, &err);
	autobuf Buf large = {0};
	while (large.len < SIZE)
		buf_putc(&large, 'x');
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < OBJECTS; i++) {
			char name[16];
			snprintf(name, sizeof(name), "n%d", i);
			StoreKey key = {"configmaps", "default", name};
			autojson json_t *object = json_pack("{s:s,s:i}", "text", large.ptr, "i", i);
			assert_true(round || store_create(store, &key, object, NULL, &err));
			autojson json_t *live = store_get(store, &key, &err);
			assert_int_equal(json_int(live, "i", -1), i);
			assert_int_equal(strlen(json_text_or(live, "text", "")), SIZE);
		}
	}
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
		cmocka_unit_test(A54_lists_are_in_the_order_of_keys),
		cmocka_unit_test(what_an_older_table_holds_is_taken_over),
		cmocka_unit_test(A57_history_in_order),
		cmocka_unit_test(A55_A59_compacted_is_gone),
		cmocka_unit_test(A54_snapshots_outlive_compaction),
		cmocka_unit_test(A55_compaction_up_to_a_moment),
		cmocka_unit_test(the_stored_text_is_the_answer),
		cmocka_unit_test(A17_versions_rise_after_reopening),
		cmocka_unit_test(group_commit_publishes_in_order),
		cmocka_unit_test(a_read_gives_what_was_written_before),
		cmocka_unit_test(what_is_not_kept_is_read),
		cmocka_unit_test(opening_fails_with_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
