/* Reads one grey frame, 8 bits a pixel, row by row, from standard input, and prints what can't be excluded.
 *
 *     verdict MODEL WIDTH HEIGHT [QUESTION=yes|no]... < frame.gray
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bedside.h"

static bedside_error error;

/* Ends the program where a call failed, with the library's message. */
static void check(bedside_status status)
{
    if (status != BEDSIDE_STATUS_OK) {
        fprintf(stderr, "error %d: %s\n", (int)status, error.message);
        exit(EXIT_FAILURE);
    }
}

int main(int count, char **arguments)
{
    if (count < 4) {
        fprintf(stderr, "usage: %s MODEL WIDTH HEIGHT [QUESTION=yes|no]... < frame.gray\n", arguments[0]);
        return EXIT_FAILURE;
    }
    check(bedside_error_init(&error, sizeof error));
    bedside_classifier *classifier = NULL;
    check(bedside_classifier_open(arguments[1], NULL, &classifier, &error));

    bedside_query *query = NULL;
    check(bedside_query_new(&query, &error));
    for (int i = 4; i < count; i++) { /* The answers to the model's questions; -1 is refused. */
        const char *question = strtok(arguments[i], "="), *answer = strtok(NULL, "");
        int yes = answer == NULL ? -1 : strcmp(answer, "yes") == 0 ? 1 : strcmp(answer, "no") == 0 ? 0 : -1;
        check(bedside_query_set_answer(query, question, yes, &error));
    }

    bedside_frame frame;
    check(bedside_frame_init(&frame, sizeof frame));
    frame.format = BEDSIDE_FORMAT_GRAY8;
    frame.width = frame.planes[0].row_stride = (uint32_t)atoi(arguments[2]);
    frame.height = (uint32_t)atoi(arguments[3]);
    unsigned char *pixels = (unsigned char *)calloc(frame.height, frame.width);
    frame.planes[0].data = pixels;
    frame.planes[0].length = pixels == NULL ? 0 : fread(pixels, frame.width, frame.height, stdin) * frame.width;

    bedside_report *report = NULL;
    check(bedside_classifier_classify_frame(classifier, &frame, query, &report, &error));
    char text[4096];
    check(bedside_report_text(report, text, sizeof text, NULL)); /* It ends with the notice, which must be shown. */
    if (puts(text) == EOF || fflush(stdout) == EOF)
        return EXIT_FAILURE;
    bedside_report_free(report);
    bedside_query_free(query);
    bedside_classifier_free(classifier);
    free(pixels);
    return EXIT_SUCCESS;
}
