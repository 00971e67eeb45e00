#include "charts/provenance.h"

#include "base/mem.h"
#include "data/base64.h"
#include "data/digest.h"
#include "data/yaml.h"
#include "sign/openpgp.h"

#define TEXT_MARK "-----BEGIN PGP SIGNED MESSAGE-----"
#define SIGNATURE_MARK "-----BEGIN PGP SIGNATURE-----"

void provenance_dispose(Provenance *provenance)
{
	buf_dispose(&provenance->plain);
	buf_dispose(&provenance->canonical);
	*provenance = (Provenance){0};
}

/* Without "\r" at its end; false at the end of the text. */
static bool next_line(Str *rest, Str *out)
{
	if (!rest->ptr || rest->len == 0)
		return false;
	str_cut(*rest, '\n', out, rest);
	if (out->len && out->ptr[out->len - 1] == '\r')
		out->len--;
	return true;
}

static Str without_end_blanks(Str line)
{
	while (line.len && (line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
		line.len--;
	return line;
}

/* To the empty line behind the headers; which digest they promise the signature itself says. */
static bool skip_head(Str *rest, Error *err)
{
	Str line;
	bool found = false;
	while (next_line(rest, &line)) {
		Str text = without_end_blanks(line);
		if (found && text.len == 0)
			return true;
		found |= str_eq(text, STR(TEXT_MARK));
	}
	return err_set(err, ERR_INVALID, "signature block not found");
}

static void add_line(Provenance *out, Str line)
{
	Str text = str_starts(line, STR("- ")) ? str_slice(line, 2, line.len) : line;
	/* The last line's end is not signed (RFC 9580 7.2). */
	if (out->plain.len)
		buf_puts(&out->canonical, "\r\n");
	buf_add(&out->canonical, without_end_blanks(text));
	buf_add(&out->plain, text);
	buf_putc(&out->plain, '\n');
}

bool provenance_parse(Str text, Provenance *out, Error *err)
{
	Str rest = text, line;
	if (text.len > PROVENANCE_MAX)
		return err_set(err, ERR_LIMIT, "provenance of more than %d bytes", PROVENANCE_MAX);
	if (!skip_head(&rest, err))
		return false;
	autoprovenance Provenance own = {0};
	while (next_line(&rest, &line)) {
		if (str_eq(without_end_blanks(line), STR(SIGNATURE_MARK))) {
			own.signature =
				str_sized(line.ptr, (size_t)(text.ptr + text.len - line.ptr));
			*out = own;
			own = (Provenance){0};
			return true;
		}
		add_line(&own, line);
	}
	return err_set(err, ERR_INVALID, "signature block not found");
}

char *provenance_digest(const Provenance *provenance, const char *file, Error *err)
{
	static const char separator[] = "\n...\n";
	Str text = buf_str(&provenance->plain);
	ptrdiff_t at = str_find(text, STR("\n...\n"));
	if (at < 0)
		return err_null(err, ERR_INVALID, "message block must have at least two parts");
	text = str_slice(text, (size_t)at + strlen(separator), text.len);
	ptrdiff_t end = str_find(text, STR("\n...\n"));
	if (end >= 0)
		text.len = (size_t)end;
	autojson json_t *sums = yaml_parse_old(text.ptr, text.len, PROVENANCE_MAX, "yaml", err);
	if (!sums)
		return NULL;
	const char *sum = json_text(json_map(sums, "files"), file);
	return sum ? mem_strdup(sum)
		   : err_null(err, ERR_INVALID,
			      "provenance does not contain a SHA for a file named \"%s\"", file);
}

/* openpgp_verify reads armored keys only, as its other users must. */
static void armor_keys(Str keyring, Buf *out)
{
	enum { LINE = 48 }; /* bytes; 64 digits */
	buf_puts(out, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n");
	for (size_t at = 0; at < keyring.len; at += LINE) {
		size_t len = keyring.len - at < LINE ? keyring.len - at : LINE;
		autofree char *line = base64_encode(keyring.ptr + at, len);
		buf_printf(out, "%s\n", line);
	}
	buf_puts(out, "-----END PGP PUBLIC KEY BLOCK-----\n");
}

bool provenance_verify(Str text, Str archive, const char *file, Str keyring, Error *err)
{
	autoprovenance Provenance provenance = {0};
	autobuf Buf keys = {0};
	autofree char *key = NULL;
	char digest[DIGEST_TEXT_SIZE];
	if (!provenance_parse(text, &provenance, err))
		return false;
	armor_keys(keyring, &keys);
	Str armored = buf_str(&keys);
	if (!openpgp_verify(provenance.signature, buf_str(&provenance.canonical), &armored, 1, &key,
			    err))
		return false;
	autofree char *wanted = provenance_digest(&provenance, file, err);
	if (!wanted)
		return false;
	digest_of(DIGEST_SHA256, archive.ptr, archive.len, digest);
	return cstr_eq(wanted, digest) ||
	       err_set(err, ERR_FORBIDDEN, "sha256 sum does not match for %s: \"%s\" != \"%s\"",
		       file, wanted, digest);
}
