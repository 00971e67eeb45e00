#include "gotmpl/layout.h"

#include "base/auto.h"

const char *const layout_months[12] = {"January",   "February", "March",    "April",
				       "May",	    "June",	"July",	    "August",
				       "September", "October",	"November", "December"};
const char *const layout_days[7] = {"Sunday",	"Monday", "Tuesday", "Wednesday",
				    "Thursday", "Friday", "Saturday"};

/* Longer ones first where one begins with another. */
static const struct {
	const char *text;
	LayoutPiece piece;
} pieces[] = {
	{"January", LAYOUT_LONG_MONTH},
	{"Jan", LAYOUT_MONTH},
	{"Monday", LAYOUT_LONG_WEEKDAY},
	{"Mon", LAYOUT_WEEKDAY},
	{"MST", LAYOUT_ZONE},
	{"002", LAYOUT_ZERO_YEAR_DAY},
	{"01", LAYOUT_ZERO_MONTH},
	{"02", LAYOUT_ZERO_DAY},
	{"03", LAYOUT_ZERO_HOUR12},
	{"04", LAYOUT_ZERO_MINUTE},
	{"05", LAYOUT_ZERO_SECOND},
	{"06", LAYOUT_YEAR},
	{"15", LAYOUT_HOUR},
	{"1", LAYOUT_NUM_MONTH},
	{"2006", LAYOUT_LONG_YEAR},
	{"2", LAYOUT_DAY},
	{"__2", LAYOUT_UNDER_YEAR_DAY},
	{"_2006", LAYOUT_LONG_YEAR}, /* the underscore is text */
	{"_2", LAYOUT_UNDER_DAY},
	{"3", LAYOUT_HOUR12},
	{"4", LAYOUT_MINUTE},
	{"5", LAYOUT_SECOND},
	{"PM", LAYOUT_PM},
	{"pm", LAYOUT_LOWER_PM},
	{"-070000", LAYOUT_NUM_SECONDS},
	{"-07:00:00", LAYOUT_NUM_COLON_SECONDS},
	{"-0700", LAYOUT_NUM_ZONE},
	{"-07:00", LAYOUT_NUM_COLON},
	{"-07", LAYOUT_NUM_SHORT},
	{"Z070000", LAYOUT_ISO_SECONDS},
	{"Z07:00:00", LAYOUT_ISO_COLON_SECONDS},
	{"Z0700", LAYOUT_ISO_ZONE},
	{"Z07:00", LAYOUT_ISO_COLON},
	{"Z07", LAYOUT_ISO_SHORT},
};

static bool is_digit_at(Str text, size_t at)
{
	return at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9';
}

/* ".000" or ",999" that no digit follows: its length, else 0. */
static size_t fraction_len(Str text)
{
	if (text.len < 2 || (text.ptr[0] != '.' && text.ptr[0] != ','))
		return 0;
	char digit = text.ptr[1];
	size_t len = 1;
	if (digit != '0' && digit != '9')
		return 0;
	while (len < text.len && text.ptr[len] == digit)
		len++;
	return is_digit_at(text, len) ? 0 : len;
}

static LayoutPiece piece_at(Str text, size_t *skip, size_t *len)
{
	*skip = 0;
	*len = fraction_len(text);
	if (*len > 0)
		return text.ptr[1] == '0' ? LAYOUT_FRACTION_ZEROS : LAYOUT_FRACTION_NINES;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		if (!str_starts(text, str_of(pieces[i].text)))
			continue;
		*len = strlen(pieces[i].text);
		/* "Jan" of "January" is matched before; "Janet" is text */
		if (pieces[i].piece == LAYOUT_MONTH || pieces[i].piece == LAYOUT_WEEKDAY)
			if (*len < text.len && text.ptr[*len] >= 'a' && text.ptr[*len] <= 'z')
				return LAYOUT_NONE;
		if (pieces[i].text[0] == '_' && pieces[i].piece == LAYOUT_LONG_YEAR)
			*skip = 1;
		return pieces[i].piece;
	}
	return LAYOUT_NONE;
}

LayoutPiece layout_next(Str *layout, Str *prefix, Str *piece)
{
	size_t skip, len;
	for (size_t at = 0; at < layout->len; at++) {
		LayoutPiece found = piece_at(str_slice(*layout, at, layout->len), &skip, &len);
		if (found == LAYOUT_NONE)
			continue;
		*prefix = str_slice(*layout, 0, at + skip);
		*piece = str_slice(*layout, at + skip, at + len);
		*layout = str_slice(*layout, at + len, layout->len);
		return found;
	}
	*prefix = *layout;
	*piece = STR("");
	*layout = STR("");
	return LAYOUT_NONE;
}
