/* unit.h -- what a gradient method explains: a class, the difference of two, or any neuron.
 *
 *     luc_unit_value();  run forward with that value as tap and seed;
 *     luc_unit_find();   luc_unit_seed();  backward;  luc_unit_report().
 */
#ifndef LUC_ASK_UNIT_H
#define LUC_ASK_UNIT_H

#include "core/ask/target.h"

struct luc_unit_params { /* rows: LUC_UNIT_ROWS */
    char target[LUC_TEXT_MAX], vs[LUC_TEXT_MAX], layer[LUC_TEXT_MAX], position[LUC_TEXT_MAX];
    struct luc_auto_int channel;
};

#define LUC_CHANNEL_MAX 1048576

/* Rows for field `f` of the params struct T. Methods whose own layer or channel means something else
 * take LUC_UNIT_OF_ROWS: of_layer, of_channel, of_position. */
/* clang-format off */
#define LUC_UNIT_TEXT(T, f, k, name, d, text)                                                      \
    { .key = (name), .doc = (text), .unit = "", .type = LUC_PARAM_TEXT,                            \
      .offset = LUC_FIELD(T, f.k, char[LUC_TEXT_MAX]), .def_text = (d) }
#define LUC_UNIT_ROWS_NAMED(T, f, of)                                                              \
    LUC_UNIT_TEXT(T, f, target, "target", "top", LUC_TARGET_DOC),                                  \
    LUC_UNIT_TEXT(T, f, vs, "vs", "", LUC_VS_DOC),                                                 \
    LUC_UNIT_TEXT(T, f, layer, of "layer", "", "Explain a neuron of this layer, not a class"),     \
    { .key = of "channel", .doc = "The neuron's channel; auto: the one that answers most",         \
      .unit = "", .type = LUC_PARAM_AUTO_INT, .def = -1,                                          \
      .offset = LUC_FIELD(T, f.channel, struct luc_auto_int),                                      \
      .min = 0, .max = LUC_CHANNEL_MAX },                                                          \
    LUC_UNIT_TEXT(T, f, position, of "position", "max",                                            \
                  "The neuron's place in its channel: max (where it answers most) or ROW,COLUMN")
#define LUC_UNIT_ROWS(T, f) LUC_UNIT_ROWS_NAMED(T, f, "")
#define LUC_UNIT_OF         "of_"
#define LUC_UNIT_OF_ROWS(T, f) LUC_UNIT_ROWS_NAMED(T, f, LUC_UNIT_OF)
/* clang-format on */

/* Of a method whose own layer means something else: classes only. */
void luc_unit_of_class(const char target[LUC_TEXT_MAX], const char vs[LUC_TEXT_MAX],
                       struct luc_unit_params *p);
#define LUC_VS_DOC "A second class: explain the difference, target minus this one"

struct luc_unit {
    size_t value;                              /* what holds it, to be tapped and seeded */
    bool is_class;                             /* else a neuron */
    struct luc_target target;                  /* classes */
    size_t against;                            /* class index; LUC_NONE: no second class */
    size_t channel, row, column, plane, width; /* neurons */
    double score;                              /* logit, difference of logits or activation */
};

/* The value to tap and seed. LUC_NOT_FOUND the layer; LUC_INVALID a network without classes and no
 * layer, or settings that contradict each other. */
LUC_MUST_USE enum luc_status luc_unit_value(struct luc_run *run, const struct luc_unit_params *p,
                                            size_t *value, struct luc_error *err);

/* Finds the unit in what the value holds for this picture. LUC_RANGE and the errors of
 * luc_target_find(). */
LUC_MUST_USE enum luc_status luc_unit_find(struct luc_run *run, const struct luc_unit_params *p,
                                           const struct luc_tensor *held, size_t value,
                                           struct luc_unit *unit, struct luc_error *err);

/* Its score in another run: the logit, the difference, the activation. */
double luc_unit_score(const struct luc_unit *unit, const struct luc_tensor *held);

/* The seed whose gradient is that of the score; writes all of it. */
void luc_unit_seed(const struct luc_unit *unit, struct luc_tensor *seed);

/* Classes: class, class_index, probability, logit, and vs. Neurons: layer, channel, row, column,
 * activation. */
LUC_MUST_USE enum luc_status luc_unit_report(struct luc_run *run, const struct luc_unit *unit,
                                             struct luc_error *err);

/* For methods with LUC_UNIT_OF_ROWS: an error about layer, channel or position is one about
 * of_layer, ... Returns `st`. */
enum luc_status luc_unit_of(enum luc_status st, struct luc_error *err);

#endif
