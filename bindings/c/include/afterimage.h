// Afterimage: trains energy-based models on any GPU, and computes with them.
//
// Handles are made by the functions whose last parameter is a place for one, and freed by the function of their name. Every
// function that can fail gives an afterimage_status; afterimage_last_error() says in words what was wrong in the last call that
// failed on the same thread, and what to do. No function prints on stdout, and none writes files but afterimage_model_save, and
// afterimage_train where it is given a folder.
//
// Threads: a handle may be used by one thread at a time, and may move from thread to thread. Different handles may be used by
// different threads at the same time; where they are of one device, calls that compute wait for each other. Open a device for
// each thread to compute side by side.
//
// A device keeps the parameters of one model, the one whose energies or gradients were asked for last: programs that alternate
// between models are faster with a device for each.
//
// Samples are floats in the scale of the model (see afterimage_info), one sample behind the other, each as channels, rows,
// columns. Texts are UTF-8 that ends with 0; paths are the bytes of the system. Pointers that a function is given are used until
// it returns, and not kept. Handles that were freed, and pointers to less memory than the lengths say, are beyond what can be
// checked.

#ifndef AFTERIMAGE_H
#define AFTERIMAGE_H

#include <stddef.h>
#include <stdint.h>

// What a call came to.
typedef enum {
  // It did what it was asked for.
  AFTERIMAGE_OK = 0,
  // A pointer is null, a length does not fit, a number is out of range or not finite, or a text is not UTF-8.
  AFTERIMAGE_INVALID_ARGUMENT = 1,
  // A preset, a setting, or the data that the settings name cannot be used.
  AFTERIMAGE_INVALID_SETTING = 2,
  // A file cannot be read or written, or is not what it should be.
  AFTERIMAGE_FILE_ERROR = 3,
  // There is no such device, it computes wrong results, it has too little memory, or it failed.
  AFTERIMAGE_DEVICE_ERROR = 4,
  // Training diverged, or what was computed is not finite.
  AFTERIMAGE_DIVERGED = 5,
  // An earlier call on this device, or on a model of it, ended with AFTERIMAGE_INTERNAL_ERROR: free them all.
  AFTERIMAGE_POISONED = 6,
  // A mistake in this library. What Rust says of it is on stderr.
  AFTERIMAGE_INTERNAL_ERROR = 7,
} afterimage_status;

// A GPU, or a software driver in its place, with what was compiled for it.
typedef struct afterimage_device afterimage_device;

// A trained model on a device. It stays as it is: only freeing changes it.
typedef struct afterimage_model afterimage_model;

// What a model is made for.
typedef struct {
  // The shape of a sample. A point in the plane has two channels of 1 by 1.
  size_t channels;
  size_t height;
  size_t width;
  // Values of a sample: channels * height * width, in this order, the last one running fastest.
  size_t values;
  // A value of the model, which is what all functions take and give, is raw * scale + offset of the data it learned from.
  float scale;
  float offset;
  // The values of the model that are drawn black and white.
  float low;
  float high;
  // Optimiser steps that it was trained for.
  uint64_t step;
  // Steps that its own training would have chains take for a picture of samples.
  size_t sample_steps;
} afterimage_info;

// How a run stands after an optimiser step.
typedef struct {
  // Steps done, counting this one. It falls where a run that diverged goes back.
  uint64_t steps_done;
  // All that the run is to do.
  uint64_t steps;
  // The training loss.
  float loss;
  // Mean energies of the data and of the noise, in nats.
  float energy_data;
  float energy_noise;
  // Share of data and noise that the model tells apart rightly.
  float accuracy;
  // Norm of the gradient of the loss.
  float gradient_norm;
  // Data samples a second, over the last few steps; 0 until it is known.
  float samples_per_second;
} afterimage_progress;

