#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

#include "base/mem.h"
#include "data/base64.h"
#include "gotmpl/convert.h"
#include "gotmpl/functions.h"

/* Keys and certificates. A certificate is for servers and clients both, its names are what the
 * caller gives; authorities sign with the key usages that sprig gives them. */

enum { RSA_KEY_BITS = 4096, RSA_CERT_BITS = 2048, DAY = 24 * 60 * 60, PEM_MAX = 1 << 20 };

static void auto_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}
#define autokey __attribute__((cleanup(auto_key)))
static void auto_x509(X509 **cert)
{
	X509_free(*cert);
}
#define autox509 __attribute__((cleanup(auto_x509)))
static void auto_bio(BIO **bio)
{
	BIO_free_all(*bio);
}
#define autobio __attribute__((cleanup(auto_bio)))
static void auto_params(EVP_PKEY_CTX **context)
{
	EVP_PKEY_CTX_free(*context);
}
#define autoparams __attribute__((cleanup(auto_params)))

static const char *const certificate_fields[] = {"Cert", "Key", NULL};
static const GoStructType struct_certificate = {
	.name = "sprig.certificate",
	.fields = certificate_fields,
};

typedef struct {
	GoCall *call;
	Str name;
	GoValue ips, names;
	int64_t days;
	bool authority;
} Request;

static Str bio_text(GoCall *call, BIO *bio)
{
	char *bytes;
	long len = BIO_get_mem_data(bio, &bytes);
	return call_copy(call, str_sized(bytes, len > 0 ? (size_t)len : 0));
}

static bool key_text(GoCall *call, EVP_PKEY *key, Str *out)
{
	autobio BIO *bio = BIO_new(BIO_s_mem());
	bool plain = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
	bool fine =
		bio && (plain ? PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
			      : PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL,
								     NULL)) == 1;
	if (fine)
		*out = bio_text(call, bio);
	return fine || call_fail(call, "error pem-encoding key");
}

