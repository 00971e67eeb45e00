/* Which kinds the command line knows, and by what words. */
#include <string.h>

#include "base/str.h"
#include "cli.h"

#define SOURCE "source.toolkit.fluxcd.io/v1"
#define NOTIFICATION "notification.toolkit.fluxcd.io/v1beta3"

static const KindWord kinds[] = {
	{"source", "git", SOURCE, "GitRepository", "gitrepository"},
	{"source", "oci", SOURCE, "OCIRepository", "ocirepository"},
	{"source", "helm", SOURCE, "HelmRepository", "helmrepository"},
	{"source", "chart", SOURCE, "HelmChart", "helmchart"},
	{"source", "bucket", SOURCE, "Bucket", "bucket"},
	{NULL, "kustomization|kustomizations|ks", "kustomize.toolkit.fluxcd.io/v1", "Kustomization",
	 "kustomization"},
	{NULL, "alert|alerts", NOTIFICATION, "Alert", "alert"},
	{NULL, "alert-provider|alert-providers", NOTIFICATION, "Provider", "provider"},
};

static bool has_word(const char *alternatives, const char *word)
{
	Str rest = str_of(alternatives), piece;
	while (str_next(&rest, '|', &piece))
		if (str_eq(piece, str_of(word)))
			return true;
	return false;
}

const KindWord *kind_of_words(const Command *command, size_t *at, Error *err)
{
	const char *first = *at < command->word_count ? command->words[*at] : "";
	bool source = cstr_eq(first, "source") || cstr_eq(first, "sources");
	if (source)
		++*at;
	const char *word = *at < command->word_count ? command->words[*at] : "";
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (source != (kinds[i].group_word != NULL) || !has_word(kinds[i].words, word))
			continue;
		++*at;
		return &kinds[i];
	}
	return err_null(err, ERR_INVALID,
			"unknown kind \"%s%s%s\": source git|oci|helm|chart|bucket, kustomization, "
			"alert or alert-provider",
			source ? "source" : "", source && *word ? " " : "", word);
}
