/* Envelopes in COSE (COSE_Sign1, RFC 9052 4.2; signature-envelope-cose.md). */
#include "base/mem.h"
#include "sign/cbor.h"
#include "sign/notation_internal.h"

enum {
	TAG_SIGN1 = 18,
	TAG_TIME = 1,
	LABEL_ALGORITHM = 1,
	LABEL_CRITICAL = 2,
	LABEL_CONTENT_TYPE = 3,
	LABEL_CHAIN = 33,
	MAX_HEADERS = 64,
};

typedef struct {
	Str label; /* as it is encoded */
	CborItem key;
	Str value; /* an item, encoded */
} Header;

typedef struct {
	Header items[MAX_HEADERS];
	size_t count;
} Headers;

static bool malformed(const char *what, Error *err)
{
	return err_set(err, ERR_INVALID, "COSE envelope: %s", what);
}

/* --- headers --- */

static const Header *find_label(const Headers *headers, Str label)
{
	for (size_t i = 0; i < headers->count; i++)
		if (str_eq(headers->items[i].label, label))
			return &headers->items[i];
	return NULL;
}

static const Header *find_number(const Headers *headers, int64_t number)
{
	for (size_t i = 0; i < headers->count; i++) {
		int64_t key;
		if (cbor_integer(&headers->items[i].key, &key) && key == number)
			return &headers->items[i];
	}
	return NULL;
}

static const Header *find_text(const Headers *headers, const char *text)
{
	for (size_t i = 0; i < headers->count; i++)
		if (headers->items[i].key.kind == CBOR_TEXT &&
		    str_eq(headers->items[i].key.bytes, str_of(text)))
			return &headers->items[i];
	return NULL;
}

static bool take_header(Str *rest, Headers *out, Error *err)
{
	Header header;
	if (!cbor_skip(rest, &header.label, err))
		return false;
	Str label = header.label;
	if (!cbor_next(&label, &header.key, err) || !cbor_skip(rest, &header.value, err))
		return false;
	if (find_label(out, header.label))
		return malformed("a header twice", err);
	out->items[out->count++] = header;
	return true;
}

static bool take_headers(Str *rest, Headers *out, Error *err)
{
	CborItem map;
	if (!cbor_next(rest, &map, err))
		return false;
	if (map.kind != CBOR_MAP || map.number > MAX_HEADERS)
		return malformed("headers are no map, or too many", err);
	for (uint64_t i = 0; i < map.number; i++)
		if (!take_header(rest, out, err))
			return false;
	return true;
}

/* The value of a header as one item without a container; false when it is absent or another. */
static bool value_of(const Header *header, CborKind kind, CborItem *out)
{
	autoerror Error ignored = {0};
	Str rest = header ? header->value : STR("");
	return header && cbor_next(&rest, out, &ignored) && out->kind == kind;
}

/* Seconds since 1970 with the tag of times (RFC 8949 3.4.2). */
static bool read_time(const Header *header, int64_t *out, Error *err)
{
	CborItem tag, value;
	Str rest = header ? header->value : STR("");
	if (!header)
		return malformed("no signing time", err);
	if (!cbor_next(&rest, &tag, err) || !cbor_next(&rest, &value, err))
		return false;
	if (tag.kind != CBOR_TAG || tag.number != TAG_TIME || !cbor_integer(&value, out))
		return malformed("a time is none", err);
	return true;
}

static const JoseAlgorithm *read_algorithm(const Headers *headers)
{
	static const struct {
		int64_t number;
		const char *name;
	} algorithms[] = {
		{-7, "ES256"},	{-35, "ES384"}, {-36, "ES512"},
		{-37, "PS256"}, {-38, "PS384"}, {-39, "PS512"},
	};
	autoerror Error ignored = {0};
	const Header *header = find_number(headers, LABEL_ALGORITHM);
	CborItem item;
	int64_t number;
	Str rest = header ? header->value : STR("");
	if (!cbor_next(&rest, &item, &ignored) || !cbor_integer(&item, &number))
		return NULL;
	for (size_t i = 0; i < COUNT(algorithms); i++)
		if (algorithms[i].number == number)
			return jose_algorithm(algorithms[i].name);
	return NULL;
}

/* --- critical headers --- */

typedef struct {
	bool scheme, expiry, authentic;
} Critical;

/* What is marked must be there and be known. */
static bool read_critical(const Headers *headers, Critical *out, Error *err)
{
	CborItem list;
	const Header *header = find_number(headers, LABEL_CRITICAL);
	Str rest = header ? header->value : STR("");
	if (!header || !cbor_next(&rest, &list, err) || list.kind != CBOR_ARRAY || !list.number)
		return err_is_set(err) ? false : malformed("no critical headers", err);
	for (uint64_t i = 0; i < list.number; i++) {
		CborItem item;
		if (!cbor_next(&rest, &item, err))
			return false;
		bool is_text = item.kind == CBOR_TEXT;
		bool scheme = is_text && str_eq(item.bytes, STR(NOTATION_SCHEME));
		bool expiry = is_text && str_eq(item.bytes, STR(NOTATION_EXPIRY));
		bool authentic = is_text && str_eq(item.bytes, STR(NOTATION_AUTHENTIC));
		if (!scheme && !expiry && !authentic)
			return err_set(err, ERR_UNSUPPORTED, "critical header that is not known");
		out->scheme |= scheme;
		out->expiry |= expiry;
		out->authentic |= authentic;
	}
	return true;
}

