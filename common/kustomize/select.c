#include "kustomize/select.h"

#include "base/mem.h"
#include "data/regex.h"
#include "data/selector.h"

/*
 * A pattern without a regular expression's signs is compared as text, so that 200 patches by name
 * on 1,000 objects cost 200 look-ups, not 200,000 matches.
 */
typedef struct {
	const char *text; /* NULL or "": any */
	Regex *regex;	  /* owned; NULL: compare with text */
} Pattern;

struct KSelector {
	Pattern group, version, kind, name, ns;
	Selector *labels, *annotations; /* owned; NULL: any */
};

static bool is_literal(const char *text)
{
	return text[strcspn(text, "\\^$.|?*+()[]{}")] == '\0';
}

static bool pattern_init(Pattern *pattern, const json_t *selector, const char *key, Error *err)
{
	pattern->text = json_text(selector, key);
	if (cstr_empty(pattern->text) || is_literal(pattern->text))
		return true;
	pattern->regex = regex_new(pattern->text, REGEX_ANCHORED, err);
	return pattern->regex || err_wrap(err, "target %s", key);
}

static bool pattern_matches_str(const Pattern *pattern, Str text)
{
	if (cstr_empty(pattern->text))
		return true;
	return pattern->regex ? regex_matches(pattern->regex, text.ptr, text.len)
			      : str_eq(str_of(pattern->text), text);
}

static bool pattern_matches(const Pattern *pattern, const char *text)
{
	return pattern_matches_str(pattern, str_of(text));
}

static bool parse_selector(Selector **out, const json_t *selector, const char *key, Error *err)
{
	const char *text = json_text(selector, key);
	if (cstr_empty(text))
		return true;
	*out = selector_parse(text, err);
	return *out || err_wrap(err, "target %s", key);
}

KSelector *kselector_new(const json_t *selector, Error *err)
{
	autokselector KSelector *self = mem_zalloc(1, sizeof(*self));
	if (!pattern_init(&self->group, selector, "group", err) ||
	    !pattern_init(&self->version, selector, "version", err) ||
	    !pattern_init(&self->kind, selector, "kind", err) ||
	    !pattern_init(&self->name, selector, "name", err) ||
	    !pattern_init(&self->ns, selector, "namespace", err) ||
	    !parse_selector(&self->labels, selector, "labelSelector", err) ||
	    !parse_selector(&self->annotations, selector, "annotationSelector", err))
		return NULL;
	return steal(&self);
}

void kselector_free(KSelector *selector)
{
	if (!selector)
		return;
	regex_free(selector->group.regex);
	regex_free(selector->version.regex);
	regex_free(selector->kind.regex);
	regex_free(selector->name.regex);
	regex_free(selector->ns.regex);
	selector_free(selector->labels);
	selector_free(selector->annotations);
	free(selector);
}

static bool matches_gvk(const KSelector *selector, const char *api_version, const char *kind)
{
	return pattern_matches(&selector->kind, kind) &&
	       pattern_matches_str(&selector->group, kgroup_of(api_version)) &&
	       pattern_matches_str(&selector->version, kversion_of(api_version));
}

bool kselector_has_labels(const KSelector *selector)
{
	return selector->labels || selector->annotations;
}

bool kselector_matches_labels(const KSelector *selector, const KResource *res)
{
	const json_t *metadata = json_map(res->tree, "metadata");
	return (!selector->labels ||
		selector_matches(selector->labels, json_map(metadata, "labels"))) &&
	       (!selector->annotations ||
		selector_matches(selector->annotations, json_map(metadata, "annotations")));
}

bool kselector_matches_object(const KSelector *selector, const json_t *object)
{
	const json_t *metadata = json_map(object, "metadata");
	return matches_gvk(selector, json_text_or(object, "apiVersion", ""),
			   json_text_or(object, "kind", "")) &&
	       pattern_matches(&selector->name, json_text_or(metadata, "name", "")) &&
	       pattern_matches(&selector->ns, json_text_or(metadata, "namespace", "")) &&
	       (!selector->labels ||
		selector_matches(selector->labels, json_map(metadata, "labels"))) &&
	       (!selector->annotations ||
		selector_matches(selector->annotations, json_map(metadata, "annotations")));
}

static bool matches(const KSelector *selector, const KResource *res)
{
	if (!res->tree || !matches_gvk(selector, kresource_api_version(res), kresource_kind(res)))
		return false;
	KPrevious first = kresource_original(res), now = kresource_current(res);
	if (!pattern_matches(&selector->name, first.name) &&
	    !pattern_matches(&selector->name, now.name))
		return false;
	if (!pattern_matches(&selector->ns, first.ns) && !pattern_matches(&selector->ns, now.ns))
		return false;
	return kselector_matches_labels(selector, res);
}

void kselector_select(const KSelector *selector, const KSet *set, Vec *out)
{
	bool by_name = !cstr_empty(selector->name.text) && !selector->name.regex;
	autovec Vec named = {0};
	if (by_name)
		kset_find_named(set, selector->name.text, &named);
	const Vec *list = by_name ? &named : &set->items;
	for (size_t i = 0; i < list->len; i++)
		if (matches(selector, list->items[i]))
			vec_push(out, list->items[i]);
}

static bool matches_id(const KSelector *selector, const char *api_version, const char *kind,
		       const char *name, const char *ns)
{
	return pattern_matches(&selector->name, name) && pattern_matches(&selector->ns, ns) &&
	       matches_gvk(selector, api_version, kind);
}

bool kselector_matches_any_id(const KSelector *selector, const KResource *res)
{
	const char *version = kresource_api_version(res);
	if (matches_id(selector, version, kresource_kind(res), kresource_name(res),
		       kresource_namespace(res)))
		return true;
	for (size_t i = 0; i < res->previous_len; i++) {
		const KPrevious *id = &res->previous[i];
		if (matches_id(selector, version, id->kind, id->name, id->ns))
			return true;
	}
	return false;
}
