/*
 * What a program in C may do wrong, and that it is told so: `misuse CHECKPOINT`, of points in the plane. Says which line it does not
 * agree with.
 */
#include <afterimage.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #condition, afterimage_last_error());   \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)

#define REFUSED(call, wanted, words)                                                               \
    do {                                                                                           \
        REQUIRE((call) == (wanted));                                                               \
        REQUIRE(strstr(afterimage_last_error(), (words)) != NULL);                                 \
    } while (0)

static int stop(const afterimage_progress *progress, void *user_data)
{
    *(unsigned *)user_data += 1;
    return progress->steps_done >= 2;
}

int main(int argc, char **argv)
{
    static const char *const settings[] = {
        "network.layers=[{dense=8}, {dense=1}]", "run.steps=10000", "run.batch=32", "sampler.steps=4",
    };
    static const char *const wrong[] = {"run.stepz=3"};
    const size_t count = sizeof settings / sizeof *settings;
    afterimage_device *device = NULL, *none = NULL;
    afterimage_model *model = NULL, *trained = NULL;
    afterimage_info info;
    unsigned told = 0;
    /* On the heap, so that a sanitizer sees whatever is written beside them. */
    float *x = (float *)malloc(4 * sizeof *x);
    float *energies = (float *)malloc(2 * sizeof *energies);
    float *gradient = (float *)malloc(4 * sizeof *gradient);
    REQUIRE(argc == 2 && x != NULL && energies != NULL && gradient != NULL);
    x[0] = 0.5f, x[1] = -0.25f, x[2] = 1.0f, x[3] = 0.0f;

    REQUIRE(strcmp(afterimage_last_error(), "") == 0);
    REFUSED(afterimage_device_open("no such adapter", &none), AFTERIMAGE_DEVICE_ERROR, "no such adapter");
    REQUIRE(none == NULL);
    REFUSED(afterimage_device_open(NULL, NULL), AFTERIMAGE_INVALID_ARGUMENT, "device is a null pointer");
    REQUIRE(afterimage_device_open(NULL, &device) == AFTERIMAGE_OK);
    REFUSED(afterimage_model_load(device, "no/such/file", &model), AFTERIMAGE_FILE_ERROR, "does not exist");
    REQUIRE(model == NULL);
    REFUSED(afterimage_model_load(NULL, argv[1], &model), AFTERIMAGE_INVALID_ARGUMENT, "device is a null pointer");
    REQUIRE(afterimage_model_load(device, argv[1], &model) == AFTERIMAGE_OK);
    REQUIRE(afterimage_model_info(model, &info) == AFTERIMAGE_OK && info.values == 2);

    REFUSED(afterimage_model_energies(model, x, 3, energies, 2), AFTERIMAGE_INVALID_ARGUMENT, "3 values are not");
    REFUSED(afterimage_model_energies(model, x, 4, energies, 1), AFTERIMAGE_INVALID_ARGUMENT, "room for 1 values");
    REFUSED(afterimage_model_energies(model, NULL, 4, energies, 2), AFTERIMAGE_INVALID_ARGUMENT, "x is a null");
    x[2] = (float)NAN;
    REFUSED(afterimage_model_energies(model, x, 4, energies, 2), AFTERIMAGE_INVALID_ARGUMENT, "sample 1 (counted from 0)");
    REFUSED(afterimage_model_gradient(model, x, 4, gradient, 4), AFTERIMAGE_INVALID_ARGUMENT, "no finite 32-bit float");
    x[2] = 1.0f;
    REFUSED(afterimage_model_sample(model, 2, 1, 1, gradient, 3), AFTERIMAGE_INVALID_ARGUMENT, "4 are to be written");
    REFUSED(afterimage_train(device, "moons", wrong, 1, NULL, NULL, NULL, &trained), AFTERIMAGE_INVALID_SETTING,
            "did you mean `run.steps`");
    REFUSED(afterimage_train(device, "muuns", NULL, 0, NULL, NULL, NULL, &trained), AFTERIMAGE_INVALID_SETTING,
            "did you mean the preset `moons`");
    REQUIRE(trained == NULL);

    /* After all these errors, the handles are as good as before. */
    REQUIRE(afterimage_model_energies(model, x, 4, energies, 2) == AFTERIMAGE_OK);
    REQUIRE(isfinite(energies[0]) && isfinite(energies[1]) && energies[0] != energies[1]);
    REQUIRE(afterimage_model_gradient(model, x, 4, gradient, 4) == AFTERIMAGE_OK);
    REQUIRE(afterimage_model_sample(model, 2, 3, 1, gradient, 4) == AFTERIMAGE_OK);
    REQUIRE(afterimage_train(device, "moons", settings, count, NULL, stop, &told, &trained) == AFTERIMAGE_OK);
    REQUIRE(told >= 2 && told < 10000);
    REQUIRE(afterimage_model_energies(trained, x, 4, energies, 2) == AFTERIMAGE_OK);
    REQUIRE(afterimage_model_energies(model, x, 4, energies, 2) == AFTERIMAGE_OK);

    /* In either order, and of nothing. */
    afterimage_device_free(device);
    REQUIRE(afterimage_model_energies(model, x, 4, energies, 2) == AFTERIMAGE_OK);
    afterimage_model_free(model);
    afterimage_model_free(trained);
    afterimage_model_free(NULL);
    afterimage_device_free(NULL);
    free(x);
    free(energies);
    free(gradient);
    puts("all as it should be");
    return EXIT_SUCCESS;
}
