#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sops/crypt.h"
#include "data/base64.h"
#include "data/yaml_internal.h"
#include "sops/sops.h"

/*
 * ENC[AES256_GCM,data:B64,iv:B64,tag:B64,type:T]. The type is not authenticated by itself, only by
 * the file's MAC: a type that does not fit its text is an error, never a guess.
 */

enum { IV_MIN = 8, IV_MAX = 128, TAG_SIZE = 16 };

typedef struct {
	Buf data, iv, tag;
	Str type;
} Sealed;

static void sealed_dispose(Sealed *sealed)
{
	buf_dispose(&sealed->data);
	buf_dispose(&sealed->iv);
	buf_dispose(&sealed->tag);
}
#define autosealed __attribute__((cleanup(sealed_dispose)))

/* Takes "NAME:VALUE" and what ends it off the front. */
static bool take_field(Str *rest, Str name, char end, Str *out)
{
	if (!str_starts(*rest, name))
		return false;
	*rest = str_slice(*rest, name.len, rest->len);
	ptrdiff_t at = str_find_char(*rest, end);
	if (at <= 0)
		return false;
	*out = str_slice(*rest, 0, (size_t)at);
	*rest = str_slice(*rest, (size_t)at + 1, rest->len);
	return true;
}

static bool decode(Str text, Buf *out)
{
	autoerror Error ignored = {0};
	return base64_decode(text.ptr, text.len, out, &ignored);
}

static bool parse_sealed(Str text, Sealed *out)
{
	Str data, iv, tag;
	static const char head[] = "ENC[AES256_GCM,";
	if (!str_starts(text, str_of(head)))
		return false;
	Str rest = str_slice(text, sizeof(head) - 1, text.len);
	return take_field(&rest, STR("data:"), ',', &data) &&
	       take_field(&rest, STR("iv:"), ',', &iv) &&
	       take_field(&rest, STR("tag:"), ',', &tag) &&
	       take_field(&rest, STR("type:"), ']', &out->type) && rest.len == 0 &&
	       decode(data, &out->data) && decode(iv, &out->iv) && decode(tag, &out->tag) &&
	       out->iv.len >= IV_MIN && out->iv.len <= IV_MAX && out->tag.len == TAG_SIZE;
}

static bool run_gcm(EVP_CIPHER_CTX *ctx, Sealed *sealed, const unsigned char *key, Str aad,
		    Buf *out)
{
	int len = 0;
	unsigned char *plain = (unsigned char *)out->ptr;
	return EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)sealed->iv.len, NULL) == 1 &&
	       EVP_DecryptInit_ex(ctx, NULL, NULL, key, (const unsigned char *)sealed->iv.ptr) ==
		       1 &&
	       EVP_DecryptUpdate(ctx, NULL, &len, (const unsigned char *)aad.ptr, (int)aad.len) ==
		       1 &&
	       EVP_DecryptUpdate(ctx, plain, &len, (const unsigned char *)buf_text(&sealed->data),
				 (int)sealed->data.len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, sealed->tag.ptr) == 1 &&
	       EVP_DecryptFinal_ex(ctx, plain + len, &len) == 1;
}

static bool open_bytes(Sealed *sealed, const unsigned char *key, Str aad, Buf *out)
{
	buf_reserve(out, sealed->data.len + 16);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx && run_gcm(ctx, sealed, key, aad, out);
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		return false;
	out->len = sealed->data.len;
	out->ptr[out->len] = '\0';
	return true;
}

static Node *int_node(Str text)
{
	char *end;
	errno = 0;
	long long value = strtoll(text.ptr, &end, 10);
	bool digits = text.len > 0 && strchr("+-0123456789", text.ptr[0]);
	if (!digits || errno || end != text.ptr + text.len)
		return NULL;
	Node *node = sops_node_new(NODE_INT);
	node->integer = value;
	return node;
}

static Node *float_node(Str text)
{
	char *end;
	double value = strtod(text.ptr, &end);
	bool blank = text.len == 0 || strchr(" \t\n\v\f\r", text.ptr[0]);
	if (blank || end != text.ptr + text.len)
		return NULL;
	Node *node = sops_node_new(NODE_FLOAT);
	node->real = value;
	return node;
}

static Node *bool_node(Str text)
{
	static const char *const words[] = {"1", "t", "T", "TRUE",  "true",  "True",
					    "0", "f", "F", "FALSE", "false", "False"};
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!str_eq(text, str_of(words[i])))
			continue;
		Node *node = sops_node_new(NODE_BOOL);
		node->flag = i < COUNT(words) / 2;
		return node;
	}
	return NULL;
}

static Node *time_node(Str text)
{
	YamlScalar scalar;
	yaml_resolve(text, &scalar);
	bool rfc3339 = scalar.type == YAML_TIMESTAMP && text.len >= 20 && text.ptr[10] == 'T';
	return rfc3339 ? node_text(NODE_TIME, str_of(scalar.stamp)) : NULL;
}

static Node *str_node(Str text)
{
	return node_text(NODE_STR, text);
}

static Node *comment_node(Str text)
{
	return node_text(NODE_COMMENT, text);
}

static const struct {
	const char *type;
	Node *(*make)(Str text);
} makers[] = {
	{"str", str_node},   {"int", int_node},	  {"float", float_node},     {"bool", bool_node},
	{"bytes", str_node}, {"time", time_node}, {"comment", comment_node},
};

Node *seal_open(Str sealed_text, const unsigned char key[DATA_KEY_SIZE], Str aad, Error *err)
{
	if (sealed_text.len == 0)
		return node_text(NODE_STR, STR(""));
	autosealed Sealed sealed = {0};
	if (!parse_sealed(sealed_text, &sealed))
		return err_null(err, ERR_INVALID,
				"the value does not have the form that sops "
				"gives encrypted ones");
	autosecretbuf Buf plain = {0};
	if (!open_bytes(&sealed, key, aad, &plain))
		return err_null(err, ERR_INVALID,
				"the value does not authenticate: it, its place or the data key "
				"was changed");
	for (size_t i = 0; i < COUNT(makers); i++) {
		if (!str_eq(sealed.type, str_of(makers[i].type)))
			continue;
		Node *node = makers[i].make(buf_str(&plain));
		return node ? node
			    : err_null(err, ERR_INVALID, "the value is no %s", makers[i].type);
	}
	return err_null(err, ERR_INVALID, "the value has an unknown type");
}
