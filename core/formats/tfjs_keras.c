#include "core/formats/tfjs_keras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 512

static enum luc_status refuse(const struct tfjs_layer *l, const char *what, struct luc_error *err)
{
    return luc_fail(err, LUC_UNSUPPORTED, "layer '%.80s': %s", l->name, what);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), k = strlen(end);
    return n > k && text[n - k - 1] == '/' && strcmp(text + n - k, end) == 0;
}

/* "layer/part", or the one weight whose name ends so; NULL when there is none. */
static const struct tfjs_weight *find_weight(const struct tfjs_layer *l, const char *part)
{
    char key[KEY_MAX];
    const int n = snprintf(key, sizeof(key), "%s/%s", l->name, part);
    if (n < 0 || (size_t)n >= sizeof(key))
        return NULL;
    const struct tfjs_weights *w = &l->b->weights;
    const struct tfjs_weight *found = luc_tfjs_weight_find(w, key);
    for (size_t i = 0; !found && i < w->n; i++)
        if (ends_with(w->list[i].name, key))
            found = &w->list[i];
    return found;
}

static enum luc_status need_weight(const struct tfjs_layer *l, const char *part,
                                   const struct tfjs_weight **w, struct luc_error *err)
{
    *w = find_weight(l, part);
    return *w ? LUC_OK
              : luc_fail(err, LUC_FORMAT, "layer '%.80s': the weights manifest has no '%.80s/%s'",
                         l->name, l->name, part);
}

static enum luc_status check_channels_last(const struct tfjs_layer *l, struct luc_error *err)
{
    return strcmp(luc_tfjs_text(l->config, "data_format", "channels_last"), "channels_last") == 0
               ? LUC_OK
               : refuse(l, "data_format must be channels_last", err);
}

/* A number, or two. */
static bool read_pair(const json_t *v, double out[2])
{
    if (json_is_number(v)) {
        out[0] = out[1] = json_number_value(v);
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        const json_t *e = json_array_get(v, i);
        if (json_array_size(v) != 2 || !json_is_number(e))
            return false;
        out[i] = json_number_value(e);
    }
    return true;
}

/* Absent or null leaves `out` as it is. */
static enum luc_status config_pair(const struct tfjs_layer *l, const char *key, double out[2],
                                   struct luc_error *err)
{
    const json_t *v = json_object_get(l->config, key);
    if (!v || json_is_null(v))
        return LUC_OK;
    if (!read_pair(v, out) || !(out[0] >= 1 && out[0] <= 65536 && out[1] >= 1 && out[1] <= 65536))
        return luc_fail(err, LUC_FORMAT, "layer '%.80s': %s must be one or two numbers from 1 on",
                        l->name, key);
    return LUC_OK;
}

static enum luc_status config_window(const struct tfjs_layer *l, const char *kernel,
                                     struct tfjs_window *win, struct luc_error *err)
{
    *win = (struct tfjs_window){ .kernel = { 2, 2 }, .strides = { 1, 1 }, .dilations = { 1, 1 } };
    const char *padding = luc_tfjs_text(l->config, "padding", "valid");
    win->padding = strcmp(padding, "same") == 0 ? TFJS_SAME : TFJS_VALID;
    if (strcmp(padding, "same") != 0 && strcmp(padding, "valid") != 0)
        return refuse(l, "padding must be same or valid", err);
    enum luc_status st = check_channels_last(l, err);
    if (!st)
        st = config_pair(l, kernel, win->kernel, err);
    memcpy(win->strides, win->kernel, sizeof(win->strides)); /* pooling's default */
    if (strcmp(kernel, "pool_size") != 0)
        win->strides[0] = win->strides[1] = 1;
    if (!st)
        st = config_pair(l, "strides", win->strides, err);
    return st ? st : config_pair(l, "dilation_rate", win->dilations, err);
}

