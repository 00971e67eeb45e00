#include "helm/render_error.h"

/* A step of the stack: "template: LOCATION: executing FUNCTION at <NODE>: MESSAGE". */
typedef struct {
	Str location, function, node, message;
} Step;

static Str after(Str text, size_t len)
{
	return str_slice(text, len, text.len);
}

/* Splits at the first `mark`. */
static bool cut_at(Str text, Str mark, Str *head, Str *rest)
{
	ptrdiff_t at = str_find(text, mark);
	if (at < 0)
		return false;
	*head = str_slice(text, 0, (size_t)at);
	*rest = after(text, (size_t)at + mark.len);
	return true;
}

/* Up to the next error of the chain. */
static Str own_message(Str text)
{
	ptrdiff_t at = str_find(text, STR(" template:"));
	return at < 0 ? text : str_slice(text, 0, (size_t)at);
}

static bool read_executing(Str text, Step *out)
{
	Str rest;
	*out = (Step){0};
	if (!cut_at(text, STR(": executing "), &out->location, &rest))
		return false;
	if (rest.len == 0 || rest.ptr[0] != '"' ||
	    !cut_at(after(rest, 1), STR("\""), &out->function, &rest))
		return false;
	if (!str_starts(rest, STR(" at <")) ||
	    !cut_at(after(rest, 5), STR(">: "), &out->node, &rest))
		return false;
	out->message = own_message(rest);
	return true;
}

static bool read_simple(Str text, Step *out)
{
	*out = (Step){0};
	for (size_t at = text.len; at-- > 0;) {
		if (!str_starts(after(text, at), STR(": ")))
			continue;
		out->location = str_slice(text, 0, at);
		out->message = own_message(after(text, at + 2));
		return true;
	}
	return false;
}

static bool read_step(Str text, Step *out)
{
	Str rest = after(text, 10);
	if (!str_starts(text, STR("template: ")))
		return false;
	if (str_starts(rest, STR("no template "))) {
		*out = (Step){.message = text};
		return true;
	}
	return read_executing(rest, out) || read_simple(rest, out);
}

static void write_step(const Step *step, Buf *out)
{
	if (step->location.len > 0) {
		buf_add(out, step->location);
		buf_puts(out, "\n  ");
	}
	if (step->function.len > 0 || step->node.len > 0) {
		buf_puts(out, "executing \"");
		buf_add(out, step->function);
		buf_puts(out, "\" at <");
		buf_add(out, step->node);
		buf_puts(out, ">:\n    ");
	}
	if (step->message.len > 0) {
		buf_add(out, step->message);
		buf_putc(out, '\n');
	}
}

static bool same_step(const Step *a, const Step *b)
{
	return str_eq(a->location, b->location) && str_eq(a->function, b->function) &&
	       str_eq(a->node, b->node) && str_eq(a->message, b->message);
}

/* What required and fail put between their marks, up to the last end mark. */
static bool marked_message(Str text, Str *out)
{
	static const Str end = {"HELM_ERR_END", 12};
	Str head;
	if (!cut_at(text, STR("HELM_ERR_START"), &head, out))
		return false;
	for (size_t at = out->len; at-- > 0;) {
		if (!str_starts(after(*out, at), end))
			continue;
		*out = str_slice(*out, 0, at);
		return true;
	}
	return false;
}

bool parse_error_reword(const char *file, const Error *cause, Error *err)
{
	Str text = str_of(err_text(cause)), first, rest, place, last;
	if (!cut_at(text, STR(": "), &first, &rest))
		return err_set(err, ERR_INVALID, "parse error in (%s): %s", file, err_text(cause));
	if (!cut_at(rest, STR(": "), &place, &last))
		place = last = rest;
	while (cut_at(last, STR(": "), &first, &rest))
		last = rest;
	return err_set(err, ERR_INVALID, "parse error at (%.*s): %.*s", (int)place.len, place.ptr,
		       (int)last.len, last.ptr);
}

/* False when a step is no error of a template: then the message stays as it is. */
static bool write_stack(const GoRun *run, Buf *out)
{
	const char *const *messages;
	size_t count = gotmpl_trace(run, &messages);
	Step before = {0};
	for (size_t i = 0; i < count; i++) {
		Step step;
		if (!read_step(str_of(messages[i]), &step))
			return false;
		if (i == 0 || !same_step(&step, &before))
			write_step(&step, out);
		before = step;
	}
	return true;
}

bool run_error_reword(const GoRun *run, const Error *cause, Error *err)
{
	autobuf Buf stack = {0};
	Str text = str_of(err_text(cause)), first, rest, place, tail, message;
	bool cut = cut_at(text, STR(": "), &first, &rest) && cut_at(rest, STR(": "), &place, &tail);
	if (!cut)
		return err_set(err, cause->code, "%s", err_text(cause));
	if (marked_message(tail, &message))
		return err_set(err, ERR_INVALID, "execution error at (%.*s): %.*s", (int)place.len,
			       place.ptr, (int)message.len, message.ptr);
	if (!write_stack(run, &stack))
		return err_set(err, cause->code, "%s", err_text(cause));
	Str trimmed = str_trim(buf_str(&stack));
	return err_set(err, cause->code, "%.*s", (int)trimmed.len, trimmed.ptr);
}
