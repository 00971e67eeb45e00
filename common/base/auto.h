/*
 * Ownership that the declaration shows: what is owned is declared with its cleanup, and handed on
 * visibly with steal(). A type's own header adds its `auto...` word with AUTO_POINTER.
 */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNUSED __attribute__((unused))
#define PRINTF(text, first) __attribute__((format(printf, text, first)))
#define SENTINEL __attribute__((sentinel))
#define MUST_USE __attribute__((warn_unused_result))

/* Defines `name`, a cleanup function for variables of type `Type *`, that calls free_fn. */
#define AUTO_POINTER(Type, free_fn, name)                                                          \
	static inline void name(Type **pointer)                                                    \
	{                                                                                          \
		if (*pointer)                                                                      \
			free_fn(*pointer);                                                         \
	}                                                                                          \
	struct auto_pointer_needs_semicolon

/* Takes what *pointer owns, leaving NULL so that the cleanup finds nothing. */
#define steal(pointer)                                                                             \
	__extension__({                                                                            \
		__typeof__(*(pointer)) stolen_ = *(pointer);                                       \
		*(pointer) = NULL;                                                                 \
		stolen_;                                                                           \
	})

static inline void auto_free(void *pointer)
{
	free(*(void **)pointer);
}

/* `autofree char *s = mem_strdup(x);`: freed when s leaves its scope. */
#define autofree __attribute__((cleanup(auto_free)))

#endif
