#include "gotmpl/run.h"

#include "base/clock.h"
#include "base/mem.h"
#include "gotmpl/call.h"
#include "gotmpl/exec.h"
#include "gotmpl/fmt.h"
#include "gotmpl/strconv.h"

enum {
	STACK_MAX = 6 * 1024 * 1024, /* of a thread's eight */
	STEPS_PER_CLOCK = 1024,
	MESSAGE_MAX = 64 * 1024,
};

static const GotmplLimits default_limits = {
	.output_bytes = 64u << 20,
	.memory_bytes = 512u << 20,
	.steps = 100000000,
	.time_ms = GOTMPL_TIME_MS,
};

static void free_maps(void *pointer)
{
	GoRun *run = pointer;
	map_free(run->includes);
	map_free(run->tpls);
}

static void free_parts(void *pointer)
{
	GoRun *run = pointer;
	vec_dispose_strings(&run->failure);
	vec_dispose_strings(&run->trace);
	free(run->vars);
}

GoRun *gotmpl_run_new(const GotmplSet *set, Arena *arena, const GotmplLimits *limits)
{
	GoRun *run = arena_alloc(arena, sizeof(*run));
	run->set = run->root = set;
	run->arena = arena;
	run->limits = limits ? *limits : (GotmplLimits){0};
	GotmplLimits *own = &run->limits;
	own->output_bytes = own->output_bytes ? own->output_bytes : default_limits.output_bytes;
	own->memory_bytes = own->memory_bytes ? own->memory_bytes : default_limits.memory_bytes;
	own->steps = own->steps ? own->steps : default_limits.steps;
	own->time_ms = own->time_ms ? own->time_ms : default_limits.time_ms;
	run->deadline_ms = clock_mono_ms() + own->time_ms;
	run->includes = map_new(NULL);
	run->tpls = map_new(NULL);
	arena_defer(arena, free_maps, run);
	arena_defer(arena, free_parts, run);
	return run;
}

bool run_fail(GoRun *run, const char *message)
{
	vec_dispose_strings(&run->failure);
	run->failure = (Vec){0};
	vec_push(&run->failure, mem_strndup(message, strnlen(message, MESSAGE_MAX)));
	return false;
}

bool run_wrap(GoRun *run, const char *prefix)
{
	vec_push(&run->failure, mem_strndup(prefix, strnlen(prefix, MESSAGE_MAX)));
	return false;
}

/* "template: FILE:LINE:COLUMN: executing "NAME" at <NODE>: " */
static void write_place(const GoRun *run, Buf *out)
{
	const Node *node = run->node;
	autobuf Buf context = {0};
	if (!node) {
		buf_printf(out, "template: %s: ", run->tree->name);
		return;
	}
	size_t line = 1, start = 0;
	for (size_t i = 0; i < node->pos && i < node->tree->text.len; i++) {
		if (node->tree->text.ptr[i] != '\n')
			continue;
		line++;
		start = i + 1;
	}
	buf_printf(out, "template: %s:%zu:%zu: executing ", node->tree->parse_name, line,
		   node->pos - start);
	quote_append(run->set->unicode, str_of(run->tree->name), false, out);
	node_write(run->set->unicode, node, &context);
	/* A NUL of the template's text would cut the message short. */
	for (size_t i = 0; i < context.len; i++)
		context.ptr[i] = context.ptr[i] ? context.ptr[i] : ' ';
	buf_printf(out, " at <%s>: ", buf_text(&context));
}

bool run_error(GoRun *run, const char *format, ...)
{
	autobuf Buf text = {0};
	va_list args;
	write_place(run, &text);
	va_start(args, format);
	buf_vprintf(&text, format, args);
	va_end(args);
	return run_fail(run, buf_text(&text));
}

bool run_wrap_call(GoRun *run, const char *name)
{
	autobuf Buf text = {0};
	write_place(run, &text);
	buf_printf(&text, "error calling %s: ", name);
	return run_wrap(run, buf_text(&text));
}

bool call_fail(GoCall *call, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	autofree char *text = mem_vprintf(format, args);
	va_end(args);
	return run_fail(call->run, text);
}

