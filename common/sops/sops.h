/*
 * Files encrypted by SOPS, decrypted (facts kustomize-controller.md 5): YAML, JSON, dotenv, INI and
 * binary, trees of values sealed with AES-256-GCM under one data key, which key services unseal.
 * Nothing here encrypts. All input is hostile; errors never hold a value, a key or a token.
 */
#ifndef SOPS_SOPS_H
#define SOPS_SOPS_H

#include "base/map.h"
#include "base/str.h"
#include "data/json.h"

typedef enum { SOPS_BINARY, SOPS_JSON, SOPS_YAML, SOPS_DOTENV, SOPS_INI } SopsFormat;

enum { SOPS_MAX_BYTES = 5 << 20 }; /* of one encrypted file (K45) */

/* By the name's ending: .yaml .yml .json .env .ini, `.dockerconfigjson` is JSON, else binary. */
SopsFormat sops_format_of_path(const char *path);

/* True when the text holds what only a file of that format encrypted by SOPS holds. */
bool sops_has_marker(Str text, SopsFormat format);

/* The format whose marker the text holds; false when there is none. */
bool sops_detect(Str text, SopsFormat *out);

/*
 * One way to get a data key back: a row for each list of master keys in a file's metadata. decrypt
 * unseals `key`, an object as the metadata spells it (without its lists), and appends the data key,
 * or a Shamir part of it, to out. The text of err names no secret. Called from one thread at a
 * time.
 */
typedef struct {
	const char *type; /* "age", "pgp", "hc_vault", "kms", "gcp_kms", "azure_kv", "hckms" */
	bool (*decrypt)(void *arg, const json_t *key, Buf *out, Error *err);
	void *arg;
} SopsKeyService;

typedef struct {
	const SopsKeyService *services;
	size_t service_count;
	Map *known;	  /* data keys by what they are sealed as, or NULL: sops_known_new */
	int64_t until_ms; /* clock_mono_ms() after which the work is given up; 0: never.
			     A file may name hundreds of keys at services that do not answer */
	bool ignore_mac; /* as upstream's controller: what is not encrypted may have been changed */
} SopsOptions;

/* A memory of data keys, so that files under one key ask its service once. Freed with map_free,
 * which wipes it. One thread at a time. */
Map *sops_known_new(void);

/*
 * Decrypts a file and writes it without metadata, in a format that may be another than its own.
 * Appends to out. Errors: ERR_INVALID for what is no SOPS file, a value that does not
 * authenticate or a MAC that does not match; ERR_UNAUTHORIZED when no key service has the data key;
 * ERR_LIMIT over SOPS_MAX_BYTES.
 */
bool sops_decrypt(Str text, SopsFormat in, SopsFormat out_format, const SopsOptions *options,
		  Buf *out, Error *err) MUST_USE;

/*
 * As sops_decrypt, for a tree with a "sops" member. A MAC that does not match is told by
 * *out_mac_matches, since an object that was built from a file differs from it. A tree has no
 * comments: where the metadata goes by them, what looks sealed is opened. Owned.
 */
json_t *sops_decrypt_tree(const json_t *tree, const SopsOptions *options, bool *out_mac_matches,
			  Error *err) MUST_USE;

/* Checks the MAC of a file, decrypting it for that. Of files put together in one, those documents
 * count that have this text as their MAC. */
bool sops_verify(Str text, SopsFormat format, const char *mac, const SopsOptions *options,
		 Error *err) MUST_USE;

/* Frees a buffer that held something secret, wiping it; an empty one afterwards. */
void sops_buf_wipe(Buf *buf);
#define autosecretbuf __attribute__((cleanup(sops_buf_wipe)))

#endif
