#include "kustomize/refs.h"

#include "base/map.h"
#include "base/mem.h"
#include "data/written.h"
#include "kustomize/order.h"
#include "kustomize/refs_table.h"

/*
 * For each object the fields of its kind that may name others; for each name found the objects that
 * were once called so, by the set's index. So the cost grows with references, not with their
 * square.
 */

/* One field that may hold a reference to a kind. */
typedef struct {
	RefTarget target;
	const FieldSpec *field;
} Rule;

/* What one run looks things up in. */
typedef struct {
	const KSet *set;
	const KConfig *added;
	KHints by_place;	 /* by a former name with the namespace now; by the name alone */
	Map *rules;		 /* referrer's kind -> Vec of Rule; filled as kinds are met */
	Map *by_first_namespace; /* effective namespace at first -> Vec of KResource; NULL until
				  * it is asked for */
} Refs;

typedef struct {
	Refs *refs;
	KResource *referrer;
	const Rule *rule;
} Search;

static void free_rules(void *pointer)
{
	Vec *list = pointer;
	vec_dispose_with(list, free);
	free(list);
}

static void free_vec(void *pointer)
{
	Vec *vec = pointer;
	vec_dispose(vec);
	free(vec);
}

static void dispose_refs(Refs *refs)
{
	khints_dispose(&refs->by_place);
	map_free(refs->rules);
	map_free(refs->by_first_namespace);
}
#define autorefs __attribute__((cleanup(dispose_refs)))

static void add_rule(Vec *list, RefTarget target, const FieldSpec *field)
{
	Rule *rule = mem_alloc(sizeof(*rule));
	*rule = (Rule){target, field};
	vec_push(list, rule);
}

/* Fields that `added` names for a kind; "": for any. */
static void add_configured(Vec *list, const KConfig *added, const char *kind)
{
	for (size_t i = 0; i < added->back_refs.len; i++) {
		const KBackRef *ref = added->back_refs.items[i];
		for (size_t j = 0; j < ref->referrers.len; j++) {
			const FieldSpec *field = ref->referrers.items[j];
			if (cstr_eq(field->kind ? field->kind : "", kind))
				add_rule(list, (RefTarget){ref->group, ref->version, ref->kind},
					 field);
		}
	}
}

static int compare_parts(const char *a, const char *b, const char *none)
{
	return strcmp(cstr_empty(a) ? none : a, cstr_empty(b) ? none : b);
}

/* Upstream tries the kinds that a name may mean in its legacy order, whatever file names them. */
static int compare_rules(const void *a, const void *b)
{
	const RefTarget *left = &((const Rule *)a)->target, *right = &((const Rule *)b)->target;
	int by_rank = order_rank(left->kind) - order_rank(right->kind);
	if (by_rank)
		return by_rank;
	int by_group = compare_parts(left->group, right->group, "~G");
	if (by_group)
		return by_group;
	int by_version = compare_parts(left->version, right->version, "~V");
	return by_version ? by_version : compare_parts(left->kind, right->kind, "~K");
}

static const Vec *rules_of(Refs *refs, const char *kind)
{
	Vec *list = map_get(refs->rules, kind);
	if (list)
		return list;
	list = mem_zalloc(1, sizeof(*list));
	size_t len;
	const RefRow *rows = refs_table(&len);
	for (size_t i = 0; i < len; i++)
		if (*kind == *rows[i].field.kind && cstr_eq(rows[i].field.kind, kind))
			add_rule(list, *rows[i].target, &rows[i].field);
	add_configured(list, refs->added, kind);
	add_configured(list, refs->added, "");
	vec_sort(list, compare_rules);
	map_put(refs->rules, kind, list);
	return list;
}

static bool had_name(const KResource *res, const char *name)
{
	for (size_t i = 0; i < res->previous_len; i++)
		if (cstr_eq(res->previous[i].name, name))
			return true;
	return false;
}

static bool had_kind(const KResource *res, const char *group, const char *version, const char *kind)
{
	for (size_t i = 0; i < res->previous_len; i++)
		if (kgvk_selected(group, version, kind, kresource_api_version(res),
				  res->previous[i].kind))
			return true;
	return false;
}

