/* What stands under `sops` in a file. */
#ifndef SOPS_METADATA_H
#define SOPS_METADATA_H

#include "data/json.h"
#include "data/regex.h"

enum { DATA_KEY_SIZE = 32 };

/* Which leaves are sealed: one rule at most per file. */
typedef enum {
	RULE_UNENCRYPTED_SUFFIX,
	RULE_ENCRYPTED_SUFFIX,
	RULE_UNENCRYPTED_REGEX,
	RULE_ENCRYPTED_REGEX,
	RULE_UNENCRYPTED_COMMENT_REGEX,
	RULE_ENCRYPTED_COMMENT_REGEX,
} RuleKind;

typedef struct {
	json_t *raw; /* owned */
	RuleKind rule;
	const char *suffix; /* borrowed from raw; of the suffix rules */
	Regex *regex;	    /* owned; of the others */
	bool mac_only_encrypted;
	const char *mac;     /* borrowed from raw; "" when absent */
	char *last_modified; /* as Go formats it again, the MAC's additional data; owned */
	int64_t threshold;   /* of Shamir's parts */
} Metadata;

/* Takes the tree under `sops`. ERR_INVALID. */
bool sops_metadata_read(json_t *take_raw, Metadata *out, Error *err) MUST_USE;
void metadata_dispose(Metadata *metadata);
#define autometadata __attribute__((cleanup(metadata_dispose)))

/* Nested metadata from flat names: `a__map_b`, `a__list_0` (dotenv, INI). Owned. */
json_t *metadata_unflatten(const json_t *flat, Error *err) MUST_USE;

#endif
