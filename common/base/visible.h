/*
 * Text from outside for people: in messages, events and errors it must neither steer a terminal nor
 * look like what it is not, nor fill the page.
 */
#ifndef BASE_VISIBLE_H
#define BASE_VISIBLE_H

#include <stddef.h>

#include "base/auto.h"

/* A copy of at most max bytes, "..." included where it was cut, never amid a character. Control
 * characters, line separators and what turns the direction of writing become blanks, bytes that are
 * no UTF-8 "?". NULL for NULL. Owned. */
char *visible_text(const char *text, size_t max);

#endif
