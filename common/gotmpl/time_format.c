#include <stdlib.h>

#include "base/auto.h"
#include "gotmpl/layout.h"
#include "gotmpl/time.h"

/* Time.Format: each piece of the layout written for a moment. */

static void put_zone(const GoTime *time, LayoutPiece piece, Buf *out)
{
	bool iso = piece >= LAYOUT_ISO_ZONE && piece <= LAYOUT_ISO_COLON_SECONDS;
	bool colon = piece == LAYOUT_ISO_COLON || piece == LAYOUT_ISO_COLON_SECONDS ||
		     piece == LAYOUT_NUM_COLON || piece == LAYOUT_NUM_COLON_SECONDS;
	bool seconds = piece == LAYOUT_ISO_SECONDS || piece == LAYOUT_ISO_COLON_SECONDS ||
		       piece == LAYOUT_NUM_SECONDS || piece == LAYOUT_NUM_COLON_SECONDS;
	bool brief = piece == LAYOUT_ISO_SHORT || piece == LAYOUT_NUM_SHORT;
	if (iso && time->offset == 0) {
		buf_putc(out, 'Z');
		return;
	}
	int minutes = abs(time->offset / 60);
	buf_printf(out, "%c%02d", time->offset < 0 ? '-' : '+', minutes / 60);
	if (!brief)
		buf_printf(out, colon ? ":%02d" : "%02d", minutes % 60);
	if (seconds)
		buf_printf(out, colon ? ":%02d" : "%02d", abs(time->offset % 60));
}

static void put_zone_name(const GoTime *time, Buf *out)
{
	if (time->zone && time->zone[0]) {
		buf_puts(out, time->zone);
		return;
	}
	put_zone(time, LAYOUT_NUM_ZONE, out);
}

static void put_fraction(const GoTime *time, Str piece, bool nines, Buf *out)
{
	char digits[10];
	size_t count = piece.len - 1;
	int32_t nanos = time->nanos;
	for (int i = 8; i >= 0; i--, nanos /= 10)
		digits[i] = (char)('0' + nanos % 10);
	if (count > 9)
		count = 9;
	while (nines && count > 0 && digits[count - 1] == '0')
		count--;
	if (nines && count == 0)
		return;
	buf_putc(out, piece.ptr[0]);
	buf_append(out, digits, count);
}

static void put_year(int64_t year, Buf *out)
{
	buf_printf(out, year < 0 ? "-%04lld" : "%04lld", llabs((long long)year));
}

static void put_text_piece(const GoTime *time, const TimeParts *t, LayoutPiece piece, Str text,
			   Buf *out)
{
	const char *month = layout_months[t->month - 1], *day = layout_days[t->weekday];
	switch ((int)piece) {
	case LAYOUT_LONG_MONTH:
		buf_puts(out, month);
		break;
	case LAYOUT_MONTH:
		buf_append(out, month, 3);
		break;
	case LAYOUT_LONG_WEEKDAY:
		buf_puts(out, day);
		break;
	case LAYOUT_WEEKDAY:
		buf_append(out, day, 3);
		break;
	case LAYOUT_PM:
		buf_puts(out, t->hour >= 12 ? "PM" : "AM");
		break;
	case LAYOUT_LOWER_PM:
		buf_puts(out, t->hour >= 12 ? "pm" : "am");
		break;
	case LAYOUT_LONG_YEAR:
		put_year(t->year, out);
		break;
	case LAYOUT_ZONE:
		put_zone_name(time, out);
		break;
	case LAYOUT_FRACTION_ZEROS:
	case LAYOUT_FRACTION_NINES:
		put_fraction(time, text, piece == LAYOUT_FRACTION_NINES, out);
		break;
	default:
		if (piece >= LAYOUT_ISO_ZONE)
			put_zone(time, piece, out);
		break;
	}
}

static bool put_number(const TimeParts *t, LayoutPiece piece, Buf *out)
{
	int hour12 = t->hour % 12 ? t->hour % 12 : 12;
	const struct {
		LayoutPiece piece;
		int number, width;
		char fill;
	} rows[] = {
		{LAYOUT_NUM_MONTH, t->month, 1, ' '},
		{LAYOUT_ZERO_MONTH, t->month, 2, '0'},
		{LAYOUT_DAY, t->day, 1, ' '},
		{LAYOUT_UNDER_DAY, t->day, 2, ' '},
		{LAYOUT_ZERO_DAY, t->day, 2, '0'},
		{LAYOUT_UNDER_YEAR_DAY, t->year_day, 3, ' '},
		{LAYOUT_ZERO_YEAR_DAY, t->year_day, 3, '0'},
		{LAYOUT_HOUR, t->hour, 2, '0'},
		{LAYOUT_HOUR12, hour12, 1, ' '},
		{LAYOUT_ZERO_HOUR12, hour12, 2, '0'},
		{LAYOUT_MINUTE, t->minute, 1, ' '},
		{LAYOUT_ZERO_MINUTE, t->minute, 2, '0'},
		{LAYOUT_SECOND, t->second, 1, ' '},
		{LAYOUT_ZERO_SECOND, t->second, 2, '0'},
		{LAYOUT_YEAR, (int)(llabs((long long)t->year) % 100), 2, '0'},
	};
	char digits[16];
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].piece != piece)
			continue;
		int count = 0, number = rows[i].number;
		do
			digits[count++] = (char)('0' + number % 10);
		while ((number /= 10) > 0);
		for (int pad = count; pad < rows[i].width; pad++)
			buf_putc(out, rows[i].fill);
		while (count > 0)
			buf_putc(out, digits[--count]);
		return true;
	}
	return false;
}

void time_format(const GoTime *time, Str layout, Buf *out)
{
	TimeParts parts;
	Str prefix, piece;
	LayoutPiece found;
	time_parts(time, &parts);
	do {
		found = layout_next(&layout, &prefix, &piece);
		buf_add(out, prefix);
		if (found != LAYOUT_NONE && !put_number(&parts, found, out))
			put_text_piece(time, &parts, found, piece, out);
	} while (found != LAYOUT_NONE);
}