static enum luc_status config_activation(const struct tfjs_layer *l, const char **kind,
                                         struct luc_error *err)
{
    const json_t *v = json_object_get(l->config, "activation");
    *kind = "linear";
    if (!v || json_is_null(v))
        return LUC_OK;
    if (!json_is_string(v) || !luc_tfjs_is_activation(json_string_value(v)))
        return luc_fail(err, LUC_UNSUPPORTED, "layer '%.80s': activation '%.40s' is not supported",
                        l->name, json_is_string(v) ? json_string_value(v) : "(an object)");
    *kind = json_string_value(v);
    return LUC_OK;
}

/* The suffix of what comes before an activation; NULL when there is none to come. */
static const char *before(const char *kind)
{
    return strcmp(kind, "linear") == 0 ? NULL : "linear";
}

static enum luc_status activate(struct tfjs_layer *l, const char *kind, struct luc_error *err)
{
    if (!before(kind))
        return LUC_OK;
    const struct tfjs_value v = l->out;
    return luc_tfjs_activation(l->b, kind, 0.2, l->name, &v, &l->out.value, err);
}

static void out_picture(struct tfjs_layer *l, size_t value)
{
    l->out = (struct tfjs_value){ .value = value, .rank = 4, .picture = true };
}

static enum luc_status any_conv(struct tfjs_layer *l, enum tfjs_kernel kind, const char *part,
                                struct luc_error *err)
{
    struct tfjs_window win;
    const char *activation = NULL;
    const struct tfjs_weight *kernel = NULL, *bias = NULL;
    enum luc_status st = config_window(l, "kernel_size", &win, err);
    if (!st)
        st = config_activation(l, &activation, err);
    if (!st)
        st = need_weight(l, part, &kernel, err);
    if (!st && luc_tfjs_flag(l->config, "use_bias", true))
        st = need_weight(l, "bias", &bias, err);
    const json_t *extra = json_object_get(l->config, "output_padding");
    if (!st && extra && !json_is_null(extra))
        st = refuse(l, "output_padding is not supported", err);
    if (!st && luc_tfjs_number(l->config, "groups", 1) != 1)
        st = refuse(l, "groups are not supported", err);
    size_t value = LUC_NONE;
    if (!st)
        st = luc_tfjs_conv(l->b, l->name, before(activation), kind, &l->in[0], kernel, bias, &win,
                           &value, err);
    if (st)
        return st;
    out_picture(l, value);
    return activate(l, activation, err);
}

static enum luc_status conv2d(struct tfjs_layer *l, struct luc_error *err)
{
    return any_conv(l, TFJS_CONV, "kernel", err);
}

static enum luc_status conv2d_transpose(struct tfjs_layer *l, struct luc_error *err)
{
    return any_conv(l, TFJS_TRANSPOSED, "kernel", err);
}

static enum luc_status depthwise_conv2d(struct tfjs_layer *l, struct luc_error *err)
{
    return any_conv(l, TFJS_DEPTHWISE, "depthwise_kernel", err);
}

static enum luc_status separable_conv2d(struct tfjs_layer *l, struct luc_error *err)
{
    struct tfjs_window win, one = { TFJS_VALID, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 } };
    const char *activation = NULL;
    const struct tfjs_weight *depth = NULL, *point = NULL, *bias = NULL;
    enum luc_status st = config_window(l, "kernel_size", &win, err);
    if (!st)
        st = config_activation(l, &activation, err);
    if (!st)
        st = need_weight(l, "depthwise_kernel", &depth, err);
    if (!st)
        st = need_weight(l, "pointwise_kernel", &point, err);
    if (!st && luc_tfjs_flag(l->config, "use_bias", true))
        st = need_weight(l, "bias", &bias, err);
    struct tfjs_value mid = { .value = LUC_NONE, .rank = 4, .picture = true };
    if (!st)
        st = luc_tfjs_conv(l->b, l->name, "depthwise", TFJS_DEPTHWISE, &l->in[0], depth, NULL, &win,
                           &mid.value, err);
    size_t value = LUC_NONE;
    if (!st)
        st = luc_tfjs_conv(l->b, l->name, before(activation), TFJS_CONV, &mid, point, bias, &one,
                           &value, err);
    if (st)
        return st;
    out_picture(l, value);
    return activate(l, activation, err);
}

