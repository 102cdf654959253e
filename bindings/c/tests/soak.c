/* A scanner's days in minutes: 30 frames a second from four threads, with bad frames, cancellations, models that are loaded
 * anew, and SIGTERM in between.
 *
 *     soak MODEL WIDTH HEIGHT MINUTES QUESTION... < frame.gray
 *
 * Each frame has a number and a time at which it is offered. Its thread writes down what came of it. At SIGTERM, which the
 * program sends itself, the threads finish their frames, wait, and go on. Ends with 0 where every frame had one outcome and
 * the one that it should have, no second had fewer reports than frames were offered, resident memory stayed within 2 MB of
 * what it was after a tenth of the time and 45 seconds, and the 99th percentile of a frame's processor time is at most 1.3 times its
 * median.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bedside.h"

#define THREADS 4
#define RATE 30               /* Frames a second, of all threads together. */
#define BAD 17                /* Every so many frames, one does not fit its format. */
#define CANCELLED 23          /* Every so many frames, one is cancelled. */
#define RELOADED 4            /* Every so many seconds, the model is loaded anew; three times a second at first. */
#define STOPPED (RATE * 45)   /* Every so many frames, SIGTERM comes. */
#define WARM 45               /* The least number of seconds after which memory must not grow. */
#define MAX_GROWTH 2e6
#define MAX_SPREAD 1.3

enum outcome { NONE, REPORTED, REFUSED, ENDED, FAILED };

static const char *model;
static bedside_query *query;
static bedside_frame frame;
static long total;
static atomic_uchar *outcomes, *times_seen;
static float *cpu_ms;             /* The processor time of each frame that was reported. */
static double *late_s;            /* How long after its offer each frame was done. */
static struct timespec start;
static atomic_int is_stopped;
static atomic_long stops, reloads;

/* The classifier of all threads. Who replaces it frees the old one, which threads may be using. */
static _Atomic(bedside_classifier *) classifier;

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double since_start(void)
{
    return seconds(CLOCK_MONOTONIC) - (double)start.tv_sec - (double)start.tv_nsec * 1e-9;
}

/* Waits until a time after the start, whatever signals come. */
static void wait_until(double time)
{
    for (double left = time - since_start(); left > 0; left = time - since_start()) {
        struct timespec pause = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        nanosleep(&pause, NULL);
    }
}

static void on_terminate(int signal_number)
{
    (void)signal_number;
    is_stopped = 1;
    stops++;
}

static void reload(void)
{
    bedside_classifier *fresh = NULL;
    if (bedside_classifier_open(model, NULL, &fresh, NULL) != BEDSIDE_STATUS_OK)
        abort();
    bedside_classifier_free(atomic_exchange(&classifier, fresh));
    reloads++;
}

/* Classifies a frame, and says what came of it. The handle of the classifier may have been freed since it was read: that is
 * an error of the call and no crash, and the frame is offered to the new one. */
static enum outcome classify(const bedside_frame *given, const bedside_query *asked)
{
    for (;;) {
        bedside_report *report = NULL;
        bedside_conclusion conclusion;
        conclusion.size = sizeof conclusion;
        switch (bedside_classifier_classify_frame(classifier, given, asked, &report, NULL)) {
        case BEDSIDE_STATUS_OK:
            if (bedside_report_conclusion(report, &conclusion) != BEDSIDE_STATUS_OK || conclusion.triage < 1)
                return FAILED;
            bedside_report_free(report);
            return REPORTED;
        case BEDSIDE_STATUS_MALFORMED_IMAGE:
            return REFUSED;
        case BEDSIDE_STATUS_CANCELLED:
            return ENDED;
        case BEDSIDE_STATUS_INVALID_HANDLE:
            continue;
        default:
            return FAILED;
        }
    }
}

static enum outcome expected(long number)
{
    return number % BAD == 0 ? REFUSED : number % CANCELLED == 0 ? ENDED : REPORTED;
}

static enum outcome look(long number)
{
    bedside_frame given = frame;
    if (expected(number) == REFUSED)
        given.planes[0].length -= 1 + (size_t)(number % 1000);
    if (expected(number) != ENDED)
        return classify(&given, query);
    bedside_query *cancelled = NULL;
    bedside_cancel_handle *handle = NULL;
    if (bedside_query_new(&cancelled, NULL) || bedside_cancel_handle_new(&handle, NULL) ||
        bedside_query_set_cancel(cancelled, handle, NULL) || bedside_cancel_handle_cancel(handle, NULL))
        return FAILED;
    bedside_cancel_handle_free(handle);
    enum outcome outcome = classify(&given, cancelled);
    bedside_query_free(cancelled);
    return outcome;
}

