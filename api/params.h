/* params.h -- all parameters of one request to one method, and how they are read and shown. */
#ifndef API_PARAMS_H
#define API_PARAMS_H

#include "api/api.h"
#include "core/tensor/draw.h"

#include <jansson.h>

enum api_format {
    API_FORMAT_AUTO,
    API_FORMAT_PNG,
    API_FORMAT_JPEG,
    API_FORMAT_JSON,
    API_FORMAT_NPY
};

struct api_seed {
    int64_t seed;
};

struct api_pool {
    char collection[LUC_TEXT_MAX];
};

/* How the answer looks; no part of what was computed. */
struct api_answer {
    int64_t format; /* enum api_format */
    int64_t quality, embed;
};

struct api_params {
    const struct luc_method *method;
    void *own; /* method->params_size bytes; heap */
    struct luc_input_params input;
    struct luc_view_params view;
    struct api_seed seed;
    struct api_pool pool;
    struct api_answer answer;
};

/* Every default. LUC_NOMEM. */
LUC_MUST_USE enum luc_status api_params_init(struct api_params *p, const struct luc_method *m,
                                             struct luc_error *err);
void api_params_done(struct api_params *p); /* fine on a zeroed one */

/* Sets one parameter in whichever table has it. An unknown one is LUC_INVALID, with near names. */
LUC_MUST_USE enum luc_status api_params_set(struct api_params *p, const char *key, const char *text,
                                            struct luc_error *err);

/* A printed value as it travels in JSON: a number, a switch or a text. */
json_t *api_param_json(const struct luc_param *row, const char *text);

/* As understood: { key: value } of every table but the answer's. */
json_t *api_params_json(const struct api_params *p);

/* Media types that a method can answer with, in order of preference; parallel arrays. */
struct api_offers {
    const char *type[4];
    enum api_format format[4];
    size_t n;
};
void api_offers(const struct luc_method *m, struct api_offers *offers);

#endif
