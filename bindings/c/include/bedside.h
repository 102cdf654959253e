/* The C API of Bedside, for C99 and C++11. Written by cbindgen from bindings/src/c/. Do not edit.
 *
 * Research software, not a medical device. Show bedside_report_notice wherever you show a result.
 *
 * Handles. A pointer to bedside_classifier, bedside_image, bedside_query, bedside_report, bedside_reasons,
 * bedside_manifest or bedside_cancel_handle is a handle: its value is a number, and nobody reads what is at it. A handle
 * that was freed is BEDSIDE_STATUS_INVALID_HANDLE. Free each handle with the function of its type.
 *
 * Structs. Each but bedside_plane begins with its size, so that it can grow. Call its _init function on a struct that you
 * give, and set `size` of one that you get. Enumerations in structs and arguments are int32_t.
 *
 * Errors. A function that can fail returns a bedside_status, BEDSIDE_STATUS_OK where it succeeded. `error` may be null.
 * Where a call fails, it changes nothing else that its arguments point to, except for `length`, and a buffer for text, which
 * gets an empty one. Where memory runs out, the process ends, as programs in Rust do.
 *
 * Texts are UTF-8 and end with zero. A text that you ask for goes into `buffer`, which has room for `capacity` bytes, the
 * zero included. `length`, which may be null, becomes its length without the zero. Where the buffer is too small, it gets
 * an empty text, `length` is set, and the status is BEDSIDE_STATUS_BUFFER_TOO_SMALL.
 *
 * Threads. Every function may be called from any thread, and from several at once with the same handles, but none from a
 * signal handler.
 */

#ifndef BEDSIDE_H
#define BEDSIDE_H

#include <stddef.h>
#include <stdint.h>

// The bytes of a message, its terminating zero included. Of a longer message, the middle is left out.
#define BEDSIDE_MESSAGE_CAPACITY 1024

// How a call ended. The numbers stay as they are; later versions may add others.
enum bedside_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The call succeeded.
  BEDSIDE_STATUS_OK = 0,
  // A file can't be read.
  BEDSIDE_STATUS_IO = 1,
  // The picture has a format, or a variant of one, that is not decoded.
  BEDSIDE_STATUS_UNSUPPORTED_IMAGE = 2,
  // The picture is damaged, or its bytes do not fit the frame's format.
  BEDSIDE_STATUS_MALFORMED_IMAGE = 3,
  // A picture or a model exceeds a limit of the options or a fixed one.
  BEDSIDE_STATUS_TOO_LARGE = 4,
  // The file is neither an ONNX model nor a prepared one, or it is damaged.
  BEDSIDE_STATUS_MALFORMED_MODEL = 5,
  // The model is sound but needs something that is not supported.
  BEDSIDE_STATUS_UNSUPPORTED_MODEL = 6,
  // There is no manifest, or it has a wrong value, or it does not fit the graph.
  BEDSIDE_STATUS_INVALID_MANIFEST = 7,
  // A field of the query or an answer does not fit the model.
  BEDSIDE_STATUS_INVALID_QUERY = 8,
  // The query's cancel handle was used.
  BEDSIDE_STATUS_CANCELLED = 9,
  // The golden sample failed: do not use the model on this device.
  BEDSIDE_STATUS_SELF_TEST = 10,
  // There is a defect in Bedside, a panic among them: please report it.
  BEDSIDE_STATUS_INTERNAL = 11,
  // An argument is null, has a wrong size, is not UTF-8, is out of range, or has an unknown number.
  BEDSIDE_STATUS_INVALID_ARGUMENT = 100,
  // A handle is null, was freed, was never given, or belongs to another type.
  BEDSIDE_STATUS_INVALID_HANDLE = 101,
  // The caller's buffer is too small. The length that the call gives says how large it must be.
  BEDSIDE_STATUS_BUFFER_TOO_SMALL = 102,
  // There is nothing of what was asked for: an index beyond the end, or a part that the report does not have.
  BEDSIDE_STATUS_ABSENT = 103,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_status bedside_status;
#else
typedef int32_t bedside_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The layout of a frame's bytes.
enum bedside_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Red, green, blue; 8 bits each.
  BEDSIDE_FORMAT_RGB8 = 1,
  // Red, green, blue, alpha; 8 bits each, not premultiplied; composited over white.
  BEDSIDE_FORMAT_RGBA8 = 2,
  // Blue, green, red, alpha; 8 bits each, not premultiplied; composited over white.
  BEDSIDE_FORMAT_BGRA8 = 3,
  // Grey; 8 bits.
  BEDSIDE_FORMAT_GRAY8 = 4,
  // Three planes: a sample of Y for every pixel, one of U and of V for every two by two pixels, odd sizes rounded up.
  BEDSIDE_FORMAT_YUV420 = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_format bedside_format;
#else
typedef int32_t bedside_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The rotation that brings a picture upright.
enum bedside_rotation
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // None: the picture is upright already.
  BEDSIDE_ROTATION_UPRIGHT = 0,
  // A quarter turn clockwise.
  BEDSIDE_ROTATION_CLOCKWISE90 = 1,
  // Half a turn.
  BEDSIDE_ROTATION_CLOCKWISE180 = 2,
  // A quarter turn counter-clockwise.
  BEDSIDE_ROTATION_CLOCKWISE270 = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_rotation bedside_rotation;
#else
typedef int32_t bedside_rotation;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The matrix by which red, green and blue became Y, U and V.
enum bedside_yuv_matrix
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // ITU-R BT.601: standard definition, JPEG, and the still frames of Android cameras.
  BEDSIDE_YUV_MATRIX_BT601 = 0,
  // ITU-R BT.709: high-definition video.
  BEDSIDE_YUV_MATRIX_BT709 = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_yuv_matrix bedside_yuv_matrix;
#else
typedef int32_t bedside_yuv_matrix;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The range of values between black and white, and of full colour.
enum bedside_yuv_range
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Y from 16 to 235, U and V from 16 to 240, as in video.
  BEDSIDE_YUV_RANGE_LIMITED = 0,
  // 0 to 255 for all, as in JPEG.
  BEDSIDE_YUV_RANGE_FULL = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_yuv_range bedside_yuv_range;
#else
typedef int32_t bedside_yuv_range;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Where a picture came from: what a person can do about a bad one depends on it.
enum bedside_source
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A camera or a transducer, just now: the picture can be taken again.
  BEDSIDE_SOURCE_CAMERA = 1,
  // A file that was chosen or received.
  BEDSIDE_SOURCE_FILE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_source bedside_source;
