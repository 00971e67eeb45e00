#include "gotmpl/unicode.h"

#include <locale.h>
#include <stdatomic.h>
#include <wchar.h>
#include <wctype.h>

#include "base/mem.h"

/*
 * The tables are opened by the first rune beyond ASCII: most charts have none, and opening costs
 * eight files. 0: the C library has no C.UTF-8, and only ASCII has classes.
 */
static const locale_t not_opened = LC_GLOBAL_LOCALE;

struct GoUnicode {
	_Atomic(locale_t) *locale;
};

static void free_locale(void *pointer)
{
	_Atomic(locale_t) *locale = pointer;
	locale_t opened = atomic_load(locale);
	if (opened && opened != not_opened)
		freelocale(opened);
	free(locale);
}

const GoUnicode *unicode_new(Arena *arena)
{
	GoUnicode *unicode = arena_alloc(arena, sizeof(*unicode));
	unicode->locale = mem_alloc(sizeof(*unicode->locale));
	atomic_init(unicode->locale, not_opened);
	arena_defer(arena, free_locale, unicode->locale);
	return unicode;
}

/* Of threads that open it at once the first one's stays. */
static locale_t locale_of(const GoUnicode *unicode)
{
	locale_t locale = atomic_load(unicode->locale);
	if (locale != not_opened)
		return locale;
	locale_t opened = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (atomic_compare_exchange_strong(unicode->locale, &locale, opened))
		return opened;
	if (opened)
		freelocale(opened);
	return locale;
}

size_t rune_count(Str text)
{
	size_t count = 0, width;
	for (size_t at = 0; at < text.len; at += width, count++)
		rune_decode(str_slice(text, at, text.len), &width);
	return count;
}

bool rune_is_digit(const GoUnicode *unicode, uint32_t rune)
{
	/* Beyond ASCII the C library has no class of its own for decimal digits. */
	static const uint32_t zeros[] = {
		0x660,	0x6f0,	0x7c0,	0x966,	0x9e6,	0xa66,	0xae6,	0xb66,	0xbe6,
		0xc66,	0xce6,	0xd66,	0xde6,	0xe50,	0xed0,	0xf20,	0x1040, 0x1090,
		0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
		0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10};
	(void)unicode;
	if (rune < 0x80)
		return rune >= '0' && rune <= '9';
	for (size_t i = 0; i < COUNT(zeros); i++)
		if (rune >= zeros[i] && rune < zeros[i] + 10)
			return true;
	return false;
}

bool rune_is_letter(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return (rune | 32) >= 'a' && (rune | 32) <= 'z';
	locale_t locale = locale_of(unicode);
	return locale && iswalpha_l((wint_t)rune, locale) && !rune_is_digit(unicode, rune);
}

bool rune_is_upper(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'A' && rune <= 'Z';
	locale_t locale = locale_of(unicode);
	return locale && iswupper_l((wint_t)rune, locale);
}

bool rune_is_lower(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'a' && rune <= 'z';
	locale_t locale = locale_of(unicode);
	return locale && iswlower_l((wint_t)rune, locale);
}

bool rune_is_punct(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return rune != 0 && strchr("!\"#%&'()*,-./:;?@[\\]_{}", (int)rune) != NULL;
	return rune == 0xa1 || rune == 0xa7 || rune == 0xab || rune == 0xb6 || rune == 0xb7 ||
	       rune == 0xbb || rune == 0xbf || (rune >= 0x2010 && rune <= 0x2027) ||
	       (rune >= 0x3001 && rune <= 0x3003 && locale_of(unicode));
}

bool rune_is_space(uint32_t rune)
{
	return (rune >= 9 && rune <= 13) || rune == ' ' || rune == 0x85 || rune == 0xa0 ||
	       rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
	       rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

/* Formatting characters and private ones, which the C library calls printable. */
static bool is_format(uint32_t rune)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{0xad, 0xad},	     {0x600, 0x605},   {0x61c, 0x61c},	 {0x6dd, 0x6dd},
		{0x70f, 0x70f},	     {0x180e, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},
		{0x2060, 0x206f},    {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb},
		{0xe0000, RUNE_MAX},
	};
	for (size_t i = 0; i < COUNT(ranges); i++)
		if (rune >= ranges[i].from && rune <= ranges[i].to)
			return !(rune >= 0xe0100 && rune <= 0xe01ef);
	return false;
}

bool rune_is_print(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 0x20 && rune < 0x7f;
	locale_t locale = locale_of(unicode);
	return !rune_is_space(rune) && !is_format(rune) && locale &&
	       iswprint_l((wint_t)rune, locale);
}

uint32_t rune_upper(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
	locale_t locale = locale_of(unicode);
	return locale ? (uint32_t)towupper_l((wint_t)rune, locale) : rune;
}

uint32_t rune_lower(const GoUnicode *unicode, uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
	locale_t locale = locale_of(unicode);
	return locale ? (uint32_t)towlower_l((wint_t)rune, locale) : rune;
}

void runes_map(const GoUnicode *unicode, Str text,
	       uint32_t (*map)(const GoUnicode *unicode, uint32_t rune), Buf *out)
{
	size_t width;
	for (size_t at = 0; at < text.len; at += width)
		buf_put_rune(out, map(unicode, rune_decode(str_slice(text, at, text.len), &width)));
}