static enum luc_status vector_value(struct tfjs_layer *l, const struct tfjs_weight *w,
                                    size_t *value, struct luc_error *err)
{
    struct tfjs_value v = { .value = LUC_NONE, .weight = w, .rank = w->shape.rank };
    return luc_tfjs_as_plain(l->b, l->name, &v, value, err);
}

static enum luc_status dense_wide(struct tfjs_layer *l, const size_t in[3], const char *suffix,
                                  size_t *value, struct luc_error *err)
{
    if (in[2] == LUC_NONE)
        return luc_tfjs_emit(l->b, "MatMul", l->name, suffix, in, 2, NULL, value, err);
    size_t sum[2] = { LUC_NONE, in[2] };
    const enum luc_status st =
        luc_tfjs_emit(l->b, "MatMul", l->name, "product", in, 2, NULL, &sum[0], err);
    return st ? st : luc_tfjs_emit(l->b, "Add", l->name, suffix, sum, 2, NULL, value, err);
}

static enum luc_status dense(struct tfjs_layer *l, struct luc_error *err)
{
    const char *activation = NULL;
    const struct tfjs_weight *kernel = NULL, *bias = NULL;
    size_t in[3] = { LUC_NONE, LUC_NONE, LUC_NONE }, value = LUC_NONE;
    enum luc_status st = config_activation(l, &activation, err);
    if (!st)
        st = need_weight(l, "kernel", &kernel, err);
    if (!st && luc_tfjs_flag(l->config, "use_bias", true))
        st = need_weight(l, "bias", &bias, err);
    if (!st)
        st = luc_tfjs_as_plain(l->b, l->name, &l->in[0], &in[0], err);
    if (!st)
        st = vector_value(l, kernel, &in[1], err);
    if (!st && bias)
        st = vector_value(l, bias, &in[2], err);
    if (!st)
        st = l->in[0].rank == 2 ? luc_tfjs_emit(l->b, "Gemm", l->name, before(activation), in,
                                                bias ? 3 : 2, NULL, &value, err)
                                : dense_wide(l, in, before(activation), &value, err);
    if (st)
        return st;
    l->out = (struct tfjs_value){ .value = value, .rank = l->in[0].rank };
    return activate(l, activation, err);
}

/* The layer's part, or `otherwise` repeated when the layer goes without it. */
static enum luc_status norm_part(struct tfjs_layer *l, const char *part, const char *flag,
                                 double otherwise, size_t n, size_t *value, struct luc_error *err)
{
    const struct tfjs_weight *w = NULL;
    if (!flag || luc_tfjs_flag(l->config, flag, true)) {
        const enum luc_status st = need_weight(l, part, &w, err);
        return st ? st : vector_value(l, w, value, err);
    }
    double *v = malloc((n + 1) * sizeof(*v));
    if (!v)
        return luc_fail_nomem(err, part, n * sizeof(*v));
    for (size_t i = 0; i < n; i++)
        v[i] = otherwise;
    const enum luc_status st = luc_tfjs_numbers(l->b, l->name, part, LUC_F32, v, n, 1, value, err);
    free(v);
    return st;
}

static enum luc_status check_norm_axis(const struct tfjs_layer *l, struct luc_error *err)
{
    const json_t *a = json_object_get(l->config, "axis");
    if (json_is_array(a) && json_array_size(a) == 1)
        a = json_array_get(a, 0);
    const double rank = (double)l->in[0].rank, axis = json_is_number(a) ? json_number_value(a) : -1;
    if (axis != -1 && axis != rank - 1)
        return refuse(l, "axis must be the last one", err);
    return l->in[0].picture || l->in[0].rank == 2
               ? LUC_OK
               : refuse(l, "its input must be a picture or a batch of vectors", err);
}