// Is told how a run stands, and gives 0 for it to go on and anything else for it to stop. It runs on the thread that called
// afterimage_train, may call any other function of this library, and must come back: no exception and no longjmp may leave it.
typedef int (*afterimage_on_step)(const afterimage_progress *progress, void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What the last call that failed on this thread said: one line that says what is wrong and what to do. Empty, and never null, where
// none has failed. It stays valid until the next call fails on this thread, or the thread ends.
const char *afterimage_last_error(void);

// The version of this library, such as "0.1.0". Static.
const char *afterimage_version(void);

// Opens an adapter: by its number in the list of `afterimage devices`, by a part of its name, or, where `adapter` is null, the one
// that the environment variable AFTERIMAGE_ADAPTER names, else the most capable. Writes a handle to `*device`, or null if it fails.
//
// What suits a software driver that is not known is measured when it computes for the first time, which takes some seconds.
afterimage_status afterimage_device_open(const char *adapter,
                                         afterimage_device **device);

// The adapter of a device in words, valid as long as the device; null where `device` is.
const char *afterimage_device_name(const afterimage_device *device);

// Frees a device. Models on it stay usable, and what they share with it is freed with the last of them. Does nothing if it is null.
void afterimage_device_free(afterimage_device *device);

// Reads a checkpoint, such as `runs/digits/checkpoints/005000.safetensors`, to compute with it on `device`. Writes a handle to
// `*model`, or null if it fails.
afterimage_status afterimage_model_load(const afterimage_device *device, const char *path, afterimage_model **model);

// Writes a checkpoint, whole or not at all, in place of what is at `path`. A model that comes from training holds its live weights
// beside the averaged ones that it computes with: they go into `NAME.live.safetensors` beside `NAME.safetensors`.
afterimage_status afterimage_model_save(const afterimage_model *model,
                                        const char *path);

// Says what a model is made for.
afterimage_status afterimage_model_info(const afterimage_model *model, afterimage_info *info);

// Frees a model, and what it has on its device. Does nothing if it is null.
void afterimage_model_free(afterimage_model *model);

// Energies of samples: low where the model finds them likely. `x` holds `x_length` values, a whole number of samples one behind the
// other; `energies` takes one for each, and `energies_length` says how many that are. Nothing is written if it fails.
afterimage_status afterimage_model_energies(const afterimage_model *model,
                                            const float *x,
                                            size_t x_length,
                                            float *energies,
                                            size_t energies_length);

// The gradient of the energy by the values of each sample: `gradient`, of `gradient_length` values, is laid out as `x`, which holds
// `x_length` and is as above. The two must not overlap. Nothing is written if it fails.
afterimage_status afterimage_model_gradient(const afterimage_model *model,
                                            const float *x,
                                            size_t x_length,
                                            float *gradient,
                                            size_t gradient_length);

// Draws `count` samples by `steps` steps of the sampler that the model was trained with, from fresh chains; the same for the same
// `seed` on the same device. `samples`, of `samples_length` values, takes them one behind the other, so that it is as long as `count`
// times the values of a sample. Nothing is written if it fails.
afterimage_status afterimage_model_sample(const afterimage_model *model,
                                          size_t count,
                                          size_t steps,
                                          uint64_t seed,
                                          float *samples,
                                          size_t samples_length);

// Trains a model and writes a handle to it to `*model`, to compute with it on `device`; null if it fails.
//
// `preset` is the name of a preset, or a .toml file. `settings` are `settings_count` texts such as "run.steps=200", as behind --set on
// the command line; null if there are none. What can be set is what `afterimage config digits` prints. What is no error, such as
// a setting that cannot take effect, is not told here: `afterimage train` warns of it.
//
// Where `out` is null, nothing is written. Else it is the folder of the run, which must not hold one, and is left as
// `afterimage train` leaves it; the model is that of its last checkpoint.
//
// `on_step` is called after every step with `user_data`, and where `out` is not null again with the same figures while the
// last samples are drawn and looked at; it may be null. Where it stops the run, steps that the device was handed already are done, and
// the model is that of the steps so far, which is no failure.
//
// Training computes on the adapter of `device`, but apart from it: models on `device` can be used meanwhile, and a device that fails is
// not `device`.
afterimage_status afterimage_train(const afterimage_device *device,
                                   const char *preset,
                                   const char *const *settings,
                                   size_t settings_count,
                                   const char *out,
                                   afterimage_on_step on_step,
                                   void *user_data,
                                   afterimage_model **model);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* AFTERIMAGE_H */
