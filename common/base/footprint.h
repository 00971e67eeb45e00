/*
 * What a process at rest holds. Start-up touches most pages of some forty shared libraries to link
 * them, and a burst of work leaves freed memory with the allocator; a daemon that then waits for a
 * watch needs neither.
 */
#ifndef BASE_FOOTPRINT_H
#define BASE_FOOTPRINT_H

/*
 * Gives freed heap back and drops this process's mappings of pages that are unchanged copies of a
 * file (code, constants). What is used again comes back from the page cache by a minor fault, a few
 * hundred in all: call it when work has ended, or about once a second, not between any two pieces.
 * Any thread.
 */
void footprint_shrink(void);

#endif