#else
typedef int32_t bedside_source;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a heatmap is computed.
enum bedside_explain_method
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A class activation map: the features before the pooling, weighted by the linear head. It comes from the run that
  // gave the scores and costs next to nothing. It needs a model whose manifest has an `explanation`.
  BEDSIDE_EXPLAIN_METHOD_CLASS_ACTIVATION = 1,
  // By how much the label's log-odds fall where a part of the input is covered with the input's mean colour. It serves
  // every model and takes 64 more runs of the graph.
  BEDSIDE_EXPLAIN_METHOD_OCCLUSION = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_explain_method bedside_explain_method;
#else
typedef int32_t bedside_explain_method;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What can't be excluded.
enum bedside_verdict
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // One label can't be excluded.
  BEDSIDE_VERDICT_SINGLE = 1,
  // Several labels can't be excluded.
  BEDSIDE_VERDICT_SEVERAL = 2,
  // No label reached its operating point: the model can't tell what the picture shows. It does not exclude disease.
  BEDSIDE_VERDICT_UNDECIDED = 3,
  // There is no verdict: the reasons say what to do before the next try.
  BEDSIDE_VERDICT_REJECTED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_verdict bedside_verdict;
#else
typedef int32_t bedside_verdict;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a person should do, from the least to the most pressing level: the numbers can be compared. 0 is no level.
enum bedside_triage
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // This program found no sign that needs more than usual care. This does not exclude disease.
  BEDSIDE_TRIAGE_NO_SIGN = 1,
  // Nothing was assessed: a person decides without this program.
  BEDSIDE_TRIAGE_UNASSESSED = 2,
  // A clinician should look.
  BEDSIDE_TRIAGE_REFER = 3,
  // A clinician should look soon.
  BEDSIDE_TRIAGE_URGENT = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_triage bedside_triage;
#else
typedef int32_t bedside_triage;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What decided the triage of a report. Later versions may have others.
enum bedside_decided_by
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A danger sign, which asks for more than what the picture gives.
  BEDSIDE_DECIDED_BY_DANGER = 1,
  // The picture is out of scope by the answers.
  BEDSIDE_DECIDED_BY_SCOPE = 2,
  // The picture's quality is under the model's limits.
  BEDSIDE_DECIDED_BY_QUALITY = 3,
  // The picture's quality is under the model's limits, and so was that of an earlier picture of this case.
  BEDSIDE_DECIDED_BY_REPEATED_QUALITY = 4,
  // The picture's novelty is over one of the model's two levels.
  BEDSIDE_DECIDED_BY_NOVELTY = 5,
  // The highest level among the labels that can't be excluded.
  BEDSIDE_DECIDED_BY_LABEL = 6,
  // The sum of all urgent labels' probabilities, which is at or over the action threshold. None of them is at or over
  // its own operating point.
  BEDSIDE_DECIDED_BY_ACTION = 7,
  // No label is at or over its operating point.
  BEDSIDE_DECIDED_BY_UNDECIDED = 8,
  // The calibration doesn't allow the model to say that there is no sign.
  BEDSIDE_DECIDED_BY_NO_SIGN_NOT_SHOWN = 9,
  // The model states no operating point.
  BEDSIDE_DECIDED_BY_UNCALIBRATED = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_decided_by bedside_decided_by;
#else
typedef int32_t bedside_decided_by;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Why there is no verdict. Later versions may have others.
enum bedside_reason_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A required scope question was not answered.
  BEDSIDE_REASON_KIND_SCOPE_UNANSWERED = 1,
  // A scope question was answered with no.
  BEDSIDE_REASON_KIND_SCOPE_NO = 2,
  // A number is outside the range that the model was made for.
  BEDSIDE_REASON_KIND_SCOPE_OUT_OF_RANGE = 3,
  // The picture came from a source that the model was not made for.
  BEDSIDE_REASON_KIND_SOURCE = 4,
  // The picture, or the region of it, has too few pixels.
  BEDSIDE_REASON_KIND_TOO_SMALL = 5,
  // The picture is underexposed.
  BEDSIDE_REASON_KIND_TOO_DARK = 6,
  // The picture is overexposed.
  BEDSIDE_REASON_KIND_TOO_BRIGHT = 7,
  // The picture is pale, as behind a veil.
  BEDSIDE_REASON_KIND_LOW_CONTRAST = 8,
  // The picture is blurred.
  BEDSIDE_REASON_KIND_OUT_OF_FOCUS = 9,
  // The picture has no colour, and the model was made for colour.
  BEDSIDE_REASON_KIND_COLORLESS = 10,
  // The picture has colour, and the model was made for grey.
  BEDSIDE_REASON_KIND_COLORED = 11,
  // The picture is unlike those that the model was made for.
  BEDSIDE_REASON_KIND_NOVEL = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_reason_kind bedside_reason_kind;
#else
typedef int32_t bedside_reason_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a warning is about. Later versions may have others.
enum bedside_warning_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // What tells who the person is may be burned into the pixels.
  BEDSIDE_WARNING_KIND_BURNED_IN = 1,
  // The file has overlays, which were not drawn over the pixels.
  BEDSIDE_WARNING_KIND_OVERLAY = 2,
  // The file states more than one region of tissue, as of a split screen, and one was looked at.
  BEDSIDE_WARNING_KIND_OTHER_REGION = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_warning_kind bedside_warning_kind;
#else
typedef int32_t bedside_warning_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What the answer to a question decides. Later versions may have others.
enum bedside_question_role
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Whether the model was made for the picture: no, or a number out of range, rejects it.
  BEDSIDE_QUESTION_ROLE_SCOPE = 1,
  // Whether there is a danger sign: yes sets the triage to at least the question's level.
  BEDSIDE_QUESTION_ROLE_DANGER = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_question_role bedside_question_role;
#else
typedef int32_t bedside_question_role;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A text of a manifest.
enum bedside_manifest_field
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A short name: lower-case letters, digits, underscores and hyphens.
  BEDSIDE_MANIFEST_FIELD_NAME = 1,
  // The model's own version.
  BEDSIDE_MANIFEST_FIELD_VERSION = 2,
  // The licence of the weights.
  BEDSIDE_MANIFEST_FIELD_LICENSE = 3,
  // The model's name for a screen.
  BEDSIDE_MANIFEST_FIELD_TITLE = 4,
  // What the model is meant for; empty where the manifest does not state it.
  BEDSIDE_MANIFEST_FIELD_INTENDED_USE = 5,
  // What the model must not be used for; empty where the manifest does not state it.
  BEDSIDE_MANIFEST_FIELD_NOT_FOR = 6,
  // The whole manifest as JSON, on one line.
  BEDSIDE_MANIFEST_FIELD_JSON = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_manifest_field bedside_manifest_field;