static bool check_critical(const Headers *headers, bool is_authority, Error *err)
{
	Critical critical = {0};
	if (!read_critical(headers, &critical, err))
		return false;
	bool has_expiry = find_text(headers, NOTATION_EXPIRY);
	bool has_authentic = find_text(headers, NOTATION_AUTHENTIC);
	if (!critical.scheme || critical.expiry != has_expiry ||
	    (is_authority && !critical.authentic) || (critical.authentic && !has_authentic))
		return malformed("a header that must be critical is not", err);
	return true;
}

/* --- the envelope --- */

static bool read_protected(Str bytes, NotationEnvelope *out, Error *err)
{
	Headers headers = {0};
	CborItem scheme, type;
	if (!take_headers(&bytes, &headers, err))
		return false;
	if (bytes.len)
		return malformed("bytes behind the headers", err);
	out->algorithm = read_algorithm(&headers);
	if (!out->algorithm)
		return err_set(err, ERR_UNSUPPORTED, "signature algorithm");
	if (!value_of(find_text(&headers, NOTATION_SCHEME), CBOR_TEXT, &scheme) ||
	    !value_of(find_number(&headers, LABEL_CONTENT_TYPE), CBOR_TEXT, &type))
		return malformed("no signing scheme or content type", err);
	autofree char *name = str_dup(scheme.bytes);
	out->content_type = str_dup(type.bytes);
	if (!notation_envelope_scheme(out, name, err) ||
	    !check_critical(&headers, out->is_authority, err))
		return false;
	const char *signed_at = out->is_authority ? NOTATION_AUTHENTIC : NOTATION_SIGNED;
	const Header *expiry = find_text(&headers, NOTATION_EXPIRY);
	return read_time(find_text(&headers, signed_at), &out->signed_s, err) &&
	       (!expiry || read_time(expiry, &out->expiry_s, err));
}

static bool read_unprotected(const Headers *headers, NotationEnvelope *out, Error *err)
{
	CborItem list, item, token;
	const Header *header = find_number(headers, LABEL_CHAIN);
	if (!value_of(header, CBOR_ARRAY, &list) || list.number > CERTIFICATE_MAX_CHAIN)
		return malformed("no chain of certificates, or too long a one", err);
	Str rest = header->value;
	if (!cbor_next(&rest, &list, err))
		return false;
	for (uint64_t i = 0; i < list.number; i++) {
		if (!cbor_next(&rest, &item, err))
			return false;
		if (item.kind != CBOR_BYTES)
			return malformed("a certificate is none", err);
		X509 *certificate = certificate_of_der(item.bytes, err);
		if (!certificate)
			return false;
		vec_push(&out->chain, certificate);
	}
	if (value_of(find_text(headers, NOTATION_TIMESTAMP), CBOR_BYTES, &token))
		buf_add(&out->timestamp, token.bytes);
	return true;
}

/* The four parts of a COSE_Sign1. */
static bool take_parts(Str bytes, CborItem *protected, Headers *unprotected, CborItem *payload,
		       CborItem *signature, Error *err)
{
	CborItem tag, list;
	if (!cbor_next(&bytes, &tag, err) || !cbor_next(&bytes, &list, err))
		return false;
	if (tag.kind != CBOR_TAG || tag.number != TAG_SIGN1 || list.kind != CBOR_ARRAY ||
	    list.number != 4)
		return malformed("not a tagged COSE_Sign1", err);
	if (!cbor_next(&bytes, protected, err) || !take_headers(&bytes, unprotected, err) ||
	    !cbor_next(&bytes, payload, err) || !cbor_next(&bytes, signature, err))
		return false;
	if (protected->kind != CBOR_BYTES || payload->kind != CBOR_BYTES ||
	    signature->kind != CBOR_BYTES || bytes.len)
		return malformed("its parts are others", err);
	return true;
}

/* What is signed: Sig_structure (RFC 9052 4.4). */
static void put_covered(Str protected, Str payload, Buf *out)
{
	static const char context[] = "Signature1";
	cbor_put(out, CBOR_ARRAY, 4);
	cbor_put(out, CBOR_TEXT, sizeof(context) - 1);
	buf_puts(out, context);
	cbor_put(out, CBOR_BYTES, protected.len);
	buf_add(out, protected);
	cbor_put(out, CBOR_BYTES, 0);
	cbor_put(out, CBOR_BYTES, payload.len);
	buf_add(out, payload);
}

bool notation_cose_read(Str bytes, NotationEnvelope *out, Error *err)
{
	CborItem protected, payload, signature;
	autofree Headers *unprotected = mem_zalloc(1, sizeof(*unprotected));
	autobuf Buf covered = {0};
	if (!take_parts(bytes, &protected, unprotected, &payload, &signature, err) ||
	    !read_protected(protected.bytes, out, err) || !read_unprotected(unprotected, out, err))
		return false;
	buf_add(&out->payload, payload.bytes);
	buf_add(&out->signature, signature.bytes);
	put_covered(protected.bytes, payload.bytes, &covered);
	return notation_envelope_signed(out, buf_str(&covered), err);
}
