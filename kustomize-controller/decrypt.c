#include "decrypt_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "kube/secret.h"

/* The keys of a run, from the Secret that spec names (its entries are told apart by name), or from
 * the one that --sops-age-secret names, which gives age identities alone (K47). */

/* TIME_MAX_MS: of a run's decryption; the worker is held that long. */
enum { ROOTS_MAX = 1 << 20, TIME_MAX_MS = 120000 };

static void free_opened(void *item)
{
	Buf *text = item;
	sops_buf_wipe(text);
	free(text);
}

static KustomizeNode files_stat(void *arg, const char *path)
{
	const Decryptor *self = arg;
	return self->source->stat(self->source->arg, path);
}

static char *files_resolve(void *arg, const char *path)
{
	const Decryptor *self = arg;
	return self->source->resolve ? self->source->resolve(self->source->arg, path)
				     : mem_strdup(path);
}

char *decryptor_key(const Decryptor *self, const char *path)
{
	char *real = self->files.resolve(self->files.arg, path);
	return real ? real : mem_strdup(path);
}

static bool files_read(void *arg, const char *path, Buf *out, Error *err)
{
	const Decryptor *self = arg;
	autofree char *key = map_len(self->opened) ? decryptor_key(self, path) : NULL;
	const Buf *opened = key ? map_get(self->opened, key) : NULL;
	if (!opened)
		return self->source->read(self->source->arg, path, out, err);
	buf_add(out, buf_str(opened));
	return true;
}

static bool files_list(void *arg, const char *path, Vec *out, Error *err)
{
	const Decryptor *self = arg;
	return self->source->list(self->source->arg, path, out, err);
}

static bool import_age(Decryptor *self, Str value, Error *err)
{
	return age_identities_add(self->age, value, err);
}

static bool import_pgp(Decryptor *self, Str value, Error *err)
{
	return pgp_keyring_add(self->pgp, value, err);
}

static bool import_vault_token(Decryptor *self, Str value, Error *err)
{
	Str token = str_trim(value);
	if (str_find_char(token, '\n') >= 0 || str_find_char(token, '\r') >= 0)
		return err_set(err, ERR_INVALID, "a Vault token is one line");
	self->vault_token = str_dup(token);
	return true;
}

static bool import_aws(Decryptor *self, Str value, Error *err)
{
	return decrypt_identity_aws(self->identity, value, err);
}

static bool import_azure(Decryptor *self, Str value, Error *err)
{
	return decrypt_identity_azure(self->identity, value, err);
}

static bool import_gcp(Decryptor *self, Str value, Error *err)
{
	return decrypt_identity_gcp(self->identity, value, err);
}

/* The Secret's token, else one by the account's login, else that of the controller's environment.
 */
static char *vault_token(void *arg, const char *address, Error *err)
{
	const Decryptor *self = arg;
	if (self->vault_token)
		return mem_strdup(self->vault_token);
	char *own = decrypt_identity_vault(self->identity, address, err);
	if (own || err_is_set(err))
		return own;
	const char *token = getenv("VAULT_TOKEN");
	if (cstr_empty(token))
		return err_null(err, ERR_UNAUTHORIZED, "there is no Vault token");
	return mem_strdup(token);
}

/* A row for each kind of entry; those that end in `name` when it starts with a dot. */
static const struct {
	const char *name;
	bool global; /* also taken from --sops-age-secret */
	bool (*import)(Decryptor *self, Str value, Error *err);
} entries[] = {
	{".agekey", true, import_age},
	{".asc", false, import_pgp},
	{"sops.vault-token", false, import_vault_token},
	{"sops.aws-kms", false, import_aws},
	{"sops.azure-kv", false, import_azure},
	{"sops.gcp-kms", false, import_gcp},
};

static bool import_entry(Decryptor *self, const char *name, Str value, bool global, Error *err)
{
	for (size_t i = 0; i < COUNT(entries); i++) {
		bool fits = entries[i].name[0] == '.' ? cstr_ends(name, entries[i].name)
						      : cstr_eq(name, entries[i].name);
		if (!fits || (global && !entries[i].global))
			continue;
		return entries[i].import(self, value, err);
	}
	return true;
}

