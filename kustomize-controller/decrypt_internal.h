/* What decrypt.c, decrypt_files.c and decrypt_objects.c share. */
#ifndef KUSTOMIZE_CONTROLLER_DECRYPT_INTERNAL_H
#define KUSTOMIZE_CONTROLLER_DECRYPT_INTERNAL_H

#include "decrypt.h"
#include "decrypt_identity.h"
#include "sops/age.h"
#include "sops/pgp.h"
#include "sops/vault.h"

enum { MAX_SERVICES = 8 };

struct Decryptor {
	const KustomizeFiles *source; /* borrowed */
	KustomizeFiles files;	      /* source, with `opened` in front */
	Map *opened;		      /* decryptor_key -> Buf *, wiped when freed */
	Map *verified;		      /* "PATH MAC" of files whose MAC was found right */
	AgeIdentities *age;
	PgpKeyring *pgp;
	char *vault_token; /* owned, or NULL */
	DecryptIdentity *identity;
	VaultKeys vault;
	SopsKeyService services[MAX_SERVICES];
	SopsOptions options;
};

/* The same for all paths that lead to a file: links are followed. Owned. */
char *decryptor_key(const Decryptor *self, const char *path);

#endif
