#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/str.h"
#include "kind.h"

#define SOURCE_VERSION "source.toolkit.fluxcd.io/v1"
#define IMAGE_VERSION "image.toolkit.fluxcd.io/v1"
#define NOTIFICATION_VERSION "notification.toolkit.fluxcd.io/v1beta3"

#define SOURCE "source|sources"
#define IMAGE "image|images"

/* What most kinds have. */
enum { COMMON = KIND_GET | KIND_RECONCILE | KIND_SUSPEND | KIND_ALL | KIND_EVENTS };

static const Column source_columns[] = {
	{"NAME", NULL, false},
	{"REVISION", cell_artifact, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_short_message, false},
};

static const Column helm_columns[] = {
	{"NAME", NULL, false},
	{"REVISION", cell_artifact, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_helm_ready, false},
	{"MESSAGE", cell_helm_message, false},
};

/* A chart's revision is a version, whatever it looks like. */
static const Column chart_columns[] = {
	{"NAME", NULL, false},
	{"REVISION", cell_chart_artifact, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_short_message, false},
};

static const Column external_columns[] = {
	{"NAME", NULL, false},
	{"REVISION", cell_artifact, false},
	{"SOURCE", cell_external_source, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_short_message, false},
};

static const Column repository_columns[] = {
	{"NAME", NULL, false},
	{"LAST SCAN", cell_last_scan, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_message, false},
};

static const Column policy_columns[] = {
	{"NAME", NULL, false},	      {"IMAGE", cell_image, false},	{"TAG", cell_tag, false},
	{"READY", cell_ready, false}, {"MESSAGE", cell_message, false},
};

static const Column update_columns[] = {
	{"NAME", NULL, false},
	{"LAST RUN", cell_last_run, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_message, false},
};

static const Column release_columns[] = {
	{"NAME", NULL, false},
	{"SOURCE", cell_release_source, true},
	{"REVISION", cell_release, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_message, false},
};

static const Column kustomization_columns[] = {
	{"NAME", NULL, false},
	{"SOURCE", cell_source, true},
	{"REVISION", cell_applied, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_short_message, false},
};

static const Column plain_columns[] = {
	{"NAME", NULL, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_ready, false},
	{"MESSAGE", cell_message, false},
};

static const Column provider_columns[] = {
	{"NAME", NULL, false},
	{"READY", cell_true, false},
	{"MESSAGE", cell_provider_message, false},
};

static const Column alert_columns[] = {
	{"NAME", NULL, false},
	{"SUSPENDED", cell_suspended, false},
	{"READY", cell_true, false},
	{"MESSAGE", cell_alert_message, false},
};

#define COLUMNS(table) table, COUNT(table)

static const KindRow kinds[] = {
	{SOURCE, "oci", SOURCE_VERSION, "OCIRepository", "source oci", COMMON,
	 COLUMNS(source_columns), success_fetched},
	{SOURCE, "bucket", SOURCE_VERSION, "Bucket", "source bucket", COMMON,
	 COLUMNS(source_columns), success_fetched},
	{SOURCE, "git", SOURCE_VERSION, "GitRepository", "source git", COMMON,
	 COLUMNS(source_columns), success_fetched},
	{SOURCE, "helm", SOURCE_VERSION, "HelmRepository", "source helm", COMMON,
	 COLUMNS(helm_columns), success_helm},
	{SOURCE, "chart", SOURCE_VERSION, "HelmChart", "source chart", COMMON,
	 COLUMNS(chart_columns), success_fetched},
	{SOURCE, "external", SOURCE_VERSION, "ExternalArtifact", "source external-artifact",
	 KIND_GET | KIND_ALL, COLUMNS(external_columns), NULL},
	{IMAGE, "repository", IMAGE_VERSION, "ImageRepository", "image repository", COMMON,
	 COLUMNS(repository_columns), success_scan},
	{IMAGE, "policy", IMAGE_VERSION, "ImagePolicy", "image policy", COMMON,
	 COLUMNS(policy_columns), success_policy},
	{IMAGE, "update", IMAGE_VERSION, "ImageUpdateAutomation", "image update automation", COMMON,
	 COLUMNS(update_columns), success_update},
	{NULL, "helmreleases|helmrelease|hr", "helm.toolkit.fluxcd.io/v2", "HelmRelease",
	 "helmrelease", COMMON, COLUMNS(release_columns), success_released},
	{NULL, "kustomizations|kustomization|ks", "kustomize.toolkit.fluxcd.io/v1", "Kustomization",
	 "kustomization", COMMON, COLUMNS(kustomization_columns), success_applied},
	{NULL, "receivers|receiver", "notification.toolkit.fluxcd.io/v1", "Receiver", "receiver",
	 COMMON, COLUMNS(plain_columns), success_receiver},
	{NULL, "alert-providers|alert-provider", NOTIFICATION_VERSION, "Provider", "alert provider",
	 KIND_GET | KIND_SUSPEND | KIND_ALL | KIND_EVENTS | KIND_STATIC, COLUMNS(provider_columns),
	 success_provider},
	{NULL, "alerts|alert", NOTIFICATION_VERSION, "Alert", "alert",
	 KIND_GET | KIND_SUSPEND | KIND_ALL | KIND_EVENTS | KIND_STATIC, COLUMNS(alert_columns),
	 success_alert},
	{"artifact|artifacts", "generators|generator", "source.extensions.fluxcd.io/v1beta1",
	 "ArtifactGenerator", "artifactgenerator", KIND_GET | KIND_EVENTS, COLUMNS(plain_columns),
	 NULL},
};