static enum luc_status batch_norm(struct tfjs_layer *l, struct luc_error *err)
{
    const struct tfjs_attr attrs[] = {
        { "epsilon", 1, { luc_tfjs_number(l->config, "epsilon", 1e-3) }, NULL }, { 0 }
    };
    const struct tfjs_weight *mean = NULL;
    size_t in[5] = { l->in[0].value, LUC_NONE, LUC_NONE, LUC_NONE, LUC_NONE };
    enum luc_status st = check_norm_axis(l, err);
    if (!st)
        st = need_weight(l, "moving_mean", &mean, err);
    const size_t n = mean ? luc_numel(&mean->shape) : 0;
    if (!st)
        st = norm_part(l, "gamma", "scale", 1, n, &in[1], err);
    if (!st)
        st = norm_part(l, "beta", "center", 0, n, &in[2], err);
    if (!st)
        st = vector_value(l, mean, &in[3], err);
    if (!st)
        st = norm_part(l, "moving_variance", NULL, 1, n, &in[4], err);
    l->out = l->in[0];
    return st ? st
              : luc_tfjs_emit(l->b, "BatchNormalization", l->name, NULL, in, 5, attrs,
                              &l->out.value, err);
}

static enum luc_status activation(struct tfjs_layer *l, struct luc_error *err)
{
    const char *kind = NULL;
    enum luc_status st = config_activation(l, &kind, err);
    l->out = l->in[0];
    return st ? st : luc_tfjs_activation(l->b, kind, 0.2, l->name, &l->in[0], &l->out.value, err);
}

static enum luc_status leaky(struct tfjs_layer *l, double alpha, struct luc_error *err)
{
    l->out = l->in[0];
    return luc_tfjs_activation(l->b, alpha == 0 ? "relu" : "leaky_relu", alpha, l->name, &l->in[0],
                               &l->out.value, err);
}

static enum luc_status leaky_relu(struct tfjs_layer *l, struct luc_error *err)
{
    return leaky(
        l, luc_tfjs_number(l->config, "alpha", luc_tfjs_number(l->config, "negative_slope", 0.3)),
        err);
}

static enum luc_status relu(struct tfjs_layer *l, struct luc_error *err)
{
    const double top = luc_tfjs_number(l->config, "max_value", 0);
    const double slope = luc_tfjs_number(l->config, "negative_slope", 0);
    if (luc_tfjs_number(l->config, "threshold", 0) != 0 || (top != 0 && (top != 6 || slope != 0)))
        return refuse(l, "only plain, leaky and 6-limited ReLU are supported", err);
    l->out = l->in[0];
    return top == 6 ? luc_tfjs_activation(l->b, "relu6", 0, l->name, &l->in[0], &l->out.value, err)
                    : leaky(l, slope, err);
}

static enum luc_status softmax(struct tfjs_layer *l, struct luc_error *err)
{
    if (luc_tfjs_number(l->config, "axis", -1) != -1)
        return refuse(l, "axis must be the last one", err);
    l->out = l->in[0];
    return luc_tfjs_activation(l->b, "softmax", 0, l->name, &l->in[0], &l->out.value, err);
}

static enum luc_status prelu(struct tfjs_layer *l, struct luc_error *err)
{
    const struct tfjs_weight *w = NULL;
    size_t in[2] = { l->in[0].value, LUC_NONE };
    enum luc_status st = need_weight(l, "alpha", &w, err);
    struct tfjs_value alpha = { .value = LUC_NONE, .weight = w, .rank = w ? w->shape.rank : 0 };
    if (!st)
        st = l->in[0].picture ? luc_tfjs_as_picture(l->b, l->name, &alpha, &in[1], err)
                              : luc_tfjs_as_plain(l->b, l->name, &alpha, &in[1], err);
    l->out = l->in[0];
    return st ? st : luc_tfjs_emit(l->b, "PRelu", l->name, NULL, in, 2, NULL, &l->out.value, err);
}

