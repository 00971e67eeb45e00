/* HashiCorp Vault's and OpenBao's transit engine: a data key by POST ENGINE/decrypt/NAME. */
#ifndef SOPS_VAULT_H
#define SOPS_VAULT_H

#include "net/httpc.h"
#include "sops/sops.h"

typedef struct {
	HttpClient *http;
	/* A token for the server at `address`, owned by the caller, who wipes it; NULL with err. */
	char *(*token)(void *arg, const char *address, Error *err);
	void *arg;
	/* Addresses that may be asked, with commas between, or "all", "none"; NULL: all. A file
	 * says where its key is, and whoever is asked sees the token. */
	const char *allowed;
	const char *ns; /* Vault's namespace, or NULL */
} VaultKeys;

/* The row for metadata's "hc_vault" list. `keys` is borrowed. */
SopsKeyService vault_key_service(const VaultKeys *keys);

#endif
