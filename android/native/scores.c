// Opens models and pictures through libbedside's own functions, as Kotlin does, and prints the scores, one a line. The
// same program runs on this machine and, emulated, on a phone's processor.
//
//     scores LIBRARY MODEL PICTURE [MODEL PICTURE ...]

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint64_t capacity, length;
    uint8_t *data;
} Buffer;

typedef struct {
    int32_t length;
    const uint8_t *data;
} Bytes;

typedef struct {
    int8_t code;
    Buffer error;
} Status;

static void *library;

static void stop(const char *what) {
    fprintf(stderr, "\nscores: %s\n", what);
    exit(1);
}

static void *function(const char *name) {
    void *found = dlsym(library, name);
    if (!found) stop(dlerror());
    return found;
}

// An error is a number for its kind and a text, each as UniFFI writes them: lengths and numbers are big-endian.
static void check(const Status *status) {
    if (status->code == 0) return;
    fwrite(status->error.data, 1, status->error.length, stderr);
    stop("refused, see above");
}

static Buffer buffer(const void *data, size_t length) {
    Status status = {0};
    Buffer (*from_bytes)(Bytes, Status *) = function("ffi_bedside_rustbuffer_from_bytes");
    Buffer made = from_bytes((Bytes){(int32_t)length, data}, &status);
    check(&status);
    return made;
}

static uint64_t model(const char *path) {
    // One thread; the limits on pixels, decoded bytes and model bytes are the library's defaults.
    static const uint8_t options[] = {
        0, 0, 0, 1,                  //
        0, 0, 0, 0, 0x0b, 0xeb, 0xc2, 0, // 200,000,000
        0, 0, 0, 0, 0x10, 0, 0, 0,   // 256 MiB
        0, 0, 0, 0, 0x20, 0, 0, 0,   // 512 MiB
    };
    Status status = {0};
    uint64_t (*open)(Buffer, Buffer, Status *) = function("uniffi_bedside_fn_constructor_classifier_open");
    uint64_t opened = open(buffer(path, strlen(path)), buffer(options, sizeof options), &status);
    check(&status);
    return opened;
}

static uint64_t picture(const char *path) {
    Status status = {0};
    uint64_t (*open)(Buffer, Status *) = function("uniffi_bedside_fn_constructor_image_open");
    uint64_t opened = open(buffer(path, strlen(path)), &status);
    check(&status);
    return opened;
}

static uint32_t number(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

int main(int count, char **arguments) {
    if (count < 4 || count % 2) stop("scores LIBRARY MODEL PICTURE [MODEL PICTURE ...]");
    library = dlopen(arguments[1], RTLD_NOW);
    if (!library) stop(dlerror());
    Buffer (*scores)(uint64_t, uint64_t, Status *) = function("uniffi_bedside_fn_method_classifier_scores");
    for (int i = 2; i < count; i += 2) {
        Status status = {0};
        Buffer found = scores(model(arguments[i]), picture(arguments[i + 1]), &status);
        check(&status);
        for (uint32_t k = 0; k < number(found.data); k++) {
            uint32_t bits = number(found.data + 4 + 4 * k);
            float score;
            memcpy(&score, &bits, sizeof score);
            printf("%.9g\n", score);
        }
    }
    return 0;
}
