#include <stdint.h>

#include "cel/check.h"

enum { PARAMS_MAX = 20000, RESOLVE_DEPTH_MAX = 300 };

void unifier_dispose(Unifier *unifier)
{
	vec_dispose(&unifier->bound);
	vec_dispose(&unifier->log);
}

const CelType *unifier_fresh(Unifier *unifier)
{
	if (unifier->bound.len >= PARAMS_MAX)
		return cel_type(CEL_DYN);
	CelType *type = cel_type_make(unifier->arena, CEL_PARAM, NULL, NULL);
	type->param = (unsigned)unifier->bound.len;
	vec_push(&unifier->bound, NULL);
	return type;
}

static const CelType *bound(const Unifier *unifier, const CelType *type)
{
	return type->kind == CEL_PARAM ? unifier->bound.items[type->param] : NULL;
}

static void bind(Unifier *unifier, const CelType *param, const CelType *type)
{
	vec_push(&unifier->log, (void *)(uintptr_t)param->param);
	vec_push(&unifier->log, unifier->bound.items[param->param]);
	unifier->bound.items[param->param] = (void *)(uintptr_t)type;
}

static void roll_back(Unifier *unifier, size_t mark)
{
	while (unifier->log.len > mark) {
		void *old = vec_pop(&unifier->log);
		size_t param = (size_t)(uintptr_t)vec_pop(&unifier->log);
		unifier->bound.items[param] = old;
	}
}

static bool is_wild(const CelType *type)
{
	return type->kind == CEL_DYN || type->kind == CEL_ERROR;
}

static bool less_specific(const CelType *a, const CelType *b)
{
	if (a->kind == CEL_DYN || a->kind == CEL_PARAM)
		return true;
	if (b->kind == CEL_DYN || b->kind == CEL_PARAM || a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE)
		return true;
	if (!a->first || !b->first)
		return cel_type_same(a, b);
	return less_specific(a->first, b->first) &&
	       (!a->second || less_specific(a->second, b->second));
}

const CelType *type_most_general(const CelType *a, const CelType *b)
{
	return less_specific(a, b) ? a : b;
}

/* The occurs check: the parameter is not part of what it would stand for. */
static bool not_within(const Unifier *unifier, const CelType *param, const CelType *type)
{
	if (cel_type_same(param, type))
		return false;
	if (type->kind == CEL_PARAM) {
		const CelType *known = bound(unifier, type);
		return !known || not_within(unifier, param, known);
	}
	return (!type->first || not_within(unifier, param, type->first)) &&
	       (!type->second || not_within(unifier, param, type->second));
}

static bool assignable(Unifier *unifier, const CelType *a, const CelType *b);

/* Whether parameter `param` may stand for `type`; *known: it stood for something already. */
static bool substitutes(Unifier *unifier, const CelType *type, const CelType *param, bool *known)
{
	*known = true;
	if (cel_type_same(type, param))
		return true;
	const CelType *old = bound(unifier, param);
	if (old) {
		if (cel_type_same(type, old))
			return true;
		if (!assignable(unifier, type, old))
			return false;
		const CelType *wider = type_most_general(type, old);
		if (not_within(unifier, param, wider))
			bind(unifier, param, wider);
		return true;
	}
	*known = false;
	if (!not_within(unifier, param, type))
		return false;
	bind(unifier, param, type);
	return true;
}

static bool takes_null(const CelType *type)
{
	switch ((int)type->kind) {
	case CEL_BOOL:
	case CEL_INT:
	case CEL_UINT:
	case CEL_DOUBLE:
	case CEL_STRING:
	case CEL_BYTES:
	case CEL_LIST:
	case CEL_MAP:
	case CEL_TYPE:
		return false;
	default:
		return true;
	}
}

static bool assignable(Unifier *unifier, const CelType *a, const CelType *b)
{
	bool known;
	if (b->kind == CEL_PARAM) {
		if (substitutes(unifier, a, b, &known))
			return true;
		if (known)
			return false;
	}
	if (a->kind == CEL_PARAM)
		return substitutes(unifier, b, a, &known);
	if (is_wild(a) || is_wild(b))
		return true;
	if (a->kind == CEL_NULL)
		return takes_null(b);
	if (b->kind == CEL_NULL)
		return takes_null(a);
	if (a->kind != b->kind)
		return false;
	if (a->kind == CEL_TYPE)
		return true;
	if (!a->first || !b->first)
		return cel_type_same(a, b);
	return assignable(unifier, a->first, b->first) &&
	       (!a->second || assignable(unifier, a->second, b->second));
}

bool unifier_assign_all(Unifier *unifier, const CelType *const *a, const CelType *const *b,
			size_t count)
{
	size_t mark = unifier->log.len;
	for (size_t i = 0; i < count; i++) {
		if (assignable(unifier, a[i], b[i]))
			continue;
		roll_back(unifier, mark);
		return false;
	}
	return true;
}

bool unifier_assign(Unifier *unifier, const CelType *a, const CelType *b)
{
	return unifier_assign_all(unifier, &a, &b, 1);
}

static const CelType *resolve(Unifier *unifier, const CelType *type, bool to_dyn, int depth)
{
	const CelType *known = bound(unifier, type);
	if (depth > RESOLVE_DEPTH_MAX)
		return cel_type(CEL_DYN);
	if (known)
		return resolve(unifier, known, to_dyn, depth + 1);
	if (type->kind == CEL_PARAM)
		return to_dyn ? cel_type(CEL_DYN) : type;
	if (!type->first)
		return type;
	const CelType *first = resolve(unifier, type->first, to_dyn, depth + 1);
	const CelType *second =
		type->second ? resolve(unifier, type->second, to_dyn, depth + 1) : NULL;
	if (first == type->first && second == type->second)
		return type;
	return cel_type_make(unifier->arena, type->kind, first, second);
}

const CelType *unifier_resolve(Unifier *unifier, const CelType *type, bool to_dyn)
{
	return resolve(unifier, type, to_dyn, 0);
}
