/* The heap of a program that computes for milliseconds, fills memory, and ends. */
#ifndef CLI_HEAP_H
#define CLI_HEAP_H

/*
 * Has malloc take its memory in huge pages, where the system gives them, but for the first 192 KiB,
 * which small work does with: one page fault for 2 MiB instead of 512, which take a fifth of the
 * time of a chart of 100 templates. Memory is then asked for in large steps and not given back
 * before the end. To be called before anything allocates; nothing fails, at worst the heap is as it
 * would have been.
 */
void heap_prepare(void);

#endif