/* roleRef says itself which kind it means (B32). */
static bool fits_role_ref(const Search *search, const KResource *res)
{
	if (!cstr_ends(search->rule->field->path, "roleRef/name"))
		return true;
	const json_t *ref = json_map(search->referrer->tree, "roleRef");
	const char *group = json_text(ref, "apiGroup"), *kind = json_text(ref, "kind");
	return !group || !kind || had_kind(res, group, NULL, kind);
}

static bool is_cluster_scoped(const KResource *res)
{
	return cstr_eq(kresource_effective_namespace(res), K_CLUSTER);
}

/* A RoleBinding reaches the namespaces of its ServiceAccount subjects (B37). */
static bool names_namespace(const KResource *referrer, const char *ns)
{
	if (!cstr_eq(kresource_kind(referrer), "RoleBinding"))
		return false;
	const json_t *subjects = json_list(referrer->tree, "subjects");
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		const json_t *subject = json_array_get(subjects, i);
		if (cstr_eq(json_text(subject, "kind"), "ServiceAccount") &&
		    cstr_eq(json_text(subject, "namespace"), ns))
			return true;
	}
	return false;
}

/* What upstream cannot read of a RoleBinding's subjects fails there. */
static bool check_subjects(const KResource *res, Error *err)
{
	if (!cstr_eq(kresource_kind(res), "RoleBinding"))
		return true;
	const json_t *subjects = json_list(res->tree, "subjects");
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		const json_t *subject = json_array_get(subjects, i);
		const json_t *ns = json_object_get(subject, "namespace");
		const json_t *kind = json_object_get(subject, "kind");
		bool account = cstr_eq(json_string_value(kind), "ServiceAccount");
		if (!json_is_object(subject) || (ns && kind && !json_is_string(kind)) ||
		    (ns && account && !json_is_string(ns)))
			return err_set(err, ERR_INVALID,
				       "%s:%zu: subjects[%zu] of RoleBinding %s is no subject",
				       res->file, res->line, i, kresource_name(res));
	}
	return true;
}

static bool is_in_reach(const KResource *referrer, const KResource *res)
{
	return is_cluster_scoped(referrer) || is_cluster_scoped(res) ||
	       cstr_eq(kresource_effective_namespace(referrer),
		       kresource_effective_namespace(res)) ||
	       names_namespace(referrer, kresource_namespace(res));
}

/* Beyond its own namespace a referrer may mean ServiceAccounts only. */
static bool is_reachable(const KResource *referrer, const KResource *res)
{
	return is_in_reach(referrer, res) &&
	       (is_cluster_scoped(referrer) || is_cluster_scoped(res) ||
		cstr_eq(kresource_kind(res), "ServiceAccount") ||
		cstr_eq(kresource_effective_namespace(referrer),
			kresource_effective_namespace(res)));
}

static bool is_candidate(const Search *search, const KResource *res, const char *name)
{
	const RefTarget *target = &search->rule->target;
	return res->tree && had_name(res, name) &&
	       had_kind(res, target->group, target->version, target->kind) &&
	       fits_role_ref(search, res) && is_reachable(search->referrer, res);
}

/* True when the shorter list is the end of the longer one. */
static bool same_ending(const Vec *a, const Vec *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	for (size_t i = 1; i <= len; i++)
		if (!cstr_eq(a->items[a->len - i], b->items[b->len - i]))
			return false;
	return true;
}

static bool fits_history(const Vec *a, const Vec *b, bool allow_empty)
{
	if (a->len == 0 || b->len == 0)
		return allow_empty || a->len == b->len;
	return same_ending(a, b);
}

static void keep_same_history(const KResource *referrer, bool allow_empty, Vec *candidates)
{
	size_t kept = 0;
	for (size_t i = 0; i < candidates->len; i++) {
		const KResource *res = candidates->items[i];
		if (fits_history(&res->prefixes, &referrer->prefixes, allow_empty) &&
		    fits_history(&res->suffixes, &referrer->suffixes, allow_empty))
			candidates->items[kept++] = candidates->items[i];
	}
	candidates->len = kept;
}

static bool all_same(const Vec *candidates, bool with_namespace)
{
	const KResource *first = candidates->items[0];
	for (size_t i = 1; i < candidates->len; i++) {
		const KResource *res = candidates->items[i];
		if (!cstr_eq(kresource_name(res), kresource_name(first)) ||
		    (with_namespace &&
		     !cstr_eq(kresource_namespace(res), kresource_namespace(first))))
			return false;
	}
	return true;
}

