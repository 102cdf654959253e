/* A scanner's days in minutes: 30 frames a second from four threads, with bad frames, cancellations, models that are loaded
 * anew, and SIGTERM in between.
 *
 *     soak MODEL WIDTH HEIGHT MINUTES QUESTION... < frame.gray
 *
 * Each frame has a number and a time at which it is offered. Its thread writes down what came of it: each thread has a
 * picture of its own, so that a report of another thread's would be a wrong one. At SIGTERM, which the program sends itself,
 * the threads finish their frames, wait, and go on. Ends with 0 where every frame had the outcome that it should have, none
 * was done more than two seconds after it was offered, resident memory after a tenth of the time and 60 seconds stayed within
 * 2 MB of the middle of its range, and the 99th percentile of a frame's processor time is at most 1.3 times its median. After each frame
 * its thread does a fixed piece of work of about the same length, whose times say how steady the machine itself is: by how
 * much their 99th percentile is above their median, the frames' may be more.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
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
#define WARM 60               /* The least number of seconds after which memory must not grow. */
#define MAPPED (64 << 10)     /* Blocks of at least so many bytes go back to the system when they are freed. */
#define FIXED_BYTES (5 << 20) /* What the fixed piece of work reads: as much as the model and its buffers have, */
#define FIXED_ROUNDS 3        /* and how often. */
#define MAX_DEVIATION 2e6
#define MAX_SPREAD 1.3

enum outcome { NONE, REPORTED, REFUSED, ENDED, MIXED_UP, FAILED };

static const char *model;
static bedside_query *query;
static bedside_frame frames[THREADS];
static float probabilities[THREADS]; /* Those of the first finding of each thread's picture. */
static long total;
static unsigned char *outcomes;   /* What came of each frame; NONE where nothing did. */
static float *cpu_ms;             /* The processor time of each frame that was reported. */
static float *fixed_ms;           /* That of the fixed piece of work after it. */
static double *late_s;            /* How long after its offer each frame was done. */
static uint64_t *numbers;         /* What the fixed piece of work reads, */
static _Atomic uint64_t fixed_result; /* and what it finds. */
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

/* Where the threads that warm a model up wait for each other, so that their frames are looked at at once. */
static pthread_barrier_t together;

/* Looks at a frame with a model that no thread has yet. */
static void *warm_up(void *fresh)
{
    bedside_report *report = NULL;
    pthread_barrier_wait(&together);
    if (bedside_classifier_classify_frame(fresh, &frames[0], query, &report, NULL) != BEDSIDE_STATUS_OK)
        abort();
    bedside_report_free(report);
    return NULL;
}

/* Loads the model anew. It gets its buffers before the threads get it: from as many frames at once as there are threads. */
static void reload(void)
{
    bedside_classifier *fresh = NULL;
    pthread_t warming[THREADS];
    if (bedside_classifier_open(model, NULL, &fresh, NULL) != BEDSIDE_STATUS_OK)
        abort();
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&warming[i], NULL, warm_up, fresh) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(warming[i], NULL);
    bedside_classifier_free(atomic_exchange(&classifier, fresh));
    reloads++;
}

/* The handle that another thread is to use, while a frame is looked at. */
static _Atomic(bedside_cancel_handle *) to_cancel;
static atomic_int is_over;

static void *cancel(void *unused)
{
    for (unsigned pause = 0; !is_over; pause = (pause + 397) % 3000) {
        bedside_cancel_handle *handle = atomic_exchange(&to_cancel, NULL);
        usleep(handle != NULL ? pause : 200);
        if (handle != NULL) {
            bedside_cancel_handle_cancel(handle, NULL);
            bedside_cancel_handle_free(handle);
        }
    }
    return unused;
}

/* Classifies a frame, and says what came of it. The handle of the classifier may have been freed since it was read: that is
 * an error of the call and no crash, and the frame is offered to the new one. */
