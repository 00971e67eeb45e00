/* Differences of texts by lines: the longest common subsequence, by the plain table. */
#include <ctype.h>

#include "base/mem.h"
#include "base/str.h"
#include "diff_report.h"

enum { MAX_LINES = 2000, CONTEXT = 3 };

static const char *const colors[] = {
	[DIFF_PLAIN] = "",	     [DIFF_ADDED] = "\033[32m", [DIFF_REMOVED] = "\033[31m",
	[DIFF_CHANGED] = "\033[33m", [DIFF_NOTE] = "\033[35m",	[DIFF_PATH] = "\033[1m",
};

void diff_put(FILE *out, const DiffStyle *style, DiffColor color, const char *mark, Str line)
{
	bool colored = style->colors && *colors[color];
	fprintf(out, "%s%s", colored ? colors[color] : "", mark);
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.ptr[i];
		if (c != '\t' && iscntrl(c))
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputs(colored ? "\033[0m\n" : "\n", out);
}

typedef struct {
	Str lines[MAX_LINES];
	size_t len;
} Lines;

static bool split(Str text, Lines *out)
{
	Str rest = text, line;
	while (str_next(&rest, '\n', &line)) {
		if (out->len == MAX_LINES)
			return false;
		out->lines[out->len++] = line;
	}
	return true;
}

/* common[i * (b->len + 1) + j]: how many lines a[i..] and b[j..] have in common. Owned. */
static unsigned short *common_lengths(const Lines *a, const Lines *b)
{
	size_t width = b->len + 1;
	unsigned short *common = mem_zalloc((a->len + 1) * width, sizeof(*common));
	for (size_t i = a->len; i-- > 0;)
		for (size_t j = b->len; j-- > 0;) {
			unsigned short *here = &common[i * width + j];
			unsigned short down = common[(i + 1) * width + j], right = here[1];
			*here = str_eq(a->lines[i], b->lines[j])
					? (unsigned short)(common[(i + 1) * width + j + 1] + 1)
				: down > right ? down
					       : right;
		}
	return common;
}

/* One line of the result: of a (-), of b (+) or of both. */
typedef struct {
	char mark;
	Str line;
} Step;

static size_t steps_of(const Lines *a, const Lines *b, Step *out)
{
	autofree unsigned short *common = common_lengths(a, b);
	size_t width = b->len + 1, i = 0, j = 0, count = 0;
	while (i < a->len || j < b->len) {
		if (i < a->len && j < b->len && str_eq(a->lines[i], b->lines[j])) {
			out[count++] = (Step){' ', a->lines[i++]};
			j++;
		} else if (j == b->len || (i < a->len && common[(i + 1) * width + j] >=
								 common[i * width + j + 1])) {
			out[count++] = (Step){'-', a->lines[i++]};
		} else {
			out[count++] = (Step){'+', b->lines[j++]};
		}
	}
	return count;
}

/* Whether a change is near enough for the line to be shown. */
static bool is_near(const Step *steps, size_t count, size_t at)
{
	size_t from = at > CONTEXT ? at - CONTEXT : 0;
	for (size_t i = from; i < count && i <= at + CONTEXT; i++)
		if (steps[i].mark != ' ')
			return true;
	return false;
}

void diff_print_text(FILE *out, const DiffStyle *style, Str before, Str after)
{
	autofree Lines *a = mem_zalloc(1, sizeof(*a)), *b = mem_zalloc(1, sizeof(*b));
	if (!split(before, a) || !split(after, b)) {
		diff_put(out, style, DIFF_NOTE, "    ", STR("(over 2000 lines)"));
		return;
	}
	autofree Step *steps = mem_zalloc(a->len + b->len, sizeof(Step));
	size_t count = steps_of(a, b, steps);
	bool hidden = false;
	for (size_t i = 0; i < count; i++) {
		bool near = is_near(steps, count, i);
		if (near && hidden)
			diff_put(out, style, DIFF_NOTE, "    ", STR("[...]"));
		hidden = !near;
		if (!near)
			continue;
		DiffColor color = steps[i].mark == '+'	 ? DIFF_ADDED
				  : steps[i].mark == '-' ? DIFF_REMOVED
							 : DIFF_PLAIN;
		char mark[] = {' ', ' ', ' ', ' ', steps[i].mark, ' ', '\0'};
		diff_put(out, style, color, mark, steps[i].line);
	}
}
