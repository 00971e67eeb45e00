#include "ctrl/condition.h"

#include <stdarg.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "kube/object.h"

enum { MAX_MESSAGE = 32768 };

/* Place in the list: Stalled, Reconciling, Ready, the rest by name (source.md 7 "Ready"). */
static int rank(const char *type)
{
	static const char *const first[] = {"Stalled", "Reconciling", "Ready"};
	for (size_t i = 0; i < COUNT(first); i++)
		if (cstr_eq(type, first[i]))
			return (int)i;
	return (int)COUNT(first);
}

static bool comes_before(const char *a, const char *b)
{
	int ra = rank(a), rb = rank(b);
	return ra != rb ? ra < rb : strcmp(a, b) < 0;
}

static json_t *conditions_of(json_t *object)
{
	json_t *status = json_make_at(object, "status", NULL);
	json_t *list = json_object_get(status, "conditions");
	if (!json_is_array(list)) {
		list = json_array();
		json_object_set_new(status, "conditions", list);
	}
	return list;
}

static void insert_sorted(json_t *list, json_t *take_condition)
{
	const char *type = json_text_or(take_condition, "type", "");
	size_t at = 0;
	while (at < json_array_size(list) &&
	       !comes_before(type, json_text_or(json_array_get(list, at), "type", "")))
		at++;
	json_array_insert_new(list, at, take_condition);
}

/* At most MAX_MESSAGE bytes, cut at a character's start. */
static char *cut_message(const char *message)
{
	size_t len = strlen(message);
	if (len > MAX_MESSAGE) {
		len = MAX_MESSAGE;
		while (len && ((unsigned char)message[len] & 0xc0) == 0x80)
			len--;
	}
	return mem_strndup(message, len);
}

static bool says_the_same(const json_t *condition, const char *status, const char *reason,
			  const char *message)
{
	return cstr_eq(json_text(condition, "status"), status) &&
	       cstr_eq(json_text(condition, "reason"), reason) &&
	       cstr_eq(json_text(condition, "message"), message);
}

void condition_set(json_t *object, const char *type, const char *status, const char *reason,
		   const char *message)
{
	autofree char *text = cut_message(message ? message : "");
	json_t *condition = object_condition(object, type);
	if (!condition) {
		condition = json_object();
		json_put_text(condition, "type", type);
		insert_sorted(conditions_of(object), condition);
	}
	if (!says_the_same(condition, status, reason, text)) {
		char now[CLOCK_TEXT_SIZE];
		clock_format(clock_wall_ms(), now);
		json_put_text(condition, "lastTransitionTime", now);
	}
	json_put_text(condition, "status", status);
	json_put_text(condition, "reason", reason);
	json_put_text(condition, "message", text);
	json_object_set_new(condition, "observedGeneration",
			    json_integer(object_generation(object)));
}

void condition_setf(json_t *object, const char *type, const char *status, const char *reason,
		    const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *message = mem_vprintf(format, args);
	va_end(args);
	condition_set(object, type, status, reason, message);
}

void condition_remove(json_t *object, const char *type)
{
	json_t *list = json_at(object, "status", "conditions", NULL);
	for (size_t i = json_array_size(list); i-- > 0;)
		if (cstr_eq(json_text(json_array_get(list, i), "type"), type))
			json_array_remove(list, i);
}

const char *condition_reason(const json_t *object, const char *type)
{
	return json_text(object_condition(object, type), "reason");
}

const char *condition_message(const json_t *object, const char *type)
{
	return json_text(object_condition(object, type), "message");
}

bool condition_is(const json_t *object, const char *type, const char *status)
{
	return cstr_eq(object_condition_status(object, type), status);
}