/* 1, [1, 2] or [[1, 2], [3, 4]]: top and bottom, left and right. */
static enum luc_status read_borders(const struct tfjs_layer *l, const char *key, double v[2][2],
                                    struct luc_error *err)
{
    const json_t *p = json_object_get(l->config, key);
    double both[2];
    bool ok = read_pair(json_array_get(p, 0), v[0]) && read_pair(json_array_get(p, 1), v[1]) &&
              json_array_size(p) == 2 && json_is_array(json_array_get(p, 0));
    if (!ok && read_pair(p, both)) {
        v[0][0] = v[0][1] = both[0];
        v[1][0] = v[1][1] = both[1];
        ok = true;
    }
    for (size_t i = 0; ok && i < 4; i++)
        ok = v[i / 2][i % 2] >= 0 && v[i / 2][i % 2] <= 65536;
    return ok ? check_channels_last(l, err)
              : luc_fail(err, LUC_FORMAT, "layer '%.80s': %s is not understood", l->name, key);
}

static enum luc_status make_picture(struct tfjs_layer *l, struct luc_error *err)
{
    size_t value = LUC_NONE;
    const enum luc_status st = luc_tfjs_as_picture(l->b, l->name, &l->in[0], &value, err);
    if (!st)
        l->in[0] = (struct tfjs_value){ .value = value, .rank = 4, .picture = true };
    return st;
}

static enum luc_status zero_padding(struct tfjs_layer *l, struct luc_error *err)
{
    double pads[4][2] = { { 0 } };
    enum luc_status st = read_borders(l, "padding", pads + 1, err);
    if (!st)
        st = make_picture(l, err);
    l->out = l->in[0];
    return st ? st
              : luc_tfjs_pad(l->b, l->name, "constant", 0, &l->in[0], pads, &l->out.value, err);
}

static enum luc_status cropping(struct tfjs_layer *l, struct luc_error *err)
{
    double crop[2][2];
    static const double axes[] = { 2, 3 };
    enum luc_status st = read_borders(l, "cropping", crop, err);
    if (!st)
        st = make_picture(l, err);
    if (st)
        return st;
    const double from[2] = { crop[0][0], crop[1][0] };
    const double to[2] = { crop[0][1] > 0 ? -crop[0][1] : (double)INT32_MAX,
                           crop[1][1] > 0 ? -crop[1][1] : (double)INT32_MAX };
    size_t in[4] = { l->in[0].value, LUC_NONE, LUC_NONE, LUC_NONE };
    st = luc_tfjs_numbers(l->b, l->name, "starts", LUC_I64, from, 2, 1, &in[1], err);
    if (!st)
        st = luc_tfjs_numbers(l->b, l->name, "ends", LUC_I64, to, 2, 1, &in[2], err);
    if (!st)
        st = luc_tfjs_numbers(l->b, l->name, "axes", LUC_I64, axes, 2, 1, &in[3], err);
    l->out = l->in[0];
    return st ? st : luc_tfjs_emit(l->b, "Slice", l->name, NULL, in, 4, NULL, &l->out.value, err);
}

static enum luc_status pool(struct tfjs_layer *l, const char *op, struct luc_error *err)
{
    struct tfjs_window win;
    enum luc_status st = config_window(l, "pool_size", &win, err);
    size_t value = LUC_NONE;
    if (!st)
        st = luc_tfjs_pool(l->b, op, l->name, &l->in[0], &win, &value, err);
    out_picture(l, value);
    return st;
}

static enum luc_status max_pool(struct tfjs_layer *l, struct luc_error *err)
{
    return pool(l, "MaxPool", err);
}

static enum luc_status average_pool(struct tfjs_layer *l, struct luc_error *err)
{
    return pool(l, "AveragePool", err);
}

static enum luc_status global_average(struct tfjs_layer *l, struct luc_error *err)
{
    static const struct tfjs_attr flat[] = { { "axis", 1, { 1 }, NULL }, { 0 } };
    const bool keep = luc_tfjs_flag(l->config, "keepdims", false);
    size_t value = LUC_NONE;
    enum luc_status st = check_channels_last(l, err);
    if (!st)
        st = make_picture(l, err);
    if (!st)
        st = luc_tfjs_emit(l->b, "GlobalAveragePool", l->name, keep ? NULL : "pooled",
                           &l->in[0].value, 1, NULL, &value, err);
    out_picture(l, value);
    if (st || keep)
        return st;
    l->out = (struct tfjs_value){ .rank = 2 };
    return luc_tfjs_emit(l->b, "Flatten", l->name, NULL, &value, 1, flat, &l->out.value, err);
}