#else
typedef int32_t bedside_manifest_field;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The runtime that measured golden scores.
enum bedside_golden_by
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The lab's own runtime.
  BEDSIDE_GOLDEN_BY_LAB = 1,
  // Bedside itself, when the model was packed: this shows only that nothing changed since.
  BEDSIDE_GOLDEN_BY_SELF = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_golden_by bedside_golden_by;
#else
typedef int32_t bedside_golden_by;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// The severity of a log record.
enum bedside_log_level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Something failed.
  BEDSIDE_LOG_LEVEL_ERROR = 1,
  // Something is amiss but not fatal, such as an unknown field in a manifest.
  BEDSIDE_LOG_LEVEL_WARN = 2,
  // An event that happens now and then.
  BEDSIDE_LOG_LEVEL_INFO = 3,
  // An event that happens once for each opened model.
  BEDSIDE_LOG_LEVEL_DEBUG = 4,
  // An event that happens once for each stage of a classification.
  BEDSIDE_LOG_LEVEL_TRACE = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum bedside_log_level bedside_log_level;
#else
typedef int32_t bedside_log_level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Ends classifications from another thread: at the next stage (decode, preprocess, engine, verdict), or at the next
// layer of a network that is quantized from end to end. It can't be reset: make a new one.
typedef struct bedside_cancel_handle bedside_cancel_handle;

// An opened model. Many threads may use one classifier at once. Opening one takes a fraction of a second and tens of
// megabytes, so keep it.
typedef struct bedside_classifier bedside_classifier;

// A picture that the library keeps: the bytes of a file, or a copy of a frame. It is decoded when it is classified, at
// the scale that the model needs, and rotated upright by its EXIF orientation. Many threads may classify one picture at
// once, any number of times.
typedef struct bedside_image bedside_image;

// A model's description of itself in one language. It keeps the model in memory: free it too. A text that lacks the language is in its base language, in English,
// or in the first language that it has.
typedef struct bedside_manifest bedside_manifest;

// The query of classifications: what may be asked of one, and the answers to the model's questions. A new one asks for
// all findings of the whole picture, in English. It can be used any number of times, by many threads at once; a call that
// is under way keeps the query as it was. Answers stay until they are replaced: for the next patient, make a new query or
// call bedside_query_clear.
//
// The functions that change a query fail with BEDSIDE_STATUS_INVALID_ARGUMENT and BEDSIDE_STATUS_INVALID_HANDLE only,
// where nothing else is said: whether it fits a model is checked by the call that it is given to.
typedef struct bedside_query bedside_query;

// The reasons why there is no verdict, in the query's language.
typedef struct bedside_reasons bedside_reasons;

// The result of a classification. Research software, not a medical device: show bedside_report_notice wherever you show
// a result. It does not change, and many threads may read it at once.
typedef struct bedside_report bedside_report;

// Why a call failed. Call bedside_error_init on it once. A call that fails writes its status and message, and a call
// that succeeds leaves it as it is.
typedef struct bedside_error {
  // sizeof(bedside_error), which bedside_error_init sets.
  size_t size;
  // A bedside_status.
  int32_t status;
  // What was wrong, where, and what to do: English, UTF-8, terminated by zero. Of a longer one, start and end. It may contain file names, and never
  // anything of a picture or a result.
  char message[BEDSIDE_MESSAGE_CAPACITY];
} bedside_error;

// The settings of a classifier, which are fixed when its model is opened. Call bedside_options_init on it first.
typedef struct bedside_options {
  // sizeof(bedside_options), which bedside_options_init sets.
  size_t size;
  // The maximum number of threads of one classification, the caller's among them; 1 at first. All classifiers share
  // the other threads, which sleep between classifications. Results do not depend on the number. 0 counts as 1, and
  // more than 256 as 256.
  uint32_t threads;
  // The maximum number of pixels, width times height, that a picture's header may declare; 200,000,000 at first.
  uint64_t max_declared_pixels;
  // The maximum number of bytes that decoding may take for pixels and coefficients; 256 MiB at first.
  uint64_t max_decoded_bytes;
  // The maximum number of bytes of a model file; 512 MiB at first.
  uint64_t max_model_bytes;
} bedside_options;

// One plane of a frame.
typedef struct bedside_plane {
  // The first sample of the first row.
  const uint8_t *data;
  // The number of bytes at `data`. A frame that needs more is refused.
  size_t length;
  // The bytes from one row to the next.
  uint32_t row_stride;
  // The bytes from one sample to the next in a row of Y, U or V: 1 in planar frames, 2 where U and V are interleaved.
  // Not read in the formats of one plane.
  uint32_t pixel_stride;
} bedside_plane;

// A picture in the caller's memory. Call bedside_frame_init on it first. It is read in place, without a copy, and must
// not change until the call that it is given to returns.
typedef struct bedside_frame {
  // sizeof(bedside_frame), which bedside_frame_init sets.
  size_t size;
  // A bedside_format; none at first.
  int32_t format;
  // The width in pixels.
  uint32_t width;
  // The height in pixels.
  uint32_t height;
  // A bedside_rotation; BEDSIDE_ROTATION_UPRIGHT at first.
  int32_t rotation;
  // 1 where left and right are exchanged after the rotation, else 0; 0 at first.
  int32_t mirrored;
  // A bedside_yuv_matrix; BEDSIDE_YUV_MATRIX_BT601 at first. Read in BEDSIDE_FORMAT_YUV420 only.
  int32_t matrix;
  // A bedside_yuv_range; BEDSIDE_YUV_RANGE_FULL at first. Read in BEDSIDE_FORMAT_YUV420 only.
  int32_t range;
  // The planes: the first one, or Y, U and V.
  struct bedside_plane planes[3];
} bedside_frame;

// The result of a self-test that passed. Set `size` to sizeof(bedside_self_test).
typedef struct bedside_self_test {
  // sizeof(bedside_self_test), which the caller sets.
  size_t size;
  // The runtime that measured the golden scores, a bedside_golden_by; 0 where the model has no golden sample, so that
  // nothing was tested.
  int32_t by;
  // The largest difference between a score and its golden one, 0 to 1.
  float max_difference;
} bedside_self_test;

