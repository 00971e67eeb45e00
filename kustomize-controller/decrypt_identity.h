/*
 * Who a Kustomization's decryption is at the clouds and at Vault: entries of its Secret, else the
 * workload identity of spec.decryption.serviceAccountName, else the controller's own (facts 5).
 */
#ifndef KUSTOMIZE_CONTROLLER_DECRYPT_IDENTITY_H
#define KUSTOMIZE_CONTROLLER_DECRYPT_IDENTITY_H

#include "internal.h"
#include "sops/cloud_keys.h"

typedef struct DecryptIdentity DecryptIdentity;

DecryptIdentity *decrypt_identity_new(Run *run, const Kustomization *ks);
void decrypt_identity_free(DecryptIdentity *identity);

/* Entries of the Secret. ERR_INVALID says what they lack, and no part of them. */
bool decrypt_identity_aws(DecryptIdentity *identity, Str yaml, Error *err) MUST_USE;
bool decrypt_identity_azure(DecryptIdentity *identity, Str yaml, Error *err) MUST_USE;
bool decrypt_identity_gcp(DecryptIdentity *identity, Str json, Error *err) MUST_USE;

/* What the cloud's key services need; borrowed. */
const CloudKeys *decrypt_identity_keys(const DecryptIdentity *identity);

/* A Vault token for the server at `address`, by the account's login at the path that
 * --sops-vault-configmap has for it. Owned, a secret; NULL with err unset where that flag is not
 * set. */
char *decrypt_identity_vault(DecryptIdentity *identity, const char *address, Error *err) MUST_USE;

#endif