static enum luc_status up_sampling(struct tfjs_layer *l, struct luc_error *err)
{
    double size[2] = { 2, 2 };
    const bool linear =
        strcmp(luc_tfjs_text(l->config, "interpolation", "nearest"), "bilinear") == 0;
    enum luc_status st = check_channels_last(l, err);
    if (!st)
        st = config_pair(l, "size", size, err);
    if (!st)
        st = make_picture(l, err);
    if (!st && !linear &&
        strcmp(luc_tfjs_text(l->config, "interpolation", "nearest"), "nearest") != 0)
        st = refuse(l, "interpolation must be nearest or bilinear", err);
    if (st)
        return st;
    const double scales[4] = { 1, 1, size[0], size[1] };
    const struct tfjs_attr attrs[] = {
        { "mode", 0, { 0 }, linear ? "linear" : "nearest" },
        { "coordinate_transformation_mode", 0, { 0 }, linear ? "half_pixel" : "asymmetric" },
        { linear ? NULL : "nearest_mode", 0, { 0 }, "floor" },
        { 0 },
    };
    size_t in[3] = { l->in[0].value, LUC_NONE, LUC_NONE };
    st = luc_tfjs_numbers(l->b, l->name, "scales", LUC_F32, scales, 4, 1, &in[2], err);
    l->out = l->in[0];
    return st ? st : luc_tfjs_emit(l->b, "Resize", l->name, NULL, in, 3, attrs, &l->out.value, err);
}

/* All inputs in one layout. */
static enum luc_status same_layout(struct tfjs_layer *l, size_t *values, struct luc_error *err)
{
    bool picture = false;
    size_t rank = 0;
    for (size_t i = 0; i < l->n_in; i++) {
        picture = picture || l->in[i].picture;
        rank = l->in[i].rank > rank ? l->in[i].rank : rank;
    }
    for (size_t i = 0; i < l->n_in; i++) {
        const enum luc_status st =
            picture ? luc_tfjs_as_picture(l->b, l->name, &l->in[i], &values[i], err)
                    : luc_tfjs_as_plain(l->b, l->name, &l->in[i], &values[i], err);
        if (st)
            return st;
    }
    l->out = (struct tfjs_value){ .rank = picture ? 4 : rank, .picture = picture };
    return LUC_OK;
}

#define MERGE_MAX 256

static enum luc_status merge(struct tfjs_layer *l, const char *op, struct luc_error *err)
{
    size_t values[MERGE_MAX];
    enum luc_status st = same_layout(l, values, err);
    size_t sum = values[0];
    for (size_t i = 1; !st && i < l->n_in; i++) {
        const size_t in[2] = { sum, values[i] };
        st = luc_tfjs_emit(l->b, op, l->name, i + 1 < l->n_in ? "partial" : NULL, in, 2, NULL, &sum,
                           err);
    }
    l->out.value = sum;
    return st;
}

static enum luc_status add(struct tfjs_layer *l, struct luc_error *err)
{
    return merge(l, "Add", err);
}

static enum luc_status subtract(struct tfjs_layer *l, struct luc_error *err)
{
    return merge(l, "Sub", err);
}

static enum luc_status multiply(struct tfjs_layer *l, struct luc_error *err)
{
    return merge(l, "Mul", err);
}

