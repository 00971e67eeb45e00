/*
 * Commits and tags as bytes. A commit's signature is a header (gpgsig) whose further lines start
 * with a blank; it covers the object without gpgsig and gpgsig-sha256. A tag's signature is the end
 * of its message, from the last line that begins an armor. Both as git verify-commit and verify-tag
 * have it. An object with a NUL byte counts as unsigned: a text that ends there would hide the
 * rest.
 */
#include "git/object.h"

#include "base/buf.h"
#include "base/mem.h"
#include "git/protocol.h"

void git_commit_dispose(GitCommit *commit)
{
	free(commit->name);
	free(commit->message);
	free(commit->author);
	free(commit->committer);
	free(commit->signature);
	free(commit->signed_payload);
	*commit = (GitCommit){0};
}

/* "KEY VALUE" in line; the value when the key fits. */
static bool is_header(Str line, Str key, Str *out_value)
{
	if (line.len <= key.len || !str_starts(line, key) || line.ptr[key.len] != ' ')
		return false;
	*out_value = str_slice(line, key.len + 1, line.len);
	return true;
}

/* "Name <mail> SECONDS ZONE": the part up to ">" goes to *name unless it is set. */
static void take_ident(Str value, char **name, int64_t *time_s)
{
	size_t end = value.len;
	if (*name)
		return;
	while (end > 0 && value.ptr[end - 1] != '>')
		end--;
	if (end == 0) {
		*name = str_dup(value);
		return;
	}
	*name = str_dup(str_slice(value, 0, end));
	Str digits, zone;
	unsigned long long seconds;
	str_cut(str_trim(str_slice(value, end, value.len)), ' ', &digits, &zone);
	if (time_s && str_to_u64(digits, &seconds) && seconds <= INT64_MAX)
		*time_s = (int64_t)seconds;
}

static bool take_hash(Str value, char *out, Error *err)
{
	if (!git_hash_is_valid(value))
		return err_set(err, ERR_INVALID, "object header without a SHA-1");
	memcpy(out, value.ptr, value.len);
	out[value.len] = '\0';
	return true;
}

/* --- commits --- */

typedef struct {
	Buf signature, payload;
	bool in_signature; /* the header being read is one */
	bool dropped;	   /* and gpgsig-sha256, of which nothing is kept */
	int signatures;
} Signing;

static void signing_dispose(Signing *signing)
{
	buf_dispose(&signing->signature);
	buf_dispose(&signing->payload);
}

static void put_line(Buf *out, Str line)
{
	buf_add(out, line);
	buf_putc(out, '\n');
}

/* Sorts a header line into signature or payload. */
static void sort_line(Signing *signing, Str line)
{
	Str value;
	if (line.len && line.ptr[0] == ' ') {
		if (signing->in_signature)
			put_line(&signing->signature, str_slice(line, 1, line.len));
		else if (!signing->dropped)
			put_line(&signing->payload, line);
		return;
	}
	signing->in_signature = is_header(line, STR("gpgsig"), &value);
	signing->dropped = is_header(line, STR("gpgsig-sha256"), &(Str){0});
	if (signing->in_signature) {
		signing->signatures++;
		put_line(&signing->signature, value);
	} else if (!signing->dropped) {
		put_line(&signing->payload, line);
	}
}

static void take_person(GitCommit *out, Str line)
{
	Str value;
	if (is_header(line, STR("author"), &value))
		take_ident(value, &out->author, NULL);
	else if (is_header(line, STR("committer"), &value))
		take_ident(value, &out->committer, &out->time_s);
}

/* The headers, up to the empty line; what follows goes to *message. */
static bool parse_headers(Str raw, GitCommit *out, Signing *signing, Str *message, Error *err)
{
	Str line, value;
	str_cut(raw, '\n', &line, &raw);
	if (!is_header(line, STR("tree"), &value) || !take_hash(value, out->tree, err))
		return err_is_set(err) ? false : err_set(err, ERR_INVALID, "commit without a tree");
	sort_line(signing, line);
	while (raw.len) {
		str_cut(raw, '\n', &line, &raw);
		if (line.len == 0)
			break;
		take_person(out, line);
		sort_line(signing, line);
	}
	if (!out->author || !out->committer)
		return err_set(err, ERR_INVALID, "commit without author or committer");
	*message = raw;
	return true;
}

bool git_commit_parse(Str raw, GitCommit *out, Error *err)
{
	__attribute__((cleanup(signing_dispose))) Signing signing = {0};
	autogitcommit GitCommit commit = {0};
	Str message;
	if (!parse_headers(raw, &commit, &signing, &message, err))
		return false;
	if (signing.signatures > 1)
		return err_set(err, ERR_INVALID, "commit with more than one signature");
	commit.message = str_dup(message);
	bool has_nul = memchr(raw.ptr, '\0', raw.len) != NULL;
	if (signing.signatures && !has_nul) {
		buf_putc(&signing.payload, '\n');
		buf_add(&signing.payload, message);
		commit.signature = buf_steal(&signing.signature);
		commit.signed_payload = buf_steal(&signing.payload);
	}
	*out = commit;
	commit = (GitCommit){0};
	return true;
}

/* --- tags --- */

/* Where the last armor begins, or the length. */
static size_t find_armor(Str text)
{
	static const char *const begins[] = {
		"-----BEGIN PGP SIGNATURE-----",
		"-----BEGIN PGP MESSAGE-----",
		"-----BEGIN SSH SIGNATURE-----",
		"-----BEGIN SIGNED MESSAGE-----",
	};
	size_t found = text.len;
	Str rest = text, line;
	while (str_next(&rest, '\n', &line))
		for (size_t i = 0; i < COUNT(begins); i++)
			if (str_starts(line, str_of(begins[i])))
				found = (size_t)(line.ptr - text.ptr);
	return found;
}

static bool take_tag_header(GitCommit *tag, Str line, Error *err)
{
	Str value;
	if (is_header(line, STR("object"), &value) && !tag->target[0])
		return take_hash(value, tag->target, err);
	if (is_header(line, STR("type"), &value))
		tag->target_is_commit = str_eq(value, STR("commit"));
	else if (is_header(line, STR("tag"), &value) && !tag->name)
		tag->name = str_dup(value);
	else if (is_header(line, STR("tagger"), &value))
		take_ident(value, &tag->committer, &tag->time_s);
	return true;
}

bool git_tag_parse(Str raw, GitCommit *out, Error *err)
{
	autogitcommit GitCommit tag = {0};
	Str rest = raw, line;
	while (rest.len) {
		str_cut(rest, '\n', &line, &rest);
		if (line.len == 0)
			break;
		if (!take_tag_header(&tag, line, err))
			return false;
	}
	if (!tag.target[0] || !tag.name)
		return err_set(err, ERR_INVALID, "tag without object or name");
	size_t armor = find_armor(rest);
	tag.message = str_dup(str_slice(rest, 0, armor));
	tag.author = mem_strdup(tag.committer);
	bool has_nul = memchr(raw.ptr, '\0', raw.len) != NULL;
	if (armor < rest.len && !has_nul) {
		tag.signature = str_dup(str_slice(rest, armor, rest.len));
		tag.signed_payload = str_dup(str_slice(raw, 0, raw.len - rest.len + armor));
	}
	*out = tag;
	tag = (GitCommit){0};
	return true;
}
