// Counts what a process asks the system's allocator for, in calls and in bytes, and prints both when it ends. Preloaded
// by `cargo xtask bench bindings`, which runs a program with two numbers of calls: the difference is what a call
// allocates.
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static atomic_long allocations, bytes;

static void count(size_t size) {
    allocations++;
    bytes += (long)size;
}

void *malloc(size_t size) { count(size); return __libc_malloc(size); }
void *calloc(size_t items, size_t size) { count(items * size); return __libc_calloc(items, size); }
void *realloc(void *old, size_t size) { count(size); return __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { count(size); return __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { count(size); return __libc_memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    count(size);
    *result = __libc_memalign(alignment, size);
    return *result ? 0 : 12; // ENOMEM
}

__attribute__((destructor)) static void tell(void) {
    char text[80];
    int length = snprintf(text, sizeof text, "allocations %ld %ld\n", (long)allocations, (long)bytes);
    if (write(STDERR_FILENO, text, length) < 0) _exit(1);
}