static EVP_PKEY *make_dsa(void)
{
	EVP_PKEY *key = NULL;
	autokey EVP_PKEY *params = NULL;
	autoparams EVP_PKEY_CTX *first = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
	if (!first || EVP_PKEY_paramgen_init(first) != 1 ||
	    EVP_PKEY_CTX_set_dsa_paramgen_bits(first, 2048) != 1 ||
	    EVP_PKEY_CTX_set_dsa_paramgen_q_bits(first, 256) != 1 ||
	    EVP_PKEY_paramgen(first, &params) != 1)
		return NULL;
	autoparams EVP_PKEY_CTX *second = EVP_PKEY_CTX_new(params, NULL);
	if (!second || EVP_PKEY_keygen_init(second) != 1 || EVP_PKEY_keygen(second, &key) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *make_key(Str type)
{
	if (type.len == 0 || str_eq(type, STR("rsa")))
		return EVP_RSA_gen(RSA_KEY_BITS);
	if (str_eq(type, STR("ecdsa")))
		return EVP_EC_gen("P-256");
	if (str_eq(type, STR("ed25519")))
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return make_dsa();
}

static bool fn_gen_private_key(GoCall *call, GoValue *out)
{
	static const char *const types[] = {"", "rsa", "dsa", "ecdsa", "ed25519"};
	Str type = call->args[0].text, text;
	bool known = false;
	for (size_t i = 0; i < COUNT(types); i++)
		known |= str_eq(type, str_of(types[i]));
	if (!known) {
		*out = go_cstr(arena_printf(call_arena(call), "Unknown type %.*s", (int)type.len,
					    type.ptr));
		return true;
	}
	autokey EVP_PKEY *key = make_key(type);
	if (!key)
		return call_fail(call, "failed to generate private key");
	if (!key_text(call, key, &text))
		return false;
	*out = go_text(text);
	return true;
}

static EVP_PKEY *read_key(GoCall *call, Str pem)
{
	autobio BIO *bio = BIO_new_mem_buf(pem.ptr, pem.len < PEM_MAX ? (int)pem.len : 0);
	EVP_PKEY *key =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;
	if (!key)
		call_fail(call, "parsing private key: no PEM data in input");
	return key;
}

static X509 *read_cert(GoCall *call, Str pem)
{
	autobio BIO *bio = BIO_new_mem_buf(pem.ptr, pem.len < PEM_MAX ? (int)pem.len : 0);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	if (!cert)
		call_fail(call, "unable to decode certificate");
	return cert;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	bool fine = extension && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return fine;
}

static bool push_name(GENERAL_NAMES *names, int type, const void *bytes, size_t len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *text = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
	if (!name || !text || ASN1_STRING_set(text, bytes, (int)len) != 1) {
		GENERAL_NAME_free(name);
		ASN1_STRING_free(text);
		return false;
	}
	GENERAL_NAME_set0_value(name, type, text);
	return sk_GENERAL_NAME_push(names, name) > 0;
}

static bool push_ips(Request *r, GENERAL_NAMES *names)
{
	for (size_t i = 0; i < go_len(r->ips); i++) {
		GoValue item = go_item(call_arena(r->call), r->ips, i);
		unsigned char bytes[16];
		if (item.type != GO_STRING) {
			Str text = text_value(r->call, item);
			return call_fail(r->call, "error parsing ip: %.*s is not a string",
					 (int)text.len, text.ptr);
		}
		autofree char *text = str_dup(item.text);
		size_t len = inet_pton(AF_INET, text, bytes) == 1    ? 4
			     : inet_pton(AF_INET6, text, bytes) == 1 ? 16
								     : 0;
		if (len == 0)
			return call_fail(r->call, "error parsing ip: %s", text);
		if (!push_name(names, GEN_IPADD, bytes, len))
			return call_fail(r->call, "error creating certificate");
	}
	return true;
}

static bool push_names(Request *r, GENERAL_NAMES *names)
{
	for (size_t i = 0; i < go_len(r->names); i++) {
		GoValue item = go_item(call_arena(r->call), r->names, i);
		if (item.type != GO_STRING) {
			Str text = text_value(r->call, item);
			return call_fail(
				r->call,
				"error processing alternate dns name: %.*s is not a string",
				(int)text.len, text.ptr);
		}
		if (!push_name(names, GEN_DNS, item.text.ptr, item.text.len))
			return call_fail(r->call, "error creating certificate");
	}
	return true;
}

static bool add_names(Request *r, X509 *cert)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool fine = names && push_ips(r, names);
	int ips = fine ? sk_GENERAL_NAME_num(names) : 0;
	fine = fine && push_names(r, names);
	/* Addresses are read first, and written last. */
	for (int i = 0; fine && i < ips; i++)
		fine = sk_GENERAL_NAME_push(names, sk_GENERAL_NAME_shift(names)) > 0;
	if (fine && sk_GENERAL_NAME_num(names) > 0)
		fine = X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
	GENERAL_NAMES_free(names);
	return fine;
}

static bool set_serial(X509 *cert)
{
	unsigned char bytes[16];
	RAND_bytes(bytes, sizeof(bytes));
	BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	bool fine = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	return fine;
}

static bool set_subject(X509 *cert, Str name)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	return name.len == 0 || X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
							   (const unsigned char *)name.ptr,
							   (int)name.len, -1, 0) == 1;
}