// How long the parts of opening a model took, in milliseconds. Set `size` to sizeof(bedside_load_times).
typedef struct bedside_load_times {
  // sizeof(bedside_load_times), which the caller sets.
  size_t size;
  // Reading the file, decoding it, checking the manifest against it.
  double read;
  // From the decoded file to typed operators.
  double import;
  // From typed operators to those that run.
  double optimize;
} bedside_load_times;

// Where the evidence for a label lies in a picture: a grid of equal cells over the network's input. It shows what moved
// the network, and not where a disease is. Set `size` to sizeof(bedside_heatmap).
typedef struct bedside_heatmap {
  // sizeof(bedside_heatmap), which the caller sets.
  size_t size;
  // How it was computed, a bedside_explain_method.
  int32_t method;
  // The number of columns of the grid.
  uint32_t width;
  // The number of rows of the grid.
  uint32_t height;
  // From the grid to the pixels of the picture as it is stored, before its EXIF orientation and any rotation: six
  // numbers a to f. The point (x, y) of the grid, where the cell in column i and row j covers i to i+1 and j to j+1,
  // is at (a·x + b·y + c, d·x + e·y + f).
  double frame[6];
  // The width and the height of the stored picture, in pixels.
  uint32_t picture[2];
  // The part of the stored picture that the network saw, in its pixels: left, top, right and bottom edge.
  double seen[4];
  // The largest value in a cell that lies, at least in part, in the part of the picture that the network saw.
  float max;
  // 1 where `max` is above 0, else 0: then nothing in the picture speaks for the label.
  int32_t evidence;
} bedside_heatmap;

// Receives one record of the library's log: `level` is a bedside_log_level, `target` the module that logs. Both texts
// end with zero and live until it returns. It may be called from any thread, and from several at once, and may call the
// library. It must return: no exception of C++ and no longjmp may leave it.
typedef void (*bedside_log_function)(void *context, int32_t level, const char *target, const char *message);

// A question about the picture or the person, asked before a result is given. Set `size` to sizeof(bedside_question).
typedef struct bedside_question {
  // sizeof(bedside_question), which the caller sets.
  size_t size;
  // A bedside_question_role.
  int32_t role;
  // The triage that yes sets at least, a bedside_triage; 0 where the question is not one of danger.
  int32_t level;
  // 1 where a picture is rejected if the question is not answered, else 0.
  int32_t required;
  // 1 where the answer is a number, 0 where it is yes or no.
  int32_t takes_number;
  // The minimum number that is in scope; minus infinity where there is none.
  double min;
  // The maximum number that is in scope; infinity where there is none.
  double max;
} bedside_question;

// A label of a model. Set `size` to sizeof(bedside_label).
typedef struct bedside_label {
  // sizeof(bedside_label), which the caller sets.
  size_t size;
  // What a person should do where the label can't be excluded, a bedside_triage.
  int32_t level;
  // The calibrated probability, 0 to 1, at and above which the label can't be excluded; below 0 where the manifest
  // writes none beside the label.
  float operating_point;
} bedside_label;

// What a report concludes, and how many of each part it has. Set `size` to sizeof(bedside_conclusion).
typedef struct bedside_conclusion {
  // sizeof(bedside_conclusion), which the caller sets.
  size_t size;
  // A bedside_verdict.
  int32_t verdict;
  // A bedside_triage.
  int32_t triage;
  // A bedside_decided_by.
  int32_t decided_by;
  // The number of labels that can't be excluded.
  uint32_t labels;
  // The number of danger signs that the answers state.
  uint32_t danger_signs;
  // The number of findings.
  uint32_t findings;
  // The number of warnings.
  uint32_t warnings;
} bedside_conclusion;

// One label and how probable it is. Set `size` to sizeof(bedside_finding).
typedef struct bedside_finding {
  // sizeof(bedside_finding), which the caller sets.
  size_t size;
  // The calibrated probability, 0 to 1, re-weighted where the query gives a prevalence.
  float probability;
  // The calibrated probability, 0 to 1, at and above which the label can't be excluded.
  float operating_point;
  // 1 where the calibrated probability, not re-weighted, is at or above the operating point, else 0.
  int32_t over_operating_point;
} bedside_finding;

// Measures of a picture, or of the query's region of it. All are ratios without a unit, finite, and at least 0. Y is
// ITU-R BT.601 luma of the model's input before normalisation, in whole levels of 0 to 255. Set `size` to
// sizeof(bedside_quality).
typedef struct bedside_quality {
  // sizeof(bedside_quality), which the caller sets.
  size_t size;
  // How fine the detail is: from 0, 0.3 to 0.9 in most sharp photos, and about 1.7 for noise alone. Low where the
  // picture is out of focus.
  float focus;
  // 0 to 1: 1 less the 95th percentile of Y over 255. High where even the brightest part is dark.
  float dark;
  // The share of pixels, 0 to 1, with a Y of at least 250.
  float bright;
  // The standard deviation of Y over 127.5, 0 to 1.
  float contrast;
  // The share of coloured pixels, 0 to 1: those whose largest and smallest of red, green and blue differ by at least
  // 24, or by at least 8 where the model was made for grey.
  float color;
  // The width of the region over that of the model's input, or the height over the height where that is less, in
  // pixels of the file or frame before any scaling. Above 0.
  float relative_size;
} bedside_quality;

// Which part of a picture was looked at, in pixels as they are stored: before the EXIF orientation and any rotation,
// cropping and reduction. Set `size` to sizeof(bedside_geometry).
typedef struct bedside_geometry {
  // sizeof(bedside_geometry), which the caller sets.
  size_t size;
  // The width of the stored picture.
  uint32_t picture_width;
  // The height of the stored picture.
  uint32_t picture_height;
  // The left edge of the part that was decoded: the whole picture, or the query's region, or of an ultrasound frame of
  // DICOM its tissue. The network need not have seen all of it, where the model crops.
  double left;
  // Its top edge.
  double top;
  // Its right edge.
  double right;
  // Its bottom edge.
  double bottom;
  // Millimetres from column to column of the stored picture; 0 where the file does not say. Only DICOM files say.
  double spacing_x_mm;
  // Millimetres from row to row of the stored picture; 0 where the file does not say.
  double spacing_y_mm;
  // 1 where the spacing is known to be that of a detector behind the body, so that lengths in the body are less, else 0.
  int32_t spacing_at_detector;
} bedside_geometry;

// How unlike the pictures that the model was made for a picture is, and the two levels that it is compared with. Set
// `size` to sizeof(bedside_novelty).
typedef struct bedside_novelty {
  // sizeof(bedside_novelty), which the caller sets.
  size_t size;
  // The novelty, without a unit: the larger, the more unlike.
  float value;
  // The novelty above which the triage is at least BEDSIDE_TRIAGE_REFER.
  float soft;
  // The novelty above which the picture is rejected.
  float hard;
} bedside_novelty;

