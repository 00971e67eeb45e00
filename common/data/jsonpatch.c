#include "data/jsonpatch.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

/*
 * RFC 6902 on a copy of the document, so that a failure leaves the original. Values put in are
 * copies too. Bounded by JSONPATCH_MAX_OPS and by GROWN_MAX, since "copy" doubles.
 */

enum { GROWN_MAX = 1000000 };

typedef struct {
	json_t *document; /* owned */
	bool go_rules;
	size_t grown; /* nodes copied in */
	Error *err;
} Patch;

void jsonpointer_push(Buf *pointer, const char *token)
{
	buf_putc(pointer, '/');
	for (; *token; token++) {
		if (*token == '~' || *token == '/')
			buf_puts(pointer, *token == '~' ? "~0" : "~1");
		else
			buf_putc(pointer, *token);
	}
}

/* A token with ~0 and ~1 read back, owned; NULL when another sign follows "~". */
static char *read_token(Str token)
{
	autobuf Buf out = {0};
	for (size_t i = 0; i < token.len; i++) {
		if (token.ptr[i] != '~') {
			buf_putc(&out, token.ptr[i]);
			continue;
		}
		i++;
		if (i >= token.len || (token.ptr[i] != '0' && token.ptr[i] != '1'))
			return NULL;
		buf_putc(&out, token.ptr[i] == '0' ? '~' : '/');
	}
	return buf_steal(&out);
}

/* Digits without a leading zero (RFC 6901 4), or a negative number when allowed. */
static bool read_index(const char *token, size_t size, bool go_rules, size_t *out)
{
	bool negative = go_rules && *token == '-' && token[1];
	unsigned long long value;
	const char *digits = token + negative;
	if (!str_to_u64(str_of(digits), &value) || (digits[0] == '0' && digits[1]))
		return false;
	if (negative && (value == 0 || value > size))
		return false;
	*out = (size_t)(negative ? size - value : value);
	return true;
}

static json_t *child(const json_t *value, const char *token, bool go_rules)
{
	size_t index;
	if (json_is_object(value))
		return json_object_get(value, token);
	if (json_is_array(value) && read_index(token, json_array_size(value), go_rules, &index))
		return json_array_get(value, index);
	return NULL;
}

/* Walks to the pointer's parent; *last (owned) is the last token, NULL for the whole document. */
static json_t *walk(json_t *document, const char *pointer, bool go_rules, char **last)
{
	*last = NULL;
	if (!*pointer)
		return document;
	if (*pointer != '/')
		return NULL;
	Str rest = str_of(pointer + 1), piece;
	json_t *at = document;
	while (str_cut(rest, '/', &piece, &rest)) {
		autofree char *token = read_token(piece);
		at = token ? child(at, token, go_rules) : NULL;
		if (!at)
			return NULL;
	}
	*last = read_token(piece);
	return *last ? at : NULL;
}

json_t *jsonpointer_get(const json_t *document, const char *pointer)
{
	autofree char *last = NULL;
	json_t *parent = walk(json_borrow(document), pointer, false, &last);
	return parent && last ? child(parent, last, false) : parent;
}

static size_t count_nodes(const json_t *value)
{
	size_t count = 1;
	for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++)
		count += count_nodes(json_array_get(value, i));
	const char *key;
	json_t *member;
	json_object_foreach(json_borrow(value), key, member)
	{
		count += count_nodes(member);
	}
	return count;
}

static json_t *copy_in(Patch *patch, const json_t *value)
{
	patch->grown += count_nodes(value);
	if (patch->grown > GROWN_MAX)
		return err_null(patch->err, ERR_LIMIT, "the patch adds more than %d values",
				GROWN_MAX);
	return json_deep_copy(value);
}

static bool missing(Patch *patch)
{
	return err_set(patch->err, ERR_NOT_FOUND, "the path is not there");
}

static void replace_document(Patch *patch, json_t *take_value)
{
	json_decref(patch->document);
	patch->document = take_value;
}

static bool is_container(const json_t *value)
{
	return json_is_object(value) || json_is_array(value);
}

static bool put(Patch *patch, const char *path, json_t *take_value, bool replace)
{
	autojson json_t *value = take_value;
	autofree char *last = NULL;
	json_t *parent = walk(patch->document, path, patch->go_rules, &last);
	bool add_key = patch->go_rules && json_is_object(parent);
	if (!parent || (replace && last && !add_key && !child(parent, last, patch->go_rules)))
		return missing(patch);
	if (!last && patch->go_rules && !(replace && is_container(value)))
		return missing(patch);
	if (!last) {
		replace_document(patch, steal(&value));
		return true;
	}
	if (json_is_object(parent))
		return json_object_set_new_nocheck(parent, last, steal(&value)) == 0;
	if (!json_is_array(parent))
		return missing(patch);
	size_t size = json_array_size(parent), index = size;
	bool end = !replace && strcmp(last, "-") == 0;
	/* A negative index of "add" counts from behind the end: -1 appends. */
	if (!end &&
	    (!read_index(last, replace ? size : size + 1, patch->go_rules, &index) || index > size))
		return missing(patch);
	if (replace)
		json_array_set_new(parent, index, steal(&value));
	else
		json_array_insert_new(parent, index, steal(&value));
	return true;
}

