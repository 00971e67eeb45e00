/* What a server can do, as the words that it sent. */
#include "git/protocol.h"

#include "base/mem.h"

void git_caps_dispose(GitCaps *caps)
{
	vec_dispose_strings(&caps->caps);
	caps->version = 0;
}

bool git_caps_add(GitCaps *caps, Str word, Error *err)
{
	if (caps->caps.len >= GIT_MAX_CAPS)
		return err_set(err, ERR_LIMIT, "more than %d capabilities", GIT_MAX_CAPS);
	vec_push(&caps->caps, str_dup(word));
	return true;
}

const char *git_caps_get(const GitCaps *caps, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < caps->caps.len; i++) {
		const char *cap = caps->caps.items[i];
		if (strncmp(cap, name, len) != 0 || (cap[len] != '\0' && cap[len] != '='))
			continue;
		return cap[len] ? cap + len + 1 : "";
	}
	return NULL;
}

bool git_caps_has_word(const GitCaps *caps, const char *name, const char *word)
{
	Str rest = str_of(git_caps_get(caps, name)), piece;
	while (str_next(&rest, ' ', &piece))
		if (str_eq(piece, str_of(word)))
			return true;
	return false;
}

bool git_caps_check_format(const GitCaps *caps, Error *err)
{
	const char *format = git_caps_get(caps, "object-format");
	if (!format || cstr_eq(format, "sha1"))
		return true;
	return err_set(err, ERR_UNSUPPORTED,
		       "the repository's object format is %.16s: only sha1 is supported", format);
}
