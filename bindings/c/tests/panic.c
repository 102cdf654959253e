/* Has the library panic, in a program that is linked with it statically: the panic must become a status.
 *
 *     panic MODEL WIDTH HEIGHT < frame.gray
 *
 * Linked with -Wl,--wrap=clock_gettime,--wrap=__clock_gettime64. The library asks for the time when a classification begins, and panics where the clock
 * fails.
 */
#define _POSIX_C_SOURCE 199309L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bedside.h"

static int is_broken;

int __real_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (!is_broken)
        return __real_clock_gettime(clock, time);
    errno = EINVAL;
    return -1;
}

#if defined __GLIBC__ && UINTPTR_MAX == UINT32_MAX
/* What Rust takes on 32 bits where it is there, for times after 2038. */
int __real___clock_gettime64(clockid_t clock, void *time);

int __wrap___clock_gettime64(clockid_t clock, void *time);

int __wrap___clock_gettime64(clockid_t clock, void *time)
{
    return is_broken ? -1 : __real___clock_gettime64(clock, time);
}
#endif

int main(int count, char **arguments)
{
    static unsigned char pixels[1 << 20];
    bedside_error error;
    bedside_frame frame;
    bedside_classifier *classifier = NULL;
    bedside_report *report = NULL;
    if (count < 4 || bedside_error_init(&error, sizeof error) || bedside_frame_init(&frame, sizeof frame) ||
        bedside_classifier_open(arguments[1], NULL, &classifier, &error))
        return EXIT_FAILURE;
    frame.format = BEDSIDE_FORMAT_GRAY8;
    frame.width = frame.planes[0].row_stride = (uint32_t)atoi(arguments[2]);
    frame.height = (uint32_t)atoi(arguments[3]);
    frame.planes[0].data = pixels;
    frame.planes[0].length = fread(pixels, 1, sizeof pixels, stdin);

    is_broken = 1;
    bedside_status broken = bedside_classifier_classify_frame(classifier, &frame, NULL, &report, &error);
    is_broken = 0;
    if (broken != BEDSIDE_STATUS_INTERNAL || report != NULL) {
        fprintf(stderr, "status %d, and not that of a panic\n", (int)broken);
        return EXIT_FAILURE;
    }
    /* The library goes on. */
    if (bedside_classifier_classify_frame(classifier, &frame, NULL, &report, &error))
        return EXIT_FAILURE;
    bedside_report_free(report);
    bedside_classifier_free(classifier);
    puts("a panic is a status");
    return EXIT_SUCCESS;
}
