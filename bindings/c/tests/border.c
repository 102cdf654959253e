/* Calls every function of the border as a careful caller does, and as a careless one does.
 *
 *     border MODEL PICTURE
 *
 * MODEL is tests/golden/graphs/qdq-s8.onnx, prepared with the manifest tiny.json, PICTURE tests/golden/graphs/picture.png.
 * Ends with 0 where all is as it must be, and names the first line that is not. It is run by itself, under valgrind, and
 * with AddressSanitizer.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bedside.h"

#define LABELS 3
#define SIDE 48
#define THREADS 8

static bedside_error error;
static atomic_int records;

static void count_record(void *context, int32_t level, const char *target, const char *message);

#define EXPECT(condition)                                                                                             \
    do {                                                                                                              \
        if (!(condition)) {                                                                                           \
            fprintf(stderr, "%s:%d: not so: %s (last message: \"%s\")\n", __FILE__, __LINE__, #condition,              \
                    error.message);                                                                                   \
            exit(EXIT_FAILURE);                                                                                       \
        }                                                                                                             \
    } while (0)
#define OK(call) EXPECT((call) == BEDSIDE_STATUS_OK)
#define FAILS(name, call) EXPECT((call) == BEDSIDE_STATUS_##name)

static unsigned char pixels[SIDE * SIDE * 3];

/* A frame of red, green and blue with some detail in it. */
static bedside_frame rgb_frame(void)
{
    bedside_frame frame;
    OK(bedside_frame_init(&frame, sizeof frame));
    for (int i = 0; i < SIDE * SIDE * 3; i++)
        pixels[i] = (unsigned char)((i * 37 + (i / 97) * 11) % 256);
    frame.format = BEDSIDE_FORMAT_RGB8;
    frame.width = frame.height = SIDE;
    frame.planes[0].data = pixels;
    frame.planes[0].length = sizeof pixels;
    frame.planes[0].row_stride = SIDE * 3;
    return frame;
}

static bedside_classifier *opened(const char *model)
{
    bedside_classifier *classifier = NULL;
    OK(bedside_classifier_open(model, NULL, &classifier, &error));
    EXPECT(classifier != NULL);
    return classifier;
}

/* The structs' first values are those of every other language (bindings/names.json). */
static void defaults(void)
{
    bedside_options options;
    memset(&options, 0xAA, sizeof options);
    OK(bedside_options_init(&options, sizeof options));
    EXPECT(options.size == sizeof options && options.threads == 1);
    EXPECT(options.max_declared_pixels == 200000000 && options.max_decoded_bytes == 268435456);
    EXPECT(options.max_model_bytes == 536870912);
    bedside_frame frame;
    memset(&frame, 0xAA, sizeof frame);
    OK(bedside_frame_init(&frame, sizeof frame));
    EXPECT(frame.size == sizeof frame && frame.format == 0 && frame.planes[2].data == NULL);
    EXPECT(frame.rotation == BEDSIDE_ROTATION_UPRIGHT && frame.mirrored == 0);
    EXPECT(strcmp(bedside_version(), EXPECTED_VERSION) == 0);
}

/* A program that was built with an older header gives shorter structs, one that was built with a newer one longer ones.
 * With TEST_LATER the library is a later one than the header: its options have a field more, which it checks. */
