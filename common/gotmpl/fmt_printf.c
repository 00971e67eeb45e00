#include "gotmpl/fmt_internal.h"

/* The format string: "%[flags][width][.precision]verb", with operands by number in brackets. */

typedef struct {
	Printer p;
	Str format;
	size_t at;
	const GoValue *args;
	size_t count, next;
	bool after_index, good_index, reordered;
} Scanner;

static char byte_at(const Scanner *s)
{
	return s->at < s->format.len ? s->format.ptr[s->at] : '\0';
}

static bool read_number(Scanner *s, int *out)
{
	size_t from = s->at;
	int value = 0;
	while (byte_at(s) >= '0' && byte_at(s) <= '9') {
		if (value > FMT_MAX_WIDTH)
			return false;
		value = value * 10 + (byte_at(s) - '0');
		s->at++;
	}
	*out = value;
	return s->at > from;
}

/* "[3]": the next operand's number. A bad one makes the verb print %!v(BADINDEX). */
static void read_index(Scanner *s)
{
	s->after_index = false;
	if (byte_at(s) != '[')
		return;
	s->reordered = true;
	Str rest = str_slice(s->format, s->at, s->format.len);
	ptrdiff_t close = str_find_char(rest, ']');
	if (close < 0) {
		s->good_index = false;
		s->at++;
		return;
	}
	size_t end = s->at + (size_t)close;
	int number = 0;
	s->at++;
	bool fine = read_number(s, &number) && s->at == end && number >= 1;
	s->at = end + 1;
	if (fine && (size_t)number <= s->count) {
		s->next = (size_t)number - 1;
		s->after_index = true;
		return;
	}
	s->good_index = false;
	s->after_index = fine;
}

/* An operand for "*". */
static bool take_int(Scanner *s, int *out)
{
	if (s->next >= s->count)
		return false;
	GoValue value = s->args[s->next++];
	int64_t number = value.integer;
	GoKind kind = go_kind(value);
	if ((kind != GO_KIND_INT && kind != GO_KIND_UINT) || number > FMT_MAX_WIDTH ||
	    number < -FMT_MAX_WIDTH)
		return false;
	*out = (int)number;
	return true;
}

static void read_flags(Scanner *s)
{
	for (;; s->at++) {
		switch (byte_at(s)) {
		case '#':
			s->p.sharp = true;
			break;
		case '0':
			s->p.zero = true;
			break;
		case '+':
			s->p.plus = true;
			break;
		case '-':
			s->p.minus = true;
			break;
		case ' ':
			s->p.space = true;
			break;
		default:
			return;
		}
	}
}

static void read_width(Scanner *s)
{
	read_index(s);
	if (byte_at(s) != '*') {
		s->p.has_width = read_number(s, &s->p.width);
		if (s->after_index && s->p.has_width)
			s->good_index = false;
		return;
	}
	s->at++;
	s->p.has_width = take_int(s, &s->p.width);
	if (!s->p.has_width)
		fmt_puts(&s->p, "%!(BADWIDTH)");
	if (s->p.has_width && s->p.width < 0) {
		s->p.width = -s->p.width;
		s->p.minus = true;
		s->p.zero = false;
	}
	s->after_index = false;
}

static void read_precision(Scanner *s)
{
	if (byte_at(s) != '.' || s->at + 1 >= s->format.len)
		return;
	s->at++;
	if (s->after_index)
		s->good_index = false;
	read_index(s);
	if (byte_at(s) != '*') {
		if (!read_number(s, &s->p.precision))
			s->p.precision = 0;
		s->p.has_precision = true;
		return;
	}
	s->at++;
	s->p.has_precision = take_int(s, &s->p.precision) && s->p.precision >= 0;
	if (!s->p.has_precision)
		fmt_puts(&s->p, "%!(BADPREC)");
	s->after_index = false;
}

static void print_operand(Scanner *s, GoValue value)
{
	if (s->p.verb == 'T') {
		s->p.verb = 's';
		s->p.has_precision = s->p.has_precision && value.type != GO_NIL; /* never cut */
		fmt_string(&s->p, go_cstr(go_type_name(value)));
		return;
	}
	if (s->p.verb == 'w') { /* errors are wrapped by Errorf only */
		fmt_bad_verb(&s->p, value);
		return;
	}
	if (s->p.verb == 'v') {
		s->p.sharp_v = s->p.sharp;
		s->p.plus_v = s->p.plus;
		s->p.sharp = s->p.plus = false;
	}
	fmt_any(&s->p, value, 0);
}

static void print_missing(Scanner *s, const char *what)
{
	fmt_puts(&s->p, "%!");
	buf_put_rune(s->p.fmt->out, s->p.verb);
	fmt_puts(&s->p, what);
}

static void print_directive(Scanner *s)
{
	s->p = (Printer){.fmt = s->p.fmt};
	s->good_index = true;
	read_flags(s);
	read_width(s);
	read_precision(s);
	if (!s->after_index)
		read_index(s);
	if (s->at >= s->format.len) {
		fmt_puts(&s->p, "%!(NOVERB)");
		return;
	}
	size_t width;
	s->p.verb = rune_decode(str_slice(s->format, s->at, s->format.len), &width);
	s->at += width;
	if (s->p.verb == '%')
		fmt_puts(&s->p, "%");
	else if (!s->good_index)
		print_missing(s, "(BADINDEX)");
	else if (s->next >= s->count)
		print_missing(s, "(MISSING)");
	else
		print_operand(s, s->args[s->next++]);
}

static void print_extra(Scanner *s)
{
	s->p = (Printer){.fmt = s->p.fmt, .verb = 'v'};
	fmt_puts(&s->p, "%!(EXTRA ");
	for (size_t i = s->next; i < s->count; i++) {
		if (i > s->next)
			fmt_puts(&s->p, ", ");
		fmt_puts(&s->p, go_type_name(s->args[i]));
		if (s->args[i].type == GO_NIL)
			continue;
		fmt_puts(&s->p, "=");
		fmt_any(&s->p, s->args[i], 0);
	}
	fmt_puts(&s->p, ")");
}

void fmt_printf(GoFmt *fmt, Str format, const GoValue *args, size_t count)
{
	Scanner s = {.p = {.fmt = fmt}, .format = format, .args = args, .count = count};
	while (s.at < format.len && fmt->out->len < fmt->limit) {
		Str rest = str_slice(format, s.at, format.len);
		ptrdiff_t percent = str_find_char(rest, '%');
		size_t plain = percent < 0 ? rest.len : (size_t)percent;
		buf_append(fmt->out, rest.ptr, plain);
		s.at += plain;
		if (percent < 0)
			break;
		s.at++;
		print_directive(&s);
	}
	if (!s.reordered && s.next < count)
		print_extra(&s);
}
