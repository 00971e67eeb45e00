/* A store for tests: 2 records, a minute. Failures end the test. */
#ifndef TESTS_ARTIFACT_STORE_FIXTURE_H
#define TESTS_ARTIFACT_STORE_FIXTURE_H

#include "../cmocka_all.h"

#include "artifact/store.h"

/* The root must be there. Owned. */
static inline Store *open_store(const char *root)
{
	autoerror Error err = {0};
	const StoreConfig config = {.root = root,
				    .adv_addr = "src.flux-system.svc",
				    .algo = DIGEST_SHA256,
				    .ttl_ms = 60000,
				    .records = 2};
	Store *store = store_new(&config, &err);
	assert_non_null(store);
	return store;
}

#endif
