// What Android's C library has under names of its own, for a run of its libraries over GNU's.

#include <errno.h>

int *__errno(void) { return &errno; }

// A phone's properties, of which there are none here.
int __system_property_get(const char *name, char *value) {
    (void)name;
    value[0] = 0;
    return 0;
}