static bool add_usages(Request *r, X509 *cert, X509 *issuer)
{
	const char *usage = r->authority ? "critical,digitalSignature,keyEncipherment,keyCertSign"
					 : "critical,digitalSignature,keyEncipherment";
	/* Go leaves it out where subject and issuer are of one name. */
	bool names_issuer =
		X509_NAME_cmp(X509_get_subject_name(cert), X509_get_subject_name(issuer)) != 0 &&
		X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0;
	return add_extension(cert, issuer, NID_key_usage, usage) &&
	       add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       add_extension(cert, issuer, NID_basic_constraints,
			     r->authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
	       (!r->authority || add_extension(cert, issuer, NID_subject_key_identifier, "hash")) &&
	       (!names_issuer ||
		add_extension(cert, issuer, NID_authority_key_identifier, "keyid"));
}

/* `signer` NULL: the certificate signs itself. */
static X509 *make_cert(Request *r, EVP_PKEY *key, X509 *signer, EVP_PKEY *signer_key)
{
	autox509 X509 *cert = X509_new();
	bool fine =
		cert && X509_set_version(cert, 2) == 1 && set_serial(cert) &&
		set_subject(cert, r->name) && X509_set_pubkey(cert, key) == 1 &&
		X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
		X509_time_adj_ex(X509_getm_notAfter(cert), (int)r->days, 0, NULL) &&
		X509_set_issuer_name(cert, X509_get_subject_name(signer ? signer : cert)) == 1 &&
		add_usages(r, cert, signer ? signer : cert);
	if (fine && !add_names(r, cert))
		return NULL;
	bool plain = EVP_PKEY_get_base_id(signer_key) == EVP_PKEY_ED25519;
	fine = fine && X509_sign(cert, signer_key, plain ? NULL : EVP_sha256()) > 0;
	if (!fine) {
		call_fail(r->call, "error creating certificate");
		return NULL;
	}
	return steal(&cert);
}

static bool return_certificate(GoCall *call, Str cert, Str key, GoValue *out)
{
	GoStruct *record = go_struct_new(call_arena(call), &struct_certificate);
	record->fields[0] = go_text(cert);
	record->fields[1] = go_text(key);
	*out = (GoValue){.type = GO_STRUCT, .record = record};
	return true;
}

/* `pem` NULL: a new key. */
static bool issue(Request *r, const Str *pem, const GoStruct *ca, GoValue *out)
{
	autokey EVP_PKEY *key = pem ? read_key(r->call, *pem) : EVP_RSA_gen(RSA_CERT_BITS);
	autox509 X509 *signer = NULL;
	autokey EVP_PKEY *signer_key = NULL;
	autobio BIO *bio = BIO_new(BIO_s_mem());
	Str text;
	if (!key)
		return false;
	if (ca) {
		signer = read_cert(r->call, ca->fields[0].text);
		signer_key = signer ? read_key(r->call, ca->fields[1].text) : NULL;
		if (!signer_key)
			return false;
	}
	autox509 X509 *cert = make_cert(r, key, signer, signer_key ? signer_key : key);
	if (!cert || !key_text(r->call, key, &text))
		return false;
	if (!bio || PEM_write_bio_X509(bio, cert) != 1)
		return call_fail(r->call, "error pem-encoding certificate");
	return return_certificate(r->call, bio_text(r->call, bio), text, out);
}

static Request authority_request(GoCall *call)
{
	const GoValue *args = call->args;
	return (Request){call, args[0].text, go_zero(GO_LIST), go_zero(GO_LIST), args[1].integer,
			 true};
}

static Request request_of(GoCall *call)
{
	const GoValue *args = call->args;
	return (Request){call, args[0].text, args[1], args[2], args[3].integer, false};
}

static bool fn_gen_ca(GoCall *call, GoValue *out)
{
	Request request = authority_request(call);
	return issue(&request, NULL, NULL, out);
}

static bool fn_gen_ca_with_key(GoCall *call, GoValue *out)
{
	Request request = authority_request(call);
	return issue(&request, &call->args[2].text, NULL, out);
}

static bool fn_gen_self_signed(GoCall *call, GoValue *out)
{
	Request request = request_of(call);
	return issue(&request, NULL, NULL, out);
}

static bool fn_gen_self_signed_with_key(GoCall *call, GoValue *out)
{
	Request request = request_of(call);
	return issue(&request, &call->args[4].text, NULL, out);
}

static bool fn_gen_signed(GoCall *call, GoValue *out)
{
	Request request = request_of(call);
	return issue(&request, NULL, call->args[4].record, out);
}

static bool fn_gen_signed_with_key(GoCall *call, GoValue *out)
{
	Request request = request_of(call);
	return issue(&request, &call->args[5].text, call->args[4].record, out);
}

static bool decode_pem(GoCall *call, Str text, const char *what, Str *out)
{
	autobuf Buf bytes = {0};
	autoerror Error err = {0};
	if (!base64_decode(text.ptr, text.len, &bytes, &err))
		return call_fail(call, "unable to decode base64 %s", what);
	*out = call_copy(call, buf_str(&bytes));
	return true;
}

static bool fn_build_custom_cert(GoCall *call, GoValue *out)
{
	Str cert, key;
	if (!decode_pem(call, call->args[0].text, "certificate", &cert) ||
	    !decode_pem(call, call->args[1].text, "private key", &key))
		return false;
	autox509 X509 *parsed = read_cert(call, cert);
	if (!parsed)
		return false;
	autokey EVP_PKEY *parsed_key = read_key(call, key);
	return parsed_key && return_certificate(call, cert, key, out);
}

const GoFn functions_certs[] = {
	{"genPrivateKey", "s", fn_gen_private_key},
	{"genCA", "si", fn_gen_ca},
	{"genCAWithKey", "sis", fn_gen_ca_with_key},
	{"genSelfSignedCert", "slli", fn_gen_self_signed},
	{"genSelfSignedCertWithKey", "sllis", fn_gen_self_signed_with_key},
	{"genSignedCert", "sllic", fn_gen_signed},
	{"genSignedCertWithKey", "sllics", fn_gen_signed_with_key},
	{"buildCustomCert", "ss", fn_build_custom_cert},
	{0},
};
