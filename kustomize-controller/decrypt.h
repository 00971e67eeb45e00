/*
 * spec.decryption (facts 5): the keys of one run, the files that are decrypted before the build,
 * and the built objects that are decrypted after it.
 */
#ifndef KUSTOMIZE_CONTROLLER_DECRYPT_H
#define KUSTOMIZE_CONTROLLER_DECRYPT_H

#include "internal.h"

typedef struct Decryptor Decryptor;

/* At the process's start: the client for Vault where $VAULT_CACERT names roots of trust. */
bool decrypt_start(Manager *manager, KustomizeContext *context, Error *err) MUST_USE;

/*
 * The keys that spec names: its Secret, else the flags'. `files` are the source's, borrowed. NULL
 * with err unset when spec has no decryption. Owned by the caller, wiped when it is freed.
 */
Decryptor *decryptor_new(Run *run, const Kustomization *ks, const KustomizeFiles *files,
			 Error *err) MUST_USE;
void decryptor_free(Decryptor *decryptor);
AUTO_POINTER(Decryptor, decryptor_free, auto_decryptor);
#define autodecryptor __attribute__((cleanup(auto_decryptor)))

/*
 * Decrypts what secret generators and patches read, from the root kustomization on through local
 * resources and components. The source itself is shared and stays as it is: decryptor_files has
 * them open.
 */
bool decrypt_sources(Decryptor *decryptor, const char *dir, const json_t *root,
		     Error *err) MUST_USE;

/* The source's files with the decrypted ones in their places. */
const KustomizeFiles *decryptor_files(const Decryptor *decryptor);

/* True when a file of the source was decrypted: what is parsed of it must not be shared. */
bool decryptor_has_opened(const Decryptor *decryptor);

/* Decrypts built objects in place: those with `sops` metadata, and values in Secrets' data. */
bool decrypt_objects(Decryptor *decryptor, KustomizeResult *result, Error *err) MUST_USE;

#endif
