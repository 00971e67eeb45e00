#include "decrypt_identity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cloud/aws.h"
#include "cloud/azure.h"
#include "cloud/gcp.h"
#include "data/yaml.h"
#include "identity/workload.h"
#include "kube/secret.h"
#include "kube/service_account.h"
#include "sops/rest.h"

enum { CONFIG_MAX = 64 * 1024, SESSION_NAME_SIZE = 65 };

struct DecryptIdentity {
	Run *run;
	const char *account_name; /* or NULL; borrowed */
	WorkloadIdentity workload;
	const CloudAccount *account; /* of it, once it was needed */
	Credential aws;		     /* of the Secret; empty without */
	json_t *azure;		     /* of the Secret; owned, or NULL */
	char *gcp;		     /* of the Secret; owned, or NULL */
	Map *vault_tokens;	     /* address -> token, wiped when freed */
	CloudKeys keys;
};

static void free_text(void *text)
{
	char *secret = text;
	text_wipe(&secret);
}

static Cloud *cloud_of(const DecryptIdentity *self)
{
	const KustomizeContext *context = run_context(self->run);
	return context->targets.cloud;
}

/* --- the account --------------------------------------------------------------------------- */

/* Fills who asks; the ServiceAccount is read when it is needed first. */
static bool caller_of(DecryptIdentity *self, TokenOperation operation, CloudCaller *out, Error *err)
{
	*out = (CloudCaller){.user = run_token_user(self->run, operation)};
	if (!self->account &&
	    !workload_identity(self->run, self->account_name, &self->workload, &self->account, err))
		return false;
	out->account = self->account;
	return true;
}

/* --- the clouds ---------------------------------------------------------------------------- */

/* "sops@HOST", as sops calls its sessions, of what STS takes in a name. */
static void session_name(char out[SESSION_NAME_SIZE])
{
	char host[SESSION_NAME_SIZE] = "";
	gethostname(host, sizeof(host) - 1);
	size_t len = (size_t)snprintf(out, SESSION_NAME_SIZE, "sops@");
	for (const char *c = host; *c && len < SESSION_NAME_SIZE - 1; c++)
		if (isalnum((unsigned char)*c) || strchr("=,.@-", *c))
			out[len++] = *c;
	out[len] = '\0';
}

/* The credentials for a call: the Secret's or our own, or of the role that these may take on. */
static bool aws_credential_for(DecryptIdentity *self, const CloudCaller *caller,
			       const AwsKmsCall *call, Credential *out, Error *err)
{
	autocredential Credential own = {0};
	if (self->aws.user)
		own = (Credential){.user = mem_strdup(self->aws.user),
				   .secret = mem_strdup(self->aws.secret),
				   .session = mem_strdup(self->aws.session)};
	else if (!aws_credentials(cloud_of(self), caller, call->region, NULL, &own, err))
		return false;
	char name[SESSION_NAME_SIZE];
	session_name(name);
	const AwsRole role = {call->region, call->role, name, &own};
	if (call->role)
		return aws_take_role(cloud_of(self), caller, &role, out, err);
	*out = own;
	own = (Credential){0};
	return true;
}

static bool aws_call(void *arg, const AwsKmsCall *kms, Buf *out, Error *err)
{
	DecryptIdentity *self = arg;
	autocredential Credential credential = {0};
	CloudCaller caller;
	if (!caller_of(self, TOKEN_DECRYPT_WITH_AWS, &caller, err) ||
	    !aws_credential_for(self, &caller, kms, &credential, err))
		return false;
	autofree char *url = aws_endpoint(cloud_of(self), "kms", kms->region);
	const AwsJsonCall call = {.url = url,
				  .region = kms->region,
				  .service = "kms",
				  .target = kms->target,
				  .body = kms->body,
				  .credential = &credential};
	return aws_json_call(cloud_of(self), &caller, &call, out, err);
}

static char *gcp_bearer(void *arg, Error *err)
{
	DecryptIdentity *self = arg;
	autocredential Credential token = {0};
	CloudCaller caller;
	if (!caller_of(self, TOKEN_DECRYPT_WITH_GCP, &caller, err))
		return NULL;
	bool ok = self->gcp ? gcp_token_of_key(cloud_of(self), &caller, self->gcp,
					       GCP_SCOPE_PLATFORM, &token, err)
			    : gcp_token(cloud_of(self), &caller, &token, err);
	return ok ? steal(&token.secret) : NULL;
}