// How long each stage took, in milliseconds. Set `size` to sizeof(bedside_timings).
typedef struct bedside_timings {
  // sizeof(bedside_timings), which the caller sets.
  size_t size;
  // Decoding, orienting, cropping.
  double decode;
  // Resizing, normalising, and measuring the quality.
  double preprocess;
  // The graph. 0 where a picture was rejected before it.
  double engine;
  // Probabilities, verdict, findings.
  double verdict;
  // The whole classification.
  double total;
} bedside_timings;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the library, as "0.1.0": a text that lives as long as the process.
const char *bedside_version(void);

// Makes a cancel handle that has not been used.
bedside_status bedside_cancel_handle_new(struct bedside_cancel_handle **cancel_handle, struct bedside_error *error);

// Ends every classification whose query has this handle, now or later: it fails with BEDSIDE_STATUS_CANCELLED.
bedside_status bedside_cancel_handle_cancel(const struct bedside_cancel_handle *cancel_handle,
                                            struct bedside_error *error);

// Whether bedside_cancel_handle_cancel was called: 1 or 0.
bedside_status bedside_cancel_handle_is_cancelled(const struct bedside_cancel_handle *cancel_handle,
                                                  int32_t *is_cancelled,
                                                  struct bedside_error *error);

// Frees a cancel handle. Queries that have it keep what it refers to. Null, or a handle that was freed, changes
// nothing.
void bedside_cancel_handle_free(struct bedside_cancel_handle *cancel_handle);

// Opens a model: an ONNX file or a prepared one, with its manifest inside, or in `model.json` beside it. A library
// without the ONNX importer opens prepared models only. Null options are those of bedside_options_init.
//
// Runs on the caller's thread for a fraction of a second. Fails with BEDSIDE_STATUS_IO, _TOO_LARGE, _MALFORMED_MODEL,
// _UNSUPPORTED_MODEL or _INVALID_MANIFEST.
bedside_status bedside_classifier_open(const char *file,
                                       const struct bedside_options *options,
                                       struct bedside_classifier **classifier,
                                       struct bedside_error *error);

// Opens a model from the bytes of an ONNX file or a prepared one with its manifest inside. They are not kept. Fails as
// bedside_classifier_open does, except with BEDSIDE_STATUS_IO.
bedside_status bedside_classifier_from_bytes(const uint8_t *data,
                                             size_t length,
                                             const struct bedside_options *options,
                                             struct bedside_classifier **classifier,
                                             struct bedside_error *error);

// Classifies one picture. A null query is a new one.
//
// Runs on the caller's thread for tens to hundreds of milliseconds. Fails with BEDSIDE_STATUS_INVALID_QUERY where the
// query does not fit the model; with _UNSUPPORTED_IMAGE, _MALFORMED_IMAGE or _TOO_LARGE where the picture can't be
// decoded; with _CANCELLED where the query's cancel handle was used; and with _UNSUPPORTED_MODEL where the graph gives
// no scores. Free the report with bedside_report_free.
bedside_status bedside_classifier_classify(const struct bedside_classifier *classifier,
                                           const struct bedside_image *image,
                                           const struct bedside_query *query,
                                           struct bedside_report **report,
                                           struct bedside_error *error);

// Classifies one frame, which is read in place. Otherwise as bedside_classifier_classify.
bedside_status bedside_classifier_classify_frame(const struct bedside_classifier *classifier,
                                                 const struct bedside_frame *frame,
                                                 const struct bedside_query *query,
                                                 struct bedside_report **report,
                                                 struct bedside_error *error);

// The probability of each label for the whole picture, 0 to 1, in the manifest's order, before any calibration and
// without a verdict; `length` is their number. A lab compares these scores with those of its own runtime; do not show
// them as a result. Runs and fails as bedside_classifier_classify does, without _INVALID_QUERY and _CANCELLED.
bedside_status bedside_classifier_scores(const struct bedside_classifier *classifier,
                                         const struct bedside_image *image,
                                         float *scores,
                                         size_t capacity,
                                         size_t *length,
                                         struct bedside_error *error);

// The scores of one frame, which is read in place. Otherwise as bedside_classifier_scores.
//
// It uses the memory of earlier calls, which was overwritten with zeros: where the graph is quantized from end to end, the
// model has at most 1024 labels, and as many earlier calls as run now ran at the same time on frames of the same size, it
// allocates nothing. Memory of frames over 2.5 megapixels is not kept, nor that of more calls at once than the machine has
// processors.
bedside_status bedside_classifier_frame_scores(const struct bedside_classifier *classifier,
                                               const struct bedside_frame *frame,
                                               float *scores,
                                               size_t capacity,
                                               size_t *length,
                                               struct bedside_error *error);

// Runs the graph once on a blank picture, so that the first classification is not slower than later ones. Fails with
// BEDSIDE_STATUS_UNSUPPORTED_MODEL where the graph fails.
bedside_status bedside_classifier_warm_up(const struct bedside_classifier *classifier, struct bedside_error *error);

// Checks a query against the model, as bedside_classifier_classify does first. Fails with BEDSIDE_STATUS_INVALID_QUERY,
// whose message names the field.
bedside_status bedside_classifier_check(const struct bedside_classifier *classifier,
                                        const struct bedside_query *query,
                                        struct bedside_error *error);

// The reasons for which the query's answers alone reject every picture; none where the answers are in scope. Call this
// before a picture is taken. Fails with BEDSIDE_STATUS_INVALID_QUERY, whose message names the field. Free the reasons
// with bedside_reasons_free.
bedside_status bedside_classifier_scope_reasons(const struct bedside_classifier *classifier,
                                                const struct bedside_query *query,
                                                struct bedside_reasons **reasons,
                                                struct bedside_error *error);

// Runs the manifest's golden sample, from its encoded picture to its scores. Fails with BEDSIDE_STATUS_SELF_TEST where
// a label's score differs from the golden one by more than 0.02: do not use the model on this device. Fails with
// _INVALID_MANIFEST where the sample is not base64, and as bedside_classifier_classify does where it can't be run.
bedside_status bedside_classifier_self_test(const struct bedside_classifier *classifier,
                                            struct bedside_self_test *self_test,
                                            struct bedside_error *error);

