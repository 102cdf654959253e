// Counts a process's calls to malloc, calloc and realloc, and prints their number when it ends. Preloaded by
// `cargo xtask bench bindings`, which runs a program with two numbers of calls: the difference is what a call allocates.
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static atomic_long allocations;

void *malloc(size_t size) { allocations++; return __libc_malloc(size); }
void *calloc(size_t count, size_t size) { allocations++; return __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { allocations++; return __libc_realloc(old, size); }

__attribute__((destructor)) static void tell(void) {
    char text[64];
    int length = snprintf(text, sizeof text, "allocations %ld\n", (long)allocations);
    if (write(STDERR_FILENO, text, length) < 0) _exit(1);
}
