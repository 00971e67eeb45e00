/* Text for manual pages (groff_man(7)), which programs print of their own tables. */
#ifndef BASE_ROFF_H
#define BASE_ROFF_H

#include <stdio.h>

/* The page's first line: `name` in capitals, the section, and the project with its version; no
 * date, so that the same source gives the same page. */
void roff_title(const char *name, int section, FILE *out);

/* ".SH TITLE" */
void roff_section(const char *title, FILE *out);

/* Text as it is to be read, escaped; ends with a newline. */
void roff_text(const char *text, FILE *out);

/* One paragraph of a list: the flag in bold, what its value is called (or NULL) in italics, the
 * text. */
void roff_flag(char letter, const char *flag, const char *value, const char *text, FILE *out);

#endif