const KindRow *kinds_all(size_t *out_count)
{
	*out_count = COUNT(kinds);
	return kinds;
}

const KindRow *kind_by_name(const char *kind)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcasecmp(kinds[i].kind, kind) == 0)
			return &kinds[i];
	return NULL;
}

bool kind_is_static(const KindRow *row, const json_t *object)
{
	return (row->traits & KIND_STATIC) ||
	       (cstr_eq(row->kind, "HelmRepository") &&
		cstr_eq(json_text(json_map(object, "spec"), "type"), "oci"));
}

bool kind_has_word(const char *alternatives, const char *word)
{
	Str rest = str_of(alternatives), piece;
	while (str_next(&rest, '|', &piece))
		if (str_eq(piece, str_of(word)))
			return true;
	return false;
}

char *kind_words(const KindRow *row)
{
	autobuf Buf out = {0};
	Str rest = str_of(row->words), piece, family;
	str_cut(str_of(row->family), '|', &family, &(Str){0});
	while (str_next(&rest, '|', &piece)) {
		if (out.len)
			buf_puts(&out, ", ");
		buf_add(&out, family);
		if (family.len)
			buf_putc(&out, ' ');
		buf_add(&out, piece);
	}
	return buf_steal(&out);
}

/* What could have been said, for the error. */
static void add_choices(unsigned traits, Buf *out)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if ((kinds[i].traits & traits) != traits)
			continue;
		autofree char *words = kind_words(&kinds[i]);
		words[strcspn(words, ",")] = '\0';
		buf_printf(out, "%s%s", out->len ? ", " : "", words);
	}
}

const KindRow *kind_of_words(const Command *command, unsigned traits, size_t *at, Error *err)
{
	const char *first = command_word(command, *at);
	const char *second = command_word(command, *at + 1);
	for (size_t i = 0; first && i < COUNT(kinds); i++) {
		const KindRow *row = &kinds[i];
		bool matches = row->family ? kind_has_word(row->family, first) && second &&
						     kind_has_word(row->words, second)
					   : kind_has_word(row->words, first);
		if (!matches || (row->traits & traits) != traits)
			continue;
		*at += row->family ? 2 : 1;
		return row;
	}
	autobuf Buf choices = {0};
	add_choices(traits, &choices);
	if (!first)
		return err_null(err, ERR_INVALID, "a kind is required: %s", buf_text(&choices));
	return err_null(err, ERR_INVALID, "unknown kind \"%s%s%s\" for sluice %s: %s", first,
			second ? " " : "", second ? second : "", command->verb->name,
			buf_text(&choices));
}

bool kind_words_are_all(const Command *command, const char **out_family, size_t *at)
{
	const char *first = command_word(command, *at);
	const char *second = command_word(command, *at + 1);
	*out_family = NULL;
	if (first && cstr_eq(first, "all")) {
		++*at;
		return true;
	}
	if (!first || !second || !cstr_eq(second, "all"))
		return false;
	if (kind_has_word(SOURCE, first))
		*out_family = SOURCE;
	else if (kind_has_word(IMAGE, first))
		*out_family = IMAGE;
	if (*out_family)
		*at += 2;
	return *out_family != NULL;
}