// The model's description of itself in a language, a BCP 47 tag. Free it with bedside_manifest_free.
bedside_status bedside_classifier_manifest(const struct bedside_classifier *classifier,
                                           const char *language,
                                           struct bedside_manifest **manifest,
                                           struct bedside_error *error);

// The SHA-256 of the model's graph, in hex: 64 characters. With the name and the version of its manifest it is the
// model's identity.
bedside_status bedside_classifier_graph_sha256(const struct bedside_classifier *classifier,
                                               char *buffer,
                                               size_t capacity,
                                               size_t *length);

// How long the parts of opening the model took.
bedside_status bedside_classifier_load_times_ms(const struct bedside_classifier *classifier,
                                                struct bedside_load_times *load_times);

// Frees a classifier. A call that is under way keeps what it uses. Null, or a handle that was freed, changes nothing.
void bedside_classifier_free(struct bedside_classifier *classifier);

// The heatmap that the query asked for, but for its label and its values. BEDSIDE_STATUS_ABSENT where it asked for
// none, or the picture was rejected.
bedside_status bedside_report_heatmap(const struct bedside_report *report, struct bedside_heatmap *heatmap);

// The evidence in each cell, rows from the top, in logits before any calibration: width times height finite values. A
// positive one speaks for the label, a negative one against it. `length` is their number.
bedside_status bedside_report_heatmap_values(const struct bedside_report *report,
                                             float *values,
                                             size_t capacity,
                                             size_t *length);

// The id of the label that the evidence is for.
bedside_status bedside_report_heatmap_label(const struct bedside_report *report,
                                            char *buffer,
                                            size_t capacity,
                                            size_t *length);

// Draws the heatmap over the picture, upright and in grey, with a legend in English below: the bytes of a PNG of at
// most 1024 pixels a side. `length` is their number. The picture must be the one that was classified, with the same
// rotation and mirroring.
//
// Fails with BEDSIDE_STATUS_INVALID_QUERY where the picture has another size than the classified one, and as
// bedside_classifier_classify does where it can't be decoded. Each call draws it anew.
bedside_status bedside_report_overlay(const struct bedside_report *report,
                                      const struct bedside_image *image,
                                      uint8_t *png,
                                      size_t capacity,
                                      size_t *length,
                                      struct bedside_error *error);

// Sets all fields to their first values. `size` is sizeof(bedside_frame).
bedside_status bedside_frame_init(struct bedside_frame *frame, size_t size);

// Reads a file of at most 256 MiB: JPEG, PNG, WebP, BMP or TIFF; a DICOM file may have more, and is read when the picture
// is classified. The format is recognised by the content, which is checked then. Fails with BEDSIDE_STATUS_IO or BEDSIDE_STATUS_TOO_LARGE.
bedside_status bedside_image_open(const char *file,
                                  struct bedside_image **image,
                                  struct bedside_error *error);

// Copies the bytes of such a file, which are checked when the picture is classified.
bedside_status bedside_image_from_bytes(const uint8_t *data,
                                        size_t length,
                                        struct bedside_image **image,
                                        struct bedside_error *error);

// Copies a frame. Fails with BEDSIDE_STATUS_MALFORMED_IMAGE where the planes do not fit the format, and with
// BEDSIDE_STATUS_TOO_LARGE where they have more than 256 MiB.
bedside_status bedside_image_from_frame(const struct bedside_frame *frame,
                                        struct bedside_image **image,
                                        struct bedside_error *error);

// The same picture with this bedside_rotation, which brings it upright, instead of an earlier one. A rotation that is
// stored in the file is applied first. The pictures share their bytes; each is freed by itself.
bedside_status bedside_image_rotated(const struct bedside_image *image,
                                     int32_t clockwise,
                                     struct bedside_image **rotated,
                                     struct bedside_error *error);

// The same picture with left and right exchanged after the rotation. The pictures share their bytes; each is freed by
// itself.
bedside_status bedside_image_mirrored(const struct bedside_image *image,
                                      struct bedside_image **mirrored,
                                      struct bedside_error *error);

// The same picture with this frame of a DICOM file, from 0, instead of the first. A frame that is not there is an error of the
// classification, BEDSIDE_STATUS_INVALID_QUERY. The pictures share their bytes; each is freed by itself.
bedside_status bedside_image_frame(const struct bedside_image *image,
                                   uint32_t number,
                                   struct bedside_image **frame,
                                   struct bedside_error *error);

// The same picture, of which an ultrasound frame of a DICOM file is looked at as a whole, with what its scanner draws around
// the tissue. The pictures share their bytes; each is freed by itself.
bedside_status bedside_image_whole(const struct bedside_image *image,
                                   struct bedside_image **whole,
                                   struct bedside_error *error);

// The picture as it is looked at, upright: the bytes of a PNG of at most `max_side` pixels a side. `length` is their number. Of
// a DICOM file it is the chosen frame as it is shown, and of an ultrasound frame the part that is looked at. Fails with
// BEDSIDE_STATUS_INVALID_QUERY where `max_side` is 0, and as bedside_classifier_classify does where it can't be decoded. Each call
// makes it anew.
bedside_status bedside_image_shown(const struct bedside_image *image,
                                   uint32_t max_side,
                                   uint8_t *png,
                                   size_t capacity,
                                   size_t *length,
                                   struct bedside_error *error);

// The number of frames of a DICOM file; 1 of any other picture. Fails as a classification does where the file can't be
// read.
bedside_status bedside_image_frames(const struct bedside_image *image, uint32_t *count, struct bedside_error *error);

// The same picture with a DICOM file's window or table of this number, from 0, its tables first, instead of the first. One
// that is not there is an error of the classification, BEDSIDE_STATUS_INVALID_QUERY. The pictures share their bytes; each is
// freed by itself.
bedside_status bedside_image_numbered_window(const struct bedside_image *image,
                                             uint32_t number,
                                             struct bedside_image **windowed,
                                             struct bedside_error *error);

// The same picture with a window of this center and width, in the units of a DICOM file's values, instead of its own windows.
// A width of less than 1 is an error of the classification, BEDSIDE_STATUS_INVALID_QUERY. The pictures share their bytes; each
// is freed by itself.
bedside_status bedside_image_window(const struct bedside_image *image,
                                    double center,
                                    double width,
                                    struct bedside_image **windowed,
                                    struct bedside_error *error);

// Frees a picture. A call that is under way keeps what it uses. Null, or a handle that was freed, changes nothing.
void bedside_image_free(struct bedside_image *image);

