/*
 * Faults on purpose, for the sanitizers to find: `faults leak|overrun CHECKPOINT`, of points in the plane.
 */
#include <afterimage.h>

#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    afterimage_device *device;
    afterimage_model *model;
    float x[4] = {0.5f, -0.25f, 1.0f, 0.0f};
    float *room = (float *)malloc(3 * sizeof *room);
    if (argc != 3 || room == NULL || afterimage_device_open(NULL, &device) != AFTERIMAGE_OK)
        return 2;
    if (afterimage_model_load(device, argv[2], &model) != AFTERIMAGE_OK)
        return 3;
    if (strcmp(argv[1], "overrun") == 0 && afterimage_model_gradient(model, x, 4, room, 4) != AFTERIMAGE_OK)
        return 4;
    free(room);
    if (strcmp(argv[1], "leak") != 0)
        afterimage_model_free(model);
    model = NULL;
    afterimage_device_free(device);
    return 0;
}