static void sizes(const char *model)
{
    bedside_classifier *classifier = NULL;
    struct {
        bedside_options options;
        uint64_t after;
    } older;
    memset(&older, 0xAA, sizeof older);
    OK(bedside_options_init(&older.options, sizeof older.options));
    EXPECT(older.options.size == sizeof older.options && older.options.threads == 1);
    OK(bedside_classifier_open(model, &older.options, &classifier, &error));
    EXPECT(older.after == 0xAAAAAAAAAAAAAAAA);
    bedside_classifier_free(classifier);

    struct {
        bedside_options options;
        uint64_t later;
    } newer;
    OK(bedside_options_init(&newer.options, sizeof newer));
#ifdef TEST_LATER
    EXPECT(newer.later == 7);
#else
    EXPECT(newer.later == 0);
#endif
    OK(bedside_classifier_open(model, &newer.options, &classifier, &error));
    bedside_classifier_free(classifier);
    newer.later = 1;
    FAILS(INVALID_ARGUMENT, bedside_classifier_open(model, &newer.options, &classifier, &error));
    EXPECT(strstr(error.message, "options") == error.message);

    bedside_options options;
    const size_t wrong[] = {
        0, 1, sizeof(size_t), offsetof(bedside_options, max_model_bytes), sizeof options + 1, 5000, (size_t)-1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        FAILS(INVALID_ARGUMENT, bedside_options_init(&options, wrong[i]));
        OK(bedside_options_init(&options, sizeof options));
        options.size = wrong[i];
        FAILS(INVALID_ARGUMENT, bedside_classifier_open(model, &options, &classifier, &error));
    }

    /* An error whose size is not set is left alone. */
    bedside_error unset;
    memset(&unset, 0, sizeof unset);
    FAILS(IO, bedside_classifier_open("missing.onnx", NULL, &classifier, &unset));
    EXPECT(unset.status == 0 && unset.message[0] == 0);
    FAILS(INVALID_ARGUMENT, bedside_error_init(&unset, offsetof(bedside_error, message)));

    /* Of a long message, start and end stay. */
    char name[4000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = 0;
    FAILS(IO, bedside_classifier_open(name, NULL, &classifier, &error));
    EXPECT(strlen(error.message) == BEDSIDE_MESSAGE_CAPACITY - 1 && error.message[0] == 'a');
    EXPECT(strchr(strstr(error.message, "\xE2\x80\xA6"), ':') != NULL);
}

/* The scores of the picture are ONNX Runtime's (tests/golden/graphs/cases.json). */
static void golden(const bedside_classifier *classifier, const char *picture)
{
    const float wanted[LABELS] = {0.8561239F, 0.0927410F, 0.0511351F};
    float found[LABELS];
    bedside_image *image = NULL;
    OK(bedside_image_open(picture, &image, &error));
    OK(bedside_classifier_scores(classifier, image, found, LABELS, NULL, &error));
    for (int i = 0; i < LABELS; i++)
        EXPECT(fabsf(found[i] - wanted[i]) < 1e-5F);
    bedside_image_free(image);
}

/* The scores of a file, and those of a frame of it. */
static void scores_of(const bedside_classifier *classifier, const char *path, int frame, float *scores)
{
    bedside_image *image = NULL, *chosen = NULL;
    OK(bedside_image_open(path, &image, &error));
    OK(bedside_image_frame(image, (uint32_t)frame, &chosen, &error));
    OK(bedside_classifier_scores(classifier, chosen, scores, LABELS, NULL, &error));
    bedside_image_free(image);
    bedside_image_free(chosen);
}

/* DICOM files give what their exported twins give. */
static void dicom(const bedside_classifier *classifier)
{
    float film[LABELS], loop[LABELS], other[LABELS];
    scores_of(classifier, "tests/pictures/film.png", 0, film);
    scores_of(classifier, "tests/pictures/film.dcm", 0, other);
    EXPECT(memcmp(film, other, sizeof film) == 0);
    scores_of(classifier, "tests/pictures/loop.png", 0, loop);
    scores_of(classifier, "tests/pictures/loop.dcm", 1, other);
    EXPECT(memcmp(loop, other, sizeof loop) == 0);

    uint32_t frames = 0;
    bedside_image *image = NULL, *whole = NULL;
    OK(bedside_image_open("tests/pictures/loop.dcm", &image, &error));
    OK(bedside_image_frames(image, &frames, &error));
    EXPECT(frames == 3);
    OK(bedside_image_whole(image, &whole, &error));
    OK(bedside_classifier_scores(classifier, whole, other, LABELS, NULL, &error));
    EXPECT(memcmp(loop, other, sizeof loop) != 0);
    static unsigned char png[200000];
    size_t length = 0;
    OK(bedside_image_shown(image, 64, png, sizeof png, &length, &error));
    EXPECT(length > 100 && memcmp(png, "\211PNG", 4) == 0);
    EXPECT(bedside_image_shown(image, 64, png, 10, &length, &error) == BEDSIDE_STATUS_BUFFER_TOO_SMALL);
    EXPECT(bedside_image_shown(image, 0, png, sizeof png, &length, &error) == BEDSIDE_STATUS_INVALID_QUERY);
    bedside_image_free(image);
    bedside_image_free(whole);

    bedside_report *report = NULL;
    bedside_conclusion conclusion;
    bedside_geometry geometry;
    conclusion.size = sizeof conclusion;
    geometry.size = sizeof geometry;
    int32_t kind = 0;
    char text[4096];
    OK(bedside_image_open("tests/pictures/film.dcm", &image, &error));
    OK(bedside_classifier_classify(classifier, image, NULL, &report, &error));
    OK(bedside_report_conclusion(report, &conclusion));
    EXPECT(conclusion.warnings == 1);
    OK(bedside_report_warning_kind(report, 0, &kind));
    EXPECT(kind == BEDSIDE_WARNING_KIND_BURNED_IN);
    OK(bedside_report_warning_message(report, 0, text, sizeof text, NULL));
    EXPECT(strstr(text, "picture") != NULL);
    FAILS(ABSENT, bedside_report_warning_kind(report, 1, &kind));
    OK(bedside_report_geometry(report, &geometry));
    EXPECT(geometry.picture_width == 224 && geometry.right == 224.0 && geometry.left == 0.0);
    EXPECT(geometry.spacing_x_mm == 0.4 && geometry.spacing_y_mm == 0.4 && geometry.spacing_at_detector == 0);
    OK(bedside_report_json(report, text, sizeof text, NULL));
    EXPECT(strstr(text, "obody") == NULL && strstr(text, "OBODY") == NULL);
    bedside_report_free(report);
    bedside_image_free(image);
}

/* The scores of a frame, which do not depend on where its pixels came from. */
static void scores(const bedside_classifier *classifier)
{
    bedside_frame frame = rgb_frame();
    float read[LABELS], copied[LABELS], other[LABELS];
    size_t length = 0;
    OK(bedside_classifier_frame_scores(classifier, &frame, read, LABELS, &length, &error));
    EXPECT(length == LABELS && fabsf(read[0] + read[1] + read[2] - 1.0F) < 1e-5F);

    bedside_image *image = NULL;
    OK(bedside_image_from_frame(&frame, &image, &error));
    OK(bedside_classifier_scores(classifier, image, copied, LABELS, NULL, &error));
    EXPECT(memcmp(read, copied, sizeof read) == 0);

    /* Two half turns and two mirrorings are none. */
    bedside_image *half = NULL, *mirrored = NULL, *again = NULL;
    OK(bedside_image_rotated(image, BEDSIDE_ROTATION_CLOCKWISE180, &half, &error));
    OK(bedside_classifier_scores(classifier, half, other, LABELS, NULL, &error));
    EXPECT(memcmp(read, other, sizeof read) != 0);
    OK(bedside_image_mirrored(half, &mirrored, &error));
    OK(bedside_image_mirrored(mirrored, &again, &error));
    bedside_image_free(half);
    OK(bedside_image_rotated(again, BEDSIDE_ROTATION_UPRIGHT, &half, &error));
    bedside_image_free(image); /* The others keep the bytes. */
    OK(bedside_classifier_scores(classifier, half, other, LABELS, NULL, &error));
    EXPECT(memcmp(read, other, sizeof read) == 0);
    bedside_image_free(half);
    bedside_image_free(mirrored);
    bedside_image_free(again);

    /* Frames and windows are of DICOM files alone. */
    uint32_t frames = 0;
    bedside_image *second = NULL, *windowed = NULL;
    OK(bedside_image_from_frame(&frame, &image, &error));
    OK(bedside_image_frames(image, &frames, &error));
    EXPECT(frames == 1);
    OK(bedside_image_frame(image, 1, &second, &error));
    EXPECT(bedside_classifier_scores(classifier, second, other, LABELS, NULL, &error) == BEDSIDE_STATUS_INVALID_QUERY);
    OK(bedside_image_numbered_window(image, 0, &windowed, &error));
    EXPECT(bedside_classifier_scores(classifier, windowed, other, LABELS, NULL, &error) == BEDSIDE_STATUS_INVALID_QUERY);
    bedside_image_free(windowed);
    OK(bedside_image_window(image, 40, 400, &windowed, &error));
    EXPECT(bedside_classifier_scores(classifier, windowed, other, LABELS, NULL, &error) == BEDSIDE_STATUS_INVALID_QUERY);
    bedside_image_free(second);
    bedside_image_free(windowed);
    bedside_image_free(image);

    /* Blue, green, red, alpha, with padded rows. */
    static unsigned char padded[SIDE][SIDE * 4 + 12];
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            const unsigned char *from = pixels + (y * SIDE + x) * 3;
            unsigned char *to = padded[y] + x * 4;
            to[0] = from[2], to[1] = from[1], to[2] = from[0], to[3] = 255;
        }
    frame.format = BEDSIDE_FORMAT_BGRA8;
    frame.planes[0].data = padded[0];
    frame.planes[0].length = sizeof padded;
    frame.planes[0].row_stride = sizeof padded[0];
    OK(bedside_classifier_frame_scores(classifier, &frame, other, LABELS, NULL, &error));
    EXPECT(memcmp(read, other, sizeof read) == 0);

    /* Grey, and a YUV frame of full range without colour, are the same picture. */
    static unsigned char chroma[SIDE / 2 * SIDE / 2 * 2];
    memset(chroma, 128, sizeof chroma);
    frame.format = BEDSIDE_FORMAT_GRAY8;
    frame.planes[0].data = pixels;
    frame.planes[0].length = SIDE * SIDE;
    frame.planes[0].row_stride = SIDE;
    OK(bedside_classifier_frame_scores(classifier, &frame, read, LABELS, NULL, &error));
    frame.format = BEDSIDE_FORMAT_YUV420;
    frame.planes[0].pixel_stride = 1;
    for (int plane = 1; plane < 3; plane++) {
        frame.planes[plane].data = chroma + plane - 1;
        frame.planes[plane].length = sizeof chroma - (size_t)(plane - 1);
        frame.planes[plane].row_stride = SIDE;
        frame.planes[plane].pixel_stride = 2;
    }
    OK(bedside_classifier_frame_scores(classifier, &frame, other, LABELS, NULL, &error));
    EXPECT(memcmp(read, other, sizeof read) == 0);

    float few[LABELS] = {-1, -1, -1};
    bedside_image *damaged = NULL;
    OK(bedside_image_from_bytes((const uint8_t *)"\xFF\xD8\xFF", 3, &damaged, &error));
    EXPECT(bedside_classifier_scores(classifier, damaged, few, LABELS, &length, &error) != BEDSIDE_STATUS_OK);
    EXPECT(few[0] == -1.0F); /* A call that fails changes nothing. */
    bedside_image_free(damaged);
    FAILS(BUFFER_TOO_SMALL, bedside_classifier_frame_scores(classifier, &frame, few, LABELS - 1, &length, &error));
    EXPECT(length == LABELS && few[0] == -1.0F);
}

