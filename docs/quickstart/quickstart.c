/* cc quickstart.c $(pkg-config --cflags --libs bedside) -o quickstart */
#include <bedside.h>
#include <stdio.h>

int main(void)
{
    bedside_error error;
    bedside_classifier *classifier = NULL;
    bedside_image *image = NULL;
    bedside_query *query = NULL;
    bedside_report *report = NULL;
    char text[4096];
    if (bedside_error_init(&error, sizeof error) ||
        bedside_classifier_open("models/skin-lesion/model.onnx", NULL, &classifier, &error) ||
        bedside_image_open("models/samples/ISIC_0012258.jpg", &image, &error) ||
        bedside_query_new(&query, &error) ||
        bedside_query_set_answer(query, "dermatoscope", 1, &error) ||
        bedside_query_set_answer(query, "mole_like", 1, &error) ||
        bedside_classifier_classify(classifier, image, query, &report, &error) ||
        bedside_report_text(report, text, sizeof text, NULL)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    printf("models/samples/ISIC_0012258.jpg\n\n%s\n", text);
    return 0;
}
