/* Which kinds the command line knows, and by what words. */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli.h"

#define SOURCE "source.toolkit.fluxcd.io/v1"
#define NOTIFICATION "notification.toolkit.fluxcd.io/v1beta3"

static const KindRow kinds[] = {
	{"source", "git", SOURCE, "GitRepository"},
	{"source", "oci", SOURCE, "OCIRepository"},
	{"source", "helm", SOURCE, "HelmRepository"},
	{"source", "chart", SOURCE, "HelmChart"},
	{"source", "bucket", SOURCE, "Bucket"},
	{
		NULL,
		"kustomization|kustomizations|ks",
		"kustomize.toolkit.fluxcd.io/v1",
		"Kustomization",
	},
	{NULL, "alert|alerts", NOTIFICATION, "Alert"},
	{NULL, "alert-provider|alert-providers", NOTIFICATION, "Provider"},
};

static bool has_word(const char *alternatives, const char *word)
{
	Str rest = str_of(alternatives), piece;
	while (str_next(&rest, '|', &piece))
		if (str_eq(piece, str_of(word)))
			return true;
	return false;
}

const KindRow *kinds_all(size_t *out_count)
{
	*out_count = COUNT(kinds);
	return kinds;
}

char *kind_words(const KindRow *row)
{
	autobuf Buf out = {0};
	Str rest = str_of(row->words), piece;
	while (str_next(&rest, '|', &piece)) {
		if (out.len)
			buf_puts(&out, ", ");
		if (row->family)
			buf_printf(&out, "%s ", row->family);
		buf_add(&out, piece);
	}
	return buf_steal(&out);
}

const KindRow *kind_of_words(const Command *command, size_t *at, Error *err)
{
	const char *first = command_word(command, *at);
	bool source = cstr_eq(first, "source") || cstr_eq(first, "sources");
	if (source)
		++*at;
	const char *word = command_word(command, *at);
	if (!word)
		word = "";
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (source != (kinds[i].family != NULL) || !has_word(kinds[i].words, word))
			continue;
		++*at;
		return &kinds[i];
	}
	return err_null(err, ERR_INVALID,
			"unknown kind \"%s%s%s\": source git|oci|helm|chart|bucket, kustomization, "
			"alert or alert-provider",
			source ? "source" : "", source && *word ? " " : "", word);
}
