#include "cel/text_format.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { PRECISION_DEFAULT = 6, PRECISION_MAX = 1000, DEPTH_MAX = 100 };

typedef struct {
	CelRun *run;
	bool newer;
	Buf *out;
	Error *err;
	int depth;
} Writer;

static bool write_item(Writer *w, const CelValue *value, bool inside);

static const char *name_of(const CelValue *value)
{
	return cel_type_name(cel_type_of(value));
}

/* As Go's %q. */
static void write_quoted(Str text, Buf *out)
{
	static const char special[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
	buf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		char byte = text.ptr[i];
		const char *found = byte ? strchr(special, byte) : NULL;
		if (found)
			buf_printf(out, "\\%c", letters[found - special]);
		else if ((unsigned char)byte < 0x20 || byte == 0x7f)
			buf_printf(out, "\\x%02x", (unsigned)byte);
		else
			buf_putc(out, byte);
	}
	buf_putc(out, '"');
}

/* All digits and no exponent. */
static void write_plain_double(double real, Buf *out)
{
	char digits[JSON_DIGITS_SIZE];
	int point;
	if (isnan(real) || isinf(real)) {
		buf_puts(out, isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity");
		return;
	}
	if (signbit(real))
		buf_putc(out, '-');
	int len = (int)json_real_digits(fabs(real), digits, &point);
	point = real == 0 ? 1 : point;
	if (point <= 0)
		buf_putc(out, '0');
	for (int i = 0; i < point; i++)
		buf_putc(out, i < len ? digits[i] : '0');
	if (len > point)
		buf_putc(out, '.');
	for (int i = point; i < 0; i++)
		buf_putc(out, '0');
	int from = point > 0 ? point : 0;
	if (len > from)
		buf_append(out, digits + from, (size_t)(len - from));
}

static bool write_list(Writer *w, const CelList *list)
{
	buf_putc(w->out, '[');
	for (size_t i = 0; i < list->len; i++) {
		CelValue item = cel_list_at(w->run, list, i);
		if (i > 0)
			buf_puts(w->out, ", ");
		if (!write_item(w, &item, true))
			return false;
	}
	buf_putc(w->out, ']');
	return true;
}

static bool write_entry(Writer *w, const CelMap *map, size_t index, Vec *entries)
{
	CelValue key = cel_map_key(w->run, map, index), value = cel_map_value(w->run, map, index);
	autobuf Buf text = {0};
	Writer inner = {w->run, w->newer, &text, w->err, w->depth};
	bool known = key.kind == CEL_STRING || key.kind == CEL_BOOL || key.kind == CEL_INT ||
		     key.kind == CEL_UINT;
	if (!w->newer && !known)
		return err_set(w->err, ERR_INVALID, "no formatting function for map key of type %s",
			       name_of(&key));
	if (!write_item(&inner, &key, true))
		return false;
	buf_puts(&text, w->newer ? ": " : ":");
	if (!write_item(&inner, &value, true))
		return false;
	vec_push(entries, buf_steal(&text));
	return true;
}

static bool write_map(Writer *w, const CelMap *map)
{
	autostrings Vec entries = {0};
	for (size_t i = 0; i < map->len; i++)
		if (!write_entry(w, map, i, &entries))
			return false;
	vec_sort(&entries, vec_compare_strings);
	buf_putc(w->out, '{');
	for (size_t i = 0; i < entries.len; i++)
		buf_printf(w->out, "%s%s", i > 0 ? ", " : "", (const char *)entries.items[i]);
	buf_putc(w->out, '}');
	return true;
}

static bool write_double(Writer *w, double real, bool inside)
{
	if (w->newer) {
		write_plain_double(real, w->out);
		return true;
	}
	if (!inside) {
		cel_write_double(real, w->out);
		return true;
	}
	if (isnan(real) || isinf(real))
		buf_printf(w->out, "\"%s\"", isnan(real) ? "NaN" : real > 0 ? "+Inf" : "-Inf");
	else
		buf_printf(w->out, "%.6f", real);
	return true;
}

static bool write_text(Writer *w, const CelValue *value, bool inside)
{
	if (!inside || w->newer) {
		buf_add(w->out, value->text);
		return true;
	}
	if (value->kind == CEL_BYTES)
		buf_putc(w->out, 'b');
	write_quoted(value->text, w->out);
	return true;
}

static bool write_time(Writer *w, const CelValue *value, bool inside)
{
	CelValue text = cel_to_string(w->run, value);
	if (!inside || w->newer) {
		buf_add(w->out, text.text);
		return true;
	}
	buf_puts(w->out, value->kind == CEL_TIMESTAMP ? "timestamp(" : "duration(");
	write_quoted(text.text, w->out);
	buf_putc(w->out, ')');
	return true;
}

static bool cannot(Writer *w, const CelValue *value, bool inside)
{
	if (inside && !w->newer)
		return err_set(w->err, ERR_INVALID, "no formatting function for %s",
			       name_of(value));
	return err_set(w->err, ERR_INVALID,
		       "string clause can only be used on strings, bools, bytes, ints, doubles, "
		       "maps, lists, types, durations, and timestamps, was given %s",
		       name_of(value));
}

static bool write_deep(Writer *w, const CelValue *value)
{
	if (++w->depth > DEPTH_MAX || w->out->len > w->run->memory_max)
		return err_set(w->err, ERR_INVALID, "the value is nested too deep or too large");
	bool fine = value->kind == CEL_LIST ? write_list(w, value->list) : write_map(w, value->map);
	w->depth--;
	return fine;
}

/* %s; `inside` a list or map the older form writes what would read back. */
static bool write_item(Writer *w, const CelValue *value, bool inside)
{
	CelValue text;
	switch ((int)value->kind) {
	case CEL_LIST:
	case CEL_MAP:
		return write_deep(w, value);
	case CEL_STRING:
	case CEL_BYTES:
		return write_text(w, value, inside);
	case CEL_TIMESTAMP:
	case CEL_DURATION:
		return write_time(w, value, inside);
	case CEL_DOUBLE:
		return write_double(w, value->real, inside);
	case CEL_NULL:
		buf_puts(w->out, "null");
		return true;
	case CEL_BOOL:
	case CEL_INT:
	case CEL_UINT:
	case CEL_TYPE:
		text = cel_to_string(w->run, value);
		buf_add(w->out, text.text);
		return true;
	default:
		return cannot(w, value, inside);
	}
}

static bool write_decimal(Writer *w, const CelValue *value)
{
	if (value->kind == CEL_INT || value->kind == CEL_UINT)
		return write_item(w, value, false);
	if (w->newer && value->kind == CEL_DOUBLE)
		return write_double(w, value->real, false);
	return err_set(w->err, ERR_INVALID,
		       w->newer ? "decimal clause can only be used on ints, uints, and doubles, "
				  "was given %s"
				: "decimal clause can only be used on integers, was given %s",
		       name_of(value));
}

static bool read_special(const CelValue *value, double *real)
{
	if (str_eq(value->text, STR("NaN")))
		*real = (double)NAN;
	else if (str_eq(value->text, STR("Infinity")))
		*real = (double)INFINITY;
	else if (str_eq(value->text, STR("-Infinity")))
		*real = -(double)INFINITY;
	else
		return false;
	return true;
}

static bool write_float(Writer *w, const CelValue *value, char clause, int precision)
{
	double real = value->real;
	bool number = value->kind == CEL_DOUBLE;
	if (w->newer && value->kind == CEL_INT) {
		real = (double)value->integer;
		number = true;
	}
	if (!w->newer && value->kind == CEL_STRING)
		number = read_special(value, &real);
	if (!number)
		return err_set(w->err, ERR_INVALID,
			       "%s clause can only be used on %s, was given %s",
			       clause == 'f' ? "fixed-point" : "scientific",
			       w->newer ? "ints, uints, and doubles" : "doubles", name_of(value));
	if (isnan(real) || isinf(real)) {
		const char *big = w->newer ? "Infinity" : "\xe2\x88\x9e";
		buf_printf(w->out, "%s%s", real < 0 ? "-" : "", isnan(real) ? "NaN" : big);
		return true;
	}
	if (clause == 'f')
		buf_printf(w->out, "%.*f", precision, real);
	else
		buf_printf(w->out, "%.*e", precision, real);
	return true;
}

/* `%e` as message.NewPrinter writes it: 1.052033 times ten to the power of 3. */
static bool write_scientific(Writer *w, const CelValue *value, int precision)
{
	static const char *const raised[] = {
		"\xe2\x81\xb0", "\xc2\xb9",	"\xc2\xb2",	"\xc2\xb3",	"\xe2\x81\xb4",
		"\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7", "\xe2\x81\xb8", "\xe2\x81\xb9"};
	autobuf Buf text = {0};
	Writer inner = {w->run, w->newer, &text, w->err, 0};
	/* The older form takes the precision for a width. */
	if (!write_float(&inner, value, 'e', w->newer ? precision : PRECISION_DEFAULT))
		return false;
	const char *power = w->newer ? NULL : strchr(buf_text(&text), 'e');
	if (!power) {
		buf_add(w->out, buf_str(&text));
		return true;
	}
	buf_append(w->out, text.ptr, (size_t)(power - text.ptr));
	buf_puts(w->out, "\xc3\x97"
			 "10");
	if (power[1] == '-')
		buf_puts(w->out, "\xe2\x81\xbb");
	for (power += 2; *power; power++)
		buf_puts(w->out, raised[*power - '0']);
	return true;
}

static void write_base(uint64_t number, unsigned shift, bool upper, Buf *out)
{
	char digits[65];
	size_t at = sizeof(digits);
	const char *letters = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	do {
		digits[--at] = letters[number & ((1U << shift) - 1)];
		number >>= shift;
	} while (number);
	buf_append(out, digits + at, sizeof(digits) - at);
}

static bool write_integer(Writer *w, const CelValue *value, unsigned shift, bool upper)
{
	if (value->kind == CEL_UINT) {
		write_base(value->natural, shift, upper, w->out);
		return true;
	}
	if (value->kind != CEL_INT)
		return false;
	if (value->integer < 0)
		buf_putc(w->out, '-');
	write_base(value->integer < 0 ? 0 - (uint64_t)value->integer : (uint64_t)value->integer,
		   shift, upper, w->out);
	return true;
}

static bool write_binary(Writer *w, const CelValue *value)
{
	if (value->kind == CEL_BOOL) {
		buf_putc(w->out, value->flag ? '1' : '0');
		return true;
	}
	return write_integer(w, value, 1, false) ||
	       err_set(w->err, ERR_INVALID,
		       w->newer
			       ? "only ints, uints, and bools can be formatted as binary, was "
				 "given %s"
			       : "only integers and bools can be formatted as binary, was given %s",
		       name_of(value));
}

static bool write_hex(Writer *w, const CelValue *value, bool upper)
{
	if (value->kind == CEL_STRING || value->kind == CEL_BYTES) {
		for (size_t i = 0; i < value->text.len; i++)
			buf_printf(w->out, upper ? "%02X" : "%02x",
				   (unsigned)(unsigned char)value->text.ptr[i]);
		return true;
	}
	return write_integer(w, value, 4, upper) ||
	       err_set(w->err, ERR_INVALID,
		       w->newer ? "only ints, uints, bytes, and strings can be formatted as hex, "
				  "was given %s"
				: "only integers, byte buffers, and strings can be formatted as "
				  "hex, was given %s",
		       name_of(value));
}

static bool write_octal(Writer *w, const CelValue *value)
{
	return write_integer(w, value, 3, false) ||
	       err_set(w->err, ERR_INVALID,
		       w->newer ? "octal clause can only be used on ints and uints, was given %s"
				: "octal clause can only be used on integers, was given %s",
		       name_of(value));
}

static bool write_clause(Writer *w, char clause, int precision, const CelValue *value)
{
	switch (clause) {
	case 's':
		return write_item(w, value, false);
	case 'd':
		return write_decimal(w, value);
	case 'f':
		return write_float(w, value, clause, precision);
	case 'e':
		return write_scientific(w, value, precision);
	case 'b':
		return write_binary(w, value);
	case 'x':
	case 'X':
		return write_hex(w, value, clause == 'X');
	case 'o':
		return write_octal(w, value);
	default:
		return false;
	}
}

/* ".12" after the percent sign. */
static bool read_precision(Str *rest, int *precision, Error *err)
{
	*precision = PRECISION_DEFAULT;
	if (rest->len == 0 || *rest->ptr != '.')
		return true;
	*rest = str_slice(*rest, 1, rest->len);
	*precision = 0;
	size_t digits = 0;
	for (; rest->len > 0 && isdigit((unsigned char)*rest->ptr); digits++) {
		*precision = *precision * 10 + (*rest->ptr - '0');
		*rest = str_slice(*rest, 1, rest->len);
		if (*precision > PRECISION_MAX)
			return err_set(err, ERR_INVALID, "a precision is at most %d",
				       PRECISION_MAX);
	}
	if (rest->len == 0)
		return err_set(err, ERR_INVALID,
			       "could not parse formatting clause: error while parsing precision: "
			       "could not find end of precision "
			       "specifier");
	return digits > 0 ||
	       err_set(err, ERR_INVALID,
		       "could not parse formatting clause: error while parsing precision: error "
		       "while converting "
		       "precision to integer: strconv.Atoi: parsing \"\": invalid syntax");
}

/* What stands in a format: text up to a clause, or a clause with its letter. */
typedef struct {
	Str plain;
	char letter; /* 0 at the end */
	int precision;
} Piece;

static bool next_piece(Str *rest, Piece *out, Error *err)
{
	ptrdiff_t at = str_find_char(*rest, '%');
	*out = (Piece){.plain = at < 0 ? *rest : str_slice(*rest, 0, (size_t)at)};
	*rest = at < 0 ? STR("") : str_slice(*rest, (size_t)at + 1, rest->len);
	if (at < 0)
		return true;
	if (rest->len == 0)
		return err_set(err, ERR_INVALID, "unexpected end of string");
	if (*rest->ptr != '%' && !read_precision(rest, &out->precision, err))
		return false;
	out->letter = *rest->ptr;
	*rest = str_slice(*rest, 1, rest->len);
	return true;
}

static bool known_clause(char letter, Error *err)
{
	if (strchr("sdfebxXo", letter))
		return true;
	return err_set(err, ERR_INVALID,
		       "could not parse formatting clause: unrecognized formatting clause \"%c\"",
		       letter);
}

bool text_format(CelRun *run, Str format, const CelList *items, bool newer, Buf *out, Error *err)
{
	Writer w = {run, newer, out, err, 0};
	size_t next = 0;
	Piece piece;
	while (format.len > 0) {
		if (!next_piece(&format, &piece, err))
			return false;
		buf_add(out, piece.plain);
		if (piece.letter == '%')
			buf_putc(out, '%');
		if (piece.letter == '%' || piece.letter == '\0')
			continue;
		if (next >= items->len)
			return err_set(err, ERR_INVALID, "index %zu out of range", next);
		if (!known_clause(piece.letter, err))
			return false;
		CelValue item = cel_list_at(run, items, next++);
		if (!write_clause(&w, piece.letter, piece.precision, &item))
			return err_wrap(err, "error during formatting");
	}
	return true;
}

/* What a clause takes, by the static type. */
static const char *clause_problem(char letter, const CelType *type, bool newer)
{
	static const struct {
		const char *letters;
		CelKind kinds[6];
		const char *wrong, *wrong_newer;
	} rows[] = {
		{"d",
		 {CEL_INT, CEL_UINT},
		 "decimal clause can only be used on integers",
		 "decimal clause can only be used on ints, uints, and doubles"},
		{"f",
		 {CEL_DOUBLE, CEL_STRING},
		 "fixed-point clause can only be used on doubles",
		 "fixed-point clause can only be used on ints, uints, and doubles"},
		{"e",
		 {CEL_DOUBLE, CEL_STRING},
		 "scientific clause can only be used on doubles",
		 "scientific clause can only be used on ints, uints, and doubles"},
		{"b",
		 {CEL_INT, CEL_UINT, CEL_BOOL},
		 "only integers and bools can be formatted as binary",
		 "only ints, uints, and bools can be formatted as binary"},
		{"xX",
		 {CEL_INT, CEL_UINT, CEL_STRING, CEL_BYTES},
		 "only integers, byte buffers, and strings can be formatted as hex",
		 "only ints, uints, bytes, and strings can be formatted as hex"},
		{"o",
		 {CEL_INT, CEL_UINT},
		 "octal clause can only be used on integers",
		 "octal clause can only be used on ints and uints"},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!strchr(rows[i].letters, letter))
			continue;
		bool special = newer && strchr("fe", letter) && type->kind == CEL_STRING;
		for (size_t k = 0; k < COUNT(rows[i].kinds) && !special; k++)
			if (rows[i].kinds[k] != CEL_DYN && rows[i].kinds[k] == type->kind)
				return NULL;
		bool number =
			type->kind == CEL_INT || type->kind == CEL_UINT || type->kind == CEL_DOUBLE;
		if (newer && strchr("dfe", letter) && number)
			return NULL;
		return newer ? rows[i].wrong_newer : rows[i].wrong;
	}
	bool shown = type->kind != CEL_OBJECT && type->kind < CEL_OPTIONAL;
	return shown ? NULL
		     : "string clause can only be used on strings, bools, bytes, ints, doubles, "
		       "maps, lists, types, durations, and timestamps";
}