/* The object that a name means; NULL without err: none. Narrows `candidates`. */
static const KResource *choose(const Search *search, const char *name, Vec *candidates,
			       bool with_namespace, Error *err)
{
	if (candidates->len > 1) {
		keep_same_history(search->referrer, true, candidates);
		if (candidates->len > 1)
			keep_same_history(search->referrer, false, candidates);
	}
	if (candidates->len == 0)
		return NULL;
	if (candidates->len == 1 || all_same(candidates, with_namespace))
		return candidates->items[0];
	autofree char *text = kresource_text(search->referrer);
	autofree char *first = kresource_text(candidates->items[0]);
	autofree char *second = kresource_text(candidates->items[1]);
	return err_null(err, ERR_INVALID,
			"found multiple possible referrals for name '%s' of %s: %s, %s", name, text,
			first, second);
}

static uint64_t reach_hash(const char *name, const char *ns)
{
	const char *const texts[] = {name, ns};
	return khints_hash(texts, COUNT(texts));
}

static void add_candidates(const Search *search, const char *name, const char *ns, Vec *out)
{
	uint64_t hash = reach_hash(name, ns);
	size_t at = 0;
	KResource *res;
	while ((res = khints_next(&search->refs->by_place, hash, &at)))
		if (is_candidate(search, res, name) &&
		    (!ns || cstr_eq(kresource_effective_namespace(res), ns)))
			vec_push(out, res);
}

/* The namespaces that a referrer reaches, one look-up each: its own, none, and for a RoleBinding
 * those of its subjects. A cluster-scoped referrer reaches all. */
static void find_candidates(const Search *search, const char *name, Vec *out)
{
	const KResource *referrer = search->referrer;
	const char *own = kresource_effective_namespace(referrer);
	if (cstr_eq(own, K_CLUSTER)) {
		add_candidates(search, name, NULL, out);
		return;
	}
	add_candidates(search, name, own, out);
	add_candidates(search, name, K_CLUSTER, out);
	if (!cstr_eq(kresource_kind(referrer), "RoleBinding"))
		return;
	autovec Vec seen = {0};
	const json_t *subjects = json_list(referrer->tree, "subjects");
	for (size_t i = 0; i < json_array_size(subjects); i++) {
		const json_t *subject = json_array_get(subjects, i);
		const char *ns = json_text(subject, "namespace");
		bool fresh = ns && !cstr_eq(ns, own) &&
			     cstr_eq(json_text(subject, "kind"), "ServiceAccount");
		for (size_t j = 0; fresh && j < seen.len; j++)
			fresh = !cstr_eq(seen.items[j], ns);
		if (!fresh)
			continue;
		vec_push(&seen, (char *)(uintptr_t)ns);
		add_candidates(search, name, ns, out);
	}
}

static bool set_scalar(const Search *search, const KSlot *slot, Error *err)
{
	const char *name = written_string(kslot_get(slot));
	if (!name)
		return true;
	autovec Vec candidates = {0};
	find_candidates(search, name, &candidates);
	const KResource *found = choose(search, name, &candidates, false, err);
	if (err_is_set(err))
		return false;
	if (found && !cstr_eq(kresource_name(found), name))
		kslot_set_text(slot, kresource_name(found));
	return true;
}

static void group_by_first_namespace(Refs *refs)
{
	Map *groups = map_new(free_vec);
	for (size_t i = 0; i < refs->set->items.len; i++) {
		const char *ns = kresource_original(kset_at(refs->set, i)).ns;
		Vec *list = map_get(groups, ns);
		if (!list) {
			list = mem_zalloc(1, sizeof(*list));
			map_put(groups, ns, list);
		}
		vec_push(list, kset_at(refs->set, i));
	}
	refs->by_first_namespace = groups;
}

/* True when anything in reach was in the namespace at first. */
static bool was_inhabited(const Search *search, const char *ns)
{
	if (!search->refs->by_first_namespace)
		group_by_first_namespace(search->refs);
	const Vec *list = map_get(search->refs->by_first_namespace, ns);
	for (size_t i = 0; list && i < list->len; i++)
		if (is_in_reach(search->referrer, list->items[i]))
			return true;
	return false;
}