/* Every fourth frame from the argument on. */
static void *work(void *argument)
{
    for (long number = (long)(size_t)argument; number < total; number += THREADS) {
        wait_until((double)number / RATE);
        if (number % STOPPED == STOPPED - 1)
            kill(getpid(), SIGTERM);
        while (is_stopped) /* Another thread ends the stop. */
            usleep(1000);
        double before = seconds(CLOCK_THREAD_CPUTIME_ID);
        enum outcome outcome = look(number);
        cpu_ms[number] = (float)((seconds(CLOCK_THREAD_CPUTIME_ID) - before) * 1e3);
        late_s[number] = since_start() - (double)number / RATE;
        outcomes[number] = (unsigned char)outcome;
        times_seen[number]++;
    }
    return NULL;
}

static double resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*s %ld", &pages) != 1)
        abort();
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static int ascending(const void *a, const void *b)
{
    float first = *(const float *)a, second = *(const float *)b;
    return (first > second) - (first < second);
}

int main(int count, char **arguments)
{
    if (count < 5)
        return EXIT_FAILURE;
    model = arguments[1];
    total = atol(arguments[4]) * 60 * RATE;
    bedside_frame_init(&frame, sizeof frame);
    frame.format = BEDSIDE_FORMAT_GRAY8;
    frame.width = frame.planes[0].row_stride = (uint32_t)atoi(arguments[2]);
    frame.height = (uint32_t)atoi(arguments[3]);
    unsigned char *pixels = (unsigned char *)calloc(frame.height, frame.width);
    frame.planes[0].data = pixels;
    frame.planes[0].length = fread(pixels, frame.width, frame.height, stdin) * frame.width;
    outcomes = calloc((size_t)total, 1), times_seen = calloc((size_t)total, 1);
    cpu_ms = calloc((size_t)total, sizeof *cpu_ms), late_s = calloc((size_t)total, sizeof *late_s);
    if (total == 0 || !pixels || !outcomes || !times_seen || !cpu_ms || !late_s || bedside_query_new(&query, NULL))
        return EXIT_FAILURE;
    memset(cpu_ms, 0, (size_t)total * sizeof *cpu_ms), memset(late_s, 0, (size_t)total * sizeof *late_s);
    for (int i = 5; i < count; i++)
        bedside_query_set_answer(query, arguments[i], 1, NULL);
    reload();

    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_terminate;
    sigaction(SIGTERM, &action, NULL);
    clock_gettime(CLOCK_MONOTONIC, &start);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            return EXIT_FAILURE;

    /* Once a second, memory, and then the model; and the end of each stop, as a supervisor would start the program again. */
    double end = (double)total / RATE, warm = 0, low = 1e18, high = 0;
    for (double second = 1; second <= end; second++) {
        wait_until(second);
        if (is_stopped) {
            usleep(100000);
            is_stopped = 0;
        }
        double bytes = resident_bytes();
        int is_warming = second < end / 10 || second < WARM;
        if (is_warming) {
            warm = bytes;
        } else {
            low = bytes < low ? bytes : low;
            high = bytes > high ? bytes : high;
        }
        /* Each thread's part of the heap has had its largest size only after many loads: so they come faster at first. */
        for (int i = 0; i < (is_warming ? 3 : (long)second % RELOADED == 0); i++) {
            reload();
            usleep(200000);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    long wrong = 0, reported = 0;
    double latest = 0;
    for (long number = 0; number < total; number++) {
        wrong += times_seen[number] != 1 || outcomes[number] != (unsigned char)expected(number);
        latest = late_s[number] > latest ? late_s[number] : latest;
        if (outcomes[number] == REPORTED && number >= total / 10)
            cpu_ms[reported++] = cpu_ms[number];
    }
    qsort(cpu_ms, (size_t)reported, sizeof *cpu_ms, ascending);
    double median = cpu_ms[reported / 2], high_time = cpu_ms[reported * 99 / 100];
    printf("%ld frames in %.0f s, %ld with a wrong outcome, the latest %.2f s late; %ld models loaded, %ld times SIGTERM\n",
           total, since_start(), wrong, latest, (long)reloads, (long)stops);
    printf("resident memory %.1f MB when warm, later %.1f to %.1f MB\n", warm / 1e6, low / 1e6, high / 1e6);
    printf("processor time of a frame: median %.2f ms, 99th percentile %.2f ms (%.2f times)\n", median, high_time,
           high_time / median);
    bedside_classifier_free(classifier);
    bedside_query_free(query);
    free(pixels);
    int is_steady = high - warm <= MAX_GROWTH && warm - low <= MAX_GROWTH && high_time <= MAX_SPREAD * median;
    return wrong == 0 && latest < 2 && is_steady ? EXIT_SUCCESS : EXIT_FAILURE;
}