/* The fields of an application, in both spellings that `az` and its documentation have. */
static AzureApp azure_app(const json_t *config)
{
	const char *tenant = json_text(config, "tenantId"), *client = json_text(config, "clientId");
	const char *secret = json_text(config, "clientSecret");
	const char *certificate = json_text(config, "clientCertificate");
	bool usable = !cstr_empty(tenant) && !cstr_empty(client) &&
		      (!cstr_empty(secret) || !cstr_empty(certificate));
	AzureApp app = {.client_id = client, .authority_host = json_text(config, "authorityHost")};
	if (usable) {
		app.tenant_id = tenant;
		app.client_secret = cstr_empty(secret) ? NULL : secret;
		app.certificate = str_of(cstr_empty(secret) ? certificate : NULL);
		app.certificate_password = json_text(config, "clientCertificatePassword");
		app.send_chain = json_flag(config, "clientCertificateSendChain", false);
	} else if (!cstr_empty(json_text(config, "password"))) {
		app.tenant_id = json_text(config, "tenant");
		app.client_id = json_text(config, "appId");
		app.client_secret = json_text(config, "password");
	}
	return app;
}

static char *azure_bearer(void *arg, Error *err)
{
	DecryptIdentity *self = arg;
	autocredential Credential token = {0};
	CloudCaller caller;
	if (!caller_of(self, TOKEN_DECRYPT_WITH_AZURE, &caller, err))
		return NULL;
	AzureApp app = azure_app(self->azure);
	bool ok = self->azure ? azure_token_of_app(cloud_of(self), &caller, &app, AZURE_SCOPE_VAULT,
						   &token, err)
			      : azure_token(cloud_of(self), &caller, NULL, AZURE_SCOPE_VAULT,
					    &token, err);
	return ok ? steal(&token.secret) : NULL;
}

/* --- entries of the Secret ----------------------------------------------------------------- */

bool decrypt_identity_aws(DecryptIdentity *self, Str yaml, Error *err)
{
	autojson json_t *config =
		yaml_parse_last_wins(yaml.ptr, yaml.len, CONFIG_MAX, "credentials", err);
	if (!config)
		return false;
	const char *id = json_text(config, "aws_access_key_id");
	const char *key = json_text(config, "aws_secret_access_key");
	if (cstr_empty(id) || cstr_empty(key))
		return err_set(err, ERR_INVALID,
			       "aws_access_key_id and aws_secret_access_key are needed");
	credential_dispose(&self->aws);
	const char *session = json_text(config, "aws_session_token");
	self->aws = (Credential){.user = mem_strdup(id),
				 .secret = mem_strdup(key),
				 .session = cstr_empty(session) ? NULL : mem_strdup(session)};
	return true;
}

bool decrypt_identity_azure(DecryptIdentity *self, Str yaml, Error *err)
{
	autojson json_t *config =
		yaml_parse_last_wins(yaml.ptr, yaml.len, CONFIG_MAX, "credentials", err);
	if (!config)
		return false;
	AzureApp app = azure_app(config);
	if (cstr_empty(app.client_id))
		return err_set(err, ERR_INVALID,
			       "clientId, or tenantId, clientId and clientSecret or "
			       "clientCertificate, or tenant, appId and password are needed");
	json_decref(self->azure);
	self->azure = steal(&config);
	return true;
}

bool decrypt_identity_gcp(DecryptIdentity *self, Str json, Error *err)
{
	autojson json_t *key = json_parse(json.ptr, json.len, CONFIG_MAX, err);
	if (!key)
		return false;
	text_wipe(&self->gcp);
	self->gcp = str_dup(json);
	return true;
}

const CloudKeys *decrypt_identity_keys(const DecryptIdentity *self)
{
	return &self->keys;
}

/* --- Vault --------------------------------------------------------------------------------- */

/* The login path of an address, from the ConfigMap that is also the list of those trusted. Owned.
 */
