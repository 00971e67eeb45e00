/* Optional values (cel-go cel/library.go). or() and orValue() are the evaluator's. */
#include <string.h>

#include "cel/cel_internal.h"

enum { ANY = CEL_LIB_KUBERNETES | CEL_LIB_FLUX };

static CelValue wrap(CelRun *run, CelValue value)
{
	CelValue *inner = cel_alloc(run, sizeof(*inner));
	if (!inner)
		return cel_error(run, "memory limit exceeded");
	*inner = value;
	return (CelValue){.kind = CEL_OPTIONAL, .inner = inner};
}

static CelValue none(CelRun *run UNUSED, const CelValue *args UNUSED, size_t count UNUSED)
{
	return (CelValue){.kind = CEL_OPTIONAL};
}

static CelValue of(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return wrap(run, args[0]);
}

static bool is_zero(const CelValue *value)
{
	switch ((int)value->kind) {
	case CEL_NULL:
		return true;
	case CEL_BOOL:
		return !value->flag;
	case CEL_INT:
	case CEL_DURATION:
		return value->integer == 0;
	case CEL_UINT:
		return value->natural == 0;
	case CEL_DOUBLE:
		return value->real == 0;
	case CEL_STRING:
	case CEL_BYTES:
		return value->text.len == 0;
	case CEL_LIST:
		return value->list->len == 0;
	case CEL_MAP:
	case CEL_OBJECT:
		return value->map->len == 0;
	case CEL_OPTIONAL:
		return !value->inner;
	default:
		return false;
	}
}

static CelValue of_non_zero(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return is_zero(&args[0]) ? (CelValue){.kind = CEL_OPTIONAL} : wrap(run, args[0]);
}

static CelValue value(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	return args[0].inner ? *args[0].inner : cel_error(run, "optional.none() dereference");
}

static CelValue has_value(CelRun *run UNUSED, const CelValue *args, size_t count UNUSED)
{
	return cel_bool(args[0].inner != NULL);
}

static CelValue end(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	if (list->len == 0)
		return (CelValue){.kind = CEL_OPTIONAL};
	bool last = run->call->name[0] == 'l';
	return wrap(run, cel_list_at(run, list, last ? list->len - 1 : 0));
}

static CelValue unwrap(CelRun *run, const CelValue *args, size_t count UNUSED)
{
	const CelList *list = args[0].list;
	CelValue result = cel_list_new(run, 0);
	for (size_t i = 0; i < list->len && !cel_is_error(&result); i++) {
		CelValue item = cel_list_at(run, list, i);
		if (item.kind != CEL_OPTIONAL) {
			CelValue text = cel_to_string(run, &item);
			return cel_error(run, "value %.*s is not optional", (int)text.text.len,
					 text.text.ptr);
		}
		if (item.inner && !cel_list_add(run, result.list, *item.inner))
			return cel_error(run, "memory limit exceeded");
	}
	return result;
}

static const CelFunction rows[] = {
	{"optional.of", false, ANY, "A>OA", of},
	{"optional.ofNonZeroValue", false, ANY, "A>OA", of_non_zero},
	{"optional.none", false, ANY, ">OA", none},
	{"value", true, ANY, "OA>A", value},
	{"hasValue", true, ANY, "OA>b", has_value},
	{"or", true, ANY, "OAOA>OA", NULL},
	{"orValue", true, ANY, "OAA>A", NULL},
	{"first", true, ANY, "LA>OA", end},
	{"last", true, ANY, "LA>OA", end},
	{"optional.unwrap", false, ANY, "LOA>LA", unwrap},
	{"unwrapOpt", true, ANY, "LOA>LA", unwrap},
};

const CelFunctions cel_functions_optional = {rows, COUNT(rows)};