bool call_fail_nil(GoCall *call)
{
	return call_fail(call, "runtime error: invalid memory address or nil pointer dereference");
}

Str call_copy(GoCall *call, Str text)
{
	return str_sized(arena_strndup(call->run->arena, text.ptr, text.len), text.len);
}

bool call_return_text(GoCall *call, const Buf *text, GoValue *out)
{
	const GoRun *run = call->run;
	if (text->len > run->limits.output_bytes ||
	    arena_size(run->arena) + text->len > run->limits.memory_bytes)
		return call_fail(call, "result is too large");
	*out = go_text(call_copy(call, buf_str(text)));
	return true;
}

static bool is_in_time(GoRun *run, int64_t now_ms)
{
	return now_ms <= run->deadline_ms ||
	       run_error(run, "limit of %lld ms reached", (long long)run->limits.time_ms);
}

bool run_step(GoRun *run)
{
	const char here = 0;
	run->steps++;
	if (run->steps > run->limits.steps)
		return run_error(run, "limit of %llu steps reached",
				 (unsigned long long)run->limits.steps);
	ptrdiff_t used = run->stack_base - &here;
	if (used > STACK_MAX || used < -STACK_MAX)
		return run_error(run, "exceeded maximum template depth (100000)");
	if (run->steps % STEPS_PER_CLOCK != 0)
		return true;
	if (!is_in_time(run, clock_mono_ms()))
		return false;
	if (arena_size(run->arena) > run->limits.memory_bytes)
		return run_error(run, "limit of %zu bytes reached", run->limits.memory_bytes);
	return true;
}

bool run_call_step(GoRun *run)
{
	return run_step(run) && is_in_time(run, clock_mono_coarse_ms());
}

/* What is put aside while another template runs. */
typedef struct {
	const GotmplSet *set;
	const Tree *tree;
	const Node *node;
	Buf *out;
	size_t var_len, var_base;
} Frame;

bool run_template(GoRun *run, const GotmplSet *set, const Tree *tree, GoValue data, Buf *out)
{
	if (run->limits.depth && run->depth >= run->limits.depth)
		return run_error(run, "limit of %llu nested templates reached",
				 (unsigned long long)run->limits.depth);
	Frame outer = {run->set, run->tree, run->node, run->out, run->var_len, run->var_base};
	run->depth++;
	run->set = set;
	run->tree = tree;
	run->out = out;
	run->var_base = run->var_len;
	exec_declare(run, STR("$"), data);
	bool fine = exec_walk(run, data, tree->root) != FLOW_FAIL;
	run->depth--;
	run->set = outer.set;
	run->tree = outer.tree;
	run->node = outer.node;
	run->out = outer.out;
	run->var_len = outer.var_len;
	run->var_base = outer.var_base;
	return fine;
}

/* Joins the parts of the failure; each prefix of the joined text's end is a step of the trace. */
static void join_failure(GoRun *run, Error *err)
{
	autobuf Buf text = {0};
	vec_dispose_strings(&run->trace);
	run->trace = (Vec){0};
	for (size_t i = run->failure.len; i > 0; i--)
		buf_puts(&text, run->failure.items[i - 1]);
	size_t at = 0;
	for (size_t i = run->failure.len; i > 0; i--) {
		vec_push(&run->trace, mem_strdup(buf_text(&text) + at));
		at += strlen(run->failure.items[i - 1]);
	}
	err_set(err, ERR_INVALID, "%s", buf_text(&text));
}

bool gotmpl_execute(GoRun *run, const char *name, GoValue data, Buf *out, Error *err)
{
	const char here = 0;
	const Tree *tree = set_find(run->root, name);
	if (!tree)
		return err_set(err, ERR_NOT_FOUND, "template: no template \"%s\"", name);
	run->stack_base = &here;
	if (run_template(run, run->root, tree, data, out))
		return true;
	join_failure(run, err);
	return false;
}

size_t gotmpl_trace(const GoRun *run, const char *const **out_messages)
{
	*out_messages = (const char *const *)run->trace.items;
	return run->trace.len;
}
