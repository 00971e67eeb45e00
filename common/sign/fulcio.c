#include "sign/fulcio.h"

#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include "base/mem.h"

#define OID_ISSUER "1.3.6.1.4.1.57264.1.1"
#define OID_ISSUER_V2 "1.3.6.1.4.1.57264.1.8"
#define OID_OTHER_NAME "1.3.6.1.4.1.57264.1.7"

bool fulcio_verify(X509 *leaf, const TrustedRoot *root, int64_t time_s, Vec *out_chain, Error *err)
{
	for (size_t i = 0; i < root->authorities.count; i++) {
		const TrustedAuthority *authority = &root->authorities.items[i];
		const CertificateTrust trust = {&authority->roots, &authority->intermediates,
						XKU_CODE_SIGN, time_s};
		if (time_s > INT64_MAX / 1000 ||
		    !trust_period_has(&authority->period, time_s * 1000))
			continue;
		error_dispose(err);
		if (certificate_verify(leaf, &trust, out_chain, err))
			return true;
	}
	return err_is_set(err) ? false
			       : err_set(err, ERR_FORBIDDEN,
					 "no certificate authority counts at that time");
}

/* --- the issuer --- */

/* The value of an extension, or NULL. Borrowed. */
static const ASN1_OCTET_STRING *extension(const X509 *leaf, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_get_ext_by_OBJ(leaf, object, -1);
	ASN1_OBJECT_free(object);
	return at < 0 ? NULL : X509_EXTENSION_get_data(X509_get_ext(leaf, at));
}

/* NULL for a text with a NUL inside, which would look like a shorter one. */
static char *text_of(const ASN1_STRING *value)
{
	Str text = str_sized((const char *)ASN1_STRING_get0_data(value),
			     (size_t)ASN1_STRING_length(value));
	return str_find_char(text, '\0') < 0 ? str_dup(text) : NULL;
}

/* Raw in the older extension, a DER string in the newer one. Owned, or NULL. */
static char *issuer_of(const X509 *leaf)
{
	const ASN1_OCTET_STRING *value = extension(leaf, OID_ISSUER_V2);
	if (!value) {
		value = extension(leaf, OID_ISSUER);
		return value ? text_of(value) : NULL;
	}
	const unsigned char *at = ASN1_STRING_get0_data(value);
	ASN1_TYPE *type = d2i_ASN1_TYPE(NULL, &at, ASN1_STRING_length(value));
	int kind = type ? ASN1_TYPE_get(type) : 0;
	char *text = kind == V_ASN1_UTF8STRING || kind == V_ASN1_PRINTABLESTRING ||
				     kind == V_ASN1_IA5STRING
			     ? text_of(type->value.asn1_string)
			     : NULL;
	ASN1_TYPE_free(type);
	return text;
}

/* --- names --- */

static char *other_name(const OTHERNAME *other)
{
	char oid[64];
	OBJ_obj2txt(oid, sizeof(oid), other->type_id, 1);
	if (!cstr_eq(oid, OID_OTHER_NAME) || ASN1_TYPE_get(other->value) != V_ASN1_UTF8STRING)
		return NULL;
	return text_of(other->value->value.utf8string);
}

static char *name_of(const GENERAL_NAME *name, int type)
{
	if (name->type != type)
		return NULL;
	return type == GEN_OTHERNAME ? other_name(name->d.otherName) : text_of(name->d.ia5);
}

/* All names, those that count first in front; host names only with `any`. */
static void names_of(const X509 *leaf, bool any, Vec *out)
{
	static const int order[] = {GEN_URI, GEN_EMAIL, GEN_OTHERNAME, GEN_DNS};
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	for (size_t o = 0; o < COUNT(order) - !any; o++)
		for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
			char *text = name_of(sk_GENERAL_NAME_value(names, i), order[o]);
			if (text)
				vec_push(out, text);
		}
	GENERAL_NAMES_free(names);
}

static bool has_match(const Regex *regex, const char *text)
{
	return regex_matches(regex, text, strlen(text));
}

static bool any_has_match(const Regex *regex, const Vec *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_match(regex, names->items[i]))
			return true;
	return false;
}

bool fulcio_identity(const X509 *leaf, const KeylessIdentities *identities, bool any_name,
		     Error *err)
{
	autostrings Vec names = {0};
	autofree char *issuer = issuer_of(leaf);
	names_of(leaf, any_name, &names);
	size_t count = any_name || names.len == 0 ? names.len : 1;
	for (size_t i = 0; i < identities->count; i++) {
		const KeylessIdentity *wanted = &identities->items[i];
		if ((!wanted->issuer || has_match(wanted->issuer, issuer ? issuer : "")) &&
		    (!wanted->subject || any_has_match(wanted->subject, &names, count)))
			return true;
	}
	return err_set(err, ERR_FORBIDDEN,
		       "no identity matches that of the certificate: "
		       "subject '%.200s', issuer '%.200s'",
		       names.len > 0 ? (const char *)names.items[0] : "", issuer ? issuer : "");
}
