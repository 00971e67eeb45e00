/* Distinguished names as notation compares them: by attribute, byte for byte. */
#include <openssl/objects.h>

#include "base/mem.h"
#include "sign/notation_internal.h"

enum { MAX_NAME = 4096 };

static bool put(Map *map, const char *key, char *take_value, Error *err)
{
	autofree char *value = take_value;
	const char *name = cstr_eq(key, "S") ? "ST" : key;
	if (!cstr_empty(map_get(map, name)))
		return err_set(err, ERR_INVALID, "distinguished name with two of %.40s", name);
	map_put(map, name, steal(&value));
	return true;
}

static bool check_mandatory(const Map *map, Error *err)
{
	static const char *const names[] = {"C", "ST", "O"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (cstr_empty(map_get(map, names[i])))
			return err_set(err, ERR_INVALID,
				       "distinguished name without %s: C, ST and O are needed",
				       names[i]);
	return true;
}

/* --- text --- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* Takes what stands behind a backslash: two hex digits, or the character itself. */
static bool take_escaped(Str *rest, Buf *out, Error *err)
{
	if (rest->len >= 2 && hex_digit(rest->ptr[0]) >= 0 && hex_digit(rest->ptr[1]) >= 0) {
		buf_putc(out, (char)(hex_digit(rest->ptr[0]) << 4 | hex_digit(rest->ptr[1])));
		*rest = str_slice(*rest, 2, rest->len);
		return true;
	}
	if (rest->len == 0 || !strchr(" \"#+,;<=>\\", rest->ptr[0]))
		return err_set(err, ERR_INVALID, "distinguished name with a bad escape");
	buf_putc(out, rest->ptr[0]);
	*rest = str_slice(*rest, 1, rest->len);
	return true;
}

/* A value up to a comma; blanks at its ends do not count unless they are escaped. */
static bool take_value(Str *rest, Buf *out, Error *err)
{
	size_t kept = 0;
	while (rest->len && rest->ptr[0] == ' ')
		*rest = str_slice(*rest, 1, rest->len);
	while (rest->len) {
		char c = rest->ptr[0];
		*rest = str_slice(*rest, 1, rest->len);
		if (c == ',' || c == ';')
			break;
		if (c == '+')
			return err_set(err, ERR_INVALID,
				       "distinguished name with two values in one part");
		if (c == '\\' && !take_escaped(rest, out, err))
			return false;
		if (c != '\\')
			buf_putc(out, c);
		if (c != ' ')
			kept = out->len;
	}
	if (out->len > kept)
		out->ptr[out->len = kept] = '\0';
	return true;
}

static bool take_part(Str *rest, Map *map, Error *err)
{
	Str type;
	autobuf Buf value = {0};
	if (!str_cut(*rest, '=', &type, rest))
		return err_set(err, ERR_INVALID, "distinguished name with a part without '='");
	if (!take_value(rest, &value, err))
		return false;
	autofree char *name = str_dup(str_trim(type));
	return put(map, name, buf_steal(&value), err);
}

Map *notation_dn_parse(const char *text, Error *err)
{
	Str rest = str_of(text);
	automap Map *map = map_new(free);
	if (rest.len > MAX_NAME || str_find(rest, STR("=#")) >= 0)
		return err_null(err, ERR_INVALID,
				"distinguished name that is too long or has '=#'");
	while (rest.len)
		if (!take_part(&rest, map, err))
			return NULL;
	return check_mandatory(map, err) ? steal(&map) : NULL;
}

/* --- certificates --- */

/* What Go's pkix.Name writes by name; others it writes as "OID=#...", which is refused. */
static const struct {
	int nid;
	const char *name;
} attributes[] = {
	{NID_countryName, "C"},
	{NID_organizationName, "O"},
	{NID_organizationalUnitName, "OU"},
	{NID_commonName, "CN"},
	{NID_serialNumber, "SERIALNUMBER"},
	{NID_localityName, "L"},
	{NID_stateOrProvinceName, "ST"},
	{NID_streetAddress, "STREET"},
	{NID_postalCode, "POSTALCODE"},
};

static const char *attribute_name(const X509_NAME_ENTRY *entry)
{
	int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
	for (size_t i = 0; i < COUNT(attributes); i++)
		if (attributes[i].nid == nid)
			return attributes[i].name;
	return NULL;
}

static bool put_entry(Map *map, const X509_NAME_ENTRY *entry, Error *err)
{
	const char *name = attribute_name(entry);
	unsigned char *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
	bool ok = name && len > 0 && !memchr(text, 0, (size_t)len);
	if (ok)
		ok = put(map, name, mem_strndup((const char *)text, (size_t)len), err);
	else
		err_set(err, ERR_INVALID, "subject with an attribute that cannot be compared");
	OPENSSL_free(text);
	return ok;
}

Map *notation_dn_of(const X509 *certificate, Error *err)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	automap Map *map = map_new(free);
	for (int i = 0; i < X509_NAME_entry_count(subject); i++)
		if (!put_entry(map, X509_NAME_get_entry(subject, i), err))
			return NULL;
	return check_mandatory(map, err) ? steal(&map) : NULL;
}

bool notation_dn_within(const Map *part, const Map *whole)
{
	size_t at = 0;
	const char *key;
	void *value;
	while (map_next(part, &at, &key, &value)) {
		const char *other = map_get(whole, key);
		if (!cstr_eq(value, other ? other : ""))
			return false;
	}
	return true;
}