static enum luc_status concatenate(struct tfjs_layer *l, struct luc_error *err)
{
    size_t values[MERGE_MAX];
    enum luc_status st = same_layout(l, values, err);
    if (st)
        return st;
    const double rank = (double)l->out.rank, given = luc_tfjs_number(l->config, "axis", -1);
    const double axis = given < 0 ? given + rank : given;
    if (!(axis >= 0 && axis < rank))
        return refuse(l, "axis is outside its input", err);
    const size_t at = l->out.picture ? luc_tfjs_picture_axis((size_t)axis) : (size_t)axis;
    const struct tfjs_attr attrs[] = { { "axis", 1, { (double)at }, NULL }, { 0 } };
    return luc_tfjs_emit(l->b, "Concat", l->name, NULL, values, l->n_in, attrs, &l->out.value, err);
}

static enum luc_status identity(struct tfjs_layer *l, struct luc_error *err)
{
    l->out = l->in[0];
    return luc_tfjs_emit(l->b, "Identity", l->name, NULL, &l->in[0].value, 1, NULL, &l->out.value,
                         err);
}

static enum luc_status reshape_to(struct tfjs_layer *l, const double *shape, size_t rank,
                                  struct luc_error *err)
{
    size_t in[2] = { LUC_NONE, LUC_NONE };
    enum luc_status st = luc_tfjs_as_plain(l->b, l->name, &l->in[0], &in[0], err);
    if (!st)
        st = luc_tfjs_numbers(l->b, l->name, "shape", LUC_I64, shape, rank, 1, &in[1], err);
    l->out = (struct tfjs_value){ .rank = rank };
    return st ? st : luc_tfjs_emit(l->b, "Reshape", l->name, NULL, in, 2, NULL, &l->out.value, err);
}

static enum luc_status flatten(struct tfjs_layer *l, struct luc_error *err)
{
    static const double shape[] = { 0, -1 }; /* 0: as it is */
    return reshape_to(l, shape, 2, err);
}

static enum luc_status reshape(struct tfjs_layer *l, struct luc_error *err)
{
    const json_t *target = json_object_get(l->config, "target_shape");
    double shape[LUC_MAX_RANK] = { 0 };
    const size_t n = json_array_size(target);
    if (!json_is_array(target) || n + 1 > LUC_MAX_RANK)
        return refuse(l, "target_shape is missing or too long", err);
    for (size_t i = 0; i < n; i++) {
        const double d = json_number_value(json_array_get(target, i));
        if (d != -1 && !(d >= 1 && d <= LUC_EXACT_INT && d == floor(d)))
            return refuse(l, "target_shape must hold whole numbers", err);
        shape[i + 1] = d;
    }
    return reshape_to(l, shape, n + 1, err);
}

static const struct tfjs_layer_row rows[] = {
    { "Activation", 1, 1, activation },
    { "Add", 2, MERGE_MAX, add },
    { "AveragePooling2D", 1, 1, average_pool },
    { "BatchNormalization", 1, 1, batch_norm },
    { "Concatenate", 1, MERGE_MAX, concatenate },
    { "Conv2D", 1, 1, conv2d },
    { "Conv2DTranspose", 1, 1, conv2d_transpose },
    { "Cropping2D", 1, 1, cropping },
    { "Dense", 1, 1, dense },
    { "DepthwiseConv2D", 1, 1, depthwise_conv2d },
    { "Dropout", 1, 1, identity },
    { "Flatten", 1, 1, flatten },
    { "GaussianNoise", 1, 1, identity },
    { "GlobalAveragePooling2D", 1, 1, global_average },
    { "LeakyReLU", 1, 1, leaky_relu },
    { "MaxPooling2D", 1, 1, max_pool },
    { "Multiply", 2, MERGE_MAX, multiply },
    { "PReLU", 1, 1, prelu },
    { "ReLU", 1, 1, relu },
    { "Reshape", 1, 1, reshape },
    { "SeparableConv2D", 1, 1, separable_conv2d },
    { "Softmax", 1, 1, softmax },
    { "SpatialDropout2D", 1, 1, identity },
    { "Subtract", 2, 2, subtract },
    { "UpSampling2D", 1, 1, up_sampling },
    { "ZeroPadding2D", 1, 1, zero_padding },
};

const struct tfjs_layer_row *luc_tfjs_layer_find(const char *class_name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, class_name) == 0)
            return &rows[i];
    return NULL;
}