static enum outcome classify(const bedside_frame *given, const bedside_query *asked, float *probability)
{
    for (;;) {
        bedside_report *report = NULL;
        bedside_conclusion conclusion;
        conclusion.size = sizeof conclusion;
        bedside_finding finding;
        finding.size = sizeof finding;
        switch (bedside_classifier_classify_frame(classifier, given, asked, &report, NULL)) {
        case BEDSIDE_STATUS_OK:
            if (bedside_report_conclusion(report, &conclusion) != BEDSIDE_STATUS_OK || conclusion.triage < 1 ||
                bedside_report_finding(report, 0, &finding) != BEDSIDE_STATUS_OK)
                return FAILED;
            bedside_report_free(report);
            *probability = finding.probability;
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

static int questions;
static char **first_question;

/* A query that answers each question with yes. */
static bedside_status answered_query(bedside_query **made)
{
    bedside_status status = bedside_query_new(made, NULL);
    for (int i = 0; status == BEDSIDE_STATUS_OK && i < questions; i++)
        status = bedside_query_set_answer(*made, first_question[i], 1, NULL);
    return status;
}

static enum outcome expected(long number)
{
    return number % BAD == 0 ? REFUSED : number % CANCELLED == 0 ? ENDED : REPORTED;
}

static enum outcome look(long number)
{
    bedside_frame given = frames[number % THREADS];
    float probability = -1;
    if (expected(number) == REFUSED)
        given.planes[0].length -= 1 + (size_t)(number % 1000);
    enum outcome outcome;
    if (expected(number) != ENDED) {
        outcome = classify(&given, query, &probability);
    } else {
        bedside_query *cancelled = NULL;
        bedside_cancel_handle *handle = NULL;
        if (answered_query(&cancelled) || bedside_cancel_handle_new(&handle, NULL) ||
            bedside_query_set_cancel(cancelled, handle, NULL))
            return FAILED;
        bedside_cancel_handle_free(atomic_exchange(&to_cancel, handle));
        outcome = classify(&given, cancelled, &probability);
        bedside_query_free(cancelled);
    }
    /* A frame may be done before it is cancelled: its report must be right then. */
    if (outcome == REPORTED && probability != probabilities[number % THREADS])
        return MIXED_UP;
    return expected(number) == ENDED && outcome == REPORTED ? ENDED : outcome;
}

static void do_fixed_work(void)
{
    uint64_t sum = 1;
    for (int round = 0; round < FIXED_ROUNDS; round++)
        for (size_t i = 0; i < FIXED_BYTES / sizeof *numbers; i++)
            sum = (sum ^ numbers[i]) * 31 + (sum >> 3);
    fixed_result = sum;
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
        double between = seconds(CLOCK_THREAD_CPUTIME_ID);
        cpu_ms[number] = (float)((between - before) * 1e3);
        late_s[number] = since_start() - (double)number / RATE;
        outcomes[number] = (unsigned char)outcome;
        between = seconds(CLOCK_THREAD_CPUTIME_ID);
        do_fixed_work();
        fixed_ms[number] = (float)((seconds(CLOCK_THREAD_CPUTIME_ID) - between) * 1e3);
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

/* Sorts times, prints what they are of, their median and their 99th percentile, and returns how many times the median that
 * is. */
static double print_spread(const char *name, float *times, long number)
{
    qsort(times, (size_t)number, sizeof *times, ascending);
    double median = times[number / 2], high = times[number * 99 / 100];
    printf("processor time of %s: median %.2f ms, 99th percentile %.2f ms (%.2f times)\n", name, median, high, high / median);
    return high / median;
}

int main(int count, char **arguments)
{
    if (count < 5)
        return EXIT_FAILURE;
    /* As the maker's chapter says. Otherwise glibc keeps blocks of the sizes that a freed model had, and which of them lie
     * between blocks in use is chance. */
    mallopt(M_MMAP_THRESHOLD, MAPPED);
    model = arguments[1];
    total = atol(arguments[4]) * 60 * RATE;
    questions = count - 5;
    first_question = arguments + 5;
    size_t width = (size_t)atoi(arguments[2]), height = (size_t)atoi(arguments[3]), size = width * height;
    unsigned char *pixels = (unsigned char *)calloc(THREADS, size);
    outcomes = calloc((size_t)total, 1);
    cpu_ms = malloc((size_t)total * sizeof *cpu_ms), late_s = malloc((size_t)total * sizeof *late_s);
    fixed_ms = malloc((size_t)total * sizeof *fixed_ms), numbers = malloc(FIXED_BYTES);
    if (pthread_barrier_init(&together, NULL, THREADS) != 0)
        return EXIT_FAILURE;
    if (total == 0 || !pixels || !outcomes || !cpu_ms || !late_s || !fixed_ms || !numbers || answered_query(&query) ||
        fread(pixels, 1, size, stdin) != size)
        return EXIT_FAILURE;
    /* Written now, so that it is resident from the start. */
    memset(cpu_ms, 0, (size_t)total * sizeof *cpu_ms), memset(late_s, 0, (size_t)total * sizeof *late_s);
    memset(fixed_ms, 0, (size_t)total * sizeof *fixed_ms), memset(outcomes, NONE, (size_t)total);
    for (size_t i = 0; i < FIXED_BYTES / sizeof *numbers; i++)
        numbers[i] = i * 0x9E3779B97F4A7C15u;
    for (size_t i = 0; i < THREADS; i++) {
        /* The thread's picture: the frame with its rows moved up. */
        unsigned char *own = pixels + i * size;
        size_t moved = i * 16 * width;
        if (i > 0)
            memcpy(own, pixels + moved, size - moved), memcpy(own + size - moved, pixels, moved);
        bedside_frame_init(&frames[i], sizeof frames[i]);
        frames[i].format = BEDSIDE_FORMAT_GRAY8;
        frames[i].width = frames[i].planes[0].row_stride = (uint32_t)width;
        frames[i].height = (uint32_t)height;
        frames[i].planes[0].data = own;
        frames[i].planes[0].length = size;
    }
    reload();
    for (size_t i = 0; i < THREADS; i++)
        if (classify(&frames[i], query, &probabilities[i]) != REPORTED || (i > 0 && probabilities[i] == probabilities[0]))
            return EXIT_FAILURE;

    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_terminate;
    sigaction(SIGTERM, &action, NULL);
    clock_gettime(CLOCK_MONOTONIC, &start);
    pthread_t threads[THREADS], canceller;
    if (pthread_create(&canceller, NULL, cancel, NULL) != 0)
        return EXIT_FAILURE;
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0)
            return EXIT_FAILURE;

    /* Now and then memory, and then the model; and the end of each stop, as a supervisor would start the program again. */
    double end = (double)total / RATE, low = 1e18, high = 0;
    for (double second = 1; second <= end; second++) {
        wait_until(second + 0.5 / RATE); /* Between two frames. */
        if (is_stopped) {
            usleep(100000);
            is_stopped = 0;
            usleep(100000); /* The frames that waited are done then, and it is between two frames again. */
        }
        int is_warming = second < end / 10 || second < WARM, is_reload = (long)second % RELOADED == 0;
        /* Before a load, when all that the last one needed for a while is freed. */
        if (!is_warming && is_reload) {
            double bytes = resident_bytes();
            low = bytes < low ? bytes : low;
            high = bytes > high ? bytes : high;
        }
        /* Each thread's part of the heap has had its largest size only after many loads: so they come faster at first. */
        for (int i = 0; i < (is_warming ? 3 : is_reload); i++) {
            reload();
            usleep(200000);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    is_over = 1;
    pthread_join(canceller, NULL);

    long wrong = 0, reported = 0;
    double latest = 0;
    for (long number = 0; number < total; number++) {
        wrong += outcomes[number] != (unsigned char)expected(number);
        latest = late_s[number] > latest ? late_s[number] : latest;
        if (outcomes[number] == REPORTED && number >= total / 10)
            cpu_ms[reported] = cpu_ms[number], fixed_ms[reported++] = fixed_ms[number];
    }
    printf("%ld frames in %.0f s, %ld with a wrong outcome, the latest %.2f s late; %ld models loaded, %ld times SIGTERM\n",
           total, since_start(), wrong, latest, (long)reloads, (long)stops);
    printf("resident memory %.1f to %.1f MB when warm\n", low / 1e6, high / 1e6);
    double spread = print_spread("a frame", cpu_ms, reported), own = print_spread("the fixed work", fixed_ms, reported);
    bedside_classifier_free(classifier);
    bedside_query_free(query);
    free(pixels);
    int is_steady = high - low <= 2 * MAX_DEVIATION && spread <= MAX_SPREAD * own;
    return wrong == 0 && latest < 2 && is_steady ? EXIT_SUCCESS : EXIT_FAILURE;
}
