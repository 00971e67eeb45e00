#include "sign/dsse.h"

#include "data/base64.h"
#include "data/digest.h"
#include "data/json.h"

enum { MAX_SUBJECTS = 1024 };

#define STATEMENT_PREFIX "https://in-toto.io/Statement/"

void dsse_covered(const char *type, Str payload, Buf *out)
{
	buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, payload.len);
	buf_add(out, payload);
}

bool dsse_decode(const char *base64, size_t limit, Buf *out, Error *err)
{
	size_t len = base64 ? strlen(base64) : 0;
	if (len == 0 || len > limit)
		return err_set(err, ERR_INVALID, "no base64, or too long a one");
	return base64_decode(base64, len, out, err);
}

bool dsse_statement_names(Str statement, const char *digest, Error *err)
{
	autojson json_t *root = json_parse(statement.ptr, statement.len, DSSE_MAX_PAYLOAD, err);
	if (!root)
		return err_wrap(err, "statement");
	if (!cstr_starts(json_text_or(root, "_type", ""), STATEMENT_PREFIX))
		return err_set(err, ERR_INVALID, "the envelope holds no in-toto statement");
	Str algorithm, hex;
	str_cut(str_of(digest), ':', &algorithm, &hex);
	autofree char *name = str_dup(algorithm);
	const json_t *subjects = json_list(root, "subject");
	size_t i;
	json_t *subject;
	if (json_array_size(subjects) > MAX_SUBJECTS)
		return err_set(err, ERR_LIMIT, "a statement about more than %d subjects",
			       MAX_SUBJECTS);
	json_array_foreach(json_borrow(subjects), i, subject)
	{
		const char *named = json_text_at(subject, "digest", name, NULL);
		if (named && digest_equal(named, hex.ptr))
			return true;
	}
	return err_set(err, ERR_FORBIDDEN, "the statement is about another image than %s", digest);
}
