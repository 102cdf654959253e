// What Android's C library has under names of its own, for a run of its libraries over GNU's.

#include <errno.h>

int *__errno(void) { return &errno; }