/* Takes the value at path out: owned, NULL and err when it is not there. */
static json_t *take_out(Patch *patch, const char *path)
{
	autofree char *last = NULL;
	json_t *parent = walk(patch->document, path, patch->go_rules, &last);
	json_t *found = parent && last ? child(parent, last, patch->go_rules) : NULL;
	if (!found) {
		missing(patch);
		return NULL;
	}
	json_incref(found);
	size_t index = 0;
	if (json_is_object(parent))
		json_object_del(parent, last);
	else if (read_index(last, json_array_size(parent), patch->go_rules, &index))
		json_array_remove(parent, index);
	return found;
}

static json_t *find(Patch *patch, const char *path)
{
	autofree char *last = NULL;
	json_t *parent = walk(patch->document, path, patch->go_rules, &last);
	return parent && last ? child(parent, last, patch->go_rules) : parent;
}

/* By Go's rules an absent value is null. */
static const json_t *value_of(const json_t *operation)
{
	const json_t *value = json_object_get(operation, "value");
	return value ? value : json_null();
}

/* By Go's rules a key that a map has not is there, as null; *found is NULL then. */
static bool find_or_null(Patch *patch, const char *path, const json_t **found)
{
	autofree char *last = NULL;
	json_t *parent = walk(patch->document, path, patch->go_rules, &last);
	*found = parent && last ? child(parent, last, patch->go_rules) : parent;
	return *found || (patch->go_rules && last && json_is_object(parent));
}

static bool op_add(Patch *patch, const json_t *operation, const char *path, const char *from UNUSED)
{
	json_t *value = copy_in(patch, value_of(operation));
	return value && put(patch, path, value, false);
}

static bool op_replace(Patch *patch, const json_t *operation, const char *path,
		       const char *from UNUSED)
{
	json_t *value = copy_in(patch, value_of(operation));
	return value && put(patch, path, value, true);
}

static bool op_remove(Patch *patch, const json_t *operation UNUSED, const char *path,
		      const char *from UNUSED)
{
	autojson json_t *gone = take_out(patch, path);
	return gone != NULL;
}

static bool op_move(Patch *patch, const json_t *operation UNUSED, const char *path,
		    const char *from)
{
	if (strcmp(path, from) == 0)
		return find(patch, path) || missing(patch);
	size_t len = strlen(from);
	if (strncmp(path, from, len) == 0 && path[len] == '/')
		return err_set(patch->err, ERR_INVALID, "a value cannot move into itself");
	json_t *value = take_out(patch, from);
	return value && put(patch, path, value, false);
}

static bool op_copy(Patch *patch, const json_t *operation UNUSED, const char *path,
		    const char *from)
{
	const json_t *source;
	if (!find_or_null(patch, from, &source) || (patch->go_rules && !*from))
		return missing(patch);
	json_t *value = copy_in(patch, source ? source : json_null());
	return value && put(patch, path, value, false);
}

static bool op_test(Patch *patch, const json_t *operation, const char *path,
		    const char *from UNUSED)
{
	const json_t *found;
	if (!find_or_null(patch, path, &found))
		return missing(patch);
	return json_same(found ? found : json_null(), value_of(operation)) ||
	       err_set(patch->err, ERR_CONFLICT, "the test failed");
}

typedef struct {
	const char *name;
	bool (*apply)(Patch *patch, const json_t *operation, const char *path, const char *from);
	bool value, from;
} Operation;

static const Operation table[] = {
	{"add", op_add, true, false},	     {"replace", op_replace, true, false},
	{"remove", op_remove, false, false}, {"move", op_move, false, true},
	{"copy", op_copy, false, true},	     {"test", op_test, true, false},
};

static bool apply_one(Patch *patch, const json_t *operation)
{
	const char *name = json_text(operation, "op"), *path = json_text(operation, "path");
	const char *from = json_text(operation, "from");
	if (!name || !path)
		return err_set(patch->err, ERR_INVALID, "op and path are required");
	for (size_t i = 0; i < COUNT(table); i++) {
		if (strcmp(name, table[i].name) != 0)
			continue;
		if (table[i].value && !patch->go_rules && !json_object_get(operation, "value"))
			return err_set(patch->err, ERR_INVALID, "value is required");
		if (table[i].from && !from)
			return err_set(patch->err, ERR_INVALID, "from is required");
		return table[i].apply(patch, operation, path, from);
	}
	return err_set(patch->err, ERR_INVALID, "unknown op");
}

bool jsonpatch_apply(json_t **document, const json_t *operations, bool go_rules, Error *err)
{
	if (!json_is_array(operations))
		return err_set(err, ERR_INVALID, "a JSON patch is a list of operations");
	if (json_array_size(operations) > JSONPATCH_MAX_OPS)
		return err_set(err, ERR_LIMIT, "a JSON patch of more than %d operations",
			       JSONPATCH_MAX_OPS);
	Patch patch = {json_deep_copy(*document), go_rules, 0, err};
	for (size_t i = 0; i < json_array_size(operations); i++) {
		const json_t *operation = json_array_get(operations, i);
		if (apply_one(&patch, operation))
			continue;
		json_decref(patch.document);
		return err_wrap(err, "operation %zu (%.32s \"%.256s\")", i,
				json_text_or(operation, "op", "?"),
				json_text_or(operation, "path", ""));
	}
	json_decref(*document);
	*document = patch.document;
	return true;
}
