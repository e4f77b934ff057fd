/* generate_bed.h -- what tests of methods that make pictures share: a small network, two pictures, and
 * hooks that see reports, previews and checkpoints. Failures end the running cmocka test. */
#ifndef TESTS_GENERATE_BED_H
#define TESTS_GENERATE_BED_H

#include "core/run/method.h"
#include "tests/net_build.h"

/* A network of two convolutions, two pictures, and one run's surroundings. */
struct bed {
    struct net net;
    struct luc_model model;
    struct luc_image images[2];
    struct luc_arena *arena;
    struct luc_result result;
    struct luc_input_params input;
    struct luc_run run;
    /* what the hooks saw */
    struct luc_run_hooks hooks;
    int ticks, previews, keep_after;
    size_t reported;
    struct luc_str checkpoint;
    double clock_s, tick_s; /* the run's clock, and what it goes forward between two looks */
};

/* cmocka's setup and teardown: *state is a struct bed. Layers a [1, 6, H, W], b [1, 8, H/2, W/2];
 * `back` makes a picture of b. */
int bed_setup(void **state);
int bed_teardown(void **state);
/* A picture of stripes that differ with `seed`. */
void bed_paint(struct luc_image *image, size_t width, size_t height, unsigned seed);
/* A new run with an empty result. */
void bed_again(struct bed *b);
/* settings: pairs of key and text, ended by { NULL, NULL }. */
enum luc_status bed_run(struct bed *b, const struct luc_method *method,
                        const char *const (*settings)[2], struct luc_error *err);
/* The result `picture` that these settings make, RGB; the caller frees it. */
uint8_t *bed_make(struct bed *b, const struct luc_method *method, const char *const (*settings)[2],
                  size_t *size);
/* The run reports to the bed, takes a preview and a checkpoint at every step, and is cancelled after
 * keep_after ticks (negative: never). Its clock is the bed's. */
void bed_hook(struct bed *b);
/* Cancelled after `stop` turns and resumed, it ends with the `size` bytes of `whole`. */
void bed_resume_after(struct bed *b, const struct luc_method *method,
                      const char *const (*settings)[2], size_t n_images, int stop,
                      const uint8_t *whole, size_t size);
/* Cancelled after any of its `steps` steps and resumed from the checkpoint, the method ends with the
 * same bytes; each step is reported and previewed. */
void bed_check_resume(struct bed *b, const struct luc_method *method,
                      const char *const (*settings)[2], size_t n_images, int steps);

#endif