/* Frames that do not fit their format. */
static void misfits(const bedside_classifier *classifier)
{
    float found[LABELS];
    bedside_frame frame = rgb_frame();
    frame.planes[0].length -= 1;
    FAILS(MALFORMED_IMAGE, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    frame = rgb_frame();
    frame.planes[0].row_stride = SIDE * 3 - 1;
    FAILS(MALFORMED_IMAGE, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    frame = rgb_frame();
    frame.width = 0;
    FAILS(MALFORMED_IMAGE, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    frame = rgb_frame();
    frame.width = frame.height = 0xFFFFFFFF;
    EXPECT(bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error) != BEDSIDE_STATUS_OK);
    frame = rgb_frame();
    frame.planes[0].data = NULL;
    FAILS(INVALID_ARGUMENT, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    EXPECT(strstr(error.message, "frame.planes[0].data is null") != NULL);
    frame = rgb_frame();
    frame.format = 0;
    FAILS(INVALID_ARGUMENT, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    frame = rgb_frame();
    frame.rotation = 4;
    FAILS(INVALID_ARGUMENT, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    frame = rgb_frame();
    frame.mirrored = 2;
    FAILS(INVALID_ARGUMENT, bedside_classifier_frame_scores(classifier, &frame, found, LABELS, NULL, &error));
    bedside_image *image = NULL;
    OK(bedside_image_from_bytes((const uint8_t *)"no picture", 10, &image, &error));
    FAILS(UNSUPPORTED_IMAGE, bedside_classifier_scores(classifier, image, found, LABELS, NULL, &error));
    bedside_image_free(image);
    FAILS(IO, bedside_image_open("missing.jpg", &image, &error));
    FAILS(MALFORMED_MODEL, bedside_classifier_from_bytes((const uint8_t *)"x", 1, NULL, (bedside_classifier **)&image, &error));
}

/* A report by its parts and as JSON. */
static void report(const bedside_classifier *classifier)
{
    bedside_frame frame = rgb_frame();
    bedside_query *query = NULL;
    bedside_report *report = NULL;
    OK(bedside_query_new(&query, &error));
    OK(bedside_query_set_max_results(query, 2, &error));
    OK(bedside_query_add_deny(query, "b", &error));
    OK(bedside_query_set_language(query, "uk", &error));
    OK(bedside_query_set_explain(query, BEDSIDE_EXPLAIN_METHOD_OCCLUSION, "c", &error));
    OK(bedside_query_set_source(query, BEDSIDE_SOURCE_CAMERA, &error));
    OK(bedside_query_set_refusals(query, 1, &error));
    OK(bedside_query_set_score_threshold(query, 0.0F, &error));
    OK(bedside_query_set_region(query, 0.0F, 0.0F, 1.0F, 1.0F, &error));
    OK(bedside_classifier_check(classifier, query, &error));
    OK(bedside_classifier_classify_frame(classifier, &frame, query, &report, &error));
    bedside_query_free(query);

    struct {
        bedside_conclusion conclusion;
        uint64_t after;
    } given;
    memset(&given, 0xAA, sizeof given);
    given.conclusion.size = sizeof given.conclusion;
    OK(bedside_report_conclusion(report, &given.conclusion));
    EXPECT(given.after == 0xAAAAAAAAAAAAAAAA);
    bedside_conclusion conclusion = given.conclusion;
    given.conclusion.size = offsetof(bedside_conclusion, findings);
    FAILS(INVALID_ARGUMENT, bedside_report_conclusion(report, &given.conclusion));
    EXPECT(conclusion.verdict >= BEDSIDE_VERDICT_SINGLE && conclusion.verdict <= BEDSIDE_VERDICT_UNDECIDED);
    EXPECT(conclusion.findings == 2 && conclusion.danger_signs == 0);
    EXPECT(conclusion.triage >= BEDSIDE_TRIAGE_NO_SIGN && conclusion.triage <= BEDSIDE_TRIAGE_URGENT);
    EXPECT(conclusion.decided_by >= BEDSIDE_DECIDED_BY_DANGER && conclusion.decided_by <= BEDSIDE_DECIDED_BY_UNCALIBRATED);

    char text[4096];
    size_t length = 0;
    for (uint32_t i = 0; i < conclusion.findings; i++) {
        bedside_finding finding;
        finding.size = sizeof finding;
        OK(bedside_report_finding(report, i, &finding));
        EXPECT(finding.probability >= 0.0F && finding.probability <= 1.0F);
        EXPECT(finding.over_operating_point == (finding.probability >= finding.operating_point));
        OK(bedside_report_finding_label(report, i, text, sizeof text, &length));
        EXPECT(length == 1 && (text[0] == 'a' || text[0] == 'c'));
        OK(bedside_report_finding_name(report, i, text, sizeof text, NULL));
    }
    for (uint32_t i = 0; i < conclusion.labels; i++) {
        int32_t level = 0;
        OK(bedside_report_label_level(report, i, &level));
        EXPECT(level >= BEDSIDE_TRIAGE_NO_SIGN && level <= BEDSIDE_TRIAGE_URGENT);
        OK(bedside_report_label_id(report, i, text, sizeof text, NULL));
        OK(bedside_report_label_name(report, i, text, sizeof text, NULL));
    }
    FAILS(ABSENT, bedside_report_label_id(report, conclusion.labels, text, sizeof text, NULL));
    FAILS(ABSENT, bedside_report_finding_name(report, 2, text, sizeof text, NULL));
    FAILS(ABSENT, bedside_report_danger_id(report, 0, text, sizeof text, NULL));
    FAILS(ABSENT, bedside_report_danger_question(report, 0, text, sizeof text, NULL));
    int32_t level = -1;
    FAILS(ABSENT, bedside_report_danger_level(report, (size_t)-1, &level));
    EXPECT(level == -1);

    /* A text fits exactly, or is not there at all. */
    OK(bedside_report_summary(report, text, sizeof text, &length));
    EXPECT(length > 0 && strlen(text) == length);
    char *exact = (char *)malloc(length + 1);
    EXPECT(exact != NULL);
    OK(bedside_report_summary(report, exact, length + 1, NULL));
    EXPECT(strcmp(exact, text) == 0);
    size_t needed = 0;
    FAILS(BUFFER_TOO_SMALL, bedside_report_summary(report, exact, length, &needed));
    EXPECT(needed == length && exact[0] == '\0');
    FAILS(BUFFER_TOO_SMALL, bedside_report_summary(report, NULL, 0, &needed));
    FAILS(BUFFER_TOO_SMALL, bedside_report_summary(report, NULL, 100, &needed));
    free(exact);
    OK(bedside_report_advice(report, text, sizeof text, NULL));
    OK(bedside_report_notice(report, text, sizeof text, &length));
    EXPECT(length > 20);
    OK(bedside_report_text(report, text, sizeof text, NULL));
    EXPECT(strstr(text, "Finding") != NULL);
    OK(bedside_report_json(report, text, sizeof text, NULL));
    EXPECT(text[0] == '{' && strstr(text, "\"heatmap\":") != NULL);

    bedside_quality quality;
    quality.size = sizeof quality;
    OK(bedside_report_quality(report, &quality));
    EXPECT(quality.relative_size == 1.5F);
    bedside_novelty novelty;
    novelty.size = sizeof novelty;
    FAILS(ABSENT, bedside_report_novelty(report, &novelty));
    bedside_timings timings;
    timings.size = sizeof timings;
    OK(bedside_report_timings_ms(report, &timings));
    EXPECT(timings.engine > 0.0 && timings.total >= timings.engine);

    bedside_heatmap heatmap;
    heatmap.size = sizeof heatmap;
    OK(bedside_report_heatmap(report, &heatmap));
    EXPECT(heatmap.method == BEDSIDE_EXPLAIN_METHOD_OCCLUSION && heatmap.picture[0] == SIDE);
    struct {
        bedside_finding finding;
        uint64_t later;
    } newer;
    memset(&newer, 0xAA, sizeof newer);
    newer.finding.size = sizeof newer;
    OK(bedside_report_finding(report, 0, &newer.finding));
    EXPECT(newer.later == 0); /* A field that the library does not know. */
    float values[64];
    OK(bedside_report_heatmap_values(report, values, 64, &length));
    EXPECT(length == (size_t)heatmap.width * heatmap.height);
    OK(bedside_report_heatmap_label(report, text, sizeof text, NULL));
    EXPECT(strcmp(text, "c") == 0);
    bedside_image *image = NULL;
    OK(bedside_image_from_frame(&frame, &image, &error));
    FAILS(BUFFER_TOO_SMALL, bedside_report_overlay(report, image, NULL, 0, &length, &error));
    uint8_t *png = (uint8_t *)malloc(length);
    EXPECT(png != NULL);
    OK(bedside_report_overlay(report, image, png, length, NULL, &error));
    EXPECT(memcmp(png, "\x89PNG", 4) == 0);
    free(png);

    /* Without a query: all findings, in English, of a picture that the library keeps. */
    bedside_report *plain = NULL;
    OK(bedside_classifier_classify(classifier, image, NULL, &plain, &error));
    OK(bedside_report_conclusion(plain, &conclusion));
    EXPECT(conclusion.findings == LABELS);
    FAILS(ABSENT, bedside_report_heatmap(plain, &heatmap));
    FAILS(ABSENT, bedside_report_heatmap_values(plain, values, 64, &length));
    bedside_reasons *reasons = NULL;
    OK(bedside_report_reasons(plain, &reasons, &error));
    size_t count = 7;
    OK(bedside_reasons_count(reasons, &count));
    EXPECT(count == 0);
    FAILS(ABSENT, bedside_reasons_message(reasons, 0, text, sizeof text, NULL));
    bedside_reasons_free(reasons);
    bedside_report_free(plain);
    bedside_image_free(image);
    bedside_report_free(report);
}

/* Queries that do not fit the model, or are none. */
static void queries(const bedside_classifier *classifier)
{
    bedside_frame frame = rgb_frame();
    bedside_query *query = NULL;
    bedside_report *report = NULL;
    OK(bedside_query_new(&query, &error));
    FAILS(INVALID_QUERY, bedside_query_set_region(query, 0.5F, 0.0F, 0.6F, 1.0F, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_source(query, 3, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_explain(query, 0, NULL, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_answer(query, "age", 2, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_language(query, "\xFF", &error));
    EXPECT(strcmp(error.message, "language is not UTF-8") == 0);
    OK(bedside_classifier_check(classifier, query, &error));
    OK(bedside_query_set_answer_number(query, "age", 4.0, &error));
    FAILS(INVALID_QUERY, bedside_classifier_classify_frame(classifier, &frame, query, &report, &error));
    EXPECT(report == NULL && strstr(error.message, "age") != NULL);
    bedside_query_free(query);
    OK(bedside_query_new(&query, &error));
    OK(bedside_query_set_prevalence(query, "a", 1.0F, &error));
    FAILS(INVALID_QUERY, bedside_classifier_check(classifier, query, &error));
    bedside_query_free(query);
    OK(bedside_query_new(&query, &error));
    OK(bedside_query_add_allow(query, "no label", &error));
    bedside_reasons *reasons = NULL;
    FAILS(INVALID_QUERY, bedside_classifier_scope_reasons(classifier, query, &reasons, &error));
    OK(bedside_classifier_scope_reasons(classifier, NULL, &reasons, &error));
    bedside_reasons_free(reasons);
    bedside_query_free(query);

    OK(bedside_query_new(&query, &error));
    OK(bedside_query_set_answer(query, "age", 1, &error));
    FAILS(INVALID_QUERY, bedside_classifier_check(classifier, query, &error));
    OK(bedside_query_clear(query, &error));
    OK(bedside_classifier_check(classifier, query, &error));
    bedside_query_free(query);

    /* A cancelled query, whose handle was freed; and the same query without it. */
    bedside_cancel_handle *cancel = NULL;
    int32_t is_cancelled = -1;
    OK(bedside_query_new(&query, &error));
    OK(bedside_cancel_handle_new(&cancel, &error));
    OK(bedside_query_set_cancel(query, cancel, &error));
    OK(bedside_cancel_handle_is_cancelled(cancel, &is_cancelled, &error));
    EXPECT(is_cancelled == 0);
    OK(bedside_cancel_handle_cancel(cancel, &error));
    OK(bedside_cancel_handle_is_cancelled(cancel, &is_cancelled, &error));
    EXPECT(is_cancelled == 1);
    bedside_cancel_handle_free(cancel);
    FAILS(CANCELLED, bedside_classifier_classify_frame(classifier, &frame, query, &report, &error));
    FAILS(INVALID_HANDLE, bedside_query_set_cancel(query, cancel, &error));
    OK(bedside_query_set_cancel(query, NULL, &error));
    OK(bedside_classifier_classify_frame(classifier, &frame, query, &report, &error));
    bedside_report_free(report);
    bedside_query_free(query);
}

/* What the model says about itself. */
static void manifest(const bedside_classifier *classifier)
{
    bedside_manifest *manifest = NULL;
    char text[8192];
    size_t count = 0, length = 0;
    OK(bedside_classifier_manifest(classifier, "uk", &manifest, &error));
    OK(bedside_manifest_text(manifest, BEDSIDE_MANIFEST_FIELD_NAME, text, sizeof text, NULL));
    EXPECT(strcmp(text, "tiny") == 0);
    for (int32_t field = BEDSIDE_MANIFEST_FIELD_NAME; field <= BEDSIDE_MANIFEST_FIELD_JSON; field++)
        OK(bedside_manifest_text(manifest, field, text, sizeof text, NULL));
    FAILS(INVALID_ARGUMENT, bedside_manifest_text(manifest, 0, text, sizeof text, NULL));
    FAILS(INVALID_ARGUMENT, bedside_manifest_text(manifest, 8, text, sizeof text, NULL));
    for (int32_t level = BEDSIDE_TRIAGE_NO_SIGN; level <= BEDSIDE_TRIAGE_URGENT; level++) {
        OK(bedside_manifest_advice(manifest, level, text, sizeof text, &length));
        EXPECT(length > 0);
    }
    FAILS(INVALID_ARGUMENT, bedside_manifest_advice(manifest, 0, text, sizeof text, NULL));
    FAILS(INVALID_ARGUMENT, bedside_manifest_advice(manifest, 5, text, sizeof text, NULL));
    bedside_label label;
    label.size = sizeof label;
    OK(bedside_manifest_label_count(manifest, &count));
    EXPECT(count == LABELS);
    for (size_t i = 0; i < count; i++) {
        OK(bedside_manifest_label(manifest, i, &label));
        OK(bedside_manifest_label_id(manifest, i, text, sizeof text, NULL));
        EXPECT(text[0] == "abc"[i]);
        OK(bedside_manifest_label_name(manifest, i, text, sizeof text, NULL));
    }
    FAILS(ABSENT, bedside_manifest_label(manifest, count, &label));
    OK(bedside_manifest_shown_label_count(manifest, &count));
    for (size_t i = 0; i < count; i++) {
        OK(bedside_manifest_shown_label(manifest, i, &label));
        EXPECT(label.operating_point >= 0.0F);
        OK(bedside_manifest_shown_label_id(manifest, i, text, sizeof text, NULL));
        OK(bedside_manifest_shown_label_name(manifest, i, text, sizeof text, NULL));
    }
    bedside_question question;
    question.size = sizeof question;
    OK(bedside_manifest_question_count(manifest, &count));
    EXPECT(count == 0);
    FAILS(ABSENT, bedside_manifest_question(manifest, 0, &question));
    FAILS(ABSENT, bedside_manifest_question_id(manifest, 0, text, sizeof text, NULL));
    FAILS(ABSENT, bedside_manifest_question_text(manifest, 0, text, sizeof text, NULL));
    bedside_manifest_free(manifest);
    FAILS(INVALID_HANDLE, bedside_manifest_label_count(manifest, &count));

    OK(bedside_classifier_graph_sha256(classifier, text, sizeof text, &length));
    EXPECT(length == 64);
    bedside_load_times times;
    times.size = sizeof times;
    OK(bedside_classifier_load_times_ms(classifier, &times));
    EXPECT(times.read > 0.0);
    bedside_self_test self_test;
    self_test.size = sizeof self_test;
    self_test.by = -1;
    OK(bedside_classifier_self_test(classifier, &self_test, &error));
    EXPECT(self_test.by == 0); /* The tiny model has no golden sample. */
    OK(bedside_classifier_warm_up(classifier, &error));
}

/* Handles that were freed, twice, and handles of another type. */
static void freed(const char *model)
{
    bedside_classifier *classifier = opened(model);
    bedside_frame frame = rgb_frame();
    bedside_report *report = NULL;
    OK(bedside_classifier_classify_frame(classifier, &frame, NULL, &report, &error));
    bedside_classifier_free((bedside_classifier *)report); /* Another type: nothing is freed. */
    bedside_conclusion conclusion;
    conclusion.size = sizeof conclusion;
    OK(bedside_report_conclusion(report, &conclusion));
    FAILS(INVALID_HANDLE, bedside_report_conclusion((bedside_report *)classifier, &conclusion));
    bedside_classifier_free(classifier);
    bedside_classifier_free(classifier);
    FAILS(INVALID_HANDLE, bedside_classifier_warm_up(classifier, &error));
    EXPECT(strcmp(error.message, "classifier was freed, or is not a handle of this type") == 0);
    OK(bedside_report_conclusion(report, &conclusion)); /* A report outlives its classifier. */
    bedside_report_free(report);
    bedside_report_free(report);
    FAILS(INVALID_HANDLE, bedside_report_conclusion(report, &conclusion));
    FAILS(INVALID_HANDLE, bedside_report_conclusion((bedside_report *)&frame, &conclusion));
}

/* Null in every place where there can be one. */
static void nulls(const bedside_classifier *classifier)
{
    char text[64];
    float values[LABELS];
    int32_t number;
    size_t count;
    bedside_frame frame = rgb_frame();
    bedside_query *query = NULL;
    bedside_image *image = NULL;
    bedside_report *report = NULL;
    bedside_classifier_free(NULL);
    bedside_image_free(NULL);
    bedside_query_free(NULL);
    bedside_report_free(NULL);
    bedside_reasons_free(NULL);
    bedside_manifest_free(NULL);
    bedside_cancel_handle_free(NULL);
    FAILS(INVALID_ARGUMENT, bedside_error_init(NULL, sizeof error));
    FAILS(INVALID_ARGUMENT, bedside_options_init(NULL, sizeof(bedside_options)));
    FAILS(INVALID_ARGUMENT, bedside_frame_init(NULL, sizeof frame));
    FAILS(INVALID_ARGUMENT, bedside_classifier_open(NULL, NULL, (bedside_classifier **)&image, NULL));
    FAILS(INVALID_ARGUMENT, bedside_classifier_open("missing.onnx", NULL, NULL, NULL)); /* Before the file is read. */
    FAILS(IO, bedside_classifier_open("missing.onnx", NULL, (bedside_classifier **)&image, NULL));
    FAILS(INVALID_ARGUMENT, bedside_classifier_from_bytes(NULL, 1, NULL, (bedside_classifier **)&image, &error));
    FAILS(MALFORMED_MODEL, bedside_classifier_from_bytes(NULL, 0, NULL, (bedside_classifier **)&image, &error));
    FAILS(INVALID_ARGUMENT, bedside_image_open(NULL, &image, &error));
    FAILS(INVALID_ARGUMENT, bedside_image_from_bytes(NULL, 1, &image, &error));
    FAILS(INVALID_ARGUMENT, bedside_image_from_bytes(pixels, 1, NULL, &error));
    FAILS(INVALID_ARGUMENT, bedside_image_from_frame(NULL, &image, &error));
    FAILS(INVALID_ARGUMENT, bedside_image_from_frame(&frame, NULL, &error));
    FAILS(INVALID_HANDLE, bedside_image_rotated(NULL, 0, &image, &error));
    FAILS(INVALID_HANDLE, bedside_image_mirrored(NULL, &image, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_new(NULL, &error));
    FAILS(INVALID_HANDLE, bedside_query_set_max_results(NULL, 1, &error));
    FAILS(INVALID_HANDLE, bedside_query_set_answer(NULL, "age", 1, &error));
    OK(bedside_query_new(&query, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_add_allow(query, NULL, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_add_deny(query, NULL, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_language(query, NULL, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_prevalence(query, NULL, 0.5F, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_answer(query, NULL, 1, &error));
    FAILS(INVALID_ARGUMENT, bedside_query_set_answer_number(query, NULL, 1.0, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_classify_frame(NULL, &frame, query, &report, &error));
    FAILS(INVALID_ARGUMENT, bedside_classifier_classify_frame(classifier, NULL, query, &report, &error));
    FAILS(INVALID_ARGUMENT, bedside_classifier_classify_frame(classifier, &frame, query, NULL, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_classify(classifier, NULL, query, &report, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_classify(NULL, NULL, NULL, NULL, NULL));
    FAILS(INVALID_HANDLE, bedside_classifier_scores(classifier, NULL, values, LABELS, NULL, &error));
    FAILS(INVALID_ARGUMENT, bedside_classifier_frame_scores(classifier, NULL, values, LABELS, NULL, &error));
    FAILS(BUFFER_TOO_SMALL, bedside_classifier_frame_scores(classifier, &frame, NULL, LABELS, NULL, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_warm_up(NULL, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_check(NULL, query, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_scope_reasons(NULL, NULL, (bedside_reasons **)&image, NULL));
    FAILS(INVALID_ARGUMENT, bedside_classifier_scope_reasons(classifier, NULL, NULL, NULL));
    FAILS(INVALID_HANDLE, bedside_classifier_self_test(NULL, NULL, NULL));
    FAILS(INVALID_ARGUMENT, bedside_classifier_self_test(classifier, NULL, NULL));
    FAILS(INVALID_ARGUMENT, bedside_classifier_manifest(classifier, NULL, (bedside_manifest **)&image, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_manifest(NULL, "en", (bedside_manifest **)&image, &error));
    FAILS(INVALID_HANDLE, bedside_classifier_graph_sha256(NULL, text, sizeof text, NULL));
    FAILS(INVALID_ARGUMENT, bedside_classifier_load_times_ms(classifier, NULL));
    FAILS(INVALID_HANDLE, bedside_report_conclusion(NULL, NULL));
    FAILS(INVALID_HANDLE, bedside_report_json(NULL, NULL, 0, NULL));
    FAILS(INVALID_HANDLE, bedside_report_finding(NULL, 0, NULL));
    FAILS(INVALID_HANDLE, bedside_report_reasons(NULL, (bedside_reasons **)&image, NULL));
    FAILS(INVALID_HANDLE, bedside_report_overlay(NULL, NULL, NULL, 0, NULL, NULL));
    FAILS(INVALID_HANDLE, bedside_reasons_count(NULL, &count));
    FAILS(INVALID_HANDLE, bedside_reasons_kind(NULL, 0, &number));
    FAILS(INVALID_HANDLE, bedside_reasons_question(NULL, 0, text, sizeof text, NULL));
    FAILS(INVALID_HANDLE, bedside_reasons_question_id(NULL, 0, text, sizeof text, NULL));
    FAILS(INVALID_HANDLE, bedside_manifest_text(NULL, 1, text, sizeof text, NULL));
    FAILS(INVALID_ARGUMENT, bedside_cancel_handle_new(NULL, &error));
    FAILS(INVALID_HANDLE, bedside_cancel_handle_cancel(NULL, &error));
    FAILS(INVALID_HANDLE, bedside_cancel_handle_is_cancelled(NULL, &number, &error));
    FAILS(INVALID_ARGUMENT, bedside_set_logger(count_record, NULL, 0, &error));
    OK(bedside_set_logger(NULL, NULL, 0, &error));
    EXPECT(image == NULL && report == NULL);
    bedside_query_free(query);
}

static void count_record(void *context, int32_t level, const char *target, const char *message)
{
    if (context == &records && level == BEDSIDE_LOG_LEVEL_TRACE && strcmp(target, "bedside::stages") == 0)
        atomic_fetch_add(&records, strstr(message, "took") != NULL);
}

static void logger(const bedside_classifier *classifier)
{
    bedside_frame frame = rgb_frame();
    bedside_report *report = NULL;
    OK(bedside_set_logger(count_record, &records, BEDSIDE_LOG_LEVEL_TRACE, &error));
    OK(bedside_classifier_classify_frame(classifier, &frame, NULL, &report, &error));
    bedside_report_free(report);
    EXPECT(records >= 4); /* One a stage. */
    int before = records;
    OK(bedside_set_logger(NULL, NULL, BEDSIDE_LOG_LEVEL_TRACE, &error));
    OK(bedside_classifier_classify_frame(classifier, &frame, NULL, &report, &error));
    bedside_report_free(report);
    EXPECT(records == before);
}

struct shared {
    const bedside_classifier *classifier;
    const bedside_query *query;
    bedside_frame frame;
    unsigned char pixels[sizeof pixels];
    float wanted[LABELS];
};

/* A frame that no other thread has: of another size, and with other pixels. */
static void draw_own(struct shared *own, int number)
{
    for (size_t i = 0; i < sizeof own->pixels; i++)
        own->pixels[i] = (unsigned char)((i * (size_t)(37 + 2 * number) + i / 97 * 11) % 256);
    own->frame = rgb_frame();
    own->frame.planes[0].data = own->pixels;
    own->frame.height -= (uint32_t)number;
}

/* Classifies a frame of its own, with a classifier and a query that all threads share. */
static void *classify_many(void *argument)
{
    const struct shared *shared = (const struct shared *)argument;
    bedside_frame frame = shared->frame;
    for (int i = 0; i < 25; i++) {
        float found[LABELS];
        bedside_report *report = NULL;
        bedside_conclusion conclusion;
        conclusion.size = sizeof conclusion;
        if (bedside_classifier_frame_scores(shared->classifier, &frame, found, LABELS, NULL, NULL) != BEDSIDE_STATUS_OK ||
            memcmp(found, shared->wanted, sizeof found) != 0 ||
            bedside_classifier_classify_frame(shared->classifier, &frame, shared->query, &report, NULL) !=
                BEDSIDE_STATUS_OK ||
            bedside_report_conclusion(report, &conclusion) != BEDSIDE_STATUS_OK || conclusion.findings != LABELS)
            return NULL;
        bedside_report_free(report);
    }
    return argument;
}

static void threads(const char *model)
{
    static struct shared shared[THREADS];
    bedside_options options;
    bedside_classifier *classifier = NULL;
    bedside_query *query = NULL;
    OK(bedside_options_init(&options, sizeof options));
    options.threads = 2;
    OK(bedside_classifier_open(model, &options, &classifier, &error));
    OK(bedside_query_new(&query, &error));
    for (int i = 0; i < THREADS; i++) {
        draw_own(&shared[i], i);
        OK(bedside_classifier_frame_scores(classifier, &shared[i].frame, shared[i].wanted, LABELS, NULL, &error));
        EXPECT(i == 0 || memcmp(shared[i].wanted, shared[0].wanted, sizeof shared[0].wanted) != 0);
        shared[i].classifier = classifier;
        shared[i].query = query;
    }
    pthread_t running[THREADS];
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&running[i], NULL, classify_many, &shared[i]) == 0);
    for (int i = 0; i < 100; i++) /* Meanwhile the query changes. */
        OK(bedside_query_set_refusals(query, (uint32_t)i % 2, &error));
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        EXPECT(pthread_join(running[i], &result) == 0 && result == &shared[i]);
    }
    bedside_query_free(query);
    bedside_classifier_free(classifier);
}

#ifdef TEST_PANIC
extern void bedside_test_panic(void);

/* A panic in the library is a status. */
static void panics(const bedside_classifier *classifier)
{
    bedside_test_panic();
    FAILS(INTERNAL, bedside_classifier_warm_up(classifier, &error));
    EXPECT(strstr(error.message, "a panic: provoked for a test") != NULL);
    OK(bedside_classifier_warm_up(classifier, &error));
}
#endif

int main(int count, char **arguments)
{
    if (count != 3)
        return EXIT_FAILURE;
    OK(bedside_error_init(&error, sizeof error));
    defaults();
    sizes(arguments[1]);
    bedside_classifier *classifier = opened(arguments[1]);
    golden(classifier, arguments[2]);
    dicom(classifier);
    scores(classifier);
    misfits(classifier);
    report(classifier);
    queries(classifier);
    manifest(classifier);
    nulls(classifier);
    logger(classifier);
#ifdef TEST_PANIC
    panics(classifier);
#endif
    bedside_classifier_free(classifier);
    freed(arguments[1]);
    threads(arguments[1]);
    puts("the border holds");
    return EXIT_SUCCESS;
}