/* Keeps candidates of a namespace: as objects first were, if any was in it, else as they are. */
static void keep_namespace(const Search *search, const char *ns, Vec *candidates)
{
	bool first = was_inhabited(search, ns);
	size_t kept = 0;
	for (size_t i = 0; i < candidates->len; i++) {
		const KResource *res = candidates->items[i];
		if (cstr_eq(first ? kresource_original(res).ns : kresource_effective_namespace(res),
			    ns))
			candidates->items[kept++] = candidates->items[i];
	}
	candidates->len = kept;
}

static bool set_map(const Search *search, json_t *map, Error *err)
{
	const char *name = json_text(map, "name");
	if (!json_object_get(map, "name"))
		return err_set(err, ERR_INVALID, "path config error; no 'name' field in node");
	if (!name)
		return true;
	autovec Vec candidates = {0};
	find_candidates(search, name, &candidates);
	const char *ns = json_text(map, "namespace");
	if (ns)
		keep_namespace(search, ns, &candidates);
	const KResource *found = choose(search, name, &candidates, true, err);
	if (err_is_set(err))
		return false;
	if (!found)
		return true;
	const char *new_ns = kresource_namespace(found);
	autofree char *new_name = mem_strdup(kresource_name(found));
	json_put_text(map, "name", new_name);
	if (*new_ns)
		json_put_text(map, "namespace", new_ns);
	return true;
}

static bool set_one(const Search *search, const KSlot *slot, Error *err)
{
	json_t *value = kslot_get(slot);
	return json_is_object(value) ? set_map(search, value, err) : set_scalar(search, slot, err);
}

static bool set_reference(void *arg, const KSlot *slot, Error *err)
{
	const Search *search = arg;
	json_t *value = kslot_get(slot);
	if (!json_is_array(value))
		return set_one(search, slot, err);
	for (size_t i = 0; i < json_array_size(value); i++) {
		KSlot item = {value, NULL, i};
		if (json_is_array(json_array_get(value, i)))
			return err_set(err, ERR_INVALID, "a name or a map is expected, not a list");
		if (!set_one(search, &item, err))
			return false;
	}
	return true;
}

static bool apply_rules(Search *search, const char *kind, const Vec *rules, Error *err)
{
	KResource *res = search->referrer;
	for (size_t i = 0; rules && i < rules->len; i++) {
		const Rule *rule = rules->items[i];
		if (!kgvk_selected(rule->field->group, rule->field->version, rule->field->kind,
				   kresource_api_version(res), kind))
			continue;
		search->rule = rule;
		if (!fieldspec_walk(rule->field, res->tree, K_MAKE_NOTHING, set_reference, search,
				    err))
			return res->line ? err_wrap(err,
						    "%s:%zu: updating name reference in '%s' field",
						    res->file, res->line, rule->field->path)
					 : err_wrap(err, "updating name reference in '%s' field",
						    rule->field->path);
	}
	return true;
}

static void add_place(KHints *hints, KResource *res, const char *name, const char *ns)
{
	(void)khints_add(hints, reach_hash(name, ns), res);
}

/* Only what was renamed is a candidate (facts 4). */
static void index_places(const KSet *set, KHints *out)
{
	for (size_t i = 0; i < set->items.len; i++) {
		KResource *res = kset_at(set, i);
		const char *ns = kresource_effective_namespace(res);
		for (size_t j = 0; j < res->previous_len; j++) {
			const char *name = res->previous[j].name;
			bool seen = false;
			for (size_t k = 0; k < j && !seen; k++)
				seen = cstr_eq(res->previous[k].name, name);
			if (seen)
				continue;
			add_place(out, res, name, ns);
			add_place(out, res, name, NULL);
		}
	}
}

bool refs_fix(KSet *set, const KConfig *added, Error *err)
{
	autorefs Refs refs = {.set = set, .added = added, .rules = map_new(free_rules)};
	index_places(set, &refs.by_place);
	for (size_t i = 0; i < set->items.len; i++) {
		Search search = {.refs = &refs, .referrer = kset_at(set, i)};
		autofree char *kind = mem_strdup(kresource_original(search.referrer).kind);
		if (!check_subjects(search.referrer, err) ||
		    !apply_rules(&search, kind, rules_of(&refs, kind), err))
			return false;
	}
	return true;
}