static bool import_secret(Run *run, Decryptor *self, const char *ns, const char *name, bool global,
			  Error *err)
{
	autosecret Secret *secret = secret_get(run_client(run), ns, name, err);
	if (!secret)
		return err_wrap(err, "cannot get sops decryption Secret '%s/%s'", ns, name);
	size_t at = 0;
	const char *key;
	Str value;
	while (secret_next(secret, &at, &key, &value))
		if (!import_entry(self, key, value, global, err))
			return err_wrap(err,
					"failed to import '%s' data from sops decryption Secret "
					"'%s/%s'",
					key, ns, name);
	return true;
}

static bool import_keys(Run *run, const json_t *decryption, Decryptor *self, Error *err)
{
	const KustomizeContext *context = run_context(run);
	const json_t *reference = json_map(decryption, "secretRef");
	if (reference)
		return import_secret(run, self, run_namespace(run),
				     json_text_or(reference, "name", ""), false, err);
	const char *global = context->flags->sops_age_secret;
	if (cstr_empty(global))
		return true;
	return import_secret(run, self, manager_namespace(run_manager(run)), global, true, err);
}

static void add_services(Decryptor *self)
{
	size_t count = 0;
	self->services[count++] = age_key_service(self->age);
	self->services[count++] = pgp_key_service(self->pgp);
	self->services[count++] = vault_key_service(&self->vault);
	self->services[count++] = aws_key_service(decrypt_identity_keys(self->identity));
	self->services[count++] = gcp_key_service(decrypt_identity_keys(self->identity));
	self->services[count++] = azure_key_service(decrypt_identity_keys(self->identity));
	self->options.services = self->services;
	self->options.service_count = count;
}

bool decrypt_start(Manager *manager, KustomizeContext *context, Error *err)
{
	const char *path = getenv("VAULT_CACERT");
	autobuf Buf roots = {0};
	if (cstr_empty(path))
		return true;
	if (!file_read(path, ROOTS_MAX, &roots, err))
		return err_wrap(err, "VAULT_CACERT");
	context->vault_http =
		httpc_new(manager_loop(manager),
			  &(HttpClientConfig){.ca_pem = buf_text(&roots), .env_proxy = true}, err);
	return context->vault_http != NULL || err_wrap(err, "VAULT_CACERT %s", path);
}

Decryptor *decryptor_new(Run *run, const Kustomization *ks, const KustomizeFiles *files, Error *err)
{
	const KustomizeContext *context = run_context(run);
	const json_t *decryption = json_map(ks->spec, "decryption");
	if (!decryption)
		return NULL;
	autodecryptor Decryptor *self = mem_zalloc(1, sizeof(*self));
	self->source = files;
	self->files = (KustomizeFiles){self, files_stat, files_read, files_list, files_resolve};
	self->opened = map_new(free_opened);
	self->verified = map_new(NULL);
	self->age = age_identities_new();
	self->pgp = pgp_keyring_new(workdir_path(context->workdir));
	self->vault = (VaultKeys){.http = context->vault_http ? context->vault_http : context->http,
				  .token = vault_token,
				  .arg = self,
				  .allowed = getenv("SOPS_HC_VAULT_ALLOWLIST"),
				  .ns = getenv("VAULT_NAMESPACE")};
	self->identity = decrypt_identity_new(run, ks);
	self->options.known = sops_known_new();
	self->options.until_ms =
		clock_mono_ms() + (ks->timeout_ms < TIME_MAX_MS ? ks->timeout_ms : TIME_MAX_MS);
	self->options.ignore_mac = context->flags->sops_ignore_mac;
	if (!import_keys(run, decryption, self, err))
		return NULL;
	add_services(self);
	return steal(&self);
}

void decryptor_free(Decryptor *decryptor)
{
	if (!decryptor)
		return;
	map_free(decryptor->opened);
	map_free(decryptor->verified);
	map_free(decryptor->options.known);
	age_identities_free(decryptor->age);
	pgp_keyring_free(decryptor->pgp);
	decrypt_identity_free(decryptor->identity);
	if (decryptor->vault_token)
		mem_wipe(decryptor->vault_token, strlen(decryptor->vault_token));
	free(decryptor->vault_token);
	free(decryptor);
}

const KustomizeFiles *decryptor_files(const Decryptor *decryptor)
{
	return &decryptor->files;
}

bool decryptor_has_opened(const Decryptor *decryptor)
{
	return map_len(decryptor->opened) > 0;
}
