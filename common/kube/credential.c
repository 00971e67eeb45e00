/* The bearer token: from the configuration, from a command (exec.h), or from a file that is read
 * again every 60 s and after a 401 (kube-api.md 1.1). A file that cannot be read leaves the last
 * token in use. */
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "kube/client_internal.h"

enum { TOKEN_AGE_MS = 60000, TOKEN_MAX = 64 * 1024 };

static void set_token(KubeClient *root, Str token)
{
	char *old = root->config.token;
	root->config.token = str_dup(token);
	if (old)
		mem_wipe(old, strlen(old));
	free(old);
}

/* The root's lock is held. */
static bool read_token(KubeClient *root)
{
	autobuf Buf text = {0};
	autoerror Error ignored = {0};
	buf_reserve(&text, TOKEN_MAX); /* growing would leave copies behind */
	root->token_read_ms = clock_mono_ms();
	bool ok = file_read(root->token_file, TOKEN_MAX, &text, &ignored);
	Str token = str_trim(buf_str(&text));
	ok = ok && token.len && str_find_char(token, '\n') < 0 && str_find_char(token, '\r') < 0;
	if (ok)
		set_token(root, token);
	mem_wipe(text.ptr, text.cap);
	return ok;
}

static bool is_old(const KubeClient *root)
{
	return !root->token_read_ms || clock_mono_ms() - root->token_read_ms >= TOKEN_AGE_MS;
}

char *credential_header(KubeClient *client)
{
	KubeClient *root = client->root;
	if (root->exec) {
		autofree char *token = exec_credential_token(root->exec);
		if (!token)
			return NULL;
		char *made = mem_printf("Authorization: Bearer %s", token);
		mem_wipe(token, strlen(token));
		return made;
	}
	pthread_mutex_lock(&root->lock);
	if (root->token_file && is_old(root))
		read_token(root);
	char *header = cstr_empty(root->config.token)
			       ? NULL
			       : mem_printf("Authorization: Bearer %s", root->config.token);
	pthread_mutex_unlock(&root->lock);
	return header;
}

bool credential_refresh(KubeClient *client, int64_t wait_ms)
{
	KubeClient *root = client->root;
	if (root->exec)
		return exec_credential_renew(root->exec, wait_ms);
	if (!root->token_file)
		return false;
	pthread_mutex_lock(&root->lock);
	bool ok = read_token(root);
	pthread_mutex_unlock(&root->lock);
	return ok;
}
