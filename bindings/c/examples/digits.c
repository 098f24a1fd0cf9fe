/*
 * Trains a small model of handwritten digits, keeps it in a file, opens it again and looks at it:
 *
 *     cc digits.c $(pkg-config --cflags --libs afterimage) -o digits
 *     ./digits digits.safetensors run.steps=100
 *
 * What follows the file are settings, as behind --set of `afterimage train`.
 */
#include <afterimage.h>

#include <stdio.h>
#include <stdlib.h>

enum { COUNT = 4, SIDE = 8, VALUES = SIDE * SIDE };

/* Ends the program, in the words of the library, where a call has failed. */
static void check(afterimage_status status)
{
    if (status != AFTERIMAGE_OK) {
        fprintf(stderr, "error %d: %s\n", (int)status, afterimage_last_error());
        exit(EXIT_FAILURE);
    }
}

/* Shows how training goes, and stops it when its time is up. */
static int on_step(const afterimage_progress *progress, void *user_data)
{
    const unsigned long long *last_step = (const unsigned long long *)user_data;
    const unsigned long long done = progress->steps_done;
    if (done % 10 == 0)
        printf("step %llu of %llu: loss %.4f\n", done, (unsigned long long)progress->steps, progress->loss);
    return done >= *last_step;
}

/* A picture in letters. */
static void draw(const float *sample, const afterimage_info *info)
{
    static const char shades[] = " .:-=+*#%@";
    int row, column;
    for (row = 0; row < SIDE; row++) {
        for (column = 0; column < SIDE; column++) {
            float share = (sample[row * SIDE + column] - info->low) / (info->high - info->low);
            int shade = (int)(share * 9.0f + 0.5f);
            putchar(shades[shade < 0 ? 0 : shade > 9 ? 9 : shade]);
        }
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    const char *file = argc > 1 ? argv[1] : "digits.safetensors";
    const char *const *settings = (const char *const *)argv + (argc > 1 ? 2 : 1);
    size_t settings_count = argc > 2 ? (size_t)argc - 2 : 0;
    unsigned long long last_step = 1000;
    static float x[COUNT * VALUES], gradient[COUNT * VALUES], energies[COUNT], below[COUNT];
    afterimage_device *device;
    afterimage_model *model;
    afterimage_info info;
    size_t i;

    check(afterimage_device_open(NULL, &device));
    printf("afterimage %s on %s\n", afterimage_version(), afterimage_device_name(device));

    check(afterimage_train(device, "digits", settings, settings_count, NULL, on_step, &last_step, &model));
    check(afterimage_model_save(model, file));
    afterimage_model_free(model);

    check(afterimage_model_load(device, file, &model));
    check(afterimage_model_info(model, &info));
    if (info.values != VALUES) {
        fprintf(stderr, "these are no digits\n");
        return EXIT_FAILURE;
    }
    check(afterimage_model_sample(model, COUNT, 20, 1, x, COUNT * VALUES));
    draw(x, &info);

    /* A little way down the gradient the energy is lower. */
    check(afterimage_model_energies(model, x, COUNT * VALUES, energies, COUNT));
    check(afterimage_model_gradient(model, x, COUNT * VALUES, gradient, COUNT * VALUES));
    for (i = 0; i < COUNT * VALUES; i++)
        x[i] -= 1e-4f * gradient[i];
    check(afterimage_model_energies(model, x, COUNT * VALUES, below, COUNT));
    for (i = 0; i < COUNT; i++)
        printf("energy %.9g, below %.9g\n", energies[i], below[i]);

    afterimage_model_free(model);
    afterimage_device_free(device);
    return EXIT_SUCCESS;
}
