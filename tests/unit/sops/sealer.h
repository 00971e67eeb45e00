/* Seals values as sops does, under a data key of zeros that `zero_service` gives back. */
#ifndef TESTS_SOPS_SEALER_H
#define TESTS_SOPS_SEALER_H

#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "data/base64.h"
#include "sops/metadata.h"
#include "sops/sops.h"

static const unsigned char zero_key[DATA_KEY_SIZE];

static bool zero_decrypt(void *arg, const json_t *key, Buf *out, Error *err)
{
	int *asked = arg;
	if (asked)
		++*asked;
	if (strcmp(json_text_or(key, "enc", ""), "zero") != 0)
		return err_set(err, ERR_UNAUTHORIZED, "not mine");
	buf_append(out, zero_key, sizeof(zero_key));
	return true;
}

/* "ENC[...]" of a text; owned. */
static char *seal(const char *plain, const char *type, const char *aad)
{
	unsigned char iv[32], sealed[4096], tag[16];
	int len = 0;
	memset(iv, 7, sizeof(iv));
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, NULL, NULL);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, sizeof(iv), NULL);
	EVP_EncryptInit_ex(ctx, NULL, NULL, zero_key, iv);
	EVP_EncryptUpdate(ctx, NULL, &len, (const unsigned char *)aad, (int)strlen(aad));
	EVP_EncryptUpdate(ctx, sealed, &len, (const unsigned char *)plain, (int)strlen(plain));
	int end = 0;
	EVP_EncryptFinal_ex(ctx, sealed + len, &end);
	EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof(tag), tag);
	EVP_CIPHER_CTX_free(ctx);
	autofree char *data = base64_encode(sealed, (size_t)len);
	autofree char *iv_text = base64_encode(iv, sizeof(iv));
	autofree char *tag_text = base64_encode(tag, sizeof(tag));
	return mem_printf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:%s]", data, iv_text, tag_text,
			  type);
}

#endif
