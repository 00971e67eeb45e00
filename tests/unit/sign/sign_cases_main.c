/* The differential suite (tests/differential/sign) runs this program beside sigstore's and
 * notation's own verifiers: a case a line, a verdict a line. */
#include <stdio.h>

#include "base/clock.h"
#include "data/base64.h"
#include "data/json.h"
#include "sign/cosign.h"
#include "sign/keyless.h"
#include "sign/notation.h"

enum { MAX_LINE = 64 << 20 };

static bool read_identities(const json_t *list, KeylessIdentities *out, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		if (!keyless_identities_add(out, json_text(item, "issuer"),
					    json_text(item, "subject"), err))
			return false;
	}
	return true;
}

static bool check_key(const json_t *wanted, Error *err)
{
	autopublickey PublicKey *key = public_key_of_pem(str_of(json_text(wanted, "key")), err);
	const char *bundle = json_text(wanted, "bundle"), *digest = json_text(wanted, "digest");
	const CosignKeys keys = {&key, 1};
	if (!key)
		return false;
	return bundle ? cosign_verify_bundle(str_of(bundle), digest, &keys, err)
		      : cosign_verify_payload(str_of(json_text(wanted, "payload")),
					      json_text(wanted, "signature"), digest, &keys, err);
}

static bool check_sigstore(const json_t *wanted, Error *err)
{
	if (json_text(wanted, "key"))
		return check_key(wanted, err);
	autoidentities KeylessIdentities identities = {0};
	autotrustedroot TrustedRoot *root =
		trusted_root_parse(str_of(json_text(wanted, "root")), err);
	const char *bundle = json_text(wanted, "bundle"), *digest = json_text(wanted, "digest");
	if (!root || !read_identities(json_list(wanted, "identities"), &identities, err))
		return false;
	const KeylessTrust trust = {root, &identities};
	const KeylessSignature signature = {json_text(wanted, "signature"),
					    json_text(wanted, "cert"),
					    json_text(wanted, "logentry")};
	return bundle ? keyless_verify_bundle(str_of(bundle), digest, &trust, err)
		      : keyless_verify_payload(str_of(json_text(wanted, "payload")), &signature,
					       digest, &trust, err);
}

static bool fill_store(const json_t *list, NotationStore *out, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(list), i, item)
	{
		if (!notation_store_add(out, "x.pem", str_of(json_string_value(item)), err))
			return false;
	}
	return true;
}

/* "HOST/REPOSITORY@DIGEST" without the digest. Owned. */
static char *scope_of(const char *reference)
{
	Str scope, digest;
	str_cut(str_of(reference), '@', &scope, &digest);
	return str_dup(scope);
}

static bool check_notation(const json_t *wanted, NotationVerdict *out, Error *err)
{
	const char *text = json_text_or(wanted, "envelope", "");
	const json_t *descriptor = json_map(wanted, "descriptor");
	const NotationTarget target = {json_text(descriptor, "mediaType"),
				       json_text(descriptor, "digest"),
				       json_int(descriptor, "size", 0)};
	autobuf Buf envelope = {0};
	autofree char *scope = scope_of(json_text(wanted, "reference"));
	autonotationstore NotationStore *store = notation_store_new();
	autonotationpolicy NotationPolicy *policy =
		notation_policy_parse(str_of(json_text(wanted, "policy")), err);
	const NotationStatement *statement =
		policy ? notation_policy_find(policy, scope, err) : NULL;
	*out = NOTATION_TOLERATED;
	if (!statement || notation_statement_skips(statement))
		return statement;
	return fill_store(json_list(wanted, "certs"), store, err) &&
	       base64_decode(text, strlen(text), &envelope, err) &&
	       notation_verify(buf_str(&envelope), json_text(wanted, "type"), &target, statement,
			       store, clock_wall_ms() / 1000, out, err);
}

/* A line, whatever the input put into the text. */
static void print_refusal(const char *text)
{
	fputs("refused: ", stdout);
	for (; *text; text++)
		putchar(*text == '\n' ? ' ' : *text);
	putchar('\n');
}

static void answer(const char *line, size_t len)
{
	autoerror Error err = {0};
	autojson json_t *wanted = json_parse(line, len, MAX_LINE, &err);
	NotationVerdict verdict = NOTATION_VERIFIED;
	if (wanted && (json_text(wanted, "policy") ? check_notation(wanted, &verdict, &err)
						   : check_sigstore(wanted, &err)))
		puts(verdict == NOTATION_VERIFIED ? "good" : "ignored");
	else
		print_refusal(err_text(&err));
	fflush(stdout);
}

int main(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;
	while ((len = getline(&line, &cap, stdin)) > 0)
		answer(line, (size_t)len);
	free(line);
	return 0;
}