// Sends records of the library's log to a function, which replaces the previous one: those of this bedside_log_level and
// of graver ones. Null drops the records, as before the first call, whatever `level` is. `context` is handed to the function and is not read. Both must stay
// valid for the rest of the process, because a thread may be in the function when another one is set. Pictures and
// results are never in the log. In a Rust program with its own logger, that logger keeps the log.
bedside_status bedside_set_logger(bedside_log_function function,
                                  void *context,
                                  int32_t level,
                                  struct bedside_error *error);

// A text of the manifest. `field` is a bedside_manifest_field.
bedside_status bedside_manifest_text(const struct bedside_manifest *manifest,
                                     int32_t field,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *length);

// What a person should do at a triage level, a bedside_triage, as a sentence: the model's own, else the library's.
bedside_status bedside_manifest_advice(const struct bedside_manifest *manifest,
                                       int32_t level,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *length);

// The number of questions, in the order in which they are asked.
bedside_status bedside_manifest_question_count(const struct bedside_manifest *manifest, size_t *count);

// The question at an index, but for its texts.
bedside_status bedside_manifest_question(const struct bedside_manifest *manifest,
                                         size_t index,
                                         struct bedside_question *question);

// The id under which a query answers the question at an index.
bedside_status bedside_manifest_question_id(const struct bedside_manifest *manifest,
                                            size_t index,
                                            char *buffer,
                                            size_t capacity,
                                            size_t *length);

// The question at an index, for a screen.
bedside_status bedside_manifest_question_text(const struct bedside_manifest *manifest,
                                              size_t index,
                                              char *buffer,
                                              size_t capacity,
                                              size_t *length);

// The number of labels, which is that of the scores.
bedside_status bedside_manifest_label_count(const struct bedside_manifest *manifest, size_t *count);

// The label at an index, in the order of the scores, but for its texts.
bedside_status bedside_manifest_label(const struct bedside_manifest *manifest,
                                      size_t index,
                                      struct bedside_label *label);

// The id of the label at an index.
bedside_status bedside_manifest_label_id(const struct bedside_manifest *manifest,
                                         size_t index,
                                         char *buffer,
                                         size_t capacity,
                                         size_t *length);

// The name of the label at an index, for a screen.
bedside_status bedside_manifest_label_name(const struct bedside_manifest *manifest,
                                           size_t index,
                                           char *buffer,
                                           size_t capacity,
                                           size_t *length);

// The number of labels that verdicts and findings show: the labels, and in place of labels that the model can't tell
// apart, their group.
bedside_status bedside_manifest_shown_label_count(const struct bedside_manifest *manifest, size_t *count);

// The shown label at an index, but for its texts. It has the operating point in force.
bedside_status bedside_manifest_shown_label(const struct bedside_manifest *manifest,
                                            size_t index,
                                            struct bedside_label *label);

// The id of the shown label at an index.
bedside_status bedside_manifest_shown_label_id(const struct bedside_manifest *manifest,
                                               size_t index,
                                               char *buffer,
                                               size_t capacity,
                                               size_t *length);

// The name of the shown label at an index, for a screen.
bedside_status bedside_manifest_shown_label_name(const struct bedside_manifest *manifest,
                                                 size_t index,
                                                 char *buffer,
                                                 size_t capacity,
                                                 size_t *length);

// Frees a manifest. Null, or a handle that was freed, changes nothing.
void bedside_manifest_free(struct bedside_manifest *manifest);

// Sets all fields to the values that hold where no options are given. `size` is sizeof(bedside_options).
bedside_status bedside_options_init(struct bedside_options *options, size_t size);

// Makes a query.
bedside_status bedside_query_new(struct bedside_query **query, struct bedside_error *error);

// Makes the query what a new one is: without answers, and all else at its first value.
bedside_status bedside_query_clear(struct bedside_query *query, struct bedside_error *error);

// Sets the maximum number of findings; all at first.
bedside_status bedside_query_set_max_results(struct bedside_query *query, uint32_t count, struct bedside_error *error);

// Sets the minimum probability of a finding, 0 to 1; 0 at first.
bedside_status bedside_query_set_score_threshold(struct bedside_query *query,
                                                 float probability,
                                                 struct bedside_error *error);

// Adds a label, by id, to those that findings may have. Without any, all labels may.
bedside_status bedside_query_add_allow(struct bedside_query *query, const char *label, struct bedside_error *error);

// Adds a label, by id, to those that findings may not have.
bedside_status bedside_query_add_deny(struct bedside_query *query, const char *label, struct bedside_error *error);

// Sets the language of the report's sentences, names and questions, a BCP 47 tag; "en" at first. Sentences are in
// English where it is neither English nor Ukrainian; names and questions are in the languages that the manifest has.
bedside_status bedside_query_set_language(struct bedside_query *query,
                                          const char *language,
                                          struct bedside_error *error);

// Sets the part of the upright picture that is classified, in fractions of its width from the left and of its height
// from the top: left and top are 0 to 1, width and height above 0 and at most 1. Fails with
// BEDSIDE_STATUS_INVALID_QUERY where it is no part of the picture.
bedside_status bedside_query_set_region(struct bedside_query *query,
                                        float left,
                                        float top,
                                        float width,
                                        float height,
                                        struct bedside_error *error);

// Sets how common a label is where the picture was taken, 0 to 1. Give every label; they sum to 1. The probabilities of
// the findings are re-weighted to it.
bedside_status bedside_query_set_prevalence(struct bedside_query *query,
                                            const char *label,
                                            float fraction,
                                            struct bedside_error *error);

// Answers a question of the model, by its id, with yes (1) or no (0).
bedside_status bedside_query_set_answer(struct bedside_query *query,
                                        const char *question,
                                        int32_t yes,
                                        struct bedside_error *error);

// Answers a question of the model, by its id, with a number, in the question's unit.
bedside_status bedside_query_set_answer_number(struct bedside_query *query,
                                               const char *question,
                                               double number,
                                               struct bedside_error *error);

// Sets where the picture came from, a bedside_source; unknown at first. Only a picture of a camera is asked for again
// where its quality is too poor.
bedside_status bedside_query_set_source(struct bedside_query *query, int32_t source, struct bedside_error *error);

// Sets how many pictures of this case were rejected for their quality before; 0 at first. From 1 on, a picture of poor
// quality is not asked for again, and its triage is BEDSIDE_TRIAGE_REFER. Whoever asks counts.
bedside_status bedside_query_set_refusals(struct bedside_query *query, uint32_t count, struct bedside_error *error);

// Asks for a heatmap with the classification. `method` is a bedside_explain_method. `label` is the id of the label that
// the evidence is for; where it is null, the first label of the verdict, or else the most probable one.
bedside_status bedside_query_set_explain(struct bedside_query *query,
                                         int32_t method,
                                         const char *label,
                                         struct bedside_error *error);