static char *vault_login_path(DecryptIdentity *self, const char *map_name, const char *address,
			      Error *err)
{
	const char *ns = manager_namespace(run_manager(self->run));
	autojson json_t *map =
		kube_get(run_client(self->run), "v1", "ConfigMap", ns, map_name, err);
	if (!map)
		return err_wrap_null(err, "failed to get Vault ConfigMap '%s/%s'", ns, map_name);
	const char *text = json_text_at(map, "data", "config.yaml", NULL);
	if (!text)
		return err_null(err, ERR_INVALID,
				"Vault ConfigMap '%s/%s' is missing the 'config.yaml' key", ns,
				map_name);
	autojson json_t *config =
		yaml_parse_last_wins(text, strlen(text), CONFIG_MAX, "config.yaml", err);
	if (!config)
		return err_wrap_null(err, "Vault ConfigMap '%s/%s'", ns, map_name);
	const json_t *instances = json_list(config, "instances");
	for (size_t i = 0; i < json_array_size(instances); i++) {
		const json_t *instance = json_array_get(instances, i);
		const char *path = json_text(instance, "loginPath");
		if (cstr_eq(json_text(instance, "address"), address) && !cstr_empty(path))
			return mem_strdup(path);
	}
	return err_null(err, ERR_FORBIDDEN,
			"no Vault login path configured for it in ConfigMap '%s/%s'", ns, map_name);
}

static char *vault_login(DecryptIdentity *self, const char *address, const char *path, Error *err)
{
	const KustomizeContext *context = run_context(self->run);
	autojson json_t *audiences = json_pack("[s]", address);
	autosecrettext char *jwt =
		service_account_token(run_client(self->run), run_namespace(self->run),
				      self->account_name, audiences, NULL, err);
	if (!jwt)
		return err_wrap_null(err, "failed to issue a token for Vault");
	const char *ns = run_namespace(self->run);
	autofree char *role = mem_printf("%s_%s", ns, self->account_name);
	autofree char *url =
		mem_printf("%s%sv1/%s", address, cstr_ends(address, "/") ? "" : "/", path);
	autojson json_t *question = json_pack("{s:s, s:s}", "role", role, "jwt", jwt);
	autosecrettext char *body = json_dump(question);
	const char *headers[] = {"X-Vault-Request: true", NULL};
	RestCall call = {.url = url, .headers = headers, .body = body, .secret = jwt};
	HttpClient *http = context->vault_http ? context->vault_http : context->http;
	autojson json_t *reply = rest_post(http, &call, err);
	if (!reply)
		return err_wrap_null(err, "login as role '%s'", role);
	const char *token = json_text_at(reply, "auth", "client_token", NULL);
	if (cstr_empty(token))
		return err_null(err, ERR_UNAUTHORIZED, "login as role '%s' gave no token", role);
	return mem_strdup(token);
}

char *decrypt_identity_vault(DecryptIdentity *self, const char *address, Error *err)
{
	const KustomizeContext *context = run_context(self->run);
	const char *known = map_get(self->vault_tokens, address);
	const char *map_name = context->flags->sops_vault_configmap;
	if (known)
		return mem_strdup(known);
	if (cstr_empty(map_name))
		return NULL;
	if (cstr_empty(self->account_name))
		return err_null(
			err, ERR_UNSUPPORTED,
			"Vault needs spec.decryption.serviceAccountName or a token: a login "
			"as the controller itself is not supported by this version");
	autofree char *path = vault_login_path(self, map_name, address, err);
	if (!path)
		return NULL;
	char *token = vault_login(self, address, path, err);
	if (token)
		map_put(self->vault_tokens, address, mem_strdup(token));
	return token;
}

/* --- its life ------------------------------------------------------------------------------ */

DecryptIdentity *decrypt_identity_new(Run *run, const Kustomization *ks)
{
	const KustomizeContext *context = run_context(run);
	DecryptIdentity *self = mem_zalloc(1, sizeof(*self));
	const char *account = json_text_at(ks->spec, "decryption", "serviceAccountName", NULL);
	self->run = run;
	self->account_name =
		cstr_empty(account) ? context->flags->default_decryption_service_account : account;
	self->vault_tokens = map_new(free_text);
	self->keys = (CloudKeys){
		.http = context->http,
		.aws_call = aws_call,
		.gcp_token = gcp_bearer,
		.azure_token = azure_bearer,
		.arg = self,
		.gcp_endpoint = cloud_env(context->targets.cloud, "GOOGLE_KMS_ENDPOINT"),
		.azure_vault = cloud_env(context->targets.cloud, "AZURE_KEY_VAULT_URL")};
	return self;
}

void decrypt_identity_free(DecryptIdentity *self)
{
	if (!self)
		return;
	credential_dispose(&self->aws);
	json_decref(self->azure);
	text_wipe(&self->gcp);
	workload_identity_dispose(&self->workload);
	map_free(self->vault_tokens);
	free(self);
}
