/* The commands, and the namespace that they work in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli.h"

enum { LABEL_MAX = 63 };

static const Verb *const verbs[] = {
	&verb_up,    &verb_get,	 &verb_reconcile, &verb_suspend, &verb_resume,	&verb_events,
	&verb_build, &verb_diff, &verb_kustomize, &verb_helm,	 &verb_version, &verb_completion,
	NULL,
};

const Verb *const *verbs_all(void)
{
	return verbs;
}

/* RFC 1123 label. */
bool namespace_is_valid(const char *text)
{
	size_t len = strlen(text);
	return len && len <= LABEL_MAX && text[0] != '-' && text[len - 1] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* A variable that holds no name of a namespace is told about and passed over. */
const char *namespace_default(void)
{
	const char *ns = getenv("FLUX_SYSTEM_NAMESPACE");
	if (cstr_empty(ns))
		return "flux-system";
	if (namespace_is_valid(ns))
		return ns;
	fprintf(stderr, "⚠️  ignoring invalid FLUX_SYSTEM_NAMESPACE: \"%s\"\n", ns);
	return "flux-system";
}