// Sets the handle by which another thread can end a classification; null takes it away.
bedside_status bedside_query_set_cancel(struct bedside_query *query,
                                        const struct bedside_cancel_handle *cancel_handle,
                                        struct bedside_error *error);

// Frees a query. A call that is under way keeps what it uses. Null, or a handle that was freed, changes nothing.
void bedside_query_free(struct bedside_query *query);

// The number of reasons.
bedside_status bedside_reasons_count(const struct bedside_reasons *reasons, size_t *count);

// The kind of the reason at an index, a bedside_reason_kind.
bedside_status bedside_reasons_kind(const struct bedside_reasons *reasons, size_t index, int32_t *kind);

// What is wrong and what to do.
bedside_status bedside_reasons_message(const struct bedside_reasons *reasons,
                                       size_t index,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *length);

// The id of the question that the reason is about; BEDSIDE_STATUS_ABSENT where it is about none.
bedside_status bedside_reasons_question_id(const struct bedside_reasons *reasons,
                                           size_t index,
                                           char *buffer,
                                           size_t capacity,
                                           size_t *length);

// The question that the reason is about, or its id where it has no text; BEDSIDE_STATUS_ABSENT where it is about none.
bedside_status bedside_reasons_question(const struct bedside_reasons *reasons,
                                        size_t index,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *length);

// Frees the reasons. Null, or a handle that was freed, changes nothing.
void bedside_reasons_free(struct bedside_reasons *reasons);

// What the report concludes, and how many of each part it has.
bedside_status bedside_report_conclusion(const struct bedside_report *report, struct bedside_conclusion *conclusion);

// The headline: the verdict as a sentence in the query's language, without labels of BEDSIDE_TRIAGE_NO_SIGN.
bedside_status bedside_report_summary(const struct bedside_report *report,
                                      char *buffer,
                                      size_t capacity,
                                      size_t *length);

// The triage as a sentence in the query's language.
bedside_status bedside_report_advice(const struct bedside_report *report,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *length);

// The sentence that must be shown with every result, in the query's language.
bedside_status bedside_report_notice(const struct bedside_report *report,
                                     char *buffer,
                                     size_t capacity,
                                     size_t *length);

// The report as text for a person, as the command `bedside classify` prints it. Headings are English; sentences and
// names are in the query's language. Each call makes it anew.
bedside_status bedside_report_text(const struct bedside_report *report, char *buffer, size_t capacity, size_t *length);

// The whole report as JSON, on one line. Each call makes it anew.
bedside_status bedside_report_json(const struct bedside_report *report, char *buffer, size_t capacity, size_t *length);

// The level of the label at an index among those that can't be excluded, a bedside_triage. The most pressing labels
// come first; of one level, the likeliest.
bedside_status bedside_report_label_level(const struct bedside_report *report, size_t index, int32_t *level);

// The id of that label.
bedside_status bedside_report_label_id(const struct bedside_report *report,
                                       size_t index,
                                       char *buffer,
                                       size_t capacity,
                                       size_t *length);

// The name of that label in the query's language.
bedside_status bedside_report_label_name(const struct bedside_report *report,
                                         size_t index,
                                         char *buffer,
                                         size_t capacity,
                                         size_t *length);

// The level that the danger sign at an index sets at least, a bedside_triage. Danger signs are in the order of the
// questions.
bedside_status bedside_report_danger_level(const struct bedside_report *report, size_t index, int32_t *level);

// The id of that danger sign's question.
bedside_status bedside_report_danger_id(const struct bedside_report *report,
                                        size_t index,
                                        char *buffer,
                                        size_t capacity,
                                        size_t *length);

// That danger sign's question in the query's language, or its id where it has no text.
bedside_status bedside_report_danger_question(const struct bedside_report *report,
                                              size_t index,
                                              char *buffer,
                                              size_t capacity,
                                              size_t *length);

// The numbers of the finding at an index. Findings are the labels that the query asks for, likeliest first; there are
// none where the verdict is BEDSIDE_VERDICT_REJECTED.
bedside_status bedside_report_finding(const struct bedside_report *report,
                                      size_t index,
                                      struct bedside_finding *finding);

// The id of that finding's label.
bedside_status bedside_report_finding_label(const struct bedside_report *report,
                                            size_t index,
                                            char *buffer,
                                            size_t capacity,
                                            size_t *length);

// The name of that finding's label in the query's language.
bedside_status bedside_report_finding_name(const struct bedside_report *report,
                                           size_t index,
                                           char *buffer,
                                           size_t capacity,
                                           size_t *length);

// The reasons of a rejected picture, to be freed with bedside_reasons_free; none with any other verdict.
bedside_status bedside_report_reasons(const struct bedside_report *report,
                                      struct bedside_reasons **reasons,
                                      struct bedside_error *error);

// The measures of the picture, also where the model has no limits for them or the picture was rejected.
// BEDSIDE_STATUS_ABSENT only where no picture was decoded.
bedside_status bedside_report_quality(const struct bedside_report *report, struct bedside_quality *quality);

// What the warning at an index is about, a bedside_warning_kind. Warnings say what to know of the picture, whatever the
// verdict is: show them with it. There are none where no picture was decoded.
bedside_status bedside_report_warning_kind(const struct bedside_report *report, size_t index, int32_t *kind);

// What that warning says is there and what to do, in the query's language.
bedside_status bedside_report_warning_message(const struct bedside_report *report,
                                              size_t index,
                                              char *buffer,
                                              size_t capacity,
                                              size_t *length);

// Which part of the picture was looked at, and how large it is. BEDSIDE_STATUS_ABSENT only where no picture was decoded.
bedside_status bedside_report_geometry(const struct bedside_report *report,
                                       struct bedside_geometry *geometry);

// The novelty. BEDSIDE_STATUS_ABSENT where the model does not tell, and where the graph did not run.
bedside_status bedside_report_novelty(const struct bedside_report *report, struct bedside_novelty *novelty);

// How long each stage took.
bedside_status bedside_report_timings_ms(const struct bedside_report *report, struct bedside_timings *timings);

// Frees a report. Null, or a handle that was freed, changes nothing.
void bedside_report_free(struct bedside_report *report);

// Sets the status to BEDSIDE_STATUS_OK and the message to "". `size` is sizeof(bedside_error).
bedside_status bedside_error_init(struct bedside_error *error, size_t size);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BEDSIDE_H */
