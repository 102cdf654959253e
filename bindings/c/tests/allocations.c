/* Counts how often the library allocates for a frame after the first ones.
 *
 *     allocations MODEL WIDTH HEIGHT QUESTION... < frame.gray
 *
 * The functions of the C library that allocate are replaced by ones that count and then do the same. Each question is
 * answered with yes. The scores of a frame must take no allocation, and a report at most 20.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bedside.h"

#define FRAMES 20
#define MAX_OF_REPORT 20

/* The GNU C library's own. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static size_t count;

void *malloc(size_t size)
{
    count++;
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count++;
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    count++;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    *memory = aligned_alloc(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

static bedside_error error;

static void check(bedside_status status)
{
    if (status != BEDSIDE_STATUS_OK) {
        fprintf(stderr, "error %d: %s\n", (int)status, error.message);
        exit(EXIT_FAILURE);
    }
}

int main(int arguments_count, char **arguments)
{
    if (arguments_count < 4)
        return EXIT_FAILURE;
    check(bedside_error_init(&error, sizeof error));
    bedside_classifier *classifier = NULL;
    check(bedside_classifier_open(arguments[1], NULL, &classifier, &error));
    bedside_query *query = NULL;
    check(bedside_query_new(&query, &error));
    for (int i = 4; i < arguments_count; i++)
        check(bedside_query_set_answer(query, arguments[i], 1, &error));
    bedside_frame frame;
    check(bedside_frame_init(&frame, sizeof frame));
    frame.format = BEDSIDE_FORMAT_GRAY8;
    frame.width = frame.planes[0].row_stride = (uint32_t)atoi(arguments[2]);
    frame.height = (uint32_t)atoi(arguments[3]);
    unsigned char *pixels = (unsigned char *)calloc(frame.height, frame.width);
    frame.planes[0].data = pixels;
    frame.planes[0].length = fread(pixels, frame.width, frame.height, stdin) * frame.width;

    size_t opened = count, of_scores = 0, of_report = 0;
    float scores[16];
    for (int i = 0; i < 2 * FRAMES; i++) {
        size_t before = count;
        check(bedside_classifier_frame_scores(classifier, &frame, scores, 16, NULL, &error));
        size_t between = count;
        bedside_report *report = NULL;
        check(bedside_classifier_classify_frame(classifier, &frame, query, &report, &error));
        bedside_report_free(report);
        if (i >= FRAMES) { /* The first ones warm up. */
            of_scores += between - before;
            of_report = count - between > of_report ? count - between : of_report;
        }
    }
    printf("%zu allocations to open a model; the scores of %d frames take %zu, a report at most %zu\n", opened, FRAMES,
           of_scores, of_report);
    free(pixels);
    bedside_query_free(query);
    bedside_classifier_free(classifier);
    return opened > 0 && of_scores == 0 && of_report <= MAX_OF_REPORT ? EXIT_SUCCESS : EXIT_FAILURE;
}