static bool check_item(CelSource *source, const CelNode *item, char letter, bool newer)
{
	const char *wrong =
		item->type->kind == CEL_DYN ? NULL : clause_problem(letter, item->type, newer);
	if (wrong)
		cel_problem(source, item->offset, "error during formatting: %s, was given %s",
			    wrong, cel_type_name(item->type));
	return !wrong;
}

static bool check_clauses(CelSource *source, Str format, const CelNode *items, bool newer,
			  Error *err)
{
	size_t next = 0;
	Piece piece;
	while (format.len > 0) {
		if (!next_piece(&format, &piece, err))
			return false;
		if (piece.letter == '%' || piece.letter == '\0')
			continue;
		if (next >= items->arg_count)
			return err_set(err, ERR_INVALID, "index %zu out of range", next);
		if (!known_clause(piece.letter, err))
			return false;
		if (!check_item(source, items->args[next++], piece.letter, newer))
			return true;
	}
	if (next == items->arg_count)
		return true;
	return err_set(err, ERR_INVALID,
		       "too many arguments supplied to string.format (expected %zu, got %zu)", next,
		       items->arg_count);
}

void format_check(CelSource *source, const CelNode *call, bool newer)
{
	autoerror Error err = {0};
	if (strcmp(call->name, "format") != 0 || !call->target || call->arg_count != 1 ||
	    call->target->kind != NODE_CONST || call->target->value.kind != CEL_STRING)
		return;
	const CelNode *items = call->args[0];
	bool list = items->kind == NODE_LIST ||
		    (items->kind == NODE_CONST && items->args && items->value.kind == CEL_LIST);
	if (!list)
		return;
	if (!check_clauses(source, call->target->value.text, items, newer, &err))
		cel_problem(source, call->offset, "%s", err_text(&err));
}
